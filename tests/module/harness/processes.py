"""Facts about processes, read from /proc. A process that ends while it is read counts as nothing."""

import ctypes
import os
import pathlib
import socket

_SYS_PIDFD_GETFD = 438   # of every architecture


def _read(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children_of(pid):
    """Direct children, zombies left out."""
    children = _read(pid, f"task/{pid}/children").split()
    return [int(child) for child in children if is_alive(int(child))]


def is_alive(pid):
    fields = _stat_fields(pid)
    return bool(fields) and fields[0] not in ("Z", "X")


def exists(pid):
    """Alive, or ended and its parent does not know yet."""
    return bool(_stat_fields(pid))


def _stat_fields(pid):
    """/proc/PID/stat behind the command's name: field 0 is the state."""
    return _read(pid, "stat").rpartition(")")[2].split()


def all_threads_sleep(pid):
    """No thread of the process is running at this moment."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return True
    return all(_stat_fields(f"{pid}/task/{thread}")[:1] in ([], ["S"]) for thread in threads)


def descriptors(pid):
    """What every open descriptor points at, by number."""
    folder = f"/proc/{pid}/fd"
    found = {}
    try:
        for name in os.listdir(folder):
            try:
                found[int(name)] = os.readlink(f"{folder}/{name}")
            except FileNotFoundError:
                pass
    except FileNotFoundError:
        pass
    return found


def sockets(pid):
    """Those it has open: a socket has the same name in every process that shares it."""
    return {target for target in descriptors(pid).values() if target.startswith("socket:")}


def network_sockets(pid):
    """The same without those between processes of this machine."""
    local = {f"socket:[{line.split()[6]}]" for line in _read(pid, "net/unix").splitlines()[1:]}
    return sockets(pid) - local


def pss_bytes(pid):
    """Proportional set size without mapped files: what this process costs, shared pages divided among its kin. The
    share in libraries is left out because it grows whenever another httpd of this machine ends."""
    lines = (line.split() for line in _read(pid, "smaps_rollup").splitlines())
    return sum(int(line[1]) * 1024 for line in lines if line[0] in ("Pss_Anon:", "Pss_Shmem:"))


def thread_count(pid):
    return _status_number(pid, "Threads:")


def anonymous_bytes(pid):
    """All memory of its own that it has touched, whoever shares it."""
    return _status_number(pid, "RssAnon:") * 1024


def _status_number(pid, name):
    return next((int(line.split()[1]) for line in _read(pid, "status").splitlines() if line.startswith(name)), 0)


def cpu_ticks(pid):
    """User plus system time in clock ticks (100 per second on Linux)."""
    fields = _stat_fields(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def ticks_of_ended_children(pid):
    """The same of all its children that have ended, and that it has waited for."""
    fields = _stat_fields(pid)
    return int(fields[13]) + int(fields[14]) if fields else 0


def is_closed_by_exec(pid, number):
    """Whether this descriptor of the process is close-on-exec."""
    flags = next(line for line in _read(pid, f"fdinfo/{number}").splitlines() if line.startswith("flags:"))
    return bool(int(flags.split()[1], 8) & os.O_CLOEXEC)


def borrowed_socket(pid, number):
    """A copy of a socket of another process: the same connection, with its options (pidfd_getfd(2), Linux 5.6)."""
    process = os.pidfd_open(pid)
    try:
        copy = ctypes.CDLL(None, use_errno=True).syscall(_SYS_PIDFD_GETFD, process, number, 0)
        if copy < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return socket.socket(fileno=copy)
    finally:
        os.close(process)


def unread_bytes(sock):
    """How much of what was sent on this loopback connection its other end has not read."""
    (ours, our_port), (theirs, their_port) = sock.getsockname(), sock.getpeername()
    assert ours == theirs == "127.0.0.1", (ours, theirs)
    wanted = [f"0100007F:{their_port:04X}", f"0100007F:{our_port:04X}"]
    with open("/proc/net/tcp", encoding="ascii") as table:
        fields = next(fields for fields in map(str.split, table) if fields[1:3] == wanted)
    return int(fields[4].partition(":")[2], 16)
