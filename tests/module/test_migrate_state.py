"""What a tunnel is in the middle of when its process leaves, it goes on with in the next one: each case brings a tunnel into a state,
all of them move at once, twice, and then each goes on."""

import os

import pytest

from harness import bulk, frames, moves, own_records
from harness.backend import Listener, UnixListener
from harness.exchange import carry, converse
from harness.moves import TAKEN_OVER
from harness.pair import open_pair
from harness.tls_records import CLOSE_NOTIFY, DATA, RecordContext, alert_of
from harness.waiting import wait_until

RUNS_ON = ["event"]   # lib writes and reads a tunnel; on all MPMs tunnels move in test_migrate_restarts.py

_HELD = 64 << 20   # more than the kernel takes
LIFETIME = "maximum connection time reached"
TOO_BIG = "message too big"

POLICIES = {
    "size": "ProxyWebsocketMaxMessageSize 1000 70000",
    "rate": "ProxyWebsocketMessageRate 1/s 3",
    "utf8": "ProxyWebsocketValidate full",
    "asked": "ProxyWebsocketPing 200ms 1h",
    "found": "ProxyWebsocketPing 200ms 3s",
    "lifetime": "ProxyWebsocketMaxLifetime 3s",
    "closing": "ProxyWebsocketCloseTimeout 1min",
}


class Stage:
    """A server and its backends."""

    def __init__(self, start, certificates):
        self._tls = {"wss": certificates.client_context(), "records": RecordContext(certificates.client_context())}
        self._listeners = {"ws": Listener(), "wss": Listener(certificates.server_context()),
                           "records": Listener(RecordContext(certificates.server_context())), "unix": UnixListener()}
        targets = {name: f"unix:{listener.path}|ws://localhost" if name == "unix" else listener.url
                   for name, listener in self._listeners.items()}
        self.server = start("\n".join([
            own_records.LOG_LINE, "ProxyWebsocketDrainTimeout 2h",
            *(f"ProxyPass /{name} {target}/" for name, target in targets.items()),
            *(f"<LocationMatch ^/[a-z]+/{name}$>\n{policy}\n</LocationMatch>" for name, policy in POLICIES.items())]))
        self._tls_sides = self._tunnels = 0

    def open(self, ends="ws to ws", policy="", **options):
        """A tunnel that can move."""
        client_side, backend_side = ends.split(" to ")
        pair = open_pair(self.server, f"/{backend_side}/{policy}", self._listeners[backend_side], self._tls.get(client_side),
                         **options)
        if policy not in ("rate", "size"):
            converse(pair)
        self._tls_sides += (client_side != "ws") + (backend_side in ("wss", "records"))
        self._tunnels += 1
        if self._tls_sides:
            own_records.await_left(self.server, self._tls_sides)
        return pair

    def move(self, times):
        """Each tunnel is in a child process that has not seen it before."""
        for number in range(1, times + 1):
            moves.restart_and_await_end_of_old(self.server)
            wait_until(lambda: len(self.server.error_log.lines(TAKEN_OVER)) >= number * self._tunnels, "all tunnels have moved")

    def close(self):
        for listener in self._listeners.values():
            listener.close()


# Each is a generator: what is done before the move, and behind the yield what is done afterwards.
KINDS = ["ws to ws", "wss to wss", "records to records"]
CASES = {}


def case(*kinds):
    """Registers a case for each kind of tunnel."""
    def register(function):
        name = function.__name__.replace("_", " ")
        for kind in kinds or ("ws to ws",):
            CASES[f"{name}, {kind}"] = lambda stage, kind=kind: function(stage, kind)
        return function
    return register


def sides(pair):
    return pair.ends("client"), pair.ends("backend")


@case(*KINDS)
def at_rest(stage, kind):
    pair = stage.open(kind)
    yield pair
    converse(pair)
    pair.say_goodbye()


