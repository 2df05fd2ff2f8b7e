"""Everything at once: control tunnels, clients and backends without manners, and graceful restarts, for a while."""

import time
from dataclasses import dataclass

from .control_tunnels import ControlTunnels
from .crowd import BackendProcess
from .disturbers import Disturbers
from .waiting import BOUND, wait_until

# Each generation that drains keeps its control tunnels, so that it needs slots.
_THREADS = ("StartServers 2\nServerLimit {slots}\nThreadsPerChild 16\nMaxRequestWorkers 64\nMinSpareThreads 1\n"
            "MaxSpareThreads 64\nListenBacklog 2000")
_PROCESSES = "StartServers 8\nServerLimit 500\nMaxRequestWorkers 500\nMinSpareServers 5\nMaxSpareServers 500"
# Nobody is told to go while this runs. The log has no line per tunnel: there are too many.
_LINES = "ProxyWebsocketDrainTimeout 2h\nLogLevel proxy_websocket:warn"
_BROKEN_RULES = "WSP0201: tunnel ended: .* broke a rule"


@dataclass
class Plan:
    seconds: float
    tunnels: int = 50          # control tunnels at any time
    disturbers: int = 8
    restart_every: float = 4   # seconds
    moves: int = 2             # control tunnels that end, and are opened anew, after each restart
    restarts: int = 1          # at least so many, on a machine that is busy with other things too

    def mpm_lines(self, mpm):
        if mpm == "prefork":
            return _PROCESSES
        return _THREADS.replace("{slots}", str(4 + 4 * self.tunnels))


@dataclass(frozen=True)
class Figures:
    tunnels: int      # control tunnels, all of which were open to their orderly end
    compared: int     # bytes
    restarts: int
    acts: dict        # what disturbers did, and how often

    def __str__(self):
        acts = ", ".join(f"{name} {count}" for name, count in sorted(self.acts.items()))
        return (f"{self.tunnels} control tunnels, {self.compared / 1e6:.1f} MB compared, {self.restarts} graceful restarts, "
                f"no loss; beside them {sum(self.acts.values())} others: {acts}")


def run(start, mpm, certificates, plan):
    """`start` makes an Httpd of (lines, mpm_lines=...), which the caller closes; that judges its log. Raises where a byte
    is missing, somebody waits in vain, or a child stays behind."""
    with BackendProcess("wild_process.py") as backend, ControlTunnels(certificates) as control:
        lines = "\n".join([_LINES, control.lines(), Disturbers.lines(backend)])
        server = start(lines, mpm_lines=plan.mpm_lines(mpm))
        server.allow_log(_BROKEN_RULES)
        control.open(server, plan.tunnels)
        with Disturbers(server, certificates.client_context(), plan.disturbers) as disturbers:
            restarts = _restart_for(server, plan, control, disturbers)
        disturbers.verify()
        control.retire(control.open_now)
        _expect_one_generation(server)
        return Figures(control.retired, control.compared, restarts, dict(disturbers.acts))


def _restart_for(server, plan, control, disturbers):
    count, end = 0, time.monotonic() + plan.seconds
    while time.monotonic() < end or count < plan.restarts:
        server.graceful()
        count += 1
        control.retire(plan.moves)
        control.open(server, plan.moves)
        next_at = time.monotonic() + plan.restart_every
        while time.monotonic() < next_at:
            time.sleep(0.1)   # the load goes on
            control.verify()
            disturbers.verify()
    return count


def _expect_one_generation(server):
    """With the last tunnel the children that drain are gone: what is left goes with one more restart."""
    old = set(server.children())
    server.graceful()
    wait_until(lambda: not old & set(server.children()), f"the processes {old} of old generations are gone", 3 * BOUND)
