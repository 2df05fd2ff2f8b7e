"""A private httpd: own folder, own ports, own logs, gone without a trace when the test is over."""

import collections
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import client, crashes, processes
from .access_log import AccessLog
from .config import LEFT_OUT, MODULE, MPM_IS_FULL, ONE_CHILD, OPENSSL_IS_OLDER, WORKER_MISCOUNTS, build_config
from .error_log import ErrorLog
from .waiting import BOUND, COMMAND_BOUND, SANITIZED, wait_until

_BINARY = shutil.which("apache2") or shutil.which("httpd") or "/usr/sbin/apache2"
# Below Linux's ephemeral range: no outgoing connection of a test can take a port between here and httpd's bind().
_PORTS = range(20000, 32000)

# What ThreadSanitizer cannot judge: calls into libc by code that it has not instrumented, httpd, APR and OpenSSL, whose
# own order it does not see; and exit() from inside httpd's signal handlers (just_die, server/mpm/event/event.c), which
# runs destructors and OpenSSL's atexit functions there. All that our code does itself is judged.
_TSAN = "ignore_noninstrumented_modules=1:report_signal_unsafe=0:second_deadlock_stack=1"

_STARTED = "resuming normal operations"

running = []   # every Httpd between its start and its close, for the check at each test's end


# The last ports that were handed out, each held by a socket: until a server listens there, nobody else gets it, neither
# in this process nor in one that tests another MPM at the same time.
_claims = collections.deque(maxlen=32)


def free_port():
    while True:
        port = random.choice(_PORTS)
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", port))
        except OSError:   # somebody's, or a claim
            claim.close()
            continue
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)   # servers set it too, and may bind from here on
        _claims.append(claim)   # and the oldest is closed
        return port


def config_check(mpm, lines, certificates):
    """What `httpd -t` says about a configuration with `lines`; "" when it has nothing against it."""
    with tempfile.TemporaryDirectory(prefix="wsp-", dir="/tmp") as folder:
        root = pathlib.Path(folder)
        _make_folders(root)
        config = root / "httpd.conf"
        config.write_text(build_config(root, free_port(), free_port(), certificates, mpm, lines))
        result = subprocess.run([_BINARY, "-t", "-f", str(config)], capture_output=True, text=True, env=_environment(root),
                                cwd=root / "cores", timeout=COMMAND_BOUND)
    return "" if result.returncode == 0 else result.stderr or f"nothing; it ended with {result.returncode}"


def _make_folders(root):
    root.chmod(0o755)
    (root / "htdocs").mkdir()
    for name in ("run", "sanitizer", "cores"):   # children write here, and they are not root
        (root / name).mkdir()
        (root / name).chmod(0o777)


def _environment(root, faults=None):
    """With the sanitizer's runtime, where the module was built with one, and with what makes memory scarce."""
    environment = dict(os.environ, LANG="C")
    if SANITIZED:
        report = f"log_path={root}/sanitizer/report"
        environment |= {"LD_PRELOAD": os.environ["WSP_PRELOAD"],
                        "ASAN_OPTIONS": f"detect_leaks=0:abort_on_error=0:{report}",
                        "UBSAN_OPTIONS": f"print_stacktrace=1:{report}",
                        "TSAN_OPTIONS": f"{_TSAN}:{report}"}
    return faults.added_to(environment) if faults else environment


def _with_hosts(path):
    """What starts a command in a mount namespace of its own, where `path` is /etc/hosts."""
    return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(path)] if path else []


def can_change_hosts(path):
    """Whether this machine lets us."""
    command = ["getent", "hosts", "localhost"]
    return subprocess.run(_with_hosts(path) + command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          timeout=COMMAND_BOUND).returncode == 0


