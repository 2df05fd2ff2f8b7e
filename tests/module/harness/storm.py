"""Graceful restarts as fast as httpd takes them, while tunnels talk: whoever is told to go comes back."""

import time
from dataclasses import dataclass

from .crowd import EchoProcess
from .talkers import Talkers
from .waiting import BOUND, PATIENCE, wait_until

DRAINED = "server restarting"
_TIMEOUT = 2 * PATIENCE   # seconds of a drain, all of them spread

# Slots for all generations that drain at the same time, and a thread for everybody who comes back at once.
_THREADS = ("StartServers 2\nServerLimit 120\nThreadsPerChild 32\nMaxRequestWorkers 256\nMinSpareThreads 1\n"
            "MaxSpareThreads 256\nListenBacklog 2000")
MPM_LINES = {"event": _THREADS, "worker": _THREADS,
             "prefork": "StartServers 10\nServerLimit 500\nMaxRequestWorkers 500\nMinSpareServers 5\nMaxSpareServers 500\n"
                        "ListenBacklog 2000"}


@dataclass(frozen=True)
class Figures:
    tunnels: int    # at any time
    restarts: int
    seconds: float  # from the first restart to the last
    closes: int     # whole Closes that tunnels were told to go with

    def __str__(self):
        return (f"{self.restarts} graceful restarts in {self.seconds:.0f} s with {self.tunnels} tunnels: {self.closes} went "
                "with a whole Close and came back, no message lost")


def run(start, mpm, tls, tunnels, seconds, restarts=1):
    """For `seconds`, and until there have been `restarts`. `start` makes an Httpd of (lines, mpm_lines=...), which the caller
    closes; that judges its log. Raises where a tunnel meets with anything but a Close of the drain, a message is lost, or a
    process stays behind."""
    with EchoProcess() as backend:
        server = start(f"ProxyWebsocketMigrate Off\nProxyWebsocketDrainTimeout {_TIMEOUT}s\nProxyWebsocketDrainSpread {_TIMEOUT}s\n"
                       f"LogLevel proxy_websocket:warn\nProxyPass /ws {backend.url}/", mpm_lines=MPM_LINES[mpm])
        openers = [lambda: server.open_tunnel("/ws"), lambda: server.open_tunnel("/ws", tls=tls)] * (tunnels // 2)
        with Talkers(openers, pause=tunnels / 400) as talkers:
            begin, count = time.monotonic(), 0
            while time.monotonic() < begin + seconds or count < restarts:
                old = set(server.children())
                server.graceful()
                count += 1
                assert not talkers.problems, "\n".join(talkers.problems)
            end = time.monotonic()
            wait_until(lambda: not old & set(server.children()), "the old generations are gone", _TIMEOUT + 2 * BOUND)
        assert not talkers.problems, "\n".join(talkers.problems)
        told = {(each.code, each.reason) for each in talkers.told}
        assert told == {(1012, DRAINED)}, told
        return Figures(len(openers), count, end - begin, len(talkers.told))
