"""What is measured: the workloads, with their sizes for a quick and for a full run, and how one number is taken."""

import dataclasses
import time

from running import Load, cpu_between

_SECONDS = 30       # the longest that one load may take; what it has done by then counts
_SETTLE = 1.0       # before and after memory is read
_CLOSING = 0.1      # for what a proxy still does after the last tunnel is closed
_WARM_UP = 50       # tunnels opened and closed before memory is read for the first time


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    kind: str         # echo, or open: as wsbench calls them
    tls: bool
    connections: int
    quick: int        # count of echoes or opens in one round
    full: int
    size: int = 64
    rate: int = 0     # messages per second; 0 is as fast as they come back

    def options(self, count):
        options = {"connections": self.connections, "count": count}
        if self.kind == "echo":
            options |= {"size": self.size, "rate": self.rate}
        return options


def _both(name, kind, *numbers, **more):
    return [Workload(f"{name}, {'TLS' if tls else 'plain'}", kind, tls, *numbers, **more) for tls in (False, True)]


WORKLOADS = [
    *_both("64 B", "echo", 100, 20_000, 100_000),
    *_both("16 KiB", "echo", 100, 8_000, 40_000, size=16 << 10),
    *_both("1 MiB", "echo", 10, 200, 1_500, size=1 << 20),
    *_both("64 B at 2,000/s", "echo", 100, 1_000, 6_000, rate=2_000),
    *_both("open and close", "open", 16, 400, 2_000),
]
TUNNELS = max(workload.connections for workload in WORKLOADS)


def run_once(workload, count, proxy, program, cpus):
    """One round: the proxy's CPU time per piece of work, and what the client saw."""
    with Load(program, workload.kind, proxy, cpus, workload.tls, _SECONDS, **workload.options(count)) as load:
        before = proxy.cpu()
        result = load.work()
        if workload.kind == "open":
            time.sleep(_CLOSING)
        cpu = cpu_between(before, proxy.cpu())
    done = max(result["count"], 1)
    return {
        "cpu_us": cpu / done * 1e6,
        "per_second": result["count"] / result["seconds"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
        "busy": cpu / result["seconds"],
        "count": result["count"],
        "skipped": result["skipped"],
    }


def memory_per_tunnel(tls, tunnels, proxy, program, cpus):
    """Growth of the proxy's PSS in bytes per tunnel. Each has echoed twice and then been idle."""
    with Load(program, "echo", proxy, cpus, tls, _SECONDS, connections=min(_WARM_UP, tunnels)):
        pass
    time.sleep(_SETTLE)
    before = proxy.pss_bytes()
    with Load(program, "echo", proxy, cpus, tls, 4 * _SECONDS, connections=tunnels):
        time.sleep(_SETTLE)
        return (proxy.pss_bytes() - before) / tunnels