@case(*KINDS)
def in_the_middle_of_a_mebibyte_both_ways(stage, kind):
    pair = stage.open(kind)
    messages = [(sender, receiver, sender.frame(frames.BINARY, os.urandom(1 << 20))) for sender, receiver in sides(pair)]
    for sender, receiver, message in messages:
        sender.send(message[:100_000])
        assert receiver.read_exactly(100_000) == message[:100_000]
    yield pair
    for sender, receiver, message in messages:
        for start in range(100_000, len(message), 100_000):
            piece = message[start: start + 100_000]
            sender.send(piece)
            assert receiver.read_exactly(len(piece)) == piece
    converse(pair)


@case(*KINDS)
def in_the_middle_of_a_frame_header_both_ways(stage, kind):
    pair = stage.open(kind)
    messages = [(sender, receiver, sender.frame(frames.BINARY, b"x" * 300)) for sender, receiver in sides(pair)]
    for sender, _, message in messages:
        sender.send(message[:3])
    yield pair
    for sender, receiver, message in messages:
        sender.send(message[3:])
        assert receiver.read_exactly(len(message)) == message
    converse(pair)


@case("ws to ws", "records to records")
def in_the_middle_of_a_fragmented_message(stage, kind):
    pair = stage.open(kind)
    for sender, receiver in sides(pair):
        sender.send_frame(frames.TEXT, b"first, ", fin=False)
        assert receiver.read_frame() == frames.Frame(frames.TEXT, b"first, ", False)
    yield pair
    for sender, receiver in sides(pair):
        sender.send_frame(frames.PING, b"between")
        sender.send_frame(frames.CONTINUATION, b"last")
        assert receiver.read_frame() == frames.Frame(frames.PING, b"between")
        assert receiver.read_frame() == frames.Frame(frames.CONTINUATION, b"last")
    converse(pair)


def cut_character(stage, rest):
    """A text whose first frame ends within a character of three bytes."""
    pair = stage.open(policy="utf8")
    pair.client.send_frame(frames.TEXT, b"\xe2\x82", fin=False)
    assert pair.session.read_frame().payload == b"\xe2\x82"
    yield pair
    pair.client.send_frame(frames.CONTINUATION, rest)


@case()
def in_the_middle_of_a_character(stage, _):
    pair = yield from carry_on(cut_character(stage, b"\xac"))
    assert pair.session.read_frame() == frames.Frame(frames.CONTINUATION, b"\xac")
    converse(pair)


@case()
def in_the_middle_of_a_character_that_goes_wrong(stage, _):
    pair = yield from carry_on(cut_character(stage, b"("))
    assert pair.client.read_close()[0] == 1007
    assert pair.session.read_close()[0] == 1001


def carry_on(steps):
    """Both halves of what stands before a case's own; returns the pair."""
    pair = next(steps)
    yield pair
    assert next(steps, None) is None
    return pair


@case("records to records")
def in_the_middle_of_a_record_both_ways(stage, kind):
    pair = stage.open(kind)
    cut = [(receiver, sender.sock, sender.sock.writing.seal(DATA, sender.frame(frames.TEXT, b"in two pieces")), place)
           for (sender, receiver), place in zip(sides(pair), (3, 20))]
    for _, tls, record, place in cut:
        tls.raw.sendall(record[:place])
    yield pair
    for receiver, tls, record, place in cut:
        tls.raw.sendall(record[place:])
        assert receiver.read_message() == b"in two pieces"
    converse(pair)


@case("records to records")
def with_keys_that_were_updated(stage, kind):
    pair = stage.open(kind)
    for sender, receiver in sides(pair):
        for _ in range(3):
            sender.sock.update_keys(ask=True)
            carry(sender, receiver, b"under new keys")
            carry(receiver, sender, b"under new keys of httpd's")
    yield pair
    for sender, receiver in sides(pair):
        sender.sock.update_keys(ask=True)
        carry(sender, receiver, b"once more")
    converse(pair)


