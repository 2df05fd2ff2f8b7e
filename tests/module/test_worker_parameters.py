"""Parameters of workers, and directives of mod_proxy, that are about a backend's answer."""

import socket

import pytest

from harness import http1
from harness.backend import Listener
from harness.waiting import wait_until

RUNS_ON = ["event"]   # what a request thread reads and writes

NOTES = "%{proxy-status}n %{proxy-source-port}n"


@pytest.fixture(scope="module")
def sites(start_shared, module_listener):
    """name -> what the server is asked with."""
    url = module_listener.url
    return start_shared(f"""
        ProxyPass /sized {url}/sized responsefieldsize=100 retry=0
        ProxyPass /large {url}/large responsefieldsize=200000 retry=0
        ProxyPass /plain {url}/plain retry=0
        ProxyPass /thread {url}/thread retry=0
        <Location /thread>
            ProxyWebsocketAsync Off
        </Location>
        LogFormat "%U %>s {NOTES}" notes
        CustomLog notes.log notes
        """)


def answered(server, path, stage, answer):
    """The response to a handshake that the backend answers so; `answer` takes the request."""
    with server.start_handshake(path) as client, stage.accept() as session:
        session.send(answer(session.request))
        return client.read_response()


# --- responsefieldsize= ---

def with_field(line_length):
    """A 101 and a 403 with a field whose line is so long."""
    field = ("X", "y" * (line_length - 3))
    return (lambda request: http1.handshake_response(request, dict([field])),
            lambda _: http1.format_head("HTTP/1.1 403 Forbidden", [field, ("Content-Length", "0")]))


@pytest.mark.parametrize("path, longest", [("/sized", 99), ("/large", 199_999)])
def test_a_field_may_be_as_long_as_responsefieldsize_says(sites, stage, path, longest):
    """As in mod_proxy_http, whose buffer holds a NUL besides."""
    assert [answered(sites, path, stage, answer).status for answer in with_field(longest)] == [101, 403]
    sites.error_log.allow(r"WSP\d{4}: ")
    assert [answered(sites, path, stage, answer).status for answer in with_field(longest + 1)] == [502, 502]
    sites.error_log.wait_for("WSP0153: .*responsefieldsize=", 2)


def test_without_responsefieldsize_a_field_may_be_longer_than_8_kib(sites, stage):
    sites.error_log.allow(r"WSP\d{4}: ")
    assert [answered(sites, "/plain", stage, answer).status for answer in with_field(60_000)] == [101, 403]


# --- %{proxy-status}n and %{proxy-source-port}n ---

ANSWERS = {
    "tunnel": (http1.handshake_response, 101, 101),
    "refusal": (lambda _: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403, 403),
    "success": (lambda _: b"HTTP/1.1 204 No Content\r\n\r\n", 502, 204),
    "bad-head": (lambda _: b"HTTP/1.1 101 Switching Protocols\r\nno field\r\n\r\n", 502, 101),
    "no-http": (lambda _: b"SSH-2.0-OpenSSH_9.2\r\n", 502, "-"),
}


@pytest.mark.parametrize("pump", ["plain", "thread"])
def test_logs_know_the_backends_status_and_our_port_to_it(sites, stage, pump):
    sites.error_log.allow(r"WSP\d{4}: ")
    for name, (answer, status, proxy_status) in ANSWERS.items():
        with sites.start_handshake(f"/{pump}/{name}") as client, stage.accept() as session:
            port = session.sock.getpeername()[1]
            session.send(answer(session.request))
            assert client.read_response().status == status
        line = f"/{pump}/{name} {status} {proxy_status} {port}"
        wait_until(lambda: line in (sites.root / "notes.log").read_text().splitlines(), f"the line {line}")


# --- ProxyVia ---

@pytest.fixture(scope="module")
def via(start_shared, module_listener):
    """A path for each value of ProxyVia; the virtual hosts are told apart by their names."""
    hosts = "".join(f"""
        <VirtualHost *:{{port}}>
            ServerName {value.lower()}.example
            ProxyVia {value}
            ProxyPass /ws {module_listener.url}/{value}/
        </VirtualHost>""" for value in ("Off", "On", "Full", "Block"))
    return start_shared(hosts)


# ProxyVia -> what there is of Via on the request to the backend and on the answer to the client; {} is the virtual host, and
# (...) stands for httpd's name and version.
VIA = {
    "Off": ("1.0 before", ["1.0 behind"]),
    "On": ("1.0 before, 1.1 {}", ["1.0 behind", "1.1 {}"]),
    "Full": ("1.0 before, 1.1 {} (...)", ["1.0 behind", "1.1 {} (...)"]),
    "Block": (None, ["1.0 behind"]),
}


