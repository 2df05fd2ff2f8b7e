"""The line about a refused handshake says what, where, and what to do: each trouble that a person can fix has its hint."""

import contextlib
import subprocess

import pytest

from harness import http1
from harness.backend import UnixListener
from harness.config import ONE_CHILD
from harness.error_log import REFUSAL
from harness.httpd import free_port
from harness.netns import private_network
from harness.waiting import COMMAND_BOUND

RUNS_ON = ["event"]   # what is judged is a request_rec, and a connection that no MPM knows

LIMIT = " (further ones are at LogLevel info for up to a minute)"
SSL_ENGINE_LINES = "AH01961|AH00961"


def refusal(server, path, play=None, changes=None):
    """The status of a handshake, and the one line about it; `play` is the backend's part."""
    server.allow_log(r"WSP01\d\d: |AH0|" + SSL_ENGINE_LINES)
    before = len(server.error_log.lines(REFUSAL))
    with server.start_handshake(path, changes) as client:
        if play:
            play()
        status = client.read_response().status
    line, = server.error_log.wait_for(REFUSAL, before + 1)[before:]
    return status, line.text.replace(LIMIT, "")


def saying(listener, *answer):
    """The backend's part: takes the next connection, and answers these bytes to whatever comes, or only closes."""
    def play():
        sock = listener.accept_raw()
        sock.recv(1 << 16)
        for part in answer:
            sock.sendall(part)
        sock.close()
    return play


# --- SSLProxyEngine ---
def test_a_missing_sslproxyengine_is_named_and_where_it_belongs(start, tls_stage):
    port = free_port()
    server = start(f"""
        SSLProxyEngine off
        ProxyPass /ws {tls_stage.url}/ retry=0
        Listen 127.0.0.1:{port}
        <VirtualHost 127.0.0.1:{port}>
            ProxyWebsocketUpgradeHttp On
            ProxyPass /ws https://localhost:{tls_stage.port}/ retry=0
        </VirtualHost>
        """)
    status, line = refusal(server, "/ws")
    assert (status, "WSP0112" in line) == (500, True)
    assert '"SSLProxyEngine on" is missing' in line and "mapped to wss://localhost" in line
    assert line.endswith('hint: write "SSLProxyEngine on" into the server\'s configuration')
    server.port = port
    status, line = refusal(server, "/ws")
    assert status == 500 and 'hint: write "SSLProxyEngine on" into the <VirtualHost> on line ' in line
    assert line.endswith("/httpd.conf")


# --- ws and wss ---
ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
NGINX = http1.format_head("HTTP/1.1 400 Bad Request", [("Connection", "close")]) + \
    b"<center>The plain HTTP request was sent to HTTPS port</center>"
GO = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
SPEAKS_TLS = 'hint: the backend speaks TLS: map to {} (which needs "SSLProxyEngine on")'
NO_TLS = "hint: the backend does not speak TLS: map to {}"


@pytest.fixture(scope="module")
def site(start_shared, module_listener):
    port = module_listener.port
    return start_shared(f"""
        ProxyWebsocketUpgradeHttp On
        ProxyPass /ws ws://127.0.0.1:{port}/ retry=0
        ProxyPass /wss wss://127.0.0.1:{port}/ retry=0
        ProxyPass /http http://127.0.0.1:{port}/ retry=0
        ProxyPass /https https://127.0.0.1:{port}/ retry=0
        <Location /kept>
            ProxyPreserveHost On
            ProxyPass ws://localhost:{port}/ retry=0
        </Location>
        """)


@pytest.mark.parametrize("answer, status", [(ALERT, 502), (NGINX, 400), (GO, 400)], ids=["an alert", "nginx", "Go"])
@pytest.mark.parametrize("path, scheme", [("/ws", "wss://"), ("/http", "https://")])
def test_a_backend_that_wants_tls_suggests_the_other_scheme(site, stage, path, scheme, answer, status):
    told, line = refusal(site, path, saying(stage, answer))
    assert told == status and line.endswith(SPEAKS_TLS.format(scheme)), line


