"""An httpd error log that belongs to a test: every line of level warn or above must have been announced."""

import re
from dataclasses import dataclass

from .waiting import wait_until

_LINE = re.compile(r"^\[[^\]]*\] \[(?P<module>[^:\]]*):(?P<level>\w+)\] \[pid (?P<pid>\d+)[^\]]*\] (?P<text>.*)$")
_LOUD = {"emerg", "alert", "crit", "error", "warn"}
# A line of our module about a handshake; others are about the server's start, or the end of an earlier test's tunnel.
REFUSAL = r"WSP01\d\d: "
# A backend's 4xx or 5xx, but for 401 and 407.
BACKEND_REFUSES = "WSP0119: handshake refused with ...: the backend's own answer"
_CRASH = re.compile(r"AH0005[12]:|exit signal|AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:")
_SEGFAULT = r"AH00052: .*exit signal Segmentation fault"


@dataclass(frozen=True)
class LogLine:
    text: str    # the whole line
    level: str   # "" for what was written to stderr past httpd's logging
    pid: int

    @classmethod
    def parse(cls, text):
        match = _LINE.match(text)
        return cls(text, match["level"], int(match["pid"])) if match else cls(text, "", 0)

    @property
    def loud(self):
        return self.level in _LOUD or self.level == ""

    @property
    def crash(self):
        return bool(_CRASH.search(self.text))


def _is_allowed(line, patterns):
    """A crash is only allowed by allow_crash()."""
    if line.crash:
        return _SEGFAULT in patterns and bool(re.search(_SEGFAULT, line.text))
    return any(re.search(pattern, line.text) for pattern in patterns)


class ErrorLog:
    """The lines since the last verify() are the running test's."""

    def __init__(self, path, always=()):
        """`always`: regexes of loud lines that any test may meet."""
        self.path = path
        self._always = list(always)
        self._verified = 0      # lines judged by an earlier verify()
        self._announced = []    # (regex, must appear)

    def all_lines(self):
        if not self.path.exists():
            return []
        text = self.path.read_text(errors="replace")
        whole = text[: text.rfind("\n") + 1]
        return [LogLine.parse(line) for line in whole.splitlines() if line]

    def lines(self, pattern=""):
        """This test's lines that match."""
        return [line for line in self.all_lines()[self._verified:] if re.search(pattern, line.text)]

    def total(self, pattern):
        """How many lines match since httpd was first started."""
        return sum(bool(re.search(pattern, line.text)) for line in self.all_lines())

    def module_lines(self, pattern=""):
        """This test's lines that our module wrote."""
        return [line for line in self.lines(r"WSP\d{4}:") if re.search(pattern, line.text)]

    def wait_for(self, pattern, count=1):
        return wait_until(lambda: len(self.lines(pattern)) >= count and self.lines(pattern),
                          f"{count} x /{pattern}/ in the error log")

    def expect(self, pattern):
        """Announces a loud line that must appear before the test ends."""
        self._announced.append((pattern, True))

    def allow(self, pattern):
        """Announces a loud line that may appear."""
        self._announced.append((pattern, False))

    def allow_always(self, pattern):
        """A loud line that any test from now on may meet: one that is written late falls to the next test."""
        self._always.append(pattern)

    def allow_crash(self):
        """A child may end by a segmentation fault before the test ends; sanitizer reports still fail it."""
        self.allow(_SEGFAULT)

    def verify(self):
        """Ends a test's share of the log; fails for unannounced loud lines, crashes and missing lines."""
        announced, self._announced = self._announced, []
        try:
            for pattern, required in announced:
                if required:
                    self.wait_for(pattern)
            self._judge(self.lines(), self._always + [pattern for pattern, _ in announced])
        finally:
            self._verified = len(self.all_lines())

    def _judge(self, lines, allowed):
        lines_in_question = [line for line in lines if line.crash or line.loud]
        bad = [line.text for line in lines_in_question if not _is_allowed(line, allowed)]
        if bad:
            raise AssertionError("unannounced lines in the error log:\n  " + "\n  ".join(bad) +
                                 "\n\n" + self.describe(lines))

    def describe(self, lines=None):
        lines = self.lines() if lines is None else lines
        return f"error log of this test ({self.path}):\n" + "\n".join("  " + line.text for line in lines[-200:])