class Httpd:
    """Started by its constructor. `lines` is the test's own configuration, {root} and {port} filled in; see config.py
    for the rest."""

    def __init__(self, mpm, lines, certificates, mpm_lines=None, modules=(), files=None, stock=False, hosts=None,
                 ours_early=False, faults=None, without=()):
        """`hosts`: a file that httpd sees in place of /etc/hosts; needs root (see can_change_hosts()). `faults`: a Faults,
        which says what memory there is."""
        self.mpm = mpm
        self._hosts = hosts
        self._faults = faults
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="wsp-", dir="/tmp"))
        self.port, self.tls_port = free_port(), free_port()
        one_child = mpm_lines in ONE_CHILD.values()   # prefork's is busy with any request at all
        always = [LEFT_OUT, OPENSSL_IS_OLDER] + [MPM_IS_FULL] * one_child + [WORKER_MISCOUNTS] * (mpm == "worker")
        self.error_log = ErrorLog(self.root / "error.log", always)
        self.access_log = AccessLog(self.root / "access.log")
        self._process = None
        self._lay_out(files or {})
        self._config = self.root / "httpd.conf"
        self._build_config = lambda lines, module: build_config(
            self.root, self.port, self.tls_port, certificates, mpm, self._fill_in(lines), mpm_lines, modules, stock, ours_early,
            without, module)
        self.configure(lines)
        self.start()
        running.append(self)

    def _fill_in(self, lines):
        return lines.replace("{root}", str(self.root)).replace("{port}", str(self.port))

    def configure(self, lines, module=MODULE):
        """Other lines of the test's own, and another file of our module, for the next start or restart."""
        self._config.write_text(self._build_config(lines, module))

    def _lay_out(self, files):
        _make_folders(self.root)
        (self.root / "htdocs/index.html").write_text("static\n")
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    # --- life ---
    def start(self):
        with open(self.root / "startup.txt", "wb") as output:
            command = [_BINARY, "-f", str(self._config), "-DFOREGROUND"]
            self._process = subprocess.Popen(_with_hosts(self._hosts) + command, stdout=output,
                                             stderr=output, env=_environment(self.root, self._faults),
                                             start_new_session=True,
                                             cwd=self.root / "cores")   # for a core file of the parent's
        crashes.allow_core_files(self._process.pid)
        wait_until(self._answers_or_died, "httpd answers after its start")
        if self._process.poll() is not None:
            said = (self.root / "startup.txt").read_text() + self.error_log.describe() + crashes.backtraces(self.root, _BINARY)
            shutil.rmtree(self.root)
            raise AssertionError(f"httpd did not start:\n{said}")

    def _answers_or_died(self):
        if self._process.poll() is not None:
            return True
        try:
            return self.get("/").status > 0
        except OSError:
            return False

    @property
    def pid(self):
        return self._process.pid

    def children(self):
        """Pids of the processes that serve (all generations)."""
        return processes.children_of(self.pid)

    def append_to_config(self, lines):
        """For the next restart."""
        with open(self._config, "a") as config:
            config.write(self._fill_in(lines) + "\n")

    def start_graceful(self):
        """USR1: returns at once."""
        os.kill(self.pid, signal.SIGUSR1)

    def graceful(self):
        """USR1: returns when the new generation serves and the old one takes no more connections; it may still drain."""
        old = self.children()
        self._new_generation(signal.SIGUSR1)
        self.await_deaf(old)

    def await_deaf(self, pids):
        """Returns when none of these children takes another connection: each has closed the sockets that httpd listens
        on, which are the only ones of the parent but for those between its children."""
        listening = processes.network_sockets(self.pid)
        wait_until(lambda: not any(processes.sockets(pid) & listening for pid in pids),
                   f"processes {pids} take no more connections", 2 * BOUND)

    def restart(self):
        """HUP: the old generation is gone when this returns."""
        self._let_requests_end()
        old = self.children()
        self._new_generation(signal.SIGHUP)
        self._await_gone(old)

    def _new_generation(self, number):
        old = set(self.children())
        generations = self.error_log.total(_STARTED)
        os.kill(self.pid, number)
        wait_until(lambda: self.error_log.total(_STARTED) > generations
                   and set(self.children()) - old, "a new generation after the restart", 2 * BOUND)
        assert self.get("/").status == 200

    def graceful_stop(self):
        """WINCH: the parent is told to end once its children are done. Returns at once."""
        os.kill(self.pid, signal.SIGWINCH)

    def stop(self):
        """TERM: returns when every process is gone."""
        self._let_requests_end()
        os.kill(self.pid, signal.SIGTERM)
        self.await_exit()

    def _let_requests_end(self):
        """An event child that is told to stop while a worker has just closed its connection may crash, whatever modules
        it has: close_worker_sockets (server/mpm/event/event.c) touches a socket whose pool is gone. So let workers
        come to rest first. A child that never rests is for other tests to find."""
        calm = 0
        for _ in range(100):
            calm = calm + 1 if all(map(processes.all_threads_sleep, self.children())) else 0
            if calm == 3:
                return
            time.sleep(0.005)

    def await_parent(self, seconds=2 * BOUND):
        """The parent has ended by itself, its children perhaps not: how it ended, as subprocess says it."""
        return self._process.wait(seconds)

    def await_exit(self, seconds=2 * BOUND):
        """The parent and every child are gone; whatever is not is killed, and the test fails."""
        everyone = self.children()
        try:
            self._process.wait(seconds)
            self._await_gone(everyone)
        except (subprocess.TimeoutExpired, AssertionError):
            hung = [pid for pid in [self.pid, *everyone] if processes.is_alive(pid)]
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(BOUND)
            raise AssertionError(f"httpd processes {hung} did not end within {seconds} s") from None

    def _await_gone(self, pids):
        wait_until(lambda: not any(map(processes.is_alive, pids)), f"processes {pids} are gone", 2 * BOUND)

    def close(self):
        """Stops, judges the rest of the log, removes the folder."""
        running.remove(self)
        try:
            if self._process.poll() is None:
                self.stop()
            self.verify()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- logs ---
    def verify(self):
        """Ends a test's share of the logs: unannounced loud lines, crashes, sanitizer reports fail it."""
        reports = sorted((self.root / "sanitizer").glob("report*"))
        texts = [path.read_text(errors="replace") for path in reports]
        for path in reports:
            path.unlink()
        try:
            self.error_log.verify()
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{crashes.backtraces(self.root, _BINARY)}") from None
        assert not texts, "sanitizer report:\n" + "\n".join(texts)

    def expect_log(self, pattern):
        self.error_log.expect(pattern)

    def allow_log(self, pattern):
        self.error_log.allow(pattern)

    def allow_crash(self):
        """For the running test only, where the MPM's own fault is known to bring one about."""
        self.error_log.allow_crash()

    # --- facts ---
    def descriptor_count(self):
        return sum(len(processes.descriptors(pid)) for pid in self.children())

    def sockets_per_child(self):
        """The mean: prefork adds children when it likes, and a child at rest has always the same."""
        children = self.children()
        return sum(len(processes.sockets(pid)) for pid in children) / len(children)

    def pss_bytes(self):
        return sum(processes.pss_bytes(pid) for pid in [self.pid, *self.children()])

    def cpu_ticks(self):
        return sum(processes.cpu_ticks(pid) for pid in self.children())

    def busy_workers(self):
        """As server-status?auto says; asking costs one."""
        text = self.get("/server-status?auto").body.decode()
        return int(next(line for line in text.splitlines() if line.startswith("BusyWorkers:")).split()[1])

    # --- clients ---
    def get(self, path, headers=(), tls=None, method="GET"):
        return client.get(self.tls_port if tls else self.port, path, headers, tls, method)

    def open_tunnel(self, path, changes=None, tls=None, pipelined=b"", **connection):
        return client.open_tunnel(self.tls_port if tls else self.port, path, changes, tls, pipelined, **connection)

    def start_handshake(self, path, changes=None, tls=None, pipelined=b"", **connection):
        return client.start_handshake(self.tls_port if tls else self.port, path, changes, tls, pipelined, **connection)
