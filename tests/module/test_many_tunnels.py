"""Thousands of idle tunnels: they all work, the site answers as before, and httpd grows by less than 1 KiB each."""

import pytest

from harness.background import all_at_once
from harness.config import MPM_IS_FULL
from harness.crowd import Crowd
from harness.waiting import SANITIZED, wait_until, wait_until_steady

# How many tunnels, through how many workers.
SIZES = {
    "event": (5000, 150, "StartServers 6\nServerLimit 6\nThreadsPerChild 25\nMaxRequestWorkers 150\n"
                         "MinSpareThreads 25\nMaxSpareThreads 150"),
    "worker": (1000, 150, "StartServers 6\nServerLimit 6\nThreadsPerChild 25\nMaxRequestWorkers 150\n"
                          "MinSpareThreads 25\nMaxSpareThreads 150"),
    "prefork": (1000, 10, "StartServers 10\nServerLimit 10\nMaxRequestWorkers 10\nMinSpareServers 1\nMaxSpareServers 10"),
}
_WARM_UP = 300
_PARALLEL_GETS = 50
# On worker 1,000 tunnels share what the heaps of 150 threads grow by meanwhile: up to 0.9 MB, without a tunnel's doing.
_BYTES_PER_TUNNEL = {"event": 1024, "worker": 2048, "prefork": 1024}


@pytest.mark.heavy
def test_idle_tunnels_cost_neither_threads_nor_memory(start, mpm, echo_process):
    count, workers, mpm_lines = SIZES[mpm]
    server = start(f"ProxyPass /ws {echo_process.url}/", mpm_lines=mpm_lines)
    server.allow_log(MPM_IS_FULL)
    with Crowd(server, "/ws") as crowd:
        warm_up(server, crowd, workers)
        sockets = server.sockets_per_child()
        per_tunnel = measure(server, crowd, count)
        wait_until(lambda: server.busy_workers() == 1, "no worker is busy with a tunnel")
        get_in_parallel(server)
        crowd.echo()
        assert SANITIZED or per_tunnel < _BYTES_PER_TUNNEL[mpm]
        crowd.close()
        wait_until(lambda: server.sockets_per_child() <= sockets, "the sockets of all tunnels are given back")


def warm_up(server, crowd, workers):
    """Lets every worker open tunnels, since its first ones cost what all later ones use again."""
    for _ in range(3):
        crowd.open_at_once(workers)
        crowd.open(_WARM_UP - workers)
        crowd.echo()
        get_in_parallel(server)
        crowd.close()


def measure(server, crowd, count):
    """Opens `count` tunnels; bytes of memory by which httpd has grown for each."""
    at_rest = steady_pss(server)
    crowd.open(_WARM_UP)
    crowd.echo()
    as_warm = steady_pss(server)
    crowd.open(count - _WARM_UP)
    crowd.echo()
    full = steady_pss(server)
    print(f"{server.mpm}: {count} idle tunnels, {(full - at_rest) / count:.0f} bytes of PSS each; "
          f"{(full - as_warm) / (count - _WARM_UP):.0f} for each beyond what {_WARM_UP} closed ones had left in the heap")
    return (full - at_rest) / count


def steady_pss(server):
    return wait_until_steady(server.pss_bytes, "PSS of httpd", calm=0.5, seconds=30)


def get_in_parallel(server):
    responses = all_at_once("pages", server.get, _PARALLEL_GETS * ["/"])
    assert [response.status for response in responses] == [200] * _PARALLEL_GETS
