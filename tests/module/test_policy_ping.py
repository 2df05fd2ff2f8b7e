"""ProxyWebsocketPing: who is silent is asked, who does not answer is gone and the other side is told; nobody notices
Pings and Pongs that are not theirs."""

import select
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import frames
from harness.bulk import digest_of_prefix, frame_block, receive_exactly, send_until_stuck
from harness.policies import OTHER_HAS_GONE, Policies, policy_lines
from harness.waiting import PATIENCE

RUNS_ON = ["event", "prefork"]   # a worker's pumps are an event child's
SIDES = ["client", "backend"]
_OURS = 8          # bytes of payload in our own Pings
_DEAD_AFTER = 0.7   # interval and deadline of the policies that find the dead
_SLACK = 5 * PATIENCE

POLICIES = {
    "asked": "ProxyWebsocketPing 200ms 20s",
    "asked-both": "ProxyWebsocketPing 200ms 20s backend",
    "found": "ProxyWebsocketPing 200ms 500ms",
    "found-both": "ProxyWebsocketPing 200ms 500ms backend",
    "alive": f"ProxyWebsocketPing 200ms {PATIENCE}s",
    "limited": "ProxyWebsocketPing 200ms 500ms\nProxyWebsocketMessageRate 4/s 4",
}


@pytest.fixture(scope="module", params=["loop", "thread"])
def pump(request):
    return request.param


@pytest.fixture(scope="module")
def server(pump, start_shared, module_listener, tls_module_listener):
    return start_shared(policy_lines(pump, module_listener, tls_module_listener, POLICIES))


@pytest.fixture
def policies(server, stage, tls_stage, tls):
    return Policies(server, stage, tls_stage, tls)


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def secure(request):
    return request.param


def is_ours(frame):
    return frame.opcode == frames.PING and len(frame.payload) == _OURS


def answer_ping(peer):
    """Reads one of our Pings, which must come next, and answers it."""
    ping = peer.read_frame()
    assert is_ours(ping), ping
    peer.send_frame(frames.PONG, ping.payload)


def next_foreign_frame(peer):
    """The next frame that is not a Ping of ours; those are answered."""
    while is_ours(frame := peer.read_frame()):
        peer.send_frame(frames.PONG, frame.payload)
    return frame


def test_an_idle_client_is_pinged_and_its_pong_stays_with_us(policies, secure):
    with policies.open("asked", secure) as pair:
        for _ in range(3):
            answer_ping(pair.client)
        pair.client.send_text("after three Pongs")
        assert pair.session.read_frame() == frames.Frame(frames.TEXT, b"after three Pongs")


def test_an_idle_backend_is_pinged_only_where_the_directive_says_so(policies, secure):
    with policies.open("asked-both", secure) as pair, policies.open("asked", secure) as other:
        for _ in range(3):
            answer_ping(pair.session)
        pair.session.send_text("after three Pongs")
        assert next_foreign_frame(pair.client) == frames.Frame(frames.TEXT, b"after three Pongs")
        other.client.send_text("nothing before this")
        assert other.session.read_frame() == frames.Frame(frames.TEXT, b"nothing before this")


@pytest.mark.parametrize("side", SIDES)
def test_pings_and_pongs_of_the_application_pass(policies, secure, side):
    with policies.open("asked-both", secure) as pair:
        sender, receiver = pair.ends(side)
        for opcode, payload in [(frames.PING, b"anybody there?"), (frames.PONG, b"by the way"), (frames.PING, b""),
                                (frames.PONG, b""), (frames.PONG, b"8 bytes!")]:
            sender.send_frame(opcode, payload)
            assert next_foreign_frame(receiver) == frames.Frame(opcode, payload)


def test_a_pong_that_answers_an_older_ping_is_swallowed_too(policies):
    with policies.open("asked") as pair:
        first = pair.client.read_frame()
        pair.client.send_text("life")
        second = pair.client.read_frame()
        assert is_ours(first) and is_ours(second) and first.payload != second.payload
        for ping in (first, second):
            pair.client.send_frame(frames.PONG, ping.payload)
        pair.client.send_text("end")
        assert [pair.session.read_frame().payload for _ in range(2)] == [b"life", b"end"]


