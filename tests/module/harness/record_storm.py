"""Tunnels between two peers that make their TLS records by hand, at random: sizes, padding, borders of TCP segments, KeyUpdates, tickets,
empty records. Every byte is compared on the other side."""

import random
import time
from dataclasses import dataclass

from . import frames, own_records
from .backend import Listener
from .client import finish_handshake, start_handshake
from .tls_records import DATA, HANDSHAKE, KEY_UPDATE, MAX_PLAIN, SUITES, RecordContext, handshake_message, new_session_ticket
from .waiting import BOUND

_IN_FLIGHT = 300_000   # bytes that a tunnel may be behind
_BODY = random.Random(2).randbytes(1 << 20)


@dataclass
class Figures:
    tunnels: int = 0
    compared: int = 0      # bytes
    records: int = 0       # that the peers made
    key_updates: int = 0   # theirs
    answers: int = 0       # httpd's KeyUpdates
    tickets: int = 0

    def __str__(self):
        return (f"{self.tunnels} tunnels: {self.compared >> 20} MiB compared in {self.records} records of the peers', "
                f"{self.key_updates} KeyUpdates of theirs, {self.answers} of httpd's, {self.tickets} tickets")


class _Way:
    """From one peer to the other. Records are sealed here, and go out in pieces that end anywhere."""

    def __init__(self, sender, receiver, figures):
        self.sender, self.receiver, self._figures = sender, receiver, figures
        self._frames = bytearray()     # not in records yet
        self._expected = bytearray()   # in records, and not received yet
        self._wire = bytearray()       # records, or parts of them, that have not been sent

    @property
    def at_rest(self):
        return not (self._frames or self._wire or self._expected)

    def say_something(self):
        if not self._frames:
            start = random.randrange(len(_BODY) // 2)
            size = int(random.paretovariate(0.4))
            self._frames += self.sender.frame(frames.BINARY, _BODY[start: start + min(size, 200_000)])
        lot = random.random()
        if lot < 0.03:
            self._update_key()
        elif lot < 0.05 and not self.sender.masks:
            self._seal_handshake(new_session_ticket(random.choice((1, 100, 1000, 20_000, 65_535))) * random.randint(1, 3))
            self._figures.tickets += 1
        elif lot < 0.1:
            self._seal(DATA, b"", random.randrange(200))
        else:
            self.continue_frame()

    def continue_frame(self):
        size = min(len(self._frames), MAX_PLAIN, int(random.paretovariate(0.5)))
        self._seal(DATA, bytes(self._frames[:size]), random.choice((0, 0, 0, random.randrange(MAX_PLAIN - size + 1))))
        self._expected += self._frames[:size]
        del self._frames[:size]

    def finish(self):
        while self._frames:
            self.continue_frame()

    def _update_key(self):
        self._seal(HANDSHAKE, handshake_message(KEY_UPDATE, random.choice((b"\0", b"\1"))))
        self.sender.sock.writing.update()
        self._figures.key_updates += 1

    def _seal_handshake(self, messages):
        size = random.choice((MAX_PLAIN, MAX_PLAIN, 700))
        for start in range(0, len(messages), size):
            self._seal(HANDSHAKE, messages[start: start + size])

    def _seal(self, kind, content, padding=0):
        self._wire += self.sender.sock.writing.seal(kind, content, padding)
        self._figures.records += 1

    def send(self, everything):
        size = len(self._wire) if everything else min(len(self._wire), int(random.paretovariate(0.3)))
        if size:
            self.sender.sock.raw.sendall(bytes(self._wire[:size]))
            del self._wire[:size]

    @property
    def may_go_on(self):
        return len(self._expected) + len(self._wire) < _IN_FLIGHT

    def receive(self):
        """All that is there."""
        data = self.receiver.sock.recv_now()
        assert self._expected[:len(data)] == data, f"after {self._figures.compared} bytes: not what was sent"
        del self._expected[:len(data)]
        self._figures.compared += len(data)


def _converse(client, backend, steps, figures):
    ways = [_Way(client, backend, figures), _Way(backend, client, figures)]
    for peer in (client, backend):
        # An answer would go out between the pieces of a record: what asks is taken in, and the next KeyUpdate is the answer.
        peer.sock.answers_key_updates = False
    for _ in range(steps):
        way = random.choice(ways)
        if way.may_go_on:
            way.say_something()
        way.send(random.random() < 0.3)
        way.receive()
    deadline = time.monotonic() + BOUND
    while not all(way.at_rest for way in ways):
        for way in ways:
            way.finish()
            way.send(True)
            way.receive()
        assert time.monotonic() < deadline, "what was sent does not arrive"
    figures.answers += client.sock.key_updates + backend.sock.key_updates
    figures.tunnels += 1


def run(start, certificates, seconds, own=True, steps=1000):
    """For `seconds`, one tunnel after the other, with each suite in turn; with own records, or with OpenSSL's."""
    ports, hosts = own_records.hosts_of_suites(certificates)
    figures, deadline = Figures(), time.monotonic() + seconds
    client_context = RecordContext(certificates.client_context())
    with Listener(RecordContext(certificates.server_context())) as listener:
        server = start(f"{own_records.LOG_LINE}\nProxyWebsocketOwnRecords {'On' if own else 'Off'}\n"
                       f"ProxyPass /ws {listener.url}/\n{hosts}")
        while time.monotonic() < deadline:
            client = start_handshake(ports[SUITES[figures.tunnels % 3]], "/ws", tls=client_context)
            with client, listener.accept() as session:
                session.accept_handshake()
                _converse(finish_handshake(client), session, steps, figures)
    if own:
        own_records.await_left(server, 2 * figures.tunnels)
    return figures