@pytest.mark.parametrize("path, scheme", [("/wss", "ws://"), ("/https", "http://")])
@pytest.mark.parametrize("answer", [(b"HTTP/1.1 400 Bad Request\r\n\r\n",), (b"HT", b"TP/1.1 400 Bad Request\r\n\r\n"),
                                    (b"SSH-2.0-OpenSSH_9.2\r\n",)], ids=["HTTP", "in two", "SSH"])
def test_a_backend_without_tls_suggests_the_other_scheme(site, stage, path, scheme, answer):
    status, line = refusal(site, path, saying(stage, *answer))
    assert status == 502 and "did not complete the TLS handshake" in line and line.endswith(NO_TLS.format(scheme)), line


@pytest.mark.parametrize("path, hint", [("/ws", "hint: look at the backend's log; if it wants TLS, map to wss://"),
                                        ("/wss", "hint: if the backend speaks no TLS, map to ws://")])
def test_a_backend_that_hangs_up_without_a_word_may_speak_the_other(site, stage, path, hint):
    status, line = refusal(site, path, saying(stage))
    assert status == 502 and line.endswith(hint), line


CONTROL = http1.format_head("HTTP/1.1 403 Forbidden", [("Content-Length", "0"), ("X", "a\x01b")])
LENGTHS = http1.format_head("HTTP/1.1 403 Forbidden", [("Content-Length", "2"), ("Content-Length", "3")]) + b"no"
NUMBERS = {
    "no TLS": ("/wss", b"HTTP/1.1 400 Bad Request\r\n\r\n", 502, "WSP0150", "did not complete the TLS handshake"),
    "a hang-up": ("/ws", b"", 502, "WSP0152", "closed the connection before it had answered"),
    "no HTTP": ("/ws", b"SSH-2.0-OpenSSH_9.2\r\n", 502, "WSP0153", "did not answer with an HTTP/1.x response head"),
    "a control character": ("/ws", CONTROL, 502, "WSP0153", "sent a header field with a control character in its value"),
    "200": ("/ws", b"HTTP/1.1 200 OK\r\n\r\n", 502, "WSP0155", "the backend answered 200 instead of 101"),
    "a bad 101": ("/ws", b"HTTP/1.1 101 Hello\r\n\r\n", 502, "WSP0155", "the backend's 101 has no \"Upgrade: websocket\""),
    "lengths": ("/ws", LENGTHS, 502, "WSP0118", "the backend's Content-Length headers contradict each other"),
    "a refusal": ("/ws", b"HTTP/1.1 403 Forbidden\r\n\r\n", 403, "WSP0119", "the backend's own answer; request"),
}


@pytest.mark.parametrize("path, answer, status, number, text", NUMBERS.values(), ids=NUMBERS.keys())
def test_each_cause_has_a_number_of_its_own(site, stage, path, answer, status, number, text):
    told, line = refusal(site, path, saying(stage, answer))
    assert told == status and f"{number}: handshake refused with {status}: " in line and text in line, line


def test_a_backend_that_only_takes_its_time_may_speak_what_it_is_to(start, stage):
    server, sessions = start(f"ProxyWebsocketHandshakeTimeout 500ms\nProxyPass /ws {stage.url}/"), []
    status, line = refusal(server, "/ws", lambda: sessions.append(stage.accept()))
    assert status == 504 and "did not answer in time" in line and "hint" not in line, line


def test_a_tls_handshake_that_fails_as_tls_leaves_the_reason_to_mod_ssl(site, stage):
    status, line = refusal(site, "/wss", saying(stage, ALERT))
    assert status == 502 and line.endswith('hint: mod_ssl says why at "LogLevel ssl:info"'), line


def test_a_backend_with_tls_in_earnest_is_told_from_its_end(start, tls_stage):
    """Python's ssl hangs up on plain HTTP."""
    server = start(f"ProxyPass /ws ws://127.0.0.1:{tls_stage.port}/ retry=0")

    def play():
        with contextlib.suppress(OSError):
            tls_stage.accept_connection()

    status, line = refusal(server, "/ws", play)
    assert status == 502 and "wss://" in line, line


