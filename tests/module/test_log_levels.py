"""Which lines an administrator sees at LogLevel warn: the server's own trouble and a backend's refusal, a few of a kind a
minute; not what any stranger can send."""

import pytest

from harness import frames, http1
from harness.client import finish_handshake
from harness.config import ONE_CHILD
from harness.error_log import REFUSAL
from harness.http2 import Http2Connection
from harness.peer import connect

RUNS_ON = ["event"]   # what is judged is a request_rec


def answer_of(status):
    return http1.format_head(f"HTTP/1.1 {status}", [("Content-Length", "0"), ("Connection", "close")])


@pytest.fixture(scope="module")
def site(start_shared, module_listener):
    return start_shared(f"""
        Protocols h2 h2c http/1.1
        H2WebSockets on
        ProxyWebsocketFallbackToProxyHttp Off
        ProxyPass /ws {module_listener.url}/ retry=0
        """, modules=["http2"])


def refused_by(stage, server, status, path="/ws"):
    """The backend answers a handshake with `status`."""
    with server.start_handshake(path) as client:
        with stage.accept() as session:
            session.send(answer_of(status))
        assert client.read_response().status == int(status.split()[0])


def the_line(server):
    lines = server.error_log.wait_for(REFUSAL)
    assert len(lines) == 1, lines
    return lines[0]


STRANGERS = {
    "a plain GET": http1.plain_request("/ws"),
    "a POST": http1.plain_request("/ws", method="POST", body=b"a=b"),
    "no key": http1.handshake_request("/ws", {"Sec-WebSocket-Key": None}),
    "another version": http1.handshake_request("/ws", {"Sec-WebSocket-Version": "8"}),
    "no Connection": http1.handshake_request("/ws", {"Connection": None}),
}


@pytest.mark.parametrize("request_bytes", STRANGERS.values(), ids=STRANGERS.keys())
def test_what_any_stranger_can_send_is_at_info(site, request_bytes):
    with connect(site.port) as client:
        client.send(request_bytes)
        assert client.read_response().status in (400, 426)
    line = the_line(site)
    assert line.level == "info" and "WSP0111" in line.text and "mapped to ws://" in line.text, line


REFUSALS = {"400 Bad Request": "warn", "403 Forbidden": "warn", "404 Not Found": "warn", "429 Too Many Requests": "warn",
            "500 Internal Server Error": "warn", "503 Service Unavailable": "warn",
            "301 Moved Permanently": "info", "302 Found": "info", "401 Unauthorized": "info",
            "407 Proxy Authentication Required": "info"}


@pytest.fixture
def fresh(start, stage, mpm):
    """A server that has warned of nothing yet, one child."""
    return start(f"""
        ProxyPass /other {stage.url}/other/ retry=0
        ProxyPass /ws {stage.url}/ retry=0
        """, mpm_lines=ONE_CHILD[mpm])


def test_a_backends_refusal_is_a_warning_but_where_it_is_everyday_business(start, stage):
    """Everyday: a redirect, and a question for credentials. Each status on a mapping, and so a limit, of its own."""
    paths = {status: f"/{status.split()[0]}" for status in REFUSALS}
    server = start("\n".join(f"ProxyPass {path} {stage.url}{path} retry=0" for path in paths.values()))
    server.allow_log("WSP0119")
    for status, path in paths.items():
        refused_by(stage, server, status, path)
    lines = server.error_log.wait_for("WSP0119: ", len(REFUSALS))
    for status, path in paths.items():
        [line] = [line for line in lines if f"refused with {status[:3]}: the backend's own answer; request GET {path}" in line.text]
        assert line.level == REFUSALS[status], line


def test_a_backends_refusal_is_a_warning_over_http2_too(site, stage):
    site.expect_log(r"WSP0119: handshake refused with 403: .*; request \w+ /ws, mapped to ws://")
    with Http2Connection(site.port) as connection:
        stream = connection.start_tunnel("/ws")
        with stage.accept() as session:
            session.send(answer_of("403 Forbidden"))
        assert connection.await_response(stream).status == 403
    assert the_line(site).level == "warn"


def levels(server, pattern):
    return [line.level for line in server.error_log.lines(pattern)]


@pytest.mark.runs_on("event", "worker", "prefork")   # each MPM ends its children in its own way
def test_a_mapping_warns_five_times_a_minute_of_one_thing_and_counts_the_rest(fresh, stage):
    fresh.allow_log("WSP01")
    for _ in range(8):
        refused_by(stage, fresh, "403 Forbidden")
    fresh.error_log.wait_for("WSP0119", 8)
    assert levels(fresh, "WSP0119") == 5 * ["warn"] + 3 * ["info"]
    assert levels(fresh, "further ones are at LogLevel info") == ["warn"]
    # Another mapping, and another number, are counted by themselves.
    refused_by(stage, fresh, "403 Forbidden", "/other")
    assert levels(fresh, "WSP0119.*/other")[-1] == "warn"
    with fresh.start_handshake("/ws") as client, stage.accept() as session:
        session.accept_handshake({"Sec-WebSocket-Accept": "wrong"})
        assert client.read_response().status == 502
    with fresh.start_handshake("/ws") as client, stage.accept() as session:
        session.close()
        assert client.read_response().status == 502
    assert levels(fresh, "WSP0152|WSP0155.*Accept") == 2 * ["warn"]
    # A tunnel is none of it.
    client = fresh.start_handshake("/ws")
    with stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client).close()
    fresh.stop()
    counts = [line.text for line in fresh.error_log.lines("WSP0141")]
    assert len(counts) == 1 and "left out 3 more warnings, about requests mapped to ws://" in counts[0], counts


