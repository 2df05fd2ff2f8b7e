"""The openssl program as one end of a tunnel: it can send what Python's ssl cannot (KeyUpdate, CertificateRequest,
HelloRequest, as many tickets as one likes), each when a test says so."""

import os
import re
import selectors
import subprocess
import time

from . import frames, http1
from .waiting import BOUND


class TlsTool:
    """`openssl s_server` or `s_client`: what it is given goes to its peer, but a line that is one of its commands."""

    # The first character of what is given at once is a command to both programs if it is one of these.
    UPDATE_KEYS_AND_ASK = b"K\n"
    UPDATE_KEYS = b"k\n"
    ASK_FOR_CERTIFICATE = b"c\n"
    REQUEST_HELLO = b"r\n"    # s_server, up to TLS 1.2
    RENEGOTIATE = b"R\n"      # s_client, up to TLS 1.2

    def __init__(self, command, *arguments):
        self._process = subprocess.Popen(["openssl", command, *map(str, arguments)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self._said = b""

    def give(self, data):
        self._process.stdin.write(data)

    def await_said(self, pattern):
        """Waits for what its peer sent, or it says itself; forgets all up to there."""
        deadline = time.monotonic() + BOUND
        while not (match := re.search(pattern, self._said, re.DOTALL)):
            more = b""
            if self._selector.select(max(0, deadline - time.monotonic())):
                more = os.read(self._process.stdout.fileno(), 65536)
            assert more, f"openssl did not say {pattern!r} but {self._said[-2000:]!r}"
            self._said += more
        self._said = self._said[match.end():]
        return match

    def close(self):
        self._process.kill()
        self._process.wait(BOUND)
        self._process.stdin.close()
        self._process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class TlsToolBackend(TlsTool):
    """One connection at a time."""

    def __init__(self, certificates, *arguments):
        super().__init__("s_server", "-accept", "127.0.0.1:0", "-cert", certificates.certificate, "-key", certificates.key,
                         *arguments)
        self.port = int(self.await_said(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))
        self.url = f"wss://localhost:{self.port}"

    def accept_handshake(self):
        head = self.await_said(rb"GET .*?\r\n\r\n").group(0)
        self.give(http1.handshake_response(http1.parse_head(head)))

    def send_text(self, text):
        self.give(frames.server_frame(frames.TEXT, text.encode()))

    def expect_text(self, text):
        """Its payload shows what it was masked with; ours is all zeros."""
        self.await_said(re.escape(text.encode()))


class TlsToolClient(TlsTool):
    def __init__(self, port, certificates, *arguments):
        super().__init__("s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-CAfile", certificates.ca,
                         *arguments)

    def send_text(self, text):
        self.give(frames.client_frame(frames.TEXT, text.encode()))

    def expect_text(self, text):
        self.await_said(re.escape(text.encode()))
