"""Open tunnels move to another child process when theirs is replaced, and nobody notices."""

import ssl
import time

import pytest

from harness import frames
from harness.client import finish_handshake
from harness.crowd import Crowd
from harness.pair import Pair, open_pair
from harness.waiting import BOUND, PATIENCE, wait_until

pytestmark = pytest.mark.threads

# Slots for two generations; a child of each generation is there from the start.
_THREADS = ("StartServers 2\nServerLimit 12\nThreadsPerChild 16\nMaxRequestWorkers 64\n"
            "MinSpareThreads 1\nMaxSpareThreads 64")
ROOM = {"event": _THREADS, "worker": _THREADS,
        "prefork": "StartServers 6\nServerLimit 100\nMaxRequestWorkers 100\nMinSpareServers 1\nMaxSpareServers 100"}

DRAINS = "WSP0011: child drained: {} tunnels when it stopped serving, 0 left at its end, .*; {} have moved to other child"


def lines(backend, more=""):
    return f"""
        LogLevel proxy_websocket:debug
        ProxyWebsocketDrainTimeout 10min
        {more}
        ProxyPass /ws {backend.url}/
        """


@pytest.fixture
def server(start, mpm, stage):
    return start(lines(stage), mpm_lines=ROOM[mpm])


def replace_children(server):
    """A graceful restart; returns when every process of the old generation is gone."""
    old = set(server.children())
    server.graceful()
    await_gone(server, old)
    return old


def await_gone(server, pids):
    wait_until(lambda: not pids & set(server.children()), f"the processes {pids} are gone", 4 * BOUND)


def exchange(pair, size=1000):
    """A message each way."""
    pair.client.send_frame(frames.BINARY, b"c" * size)
    assert pair.session.read_message() == b"c" * size
    pair.session.send_frame(frames.BINARY, b"b" * size)
    assert pair.client.read_message() == b"b" * size


def test_a_tunnel_outlives_the_children_in_which_it_lives(server, stage):
    with open_pair(server, "/ws/long", stage) as pair:
        begin = time.monotonic()
        exchange(pair)
        for _ in range(3):
            replace_children(server)
            exchange(pair)
        lived = time.monotonic() - begin
        pair.say_goodbye()
    line = server.access_log.wait_for("/ws/long")[0]
    assert (line.status, line.code, line.by) == ("101", "1000", "client")
    assert (line.messages_in, line.messages_out) == ("4", "4")
    assert 4000 < line.number("received") < 5500 and 4000 < line.number("sent") < 5000
    assert line.number("us") > 1_000_000 * lived
    assert len(server.error_log.lines(r"WSP0201: .*//long: .* \(close code 1000, .* messages 4 in 4 out")) == 1
    assert len(server.error_log.lines("WSP0171: .* to ws://")) == 3
    assert len(server.error_log.lines(DRAINS.format(1, 1))) == 3
    assert len(server.error_log.lines("WSP0170: 1 of 1 tunnels moved to other child processes within [0-9]+ ms, 0 are left$")) == 3


def test_what_is_half_done_is_finished_in_the_other_process(server, stage):
    """Half a frame each way, one of them of a message in two; and what came while nobody could take it."""
    with open_pair(server, "/ws", stage) as pair:
        message = b"x" * 3000
        frame = frames.server_frame(frames.BINARY, message)
        pair.session.send(frame[:1000])
        assert pair.client.read_exactly(1000) == frame[:1000]
        pair.client.send_frame(frames.TEXT, b"begun ", fin=False)
        replace_children(server)
        pair.session.send(frame[1000:])
        assert pair.client.read_exactly(len(frame) - 1000) == frame[1000:]
        pair.client.send_frame(frames.CONTINUATION, b"and ended")
        assert pair.session.read_message() == b"begun and ended"
        pair.say_goodbye()


