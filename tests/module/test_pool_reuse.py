"""A connection whose upgrade the backend has refused serves another handshake, unless anything about it is in doubt."""

import pathlib
import select
import time

import pytest

from harness import http1, processes
from harness.backend import UnixListener
from harness.client import finish_handshake
from harness.config import ONE_CHILD
from harness.waiting import wait_until

RUNS_ON = ["event"]   # a member's pool is one child's, and lib decides; elsewhere that connections are kept

LENGTH = ("Content-Length", "4")


@pytest.fixture
def start_one(start, mpm):
    return lambda text: start(text, mpm_lines=ONE_CHILD[mpm])


@pytest.fixture(scope="module")
def site(start_shared, mpm, module_listener, tls_module_listener):
    return start_shared(f"""
        ProxyPass /ws {module_listener.url}/ retry=0
        ProxyPass /wss {tls_module_listener.url}/ retry=0
        """, mpm_lines=ONE_CHILD[mpm])


def refusal(status="401 Unauthorized", headers=(LENGTH,), body=b"away", version="1.1"):
    return http1.format_head(f"HTTP/{version} {status}", headers) + body


def refuse(server, path, session, answer, status=401):
    """One handshake is refused on `session`, whose connection stays open."""
    server.allow_log(r"WSP\d{4}:")
    with server.start_handshake(path) as client:
        session.read_request()
        session.send(answer)
        assert client.read_response().status == status
        await_give_back(client)


def await_give_back(client):
    """The next request on the client's connection is served when the one before has given everything back."""
    client.send(http1.plain_request("/"))
    assert client.read_response().status == 200


def refuse_first(server, path, stage, answer, status=401):
    """The same on a connection that is made for it: its session."""
    server.allow_log(r"WSP\d{4}:")
    with server.start_handshake(path) as client:
        session = stage.accept()
        session.send(answer)
        assert client.read_response().status == status
        await_give_back(client)
    return session


def expect_reused(server, path, session):
    """The next handshake comes on the same connection and becomes a tunnel."""
    client = server.start_handshake(path)
    session.read_request()
    session.accept_handshake()
    with finish_handshake(client) as client:
        session.send_text("welcome")
        assert client.read_message() == b"welcome"
        client.send_text("thanks")
        assert session.read_message() == b"thanks"


def expect_fresh(server, path, stage):
    """The next handshake comes on a new connection."""
    client = server.start_handshake(path)
    with stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client).close()


KEPT = {
    "401 with a length": (refusal(), 401),
    "404 in chunks": (refusal("404 Not Found", [("Transfer-Encoding", "chunked")], b"4\r\naway\r\n0\r\n\r\n"), 404),
    "403 without a body": (refusal("403 Forbidden", [("Content-Length", "0")], b""), 403),
    "304": (refusal("304 Not Modified", [], b""), 304),
    "302": (refusal("302 Found", [("Location", "/login"), LENGTH]), 302),
    "a large body": (refusal(headers=[("Content-Length", "300000")], body=b"x" * 300_000), 401),
}


@pytest.mark.runs_on("event", "worker", "prefork")   # prefork's children have one connection
@pytest.mark.parametrize("path", ["/ws", "/wss"])
@pytest.mark.parametrize("case", KEPT)
def test_the_connection_serves_the_next_handshake(site, stage, tls_stage, path, case):
    answer, status = KEPT[case]
    with refuse_first(site, path, stage if path == "/ws" else tls_stage, answer, status) as session:
        refuse(site, path, session, answer, status)
        expect_reused(site, path, session)


IN_DOUBT = {
    "Connection: close": refusal(headers=[LENGTH, ("Connection", "close")]),
    "HTTP/1.0": refusal(version="1.0"),
    "two lengths": refusal(headers=[LENGTH, LENGTH]),
    "a length and chunks": refusal(headers=[LENGTH, ("Transfer-Encoding", "chunked")], body=b"4\r\naway\r\n0\r\n\r\n"),
    "more than was announced": refusal(body=b"away with you"),
    "a second answer": refusal() + refusal(),
    "NTLM": refusal(headers=[LENGTH, ("WWW-Authenticate", "NTLM TlRMTVNTUAAC")]),
    "Negotiate": refusal(headers=[LENGTH, ("WWW-Authenticate", "Negotiate")]),
}


@pytest.mark.parametrize("case", IN_DOUBT)
def test_a_connection_in_doubt_is_closed(site, stage, case):
    site.allow_log("AH0|AH1")
    with refuse_first(site, "/ws", stage, IN_DOUBT[case]):
        expect_fresh(site, "/ws", stage)


def test_a_connection_that_was_closed_meanwhile_is_passed_over(site, stage):
    refuse_first(site, "/ws", stage, refusal()).close()
    expect_fresh(site, "/ws", stage)


def test_a_connection_that_is_closed_with_the_request_under_way_costs_nothing(site, stage):
    """The server's idle limit and the next handshake cross: the client must not pay for it."""
    with refuse_first(site, "/ws", stage, refusal()) as session:
        client = site.start_handshake("/ws")
        session.read_request()
        session.close()
        with stage.accept() as fresh:
            assert fresh.request.header("Sec-WebSocket-Key") == session.request.header("Sec-WebSocket-Key")
            fresh.accept_handshake()
            finish_handshake(client).close()