@case("ws to ws", "wss to wss")
def with_bytes_that_nobody_reads_both_ways(stage, kind):
    pair = stage.open(kind, receive_buffer=8192)
    sent = [(sender, receiver, bulk.frame_block(sender.masks)) for sender, receiver in sides(pair)]
    sent = [(receiver, block, bulk.send_until_stuck(sender, block, _HELD, calm=0.1)) for sender, receiver, block in sent]
    assert all(count < _HELD for _, _, count in sent)
    yield pair
    for receiver, block, count in sent:
        assert bulk.receive_exactly(receiver, count) == bulk.digest_of_prefix(block, count)


@case("ws to ws", "records to records")
def half_closed(stage, kind):
    """By the client. On TLS that is a close_notify."""
    pair = stage.open(kind, policy="closing")
    pair.client.send_text("that was all")
    pair.client.shut_write()
    assert pair.session.read_message() == b"that was all"
    pair.session.expect_end()
    yield pair
    carry(pair.session, pair.client, os.urandom(1 << 20))
    pair.session.close()
    if kind == "ws to ws":
        pair.client.expect_end()
    else:
        assert alert_of(pair.client.sock) == CLOSE_NOTIFY


@case(*KINDS)
def between_a_close_and_its_answer(stage, kind):
    pair = stage.open(kind, policy="closing")
    pair.client.send_close(4000, "bye")
    assert pair.session.read_close() == (4000, "bye")
    yield pair
    carry(pair.session, pair.client, b"not yet")
    pair.session.send_close(4000)
    assert pair.client.read_close() == (4000, "")
    pair.session.close()
    pair.client.expect_end()


@case("ws to unix")
def to_a_unix_socket(stage, kind):
    pair = stage.open(kind)
    yield pair
    converse(pair)


@case()
def with_a_ping_of_ours_under_way(stage, _):
    pair = stage.open(policy="asked")
    ping = pair.client.read_frame()
    assert ping.opcode == frames.PING and len(ping.payload) == 8, ping
    yield pair
    pair.client.send_frame(frames.PONG, ping.payload)   # is ours: the backend does not get it
    pair.client.send_text("still there?")
    assert pair.session.read_message() == b"still there?"
    assert pair.client.read_frame().opcode == frames.PING   # the next one


@case()
def with_a_limit_for_messages(stage, _):
    pair = stage.open(policy="size")
    carry(pair.client, pair.session, b"x" * 1000)
    pair.client.send_frame(frames.BINARY, b"x" * 600, fin=False)
    assert len(pair.session.read_frame().payload) == 600
    yield pair
    pair.client.send_frame(frames.CONTINUATION, b"x" * 500)
    assert pair.client.read_close() == (1009, TOO_BIG)


@case()
def with_a_limited_rate(stage, _):
    pair = stage.open(policy="rate")
    carry(pair.client, pair.session, b"x")
    yield pair
    pair.client.send(pair.client.frame(frames.TEXT, b"too many") * 100)
    assert pair.client.read_close()[0] == 1008


# The last ones to be opened: they have little time until the move.
@case()
def with_a_ping_that_is_never_answered(stage, _):
    pair = stage.open(policy="found")
    assert pair.client.read_frame().opcode == frames.PING
    yield pair
    pair.session.expect_end()   # the client is taken for dead


@case()
def with_a_lifetime_that_goes_on(stage, _):
    pair = stage.open(policy="lifetime")
    yield pair
    assert pair.client.read_close() == (1012, LIFETIME)
    assert pair.session.read_close() == (1012, LIFETIME)


@pytest.fixture(scope="module", params=[1, 2], ids=["once", "twice"])
def moved(request, start_shared, certificates):
    """The second half of each case."""
    stage = Stage(start_shared, certificates)
    begun = {name: begin(stage) for name, begin in CASES.items()}
    pairs = [next(steps) for steps in begun.values()]
    stage.move(request.param)
    yield begun
    for pair in pairs:
        pair.close()
    stage.close()


@pytest.mark.parametrize("name", CASES)
def test_a_tunnel_goes_on_where_it_was(moved, name):
    assert next(moved[name], None) is None