def test_tls_moves_on_both_sides(start, mpm, tls_stage, tls):
    server = start(lines(tls_stage), mpm_lines=ROOM[mpm])
    with open_pair(server, "/ws", tls_stage, tls) as pair:
        exchange(pair)   # a tunnel is ready to move when its sessions have left OpenSSL, which is at a quiet moment
        for _ in range(2):
            replace_children(server)
            exchange(pair, 100_000)
        pair.say_goodbye()
    assert len(server.error_log.lines(DRAINS.format(1, 1))) == 2


def test_tls_1_2_drains(start, mpm, stage, certificates):
    server = start(lines(stage).replace("10min", f"{PATIENCE}s"), mpm_lines=ROOM[mpm])
    context = certificates.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with open_pair(server, "/ws", stage, context) as pair:
        server.graceful()
        assert pair.client.read_close() == (1012, "server restarting")


def test_many_tunnels_move_at_once_and_new_ones_open(start, mpm, echo_process):
    server = start(lines(echo_process), mpm_lines=ROOM[mpm])
    with Crowd(server, "/ws") as crowd:
        crowd.open(60)
        for _ in range(2):
            replace_children(server)
            crowd.echo()
            crowd.open(5)
        crowd.close()
    assert not server.error_log.lines("WSP0201: .*server restarting")


def test_off_drains(start, mpm, stage):
    server = start(lines(stage, "ProxyWebsocketMigrate Off").replace("10min", f"{PATIENCE}s"), mpm_lines=ROOM[mpm])
    with open_pair(server, "/ws", stage) as pair:
        server.graceful()
        assert pair.client.read_close() == (1012, "server restarting")
        assert pair.session.read_close() == (1012, "server restarting")
    assert not server.error_log.lines("WSP017")


def test_a_child_that_has_served_enough_hands_its_tunnels_to_the_others(start, mpm, stage):
    room = ROOM[mpm].replace("StartServers 6", "StartServers 2")
    server = start(lines(stage), mpm_lines=f"{room}\nMaxConnectionsPerChild 6")
    first = set(server.children())
    with open_pair(server, "/ws", stage) as pair:
        wait_until(lambda: server.get("/").status == 200 and not first & set(server.children()),
                   "the first children are gone", 4 * BOUND)
        exchange(pair)
        pair.say_goodbye()
    assert server.error_log.lines(DRAINS.format(1, 1))


def test_a_tunnel_that_opens_only_when_its_child_leaves_moves_as_well(server, stage):
    """It is the first one of its child, whose threads for log lines are made for it."""
    old = set(server.children())
    client = server.start_handshake("/ws")
    session = stage.accept()
    server.graceful()
    session.accept_handshake()
    with Pair(finish_handshake(client), session) as pair:
        exchange(pair)
        await_gone(server, old)
        exchange(pair)
        assert server.error_log.lines("WSP0171: .* to ws://")


@pytest.mark.parametrize("more, said", [
    ("ProxyWebsocketMigrate Off", "ProxyWebsocketMigrate is Off in the new configuration"),
    ("ServerName elsewhere.example", "1 belong to no mapping of the new configuration")], ids=["off", "gone"])
def test_what_the_new_configuration_does_not_take_drains(start, mpm, stage, more, said):
    server = start(lines(stage).replace("10min", f"{PATIENCE}s"), mpm_lines=ROOM[mpm])
    with open_pair(server, "/ws", stage) as pair:
        server.append_to_config(more)
        server.graceful()
        assert pair.client.read_close() == (1012, "server restarting")
    server.error_log.wait_for(f"WSP0170: 0 of 1 tunnels moved to other child processes within 0 ms, . are left; {said}$")


@pytest.mark.runs_on("event", "prefork")
def test_a_graceful_stop_drains(start, mpm, stage):
    server = start(lines(stage).replace("10min", f"{PATIENCE}s"), mpm_lines=ROOM[mpm])
    with open_pair(server, "/ws", stage) as pair:
        server.graceful_stop()
        assert pair.client.read_close() == (1012, "server restarting")
        pair.client.send_close(1012)
    server.await_exit(4 * BOUND)
