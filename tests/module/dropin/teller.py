"""Backends that tell what reached them: each answer names the backend and carries the request line and headers that it got.
A handshake gets a 101, that story as the first message, and then an echo."""

import json
import socket
import threading

from harness import frames, http1
from harness.backend import Session, echo_until_close
from harness.waiting import BOUND


class _UnixSocket(socket.socket):
    """For Peer, which sets options of TCP."""

    def setsockopt(self, *_):
        """A Unix socket has none of these."""


class Teller:
    """`speaks_websocket` False: answers a handshake as if it were any GET. `address`: where to listen, a path for a Unix
    socket."""

    def __init__(self, name, address=("127.0.0.1", 0), speaks_websocket=True, tls=None):
        self.name = name
        self.requests = []      # every request that came, oldest first
        self.refusal = None     # the status line of what handshakes are answered instead of 101
        self.refusal_of = lambda request: self.refusal   # or one for each request
        self._speaks_websocket, self._tls = speaks_websocket, tls
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(address)
        self._socket.listen(128)
        self.port = None if family == socket.AF_UNIX else self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                sock, _ = self._socket.accept()
            except OSError:   # closed
                return
            threading.Thread(target=self._tell, args=(sock,), daemon=True).start()

    def _tell(self, sock):
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            elif sock.family == socket.AF_UNIX:
                sock = _UnixSocket(fileno=sock.detach())
            with Session(sock) as session:
                sock.settimeout(6 * BOUND)
                self._answer(session)
        except (EOFError, OSError, frames.FrameError):
            sock.close()   # the client's end is what tests look at

    def _answer(self, session):
        request = session.read_request()
        self.requests.append(request)
        story = json.dumps({"backend": self.name, "line": request.first_line, "headers": request.headers})
        upgrade = request.header("Upgrade")
        refusal = upgrade and self.refusal_of(request)
        if refusal:
            session.send(http1.format_head(f"HTTP/1.1 {refusal}", [("Content-Length", "0"), ("Connection", "close")]))
            return
        if self._speaks_websocket and upgrade:
            session.accept_handshake({"Upgrade": upgrade, "X-Backend": self.name, "Set-Cookie": "sid=1; Path=/inner"})
            session.send_text(story)
            echo_until_close(session)
            return
        self._read_body(session, request)
        session.send(http1.format_head("HTTP/1.1 200 OK", [
            ("X-Backend", self.name), ("Content-Type", "application/json"), ("Set-Cookie", "sid=1; Path=/inner"),
            ("Connection", "close"), ("Content-Length", str(len(story)))]) + story.encode())

    @staticmethod
    def _read_body(session, request):
        if (request.header("Transfer-Encoding") or "").lower() == "chunked":
            session.read_until(b"0\r\n\r\n")
        session.read_exactly(int(request.header("Content-Length") or 0))

    def close(self):
        """A thread in accept() keeps the socket alive unless it is shut down."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
