"""Tunnels that carry random frames both ways at once and have every byte compared: what happens to others must not touch
them."""

import os
import random
import selectors
import ssl
import threading
import time

from . import background, frames
from .backend import Listener
from .pair import open_pair
from .waiting import BOUND, wait_until

_IN_FLIGHT = 300_000     # bytes that one direction may have on its way before it begins another message
_RANDOM = os.urandom(1 << 20)
_LONGEST_PAUSE = 0.3     # seconds between two messages of a direction
_NOTHING_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def _payload(size):
    start = random.randrange(len(_RANDOM) - size)
    return _RANDOM[start: start + size]


def _size():
    return random.choice([random.randrange(126), random.randrange(2000), random.randrange(66_000), 125, 126, 65535, 65536,
                          random.randrange(200_000)])


def _frame(opcode, payload, fin, masks):
    """Long ones have a mask of zeros, which costs the test nothing."""
    key = frames.NO_MASK if not masks else os.urandom(4) if len(payload) < 4096 else frames.ZERO_KEY
    return frames.build_frame(opcode, payload, fin, key=key)


def _message(masks):
    """Whole or in fragments, with a Ping in between now and then."""
    count = random.choice([1, 1, 1, 2, 3])
    parts = []
    for number in range(count):
        opcode = frames.CONTINUATION if number else frames.BINARY
        parts.append(_frame(opcode, _payload(_size()), number == count - 1, masks))
        if random.random() < 0.2:
            parts.append(_frame(frames.PING, _payload(random.randrange(126)), True, masks))
    return b"".join(parts)


class _Direction:
    """What one end sends, and the other must get in order and whole."""

    def __init__(self, sender, receiver):
        self.receiver = receiver
        self.compared = 0
        self._sender = sender
        self._on_its_way = bytearray()   # begun, and not yet received; its end may not have been sent
        self._unsent = memoryview(b"")
        self._next_at = 0.0

    @property
    def at_rest(self):
        return not self._on_its_way

    def send(self, may_begin):
        now = time.monotonic()
        if may_begin and not self._unsent and now >= self._next_at and len(self._on_its_way) < _IN_FLIGHT:
            message = _message(self._sender.masks)
            self._unsent = memoryview(message)
            self._on_its_way += message
            self._next_at = now + random.random() * _LONGEST_PAUSE
        if self._unsent:
            try:
                self._unsent = self._unsent[self._sender.sock.send(self._unsent[:1 << 16]):]
            except _NOTHING_NOW:
                pass

    def receive(self):
        """All that is there: TLS may hold more than a selector knows of."""
        while True:
            try:
                data = self.receiver.sock.recv(1 << 17)
            except _NOTHING_NOW:
                return
            if not data:
                raise AssertionError(f"the connection ended, {len(self._on_its_way)} bytes are missing")
            if self._on_its_way[:len(data)] != data:
                raise AssertionError(f"what came after {self.compared} bytes is not what was sent")
            del self._on_its_way[:len(data)]
            self.compared += len(data)


class _ControlTunnel:
    def __init__(self, pair):
        self.pair = pair
        self.directions = [_Direction(pair.client, pair.session), _Direction(pair.session, pair.client)]
        self.leaves = False
        for end in (pair.client, pair.session):
            assert not end.has_buffered(), "bytes that nobody sent"
            end.sock.setblocking(False)

    def say_goodbye(self):
        """The closing handshake, to the end of TCP on both sides."""
        for end in (self.pair.client, self.pair.session):
            end.sock.settimeout(BOUND)
        self.pair.say_goodbye()
        self.pair.client.close()


class ControlTunnels:
    """Four ways, taken in turn: with and without TLS on each side of httpd. One thread opens and retires them, another,
    of this object's own, drives all that are open."""

    def __init__(self, certificates):
        self.opened = self.retired = 0
        self._backends = [Listener(), Listener(certificates.server_context())]
        self._tls = certificates.client_context()
        self._problems = []
        self._compared = 0            # by those that have been retired
        self._tunnels = []            # the driving thread's, like the selector
        self._moving_in, self._moved_out = [], []
        self._lock = threading.Lock()   # of the two lists above
        self._stopping = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def lines(self):
        """The configuration that they need."""
        plain, secure = self._backends
        return f"ProxyPass /control/ws {plain.url}/\nProxyPass /control/wss {secure.url}/"

    def open(self, server, count):
        for _ in range(count):
            secure, with_tls = self.opened % 2, self.opened // 2 % 2
            pair = open_pair(server, f"/control/{'wss' if secure else 'ws'}", self._backends[secure],
                             self._tls if with_tls else None)
            with self._lock:
                self._moving_in.append(_ControlTunnel(pair))
            self.opened += 1

    def retire(self, count):
        """The oldest `count` end in order, once all that is on its way in them has arrived."""
        wait_until(lambda: not self._moving_in or self._problems, "all tunnels are driven")
        leaving = self._tunnels[:count]
        for tunnel in leaving:
            tunnel.leaves = True
        wait_until(lambda: self._problems or all(tunnel in self._moved_out for tunnel in leaving),
                   "all that is on its way arrives", 3 * BOUND)
        self.verify()
        for tunnel in leaving:
            tunnel.say_goodbye()
            self._compared += sum(direction.compared for direction in tunnel.directions)
            self.retired += 1

    @property
    def open_now(self):
        return self.opened - self.retired

    @property
    def compared(self):
        return self._compared + sum(direction.compared for tunnel in list(self._tunnels)
                                    for direction in tunnel.directions)

    def verify(self):
        """Fails if a tunnel has met with anything."""
        assert not self._problems, "\n".join(self._problems)

    def _run(self):
        while not self._stopping.is_set() and not self._problems:
            try:
                self._take_in()
                self._drive()
            except (OSError, AssertionError, ssl.SSLError) as problem:   # judged by verify()
                self._problems.append(f"{type(problem).__name__}: {problem}")

    def _take_in(self):
        with self._lock:
            arrived, self._moving_in = self._moving_in, []
            self._tunnels += arrived
        for tunnel in arrived:
            for direction in tunnel.directions:
                self._selector.register(direction.receiver.sock, selectors.EVENT_READ, direction)

    def _drive(self):
        for key, _ in self._selector.select(0.005):
            key.data.receive()
        for tunnel in list(self._tunnels):
            for direction in tunnel.directions:
                direction.send(not tunnel.leaves)
            if tunnel.leaves and all(direction.at_rest for direction in tunnel.directions):
                self._let_out(tunnel)

    def _let_out(self, tunnel):
        for direction in tunnel.directions:
            self._selector.unregister(direction.receiver.sock)
        self._tunnels.remove(tunnel)
        self._moved_out.append(tunnel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopping.set()
        background.join([self._thread], "the control tunnels rest")
        for tunnel in self._tunnels + self._moving_in:
            tunnel.pair.close()
        for backend in self._backends:
            backend.close()
