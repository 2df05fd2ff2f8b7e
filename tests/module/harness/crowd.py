"""Thousands of idle tunnels from one process, opened and used in batches of blocking calls."""

import pathlib
import sys

from . import client, frames, http1
from .peer import connect
from .programs import Program

_BATCH = 100


class BackendProcess(Program):
    """A script of this folder that prints its port, running."""

    def __init__(self, name, *arguments):
        super().__init__(name, sys.executable, pathlib.Path(__file__).with_name(name), *arguments)
        self.port = int(self.next_line())
        self.url = f"ws://127.0.0.1:{self.port}"


class EchoProcess(BackendProcess):
    """echo_process.py, running; behind TLS with `certificates`."""

    def __init__(self, certificates=None):
        super().__init__("echo_process.py", *([certificates.certificate, certificates.key] if certificates else []))
        if certificates:
            self.url = f"wss://localhost:{self.port}"


class Crowd:
    """Tunnels through one mapping of one server."""

    def __init__(self, server, path, tls=None):
        self._server, self._path, self._tls = server, path, tls
        self.tunnels = []

    def open(self, count):
        """`count` more tunnels."""
        wanted_in_all = len(self.tunnels) + count
        while len(self.tunnels) < wanted_in_all:
            wanted = min(_BATCH, wanted_in_all - len(self.tunnels))
            batch = [self._server.start_handshake(self._path, tls=self._tls) for _ in range(wanted)]
            self.tunnels += [client.finish_handshake(tunnel) for tunnel in batch]

    def open_at_once(self, count):
        """`count` more tunnels whose handshakes end when all have begun: so many workers are busy at the same time."""
        self._finish(self._begin(count))

    def open_in_several_children(self, count):
        """`count` more tunnels, all but one of which wait in the middle of their handshakes for that one: it is accepted
        when all the others have a worker, so that they are in as many children as that takes."""
        begun = self._begin(count - 1)
        self.open(1)
        self._finish(begun)

    def _begin(self, count):
        begun = [connect(self._server.port) for _ in range(count)]
        for tunnel in begun:
            tunnel.send(http1.handshake_request(self._path)[:-2])
        return begun

    def _finish(self, begun):
        for tunnel in begun:
            tunnel.send(b"\r\n")
        self.tunnels += [client.finish_handshake(tunnel) for tunnel in begun]

    def echo(self):
        """Every tunnel carries a message there and back."""
        for start in range(0, len(self.tunnels), _BATCH):
            batch = self.tunnels[start: start + _BATCH]
            for number, tunnel in enumerate(batch, start):
                tunnel.send_frame(frames.TEXT, b"tunnel %d" % number)
            for number, tunnel in enumerate(batch, start):
                assert tunnel.read_message() == b"tunnel %d" % number

    def close(self):
        """The closing handshake on every tunnel, to the end of its TCP connection."""
        for start in range(0, len(self.tunnels), _BATCH):
            batch = self.tunnels[start: start + _BATCH]
            for tunnel in batch:
                tunnel.send_close(1000)
            for tunnel in batch:
                assert tunnel.read_close() == (1000, "")
                tunnel.expect_end()
                tunnel.close()
        self.tunnels = []

    def drop(self):
        """Every client vanishes without a word."""
        for tunnel in self.tunnels:
            tunnel.close()
        self.tunnels = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()