# --- a backend's own refusal ---
def answering(stage, status):
    return saying(stage, http1.format_head(f"HTTP/1.1 {status}", [("Content-Length", "0"), ("Connection", "close")]))


PRESERVE = '"ProxyPreserveHost On" sends the client\'s own Host'
ORIGINS = {
    "the site's own": ("/ws", "403 Forbidden", {"Origin": "https://localhost"}, PRESERVE),
    "the site's own, 400": ("/ws", "400 Bad Request", {"Origin": "http://LOCALHOST"}, PRESERVE),
    "the site's own, 404": ("/ws", "404 Not Found", {"Origin": "http://localhost"}, PRESERVE),
    "with a port": ("/ws", "403 Forbidden", {"Origin": "http://chat.example:8080", "Host": "chat.example:8080"}, PRESERVE),
    "another site's": ("/ws", "403 Forbidden", {"Origin": "https://evil.example"},
                       "the Origin https://evil.example is another site than the Host localhost: the backend"),
    "preserved": ("/kept", "403 Forbidden", {"Origin": "http://localhost"}, None),
    "https, untold": ("/kept", "403 Forbidden", {"Origin": "https://localhost"},
                      'uses TLS: write "RequestHeader set X-Forwarded-Proto https"'),
    "https, told": ("/kept", "403 Forbidden", {"Origin": "https://localhost", "X-Forwarded-Proto": "https"}, None),
    "none": ("/ws", "403 Forbidden", {"Origin": None}, None),
    "null": ("/ws", "403 Forbidden", {"Origin": "null"}, None),
    "a fault of the backend's": ("/ws", "500 Internal Server Error", {"Origin": "http://localhost"}, None),
    "a login": ("/ws", "401 Unauthorized", {"Origin": "http://localhost"}, None),
    "no such path": ("/ws/room?token=secret", "404 Not Found", {}, "the backend was asked for //room: is that"),
}


@pytest.mark.parametrize("path, status, changes, hint", ORIGINS.values(), ids=ORIGINS.keys())
def test_an_origin_that_the_backend_cannot_like_suggests_proxypreservehost(site, stage, path, status, changes, hint):
    told, line = refusal(site, path, answering(stage, status), changes)
    assert told == int(status.split()[0])
    assert (hint in line) if hint else ("hint" not in line), line
    assert "secret" not in line


# --- connecting ---
def test_a_refused_connection_says_that_nobody_listens(start):
    port = free_port()
    status, line = refusal(start(f"ProxyPass /ws ws://127.0.0.1:{port}/"), "/ws")
    assert status == 503 and f"the backend 127.0.0.1:{port} cannot be reached" in line
    assert line.endswith("hint: nobody listens there: start the backend, or correct the host and port of the URL"), line


def test_a_name_that_cannot_be_looked_up_is_named(start):
    status, line = refusal(start("ProxyPass /ws ws://a..b:9000/"), "/ws")
    assert status >= 500 and "WSP0127" in line and "the backend's name a..b cannot be looked up" in line, line


@pytest.fixture
def unix():
    with UnixListener() as listener:
        yield listener


def test_a_unix_socket_that_is_locked_away_names_its_path(start, unix, tmp_path):
    """A folder without any permission keeps everybody out but root; children of a root httpd are not."""
    locked = tmp_path / "locked"
    locked.mkdir()
    server = start(f"""
        ProxyPass /locked unix:{locked}/socket|ws://localhost/locked/ retry=0
        ProxyPass /absent unix:{unix.path}.absent|ws://localhost/absent/ retry=0
        ProxyPass /dead unix:{unix.path}|ws://localhost/dead/ retry=0
        """)
    locked.chmod(0)
    try:
        status, line = refusal(server, "/locked")
    finally:
        locked.chmod(0o700)
    assert status == 503 and f"the backend on the Unix socket {locked}/socket cannot be reached" in line
    assert "hint: the user that httpd's child processes run as needs write permission for the socket" in line, line
    _, line = refusal(server, "/absent")
    assert f"{unix.path}.absent cannot be reached" in line and "hint: there is no such socket" in line, line
    unix.stop_listening()
    _, line = refusal(server, "/dead")
    assert f"{unix.path} cannot be reached" in line and "hint: nobody listens on the socket" in line, line


