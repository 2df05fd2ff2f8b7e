"""Calls on threads of their own, none of which a test waits for in vain. The threads are daemons: one that hangs fails its test,
and does not keep pytest from its end."""

import contextlib
import socket
import threading
import time

from .waiting import BOUND


class Background:
    """One call, begun by the constructor. `what` is it called for, in the sentence of a failure."""

    def __init__(self, what, function, *arguments):
        self._what, self._function, self._arguments = what, function, arguments
        self._value = self._problem = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            self._value = self._function(*self._arguments)
        except BaseException as problem:   # raised again by result(), in the test's thread
            self._problem = problem

    def result(self, seconds=3 * BOUND):
        """What the call has returned, or the exception that it has raised."""
        join([self._thread], self._what, seconds)
        if self._problem:
            raise self._problem
        return self._value


@contextlib.contextmanager
def meanwhile(peer, what, function, *arguments):
    """During the block, `function` uses `peer` on a thread of its own; an OSError of it is taken for the end of the connection.

    The thread has ended when the block has, so that nobody closes the peer's descriptor under it. Otherwise OpenSSL would go on
    writing to the number of the descriptor, which may be another test's connection by then."""
    call = Background(what, function, *arguments)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):   # the other side has ended it
            socket.socket.shutdown(peer.sock, socket.SHUT_RDWR)   # below TLS; wakes the thread
        with contextlib.suppress(OSError):
            call.result()


def all_at_once(what, function, *columns, seconds=3 * BOUND):
    """[function(row) for each row of `columns`], each on a thread of its own."""
    calls = [Background(what, function, *row) for row in zip(*columns)]
    return [call.result(seconds) for call in calls]


def join(threads, what, seconds=3 * BOUND):
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    left = sum(thread.is_alive() for thread in threads)
    assert not left, f"waited {seconds} s in vain: {what} ({left} of {len(threads)} threads are at it)"
