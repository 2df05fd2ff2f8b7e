"""When each of many peers is told to go."""

import selectors
import time
from dataclasses import dataclass

from .waiting import BOUND


@dataclass(frozen=True)
class Told:
    at: float   # time.monotonic()
    code: int
    reason: str


def read_closes(peers, seconds=BOUND):
    """What each peer, by its place, is told by the Close that must be the next thing it gets; in order of time."""
    told = {}
    with selectors.DefaultSelector() as selector:
        for place, peer in enumerate(peers):
            selector.register(peer.sock, selectors.EVENT_READ, place)
        deadline = time.monotonic() + seconds
        while len(told) < len(peers):
            left = deadline - time.monotonic()
            assert left > 0, f"{len(peers) - len(told)} of {len(peers)} peers got no Close within {seconds} s"
            for key, _ in selector.select(left):
                now = time.monotonic()
                told[key.data] = Told(now, *peers[key.data].read_close())
                selector.unregister(key.fileobj)
    return told
