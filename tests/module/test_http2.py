"""Tunnels over HTTP/2 (RFC 8441): mod_http2 hands an extended CONNECT on, the blocking pump carries it."""

import uuid

import pytest

from harness import frames
from harness.http2 import Http2Connection

RUNS_ON = ["event", "worker"]   # mod_http2 refuses prefork (AH10034)


@pytest.fixture(scope="module")
def site(start_shared, echo, tls_echo, module_listener):
    """No test could wait for the close timeout: what ends a tunnel is what the test does."""
    return start_shared(f"""
        Protocols h2 h2c http/1.1
        H2WebSockets on
        ProxyWebsocketCloseTimeout 10min
        ProxyPass /ws {echo.url}/
        ProxyPass /wss {tls_echo.url}/
        ProxyPass /stage {module_listener.url}/
        """, modules=["http2"])


@pytest.fixture(params=["h2c", "h2"])
def connection(request, site, certificates):
    tls = certificates.client_context(["h2"]) if request.param == "h2" else None
    with Http2Connection(site.tls_port if tls else site.port, tls) as connection:
        yield connection


@pytest.mark.parametrize("path", ["/ws", "/wss"])
def test_messages_of_every_length_class_echo(connection, path):
    tunnel = connection.open_tunnel(path)
    for length in frames.LENGTH_CLASSES:
        tunnel.echo(b"x" * length)
    tunnel.send_close(1000, "bye")
    assert tunnel.read_close() == (1000, "bye")
    tunnel.expect_end()


def test_several_tunnels_share_one_connection(connection):
    tunnels = [connection.open_tunnel("/ws") for _ in range(3)]
    for number, tunnel in enumerate(tunnels):
        tunnel.send_text(f"stream {number}")
    for number, tunnel in reversed(list(enumerate(tunnels))):
        assert tunnel.read_message() == b"stream %d" % number


def test_plain_requests_go_on_beside_a_tunnel(connection):
    tunnel = connection.open_tunnel("/ws")
    assert connection.get("/").status == 200
    tunnel.echo()


def test_the_backend_gets_an_ordinary_handshake_and_chooses_a_subprotocol(connection, stage):
    stream = connection.start_tunnel("/stage", [("sec-websocket-protocol", "chat, superchat")])
    with stage.accept() as session:
        assert session.request.first_line == "GET / HTTP/1.1"
        assert len(session.request.header("Sec-WebSocket-Key")) == 24
        assert session.request.header("X-Forwarded-For") == "127.0.0.1"
        session.accept_handshake({"Sec-WebSocket-Protocol": "chat"}, glued=frames.server_frame(frames.TEXT, b"early"))
        tunnel = connection.finish_tunnel(stream)
        assert stream.headers["sec-websocket-protocol"] == "chat"
        assert tunnel.read_message() == b"early"
        tunnel.send_text("hello")
        assert session.read_message() == b"hello"
        session.send_close(1000)
        assert tunnel.read_close() == (1000, "")
        tunnel.send_close(1000)
        assert session.read_close() == (1000, "")
    tunnel.expect_end()


def test_a_refusal_by_the_backend_is_the_streams_status(site, connection, stage):
    site.allow_log(r"WSP\d{4}:")
    stream = connection.start_tunnel("/stage")
    with stage.accept() as session:
        session.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: origin\r\n\r\nno")
        connection.await_response(stream)
    assert (stream.status, stream.headers["x-why"]) == (403, "origin")


def test_a_mebibyte_passes_each_way(connection):
    tunnel = connection.open_tunnel("/ws")
    tunnel.echo(b"m" * (1 << 20))


def test_a_client_that_resets_its_stream_ends_the_backends_connection(connection, stage):
    stream = connection.start_tunnel("/stage")
    with stage.accept() as session:
        session.accept_handshake()
        connection.finish_tunnel(stream)
        stream.reset()
        session.expect_broken()


@pytest.fixture
def path():
    """To the stage, and no other test's, so that the tunnel's line in the access log can be told."""
    return f"/stage?{uuid.uuid4().hex}"


@pytest.fixture
def tunnel_and_session(connection, stage, path):
    stream = connection.start_tunnel(path)
    with stage.accept() as session:
        session.accept_handshake()
        tunnel = connection.finish_tunnel(stream)
        tunnel.send_text("open")   # so that nobody leaves before it is
        assert session.read_message() == b"open"
        yield tunnel, session


@pytest.mark.parametrize("first", ["client", "backend"])
def test_both_closes_end_the_stream_though_the_client_ends_nothing(site, tunnel_and_session, first, path):
    """As Firefox does: it waits for the server, and holds a thread meanwhile."""
    tunnel, session = tunnel_and_session
    ends = [tunnel, session] if first == "client" else [session, tunnel]
    for sender, reader in (ends, ends[::-1]):
        sender.send_close(1000)
        assert reader.read_close() == (1000, "")
    session.close()
    tunnel.expect_end()
    line = site.access_log.wait_for(path)[0]
    assert (line.code, line.by) == ("1000", first)


CLOSED_TABS = {
    "stream reset": (None, lambda connection, tunnel: tunnel.sock.reset()),
    "connection closed": (None, lambda connection, tunnel: connection.close()),
    "close, then stream reset": (1001, lambda connection, tunnel: tunnel.sock.reset()),
    "close, then connection closed": (1001, lambda connection, tunnel: connection.close()),
}


@pytest.mark.runs_on("event")   # mod_http2 and our stream tell it, on threads of mod_http2's own
@pytest.mark.parametrize("story", CLOSED_TABS)
def test_a_closed_tab_is_logged_as_what_the_backend_was_told(site, connection, tunnel_and_session, story, path):
    tunnel, session = tunnel_and_session
    code, leave = CLOSED_TABS[story]
    if code:
        tunnel.send_close(code)
        assert session.read_close() == (code, "")
    leave(connection, tunnel)
    session.expect_end()
    session.close()
    line = site.access_log.wait_for(path)[0]
    assert (line.code, line.by) == (str(code or 1006), "client")
