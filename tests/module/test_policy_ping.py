"""ProxyWebsocketPing: who is silent is asked, who does not answer is gone and the other side is told; nobody notices
Pings and Pongs that are not theirs."""

import itertools
import select
import time

import pytest

from harness import frames
from harness.background import all_at_once
from harness.bulk import digest_of_prefix, frame_block, receive_exactly, send_until_stuck
from harness.policies import Policies, start_policies
from harness.waiting import BOUND, PATIENCE

RUNS_ON = ["event"]   # lib asks and counts; on prefork the whole of it once with both pumps
SIDES = ["client", "backend"]
_OURS = 8          # bytes of payload in our own Pings
_DEADLINE = 1300 * PATIENCE   # ms; of the policies that find the dead
_DEAD_AFTER = 0.2 + _DEADLINE / 1000
_SLACK = 5 * PATIENCE

POLICIES = {
    "asked": "ProxyWebsocketPing 200ms 20s",
    "asked-both": "ProxyWebsocketPing 200ms 20s backend",
    "found": f"ProxyWebsocketPing 200ms {_DEADLINE}ms",
    "found-both": f"ProxyWebsocketPing 200ms {_DEADLINE}ms backend",
    "limited": f"ProxyWebsocketPing 200ms {_DEADLINE}ms\nProxyWebsocketMessageRate 4/s 4",
}


@pytest.fixture(scope="module")
def server(mpm, start_shared, module_listener, tls_module_listener):
    return start_policies(start_shared, mpm, module_listener, tls_module_listener, POLICIES)


@pytest.fixture
def policies(server, stage, tls_stage, tls):
    return Policies(server, stage, tls_stage, tls)


def is_ours(frame):
    return frame.opcode == frames.PING and len(frame.payload) == _OURS


def answer_ping(peer):
    """Reads one of our Pings, which must come next, and answers it."""
    ping = peer.read_frame()
    assert is_ours(ping), ping
    peer.send_frame(frames.PONG, ping.payload)


