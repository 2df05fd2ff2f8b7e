"""Programs that a test starts: they speak in lines, each of which is waited for within a bound, and none outlives its test."""

import os
import selectors
import subprocess
import time

from .waiting import BOUND


class Program:
    """Running from its constructor to kill(). `name` stands in the sentences of failures; `options` are subprocess's."""

    def __init__(self, name, *command, **options):
        self._name = name
        self._unread = b""
        self._process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, **options)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    @property
    def pid(self):
        return self._process.pid

    def next_line(self, seconds=BOUND):
        """The next line that it says, without the line's end."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._unread:
            more = self._read(deadline, seconds, "its next line")
            assert more, f"{self._name} has ended; its last words: {self._unread[-2000:]!r}"
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode().strip()

    def remaining_lines(self, seconds=BOUND):
        """All that it says before it ends by itself."""
        deadline = time.monotonic() + seconds
        while more := self._read(deadline, seconds, "its end"):
            self._unread += more
        said, self._unread = self._unread, b""
        return said.decode().splitlines()

    def _read(self, deadline, seconds, what):
        if not self._selector.select(max(0, deadline - time.monotonic())):
            raise AssertionError(f"waited {seconds} s in vain for {self._name}, {what}; unread: {self._unread[-2000:]!r}")
        return os.read(self._process.stdout.fileno(), 65536)

    def kill(self):
        """At once, as a crash would."""
        self._process.kill()
        self._process.wait(BOUND)
        self._selector.close()
        self._process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
