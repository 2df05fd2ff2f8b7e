"""Clients without manners, some threads of them: each opens a tunnel, ends it in one of many ways, and comes back for
another. What they do may end as it likes, but never by waiting in vain; pages and orderly tunnels in between must work."""

import collections
import os
import random
import ssl
import threading
import time

from . import background, bulk, frames, http1
from .peer import connect
from .waiting import BOUND

_BACKEND_MANNERS = ("reset", "half-close", "garbage", "half-a-frame")


def _orderly(site):
    with site.open("echo") as client:
        for _ in range(random.randrange(4)):
            client.echo(os.urandom(random.randrange(20_000)))
        client.send_close(1000)
        assert client.read_close() == (1000, "")
        client.expect_end()


def _page(site):
    assert site.server.get("/", tls=site.random_tls()).status == 200


def _reset(site):
    client = site.open("echo")
    client.send_frame(frames.BINARY, os.urandom(random.randrange(100_000)))
    client.reset()


def _vanish(site):
    site.open("echo").close()


def _half_close(site):
    with site.open("echo", plain=True) as client:
        client.send_frame(frames.BINARY, b"the last word")
        client.shut_write()
        client.expect_broken()


def _garbage(site):
    with site.open("echo") as client:
        client.send(os.urandom(random.randrange(1, 5000)))
        time.sleep(0.05)


def _half_a_frame(site):
    with site.open("echo") as client:
        client.send(client.frame(frames.BINARY, bytes(10_000))[:random.randrange(1, 9000)])


def _half_a_handshake(site):
    with connect(site.server.port) as client:
        request = http1.handshake_request("/wild/echo")
        client.send(request[:random.randrange(len(request))])


def _no_tls(site):
    with connect(site.server.tls_port) as client:
        client.send(b"\x16\x03\x01" + os.urandom(random.randrange(200)))


def _deaf(site):
    client = site.open("flood", receive_buffer=4096)
    time.sleep(random.random() / 2)
    client.reset()


def _pushy(site):
    client = site.open("stall")
    bulk.send_until_stuck(client, client.frame(frames.BINARY, bytes(50_000)), 5_000_000, calm=0.2)
    client.reset()


def _rude_backend(site):
    with site.open(random.choice(_BACKEND_MANNERS)) as client:
        client.send_frame(frames.TEXT, b"hello")
        client.expect_broken()


_ACTS = (_orderly, _page, _reset, _vanish, _half_close, _garbage, _half_a_frame, _half_a_handshake, _no_tls, _deaf, _pushy,
         _rude_backend)
_MUST_WORK = (_orderly, _page)


class Disturbers:
    """`count` threads, at work until close(). Their configuration leads to wild_process.py."""

    def __init__(self, server, tls, count):
        self.server = server
        self.acts = collections.Counter()   # by name
        self._tls = tls
        self._problems = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def lines(backend):
        """The configuration that they need."""
        return f"ProxyPass /wild/ {backend.url}/"

    def random_tls(self):
        return random.choice([None, self._tls])

    def open(self, manners, plain=False, **connection):
        return self.server.open_tunnel(f"/wild/{manners}", tls=None if plain else self.random_tls(), **connection)

    def _run(self):
        while not self._stopping.is_set() and not self._problems:
            act = random.choice(_ACTS)
            try:
                act(self)
            except Exception as problem:   # judged by verify()
                if act in _MUST_WORK or not isinstance(problem, (ConnectionError, EOFError, ssl.SSLError)):
                    self._problems.append(f"{act.__name__}: {type(problem).__name__}: {problem}")
            self.acts[act.__name__.strip("_")] += 1

    def verify(self):
        assert not self._problems, "\n".join(self._problems)

    def close(self):
        self._stopping.set()
        background.join(self._threads, "the disturbers have ended what they were at", 12 * BOUND)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
