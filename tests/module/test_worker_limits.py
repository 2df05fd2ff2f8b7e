"""A worker's max= caps its live tunnels, in each child process, and being full is no error."""

import pytest

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