def frames_of(peer, seconds=3 * BOUND):
    """What comes, for so long and no longer: Pings may come for ever."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield peer.read_frame()
    raise AssertionError(f"for {seconds} s nothing but Pings of ours")


def next_foreign_frame(peer):
    """The next frame that is not a Ping of ours; those are answered."""
    for frame in frames_of(peer):
        if not is_ours(frame):
            return frame
        peer.send_frame(frames.PONG, frame.payload)


def test_an_idle_client_is_pinged_and_its_pong_stays_with_us(policies):
    with policies.open_each("asked") as pairs:
        for pair in 3 * pairs:
            answer_ping(pair.client)
        for pair in pairs:
            pair.client.send_text("after three Pongs")
            assert pair.session.read_frame() == frames.Frame(frames.TEXT, b"after three Pongs")


def test_an_idle_backend_is_pinged_only_where_the_directive_says_so(policies):
    with policies.open_each("asked-both") as pairs, policies.open_each("asked") as others:
        for pair in 3 * pairs:
            answer_ping(pair.session)
        for pair in pairs:
            pair.session.send_text("after three Pongs")
            assert next_foreign_frame(pair.client) == frames.Frame(frames.TEXT, b"after three Pongs")
        for pair in others:
            pair.client.send_text("nothing before this")
            assert pair.session.read_frame() == frames.Frame(frames.TEXT, b"nothing before this")


def test_pings_and_pongs_of_the_application_pass(policies):
    with policies.open_each("asked-both") as pairs:
        for sender, receiver in [pair.ends(side) for pair in pairs for side in SIDES]:
            for opcode, payload in [(frames.PING, b"anybody there?"), (frames.PONG, b"by the way"), (frames.PING, b""),
                                    (frames.PONG, b""), (frames.PONG, b"8 bytes!")]:
                sender.send_frame(opcode, payload)
                assert next_foreign_frame(receiver) == frames.Frame(opcode, payload)


def test_a_pong_that_answers_an_older_ping_is_swallowed_too(policies):
    with policies.open_each("asked") as pairs:
        firsts = [pair.client.read_frame() for pair in pairs]
        for pair in pairs:
            pair.client.send_text("life")
        for pair, first in zip(pairs, firsts):
            second = pair.client.read_frame()
            assert is_ours(first) and is_ours(second) and first.payload != second.payload
            for ping in (first, second):
                pair.client.send_frame(frames.PONG, ping.payload)
            pair.client.send_text("end")
            assert [pair.session.read_frame().payload for _ in range(2)] == [b"life", b"end"]


@pytest.mark.runs_on("event", "prefork")
def test_a_silent_side_is_gone_in_time_and_the_other_is_told(policies):
    begin = time.monotonic()
    with policies.open_each("found-both", 2) as pairs:
        all_at_once("the silent are found", expect_found_silent, pairs, itertools.cycle(SIDES), itertools.repeat(begin),
                    seconds=9 * BOUND)
        expect_told_of(pairs[0].server, len(pairs))


def expect_found_silent(pair, side, begin):
    silent, other = pair.ends(side)
    with pytest.raises(EOFError):
        pytest.fail(f"between two Pings came {next_foreign_frame(other)}")
    assert _DEAD_AFTER <= time.monotonic() - begin < _DEAD_AFTER + _SLACK
    other.close()
    expect_nothing_but_pings(silent)
    pair.expect_logged("ping-timeout", 1006)


def expect_told_of(server, count):
    """Half of them clients."""
    for side in SIDES:
        assert len(server.error_log.wait_for(f"the {side} answered no Ping", count // 2)) == count // 2


def expect_nothing_but_pings(peer):
    """Until the connection ends."""
    try:
        for frame in frames_of(peer):
            assert is_ours(frame), frame
    except (EOFError, OSError):
        pass


def test_a_side_that_stalls_in_the_middle_of_a_frame_is_found(policies):
    with policies.open_each("found", 2) as pairs:
        ways = [pair.ends(side) for pair, side in zip(pairs, itertools.cycle(SIDES))]
        for stalled, other in ways:
            part = stalled.frame(frames.BINARY, b"x" * 1000)[:500]
            stalled.send(part)
            assert other.read_exactly(len(part)) == part
        for pair, (_, other) in zip(pairs, ways):
            other.expect_end()
            pair.close()
            pair.expect_logged("ping-timeout", 1006)
        expect_told_of(pairs[0].server, len(pairs))


def test_a_client_that_only_sends_data_stays(policies):
    """For longer than interval and deadline, and never a Pong."""
    with policies.open_each("found") as pairs:
        for number in range(int(_DEAD_AFTER / 0.2) + 2):
            for pair in pairs:
                assert is_ours(pair.client.read_frame())
                pair.client.send_text(f"busy {number}")
                assert pair.session.read_message() == b"busy %d" % number


def test_a_ping_never_lands_inside_a_frame(policies):
    """Backends and clients write large frames in small pieces, each frame for longer than the interval."""
    with policies.open_each("asked-both", 2) as pairs:
        ways = [pair.ends(side) for pair, side in zip(pairs, itertools.cycle(SIDES))]
        pings = [sum(counts) for counts in zip(*(send_slowly(ways, bytes([number]) * 50_000) for number in range(4)))]
        assert all(pings), pings


def send_slowly(ways, payload):
    """One frame on each way; how many Pings its receiver saw before it."""
    built = [source.frame(frames.BINARY, payload) for source, _ in ways]
    for at in range(0, len(built[0]), 4000):
        for (source, _), frame in zip(ways, built):
            source.send(frame[at: at + 4000])
        time.sleep(0.02)   # so slow a sender is meant
    return [pings_before(sink, frames.Frame(frames.BINARY, payload)) for _, sink in ways]


def pings_before(peer, expected):
    for count, frame in enumerate(frames_of(peer)):
        if not is_ours(frame):
            assert frame == expected
            return count


# The next two are not for tunnels in a request thread: those block while they write, and it is Timeout that ends them.
@pytest.mark.parametrize("size", [1000, 1 << 26], ids=["many frames", "one huge frame"])
def test_a_client_that_reads_nothing_is_found_though_the_backend_sends(policies, size):
    block = frames.server_frame(frames.BINARY, b"x" * size)
    with policies.open_each("found", pumps=["loop"]) as pairs:
        all_at_once("backends stop to send", lambda pair: send_until_stuck(pair.session, block, len(block)), pairs)
        for pair in pairs:
            pair.session.expect_end()
            pair.session.close()
            pair.expect_logged("ping-timeout", 1006)
        assert len(pairs[0].server.error_log.wait_for("the client answered no Ping", len(pairs))) == len(pairs)


def test_a_client_that_is_not_read_is_not_taken_for_dead(policies):
    """The backend takes nothing, so the client's Pongs wait behind its data."""
    block = frame_block(masks=True)
    with policies.open_each("found", pumps=["loop"]) as pairs:
        sent = all_at_once("clients stop to send", lambda pair: send_until_stuck(pair.client, block, 1 << 26), pairs)
        time.sleep(_DEAD_AFTER)
        for pair, count in zip(pairs, sent):
            assert receive_exactly(pair.session, count) == digest_of_prefix(block, count)
            pair.session.send_text("well done")
            assert next_foreign_frame(pair.client) == frames.Frame(frames.TEXT, b"well done")


def test_a_client_that_waits_for_its_message_rate_is_not_taken_for_dead(policies):
    texts = [b"message %d" % number for number in range(4 + 8)]   # the last of them 2 s after the first
    with policies.open_each("limited") as pairs:
        for pair in pairs:
            pair.client.send(b"".join(pair.client.frame(frames.TEXT, text) for text in texts))
        for text, pair in itertools.product(texts, pairs):
            if select.select([pair.client.sock], [], [], 0)[0]:
                answer_ping(pair.client)
            assert pair.session.read_message() == text
