"""ProxyWebsocketValidate: each rule of RFC 6455 from both directions. Who breaks one is told its close code, the other
side 1001, the log the rule; what breaks none passes bit for bit. lib/protocol's unit tests have the corner cases."""

import random

import pytest

from harness import frames
from harness.policies import PUMPS, Policies, start_policies

RUNS_ON = ["event"]   # lib judges frames, whatever thread it is on; elsewhere how a violation ends a tunnel

SIDES = ["client", "backend"]
DEFLATE = {"Sec-WebSocket-Extensions": "permessage-deflate"}


@pytest.fixture(scope="module")
def server(mpm, start_shared, module_listener, tls_module_listener):
    policies = {name: f"ProxyWebsocketValidate {name}\nProxyWebsocketCloseTimeout 200ms"
                for name in ("off", "frames", "full")}
    return start_policies(start_shared, mpm, module_listener, tls_module_listener, policies)


@pytest.fixture(params=PUMPS)
def policies(request, server, stage, tls_stage, tls):
    return Policies(server, stage, tls_stage, tls, request.param)


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def secure(request):
    return request.param


def raw_frame(peer, second, rest):
    """A binary frame whose length is written as `second` and `rest` say; its payload is five bytes."""
    mask = frames.ZERO_KEY if peer.masks else b""
    return bytes([0x82, second | (0x80 if peer.masks else 0)]) + rest + mask + b"12345"


# What is sent; its close code, where it is not 1002; the rule.
FRAMES_RULES = [
    (lambda peer: peer.frame(frames.TEXT, b"x", rsv=4),
     "reserved bits set without a negotiated extension (RFC 6455 5.2)"),
    (lambda peer: peer.frame(0x3, b"x"), "reserved opcode (RFC 6455 5.2)"),
    (lambda peer: raw_frame(peer, 126, b"\0\5"), "payload length is not encoded in the fewest bytes (RFC 6455 5.2)"),
    (lambda peer: raw_frame(peer, 127, b"\xff" * 8), "64-bit payload length has its top bit set (RFC 6455 5.2)"),
    (lambda peer: peer.frame(frames.PING, b"x", fin=False), "control frame is fragmented (RFC 6455 5.5)"),
    (lambda peer: peer.frame(frames.PING, b"x" * 126), "control frame payload is longer than 125 bytes (RFC 6455 5.5)"),
    (lambda peer: peer.frame(frames.CONTINUATION, b"x"),
     "continuation frame without a message to continue (RFC 6455 5.4)"),
    (lambda peer: peer.frame(frames.CLOSE, b"x"), "Close payload of one byte (RFC 6455 5.5.1)"),
]
FULL_RULES = [
    (lambda peer: peer.frame(frames.CLOSE, b"\x03\xed"), 1002, "close code that must not be sent (RFC 6455 7.4)"),
    (lambda peer: peer.frame(frames.TEXT, b"\xc3("), 1007, "text that is not UTF-8 (RFC 6455 8.1)"),
    (lambda peer: peer.frame(frames.CLOSE, b"\x03\xe8\xff"), 1007, "text that is not UTF-8 (RFC 6455 8.1)"),
]


def rule_names(rules):
    return [rule[-1].partition(" (")[0] for rule in rules]


@pytest.mark.parametrize("rule", FRAMES_RULES, ids=rule_names(FRAMES_RULES))
@pytest.mark.parametrize("side", SIDES)
def test_a_broken_frame_is_answered_1002_and_not_forwarded(policies, secure, side, rule):
    build, text = rule
    with policies.open("frames", secure) as pair:
        offender, other = pair.ends(side)
        offender.send(offender.frame(frames.TEXT, b"still fine") + build(offender))
        assert other.read_message() == b"still fine"
        pair.expect_violation(side, 1002, text)


@pytest.mark.parametrize("rule", FULL_RULES, ids=rule_names(FULL_RULES))
@pytest.mark.parametrize("side", SIDES)
def test_full_also_looks_at_text_and_close_codes(policies, secure, side, rule):
    build, code, text = rule
    with policies.open("full", secure) as pair:
        offender, _ = pair.ends(side)
        offender.send(build(offender))
        pair.expect_violation(side, code, text)


@pytest.mark.runs_on("event", "worker", "prefork")
@pytest.mark.parametrize("side, rule", [("client", "a client's frame is not masked (RFC 6455 5.1)"),
                                        ("backend", "a server's frame is masked (RFC 6455 5.1)")])
def test_the_other_sides_masking_is_answered_1002(policies, secure, side, rule):
    with policies.open("frames", secure) as pair:
        offender, other = pair.ends(side)
        offender.send(other.frame(frames.TEXT, b"x"))
        pair.expect_violation(side, 1002, rule)


@pytest.mark.parametrize("side", SIDES)
def test_a_new_message_inside_a_message_is_answered_1002_behind_the_first_fragment(policies, side):
    with policies.open("frames") as pair:
        offender, other = pair.ends(side)
        offender.send(offender.frame(frames.TEXT, b"begun", fin=False) + offender.frame(frames.TEXT, b"another"))
        assert other.read_frame() == frames.Frame(frames.TEXT, b"begun", fin=False)
        pair.expect_violation(side, 1002, "new message before the last fragment of the previous one (RFC 6455 5.4)")


