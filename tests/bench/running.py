"""Processes of a measurement: a proxy with its own folder and ports, the two ends of the load, and what they cost.
Everything ends with the `with` block it was started in; should this program be killed, the kernel ends it."""

import json
import os
import pathlib
import selectors
import shutil
import signal
import socket
import subprocess
import time

_PATIENCE = 60  # seconds for a start, a stop, or any one answer besides what a load may take by itself


class Failure(Exception):
    """A measurement that could not be made, in words for the person who asked for it."""


def start(command, cpus, **streams):
    """A process on some of the CPUs that ends with this program and does not get its Ctrl-C."""
    pinned = ["taskset", "--cpu-list", ",".join(map(str, cpus))] if cpus else []
    return subprocess.Popen([*pinned, "setpriv", "--pdeathsig", "TERM", "--", *command], start_new_session=True, **streams)


def end(process):
    """TERM, and KILL for whatever of its session is left after a while."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


# --- what processes cost ----------------------------------------------------------------------

def _family(pid):
    """The process and all that descend from it."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _cpu_seconds(pid):
    """User plus system time of all threads, ended ones too, in nanoseconds' resolution: the process's CPU clock, whose
    number is made of the pid as clock_getcpuclockid(3) does."""
    return time.clock_gettime(~pid << 3 | 2)


def _pss_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


class Proxy:
    """A peer that runs, on ports and in a folder of its own."""

    def __init__(self, peer, folder, backend_port, cpus, given, tunnels):
        self.peer = peer
        self.folder = folder
        self._cpus = cpus
        self._given = {**given, "DIR": folder, "BACKEND": backend_port}
        self._tunnels = tunnels
        self._process = None
        self.port = self.tls_port = 0

    def __enter__(self):
        self.folder.mkdir()
        self.folder.chmod(0o755)
        for name in ("certificate.pem", "key.pem", "both.pem"):
            shutil.copy(self._given["CERTIFICATES"] / name, self.folder / name)
        for _ in range(5):  # somebody else may take a port first
            if self._try_to_start():
                return self
        raise Failure(f"{self.peer.name} did not start: {self.last_words()}")

    def __exit__(self, *_):
        end(self._process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _try_to_start(self):
        self.port, self.tls_port = _free_ports(2)
        config = self.folder / "proxy.conf"
        words = {**self._given, "PORT": self.port, "TLS_PORT": self.tls_port}
        config.write_text(self.peer.configuration(words, self._tunnels), encoding="ascii")
        with open(self.folder / "output", "wb") as output:
            self._process = start(self.peer.command(config), self._cpus, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        limit = time.monotonic() + _PATIENCE
        while time.monotonic() < limit and self._process.poll() is None:
            if _answers(self.port) and _answers(self.tls_port):
                return True
            time.sleep(0.05)
        end(self._process)
        return False

    def last_words(self):
        """The end of what it said, its error log last."""
        said = ""
        for name in ("output", "error.log"):
            path = self.folder / name
            said += path.read_text(encoding="utf-8", errors="replace")[-500:] if path.exists() else ""
        return said.strip() or "it said nothing"

    def cpu(self):
        """Seconds by process. Two of them can be told apart by cpu_between()."""
        return {pid: _cpu_seconds(pid) for pid in _family(self._process.pid)}

    def pss_bytes(self):
        return sum(map(_pss_bytes, _family(self._process.pid)))


def cpu_between(before, after):
    if before.keys() != after.keys():
        raise Failure("a process of the proxy came or went while it was measured")
    return sum(after.values()) - sum(before.values())


def _free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def _answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


# --- the two ends of the load -----------------------------------------------------------------

class _Talker:
    """A wsbench process that is spoken with in lines."""

    def __init__(self, program, arguments, cpus):
        self._process = start([program, *map(str, arguments)], cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self._process)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            stream.close()

    def say(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self, seconds):
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                raise Failure(f"the load said nothing for {seconds:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            raise Failure(self._process.stderr.read().strip() or "the load ended without a word")
        return line


class Backend(_Talker):
    """The echo server, with a port for every proxy."""

    def __init__(self, program, ports, cpus):
        super().__init__(program, ["backend", ports], cpus)
        self.ports = [int(port) for port in self.hear(_PATIENCE).split()[1:]]


class Load(_Talker):
    """Clients of one proxy. After its constructor they are connected and wait; work() makes them work; they stay until
    the block ends."""

    def __init__(self, program, kind, proxy, cpus, tls, seconds, **options):
        arguments = [kind, "--port", proxy.tls_port if tls else proxy.port, "--seconds", seconds]
        for name, value in options.items():
            arguments += [f"--{name}", value]
        super().__init__(program, arguments + ["--tls"] * tls, cpus)
        self._seconds = seconds
        try:
            self.hear(seconds + _PATIENCE)
        except Failure:
            self.__exit__()
            raise

    def work(self):
        self.say("go")
        return json.loads(self.hear(self._seconds + _PATIENCE))
