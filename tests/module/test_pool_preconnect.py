"""ProxyWebsocketPool warm=n: connections are preconnected, and are closed when no handshake should use them."""

import select

import pytest

from dropin.balancer import MANAGER, NONCE, edit
from harness.backend import Listener, UnixListener
from harness.client import finish_handshake
from harness.config import ONE_CHILD
from harness.waiting import BOUND, wait_until

RUNS_ON = ["event"]   # lib and a thread of ours preconnect; the other MPMs: that it begins, serves and ends
pytestmark = pytest.mark.threads


@pytest.fixture
def start_one(start, mpm):
    return lambda text: start(text, mpm_lines=ONE_CHILD[mpm])


def use_once(server, path, stage):
    """The first handshake: from now on the backend is in use. The tunnel ends again."""
    client = server.start_handshake(path)
    with stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client).close()
        session.expect_broken()


def expect_preconnected(stage, count):
    """That many connections come without a request, and no more."""
    sessions = [stage.accept_connection() for _ in range(count)]
    stage.expect_no_connection()
    assert select.select([session.sock for session in sessions], [], [], 0)[0] == []
    return sessions


def session_of_next_handshake(server, path, sessions):
    """Which of the preconnected connections a handshake comes on."""
    client = server.start_handshake(path)
    ready, _, _ = select.select([session.sock for session in sessions], [], [], BOUND)
    assert len(ready) == 1
    session = next(session for session in sessions if session.sock in ready)
    session.accept_handshake()
    return finish_handshake(client), session


def close_all(sessions):
    for session in sessions:
        session.close()


def test_nothing_is_preconnected_by_default(start_one, stage):
    server = start_one(f"ProxyPass /ws {stage.url}/")
    use_once(server, "/ws", stage)
    stage.expect_no_connection()


def test_nothing_is_preconnected_to_a_backend_that_nobody_uses(start_one, stage):
    start_one(f"ProxyWebsocketPool warm=2\nProxyPass /ws {stage.url}/")
    stage.expect_no_connection()


@pytest.mark.runs_on("event", "worker", "prefork")
@pytest.mark.parametrize("with_tls", [False, True], ids=["ws", "wss"])
def test_a_handshake_comes_on_a_connection_that_is_there_already(start_one, stage, tls_stage, with_tls):
    stage = tls_stage if with_tls else stage
    server = start_one(f"ProxyWebsocketPool warm=2\nProxyPass /ws {stage.url}/")
    use_once(server, "/ws", stage)
    sessions = expect_preconnected(stage, 2)   # TLS: accept_connection() has shaken hands
    for _ in range(3):
        client, session = session_of_next_handshake(server, "/ws", sessions)
        session.send_text("hello")
        assert client.read_message() == b"hello"
        client.send_text("hello yourself")
        assert session.read_message() == b"hello yourself"
        client.close()
        session.expect_broken()
        sessions.remove(session)
        sessions += expect_preconnected(stage, 1)   # another one in its place
    close_all(sessions)


def test_a_unix_socket_too(start_one):
    with UnixListener() as stage:
        server = start_one(f"ProxyWebsocketPool warm=1\nProxyPass /ws unix:{stage.path}|ws://localhost/")
        use_once(server, "/ws", stage)
        sessions = expect_preconnected(stage, 1)
        client, session = session_of_next_handshake(server, "/ws", sessions)
        client.close()
        session.close()


def test_preconnecting_asks_for_the_name_of_the_client_s_host_where_it_is_preserved(start_one, tls_stage):
    names = []
    tls_stage.context.sni_callback = lambda sock, name, context: names.append(name)
    try:
        server = start_one(f"""
            ProxyPreserveHost On
            SSLProxyCheckPeerName off
            ProxyWebsocketPool warm=1
            ProxyPass /ws {tls_stage.url}/""")
        client = server.start_handshake("/ws", {"Host": "chat.example"})
        with tls_stage.accept() as session:
            session.accept_handshake()
            finish_handshake(client).close()
        close_all(expect_preconnected(tls_stage, 1))
        assert names == ["chat.example", "chat.example"]
    finally:
        tls_stage.context.sni_callback = None


