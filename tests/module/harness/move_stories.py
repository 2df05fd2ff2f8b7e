"""Long stories about tunnels that move, for tests/stress/moves.py: processes that are killed in the middle, thousands of idle tunnels, and
what a hundred moves leave behind. Each returns what it saw, in words, and raises on a loss."""

import contextlib
import os
import random
import signal
import time

from . import moves, own_records, processes
from .crowd import Crowd
from .echo_load import EchoLoad
from .moves import TAKEN_OVER
from .waiting import BOUND, wait_until

_KINDS = ("ws to ws", "wss to ws")
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_WARM_UP = 10          # restarts
_PACE = 1.0            # seconds that a restart takes with tunnels
_HEADROOM = 64 << 10   # bytes by which two rows of restarts may differ


def restarts(start, mpm, tls, backends, tunnels, count):
    """`tunnels` plain ones and as many with TLS, with messages all the time, over `count` graceful restarts."""
    server = start(backends.lines(), mpm_lines=moves.ROOM[mpm])
    return str(moves.run(server, tls, tunnels, count, pause=tunnels / 300, kinds=_KINDS))


def kills(start, mpm, tls, backends, tunnels, count):
    """At each restart a leaving child is killed while it sends: each tunnel is either right or cut."""
    server = start(backends.lines(), mpm_lines=moves.ROOM[mpm])
    server.error_log.allow_always("AH1039[0-9]: children are killed successively")
    partly = cut = alive = 0
    for _ in range(count):
        with EchoLoad(tunnels / 300) as load:
            for kind, peer in moves.open_tunnels(server, tls, tunnels, _KINDS):
                load.add(peer, kind)
            load.await_round()
            load.may_cut()
            _kill_while_sending(server, 2 * tunnels)
            load.await_round()
            cut_now = len(load.cut)
            partly += 0 < cut_now < load.size
            cut, alive = cut + cut_now, alive + load.size - cut_now
    return (f"{count} times all leaving children killed, {partly} times in the middle: of {cut + alive} tunnels {cut} were cut, and "
            f"{alive} went on, every byte right")


def _kill_while_sending(server, tunnels):
    old = set(server.children())
    goal = random.randrange(tunnels)
    with open(server.error_log.path, "rb", buffering=0) as log:
        log.seek(0, os.SEEK_END)
        server.start_graceful()
        _await_moved(log, goal, old)
        for pid in old:
            with contextlib.suppress(ProcessLookupError):   # has sent everything
                os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(processes.is_alive, old)) and set(server.children()) - old, "a new generation", 3 * BOUND)


def _await_moved(log, goal, old):
    """So many tunnels have been taken over, or all. It takes a few microseconds for each: there is no time to sleep."""
    mark, rest, moved, deadline = TAKEN_OVER.encode(), b"", 0, time.monotonic() + 3 * BOUND
    while moved <= goal and (text := log.read(1 << 16) or any(map(processes.is_alive, old))):
        assert time.monotonic() < deadline, f"{moved} tunnels have moved, and no more"
        if text is not True:
            rest += text
            moved += rest.count(mark)
            rest = rest[-len(mark) + 1:]


def idle(start, mpm, tls, backends, tunnels, count):
    """`tunnels` idle ones of each kind move `count` times; what that costs beside a restart without them."""
    server = start(backends.lines(), mpm_lines=moves.ROOM[mpm])
    without = [_cost_of_restart(server) for _ in range(count)]
    with Crowd(server, "/ws") as plain, Crowd(server, "/ws", tls) as secure:
        plain.open(tunnels)
        secure.open(tunnels)
        plain.echo()
        secure.echo()
        own_records.await_left(server, tunnels)
        costs = [_cost_of_restart(server) for _ in range(count)]
        plain.echo()
        secure.echo()
    moved = server.error_log.lines(moves.SUMMARY)
    return (f"{tunnels} plain and {tunnels} TLS tunnels, idle, moved {count} times (beside it a restart without tunnels):\n"
            f"  CPU of leaving processes, ms: {_row(costs, 'left')} ({_row(without, 'left')})\n"
            f"  CPU of new processes, ms: {_row(costs, 'came')} ({_row(without, 'came')})\n"
            f"  old processes gone after, ms: {_row(costs, 'gone')} ({_row(without, 'gone')})\n"
            f"  last summary: {moved[-1].text.partition('WSP0170: ')[2]}")


def _row(costs, name):
    return " ".join(f"{cost[name]:.0f}" for cost in costs)


def _cost_of_restart(server):
    """Milliseconds. What a process needed is known to its parent when it has ended."""
    old = server.children()
    ended, running = processes.ticks_of_ended_children(server.pid), sum(map(processes.cpu_ticks, old))
    seconds = moves.restart_and_await_end_of_old(server)
    wait_until(lambda: not any(map(processes.exists, old)), "httpd has heard of the end")
    return {"gone": 1000 * seconds, "left": (processes.ticks_of_ended_children(server.pid) - ended - running) * _TICK_MS,
            "came": sum(processes.cpu_ticks(pid) for pid in server.children()) * _TICK_MS}


def leaks(start, mpm, tls, backends, tunnels, count):
    """Descriptors and memory of all processes before and after `count` moves, and what httpd's parent grows by in as many restarts
    without tunnels. Of either the first ones do not count: the heap takes shape."""
    server = start(backends.lines(), mpm_lines=moves.ROOM[mpm])
    without = -_restart(server, _WARM_UP, _PACE)[2] + _restart(server, count, _PACE)[2]
    with Crowd(server, "/ws") as plain, Crowd(server, "/wss", tls) as secure:
        plain.open(tunnels)
        secure.open(tunnels)
        plain.echo()
        secure.echo()
        own_records.await_left(server, 2 * tunnels)
        before, after = _restart(server, _WARM_UP), _restart(server, count)
        plain.echo()
        secure.echo()
    assert after[:2] == before[:2], f"descriptors of the parent and its children: {before[:2]} before, {after[:2]} after"
    grown = after[2] - before[2]
    assert grown < without + _HEADROOM, f"the parent has grown by {grown} bytes, without tunnels by {without}"
    return (f"{count} moves of {2 * tunnels} tunnels: descriptors of the parent {after[0]}, of its children {after[1]}, as before; "
            f"memory of the parent {before[2] >> 10} KiB before, {after[2] >> 10} after ({without >> 10} KiB more in as many restarts "
            f"without tunnels); PSS of its children {before[3] >> 10} KiB and {after[3] >> 10}")


def _restart(server, count, pause=0.0):
    """The state after so many restarts."""
    for _ in range(count):
        moves.restart_and_await_end_of_old(server)
        time.sleep(pause)
    return _state(server)


def _state(server):
    time.sleep(1)   # what is measured comes to rest
    children = server.children()
    return (len(processes.descriptors(server.pid)), sum(len(processes.descriptors(pid)) for pid in children),
            processes.anonymous_bytes(server.pid), sum(map(processes.pss_bytes, children)))


STORIES = {"restarts": restarts, "kills": kills, "idle": idle, "leaks": leaks}
