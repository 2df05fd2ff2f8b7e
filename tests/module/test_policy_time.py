"""How long a tunnel may live: idle timeouts and where they come from, lifetimes, the time to close."""

import contextlib
import itertools
import select
import socket
import time

import pytest

from harness import frames
from harness.moments import read_closes
from harness.policies import PUMPS, Policies, start_policies
from harness.waiting import PATIENCE

RUNS_ON = ["event"]   # lib has the timers; on prefork those of both pumps once
SIDES = ["client", "backend"]
IDLE = "idle for too long"
LIFETIME = "maximum connection time reached"
EXPIRED = "session expired"
_CLOSING = 0.8 * PATIENCE
_SLACK = 5 * PATIENCE
_EARLY = 0.01   # clocks are read at different moments

POLICIES = {
    "nothing": "",
    "idle": "ProxyWebsocketIdleTimeout 400ms",
    "busy": f"ProxyWebsocketIdleTimeout {PATIENCE}s",
    "worker-": "",
    "worker-off": "ProxyWebsocketIdleTimeout 0",
    "lifetime": "ProxyWebsocketMaxLifetime 1s",
    "answered": "ProxyWebsocketMaxLifetime 1s\nProxyWebsocketCloseTimeout 1min",
    "jitter": "ProxyWebsocketMaxLifetime 3s 90%",
    "expires": 'SetEnvIf X-Expires "^(.*)$" ws-expires=$1\nProxyWebsocketMaxLifetime 1h\n'
               'ProxyWebsocketCloseCode 1012 expires=1008',
    "expires-late": 'SetEnvIf X-Expires "^(.*)$" ws-expires=$1\nProxyWebsocketMaxLifetime 1s',
    "expired": "SetEnv ws-expires 1",
    "nonsense": "SetEnv ws-expires tomorrow",
    "closing": f"ProxyWebsocketCloseTimeout {int(1000 * _CLOSING)}ms",
}


@pytest.fixture(scope="module")
def server(mpm, start_shared, module_listener, tls_module_listener):
    workers = [f'ProxyPassMatch "^/{prefix}/([a-z]+)/worker-(|off)/(.*)" "{listener.url}/worker/$1/$2/$3" timeout=1'
               for prefix, listener in (("ws", module_listener), ("wss", tls_module_listener))]
    return start_policies(start_shared, mpm, module_listener, tls_module_listener, POLICIES,
                          "\n".join(["Timeout 1", *workers]))


@pytest.fixture
def policies(server, stage, tls_stage, tls):
    return Policies(server, stage, tls_stage, tls)


@pytest.mark.runs_on("event", "prefork")
@pytest.mark.parametrize("name, seconds", [("idle", 0.4), ("worker-", 1)], ids=["directive", "timeout= of the worker"])
def test_an_idle_tunnel_ends_after_its_timeout(policies, name, seconds):
    begin = time.monotonic()
    with policies.open_each(name) as pairs:
        opened = time.monotonic()
        for told in read_closes([pair.client for pair in pairs]).values():
            assert (told.code, told.reason) == (1012, IDLE)
            assert seconds - _EARLY <= told.at - begin and told.at - opened < seconds + _SLACK
        for pair in pairs:
            assert pair.session.read_close() == (1012, IDLE)
            pair.close()
            pair.expect_logged("proxy", 1012)


def test_timeout_alone_and_an_idle_timeout_of_zero_end_nothing(policies):
    """Timeout is 1 s, and so is timeout= of the worker that ProxyWebsocketIdleTimeout 0 overrules."""
    with policies.open_each("nothing") as pairs, policies.open_each("worker-off") as more:
        time.sleep(1.6)
        for pair in pairs + more:
            pair.client.send_text("still here")
            assert pair.session.read_message() == b"still here"


def test_the_larger_of_proxytimeout_and_timeout_is_an_idle_timeout(mpm, start, stage, tls_stage, tls):
    server = start_policies(start, mpm, stage, tls_stage, POLICIES, "Timeout 1\nProxyTimeout 1")
    policies = Policies(server, stage, tls_stage, tls)
    begin = time.monotonic()
    with policies.open_each("worker-off") as unlimited, policies.open_each("nothing") as pairs:
        for pair in pairs:
            assert pair.client.read_close() == (1012, IDLE)
        assert 1 - _EARLY <= time.monotonic() - begin < 1 + _SLACK
        time.sleep(0.3)
        for pair in unlimited:
            pair.client.send_text("still here")
            assert pair.session.read_message() == b"still here"


def test_a_byte_either_way_keeps_a_tunnel_from_being_idle(policies):
    """Each way alone, for twice the timeout."""
    with policies.open_each("busy", 2) as pairs:
        ways = [pair.ends(side) for pair, side in zip(pairs, itertools.cycle(SIDES))]
        for _ in range(10):
            time.sleep(0.2 * PATIENCE)
            for source, sink in ways:
                source.send_text("tick")
                assert sink.read_message() == b"tick"