def test_a_connection_made_for_one_name_serves_no_other(start_one, tls_stage):
    server = start_one(f"""
        ProxyPreserveHost On
        SSLProxyCheckPeerName off
        ProxyWebsocketPool warm=1
        ProxyPass /ws {tls_stage.url}/""")
    client = server.start_handshake("/ws", {"Host": "one.example"})
    with tls_stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client).close()
    preconnected = expect_preconnected(tls_stage, 1)
    client = server.start_handshake("/ws", {"Host": "two.example"})
    with tls_stage.accept() as session:
        assert session.request.header("Host") == "two.example"
        session.accept_handshake()
        finish_handshake(client).close()
    close_all(preconnected)


def test_a_connection_that_the_server_closes_is_replaced(start_one, stage):
    server = start_one(f"ProxyWebsocketPool warm=2\nProxyPass /ws {stage.url}/")
    use_once(server, "/ws", stage)
    sessions = expect_preconnected(stage, 2)
    assert not select.select([stage.fileno()], [], [], 1.2)[0]
    sessions.pop().close()
    sessions += expect_preconnected(stage, 1)
    close_all(sessions)


def test_a_server_that_closes_at_once_is_not_asked_again_and_again(start_one, stage):
    server = start_one(f"ProxyWebsocketPool warm=1\nProxyPass /ws {stage.url}/")
    use_once(server, "/ws", stage)
    stage.accept_connection().close()
    stage.expect_no_connection(0.5)   # the hold-down lasts a second
    stage.accept_connection().close()


def test_a_response_without_a_request_ends_the_connection(start_one, stage):
    server = start_one(f"ProxyWebsocketPool warm=1\nProxyPass /ws {stage.url}/")
    server.allow_log("AH03408:")
    use_once(server, "/ws", stage)
    [session] = expect_preconnected(stage, 1)
    session.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    session.expect_broken()
    session.close()


def test_connections_are_replaced_at_the_end_of_their_ttl(start_one, stage):
    server = start_one(f"ProxyWebsocketPool warm=1 ttl=500ms\nProxyPass /ws {stage.url}/")
    use_once(server, "/ws", stage)
    first = stage.accept_connection()
    second = stage.accept_connection()
    first.expect_end()
    close_all([first, second])


@pytest.mark.runs_on("event", "worker")   # prefork's children have one connection
def test_there_are_never_more_than_max_allows(start_one, stage, mpm):
    if mpm == "prefork":
        pytest.skip("one connection at a time")
    server = start_one(f"ProxyWebsocketPool warm=3\nProxyPass /ws {stage.url}/ max=3")
    use_once(server, "/ws", stage)
    sessions = expect_preconnected(stage, 3)
    client, session = session_of_next_handshake(server, "/ws", sessions)
    sessions.remove(session)
    stage.expect_no_connection()   # one tunnel, two preconnected
    client.close()
    session.expect_broken()
    server.get("/")
    sessions += [stage.accept_connection()]
    close_all(sessions)


def test_warm_in_the_section_of_one_worker_is_about_that_worker_alone(start_one, stage):
    with Listener() as other:
        server = start_one(f"""
            <Proxy {stage.url}/>
                ProxyWebsocketPool warm=1
            </Proxy>
            ProxyPass /ws {stage.url}/
            ProxyPass /other {other.url}/""")
        use_once(server, "/other", other)
        use_once(server, "/ws", stage)
        close_all(expect_preconnected(stage, 1))
        other.expect_no_connection(0)   # it was used first, and would have been first


TLS_OF_SECTION = """
    <Proxy wss://localhost:{port}/{parameter}>
        SSLProxyCheckPeerName on
        ProxyWebsocketPool warm=1
    </Proxy>
    ProxyPass /ws wss://localhost:{port}/"""


def test_preconnecting_uses_the_tls_settings_of_the_worker_s_own_section(start_one, tls_stage):
    server = start_one(TLS_OF_SECTION.format(port=tls_stage.port, parameter=" keepalive=on"))
    use_once(server, "/ws", tls_stage)
    sessions = expect_preconnected(tls_stage, 1)
    client, session = session_of_next_handshake(server, "/ws", sessions)
    client.close()
    session.close()


