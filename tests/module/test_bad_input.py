"""Peers that break the rules or vanish: never a crash, a hang or a leak; the server answers afterwards."""

import random

import pytest

from harness import frames, http1
from harness.pair import open_pair
from harness.peer import connect
from harness.pumps import PUMP_PARAMS, pump_line
from harness.waiting import SANITIZED, wait_until, wait_until_steady

SIDES = ["client", "backend"]
# Beyond a few a minute the backend's are at info.
_BROKEN_RULE = "WSP0201: tunnel ended: .* the (client|backend) broke a rule: "


@pytest.fixture(scope="module", params=PUMP_PARAMS)
def shared_site(request, start_shared, module_listener, tls_module_listener):
    server = start_shared(f"""
        {pump_line(request.param)}
        ProxyWebsocketCloseTimeout 200ms
        ProxyWebsocketFallbackToProxyHttp Off
        ProxyPass /ws {module_listener.url}/ retry=0
        ProxyPass /wss {tls_module_listener.url}/ retry=0
        """)
    # That a tunnel has ended is written a moment later, and by then the next test may have begun.
    server.error_log.allow_always(_BROKEN_RULE)
    return server


@pytest.fixture(scope="module")
def sockets_at_rest(shared_site, module_listener):
    """How many sockets a child has when nobody is connected."""
    with open_pair(shared_site, "/ws", module_listener):
        pass   # the first tunnel starts what a child needs for all of them
    return wait_until_steady(shared_site.sockets_per_child, "sockets of all children")


@pytest.fixture
def site(shared_site, sockets_at_rest):
    """Afterwards the server still answers and has given back every socket."""
    yield shared_site
    assert shared_site.get("/").status == 200
    wait_until(lambda: shared_site.sockets_per_child() <= sockets_at_rest, "sockets are given back")


@pytest.mark.runs_on("event")   # lib reads frames
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("side", SIDES)
def test_random_bytes_instead_of_frames_end_the_tunnel(site, stage, side, seed):
    """By the proxy, which tells the other side so, and while their sender stays."""
    garbage = random.Random(seed).randbytes(100_000)
    with open_pair(site, "/ws", stage) as pair:
        source, sink = pair.ends(side)
        try:
            source.send(garbage)
        except ConnectionError:   # the proxy may hang up in the middle of it
            pass
        assert sink.read_close()[0] == 1001   # with each of these seeds the first frame is wrong
        sink.expect_end()
        source.expect_broken()


RULES = {
    "a reserved opcode": (0x3, b"", True, 0),
    "a reserved control opcode": (0xB, b"", True, 0),
    "reserved bits": (frames.TEXT, b"x", True, 4),
    "a continuation of nothing": (frames.CONTINUATION, b"x", True, 0),
    "a Ping of 126 bytes": (frames.PING, b"x" * 126, True, 0),
    "a fragmented Ping": (frames.PING, b"x", False, 0),
    "a Close of one byte": (frames.CLOSE, b"x", True, 0),
}


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("side", SIDES)
def test_a_broken_frame_is_a_protocol_error_and_is_not_forwarded(site, stage, side, rule):
    opcode, payload, fin, rsv = rule
    with open_pair(site, "/ws", stage) as pair:
        source, sink = pair.ends(side)
        build = frames.client_frame if side == "client" else frames.server_frame
        source.send(build(frames.TEXT, b"still fine") + build(opcode, payload, fin, rsv))
        assert sink.read_message() == b"still fine"
        assert source.read_close()[0] == 1002
        sink.read_close()
        source.expect_broken()
        sink.send_close(1002)
        sink.expect_broken()


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("side", SIDES)
def test_the_mask_of_the_wrong_side_is_a_protocol_error(site, stage, side):
    with open_pair(site, "/ws", stage) as pair:
        source, _ = pair.ends(side)
        wrong = frames.server_frame if side == "client" else frames.client_frame
        source.send(wrong(frames.TEXT, b"x"))
        assert source.read_close()[0] == 1002


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("side", SIDES)
def test_a_header_that_never_ends_does_not_hold_the_sockets(site, stage, side):
    with open_pair(site, "/ws", stage) as pair:
        source, sink = pair.ends(side)
        source.send(b"\x82\xff\x00\x00")
        source.close()
        sink.expect_broken()


