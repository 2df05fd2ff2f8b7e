"""Core files of a crashed httpd, as backtraces: a failure then says where, not only that."""

import resource
import shutil
import subprocess

from .waiting import COMMAND_BOUND

# For httpd.conf: without it a process that has changed its user leaves no core file.
DIRECTIVE = "CoreDumpDirectory cores"


def allow_core_files(pid):
    """Core files of any size, of this process and those that it will start. Not by subprocess's preexec_fn, which is Python between
    fork() and exec(): with threads around, as tests have them, such a child may wait for a lock that nobody has any more."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.prlimit(pid, resource.RLIMIT_CORE, (most, most))


def backtraces(root, binary):
    """What gdb says about each core file in `root`/cores; "" when there is none, or no gdb."""
    gdb = shutil.which("gdb")
    return "\n".join(_backtrace(gdb, binary, core) for core in sorted((root / "cores").glob("core*")) if gdb)


def _backtrace(gdb, binary, core):
    command = [gdb, "-batch", "-nx", "-ex", "bt 30", binary, str(core)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=COMMAND_BOUND)
    frames = [line for line in result.stdout.splitlines() if line.startswith(("#", "Program terminated"))]
    return f"{core.name}:\n" + "\n".join(frames)
