#!/usr/bin/python3
"""Runs the whole measurement and prints it as Markdown; scripts/bench prepares what this needs."""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import machine
import measures
import report
from peers import DEFAULT_PEERS, PEERS
from running import Backend, Failure, Proxy


def note(text):
    print(text, file=sys.stderr, flush=True)


def options():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: two to three minutes")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every single number there")
    parser.add_argument("--only", default=",".join(DEFAULT_PEERS), metavar="LIST",
                        help=f"these proxies, out of {','.join(PEERS)}; the first is what the others are compared with")
    parser.add_argument("--workloads", default="", metavar="TEXT", help="only those with TEXT in their names")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 3 when quick, else 5")
    parser.add_argument("--no-memory", action="store_true", help="leave out the memory of idle tunnels")
    parser.add_argument("--module", type=pathlib.Path, required=True, help="the mod_proxy_websocket.so to measure")
    parser.add_argument("--module-is", default="a module", help=argparse.SUPPRESS)
    parser.add_argument("--load", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.only = given.only.split(",")
    unknown = [key for key in given.only if key not in PEERS]
    if unknown:
        parser.error(f"no proxy is called {unknown[0]}; there are {', '.join(PEERS)}")
    given.rounds = given.rounds or (3 if given.quick else 5)
    return given


def split_cpus():
    """One CPU for the proxy, the others for the load. On a machine with one CPU nothing is pinned."""
    cpus = sorted(os.sched_getaffinity(0))
    return (cpus[:1], cpus[1:]) if len(cpus) > 1 else ([], [])


def make_certificates(folder):
    folder.mkdir()
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    (folder / "both.pem").write_text(certificate.read_text() + key.read_text())
    return folder


class Bench:
    def __init__(self, given, folder):
        self._given = given
        self._folder = folder
        self._proxy_cpus, self._load_cpus = split_cpus()
        self._peers = {key: PEERS[key] for key in given.only if PEERS[key].program}
        for key in set(given.only) - set(self._peers):
            note(f"{PEERS[key].name} is not installed and left out")
        # A copy: the original may be built anew while httpd has it mapped.
        module = shutil.copy(given.module, folder / "mod_proxy_websocket.so")
        self._words = {"CERTIFICATES": make_certificates(folder / "certificates"), "OUR_MODULE": module}
        self.failures = []

    def run(self):
        chosen = [w for w in measures.WORKLOADS if self._given.workloads in w.name]
        with Backend(self._given.load, len(self._peers), self._load_cpus) as backend:
            self._ports = dict(zip(self._peers, backend.ports))
            rounds = self._measure_workloads(chosen)
            memory = {} if self._given.no_memory else self._measure_memory()
        return {
            "peers": {key: peer.name for key, peer in self._peers.items()},
            "echo": {w.name: rounds[w.name] for w in chosen if w.kind == "echo"},
            "open": {w.name: rounds[w.name] for w in chosen if w.kind == "open"},
            "memory": memory,
        }

    def versions(self):
        return sorted({peer.version() for peer in self._peers.values()})

    def _proxy(self, key, tunnels):
        return Proxy(self._peers[key], self._folder / key, self._ports[key], self._proxy_cpus, self._words, tunnels)

    def _attempt(self, what, proxy, measure):
        """The measure's value, or None: one proxy's failure does not end the others' measurement."""
        try:
            return measure()
        except Failure as failure:
            self.failures.append(f"{proxy.peer.name}, {what}: {failure}; the proxy's last words: {proxy.last_words()}")
            return None

    def _measure_workloads(self, chosen):
        """All proxies run all the time, and take turns in every round."""
        results = {}
        with contextlib.ExitStack() as stack:
            proxies = {key: stack.enter_context(self._proxy(key, measures.TUNNELS)) for key in self._peers}
            for workload in chosen:
                note(f"{workload.name} ...")
                count = workload.quick if self._given.quick else workload.full
                taken = results[workload.name] = {key: [] for key in proxies}
                for _ in range(self._given.rounds):
                    for key, proxy in proxies.items():
                        taken[key].append(self._attempt(workload.name, proxy, lambda: measures.run_once(
                            workload, count, proxy, self._given.load, self._load_cpus)))
        # A proxy that failed once in a workload has no place in its row.
        return {name: {key: values for key, values in taken.items() if None not in values}
                for name, taken in results.items()}

    def _measure_memory(self):
        """A proxy of its own for each number: what earlier work has left in the heap would hide what a tunnel needs."""
        tunnels = 1_000 if self._given.quick else 5_000
        results = {}
        for tls in (False, True):
            title = f"{tunnels:,} tunnels, {'TLS' if tls else 'plain'}"
            note(f"memory of {title} ...")
            results[title] = {}
            for key in self._peers:
                with self._proxy(key, tunnels) as proxy:
                    value = self._attempt(title, proxy, lambda: measures.memory_per_tunnel(
                        tls, tunnels, proxy, self._given.load, self._load_cpus))
                if value is not None:
                    results[title][key] = value
        return results


def heading(about):
    m = about["machine"]
    return (f"{about['date']}, {'quick' if about['quick'] else 'full'} run of {about['minutes']:.1f} minutes, "
            f"{about['rounds']} rounds. {m['model']}, {m['cpus']} CPUs, {m['memory_gib']} GiB, {m['system']}, "
            f"Linux {m['kernel']}, TCP {m['tcp']}. {', '.join(about['versions'])}, OpenSSL {m['openssl']}; {about['module']}. "
            f"Load average of the machine: {about['load'][0]:.1f} at the start, {about['load'][1]:.1f} at the end "
            f"(the run itself makes about {m['cpus']}).")


def main():
    given = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    began, load = time.monotonic(), machine.load()
    with tempfile.TemporaryDirectory(prefix="wsp-bench-", dir="/tmp") as folder:
        path = pathlib.Path(folder)
        path.chmod(0o755)  # what serves is not root
        bench = Bench(given, path)
        results = bench.run()
    about = {
        "date": datetime.date.today().isoformat(), "quick": given.quick, "rounds": given.rounds,
        "minutes": (time.monotonic() - began) / 60, "load": [load, machine.load()],
        "machine": machine.describe(), "versions": bench.versions(), "module": given.module_is,
        "failures": bench.failures,
    }
    print(heading(about) + "\n\n" + report.tables(results))
    behind = [f"- {line}" for line in report.behind(results)]
    print("\n" + "\n".join(["Clearly better than the first, in every round:", "", *behind] if behind
                            else ["No other proxy is clearly better than the first in anything."]))
    if given.json:
        given.json.write_text(json.dumps({**about, **results}, indent=1) + "\n", encoding="utf-8")
    for failure in bench.failures:
        note(f"failed: {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
