"""Tunnels that move from a child process to another: a server with room for generations, a load of all kinds of tunnels, and the facts
about a move."""

import time
from dataclasses import dataclass, field

from . import own_records, processes
from .crowd import EchoProcess
from .echo_load import EchoLoad, Sizes
from .waiting import BOUND, wait_until

TAKEN_OVER = "WSP0171:"   # at debug, for each tunnel that a process has taken over
SUMMARY = "WSP0170: [0-9]+ of [0-9]+ tunnels moved"

# Threads for all handshakes at once, and slots for a generation that has not ended.
_THREADS = ("StartServers 2\nServerLimit 12\nThreadsPerChild 16\nMaxRequestWorkers 64\nMinSpareThreads 1\n"
            "MaxSpareThreads 64\nListenBacklog 2000")
ROOM = {"event": _THREADS, "worker": _THREADS,
        "prefork": "StartServers 6\nServerLimit 200\nMaxRequestWorkers 200\nMinSpareServers 2\nMaxSpareServers 200\n"
                   "ListenBacklog 2000"}
KINDS = ("ws to ws", "wss to ws", "ws to wss", "wss to wss")


def lines(backend, tls_backend, more=""):
    """Whoever is not moved would stay for hours, and then be told to go."""
    return f"""
        {own_records.LOG_LINE}
        ProxyWebsocketDrainTimeout 2h
        {more}
        ProxyPass /ws {backend.url}/
        ProxyPass /wss {tls_backend.url}/
        """


def open_tunnels(server, tls, count, kinds=KINDS):
    """`count` of each kind, by kind and number."""
    for kind in kinds:
        client_side, backend_side = kind.split(" to ")
        for _ in range(count):
            yield kind, server.open_tunnel(f"/{backend_side}", tls=tls if client_side == "wss" else None)


def tls_sides(kinds):
    return sum(kind.count("wss") for kind in kinds)


@dataclass
class Restarts:
    """What a row of graceful restarts was like."""
    tunnels: int
    restarts: int = 0
    seconds: float = 0
    messages: int = 0
    compared: int = 0
    gone_after: list = field(default_factory=list)   # seconds from a restart to the end of the old generation's last process

    def __str__(self):
        return (f"{self.restarts} graceful restarts in {self.seconds:.0f} s with {self.tunnels} tunnels: {self.messages} messages, "
                f"{self.compared >> 20} MiB, all right; the old generations were gone after {max(self.gone_after):.2f} s at most, "
                f"{sorted(self.gone_after)[len(self.gone_after) // 2]:.2f} in the median")


def restart_and_await_end_of_old(server):
    """Seconds from the signal to the moment when the new generation serves and the old one has ended."""
    old = set(server.children())
    begin = time.monotonic()
    server.graceful()
    wait_until(lambda: not any(map(processes.is_alive, old)), f"the old generation is gone: {old}", 3 * BOUND)
    return time.monotonic() - begin


def run(server, tls, count, restarts, pause=0.05, sizes=Sizes(), kinds=KINDS):
    """`count` tunnels of each kind carry messages over graceful restarts in a row, and end in order. Raises on any loss, on an end,
    and where an old process stays."""
    figures = Restarts(count * len(kinds))
    with EchoLoad(pause, sizes) as load:
        for kind, peer in open_tunnels(server, tls, count, kinds):
            load.add(peer, kind)
        load.await_round()
        if sides := count * tls_sides(kinds):
            own_records.await_left(server, sides)
        begin = time.monotonic()
        for _ in range(restarts):
            figures.gone_after.append(restart_and_await_end_of_old(server))
            figures.restarts += 1
            load.await_round()
        figures.seconds = time.monotonic() - begin
        for peer in load.rest():
            peer.send_close(1000)
            assert peer.read_close() == (1000, "")
            peer.expect_end()
        figures.messages, figures.compared = load.messages, load.compared
    return figures


class Backends:
    """Echo backends in processes of their own, plain and with TLS."""

    def __init__(self, certificates):
        self.plain, self.secure = EchoProcess(), EchoProcess(certificates)

    def lines(self, more=""):
        return lines(self.plain, self.secure, more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.plain.kill()
        self.secure.kill()
