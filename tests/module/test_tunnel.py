"""What goes through an open tunnel: every length, opcode and order, over every pair of plain and TLS ends."""

import pytest

from harness import frames
from harness.bulk import exchange
from harness.pair import open_pair
from harness.pumps import PUMP_PARAMS, pump_line

pytestmark = pytest.mark.threads

PAIRS = ["ws to ws", "ws to wss", "wss to ws", "wss to wss"]


@pytest.fixture(scope="module", params=PUMP_PARAMS)
def site(request, start_shared, module_listener, tls_module_listener):
    return start_shared(f"""
        {pump_line(request.param)}
        ProxyPass /ws {module_listener.url}/
        ProxyPass /wss {tls_module_listener.url}/
        """)


@pytest.fixture
def open_as(site, stage, tls_stage, tls):
    """Opens a tunnel for one of PAIRS."""
    pairs = []

    def open_as(ends, **options):
        client_side, backend_side = ends.split(" to ")
        pairs.append(open_pair(site, f"/{backend_side}", tls_stage if backend_side == "wss" else stage,
                               tls if client_side == "wss" else None, **options))
        return pairs[-1]

    yield open_as
    for pair in pairs:
        pair.close()


@pytest.mark.parametrize("sender", ["client", "backend"])
@pytest.mark.parametrize("ends", PAIRS)
def test_messages_of_every_length_class_arrive(open_as, ends, sender):
    source, sink = open_as(ends).ends(sender)
    for length in frames.LENGTH_CLASSES:
        payload = bytes(index % 251 for index in range(length))
        for opcode in (frames.TEXT, frames.BINARY):
            source.send_frame(opcode, payload if opcode == frames.BINARY else b"a" * length)
            assert sink.read_frame().payload == (payload if opcode == frames.BINARY else b"a" * length)


@pytest.mark.runs_on("event")   # lib relays frames; elsewhere how they come in
@pytest.mark.parametrize("sender", ["client", "backend"])
def test_pings_and_pongs_pass_through(open_as, sender):
    source, sink = open_as("ws to ws").ends(sender)
    source.send_frame(frames.PING, b"x" * 125)
    assert sink.read_frame() == frames.Frame(frames.PING, b"x" * 125)
    sink.send_frame(frames.PONG, b"x" * 125)
    assert source.read_frame() == frames.Frame(frames.PONG, b"x" * 125)


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("sender", ["client", "backend"])
def test_fragments_keep_their_borders_and_a_ping_may_come_between(open_as, sender):
    source, sink = open_as("ws to ws").ends(sender)
    sent = [frames.Frame(frames.TEXT, b"one ", False), frames.Frame(frames.CONTINUATION, b"", False),
            frames.Frame(frames.PING, b"between"), frames.Frame(frames.CONTINUATION, b"two", True)]
    for frame in sent:
        source.send_frame(frame.opcode, frame.payload, frame.fin)
    assert [sink.read_frame() for _ in sent] == sent


@pytest.mark.runs_on("event")   # the same
def test_the_clients_mask_reaches_the_backend_untouched(open_as):
    pair = open_as("ws to ws")
    raw = frames.build_frame(frames.BINARY, b"masked bytes", key=b"\x11\x22\x33\x44")
    pair.client.send(raw)
    assert pair.session.read_exactly(len(raw)) == raw


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("sender", ["client", "backend"])
@pytest.mark.parametrize("ends", PAIRS)
def test_frames_sent_byte_by_byte_arrive(open_as, ends, sender):
    source, sink = open_as(ends).ends(sender)
    build = frames.client_frame if sender == "client" else frames.server_frame
    for byte in build(frames.TEXT, b"slowly") + build(frames.BINARY, b"s" * 130):
        source.send(bytes([byte]))
    assert sink.read_message() == b"slowly"
    assert sink.read_message() == b"s" * 130


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("sender", ["client", "backend"])
@pytest.mark.parametrize("ends", ["ws to ws", "wss to wss"])
def test_twenty_thousand_small_frames_arrive_in_order(open_as, ends, sender):
    source, sink = open_as(ends).ends(sender)
    build = frames.client_frame if sender == "client" else frames.server_frame
    source.send(b"".join(build(frames.BINARY, b"%d" % number) for number in range(20_000)))
    assert all(sink.read_message() == b"%d" % number for number in range(20_000))


EARLY = [b"", b"now", b"N" * 300_000]


@pytest.mark.parametrize("pipelined, glued", [(EARLY[1], EARLY[0]), (EARLY[2], EARLY[0]), (EARLY[0], EARLY[1]),
                                              (EARLY[0], EARLY[2]), (EARLY[2], EARLY[2])],
                         ids=["small up", "large up", "small down", "large down", "large both"])
@pytest.mark.parametrize("ends", PAIRS)
def test_bytes_behind_either_handshake_arrive_first_and_whole(open_as, ends, pipelined, glued):
    pair = open_as(ends, pipelined=frames.client_frame(frames.BINARY, pipelined),
                   glued=frames.server_frame(frames.BINARY, glued))
    pair.client.send_text("second")
    pair.session.send_text("second")
    assert [pair.session.read_message(), pair.session.read_message()] == [pipelined, b"second"]
    assert [pair.client.read_message(), pair.client.read_message()] == [glued, b"second"]


@pytest.mark.runs_on("event")   # the same; test_backpressure.py too
@pytest.mark.parametrize("ends", PAIRS)
def test_bulk_passes_both_ways_at_once_byte_for_byte(open_as, ends, full):
    pair = open_as(ends)
    exchange(pair.client, pair.session, (1 << 30) if full else (8 << 20))
    pair.client.send_text("and on")
    assert pair.session.read_message() == b"and on"