def test_nothing_is_preconnected_where_requests_may_differ_in_their_tls_settings(start_one, tls_stage):
    server = start_one(TLS_OF_SECTION.format(port=tls_stage.port, parameter=""))
    use_once(server, "/ws", tls_stage)
    tls_stage.expect_no_connection()
    assert server.error_log.wait_for("WSP0016:")


def test_nothing_is_preconnected_to_a_server_whose_certificate_is_not_accepted(start_one, tls_stage):
    server = start_one(f"ProxyWebsocketPool warm=1\nProxyPass /ws wss://127.0.0.1:{tls_stage.port}/")
    server.allow_log(r"WSP0150:|AH0")
    with server.start_handshake("/ws") as client:
        tls_stage.accept_connection().close()
        assert client.read_response().status == 502
    tls_stage.expect_no_connection()


@pytest.mark.runs_on("event", "worker", "prefork")   # each MPM ends its children in its own way
def test_preconnected_connections_end_with_their_process(start_one, stage):
    server = start_one(f"ProxyWebsocketPool warm=2\nProxyPass /ws {stage.url}/")
    use_once(server, "/ws", stage)
    sessions = expect_preconnected(stage, 2)
    server.allow_log("AH03490: ")   # the one slot is the old child's for as long as it takes to end
    server.start_graceful()
    for session in sessions:
        session.expect_broken()
    close_all(sessions)


@pytest.mark.runs_on("event", "worker", "prefork")   # the same
def test_preconnected_connections_end_with_an_ungraceful_stop(start_one, stage):
    server = start_one(f"ProxyWebsocketPool warm=2\nProxyPass /ws {stage.url}/")
    use_once(server, "/ws", stage)
    sessions = expect_preconnected(stage, 2)
    server.stop()
    for session in sessions:
        session.expect_broken()
    close_all(sessions)


@pytest.mark.runs_on("event", "worker", "prefork")
def test_a_backend_that_is_gone_is_no_error_of_its_worker(start_one, stage):
    """A failed preconnect does not put the worker in error: a request finds out for itself."""
    server = start_one(f"LogLevel proxy_websocket:debug\nProxyWebsocketPool warm=2 ttl=1s\nProxyPass /ws {stage.url}/")
    use_once(server, "/ws", stage)
    sessions = expect_preconnected(stage, 2)
    stage.stop_listening()
    close_all(sessions)
    server.error_log.wait_for("WSP0015: preconnecting to .* failed: the connection was refused", 2)
    stage.listen_again()
    use_once_from_any(server, stage)


def use_once_from_any(server, stage):
    """The request may come on a connection that was preconnected before."""
    client = server.start_handshake("/ws")
    found = []

    def has_request():
        while select.select([stage.fileno()], [], [], 0)[0]:
            found.append(stage.accept_connection())
        return select.select([session.sock for session in found], [], [], 0.05)[0] if found else []

    [sock] = wait_until(has_request, "a request")
    session = next(session for session in found if session.sock is sock)
    session.accept_handshake()
    finish_handshake(client).close()
    close_all(found)


@pytest.mark.parametrize("status", ["D", "S", "N"], ids=["disabled", "stopped", "draining"])
def test_the_idle_connections_of_a_member_that_is_taken_out_are_closed(start, stage, status, mpm):
    server = start(f"""
        ProxyWebsocketPool warm=2
        <Proxy balancer://c>
            BalancerMember {stage.url}
            ProxySet nonce={NONCE}
        </Proxy>
        {MANAGER}
        ProxyPass /ws balancer://c/""", mpm_lines=ONE_CHILD[mpm])
    use_once(server, "/ws", stage)
    sessions = expect_preconnected(stage, 2)
    edit(server, stage.url, **{f"w_status_{status}": 1})
    for session in sessions:
        session.expect_broken()
    stage.expect_no_connection(1.2)
    close_all(sessions)
