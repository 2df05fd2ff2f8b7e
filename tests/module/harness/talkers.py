"""Tunnels that talk all the time, from a thread of their own: each sends a numbered message, demands it back, and goes
on. Whoever is told to go by a Close comes back at once, as real clients do."""

import contextlib
import random
import selectors
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

from . import background, frames
from .moments import Told
from .waiting import BOUND

_LONGEST = 20_000   # bytes of a message
_DOORS = 32         # handshakes at the same time


class _Talker:
    def __init__(self, open_tunnel, pause):
        self.open_tunnel = open_tunnel   # opens a tunnel to an echo backend, or raises
        self._pause = pause
        self.peer = None
        self.next_at = 0.0
        self._number = 0
        self._expected = None

    def enter(self):
        self.peer = self.open_tunnel()
        self._number, self._expected, self.next_at = 0, None, 0.0
        return self

    def speak(self):
        """The Close, if one has come: whoever is slow may find that the tunnel has ended behind it."""
        self._number += 1
        self._expected = b"%d " % self._number + b"x" * random.randrange(_LONGEST)
        self.next_at = float("inf")
        try:
            self.peer.send_frame(frames.BINARY, self._expected)
        except (OSError, ssl.SSLError):
            return self.listen()
        return None

    def listen(self):
        """Reads what has come. The Close, if one has."""
        while True:
            frame = self.peer.read_frame()
            if frame.opcode == frames.CLOSE:
                with contextlib.suppress(OSError, ssl.SSLError):   # see speak()
                    self.peer.send_frame(frames.CLOSE, frame.payload[:2])
                return Told(time.monotonic(), int.from_bytes(frame.payload[:2], "big"), frame.payload[2:].decode())
            assert frame.fin and frame.payload == self._expected, f"message {self._number}: not what was sent"
            self._expected, self.next_at = None, time.monotonic() + self._pause
            if not self.peer.has_buffered():
                return None


class Talkers:
    """One talker for each function of `openers`, all inside when this returns. `pause`: seconds between an answer and the
    next message of a tunnel."""

    def __init__(self, openers, pause=0.03):
        self.told = []       # every Close of every tunnel
        self.problems = []   # what went wrong otherwise
        self._talkers = [_Talker(opener, pause) for opener in openers]
        self._stopping = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._doors = ThreadPoolExecutor(_DOORS)   # a handshake may have to wait; talkers must not
        self._entering = [self._doors.submit(talker.enter) for talker in self._talkers]
        waiting = wait(self._entering, 12 * BOUND).not_done
        assert not waiting, f"waited {12 * BOUND} s in vain: {len(waiting)} of {len(self._entering)} tunnels are not open"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopping.is_set():
            self._let_in()
            for key, _ in self._selector.select(0.01):
                self._attempt(key.data, _Talker.listen)
            now = time.monotonic()
            for talker in [key.data for key in self._selector.get_map().values()]:
                if talker.next_at <= now:
                    self._attempt(talker, _Talker.speak)

    def _let_in(self):
        arrived = [future for future in self._entering if future.done()]
        self._entering = [future for future in self._entering if future not in arrived]
        for future in arrived:
            if problem := future.exception():
                self.problems.append(f"entering: {type(problem).__name__}: {problem}")
            else:
                self._selector.register(future.result().peer.sock, selectors.EVENT_READ, future.result())

    def _attempt(self, talker, action):
        """Whoever has had a problem is out, whoever has been told to go comes back."""
        try:
            if told := action(talker):
                self._let_out(talker, told)
        except Exception as problem:   # judged by the test's thread
            self.problems.append(f"{action.__name__}: {type(problem).__name__}: {problem}")
            self._selector.unregister(talker.peer.sock)

    def _let_out(self, talker, told):
        self.told.append(told)
        self._selector.unregister(talker.peer.sock)
        talker.peer.close()
        self._entering.append(self._doors.submit(talker.enter))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopping.set()
        background.join([self._thread], "the talkers rest", 12 * BOUND)
        self._doors.shutdown(cancel_futures=True)   # what has begun has the bounds of a handshake
        self._entering = [future for future in self._entering if not future.cancelled()]
        self._let_in()
        for talker in self._talkers:
            if talker.peer:
                talker.peer.close()
