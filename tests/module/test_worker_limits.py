"""A worker's max= caps its live tunnels, in each child process, and being full is no error; acquire= waits for a place."""

import pytest

from harness import config
from harness.client import finish_handshake
from harness.waiting import wait_until

ONE_CHILD = {"event": "StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMaxRequestWorkers 8\nMinSpareThreads 1",
             "worker": "StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMaxRequestWorkers 8\nMinSpareThreads 1"}
FULL = r"WSP0122: handshake refused with 503"


@pytest.fixture
def one_child(mpm):
    if mpm not in ONE_CHILD:
        pytest.skip("prefork spreads connections over its children, and the cap is each child's")
    return ONE_CHILD[mpm]


def end(client):
    client.send_close(1000)
    client.read_close()
    client.close()


def open_when_there_is_room(server, path):
    """The end of the tunnel before may not have been noticed yet."""
    wait_until(lambda: status_of_handshake(server, path) == 101, "a place for one more tunnel")


def status_of_handshake(server, path):
    with server.start_handshake(path) as client:
        return client.read_response().status


def test_as_many_tunnels_as_max_says_may_live(start, echo, one_child):
    server = start(f"ProxyPass /ws {echo.url}/ max=2", mpm_lines=one_child)
    server.expect_log(FULL)
    first, second = server.open_tunnel("/ws"), server.open_tunnel("/ws")
    assert status_of_handshake(server, "/ws") == 503
    first.echo()
    second.echo()
    end(first)
    open_when_there_is_room(server, "/ws")
    second.close()


def test_without_max_more_tunnels_live_than_threads(start, echo, one_child):
    server = start(f"ProxyPass /ws {echo.url}/", mpm_lines=one_child)
    clients = [server.open_tunnel("/ws") for _ in range(30)]
    for client in clients:
        client.echo()
        client.close()


def test_a_balancer_goes_on_to_another_member_and_holds_nothing_against_the_full_one(start, echo, one_child):
    server = start(f"""
        <Proxy balancer://pool>
            BalancerMember {echo.url} max=1
            BalancerMember ws://localhost:{echo.port} max=1
        </Proxy>
        ProxyPass /ws balancer://pool/""", mpm_lines=one_child)
    server.allow_log(FULL + "|AH00957|AH01167")
    first, second = server.open_tunnel("/ws"), server.open_tunnel("/ws")
    assert status_of_handshake(server, "/ws") == 503
    first.echo()
    end(first)
    open_when_there_is_room(server, "/ws")
    second.close()


@pytest.mark.runs_on("event")
def test_without_max_there_is_no_limit_after_a_reload_either(start, echo):
    """BalancerPersist keeps what mod_proxy has filled in for a member without max=: its threads."""
    server = start(f"""
        BalancerPersist On
        <Proxy balancer://pool>
            BalancerMember {echo.url}
        </Proxy>
        ProxyPass /ws balancer://pool/""")
    server.graceful()
    clients = [server.open_tunnel("/ws") for _ in range(20)]   # a child has 16 threads
    for client in clients:
        client.echo()
        client.close()


# --- acquire= ---

def start_full(start, echo, mpm, acquire):
    """A server with one child, for now, and the tunnel that takes the only place."""
    server = start(f"LogLevel proxy_websocket:debug\nProxyPass /ws {echo.url}/ max=1 acquire={acquire}",
                   mpm_lines=config.ONE_CHILD[mpm] if mpm == "prefork" else None)
    return server, server.open_tunnel("/ws")


def start_waiting(server, count=1):
    client = server.start_handshake("/ws")
    server.error_log.wait_for("WSP0134: ", count)
    return client


def test_a_handshake_waits_for_as_long_as_acquire_says_for_a_tunnel_to_end(start, echo, mpm):
    server, first = start_full(start, echo, mpm, "60s")
    with start_waiting(server) as waiting:
        first.echo()
        end(first)
        finish_handshake(waiting).echo()


@pytest.mark.runs_on("event", "worker")   # prefork's child has one handshake at a time
def test_who_came_first_gets_the_place_first(start, echo, mpm):
    server, first = start_full(start, echo, mpm, "60s")
    waiting = [start_waiting(server, number) for number in (1, 2, 3)]
    for following in waiting:
        end(first)
        first = finish_handshake(following)
    end(first)


def test_a_wait_in_vain_ends_with_503_when_acquire_is_over(start, echo, mpm):
    server, first = start_full(start, echo, mpm, "20")   # milliseconds, as mod_proxy reads it
    server.expect_log(FULL + r".*acquire=")
    with start_waiting(server) as waiting:
        assert waiting.read_response().status == 503
    first.echo()
    end(first)
    open_when_there_is_room(server, "/ws")


def test_nobody_waits_longer_than_for_the_backend(start, echo, mpm):
    server = start(f"""
        ProxyPass /ws {echo.url}/ max=1 acquire=60s
        <Location /ws/hasty>
            ProxyWebsocketHandshakeTimeout 20ms
        </Location>""", mpm_lines=config.ONE_CHILD[mpm])
    server.expect_log(FULL)
    with server.open_tunnel("/ws/patient") as first:
        assert status_of_handshake(server, "/ws/hasty") == 503
        first.echo()


def test_a_stop_ends_the_wait(start, echo, mpm):
    server, first = start_full(start, echo, mpm, "600s")
    server.allow_log("WSP0138: handshake refused with 503")
    with first, start_waiting(server) as waiting:
        server.stop()   # httpd says loudly if it has to kill its child
        waiting.expect_broken()


@pytest.mark.runs_on("event", "worker")   # a prefork child hears of it when its request is over
def test_a_graceful_restart_ends_the_wait_for_the_client_to_come_again(start, echo, mpm):
    server, first = start_full(start, echo, mpm, "600s")
    server.expect_log("WSP0138: handshake refused with 503")
    with first, start_waiting(server) as waiting:
        server.start_graceful()
        response = waiting.read_response()
        assert (response.status, response.header("Retry-After")) == (503, "1")
        first.echo()