@pytest.mark.runs_on("event", "worker", "prefork")   # each MPM tells its children in its own way
def test_a_child_that_drains_still_connects_for_what_it_has(start_one, stage):
    server = start_one(f"ProxyWebsocketDrainTimeout 30s\nProxyPass /ws {stage.url}/")
    with refuse_first(server, "/ws", stage, refusal()) as session:
        client = server.start_handshake("/ws")
        session.read_request()
        server.start_graceful()
        server.error_log.wait_for("AH00[0-9]+: Apache.*resuming normal operations", 2)
        time.sleep(0.5)   # the child has heard of it, and let its idle connections go
        session.close()
        with stage.accept() as fresh:
            fresh.accept_handshake()
            with finish_handshake(client) as client:
                client.send_close(1000)
                assert fresh.read_close()[0] == 1000


def test_an_answer_that_breaks_off_is_not_asked_for_again(site, stage):
    with refuse_first(site, "/ws", stage, refusal()) as session:
        with site.start_handshake("/ws") as client:
            session.read_request()
            session.send(b"HTTP/1.1 101 Swi")
            session.close()
            assert client.read_response().status == 502


def test_nobody_gets_what_came_too_late_for_another(site, stage):
    """An answer that nobody has asked for ends the idle connection."""
    with refuse_first(site, "/ws", stage, refusal()) as session:
        session.send(refusal("403 Forbidden", body=b"late"))
        session.expect_broken()
        expect_fresh(site, "/ws", stage)


@pytest.mark.parametrize("line", ["ProxyPass /ws {url}/ disablereuse=on",
                                  "ProxyWebsocketPool max-idle=0\nProxyPass /ws {url}/",
                                  "RewriteEngine on\nRewriteRule ^/ws {url}/ [P]"],
                         ids=["disablereuse", "max-idle=0", "RewriteRule"])
def test_no_connection_is_kept_where_the_configuration_says_so(start_one, stage, line):
    server = start_one(line.format(url=stage.url))
    with refuse_first(server, "/ws", stage, refusal()) as session:
        session.expect_end()
        expect_fresh(server, "/ws", stage)


def test_a_connection_is_not_lent_after_its_ttl(start_one, stage):
    server = start_one(f"ProxyWebsocketPool ttl=200ms\nProxyPass /ws {stage.url}/")
    with refuse_first(server, "/ws", stage, refusal()) as session:
        session.expect_end()
        expect_fresh(server, "/ws", stage)


def test_smax_and_ttl_of_a_worker_are_about_idle_connections_where_no_directive_is(start_one, stage):
    url = stage.url
    server = start_one(f"""
        ProxyPass /none {url}/none smax=0 retry=0
        ProxyPass /short {url}/short ttl=1 retry=0
        ProxyPass /kept {url}/kept smax=0 ttl=1 retry=0
        <Proxy {url}/kept>
            ProxyWebsocketPool max-idle=2 ttl=1min
        </Proxy>""")
    kept, none, short = (refuse_first(server, path, stage, refusal()) for path in ("/kept", "/none", "/short"))
    none.expect_end()
    short.expect_end()
    expect_reused(server, "/kept", kept)


def test_what_the_server_closes_leaves_no_socket_behind(start_one, stage):
    server = start_one(f"ProxyPass /ws {stage.url}/")
    refuse_first(server, "/ws", stage, refusal()).close()
    wait_until(lambda: not any(has_socket_to(pid, stage.port) for pid in server.children()), "httpd has closed it too")


def has_socket_to(pid, port):
    """Among the connections of this machine, one of that process that leads there."""
    sockets = {target for target in processes.descriptors(pid).values() if target.startswith("socket:")}
    lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(line[2] == f"0100007F:{port:04X}" and f"socket:[{line[9]}]" in sockets for line in lines)


@pytest.mark.runs_on("event", "worker")   # prefork's children have one connection
def test_no_connection_is_kept_beyond_max_idle(start, stage, mpm):
    if mpm == "prefork":
        pytest.skip("one connection at a time")
    server = start(f"ProxyWebsocketPool max-idle=1\nProxyPass /ws {stage.url}/", mpm_lines=ONE_CHILD[mpm])
    server.allow_log(r"WSP\d{4}:")
    clients = [server.start_handshake("/ws") for _ in range(2)]
    sessions = [stage.accept() for _ in clients]
    for session in sessions:
        session.send(refusal())
    for client in clients:
        assert client.read_response().status == 401
        client.close()
    wait_until(lambda: len(select.select([s.sock for s in sessions], [], [], 0)[0]) == 1, "one of the two is closed")
    for session in sessions:
        session.close()


def test_a_unix_socket_s_connection_is_kept_too(start_one):
    with UnixListener() as unix_stage:
        server = start_one(f"ProxyPass /ws unix:{unix_stage.path}|ws://localhost/")
        with refuse_first(server, "/ws", unix_stage, refusal()) as session:
            expect_reused(server, "/ws", session)


def test_the_error_document_in_its_place_leaves_no_connection_behind(start_one, stage):
    """The answer's body is not read then."""
    server = start_one(f"ProxyErrorOverride On\nProxyPass /ws {stage.url}/")
    with refuse_first(server, "/ws", stage, refusal()) as session:
        session.expect_broken()
        expect_fresh(server, "/ws", stage)


def test_ten_thousand_bytes_of_noise_after_a_refusal_reach_nobody(site, stage):
    site.allow_log("AH0|AH1")
    with refuse_first(site, "/ws", stage, refusal() + b"\x81\x05noise" * 1400):
        expect_fresh(site, "/ws", stage)
