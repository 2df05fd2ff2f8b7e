"""Core files of a crashed httpd, as backtraces: a failure then says where, not only that."""

import resource
import shutil
import subprocess

# For httpd.conf: without it a process that has changed its user leaves no core file.
DIRECTIVE = "CoreDumpDirectory cores"


def allow_core_files():
    """Runs in the child before httpd: core files of any size."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def backtraces(root, binary):
    """What gdb says about each core file in `root`/cores; "" when there is none, or no gdb."""
    gdb = shutil.which("gdb")
    return "\n".join(_backtrace(gdb, binary, core) for core in sorted((root / "cores").glob("core*")) if gdb)


def _backtrace(gdb, binary, core):
    command = [gdb, "-batch", "-nx", "-ex", "bt 30", binary, str(core)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    frames = [line for line in result.stdout.splitlines() if line.startswith(("#", "Program terminated"))]
    return f"{core.name}:\n" + "\n".join(frames)