def broken_rule(stage, server, path, side):
    """A tunnel that `side` ends with a frame that nobody may send; the line about it."""
    client = server.start_handshake(path)
    with stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client)
        sender, other = (client, session) if side == "client" else (session, client)
        sender.send(sender.frame(frames.TEXT, b"x", rsv=7))
        assert sender.read_close()[0] == 1002 and other.read_close()[0] == 1001
        client.close()


def test_a_rule_that_a_client_breaks_is_no_warning_and_a_backends_is_five_times(fresh, stage):
    fresh.allow_log("WSP0201: .*the backend broke a rule")
    for side in 2 * ["client"] + 7 * ["backend"]:
        broken_rule(stage, fresh, "/ws", side)
    fresh.error_log.wait_for("WSP0201", 9)
    assert levels(fresh, "WSP0201.* the client broke a rule") == 2 * ["info"]
    assert levels(fresh, "WSP0201.* the backend broke a rule") == 5 * ["warn"] + 2 * ["info"]
    assert levels(fresh, "WSP0201.*further ones are at LogLevel info") == ["warn"]


# --- LogLevel and ErrorLogFormat ---
@pytest.fixture(scope="module")
def sections(start_shared, module_listener):
    """A server at warn, with sections that say otherwise."""
    port = module_listener.port
    return start_shared(f"""
        Protocols h2 h2c http/1.1
        H2WebSockets on
        LogLevel warn
        ProxyWebsocketFallbackToProxyHttp Off
        ErrorLogFormat "[%t] [%-m:%l] [pid %P:tid %T] [%L] %E: [client\\ %a] %M [%{{Host}}i]"
        <Location /told>
            LogLevel proxy_websocket:debug
        </Location>
        <If "%{{REQUEST_URI}} == '/if'">
            LogLevel proxy_websocket:debug
        </If>
        <Location /silent>
            LogLevel proxy_websocket:error
        </Location>
        ProxyPass /told ws://127.0.0.1:{port}/
        ProxyPass /if ws://127.0.0.1:{port}/
        ProxyPass /silent ws://127.0.0.1:{port}/
        ProxyPass /ws ws://127.0.0.1:{port}/
        ProxyPass /blocking ws://127.0.0.1:{port}/
        <Location /blocking>
            LogLevel proxy_websocket:debug
            ProxyWebsocketAsync Off
        </Location>
        <Directory {{root}}/htdocs/ht>
            AllowOverride FileInfo
            AllowOverrideList LogLevel
        </Directory>
        """, modules=["http2"], files={"htdocs/ht/.htaccess": f"""
            LogLevel proxy_websocket:debug
            RewriteEngine On
            RewriteRule ^ws$ ws://127.0.0.1:{port}/ [P]
            """})


def tunnel(server, stage, path):
    client = server.start_handshake(path)
    with stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client)
        client.send_close(1000)
        session.read_close()
        session.send_close(1000)
        assert client.read_close()[0] == 1000
    client.close()
    server.access_log.wait_for(f"GET {path} ")


WAY = ["WSP0101", "WSP0107", "WSP0137", "WSP0102", "WSP0103"]


@pytest.mark.parametrize("path, whole_way", [("/told", True), ("/if", True), ("/blocking", True), ("/ht/ws", True),
                                             ("/silent", False), ("/ws", False)])
def test_the_loglevel_of_a_section_holds_for_the_whole_life_of_its_tunnels(sections, stage, path, whole_way):
    """From the handshake to the end, which a thread that has no request any more writes about."""
    tunnel(sections, stage, path)
    if not whole_way:
        assert sections.error_log.lines("WSP01|WSP02") == []
        return
    for number in [*WAY, "WSP0201: tunnel ended: "]:
        line, = sections.error_log.wait_for(number)
        assert "] [client 127.0.0.1:" in line.text and line.text.endswith("[localhost]"), line


@pytest.mark.parametrize("path, seen", [("/ws", True), ("/told", True), ("/silent", False)])
def test_the_loglevel_of_a_section_holds_for_refusals(sections, stage, path, seen):
    sections.allow_log("WSP0119|WSP0201")
    refused_by(stage, sections, "403 Forbidden", path)
    broken_rule(stage, sections, path, "backend")
    sections.access_log.wait_for(f"GET {path} ", 2)
    if seen:
        line, = sections.error_log.wait_for("WSP0119")
        # ErrorLogFormat: the request's own fields, and no errno.
        assert line.level == "warn" and line.text.endswith("[localhost]") and "] [client 127.0.0.1:" in line.text, line
        line, = sections.error_log.wait_for("WSP0201")
        assert line.level == "warn" and line.text.endswith("[localhost]") and "] [client 127.0.0.1:" in line.text, line
    else:
        assert sections.error_log.lines("WSP01|WSP02") == []


def test_a_stray_get_writes_nothing_at_warn_over_http1_and_http2(sections):
    assert sections.get("/ws").status == 426
    with Http2Connection(sections.port) as connection:
        assert connection.get("/ws").status == 426
    assert sections.error_log.lines("WSP01|WSP02") == []


def test_the_loglevel_of_a_section_holds_over_http2(sections, stage):
    sections.allow_log("WSP0119")
    with Http2Connection(sections.port) as connection:
        for path in ("/silent", "/told"):
            stream = connection.start_tunnel(path)
            with stage.accept() as session:
                session.send(answer_of("403 Forbidden"))
            assert connection.await_response(stream).status == 403
    sections.error_log.wait_for("WSP0119.*/told")
    assert sections.error_log.lines("/silent") == []
