"""Calls on threads of their own, none of which a test waits for in vain. The threads are daemons: one that hangs fails its test,
and does not keep pytest from its end."""

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