@pytest.mark.parametrize("value", VIA)
def test_via_says_who_passes_a_handshake_and_its_answer_on(via, stage, value):
    """The answer's version is that of the request, as with mod_proxy_http."""
    via.error_log.allow(r"WSP\d{4}: ")
    host = f"{value.lower()}.example:{via.port}"
    version = via.get("/").header("Server")
    sent, answered = VIA[value]
    full = lambda text: text and text.format(host).replace("(...)", f"({version.split()[0]})")
    for answer, status in ((lambda r: http1.handshake_response(r, {"Via": "1.0 behind"}), 101),
                           (lambda _: b"HTTP/1.1 403 Forbidden\r\nVia: 1.0 behind\r\nContent-Length: 0\r\n\r\n", 403)):
        with via.start_handshake("/ws", {"Host": host, "Via": "1.0 before"}) as client, stage.accept() as session:
            assert session.request.header("Via") == full(sent)
            session.send(answer(session.request))
            response = client.read_response()
            assert (response.status, response.all("Via")) == (status, [full(each) for each in answered])


# --- ProxyBadHeader ---

@pytest.fixture(scope="module")
def bad(start_shared, module_listener):
    """A virtual host for each value of ProxyBadHeader, and one without."""
    hosts = "".join(f"""
        <VirtualHost *:{{port}}>
            ServerName {value.lower()}.example
            {"" if value == "unset" else f"ProxyBadHeader {value}"}
            ProxyPass /ws {module_listener.url}/{value}/ retry=0
        </VirtualHost>""" for value in ("unset", "IsError", "Ignore", "StartBody"))
    return start_shared(hosts)


def tunnel(lines):
    """A 101 with these lines in front of its last field."""
    def answer(request):
        first, last, end = http1.handshake_response(request).rpartition(b"Sec-WebSocket-Accept")
        return first + lines + last + end
    return answer


def refusal(rest):
    return lambda _: b"HTTP/1.1 403 Forbidden\r\n" + rest


REFUSED = (502, None)
# What the backend answers -> (status, body) for the client with IsError, Ignore and StartBody; a body of None is not looked at.
BAD_HEADS = {
    "a line without a colon in a 101": (tunnel(b"no field\r\n"), REFUSED, (101, None), REFUSED),
    "a name with a space in a 101": (tunnel(b"X-A : b\r\n"), REFUSED, (101, None), REFUSED),
    "a continuation in a 101": (tunnel(b"X: a\r\n b\r\n"), REFUSED, REFUSED, REFUSED),
    "a NUL in a 101": (tunnel(b"X: a\0b\r\n"), REFUSED, REFUSED, REFUSED),
    "another status line in a 101": (tunnel(b"HTTP/1.0 200 OK\r\n"), (101, None), (101, None), (101, None)),
    "a line without a colon in a refusal": (refusal(b"no field\r\nContent-Length: 2\r\n\r\nhi"), REFUSED, (403, b"hi"),
                                            (403, b"no field\r\nContent-Length: 2\r\n\r\nhi")),
    "no empty line before the body": (refusal(b"Content-Length: 13\r\n<p>hello</p>\n"), REFUSED, REFUSED,
                                      (403, b"<p>hello</p>\n")),
    "nor before a longer one": (refusal(b"Content-Length: 26\r\n<p>hello</p>\n<p>world</p>\n"), REFUSED, REFUSED,
                                (403, b"<p>hello</p>\n<p>world</p>\n")),
    "more of a body than its length": (refusal(b"Content-Length: 5\r\n<p>hello</p>\n"), REFUSED, REFUSED, (403, b"<p>he")),
    "nor before chunks": (refusal(b"Transfer-Encoding: chunked\r\n2\r\nhi\r\n0\r\n\r\n"), REFUSED, REFUSED, REFUSED),
}


@pytest.mark.parametrize("value, number", [("unset", 1), ("IsError", 1), ("Ignore", 2), ("StartBody", 3)])
def test_bad_header_lines_are_an_error_left_out_or_the_body(bad, stage, value, number):
    bad.error_log.allow(r"WSP\d{4}: ")
    told = 0
    for name, row in BAD_HEADS.items():
        with bad.start_handshake("/ws", {"Host": f"{value.lower()}.example"}) as client, stage.accept() as session:
            session.send(row[0](session.request))
            if row[number][0] != 101:
                session.sock.shutdown(socket.SHUT_WR)   # the end of a body without a length
            response = client.read_response()
        status, body = row[number]
        assert (name, response.status) == (name, status)
        assert body is None or (name, response.body) == (name, body)
        if status != 502:   # and why it is not is said
            told += 1
            assert len(bad.error_log.lines("WSP0139: ")) == told, name


# --- what mod_proxy logs for us ---

def test_mod_proxys_lines_name_the_scheme_of_the_mapping(start):
    with Listener() as unused:
        port = unused.port   # nobody listens there now
    schemes = ("ws", "wss", "http", "https")
    server = start("ProxyWebsocketUpgradeHttp On\n" + "\n".join(
        f"ProxyPass /{scheme} {scheme}://127.0.0.1:{port}/{scheme}" for scheme in schemes))
    server.allow_log(r"WSP\d{4}: |AH0")
    for scheme in schemes:
        with server.start_handshake(f"/{scheme}") as client:
            assert client.read_response().status == 503
        server.error_log.wait_for(rf"AH00957: {scheme}: attempt to connect to 127.0.0.1:{port} ")
