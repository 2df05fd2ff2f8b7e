#!/usr/bin/python3
"""What it costs to list thousands of live tunnels: see tests/stress/README.md."""

import contextlib
import json
import pathlib
import random
import statistics
import subprocess
import sys
import threading
import time

import private_httpd

_PAGE = """
    <Location /tunnels>
        SetHandler websocket-status
    </Location>
    ProxyPass /echo {echo}/
    """
_CHILDREN = 4   # each has a limit of descriptors
_MPM_LINES = {
    "event": f"StartServers {_CHILDREN}\nServerLimit {_CHILDREN}\nThreadsPerChild 16\nMaxRequestWorkers {16 * _CHILDREN}\n"
             f"MinSpareThreads 1\nMaxSpareThreads {16 * _CHILDREN}",
    "prefork": "StartServers 10\nServerLimit 10\nMaxRequestWorkers 10\nMinSpareServers 1\nMaxSpareServers 10",
}
_MPM_LINES["worker"] = _MPM_LINES["event"]
_LISTINGS = 20
_EVERY = 2   # seconds, as the page does


def thread_times(pids):
    """Nanoseconds of processor time, by process and thread."""
    return {(pid, task.name): int((task / "schedstat").read_text().split()[0])
            for pid in pids for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


def pumps_of(crowd, pids):
    """In each process the thread that has most to do while only tunnels have."""
    before = thread_times(pids)
    crowd.echo()
    after = thread_times(pids)
    spent = {key: after[key] - before.get(key, 0) for key in after}
    return [max((key for key in spent if key[0] == pid), key=spent.get) for pid in pids]


def list_once(url, size):
    """(seconds, the answer) of one listing by another process."""
    begin = time.monotonic()
    text = subprocess.run(["curl", "-s", "-S", "--fail", f"{url}&size={size}"], check=True, capture_output=True, timeout=60).stdout
    return time.monotonic() - begin, text


def measure_listings(url, crowd, pids):
    pumps = pumps_of(crowd, pids)
    for size in (50, 10_000):
        before = thread_times(pids)
        seconds = []
        for _ in range(_LISTINGS):
            took, text = list_once(url, size)
            seconds.append(took)
            answer = json.loads(text)
            assert answer["server"]["silent_processes"] == answer["rows"]["left_out"] == 0, answer["server"]
            assert answer["rows"]["total"] == len(crowd.tunnels), (answer["rows"]["total"], len(crowd.tunnels))
        after = thread_times(pids)
        pump = sum(after[key] - before[key] for key in pumps) / _LISTINGS / 1e6
        whole = sum(after[key] - before.get(key, 0) for key in after) / _LISTINGS / 1e6
        print(f"{len(crowd.tunnels)} tunnels in {len(pids)} children, {size} rows of them as JSON: {describe(seconds)}; processor time: "
              f"pumps {pump:.1f} ms in all, httpd {whole:.1f} ms")


def describe(seconds):
    ordered = sorted(seconds)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3
    return f"median {at(0.5):.2f} ms, 99 % {at(0.99):.2f} ms, most {ordered[-1] * 1e3:.2f} ms"


def echo_latencies(crowd, seconds):
    """One message after the other, each through a tunnel that is drawn."""
    found = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tunnel = random.choice(crowd.tunnels)
        begin = time.monotonic()
        tunnel.send_frame(1, b"how long")
        assert tunnel.read_message() == b"how long"
        found.append(time.monotonic() - begin)
    return found


@contextlib.contextmanager
def somebody_watches(url):
    over = threading.Event()

    def watch():
        while not over.wait(_EVERY):
            list_once(url, 50)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def measure_latencies(url, crowd, pids, seconds, rounds=5):
    medians = {False: [], True: []}
    for watched in [False, True] * rounds:
        before = thread_times(pids)
        with somebody_watches(url) if watched else contextlib.nullcontext():
            found = echo_latencies(crowd, seconds)
        after = thread_times(pids)
        spent = sum(after[key] - before.get(key, 0) for key in after) / 1e3 / len(found)
        medians[watched].append(statistics.median(found))
        print(f"{'somebody lists every 2 s' if watched else 'nobody lists'}: {len(found)} echoes: {describe(found)}; "
              f"httpd's processor time {spent:.1f} us for each")
    for watched, found in medians.items():
        print(f"medians {'with' if watched else 'without'} listings: " + ", ".join(f"{each * 1e6:.0f}" for each in found) + " us")


def main():
    options = private_httpd.parser(__doc__)
    given = options.parse_args()
    private_httpd.use_module(given.asan)
    from harness.config import MPM_IS_FULL
    from harness.crowd import Crowd, EchoProcess
    with private_httpd.starter(given.mpm) as (start, _), contextlib.ExitStack() as stack:
        echo = EchoProcess()
        stack.callback(echo.kill)
        server = start(_PAGE.replace("{echo}", echo.url), mpm_lines=_MPM_LINES[given.mpm])
        server.allow_log(MPM_IS_FULL)
        url = f"http://127.0.0.1:{server.port}/tunnels?format=json"
        with Crowd(server, "/echo") as crowd:
            crowd.open(given.tunnels or 10_000)
            pids = server.children()
            measure_listings(url, crowd, pids)
            measure_latencies(url, crowd, pids, given.seconds)


if __name__ == "__main__":
    sys.exit(main())
