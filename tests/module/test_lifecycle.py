"""httpd's own life with open tunnels: restart, graceful, stop, graceful-stop; nothing hangs, crashes or leaks."""

import pytest

from harness import frames
from harness.config import MPM_IS_FULL, ONE_CHILD
from harness.crowd import Crowd
from harness.pair import open_pair
from harness.pumps import pump_line
from harness.waiting import BOUND, wait_until, wait_until_steady

_TUNNELS = 50


@pytest.fixture(params=["loop", "thread"])
def pump(request):
    return request.param


# Threads for all tunnels from the start: an MPM adds children once a second, and also when it is told to restart. SIGTERM
# then finds the newborn in the middle of its setup, where just_die() calls exit() in a signal handler, whatever malloc was
# doing (server/mpm/event/event.c): so there must be no need of one.
_THREADS = ("StartServers 4\nServerLimit 16\nThreadsPerChild 16\nMaxRequestWorkers 256\n"
            "MinSpareThreads 1\nMaxSpareThreads 256")
ROOM_FOR_ALL = {"event": _THREADS, "worker": _THREADS,
                "prefork": "StartServers 60\nServerLimit 200\nMaxRequestWorkers 200\nMaxSpareServers 200"}


@pytest.fixture
def server(pump, start, echo, mpm):
    return start(f"""
        {pump_line(pump)}
        ProxyWebsocketMigrate Off
        ProxyWebsocketDrainTimeout 1s
        ProxyWebsocketDrainSpread 500ms
        ProxyPass /ws {echo.url}/
        """, mpm_lines=ROOM_FOR_ALL[mpm])


@pytest.fixture
def crowd(server):
    with Crowd(server, "/ws") as crowd:
        crowd.open(_TUNNELS)
        crowd.echo()
        yield crowd


def expect_going_away(crowd):
    """Every client is told 1012 and then sees the end of TCP."""
    for tunnel in crowd.tunnels:
        assert tunnel.read_close()[0] == 1012
        tunnel.send_close(1001)
    for tunnel in crowd.tunnels:
        tunnel.expect_broken()


def expect_end(server, crowd, pump):
    """As above, unless a request thread holds the tunnel: an ungraceful MPM pulls the client's socket from under it
    (close_worker_sockets, server/mpm/event/event.c; event itself may crash over that, see Httpd.stop)."""
    if pump == "loop":
        expect_going_away(crowd)
    elif server.mpm == "event":
        server.allow_crash()
    for tunnel in crowd.tunnels:
        tunnel.expect_broken()


def test_stop_ends_every_tunnel_and_leaves_no_process(server, crowd, pump):
    server.stop()
    expect_end(server, crowd, pump)


def test_graceful_stop_tells_every_client_and_leaves_no_process(server, crowd):
    server.graceful_stop()
    expect_going_away(crowd)
    server.await_exit(4 * BOUND)


def test_graceful_stop_does_not_wait_for_clients_that_say_nothing(server, crowd):
    server.graceful_stop()
    server.await_exit(4 * BOUND)
    assert all(tunnel.read_close()[0] == 1012 for tunnel in crowd.tunnels)


def test_restart_ends_the_tunnels_and_new_ones_open(server, crowd, pump):
    server.restart()
    expect_end(server, crowd, pump)
    with server.open_tunnel("/ws") as client:
        client.echo()


def test_graceful_restart_ends_the_old_generation_and_new_tunnels_open(server, crowd):
    old = server.children()
    server.graceful()
    with server.open_tunnel("/ws") as client:
        client.echo()
        expect_going_away(crowd)
        wait_until(lambda: not set(old) & set(server.children()), "the old generation is gone", 4 * BOUND)
        client.echo()


def test_restarts_in_a_row_leave_a_working_server(server, pump):
    if pump == "thread":
        # The old generation may take the next tunnel; a child whose main thread joins its workers hears no second signal
        # (child_main, server/mpm/worker/worker.c), so that tunnel's drain goes on into the restart.
        server.allow_log("AH00045:")
    for act in (server.graceful, server.restart, server.graceful):
        with server.open_tunnel("/ws") as client:
            client.echo()
            act()
    with server.open_tunnel("/ws") as client:
        client.echo()


def test_stop_in_the_middle_of_a_frame_is_bounded(start, stage):
    server = start(f"ProxyPass /ws {stage.url}/")
    with open_pair(server, "/ws", stage) as pair:
        pair.session.send_frame(frames.BINARY, b"x" * 200_000)
        pair.session.send(frames.frame_header(frames.BINARY, 1_000_000) + b"half of a frame")
        server.stop()
        pair.client.expect_broken()


def test_stop_while_a_backend_is_silent_needs_no_kill(start, stage):
    server = start(f"ProxyPass /ws {stage.url}/")
    server.allow_log(r"WSP\d{4}:")
    with server.start_handshake("/ws") as client, stage.accept():
        server.stop()
        client.expect_broken()


ENDINGS = {
    "closed in order": lambda crowd: crowd.close(),
    "dropped": lambda crowd: crowd.drop(),
    "reset": lambda crowd: [tunnel.reset() for tunnel in crowd.tunnels],
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS.keys())
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_two_hundred_tunnels_leave_no_descriptor(start, mpm, echo, tls_echo, tls, scheme, end):
    backend = echo if scheme == "ws" else tls_echo
    server = start(f"ProxyPass /ws {backend.url}/", mpm_lines=ONE_CHILD[mpm])
    server.allow_log(MPM_IS_FULL)
    with Crowd(server, "/ws", tls if scheme == "wss" else None) as crowd:
        crowd.open(20)   # whatever a child opens once, it has opened now
        crowd.close()
        before = wait_until_steady(server.descriptor_count, "descriptors of the child")
        crowd.open(200)
        crowd.echo()
        end(crowd)
        crowd.tunnels = []
        wait_until(lambda: server.descriptor_count() <= before,
                   f"descriptors are given back: {before} before, {server.descriptor_count()} now")
