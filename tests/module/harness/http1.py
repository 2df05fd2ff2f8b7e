"""HTTP/1.1 messages as bytes: requests with every header under control, responses read whole. No I/O."""

import base64
import hashlib
import os
from dataclasses import dataclass, field

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"   # RFC 6455 1.3


def new_key():
    return base64.b64encode(os.urandom(16)).decode()


def accept_for(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


@dataclass
class Message:
    """A request or response: its first line, its headers in order, its body."""
    first_line: str
    headers: list = field(default_factory=list)
    body: bytes = b""

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        """Joined as RFC 9110 5.3 allows; None when absent."""
        values = self.all(name)
        return ", ".join(values) if values else None

    @property
    def status(self):
        return int(self.first_line.split()[1])

    @property
    def target(self):
        return self.first_line.split()[1]


def parse_head(raw):
    """The message whose head, blank line included, is `raw`."""
    first, *lines = raw.decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines if line]
    return Message(first, [(name, value.strip()) for name, _, value in pairs])


def format_head(first_line, headers):
    lines = [first_line, *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _with_changes(defaults, changes):
    """`changes` maps a header to its new value, to a list for several fields, or to None to leave it out."""
    lowered = {name.lower() for name in changes}
    headers = [(name, value) for name, value in defaults if name.lower() not in lowered]
    for name, value in changes.items():
        headers += [(name, each) for each in (value if isinstance(value, list) else [value]) if each is not None]
    return headers


def handshake_request(path="/", changes=None, method="GET", version="HTTP/1.1", host="localhost"):
    """A client's opening handshake (RFC 6455 4.1) with the given headers changed."""
    defaults = [("Host", host), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                ("Sec-WebSocket-Key", new_key()), ("Sec-WebSocket-Version", "13")]
    return format_head(f"{method} {path} {version}", _with_changes(defaults, changes or {}))


def handshake_response(request, changes=None):
    """A backend's 101 for `request` (a Message) with the given headers changed."""
    defaults = [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                ("Sec-WebSocket-Accept", accept_for(request.header("Sec-WebSocket-Key") or ""))]
    return format_head("HTTP/1.1 101 Switching Protocols", _with_changes(defaults, changes or {}))


def plain_request(path="/", headers=(), method="GET", body=b"", host="localhost"):
    fields = [("Host", host), *headers]
    if body:
        fields.append(("Content-Length", str(len(body))))
    return format_head(f"{method} {path} HTTP/1.1", fields) + body
