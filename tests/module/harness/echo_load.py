"""Tunnels to an echo backend that carry numbered messages all the time, driven by one thread: every byte that comes back is compared
with the one that must, so that a message that is lost, doubled, changed or out of order is seen at once."""

import random
import selectors
import ssl
import threading
import time
from dataclasses import dataclass

from . import background, frames
from .waiting import BOUND, wait_until

_NOTHING_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_CUT = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_LARGEST = 1 << 20
_IN_FLIGHT = 3 << 19     # bytes of a tunnel that are begun and not back
_PIECE = 1 << 18         # bytes of one call
_ROUND = 0.02            # seconds
_BODY = random.Random(1).randbytes(2 * _LARGEST)


@dataclass(frozen=True)
class Sizes:
    """Of every hundred messages, how many are up to 16 KiB and up to 1 MiB long; the others have up to 200 bytes."""
    middle: int = 20
    large: int = 2

    def draw(self):
        lot = random.randrange(100)
        if lot < self.large:
            return random.randint(16_385, _LARGEST)
        return random.randint(201, 16_384) if lot < self.large + self.middle else random.randint(1, 200)


def _message(number, size):
    """(what the client sends, what comes back): a number and `size` bytes, sometimes in fragments with a Ping between them."""
    start = random.randrange(_LARGEST)
    payload = b"%d " % number + _BODY[start: start + size]
    parts = [(frames.BINARY, payload, True)]
    if number % 8 == 0:
        half = len(payload) // 2
        parts = [(frames.BINARY, payload[:half], False), (frames.PING, b"%d" % number, True),
                 (frames.CONTINUATION, payload[half:], True)]
    return tuple(b"".join(frames.build_frame(opcode, part, fin, key=key) for opcode, part, fin in parts)
                 for key in (frames.ZERO_KEY, frames.NO_MASK))


class _Echoer:
    def __init__(self, peer, name, pause, sizes):
        assert not peer.has_buffered(), "bytes that nobody sent"
        self.peer, self.name = peer, name
        self.sent = self.done = 0        # messages
        self.compared = 0                # bytes
        self.cut = None                  # why the connection ended
        self.next_at = random.random() * pause
        self._pause, self._sizes = pause, sizes
        self._unsent = memoryview(b"")
        self._expected = bytearray()
        self._ends = []                  # of messages that are under way, in bytes since the beginning
        peer.sock.setblocking(False)

    @property
    def at_rest(self):
        return not self._unsent and not self._expected

    @property
    def wants_write(self):
        return bool(self._unsent)

    def begin(self, now):
        if self._unsent or now < self.next_at or len(self._expected) > _IN_FLIGHT - _LARGEST:
            return
        self.sent += 1
        out, back = _message(self.sent, self._sizes.draw())
        self._unsent = memoryview(out)
        self._expected += back
        self._ends.append(self.compared + len(self._expected))
        self.next_at = now + random.random() * 2 * self._pause

    def send(self):
        while self._unsent:
            try:
                self._unsent = self._unsent[self.peer.sock.send(self._unsent[:_PIECE]):]
            except _NOTHING_NOW:
                return

    def receive(self):
        while True:
            try:
                data = self.peer.sock.recv(_PIECE)
            except _NOTHING_NOW:
                return
            if not data:
                raise ConnectionError("the connection ended")
            if self._expected[:len(data)] != data:
                raise AssertionError(f"in message {self.done + 1} of {self.sent}, after {self.compared} bytes: not what was sent, "
                                     f"but {data[:100]!r}")
            del self._expected[:len(data)]
            self.compared += len(data)
            while self._ends and self._ends[0] <= self.compared:
                del self._ends[0]
                self.done += 1


class EchoLoad:
    """Tunnels are handed to it by add(). `pause`: seconds, on the average, from a message's beginning to the next one's. Until
    may_cut() is called, an end of a connection is a problem like any other."""

    def __init__(self, pause=0.05, sizes=Sizes()):
        self.problems = []
        self._pause, self._sizes = pause, sizes
        self._echoers = []               # the driving thread's, like the selector
        self._arriving = []
        self._lock = threading.Lock()    # of the list above
        self._cuts_allowed = self._resting = False
        self._stopping = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, peer, name=""):
        with self._lock:
            self._arriving.append(_Echoer(peer, f"{name} {self.size}", self._pause, self._sizes))

    @property
    def size(self):
        """Tunnels, those that were cut as well."""
        return len(self._echoers) + len(self._arriving)

    @property
    def cut(self):
        return [echoer.name for echoer in self._echoers if echoer.cut]

    @property
    def messages(self):
        return sum(echoer.done for echoer in self._echoers)

    @property
    def compared(self):
        """Bytes."""
        return sum(echoer.compared for echoer in self._echoers)

    def may_cut(self):
        """From now on a connection may end, at any byte. What came before the end must still be right."""
        self._cuts_allowed = True

    def verify(self):
        assert not self.problems, f"{len(self.problems)} problems with {self.size} tunnels:\n" + "\n".join(self.problems[:20])

    def await_round(self, seconds=6 * BOUND):
        """Every tunnel that is not cut has carried a message that begins after this call."""
        wait_until(lambda: not self._arriving or self.problems, "all tunnels are driven")
        goals = [(echoer, echoer.sent + 1) for echoer in self._echoers]
        late = lambda: [echoer.name for echoer, goal in goals if not echoer.cut and echoer.done < goal]
        try:
            wait_until(lambda: self.problems or not late(), "every tunnel carries a message", seconds)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; not these: {late()[:20]}") from None
        self.verify()

    def rest(self, seconds=6 * BOUND):
        """No message begins any more; all that are under way arrive. The peers that are not cut, blocking."""
        self._resting = True
        wait_until(lambda: self.problems or all(echoer.cut or echoer.at_rest for echoer in self._echoers), "all messages are back",
                   seconds)
        self.verify()
        self._stop()
        peers = [echoer.peer for echoer in self._echoers if not echoer.cut]
        for peer in peers:
            peer.sock.settimeout(BOUND)
        return peers

    def _run(self):
        while not self._stopping.is_set():
            self._take_in()
            for key, events in self._selector.select(_ROUND):
                self._attempt(key.data, events & selectors.EVENT_READ)
            now = time.monotonic()
            for echoer in self._echoers:
                if not self._resting and not echoer.cut and not echoer.wants_write and echoer.next_at <= now:
                    self._attempt(echoer, False, now)

    def _take_in(self):
        with self._lock:
            arrived, self._arriving = self._arriving, []
            self._echoers += arrived
        for echoer in arrived:
            self._selector.register(echoer.peer.sock, selectors.EVENT_READ, echoer)

    def _attempt(self, echoer, readable, begin_at=None):
        had_more = echoer.wants_write
        try:
            if begin_at is not None:
                echoer.begin(begin_at)
            echoer.send()
            if readable:
                echoer.receive()
        except Exception as problem:   # judged by verify()
            echoer.cut = f"{type(problem).__name__}: {problem}"
            if not (self._cuts_allowed and isinstance(problem, _CUT)):
                self.problems.append(f"tunnel {echoer.name}: {echoer.cut}")
            self._selector.unregister(echoer.peer.sock)
            return
        if had_more != echoer.wants_write:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if echoer.wants_write else 0)
            self._selector.modify(echoer.peer.sock, events, echoer)

    def _stop(self):
        self._stopping.set()
        background.join([self._thread], "the load rests")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop()
        for echoer in self._echoers + self._arriving:
            echoer.peer.close()
