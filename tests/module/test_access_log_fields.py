"""Every field of a log format says of a tunnel what it would say of any request, though the request is long gone."""

import re

import pytest

from harness.waiting import wait_until

FIELDS = {
    "h": "%h", "a": "%a", "A": "%A", "l": "%l", "u": "%u", "t": "%t", "t-epoch": "%{%s}t", "r": "%r", "s": "%s",
    "U": "%U", "q": "%q", "m": "%m", "H": "%H", "v": "%v", "V": "%V", "p": "%p", "remote-port": "%{remote}p", "P": "%P", "k": "%k",
    "X": "%X", "B": "%B", "referer": "%{Referer}i", "agent": "%{User-agent}i", "custom-in": "%{X-Custom}i",
    "cookie": "%{session}C", "custom-out": "%{X-Node}o", "accept-out": "%{Sec-WebSocket-Accept}o",
    "note": "%{ws-closed-by}n", "env": "%{TAG}e", "T-ms": "%{ms}T", "R": "%R",
}
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
    with site.start_handshake("/ws/room?id=7", HEADERS) as client, stage.accept() as session:
        session.accept_handshake({"X-Node": "n1"})
        site.accept_value = client.read_response().header("Sec-WebSocket-Accept")
        client.send_close(1000)
        session.read_close()
        session.send_close(1000)
        client.read_close()
        session.close()
        client.expect_end()
    path = site.root / name
    wait_until(lambda: path.exists() and path.read_text().count("/ws/room") == 1, f"the tunnel's line in {name}")
    return next(line for line in path.read_text().splitlines() if "/ws/room" in line)


def test_every_field_is_filled(site, stage):
    line = logged(site, stage, "fields.log")
    fields = dict(re.findall(r"([\w-]+)=<(.*?)>(?: |$)", line))
    expected = {
        "h": "127.0.0.1", "a": "127.0.0.1", "A": "127.0.0.1", "l": "-", "u": "visitor", "s": "101",
        "r": "GET /ws/room?id=7 HTTP/1.1", "U": "/ws/room", "q": "?id=7", "m": "GET", "H": "HTTP/1.1", "v": "localhost",
        "p": "81", "referer": "https://from.example/", "agent": "test/1", "custom-in": "yes", "cookie": "abc",
        "custom-out": "n1", "accept-out": site.accept_value, "note": "client", "env": "marked", "R": "proxy-server",
    }
    assert {name: fields[name] for name in expected} == expected
    assert re.fullmatch(r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", fields["t"])
    for name in ("remote-port", "P", "k", "T-ms", "t-epoch"):
        assert fields[name].isdigit(), (name, fields[name])


def test_the_combined_format_reads_as_ever(site, stage):
    line = logged(site, stage, "combined.log")
    assert re.fullmatch(r'127\.0\.0\.1 - visitor \[[^]]+\] "GET /ws/room\?id=7 HTTP/1\.1" 101 \d+ '
                        r'"https://from\.example/" "test/1"', line)


def test_conditional_logs_decide_by_the_requests_environment(site, stage):
    assert "/ws/room" in logged(site, stage, "tagged.log")
    untagged = site.root / "untagged.log"
    assert "/ws/room" not in (untagged.read_text() if untagged.exists() else "")
