"""HTTP/2 sites: many tunnels beside ordinary streams on one connection, clients that are early or leave, a graceful restart."""

import pytest

from dropin.clients import ask
from dropin.examples import example
from dropin.teller import Teller
from harness.background import Background
from harness.http2 import Http2Connection
from harness.waiting import BOUND

RUNS_ON = ["event", "worker"]
MANY = 20


@pytest.fixture(scope="module")
def app():
    with Teller("app") as teller:
        yield teller


@pytest.fixture(scope="module")
def site(start_shared, echo, app, module_listener):
    return start_shared(f"""
        Protocols h2 http/1.1
        H2WebSockets on
        H2MaxWorkers {4 * MANY}
        ProxyWebsocketMaxBlockingTunnels {2 * MANY}
        ProxyWebsocketUpgradeHttp On
        ProxyPass /ws {echo.url}/
        ProxyPass /stage {module_listener.url}/
        ProxyPass /app/ http://127.0.0.1:{app.port}/
        """, modules=["http2"])


@pytest.fixture
def connection(site, certificates):
    with Http2Connection(site.tls_port, certificates.client_context(["h2"])) as connection:
        yield connection


def win_trust(connection):
    """mod_http2 works on 6 streams of a new connection at the same time and lets the others wait. It doubles the number
    whenever more requests than that have gone well (h2_mplx.c s_mplx_be_happy)."""
    for _ in range(4 * MANY):
        assert connection.get("/app/page").status == 200


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
def test_a_seventh_tunnel_on_a_new_connection_waits_for_one_to_end(start, echo, certificates, stock):
    """mod_http2's doing, whoever carries the tunnels."""
    server = start(f"Protocols h2 http/1.1\nH2WebSockets on\nProxyPass /ws {echo.url}/", modules=["http2"], stock=stock)
    with Http2Connection(server.tls_port, certificates.client_context(["h2"])) as connection:
        tunnels = [connection.open_tunnel("/ws") for _ in range(6)]
        seventh = connection.start_tunnel("/ws")
        for tunnel in tunnels:
            tunnel.echo()
        assert not seventh.headers
        tunnels[0].send_close(1000)
        assert tunnels[0].read_close()[0] == 1000
        tunnels[0].close()
        connection.finish_tunnel(seventh).echo()


def test_many_tunnels_and_pages_share_one_connection(connection):
    win_trust(connection)
    tunnels = [connection.open_tunnel("/ws") for _ in range(MANY)]
    for number, tunnel in enumerate(tunnels):
        tunnel.send_text(f"stream {number}")
        if number % 5 == 0:
            assert connection.get("/app/page").status == 200
    for number, tunnel in enumerate(tunnels):
        assert tunnel.read_message() == b"stream %d" % number
        tunnel.send_close(1000)
        assert tunnel.read_close()[0] == 1000
    assert connection.get("/app/page").status == 200


def test_one_http_mapping_serves_pages_and_tunnels(connection):
    tunnel = connection.open_tunnel("/app/socket?x=1")
    story = tunnel.read_message()
    assert b'"GET /socket?x=1 HTTP/1.1"' in story and b'"websocket"' in story
    assert connection.get("/app/page").status == 200
    tunnel.echo()


def test_frames_that_the_client_sends_before_it_has_read_the_200_arrive(connection, stage):
    stream = connection.start_tunnel("/stage")
    early = connection.peer_of(stream)
    early.send_text("early")
    with stage.accept() as session:
        early.send_text("as well")
        session.accept_handshake()
        assert [session.read_message(), session.read_message()] == [b"early", b"as well"]
        connection.finish_tunnel(stream)


def test_resets_of_half_of_the_tunnels_leave_the_others_alone(connection):
    win_trust(connection)
    tunnels = [connection.open_tunnel("/ws") for _ in range(8)]
    for tunnel in tunnels[::2]:
        tunnel.sock.reset()
    for tunnel in tunnels[1::2]:
        tunnel.echo(b"still here")
    assert connection.get("/app/page").status == 200


def test_a_client_that_leaves_takes_its_tunnels_along(site, certificates, stage):
    with Http2Connection(site.tls_port, certificates.client_context(["h2"])) as connection:
        streams = [connection.start_tunnel("/stage") for _ in range(3)]
        sessions = [stage.accept() for _ in streams]
        for session, stream in zip(sessions, streams):
            session.accept_handshake()
        for stream in streams:
            connection.finish_tunnel(stream)
    for session in sessions:
        session.expect_broken()
        session.close()


def test_a_graceful_restart_lets_tunnels_end_with_a_close(start, echo, certificates):
    server = start(f"""
        Protocols h2 http/1.1
        H2WebSockets on
        ProxyWebsocketDrainTimeout 3s
        ProxyWebsocketDrainSpread 500ms
        ProxyPass /ws {echo.url}/
        """, modules=["http2"])
    with Http2Connection(server.tls_port, certificates.client_context(["h2"])) as connection:
        tunnels = [connection.open_tunnel("/ws") for _ in range(3)]
        server.graceful()
        for tunnel in tunnels:
            tunnel.echo(b"after the restart")
        assert [tunnel.read_close()[0] for tunnel in tunnels] == [1012] * 3
        assert connection.going_away
    with Http2Connection(server.tls_port, certificates.client_context(["h2"])) as connection:
        connection.open_tunnel("/ws").echo()


@pytest.mark.parametrize("end", ["stop", "restart"])
def test_an_ungraceful_end_says_close_too(start, echo, certificates, end):
    """The MPM closes the connection's socket first of all (close_worker_sockets in event.c, worker.c)."""
    server = start(f"Protocols h2 http/1.1\nH2WebSockets on\nProxyPass /ws {echo.url}/", modules=["http2"])
    with Http2Connection(server.tls_port, certificates.client_context(["h2"])) as connection:
        tunnels = [connection.open_tunnel("/ws") for _ in range(3)]
        ending = Background(f"{end} of httpd", getattr(server, end))
        for tunnel in tunnels:
            assert tunnel.read_close() == (1012, "server stopping")
            tunnel.send_close(1012)
        ending.result(6 * BOUND)


def test_the_example(start, app, certificates, tls):
    """Pages over HTTP/2, no offer of WebSockets there, and a tunnel over HTTP/1.1, whose thread is free again."""
    server = start(example("http2", BACKEND_PORT=app.port), modules=["http2"])
    with Http2Connection(server.tls_port, certificates.client_context(["h2"]), needs_connect=False) as connection:
        assert connection.get("/").status == 200
        assert not connection.allows_connect_protocol
        assert str(ask(server, "chrome", "/chat/room", tls=tls)) == "101 app /room"
    assert not server.error_log.lines("WSP0028:|WSP0110:")
