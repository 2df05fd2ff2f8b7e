"""How many handshakes may be on their way to a backend at a time: max-connecting= and ProxyWebsocketHandshakeThreads."""

import pytest

from harness.client import finish_handshake
from harness.config import ONE_CHILD
from harness.waiting import wait_until

_POINTLESS = "WSP0021: ProxyWebsocketHandshakeThreads {} limits nothing: a child process has {}"
RUNS_ON = ["event", "worker"]   # prefork's children have one handshake at a time


@pytest.fixture
def start_one(start, mpm):
    return lambda text: start(text, mpm_lines=ONE_CHILD[mpm])


def expect_later(client, line, server):
    server.allow_log(r"WSP\d{4}:")
    response = client.read_response()
    assert (response.status, response.header("Retry-After")) == (503, "1")
    assert server.error_log.wait_for(line)


def hold_in_tls(server, stage):
    """A handshake whose backend does not answer its TLS client hello."""
    client = server.start_handshake("/ws")
    return client, stage.accept_raw()


def test_a_handshake_waits_while_others_connect(start_one, tls_stage):
    server = start_one(f"ProxyWebsocketPool max-connecting=1\nProxyPass /ws {tls_stage.url}/")
    held, sock = hold_in_tls(server, tls_stage)
    waiting = server.start_handshake("/ws")
    tls_stage.expect_no_connection()
    with tls_stage.shake_hands(sock) as first:
        first.accept_handshake()
        with tls_stage.accept() as second:
            second.accept_handshake()
            for client in (held, waiting):
                finish_handshake(client).close()


def test_no_handshake_waits_for_its_turn_longer_than_for_the_backend(start_one, tls_stage):
    server = start_one(f"""
        ProxyWebsocketPool max-connecting=1
        ProxyWebsocketHandshakeTimeout 500ms
        ProxyPass /ws {tls_stage.url}/ retry=0
        ProxyPass /patient {tls_stage.url}/
        <Location /patient>
            ProxyWebsocketHandshakeTimeout 30s
        </Location>""")
    client = server.start_handshake("/patient")
    sock = tls_stage.accept_raw()
    with server.start_handshake("/ws") as late:
        expect_later(late, "WSP0124: handshake refused with 503", server)
    with tls_stage.shake_hands(sock) as session:
        session.accept_handshake()
        finish_handshake(client).close()


def test_a_turn_is_free_again_however_the_one_before_ended(start_one, tls_stage):
    server = start_one(f"ProxyWebsocketPool max-connecting=1\nProxyPass /ws {tls_stage.url}/ retry=0")
    server.allow_log(r"WSP\d{4}:|AH0")
    for _ in range(3):
        client, sock = hold_in_tls(server, tls_stage)
        sock.close()
        assert client.read_response().status == 502
        client.close()
    client = server.start_handshake("/ws")
    with tls_stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client).close()


def test_handshakes_take_no_more_threads_than_they_may(start_one, stage):
    server = start_one(f"ProxyWebsocketHandshakeThreads 2\nProxyPass /ws {stage.url}/")
    clients = [server.start_handshake("/ws") for _ in range(2)]
    sessions = [stage.accept() for _ in clients]
    with server.start_handshake("/ws") as third:
        expect_later(third, "WSP0123: handshake refused with 503", server)
    assert server.get("/").status == 200
    for session in sessions:
        session.accept_handshake()
    tunnels = [finish_handshake(client) for client in clients]
    client = server.start_handshake("/ws")   # live tunnels take no thread
    with stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client).close()
    for each in tunnels + sessions:
        each.close()


def test_a_number_that_limits_nothing_is_told_of(start_one, stage):
    server = start_one(f"ProxyWebsocketHandshakeThreads 16\nProxyPass /ws {stage.url}/")
    assert server.error_log.lines(_POINTLESS.format(16, "16 threads"))
    server = start_one(f"ProxyWebsocketHandshakeThreads 15\nProxyPass /ws {stage.url}/")
    assert not server.error_log.lines("WSP0021")


def test_threads_in_tunnels_that_keep_them_are_not_counted(start_one, stage):
    server = start_one(f"ProxyWebsocketHandshakeThreads 1\nProxyWebsocketAsync Off\nProxyPass /ws {stage.url}/")
    pairs = []
    for _ in range(3):
        client = server.start_handshake("/ws")
        session = stage.accept()
        session.accept_handshake()
        pairs += [finish_handshake(client), session]
    for each in pairs:
        each.close()


def test_a_place_is_free_again_after_a_refusal_and_after_a_silent_backend(start_one, stage):
    server = start_one(f"""
        ProxyWebsocketHandshakeThreads 1
        ProxyWebsocketHandshakeTimeout 200ms
        ProxyPass /ws {stage.url}/ retry=0""")
    server.allow_log(r"WSP\d{4}:")
    with server.start_handshake("/ws") as client, stage.accept() as session:
        session.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        assert client.read_response().status == 403
        with server.start_handshake("/ws") as client:
            assert client.read_response().status == 504
    wait_until(lambda: server.get("/").status == 200, "threads are free")
    client = server.start_handshake("/ws")
    with stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client).close()
