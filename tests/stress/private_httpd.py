"""The module tests' harness for a program of its own: which module httpd loads, with which sanitizer, and an httpd for one
run."""

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def parser(description, timed=True):
    """What all stress programs understand; `timed`: those that are told how long to go on."""
    options = argparse.ArgumentParser(description=description)
    if timed:
        options.add_argument("--seconds", type=float, required=True, help="how long it goes on")
    options.add_argument("--tunnels", type=int, help="how many at any time")
    options.add_argument("--mpm", default="event", choices=("event", "worker", "prefork"))
    options.add_argument("--asan", action="store_true",
                         help="with build-asan/mod_proxy_websocket.so: scripts/build --preset asan")
    return options


def _runtime(name):
    return os.path.realpath(subprocess.run([os.environ.get("CC", "gcc"), f"-print-file-name={name}"], check=True,
                                           capture_output=True, text=True).stdout.strip())


def use_module(asan):
    """Before the harness is imported: it reads both variables then."""
    if asan:
        os.environ["WSP_MODULE"] = str(_ROOT / "build-asan/mod_proxy_websocket.so")
        os.environ["WSP_PRELOAD"] = f"{_runtime('libasan.so')}:{_runtime('libubsan.so')}"
    sys.path.insert(0, str(_ROOT / "tests/module"))


@contextlib.contextmanager
def starter(mpm):
    """(a function that starts an Httpd, certificates). At the end it is stopped, and its log and sanitizer are heard."""
    from harness.certificates import Certificates
    from harness.httpd import Httpd
    with tempfile.TemporaryDirectory(prefix="wsp-") as folder, contextlib.ExitStack() as stack:
        certificates = Certificates(pathlib.Path(folder))

        def start(lines, **options):
            return stack.enter_context(Httpd(mpm, lines, certificates, **options))

        yield start, certificates
