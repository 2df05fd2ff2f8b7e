"""Site configurations in the shape in which applications' documentation has them, each with what scripts/migrate must say
and write. All were written for this test."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Recipe:
    name: str
    body: str  # of a virtual host; {app}, {chat}, {pages}: backends, {secure}: one with TLS, {socket}: one on a Unix socket
    says: tuple = ()  # a piece of each mistake, delete and change, and of notes that matter, as "severity: piece"
    writes: tuple = ()  # (old, new) pieces of what --write changes in the body; none: it stays as it is
    wakes: bool = False  # --write makes tunnels of handshakes that got to the same URL without one
    nowhere: bool = False  # what --write mends led nowhere before
    advice_wakes: bool = False  # the advice makes tunnels of handshakes that got to the same URL without one