@pytest.mark.runs_on("event")   # httpd's core reads it, before any pump is chosen
@pytest.mark.parametrize("garbage", [b"\0" * 1000, b"\x16\x03\x01\x02\x00\x01\x00", b"GET /ws\r\n\r\n",
                                     b"GET /ws HTTP/1.1\r\nUpgrade websocket\r\n\r\n", b"\xff\xfe" * 5000],
                         ids=["zeros", "a TLS hello", "HTTP/0.9", "a header without colon", "not ASCII"])
def test_garbage_as_a_handshake_is_answered_or_cut(site, garbage):
    with connect(site.port) as client:
        client.send(garbage)
        client.shut_write()
        client.expect_broken()


HALVES = [1, 20, 60, -2, -1]   # bytes of the handshake that are sent; negative: all but so many


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("sent", HALVES)
@pytest.mark.parametrize("leave", ["close", "reset"])
def test_a_client_that_vanishes_in_its_handshake_leaves_nothing(site, leave, sent):
    client = connect(site.port)
    client.send(http1.handshake_request("/ws")[:sent])
    getattr(client, leave)()


@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_client_that_vanishes_before_the_backend_answers_leaves_nothing(site, stage, tls_stage, tls, scheme, leave):
    client = site.start_handshake("/" + scheme, tls=tls if scheme == "wss" else None)
    with (tls_stage if scheme == "wss" else stage).accept() as session:
        getattr(client, leave)()
        session.accept_handshake()
        session.expect_broken()


@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_client_that_vanishes_as_the_101_arrives_leaves_nothing(site, stage, tls_stage, tls, scheme, leave):
    client = site.start_handshake("/" + scheme, tls=tls if scheme == "wss" else None)
    with (tls_stage if scheme == "wss" else stage).accept() as session:
        session.accept_handshake(glued=frames.server_frame(frames.BINARY, b"x" * 100_000))
        getattr(client, leave)()
        session.expect_broken()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 101 Switching"], ids=["nothing", "half"])
def test_a_backend_that_resets_in_the_handshake_is_a_bad_gateway(site, stage, answer):
    site.expect_log("WSP01[0-9]+: handshake refused with 502: the backend .* closed the connection before it had answered")
    with site.start_handshake("/ws") as client:
        session = stage.accept()
        session.send(answer)
        session.reset()
        assert client.read_response().status == 502


def test_a_backend_that_resets_right_behind_its_101_ends_the_tunnel(site, stage):
    with site.start_handshake("/ws") as client:
        session = stage.accept()
        session.accept_handshake()
        session.reset()
        client.expect_broken()


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("length", [1 << 62, (1 << 63) - 1], ids=["2^62", "2^63-1"])
@pytest.mark.parametrize("side", SIDES)
def test_a_frame_of_absurd_length_costs_no_memory(site, stage, side, length):
    """Neither when its length is announced nor for as much of it as has come."""
    with open_pair(site, "/ws", stage) as pair:
        source, sink = pair.ends(side)
        source.send_text("warm")
        assert sink.read_message() == b"warm"
        before = site.pss_bytes()
        source.send(frames.frame_header(frames.BINARY, length, key=frames.ZERO_KEY if side == "client" else None))
        sink.read_exactly(10 + 4 * (side == "client"))
        for piece in random.Random(1).randbytes(1 << 18), b"\0" * (1 << 18):
            for _ in range(16):   # 8 MiB in all
                source.send(piece)
                assert sink.read_exactly(len(piece)) == piece
        grown = site.pss_bytes() - before
        assert SANITIZED or grown < 4 << 20, f"{grown} bytes more"
        source.close()
        sink.expect_broken()
