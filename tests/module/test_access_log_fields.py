"""Every field of a log format says of a tunnel what it would say of any request, though the request is long gone."""

import re
import socket

import pytest

from harness import client, http1
from harness.foreign import load_line
from harness.httpd import free_port
from harness.peer import Peer
from harness.waiting import BOUND, wait_until

RUNS_ON = ["event"]   # a copy of the request is logged; %P, %k and %X are elsewhere looked at too

FIELDS = {
    "h": "%h", "a": "%a", "A": "%A", "l": "%l", "u": "%u", "t": "%t", "t-epoch": "%{%s}t", "r": "%r", "s": "%s",
    "U": "%U", "q": "%q", "m": "%m", "H": "%H", "v": "%v", "V": "%V", "p": "%p", "remote-port": "%{remote}p", "P": "%P", "k": "%k",
    "X": "%X", "B": "%B", "referer": "%{Referer}i", "agent": "%{User-agent}i", "custom-in": "%{X-Custom}i",
    "cookie": "%{session}C", "custom-out": "%{X-Node}o", "accept-out": "%{Sec-WebSocket-Accept}o",
    "note": "%{ws-closed-by}n", "env": "%{TAG}e", "T-ms": "%{ms}T", "R": "%R",
}
# Those that differ from one request to the next, or between a tunnel and a refusal.
OF_THE_TUNNEL = ("s", "t", "t-epoch", "accept-out", "note", "remote-port", "P", "k", "X", "B", "T-ms", "l")
FORMAT = " ".join(f'{name}=<{value}>' for name, value in FIELDS.items())


@pytest.fixture(params=["On", "Off"])
def site(request, start, stage):
    return start(f"""
        ProxyWebsocketAsync {request.param}
        LogFormat "{FORMAT}" fields
        CustomLog fields.log fields
        LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
        CustomLog combined.log combined
        CustomLog tagged.log combined env=TAG
        CustomLog untagged.log combined env=!TAG
        SetEnvIf X-Custom yes TAG=marked
        <Location /ws>
            AuthType Basic
            AuthName chat
            AuthUserFile {{root}}/users
            AuthBasicProvider file
            Require user visitor
        </Location>
        ProxyPass /ws {stage.url}/
        """, files={"users": "visitor:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"})   # password: secret


HEADERS = {"Authorization": "Basic dmlzaXRvcjpzZWNyZXQ=", "Referer": "https://from.example/", "User-Agent": "test/1",
           "X-Custom": "yes", "Cookie": "session=abc", "Host": "chat.example:81"}


def logged(site, stage, name):
    """The only line of a log after one tunnel."""
    with site.start_handshake("/ws/room?id=7", HEADERS) as peer, stage.accept() as session:
        session.accept_handshake({"X-Node": "n1"})
        site.accept_value = peer.read_response().header("Sec-WebSocket-Accept")
        peer.send_close(1000)
        session.read_close()
        session.send_close(1000)
        peer.read_close()
        session.close()
        peer.expect_end()
    path = site.root / name
    lines = wait_until(lambda: path.exists() and [line for line in path.read_text().splitlines() if "/ws/room" in line],
                       f"the tunnel's line in {name}")
    assert len(lines) == 1
    return lines[0]


def refused(site, stage):
    """The line of the same handshake when the backend refuses it: an ordinary request, logged by httpd alone."""
    site.allow_log(r"WSP\d{4}:")
    with site.start_handshake("/ws/room?id=7", HEADERS) as peer:
        with stage.accept() as session:
            session.send(b"HTTP/1.1 403 Forbidden\r\nX-Node: n1\r\nContent-Length: 0\r\n\r\n")
        peer.read_response()
    path = site.root / "fields.log"
    return wait_until(lambda: path.exists() and [line for line in path.read_text().splitlines() if "s=<403>" in line],
                      "the refused request's line")[0]


def fields_of(line):
    return dict(re.findall(r"([\w-]+)=<(.*?)>(?: |$)", line))


