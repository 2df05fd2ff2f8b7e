"""One end of a connection, TCP or TLS, client or backend: blocking, with a read buffer, strict about frames."""

import socket
import ssl
import struct
import time

from . import frames, http1
from .waiting import BOUND

_HEAD_LIMIT = 1 << 20
_END_BOUND = 6 * BOUND   # for an end behind data


class Peer:
    """`masks`: this end is the client of RFC 6455 (it masks, and what it reads must not be masked)."""

    def __init__(self, sock, masks):
        self.sock = sock
        self.masks = masks
        self.bytes_sent = self.bytes_received = 0
        self._buffer = b""
        sock.settimeout(BOUND)
        if getattr(sock, "family", None) != socket.AF_UNIX:   # an HTTP/2 stream has none
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # --- bytes ---
    def send(self, data):
        self.sock.sendall(data)
        self.bytes_sent += len(data)

    def _receive(self, limit):
        data = self.sock.recv(limit)
        self.bytes_received += len(data)
        return data

    def read_some(self, limit=65536):
        """At least one byte; b"" at the end of the stream."""
        if self._buffer:
            data, self._buffer = self._buffer[:limit], self._buffer[limit:]
            return data
        return self._receive(limit)

    def take_buffered(self):
        """What was read from the socket and not yet asked for."""
        data, self._buffer = self._buffer, b""
        return data

    def has_buffered(self):
        """More was read from the socket than was asked for."""
        return bool(self._buffer)

    def read_exactly(self, count):
        while len(self._buffer) < count:
            self._fill(max(65536, count - len(self._buffer)))
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def read_until(self, mark):
        while mark not in self._buffer:
            assert len(self._buffer) < _HEAD_LIMIT, f"no {mark!r} in {_HEAD_LIMIT} bytes"
            self._fill(65536)
        data, _, self._buffer = self._buffer.partition(mark)
        return data + mark

    def _fill(self, limit):
        more = self._receive(limit)
        if not more:
            raise EOFError(f"the connection ended; unread: {self._buffer[:200]!r}")
        self._buffer += more

    def read_to_end(self):
        """Everything until the other side closes in order."""
        parts, deadline = [self.take_buffered()], time.monotonic() + _END_BOUND
        while part := self._receive(1 << 18):
            parts.append(part)
            assert time.monotonic() < deadline, f"waited {_END_BOUND} s in vain for the end of the connection; last came {part[-200:]!r}"
        return b"".join(parts)

    def expect_end(self):
        rest = self.read_to_end()
        assert rest == b"", f"expected the end of the connection, got {rest[:200]!r}"

    def expect_broken(self):
        """The connection is over, in order or by a reset; bytes before that do not matter."""
        try:
            self.read_to_end()
        except (ConnectionError, ssl.SSLError):
            pass

    # --- HTTP ---
    def read_head(self):
        return http1.parse_head(self.read_until(b"\r\n\r\n"))

    def read_response(self, method="GET"):
        """The next response with its body; a 101 has none."""
        response = self.read_head()
        if method != "HEAD" and response.status >= 200 and response.status not in (204, 304):
            response.body = self._read_body(response)
        return response

    def _read_body(self, response):
        if (response.header("Transfer-Encoding") or "").lower() == "chunked":
            return b"".join(iter(self._read_chunk, b""))
        length = response.header("Content-Length")
        return self.read_to_end() if length is None else self.read_exactly(int(length))

    def _read_chunk(self):
        size = int(self.read_until(b"\r\n").split(b";")[0], 16)
        chunk = self.read_exactly(size)
        assert self.read_exactly(2) == b"\r\n"
        return chunk

    # --- WebSocket ---
    def frame(self, opcode, payload=b"", fin=True, rsv=0):
        """The bytes of a frame as this end must send it."""
        build = frames.client_frame if self.masks else frames.server_frame
        return build(opcode, payload, fin, rsv)

    def send_frame(self, opcode, payload=b"", fin=True):
        self.send(self.frame(opcode, payload, fin))

    def send_text(self, text):
        self.send_frame(frames.TEXT, text.encode())

    def send_close(self, code=None, reason=""):
        self.send_frame(frames.CLOSE, frames.close_payload(code, reason))

    def read_frame(self):
        return frames.read_frame(self.read_exactly, masked=not self.masks)

    def read_message(self):
        """The payload of the next data message, fragments joined; a control frame fails."""
        parts = []
        while True:
            frame = self.read_frame()
            assert (frame.opcode in (frames.TEXT, frames.BINARY)) == (not parts) and frame.opcode < 8, frame
            parts.append(frame.payload)
            if frame.fin:
                return b"".join(parts)

    def read_close(self):
        """(code or None, reason) of the Close frame that must come next."""
        frame = self.read_frame()
        assert frame.opcode == frames.CLOSE, frame
        if not frame.payload:
            return None, ""
        return struct.unpack("!H", frame.payload[:2])[0], frame.payload[2:].decode()

    def echo(self, payload=b"are you there?", opcode=frames.BINARY):
        """Sends a message and demands it back."""
        self.send_frame(opcode, payload)
        assert self.read_message() == payload

    # --- endings ---
    def shut_write(self):
        """Half-close: no more bytes from here, reading goes on. Not with Python's TLS."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends the TCP connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # An SSLSocket's detach() gives the descriptor without a close_notify.
        socket.socket(fileno=self.sock.detach()).close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect(port, tls=None, host="127.0.0.1", receive_buffer=None, server_name="localhost"):
    """A client's connection. `tls` is an SSLContext or None."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(BOUND)
    sock.connect((host, port))
    if tls:
        sock = tls.wrap_socket(sock, server_hostname=server_name, suppress_ragged_eofs=False)
    return Peer(sock, masks=True)
