"""The other ways in which a child is told to go: MaxConnectionsPerChild, MaxSpareThreads and MaxSpareServers, and the
ungraceful ones, also in the middle of a drain."""

import time

import pytest

from harness.background import Background
from harness.crowd import Crowd
from harness.moments import read_closes
from harness.waiting import BOUND, PATIENCE, wait_until

DRAINED = "server restarting"
STOPPED = "server stopping"
_SLACK = 3 * PATIENCE

_ROOM = ("StartServers 2\nServerLimit 12\nThreadsPerChild 16\nMaxRequestWorkers 64\n"
         "MinSpareThreads 1\nMaxSpareThreads 64")
ROOM = {"event": _ROOM, "worker": _ROOM,
        "prefork": "StartServers 8\nServerLimit 100\nMaxRequestWorkers 100\nMaxSpareServers 100"}
_SPARE = ("StartServers 4\nServerLimit 12\nThreadsPerChild 4\nMaxRequestWorkers 24\n"
          "MinSpareThreads 1\nMaxSpareThreads 5")
TOO_MANY_SPARE = {"event": _SPARE, "worker": _SPARE,
                  "prefork": "StartServers 8\nServerLimit 20\nMaxRequestWorkers 20\n"
                             "MinSpareServers 1\nMaxSpareServers 2"}


@pytest.fixture
def server(start, mpm, echo_process):
    """Drains would last ten minutes: nothing in this file waits for one."""
    return start(lines(echo_process, "10min"), mpm_lines=ROOM[mpm])


def lines(backend, timeout):
    return f"""
        ProxyWebsocketMigrate Off
        ProxyWebsocketDrainTimeout {timeout}
        ProxyWebsocketDrainSpread 100ms
        ProxyPass /ws {backend.url}/
        <Location /thread>
            ProxyWebsocketAsync Off
            ProxyPass {backend.url}/
        </Location>
        """


def drain_lines(server):
    return server.error_log.lines(r"WSP0011: child drained: \d+ tunnels when it stopped serving, 0 left")


def test_maxconnectionsperchild_drains_the_child_while_new_ones_serve(start, mpm, echo_process):
    room = ROOM[mpm].replace("StartServers 8", "StartServers 2")
    server = start(lines(echo_process, f"{4 * PATIENCE}s"), mpm_lines=f"{room}\nMaxConnectionsPerChild 6")
    first = set(server.children())
    with Crowd(server, "/ws") as crowd:
        for _ in range(15):
            crowd.open(1)
        crowd.echo()   # whoever holds them
        assert set(server.children()) - first
        told = read_closes(crowd.tunnels[:4], 4 * PATIENCE + BOUND)
        assert {(each.code, each.reason) for each in told.values()} == {(1012, DRAINED)}
        with server.open_tunnel("/ws") as newcomer:
            newcomer.echo()
    wait_until(lambda: not first & set(server.children()), "the first children are gone")
    wait_until(lambda: drain_lines(server), "the summary of a drain")


def test_spare_children_are_drained_and_the_tunnels_of_the_others_stay(start, mpm, echo_process):
    server = start(lines(echo_process, f"{PATIENCE}s"), mpm_lines=TOO_MANY_SPARE[mpm])
    with Crowd(server, "/ws") as crowd:
        crowd.open_in_several_children(10)   # one can take 4
        crowd.open(30)
        crowd.echo()
        line = wait_until(lambda: drain_lines(server), "a spare child is drained", 3 * BOUND)[0]
        count = int(line.text.split("drained: ")[1].split()[0])
        assert 0 < count < 40
        assert server.get("/").status == 200
        with server.open_tunnel("/ws") as newcomer:
            newcomer.echo()
        wait_until(lambda: line.pid not in server.children(), "the drained child is gone")


@pytest.fixture
def crowds(server, tls):
    """Tunnels in pumps, some with TLS."""
    with Crowd(server, "/ws") as plain, Crowd(server, "/ws", tls) as secure:
        plain.open(30)
        secure.open(30)
        yield plain, secure


def expect_told(end, tunnels, seconds):
    """Every tunnel gets its Close within so many seconds after end() has begun, and nobody has to answer."""
    begin = time.monotonic()
    telling = Background("every tunnel is told", read_closes, tunnels)
    end()
    assert time.monotonic() - begin < seconds + 2 + _SLACK
    told = telling.result()
    assert {(each.code, each.reason) for each in told.values()} == {(1012, STOPPED)}
    assert max(each.at for each in told.values()) - begin < seconds + _SLACK


@pytest.mark.parametrize("end", ["stop", "restart"])
def test_an_ungraceful_end_tells_everyone_at_once_and_waits_for_nobody(server, crowds, end, tls):
    """Those in request threads too, whose sockets the MPM closes (close_worker_sockets in event.c, worker.c)."""
    plain, secure = crowds
    with Crowd(server, "/thread") as threaded, Crowd(server, "/thread", tls) as secure_threaded:
        threaded.open(3)
        secure_threaded.open(3)
        expect_told(getattr(server, end), [tunnel for crowd in (plain, secure, threaded, secure_threaded)
                                           for tunnel in crowd.tunnels], 1)


@pytest.fixture
def draining(server, crowds):
    """The tunnels of an old generation that drains, some of them in request threads, and those of a new one."""
    plain, secure = crowds
    with Crowd(server, "/thread") as threaded, Crowd(server, "/ws") as newcomers:
        threaded.open(4)
        server.graceful()
        newcomers.open(20)
        for crowd in (plain, secure, threaded, newcomers):
            crowd.echo()
        yield plain.tunnels + secure.tunnels + threaded.tunnels + newcomers.tunnels


def test_a_stop_hurries_those_who_drain(server, draining):
    server.allow_log("AH00045: ")   # event lingers for the clients of request threads, which do not hang up
    expect_told(server.stop, draining, 1)


def test_an_ungraceful_restart_hurries_those_who_drain(server, draining):
    """httpd waits three seconds before it reminds them (ap_reclaim_child_processes)."""
    server.allow_log("AH00045: child process [0-9]+ still did not exit, sending a SIGTERM")
    expect_told(server.restart, draining, 4)
    with server.open_tunnel("/ws") as client:
        client.echo()
