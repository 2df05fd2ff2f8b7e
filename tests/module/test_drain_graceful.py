"""A child that is replaced keeps its tunnels: they live on without a thread, and each is told to go at a moment of its
own within ProxyWebsocketDrainSpread, while new ones are served by new children."""

import socket
import time

import pytest

from harness import frames
from harness.client import finish_handshake
from harness.config import ONE_CHILD
from harness.crowd import Crowd
from harness.moments import read_closes
from harness.pair import open_pair
from harness.waiting import BOUND, PATIENCE, wait_until

DRAINED = "server restarting"
_TIMEOUT, _SPREAD = 6 * PATIENCE, 4 * PATIENCE   # seconds
_PUMPED, _THREADED = 100, 8                     # tunnels
_SLACK = 5 * PATIENCE
_EARLY = 0.01

# Threads for what is open, and slots for the generation that drains.
_THREADS = ("StartServers 2\nServerLimit 8\nThreadsPerChild 16\nMaxRequestWorkers 32\n"
            "MinSpareThreads 1\nMaxSpareThreads 32")
ROOM_FOR_TWO = {"event": _THREADS, "worker": _THREADS,
                "prefork": "StartServers 12\nServerLimit 100\nMaxRequestWorkers 100\nMaxSpareServers 100"}


def lines(backend, timeout, spread=0, more=""):
    return f"""
        ProxyWebsocketMigrate Off
        ProxyWebsocketDrainTimeout {int(1000 * timeout)}ms
        ProxyWebsocketDrainSpread {int(1000 * spread)}ms
        {more}
        ProxyPass /ws {backend.url}/
        <Location /thread>
            ProxyWebsocketAsync Off
            ProxyPass {backend.url}/
        </Location>
        """


@pytest.fixture
def start_with_room(start, mpm):
    return lambda text: start(text, mpm_lines=ROOM_FOR_TWO[mpm])


def answer_and_leave(tunnels):
    for tunnel in tunnels:
        tunnel.send_close(1001)
        tunnel.expect_broken()


def holders_of_tunnels(server):
    """The pids that WSP0011 lines name, and how many tunnels they had in all."""
    found = server.error_log.lines(r"WSP0011: child drained: \d+ tunnels when it stopped serving, 0 left")
    return [line.pid for line in found], sum(int(line.text.split("drained: ")[1].split()[0]) for line in found)


