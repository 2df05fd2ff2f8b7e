"""Graceful restarts in a row while tunnels talk: whoever is in an old generation is told to go, nobody loses or doubles a
message before that, nobody is refused, and no process stays behind."""

import time

import pytest

from harness import storm
from harness.config import MPM_IS_FULL
from harness.storm import DRAINED
from harness.talkers import Talkers
from harness.waiting import BOUND, PATIENCE, wait_until

_TIMEOUT = 3 * PATIENCE   # seconds of a drain, all of them spread

# A generation is four children with a thread for everyone who comes back at once; event and prefork have slots for all
# generations that drain, worker's new children take over the slots of those.
_THREADS = ("StartServers 4\nServerLimit 60\nThreadsPerChild 16\nMaxRequestWorkers 64\nMinSpareThreads 1\n"
            "MaxSpareThreads 64\nListenBacklog 2000")
ROOM = {"event": _THREADS, "worker": _THREADS,
        "prefork": "StartServers 10\nServerLimit 250\nMaxRequestWorkers 250\nMinSpareServers 5\nMaxSpareServers 250"}


def restart_often(server, tls, restarts, plain, secure):
    server.allow_log(MPM_IS_FULL)   # threads for everybody, but those of a busy machine are slow to be free again
    openers = [lambda: server.open_tunnel("/ws")] * plain + [lambda: server.open_tunnel("/ws", tls=tls)] * secure
    with Talkers(openers) as talkers:
        old = set()
        for _ in range(restarts):
            time.sleep(0.5)   # a generation that has begun to work
            old |= set(server.children())
            server.graceful()
        last = time.monotonic()
        wait_until(lambda: not old & set(server.children()), "the old generations are gone", _TIMEOUT + 2 * BOUND)
        assert time.monotonic() - last < _TIMEOUT + 5 * PATIENCE
    assert talkers.problems == []
    assert {(each.code, each.reason) for each in talkers.told} == {(1012, DRAINED)}
    assert len(talkers.told) >= plain + secure   # everyone was in the first generation
    return talkers


def lines(backend):
    return f"""
        ProxyWebsocketMigrate Off
        ProxyWebsocketDrainTimeout {_TIMEOUT}s
        ProxyWebsocketDrainSpread {_TIMEOUT}s
        ProxyPass /ws {backend.url}/
        """


def test_restarts_in_a_row_cost_no_message_and_no_tunnel_its_farewell(start, mpm, tls, echo_process):
    restart_often(start(lines(echo_process), mpm_lines=ROOM[mpm]), tls, restarts=5, plain=60, secure=30)


@pytest.mark.heavy
def test_twenty_restarts_in_a_row_with_three_hundred_tunnels(start, mpm, tls, echo_process, full):
    if not full:
        pytest.skip("with --full")
    restart_often(start(lines(echo_process), mpm_lines=ROOM[mpm]), tls, restarts=20, plain=200, secure=100)


@pytest.mark.threads
def test_a_storm_of_restarts_leaves_every_tunnel_a_whole_close(start, mpm, tls):
    """tests/stress/storm.py for a few seconds. The test above is for all MPMs."""
    if mpm != "event":
        pytest.skip("a daily run has time for one")
    figures = storm.run(start, mpm, tls, tunnels=60, seconds=4, restarts=4)
    print(figures)
    assert figures.closes >= figures.tunnels   # everyone was in the first generation
