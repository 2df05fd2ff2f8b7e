"""A network of its own behind a virtual cable that can be pulled. Needs root, or what root may do with networks."""

import contextlib
import ctypes
import fcntl
import os
import random
import socket
import struct
import subprocess

import pytest

from .waiting import COMMAND_BOUND

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def _ip(*words):
    result = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=COMMAND_BOUND)
    if result.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {result.stderr.strip()}")


class Cable:
    """`host` is this machine's address on the cable; inside() makes sockets at its other end."""

    def __init__(self):
        number = random.randrange(1, 65000)
        self._name = f"wsp-{number}"
        self._here, self._there = f"wsph{number}", f"wspc{number}"
        network = f"10.{random.randrange(1, 250)}.{number % 250}"
        self.host = f"{network}.1"
        _ip("netns", "add", self._name)
        try:
            _ip("link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self._name)
            _ip("addr", "add", f"{self.host}/24", "dev", self._here)
            _ip("link", "set", self._here, "up")
            _ip("-n", self._name, "addr", "add", f"{network}.2/24", "dev", self._there)
            _ip("-n", self._name, "link", "set", self._there, "up")
        except OSError:
            self.remove()
            raise

    @contextlib.contextmanager
    def inside(self):
        """What this thread does now with networks, it does at the other end; its sockets stay there."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self._name}") as there:
            if libc.setns(there.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            try:
                yield
            finally:
                libc.setns(home.fileno(), _CLONE_NEWNET)

    def pull(self):
        """From now on every packet is lost, and nobody is told."""
        _ip("-n", self._name, "link", "set", self._there, "down")

    def remove(self):
        subprocess.run(["ip", "netns", "del", self._name], capture_output=True, timeout=COMMAND_BOUND)
        subprocess.run(["ip", "link", "del", self._here], capture_output=True, timeout=COMMAND_BOUND)


@contextlib.contextmanager
def cable_or_skip():
    try:
        cable = Cable()
    except OSError as problem:
        pytest.skip(f"no network namespaces here: {problem}")
    try:
        yield cable
    finally:
        cable.remove()


@contextlib.contextmanager
def private_network():
    """A network of this thread's own, and of what it starts, with a loopback device only: where a machine has an address of
    one family beyond loopback, the resolver keeps the other family from whoever asks as APR does. OSError without root."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result):
        if result != 0:
            raise OSError(ctypes.get_errno(), "a network of one's own needs root")

    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        check(libc.unshare(_CLONE_NEWNET))
        try:
            with socket.socket() as any_socket:
                asked = struct.pack("16sh22x", b"lo", 0)
                flags, = struct.unpack_from("h", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked), 16)
                fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))
            yield
        finally:
            check(libc.setns(before, _CLONE_NEWNET))
    finally:
        os.close(before)