def test_tunnels_of_an_old_generation_live_on_and_go_one_by_one(start_with_room, tls, echo_process):
    server = start_with_room(lines(echo_process, _TIMEOUT, _SPREAD))
    with Crowd(server, "/ws") as plain, Crowd(server, "/ws", tls) as secure, Crowd(server, "/thread") as threaded:
        plain.open(_PUMPED // 2)
        secure.open(_PUMPED // 2)
        threaded.open(_THREADED)
        old = set(server.children())
        begin = time.monotonic()
        server.start_graceful()
        for crowd in (plain, secure, threaded):
            crowd.echo()
        wait_until(lambda: set(server.children()) - old, "a new generation")
        server.await_deaf(old)
        with server.open_tunnel("/ws") as newcomer:
            newcomer.echo()
            tunnels = plain.tunnels + secure.tunnels + threaded.tunnels
            told = read_closes(tunnels, _TIMEOUT + BOUND)
            assert {(each.code, each.reason) for each in told.values()} == {(1012, DRAINED)}
            moments = [told[place].at - begin for place in range(len(tunnels))]
            assert _TIMEOUT - _SPREAD - _EARLY <= min(moments) and max(moments) < _TIMEOUT + _SLACK, sorted(moments)
            expect_spread(moments[:_PUMPED])
            answer_and_leave(tunnels)
            wait_until(lambda: not old & set(server.children()), "the old generation is gone")
            assert time.monotonic() - begin < _TIMEOUT + _SLACK
            newcomer.echo()
    pids, count = holders_of_tunnels(server)
    assert len(set(pids)) == len(pids) and set(pids) <= old and count == _PUMPED


def expect_spread(moments):
    """In 10 buckets of 10 each on the average; fewer than 7 filled, or 35 in one, has a probability of 1e-9 or less."""
    begin, width = min(moments), _SPREAD / 10
    buckets = [sum(begin + width * number <= moment < begin + width * (number + 1) for moment in moments)
               for number in range(10)]
    assert sum(map(bool, buckets)) >= 7 and max(buckets) < 35, buckets


def test_a_graceful_stop_drains_with_the_code_that_was_asked_for(start_with_room, tls, echo_process):
    server = start_with_room(lines(echo_process, 1, 1, "ProxyWebsocketDrainCode 1012"))
    with Crowd(server, "/ws") as plain, Crowd(server, "/thread", tls) as threaded:
        plain.open(20)
        threaded.open(4)
        begin = time.monotonic()
        server.graceful_stop()
        tunnels = plain.tunnels + threaded.tunnels
        told = read_closes(tunnels)
        assert {(each.code, each.reason) for each in told.values()} == {(1012, DRAINED)}
        assert max(each.at for each in told.values()) - begin < 1 + _SLACK
        answer_and_leave(tunnels)
        server.await_exit()
    assert holders_of_tunnels(server)[1] == 20


def refuses_connections(server):
    try:
        socket.create_connection(("127.0.0.1", server.port)).close()
        return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:   # it came just before the last one stopped to listen
        return False


def open_and_be_told(server, client, session):
    """The tunnel whose handshake has waited; httpd is gone with it."""
    session.accept_handshake()
    with finish_handshake(client) as client, session:
        assert client.read_close() == (1012, DRAINED)
        assert session.read_close() == (1012, DRAINED)
        client.send_close(1001)
        session.send_close(1001)
        server.await_exit()


@pytest.mark.parametrize("path", ["/ws", "/thread"])
def test_a_tunnel_that_opens_after_the_stop_is_told_too(start_with_room, stage, path):
    server = start_with_room(lines(stage, 0.3))
    client = server.start_handshake(path)
    session = stage.accept()
    server.graceful_stop()
    wait_until(lambda: refuses_connections(server), "every process has heard of the stop")
    open_and_be_told(server, client, session)


def test_the_summary_counts_tunnels_that_open_after_the_stop(start, mpm, stage):
    if mpm == "prefork":
        pytest.skip("a child finishes its request before it hears of the stop")
    server = start(lines(stage, 0.3), mpm_lines=ONE_CHILD[mpm])
    before = open_pair(server, "/ws", stage)
    before.session.send_frame(frames.TEXT, b"pumped")
    assert before.client.read_message() == b"pumped"
    client = server.start_handshake("/ws")
    session = stage.accept()
    server.graceful_stop()
    wait_until(lambda: refuses_connections(server), "every process has heard of the stop")
    assert before.client.read_close() == (1012, DRAINED)   # it has gone before the other comes
    before.close()
    open_and_be_told(server, client, session)
    assert holders_of_tunnels(server)[1] == 2


def test_a_stop_that_meets_the_first_tunnel_on_its_way_to_a_pump_ends_it_in_time(start, mpm, stage):
    """Whether the pump is made before, meanwhile or not any more; the other request keeps the child from its end."""
    if mpm == "prefork":
        pytest.skip("a child has one request at a time")
    server = start(lines(stage, 0.3), mpm_lines=ONE_CHILD[mpm])
    pair = open_pair(server, "/ws", stage)
    client = server.start_handshake("/ws")
    session = stage.accept()
    server.graceful_stop()
    assert pair.client.read_close() == (1012, DRAINED)
    pair.close()
    wait_until(lambda: refuses_connections(server), "every process has heard of the stop")
    open_and_be_told(server, client, session)


def test_a_tunnel_in_the_middle_of_a_frame_is_told_at_its_end(start_with_room, tls, stage):
    server = start_with_room(lines(stage, 0.3))
    pairs = [open_pair(server, path, stage, with_tls) for path in ("/ws", "/thread") for with_tls in (None, tls)]
    frame = frames.server_frame(frames.BINARY, b"x" * 100_000)
    for pair in pairs:
        pair.session.send(frame[:60_000])
    server.start_graceful()
    for pair in pairs:
        assert pair.session.read_close() == (1012, DRAINED)   # its own way is between two frames
        pair.session.send(frame[60_000:])
    for pair in pairs:
        assert pair.client.read_message() == b"x" * 100_000
        assert pair.client.read_close() == (1012, DRAINED)
        pair.close()


def test_a_frame_that_never_ends_does_not_outlive_the_drain(start_with_room, stage):
    server = start_with_room(lines(stage, 0.3))
    with open_pair(server, "/ws", stage) as pair:
        pair.session.send(frames.server_frame(frames.BINARY, b"x" * 100_000)[:60_000])
        old = set(server.children())
        server.start_graceful()
        assert len(pair.client.read_to_end()) == 60_000
        wait_until(lambda: not old & set(server.children()), "the old generation is gone")


def test_tunnels_that_end_by_themselves_end_the_drain(start_with_room, echo_process):
    server = start_with_room(lines(echo_process, 600, 30))
    with Crowd(server, "/ws") as crowd:
        crowd.open(10)
        old = set(server.children())
        server.start_graceful()
        server.error_log.wait_for("AH00[0-9]+: Apache.*resuming normal operations", 2)
        crowd.echo()
        crowd.close()
        wait_until(lambda: not old & set(server.children()), "the old generation is gone")


def test_who_drains_does_not_listen(start_with_room, echo_process):
    """So that the next httpd can start on the same port, and no client waits for a child that takes no more."""
    server = start_with_room(lines(echo_process, 30, 1))
    with Crowd(server, "/ws") as pumped, Crowd(server, "/thread") as threaded:
        crowds = (pumped, threaded)
        pumped.open(10)
        threaded.open(4)
        server.graceful_stop()
        wait_until(lambda: refuses_connections(server), "nobody listens any more")
        for crowd in crowds:
            crowd.echo()
            crowd.close()
        server.await_exit()