def test_a_silent_side_is_gone_in_time_and_the_other_is_told(policies):
    begin = time.monotonic()
    with policies.open_each("found-both", 2) as pairs, ThreadPoolExecutor(len(pairs)) as pool:
        list(pool.map(expect_found_silent, pairs, 2 * SIDES, [begin] * len(pairs)))
        for side in SIDES:
            assert len(pairs[0].server.error_log.wait_for(f"the {side} answered no Ping", 2)) == 2


def expect_found_silent(pair, side, begin):
    silent, other = pair.ends(side)
    assert next_foreign_close(other) == OTHER_HAS_GONE
    assert _DEAD_AFTER <= time.monotonic() - begin < _DEAD_AFTER + _SLACK
    other.close()
    expect_nothing_but_pings(silent)
    pair.expect_logged("ping-timeout", 1006)


def next_foreign_close(peer):
    """As read_close(), past our Pings."""
    frame = next_foreign_frame(peer)
    assert frame.opcode == frames.CLOSE, frame
    return int.from_bytes(frame.payload[:2], "big"), frame.payload[2:].decode()


def expect_nothing_but_pings(peer):
    """Until the connection ends."""
    try:
        while True:
            frame = peer.read_frame()
            assert is_ours(frame), frame
    except (EOFError, OSError):
        pass


def test_a_side_that_stalls_in_the_middle_of_a_frame_is_found(policies):
    with policies.open_each("found", 2) as pairs:
        for pair, side in zip(pairs, 2 * SIDES):
            stalled, other = pair.ends(side)
            part = stalled.frame(frames.BINARY, b"x" * 1000)[:500]
            stalled.send(part)
            assert other.read_exactly(len(part)) == part
        for pair, side in zip(pairs, 2 * SIDES):
            pair.ends(side)[1].expect_end()
            pair.close()
            pair.expect_logged("ping-timeout", 1006)
        for side in SIDES:
            assert len(pairs[0].server.error_log.wait_for(f"the {side} answered no Ping", 2)) == 2


def test_a_client_that_only_sends_data_stays(policies):
    """For longer than interval and deadline, and never a Pong."""
    with policies.open_each("alive") as pairs:
        for number in range(1 + int(PATIENCE / 0.2) + 2):
            for pair in pairs:
                assert is_ours(pair.client.read_frame())
                pair.client.send_text(f"busy {number}")
                assert pair.session.read_message() == b"busy %d" % number


def test_a_ping_never_lands_inside_a_frame(policies):
    """Backends and clients write large frames in small pieces, each frame for longer than the interval."""
    with policies.open_each("asked-both", 2) as pairs:
        ways = [pair.ends(side) for pair, side in zip(pairs, 2 * SIDES)]
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
    count = 0
    while is_ours(frame := peer.read_frame()):
        count += 1
    assert frame == expected
    return count


@pytest.fixture
def loop_only(pump):
    if pump != "loop":
        pytest.skip("a tunnel in a request thread blocks while it writes: Timeout ends it, not a Ping")


@pytest.mark.parametrize("size", [1000, 1 << 26], ids=["many frames", "one huge frame"])
def test_a_client_that_reads_nothing_is_found_though_the_backend_sends(loop_only, policies, secure, size):
    with policies.open("found", secure) as pair:
        block = frames.server_frame(frames.BINARY, b"x" * size)
        send_until_stuck(pair.session, block, len(block))
        assert pair.session.read_close() == OTHER_HAS_GONE
        pair.session.close()
        pair.expect_logged("ping-timeout", 1006)
        pair.server.error_log.wait_for("the client answered no Ping")


def test_a_client_that_we_do_not_read_is_not_taken_for_dead(loop_only, policies, secure):
    """The backend takes nothing, so the client's Pongs wait behind its data."""
    with policies.open("found", secure) as pair:
        block = frame_block(masks=True)
        sent = send_until_stuck(pair.client, block, 1 << 26)
        time.sleep(2 * _DEAD_AFTER)
        assert receive_exactly(pair.session, sent) == digest_of_prefix(block, sent)
        pair.session.send_text("well done")
        assert next_foreign_frame(pair.client) == frames.Frame(frames.TEXT, b"well done")


def test_a_client_that_waits_for_its_message_rate_is_not_taken_for_dead(policies):
    with policies.open("limited") as pair:
        texts = [b"message %d" % number for number in range(4 + 8)]
        pair.client.send(b"".join(pair.client.frame(frames.TEXT, text) for text in texts))
        for text in texts:
            if select.select([pair.client.sock], [], [], 0)[0]:
                answer_ping(pair.client)
            assert pair.session.read_message() == text