@pytest.mark.runs_on("event", "worker", "prefork")
def test_every_field_says_what_it_says_of_an_ordinary_request(site, stage):
    tunnel = fields_of(logged(site, stage, "fields.log"))
    ordinary = fields_of(refused(site, stage))
    assert set(tunnel) == set(FIELDS)
    for name in set(FIELDS) - set(OF_THE_TUNNEL):
        assert tunnel[name] == ordinary[name] != "-", name
    assert (tunnel["s"], tunnel["accept-out"], tunnel["note"]) == ("101", site.accept_value, "client")
    assert re.fullmatch(r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", tunnel["t"])
    for name in ("remote-port", "P", "k", "T-ms", "t-epoch"):
        assert tunnel[name].isdigit(), (name, tunnel[name])
    assert tunnel["X"] in "X-+", tunnel["X"]


def test_the_combined_format_reads_as_ever(site, stage):
    line = logged(site, stage, "combined.log")
    assert re.fullmatch(r'127\.0\.0\.1 - visitor \[[^]]+\] "GET /ws/room\?id=7 HTTP/1\.1" 101 \d+ '
                        r'"https://from\.example/" "test/1"', line)
    # That an access log has the Referer makes no difference to the error log.
    told, = site.error_log.wait_for("WSP0201: tunnel ended: 127")
    assert "] [client 127.0.0.1:" in told.text and "from.example" not in told.text, told


def test_conditional_logs_decide_by_the_requests_environment(site, stage):
    assert "/ws/room" in logged(site, stage, "tagged.log")
    untagged = site.root / "untagged.log"
    assert "/ws/room" not in (untagged.read_text() if untagged.exists() else "")


def test_ipv6_addresses_are_logged_as_such(start, stage):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    port = free_port()
    site = start(f"""
        Listen [::1]:{port}
        LogFormat "%h %a %{{c}}a %A %{{remote}}p %{{local}}p %U" addresses
        CustomLog addresses.log addresses
        ProxyPass /ws {stage.url}/""")
    with client.start_handshake(port, "/ws/v6", host="::1") as peer, stage.accept() as session:
        session.accept_handshake()
        client.finish_handshake(peer)
        own_port = peer.sock.getsockname()[1]
    path = site.root / "addresses.log"
    lines = wait_until(lambda: path.exists() and [line for line in path.read_text().splitlines() if "/ws/v6" in line],
                       "the tunnel's line")
    assert lines == [f"::1 ::1 ::1 ::1 {own_port} {port} /ws/v6"]


# --- clients with two addresses ---

ADDRESSES = "%h %{c}h %a %{c}a %{remote}p"


@pytest.fixture(scope="module")
def renamed(start_shared, echo):
    return start_shared(f"""
        {load_line("foreign_rpaf")}
        RemoteIPHeader X-Forwarded-For
        RemoteIPInternalProxy 127.0.0.9
        LogFormat "{ADDRESSES} %U" addresses
        CustomLog addresses.log addresses
        ProxyPass /Off {echo.url}/
        ProxyPass /On {echo.url}/
        <LocationMatch On$>
            HostnameLookups On
        </LocationMatch>""", modules=["remoteip"])


@pytest.mark.parametrize("header", ["X-Client-In-Request", "X-Client-In-Connection", "X-Forwarded-For"])
@pytest.mark.parametrize("lookups", ["Off", "On"])
def test_a_client_with_two_addresses_is_named_as_in_any_requests_line(renamed, header, lookups):
    """Of the two addresses, 127.0.0.9 and 127.0.0.1, only the second has a name."""
    fields = {header: "127.0.0.1"}

    def logged(path, request):
        with socket.create_connection(("127.0.0.1", renamed.port), BOUND, ("127.0.0.9", 0)) as sock:
            port = sock.getsockname()[1]
            peer = Peer(sock, masks=True)
            peer.send(request)
            peer.read_head()
        lines = lambda: [line for line in (renamed.root / "addresses.log").read_text().splitlines() if line.endswith(path)]
        return wait_until(lines, f"a line for {path}")[-1].replace(str(port), "PORT").removesuffix(path)

    page = logged(f"/{header}.page.{lookups}", http1.plain_request(f"/{header}.page.{lookups}", fields.items()))
    tunnel = logged(f"/{lookups}/{header}.{lookups}", http1.handshake_request(f"/{lookups}/{header}.{lookups}", fields))
    assert tunnel == page
