"""A backend's name with several addresses: each is tried, nobody waits for a silent one, the good one is remembered, and
a name that moves is followed."""

import time

import pytest

from harness.backend import Listener, silent
from harness.client import finish_handshake
from harness.config import ONE_CHILD
from harness.httpd import can_change_hosts
from harness.waiting import wait_until

RUNS_ON = ["event"]   # a request thread and lib's race connect; no MPM takes part

_NAME = "backend.test"


@pytest.fixture
def hosts(tmp_path):
    """The addresses of backend.test for the server that is started with it."""
    tmp_path.chmod(0o755)
    path = tmp_path / "hosts"

    class Hosts:
        file = path

        @staticmethod
        def write(*addresses):
            path.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {_NAME}\n" for address in addresses))

    Hosts.write("127.0.0.1")
    if not can_change_hosts(path):
        pytest.skip("a mount namespace of one's own needs root")
    return Hosts


@pytest.fixture
def start_with(start, mpm, hosts):
    return lambda text: start(text, mpm_lines=ONE_CHILD[mpm], hosts=hosts.file)


def open_and_close(server, stage):
    client = server.start_handshake("/ws")
    with stage.accept() as session:
        session.accept_handshake()
        finish_handshake(client).close()


def test_an_address_that_refuses_is_passed_over(start_with, hosts, stage):
    hosts.write("127.0.0.2", "127.0.0.3", "127.0.0.1")
    server = start_with(f"ProxyPass /ws ws://{_NAME}:{stage.port}/")
    for _ in range(2):
        open_and_close(server, stage)


def test_an_address_that_does_not_answer_is_overtaken_and_then_left_alone(start_with, hosts, stage):
    hosts.write("127.0.0.2", "127.0.0.1")
    server = start_with(f"LogLevel proxy_websocket:debug\nProxyPass /ws ws://{_NAME}:{stage.port}/ connectiontimeout=30")
    with silent("127.0.0.2", stage.port):
        open_and_close(server, stage)   # within the patience of a test, which is below connectiontimeout=
    with Listener(host="127.0.0.2", port=stage.port) as slow:   # it would answer now, and first
        open_and_close(server, stage)
        slow.expect_no_connection()


def test_no_thread_waits_longer_for_a_connect_than_for_the_handshake(start, mpm):
    with Listener(host="127.0.0.2") as unused:
        port = unused.port
    server = start(f"ProxyWebsocketHandshakeTimeout 300ms\nProxyPass /ws ws://127.0.0.2:{port}/",
                   mpm_lines=ONE_CHILD[mpm])
    server.allow_log("WSP0108|WSP0114")
    with silent("127.0.0.2", port), server.start_handshake("/ws") as client:
        assert client.read_response().status == 503   # Timeout is more than a test's patience


def test_when_no_address_answers_each_is_named(start_with, hosts):
    hosts.write("127.0.0.2", "127.0.0.3")
    with Listener() as unused:
        port = unused.port
    server = start_with(f"""
        <Proxy balancer://c>
            BalancerMember ws://{_NAME}:{port} retry=7
        </Proxy>
        ProxyPass /ws balancer://c/""")
    server.allow_log("AH0")
    with server.start_handshake("/ws") as client:
        response = client.read_response()
        assert (response.status, response.header("Retry-After")) == (503, "7")
    for address in ("127.0.0.2", "127.0.0.3"):
        server.expect_log(rf"Connection refused: .*WSP0108: attempt to connect to {address}:{port} \({_NAME}:{port}\) failed")
    server.expect_log(f"WSP0109: worker for .{_NAME}:{port}. is in error for 7 s")
    server.expect_log(f"WSP0114: .*the backend {_NAME}:{port} cannot be reached")


def test_addresses_that_are_down_write_a_few_errors_a_minute(start_with, hosts):
    hosts.write("127.0.0.2", "127.0.0.3")
    with Listener() as unused:
        port = unused.port
    server = start_with(f"ProxyPass /ws ws://{_NAME}:{port} retry=0")
    server.allow_log("WSP0108|WSP0109|WSP0114")
    for _ in range(4):
        with server.start_handshake("/ws") as client:
            assert client.read_response().status == 503
    assert [line.level for line in server.error_log.wait_for("WSP0108", 8)] == 5 * ["error"] + 3 * ["info"]


@pytest.mark.parametrize("pool", ["max-idle=8", "warm=1"])
def test_a_name_that_moves_is_followed_after_its_ttl(start_with, hosts, stage, pool):
    """By requests and by preconnecting; no connection to the old address is used."""
    server = start_with(f"ProxyWebsocketPool {pool}\nProxyPass /ws ws://{_NAME}:{stage.port}/ addressttl=1")
    open_and_close(server, stage)
    with Listener(host="127.0.0.2", port=stage.port) as moved:
        hosts.write("127.0.0.2")
        time.sleep(2.1)
        client = server.start_handshake("/ws")
        session = wait_until(lambda: session_with_request(moved), "a request at the new address")
        session.accept_handshake()
        finish_handshake(client).close()
        session.close()


def session_with_request(listener):
    session = listener.accept_connection()
    session.sock.settimeout(0.3)
    try:
        session.read_request()
    except TimeoutError:   # a preconnected one
        return None
    return session


def test_a_name_that_moves_is_followed_when_its_old_addresses_fail(start_with, hosts, stage):
    """Without addressttl= it is looked up again when none of the addresses answers."""
    hosts.write("127.0.0.2", "127.0.0.3")
    server = start_with(f"ProxyPass /ws ws://{_NAME}:{stage.port}/ retry=0")
    server.allow_log("WSP0108|WSP0109|WSP0114|AH0")
    with server.start_handshake("/ws") as client:
        assert client.read_response().status == 503
    hosts.write("127.0.0.1")
    open_and_close(server, stage)
