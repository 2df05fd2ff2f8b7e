"""ProxyWebsocketMaxMessageSize and ProxyWebsocketMessageRate."""

import time

import pytest

from harness import frames
from harness.policies import OTHER_BROKE_A_RULE, PUMPS, Policies, start_policies
from harness.waiting import PATIENCE, SANITIZED

RUNS_ON = ["event"]   # lib counts; elsewhere how a limit ends a tunnel
SIDES = ["client", "backend"]
TOO_BIG = "message is larger than ProxyWebsocketMaxMessageSize"
TOO_FAST = "messages come faster than ProxyWebsocketMessageRate"
LIMIT = {"client": 1000, "backend": 70_000}
_SIZE = "ProxyWebsocketMaxMessageSize 1000 70000"
_BURST = 10
_RATE = 20   # per second

POLICIES = {
    "size": _SIZE,
    "size-unchecked": f"{_SIZE}\nProxyWebsocketValidate Off",
    "size-one-way": "ProxyWebsocketMaxMessageSize 1000",
    "size-other-way": "ProxyWebsocketMaxMessageSize 0 1K",
    "size-off": "ProxyWebsocketMaxMessageSize Off",
    "rate": f"ProxyWebsocketMaxMessageSize Off\nProxyWebsocketMessageRate {_RATE}/s {_BURST}",
}


@pytest.fixture(scope="module")
def server(mpm, start_shared, module_listener, tls_module_listener):
    return start_policies(start_shared, mpm, module_listener, tls_module_listener, POLICIES,
                          "ProxyWebsocketMaxMessageSize 10")


@pytest.fixture(params=PUMPS)
def policies(request, server, stage, tls_stage, tls):
    return Policies(server, stage, tls_stage, tls, request.param)


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def secure(request):
    return request.param


@pytest.mark.parametrize("name", ["size", "size-unchecked"])
@pytest.mark.parametrize("side", SIDES)
def test_a_message_of_the_limit_passes_and_one_byte_more_does_not(policies, secure, side, name):
    with policies.open(name, secure) as pair:
        source, sink = pair.ends(side)
        for _ in range(2):
            source.send_frame(frames.BINARY, b"x" * LIMIT[side])
            assert sink.read_message() == b"x" * LIMIT[side]
        source.send_frame(frames.BINARY, b"x" * (LIMIT[side] + 1))
        pair.expect_violation(side, 1009, TOO_BIG, "message too big")   # the sink's next byte is the Close's


@pytest.mark.parametrize("side", SIDES)
def test_the_fragments_of_a_message_count_together(policies, secure, side):
    size = LIMIT[side]
    with policies.open("size", secure) as pair:
        source, sink = pair.ends(side)
        for _ in range(2):
            send_in_fragments(source, [size - 600, 300, 0, 300])
            assert sink.read_message() == b"x" * size
        send_in_fragments(source, [size - 600, 300, 301])
        assert [sink.read_frame().payload for _ in range(2)] == [b"x" * (size - 600), b"x" * 300]
        pair.expect_violation(side, 1009, TOO_BIG, "message too big")


def send_in_fragments(peer, sizes):
    opcode = frames.BINARY
    for number, size in enumerate(sizes, 1):
        peer.send_frame(opcode, b"x" * size, fin=number == len(sizes))
        opcode = frames.CONTINUATION


@pytest.mark.parametrize("length", [1 << 32, (1 << 63) - 1], ids=["2^32", "2^63-1"])
@pytest.mark.parametrize("side", SIDES)
def test_a_huge_length_is_refused_before_a_byte_and_without_memory(policies, secure, side, length):
    with policies.open("size", secure) as pair:
        source, sink = pair.ends(side)
        source.send_text("warm")
        assert sink.read_message() == b"warm"
        before = pair.server.pss_bytes()
        header = frames.frame_header(frames.BINARY, length, key=frames.ZERO_KEY if source.masks else None)
        source.send(header + b"payload" * 10_000)
        assert sink.read_close() == OTHER_BROKE_A_RULE
        assert source.read_close() == (1009, "message too big")
        assert SANITIZED or pair.server.pss_bytes() - before < 4 << 20   # prefork may be forking
        pair.close()
        pair.expect_rule_in_log(side, TOO_BIG)


@pytest.mark.parametrize("name, free", [("size-one-way", "backend"), ("size-other-way", "client"),
                                        ("size-off", "client")])
def test_a_side_without_a_limit_may_send_what_it_likes(policies, name, free):
    with policies.open(name) as pair:
        source, sink = pair.ends(free)
        source.send_frame(frames.BINARY, b"x" * 1_000_000)
        assert sink.read_message() == b"x" * 1_000_000


def texts(count):
    return [b"message %d" % number for number in range(count)]


def send_texts(peer, wanted):
    peer.send(b"".join(peer.frame(frames.TEXT, text) for text in wanted))


def test_a_burst_of_messages_passes_and_the_backend_is_not_limited(policies, secure):
    begin = time.monotonic()
    with policies.open("rate", secure) as pair:
        for source, sink, count in [(pair.client, pair.session, _BURST), (pair.session, pair.client, 20 * _BURST)]:
            send_texts(source, texts(count))
            assert [sink.read_message() for _ in range(count)] == texts(count)
        assert SANITIZED or time.monotonic() - begin < 20 * _BURST / _RATE   # what a limit would have taken


def test_faster_messages_wait_and_arrive_in_order(policies):
    count = 3 * _BURST   # twice the burst may wait
    with policies.open("rate", True) as secure_pair, policies.open("rate") as plain_pair:
        pairs = [secure_pair, plain_pair]
        begin = time.monotonic()
        for pair in pairs:
            send_texts(pair.client, texts(count))
        for pair in pairs:
            assert [pair.session.read_message() for _ in range(_BURST)] == texts(count)[:_BURST]
        for pair in pairs:
            assert [pair.session.read_message() for _ in range(count - _BURST)] == texts(count)[_BURST:]
        assert (count - _BURST) / _RATE - 0.05 <= time.monotonic() - begin < (count - _BURST) / _RATE + 5 * PATIENCE


def test_a_client_that_goes_on_sending_is_slowed_down_and_loses_nothing(policies):
    """Messages that fill the buffers, so that fewer than twice the burst are ever read ahead."""
    wanted = [b"%d" % number + b"x" * 20_000 for number in range(2 * _BURST)]
    with policies.open("rate") as pair:
        begin = time.monotonic()
        send_texts(pair.client, wanted)
        assert [pair.session.read_message() for _ in wanted] == wanted
        assert time.monotonic() - begin >= (len(wanted) - _BURST) / _RATE - 0.05


@pytest.mark.runs_on("event", "prefork")
def test_more_than_twice_the_burst_waiting_ends_the_tunnel_with_1008(policies, secure):
    with policies.open("rate", secure) as pair:
        send_texts(pair.client, texts(10 * _BURST))
        assert [pair.session.read_message() for _ in range(_BURST)] == texts(_BURST)
        pair.expect_violation("client", 1008, TOO_FAST, "too many messages")


def test_fragments_and_control_frames_are_no_messages(policies):
    begin = time.monotonic()
    with policies.open("rate") as pair:
        for _ in range(5 * _BURST):
            pair.client.send_frame(frames.PING, b"x")
            assert pair.session.read_frame() == frames.Frame(frames.PING, b"x")
        send_in_fragments(pair.client, [10] * 5 * _BURST)
        assert pair.session.read_message() == b"x" * 50 * _BURST
        assert SANITIZED or time.monotonic() - begin < 10 * _BURST / _RATE
