"""Backends in the test's own process: one whose connections the test drives by hand, and one that echoes."""

import contextlib
import os
import select
import socket
import ssl
import tempfile
import threading

from . import frames, http1
from .peer import Peer
from .waiting import BOUND


class Session(Peer):
    """The backend's end of one proxied connection."""

    def __init__(self, sock):
        super().__init__(sock, masks=False)
        self.request = None

    def read_request(self):
        self.request = self.read_head()
        return self.request

    def accept_handshake(self, changes=None, glued=b""):
        """Answers 101 with `glued` in the same write."""
        self.send(http1.handshake_response(self.request or self.read_request(), changes) + glued)
        return self


def _listening_socket(port, receive_buffer=None, host="127.0.0.1"):
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer:   # before listen(): connections inherit it
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(512)
    listening.settimeout(BOUND)
    return listening


@contextlib.contextmanager
def silent(host, port):
    """Listens, and answers nobody: its queue is full."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening, contextlib.ExitStack() as stack:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket(family))
            filler.setblocking(False)
            filler.connect_ex((host, port))
        yield


class Listener:
    """A listening socket; `scheme` is ws, or wss with an SSLContext."""

    def __init__(self, tls=None, receive_buffer=None, host="127.0.0.1", port=0):
        self._socket = _listening_socket(port, receive_buffer, host)
        self._tls = tls
        self.port = self._socket.getsockname()[1]
        self.scheme = "wss" if tls else "ws"

    @property
    def url(self):
        """Without a path and a trailing slash. TLS backends are localhost, as their certificate says."""
        return f"{self.scheme}://{'localhost' if self._tls else '127.0.0.1'}:{self.port}"

    def fileno(self):
        """Readable when a connection waits to be accepted."""
        return self._socket.fileno()

    @property
    def context(self):
        """The SSLContext, or None."""
        return self._tls

    def stop_listening(self):
        """Connections are refused from here on."""
        self._close_socket()

    def listen_again(self):
        """On the same port."""
        self._socket = _listening_socket(self.port)

    def accept_raw(self):
        """The next connection's socket; shake_hands() makes a session of it."""
        sock, _ = self._socket.accept()
        sock.settimeout(BOUND)
        return sock

    def expect_no_connection(self, seconds=0.3):
        """Nobody connects meanwhile."""
        assert not select.select([self._socket], [], [], seconds)[0], "a connection that nobody needs"

    def accept_connection(self):
        """The next connection, its request not yet read."""
        return self.shake_hands(self.accept_raw())

    def shake_hands(self, sock):
        """The session on a socket of accept_raw(), after the TLS handshake where there is one."""
        if self._tls:
            sock = self._tls.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
        return Session(sock)

    def accept(self):
        """The next connection that brings a request."""
        session = self.accept_connection()
        session.read_request()
        return session

    def forget_waiting(self):
        """Drops connections that nobody accepted, so that a test does not meet its predecessor's."""
        while select.select([self._socket], [], [], 0)[0]:
            self._socket.accept()[0].close()

    def close(self):
        self._close_socket()

    def _close_socket(self):
        """A thread in accept() keeps a socket alive unless it is shut down, and may even go on with whatever socket has
        the descriptor's number by then."""
        with contextlib.suppress(OSError):   # closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class UnixListener(Listener):
    """The same on a Unix socket, which every user may connect to; plain."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="wsp-unix-")
        os.chmod(self._folder.name, 0o755)
        self.path = f"{self._folder.name}/socket"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self._socket.listen(512)
        self._socket.settimeout(BOUND)
        self._tls = None

    def close(self):
        super().close()
        self._folder.cleanup()


class EchoBackend(Listener):
    """Accepts every handshake and sends messages back, a thread per connection."""

    def __init__(self, tls=None):
        super().__init__(tls)
        self._socket.settimeout(None)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                sock, _ = self._socket.accept()
            except OSError:   # closed
                return
            threading.Thread(target=self._echo, args=(sock,), daemon=True).start()

    def _echo(self, sock):
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with Session(sock) as session:
                sock.settimeout(None)
                session.accept_handshake()
                echo_until_close(session)
        except (EOFError, OSError, ssl.SSLError, frames.FrameError):
            sock.close()   # the client's end is what tests look at


def echo_until_close(session):
    """Data comes back as it was framed, a Ping as a Pong, a Close as a Close before the end."""
    while True:
        frame = session.read_frame()
        opcode = frames.PONG if frame.opcode == frames.PING else frame.opcode
        if frame.opcode != frames.PONG:
            session.send_frame(opcode, frame.payload, frame.fin)
        if frame.opcode == frames.CLOSE:
            return