@pytest.mark.runs_on("event", "prefork")
def test_a_busy_tunnel_ends_after_its_lifetime(policies):
    begin = time.monotonic()
    with policies.open_each("lifetime") as pairs:
        opened = time.monotonic()
        for pair in pairs:
            pair.client.send_text("busy")
            assert pair.session.read_message() == b"busy"
        for told in read_closes([pair.client for pair in pairs]).values():
            assert (told.code, told.reason) == (1012, LIFETIME)
            assert 1 - _EARLY <= told.at - begin and told.at - opened < 1 + _SLACK
        for pair in pairs:
            assert pair.session.read_close() == (1012, LIFETIME)
            pair.close()
            pair.expect_logged("proxy", 1012)


def test_each_side_has_time_to_answer_a_close_of_ours_though_the_other_has_hung_up(policies):
    with policies.open_each("answered", 2) as pairs:
        ways = [pair.ends(side) for pair, side in zip(pairs, itertools.cycle(SIDES))]
        for slow, quick in ways:
            assert quick.read_close() == slow.read_close() == (1012, LIFETIME)
            quick.send_close(1001)
            quick.close()
        assert select.select([slow.sock for slow, _ in ways], [], [], 0.3)[0] == []   # no end yet
        for slow, _ in ways:
            slow.send_close(1001)
            socket.socket.shutdown(slow.sock, socket.SHUT_WR)   # below TLS: the backend is a server
            slow.expect_broken()


def test_jitter_ends_tunnels_that_came_together_at_different_moments(policies):
    """Of 3 seconds up to 90 % less: 40 tunnels spread over 2.7 s, of which a third of a second seldom sees ten."""
    begin = time.monotonic()
    with policies.open_each("jitter", 20, pumps=["loop"]) as pairs:
        opening = time.monotonic() - begin
        told = read_closes([pair.client for pair in pairs])
        moments = sorted(each.at - begin for each in told.values())
        assert {(each.code, each.reason) for each in told.values()} == {(1012, LIFETIME)}
        assert 0.3 - _EARLY <= moments[0] and moments[-1] < 3 + opening + _SLACK
        assert moments[-1] - moments[0] > 1, moments
        assert max(sum(at <= other < at + 0.3 for other in moments) for at in moments) < 20, moments


def test_ws_expires_ends_a_tunnel_at_its_moment(policies):
    expires = int(time.time()) + 2
    with policies.open_each("expires", changes={"X-Expires": str(expires)}) as pairs, \
            policies.open_each("expires-late", changes={"X-Expires": str(expires + 3600)}) as sooner:
        for pair in sooner:
            assert pair.client.read_close() == (1012, LIFETIME)
        for pair in pairs:
            assert pair.client.read_close() == (1008, EXPIRED)
            assert expires - 0.1 <= time.time() < expires + _SLACK   # the tunnel counts on by another clock
            assert pair.session.read_close() == (1008, EXPIRED)


def test_ws_expires_in_the_past_ends_a_tunnel_at_once(policies):
    with policies.open_each("expired") as pairs:
        for pair in pairs:
            pair.expect_ended(1012, EXPIRED)


def test_ws_expires_that_is_no_time_is_told_and_ignored(policies):
    policies.server.expect_log(r"WSP0106: .*ws-expires must be seconds since 1970; it is \"tomorrow\"")
    with policies.open_each("nonsense") as pairs:
        for pair in pairs:
            pair.client.send_text("still here")
            assert pair.session.read_message() == b"still here"


def test_a_close_without_an_answer_ends_the_tunnel_after_the_close_timeout(policies):
    begin = time.monotonic()
    with policies.open_each("closing", 2) as pairs:
        pairs_and_closers = list(zip(pairs, itertools.cycle(SIDES)))
        for pair, first in pairs_and_closers:
            closer, other = pair.ends(first)
            closer.send_close(1000)
            assert other.read_close() == (1000, "")
        for pair, first in pairs_and_closers:
            pair.ends(first)[1].expect_broken()
            assert _CLOSING - _EARLY <= time.monotonic() - begin < _CLOSING + _SLACK
            pair.expect_logged(first, 1000)


def test_bytes_that_still_flow_keep_a_half_closed_tunnel_from_its_close_timeout(policies):
    with contextlib.ExitStack() as stack:
        pairs = [stack.enter_context(policies.open("closing", pump=pump)) for pump in PUMPS for _ in SIDES]
        ways = [pair.ends(side) for pair, side in zip(pairs, itertools.cycle(SIDES))]
        for quiet, speaker in ways:
            quiet.shut_write()
            speaker.expect_end()
        for number in range(6):
            time.sleep(_CLOSING / 4)
            for quiet, speaker in ways:
                speaker.send_frame(frames.BINARY, b"%d" % number)
                assert quiet.read_message() == b"%d" % number
