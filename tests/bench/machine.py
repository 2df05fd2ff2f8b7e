"""What a measurement was made on, in words that a reader can compare with the own machine."""

import os
import pathlib
import platform
import re
import subprocess


def describe():
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "model": _first(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.machine(),
        "memory_gib": round(int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo")) / 2 ** 20),
        "kernel": platform.release(),
        "system": _first(r'PRETTY_NAME="(.+)"', "/etc/os-release") or platform.system(),
        "openssl": subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1],
        "tcp": _first(r"(\w+)", "/proc/sys/net/ipv4/tcp_congestion_control"),
    }


def load():
    """The machine's load average over the last minute."""
    return os.getloadavg()[0]


def _first(pattern, path):
    found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8", errors="replace"))
    return found[1] if found else ""
