"""The access log in a fixed format whose fields can be asked for by name."""

import shlex
from dataclasses import dataclass

from .waiting import wait_until

_FIELDS = {
    "status": "%>s", "us": "%D", "seconds": "%T", "received": "%I", "sent": "%O", "total": "%S",
    "code": "%{ws-close-code}n", "by": "%{ws-closed-by}n",
    "messages_in": "%{ws-messages-in}n", "messages_out": "%{ws-messages-out}n",
    "request": "%r", "address": "%a", "user": "%u", "agent": "%{User-Agent}i",
}
FORMAT = " ".join(f'{name}=\\"{value}\\"' for name, value in _FIELDS.items())


@dataclass(frozen=True)
class AccessLine:
    fields: dict

    def __getattr__(self, name):
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None

    def number(self, name):
        return int(self.fields[name])


class AccessLog:
    def __init__(self, path):
        self.path = path

    def text_lines(self):
        """Whole lines only: a reader may see the beginning of a line that is being written."""
        return self.path.read_text().split("\n")[:-1] if self.path.exists() else []

    def lines(self, path=""):
        """Entries whose request line names `path`, oldest first."""
        entries = [AccessLine(dict(part.split("=", 1) for part in shlex.split(line))) for line in self.text_lines()]
        return [entry for entry in entries if path in entry.request]

    def wait_for(self, path, count=1):
        """Exactly `count` entries for `path`."""
        wait_until(lambda: len(self.lines(path)) >= count, f"{count} access log lines for {path}")
        entries = self.lines(path)
        assert len(entries) == count, f"{len(entries)} access log lines for {path}, expected {count}: {entries}"
        return entries


def piped_lines(server):
    """What a program that is an access log has written to piped.log about tunnels: the harness has requests of its own."""
    path = server.root / "piped.log"
    text = path.read_text() if path.exists() else ""
    return [line for line in text.split("\n")[:-1] if " /ws/" in line]
