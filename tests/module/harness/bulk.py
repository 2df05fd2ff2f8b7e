"""Mebibytes to gibibytes both ways at once: whole frames from one prepared block, compared by length and CRC."""

import os
import select
import ssl
import time
import zlib

from . import frames
from .background import Background
from .waiting import BOUND

_SIZES = [1, 125, 126, 65535, 65536, 200_000, 700_000]
_CHUNK = 1 << 18
_EXCHANGE_BOUND = 360 * BOUND   # each end fails by itself when it comes to a halt


def frame_block(masks):
    """About 1 MiB of binary frames, one per length encoding, payloads random; the key of masked ones is zero."""
    key = frames.ZERO_KEY if masks else frames.NO_MASK
    return b"".join(frames.build_frame(frames.BINARY, os.urandom(size), key=key) for size in _SIZES)


class Digest:
    """Length and CRC-32 of a stream."""

    def __init__(self):
        self.length, self.crc = 0, 0

    def add(self, data):
        self.length += len(data)
        self.crc = zlib.crc32(data, self.crc)

    @classmethod
    def of_repeated(cls, block, count):
        digest = cls()
        for _ in range(count):
            digest.add(block)
        return digest

    def __eq__(self, other):
        return (self.length, self.crc) == (other.length, other.crc)

    def __repr__(self):
        return f"{self.length} bytes, crc {self.crc:08x}"


class _End:
    """One side of an exchange. One thread drives both its ways: an SSL object must not be shared by two."""

    def __init__(self, peer, block, count, expected_length):
        self.sock = peer.sock
        self.received = Digest()
        self._expected = expected_length
        self._block, self._blocks_left, self._offset = memoryview(block), count, 0
        self._scratch = bytearray(_CHUNK)
        if early := peer.take_buffered():
            self.received.add(early)

    def run(self):
        self.sock.setblocking(False)
        moved_at = time.monotonic()
        while self._blocks_left or self.received.length < self._expected:
            if self._send_some() | self._receive_some():
                moved_at = time.monotonic()
                continue
            self._wait()
            if time.monotonic() - moved_at >= BOUND:   # ready or not: a TLS socket may be, and have nothing
                raise AssertionError(f"no byte moved for {BOUND} s: {self._blocks_left} blocks to send, "
                                     f"received {self.received} of {self._expected} bytes")
        self.sock.settimeout(BOUND)

    def _wait(self):
        select.select([self.sock], [self.sock] if self._blocks_left else [], [], BOUND)

    def _send_some(self):
        if not self._blocks_left:
            return False
        try:
            self._offset += self.sock.send(self._block[self._offset: self._offset + _CHUNK])
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        if self._offset == len(self._block):
            self._offset, self._blocks_left = 0, self._blocks_left - 1
        return True

    def _receive_some(self):
        try:
            count = self.sock.recv_into(self._scratch)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        if count == 0:
            raise AssertionError(f"the connection ended after {self.received} of {self._expected} bytes")
        self.received.add(memoryview(self._scratch)[:count])
        return True


def exchange(client, session, size):
    """Sends about `size` bytes each way at once and demands every one of them on the other side."""
    up, down = frame_block(masks=True), frame_block(masks=False)
    count = max(1, size // len(up))
    ends = [_End(client, up, count, len(down) * count), _End(session, down, count, len(up) * count)]
    for running in [Background("both ends move their bytes", end.run) for end in ends]:
        running.result(_EXCHANGE_BOUND)
    assert ends[0].received == Digest.of_repeated(down, count)
    assert ends[1].received == Digest.of_repeated(up, count)


def send_until_stuck(peer, block, limit, calm=0.3):
    """Repeats `block` until nothing was taken for `calm` seconds or `limit` bytes went; the bytes that went."""
    peer.sock.setblocking(False)
    sent, view, sent_at = 0, memoryview(block), time.monotonic()
    while sent < limit:
        if not select.select([], [peer.sock], [], calm)[1]:
            break
        try:
            sent += peer.sock.send(view[sent % len(block):])
            sent_at = time.monotonic()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            assert time.monotonic() - sent_at < BOUND, f"writable for {BOUND} s, and takes nothing more than {sent} bytes"
    peer.sock.settimeout(BOUND)
    return sent


def receive_exactly(peer, count):
    """Digest of the next `count` bytes."""
    digest = Digest()
    digest.add(peer.take_buffered())
    while digest.length < count:
        data = peer.sock.recv(min(_CHUNK, count - digest.length))
        assert data, f"the connection ended after {digest} of {count} bytes"
        digest.add(data)
    return digest


def digest_of_prefix(block, length):
    """Digest of the first `length` bytes of endless repetitions of `block`."""
    digest = Digest.of_repeated(block, length // len(block))
    digest.add(block[: length % len(block)])
    return digest