@pytest.fixture
def forbidden():
    """An address to which connect() says EACCES, as it does under SELinux."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(private_network())
            subprocess.run(["ip", "route", "add", "prohibit", "192.0.2.1"], check=True, capture_output=True,
                           timeout=COMMAND_BOUND)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no private network: {error}")
        yield "192.0.2.1"


def test_a_connection_that_the_system_forbids_mentions_selinux(forbidden, start):
    status, line = refusal(start(f"ProxyPass /ws ws://{forbidden}:9000/"), "/ws")
    assert status == 503 and f"the backend {forbidden}:9000 cannot be reached" in line
    assert 'hint: this system forbids it: SELinux ("setsebool -P httpd_can_network_connect on" allows it)' in line, line


# --- a forward proxy ---
def test_with_proxyremote_the_forward_proxy_is_named(start, stage):
    down, nobody, remote = free_port(), f"127.0.0.1:{free_port()}", f"127.0.0.1:{stage.port}"
    server = start(f"""
        ProxyRemote ws://{nobody}/down http://127.0.0.1:{down}
        ProxyRemote ws://{nobody}/nameless http://a..b:3128
        ProxyRemote * http://{remote}
        ProxyPass /down ws://{nobody}/down retry=0
        ProxyPass /nameless ws://{nobody}/nameless retry=0
        ProxyPass /ws ws://{nobody}/ws retry=0
        ProxyPass /wss wss://{nobody}/wss retry=0
        """)
    way = f"the backend {nobody}, by way of the forward proxy {{}} (ProxyRemote), "
    status, line = refusal(server, "/down")
    assert status == 503 and way.format(f"127.0.0.1:{down}") + "cannot be reached" in line, line
    status, line = refusal(server, "/ws", answering(stage, "403 Forbidden"))
    assert status == 403 and f"the backend's own answer, or that of the forward proxy {remote} (ProxyRemote); request" in line, line
    status, line = refusal(server, "/wss", answering(stage, "407 Proxy Authentication Required"))
    assert status == 503 and way.format(remote) + "cannot be reached" in line, line
    status, line = refusal(server, "/nameless")
    assert status == 500 and "the forward proxy a..b:3128 (ProxyRemote) cannot be looked up" in line, line


# --- one's own configuration, with whatever a stranger asks ---
@pytest.mark.parametrize("flag, hint", [("S", "it was stopped or disabled, by status= or in balancer-manager"),
                                        ("D", "it was stopped or disabled, by status= or in balancer-manager"),
                                        ("C", "its health check (hcmethod=) fails")])
def test_a_worker_out_of_use_says_why(start, flag, hint):
    status, line = refusal(start(f"ProxyPass /ws ws://127.0.0.1:{free_port()}/ status={flag}"), "/ws")
    assert status == 503 and "WSP0113" in line and line.endswith("hint: " + hint), line


def test_an_error_that_any_request_can_bring_about_is_one_five_times(start):
    server = start("RewriteEngine On\nRewriteRule ^/raw$ ws:/host/ [P]", mpm_lines=ONE_CHILD["event"])
    server.allow_log("WSP0020|WSP0126")
    for _ in range(7):
        assert server.start_handshake("/raw").read_response().status == 500
    assert [line.level for line in server.error_log.wait_for("WSP0126", 7)] == 5 * ["error"] + 2 * ["info"]


def test_no_line_about_a_handshake_has_its_query(start, stage):
    """Tokens do not belong into logs."""
    server = start(f"LogLevel proxy_websocket:debug\nProxyPass /ws {stage.url}/ retry=0")
    server.allow_log("WSP01")
    for changes, answer in (({"Sec-WebSocket-Key": None}, None), ({}, "404 Not Found"), ({}, "200 OK")):
        with server.start_handshake("/ws/room?token=secret", changes) as client:
            if answer:
                answering(stage, answer)()
            client.read_response()
    server.error_log.wait_for("WSP0155: .*hint: is there a WebSocket server")
    assert server.error_log.module_lines("WSP0101") and not server.error_log.module_lines("secret")