@pytest.mark.parametrize("side", SIDES)
def test_what_follows_a_close_takes_nothing_from_the_other_side(policies, secure, side):
    """A Pong behind a Close answers a Ping that the Close has crossed (RFC 6455 5.5.2)."""
    with policies.open("frames", secure) as pair:
        first, other = pair.ends(side)
        behind = first.frame(frames.PONG, b"late") + first.frame(frames.TEXT, b"one more thing")
        first.send(first.frame(frames.CLOSE, b"\x03\xe8") + behind)
        assert other.read_close() == (1000, "")
        assert other.read_exactly(len(behind)) == behind
        for number in range(10):
            other.send_text(f"message {number}")
            assert first.read_message() == b"message %d" % number
        other.send_close(1000)
        assert first.read_close() == (1000, "")
        pair.expect_both_hung_up()
        pair.expect_logged(side, 1000)
        line = pair.access_line()
        assert sorted((line.messages_in, line.messages_out)) == ["0", "10"], line


@pytest.mark.parametrize("side", SIDES)
def test_text_that_goes_wrong_behind_its_fragments_is_found(policies, side):
    with policies.open("full") as pair:
        offender, other = pair.ends(side)
        offender.send(offender.frame(frames.TEXT, "ü".encode()[:1], fin=False))
        assert other.read_frame() == frames.Frame(frames.TEXT, "ü".encode()[:1], fin=False)
        offender.send(offender.frame(frames.CONTINUATION, b"("))
        pair.expect_violation(side, 1007, "text that is not UTF-8 (RFC 6455 8.1)")


@pytest.mark.parametrize("side", SIDES)
def test_a_frame_that_is_half_forwarded_when_it_goes_wrong_is_followed_by_no_close(policies, side):
    with policies.open("full") as pair:
        offender, other = pair.ends(side)
        frame = offender.frame(frames.TEXT, b"x" * 5000 + b"\xff")
        offender.send(frame[:4000])
        assert other.read_exactly(4000) == frame[:4000]
        offender.send(frame[4000:])
        assert offender.read_close() == (1007, "text that is not UTF-8 (RFC 6455 8.1)")
        other.expect_end()
        pair.expect_rule_in_log(side, "text that is not UTF-8 (RFC 6455 8.1)")


@pytest.mark.parametrize("rule", FRAMES_RULES, ids=rule_names(FRAMES_RULES))
@pytest.mark.parametrize("side", SIDES)
def test_off_relays_what_frames_refuses(policies, secure, side, rule):
    with policies.open("off", secure) as pair:
        source, sink = pair.ends(side)
        data = rule[0](source)
        source.send(data)
        assert sink.read_exactly(len(data)) == data


@pytest.mark.parametrize("side", SIDES)
def test_off_relays_noise_to_its_end(policies, secure, side):
    noise = b"\x8f\x7e" + random.Random(1).randbytes(300_000)   # a long control frame: nothing to be followed behind it
    with policies.open("off", secure) as pair:
        source, sink = pair.ends(side)
        source.send(noise)
        source.close()
        assert sink.read_to_end() == noise


def valid_traffic(peer):
    """Every opcode, length class and way to fragment; keys of masked frames are random."""
    whole = b"".join(peer.frame(opcode, b"x" * length) for length in frames.LENGTH_CLASSES
                     for opcode in (frames.TEXT, frames.BINARY))
    fragments = peer.frame(frames.TEXT, "dreißig".encode()[:5], fin=False) + peer.frame(frames.PING, b"between") + \
        peer.frame(frames.CONTINUATION, b"", fin=False) + peer.frame(frames.PONG) + \
        peer.frame(frames.CONTINUATION, "dreißig".encode()[5:])
    return whole + fragments + peer.frame(frames.PING, b"p" * 125) + peer.frame(frames.CLOSE, b"\x0f\xa0bye")


@pytest.mark.parametrize("level", ["off", "frames", "full"])
@pytest.mark.parametrize("side", SIDES)
def test_valid_traffic_passes_bit_for_bit(policies, secure, side, level):
    with policies.open(level, secure) as pair:
        source, sink = pair.ends(side)
        data = valid_traffic(source)
        expect_same_bytes(source, sink, data)
        sink.send_close(4000)
        assert source.read_close() == (4000, "")


@pytest.mark.parametrize("level", ["frames", "full"])
@pytest.mark.parametrize("side", SIDES)
def test_compressed_messages_pass_where_deflate_was_negotiated(policies, side, level):
    with open_with_deflate(policies, level) as pair:
        source, sink = pair.ends(side)
        compressed = source.frame(frames.TEXT, b"\xff\xfe not UTF-8", fin=False, rsv=4) + \
            source.frame(frames.CONTINUATION, b"\xff") + source.frame(frames.BINARY, b"\0" * 70_000, rsv=4)
        expect_same_bytes(source, sink, compressed)


@pytest.mark.parametrize("frame", [(frames.TEXT, b"x", True, 2), (frames.PING, b"x", True, 4)],
                         ids=["RSV2", "RSV1 on a Ping"])
@pytest.mark.parametrize("side", SIDES)
def test_bits_that_deflate_does_not_use_stay_reserved(policies, side, frame):
    with open_with_deflate(policies, "frames") as pair:
        offender, _ = pair.ends(side)
        offender.send(offender.frame(*frame))
        pair.expect_violation(side, 1002, "reserved bits set without a negotiated extension (RFC 6455 5.2)")


def open_with_deflate(policies, level):
    return policies.open(level, changes=DEFLATE, answer=DEFLATE)


def expect_same_bytes(source, sink, data):
    """Sent in pieces of all sizes, the small ones first: they cut headers."""
    at, size = 0, 1
    while at < len(data):
        source.send(data[at: at + size])
        at, size = at + size, size + 1 + size // 8
    assert sink.read_exactly(len(data)) == data
