"""Memory that runs out at a chosen moment, for the module alone: the test's end of faults/faults.cpp."""

import atexit
import ctypes
import functools
import mmap
import shutil
import subprocess
import tempfile

from .config import MODULE, REPOSITORY
from .waiting import COMMAND_BOUND

# Page in faults.cpp.
_SIZE = 4096
_FIELDS = ("is_armed", "seen", "failed", "first", "last", "asked_at")
_NO_END = (1 << 64) - 1


class Faults:
    """One per server: give it to its constructor."""

    def __init__(self):
        self._file = tempfile.NamedTemporaryFile(prefix="wsp-faults-", dir="/tmp")
        self._file.truncate(_SIZE)
        self._page = mmap.mmap(self._file.fileno(), _SIZE)
        self._at = {name: ctypes.c_uint64.from_buffer(self._page, 8 * i) for i, name in enumerate(_FIELDS)}
        place = 8 * len(_FIELDS)
        path = str(MODULE).encode() + b"\0"
        self._page[place:place + len(path)] = path

    def added_to(self, environment):
        """In front of a sanitizer's runtime, which would take operator new for itself."""
        preload = ":".join(filter(None, [_library(), environment.get("LD_PRELOAD")]))
        options = ":".join(filter(None, ["verify_asan_link_order=0", environment.get("ASAN_OPTIONS")]))
        return environment | {"WSP_FAULTS": self._file.name, "LD_PRELOAD": preload, "ASAN_OPTIONS": options}

    def arm(self, first, last=None):
        """From now on what needs memory is counted, from 1, and the `first` to the `last` fail; without `last`, for ever."""
        self.disarm()
        for name, value in (("seen", 0), ("failed", 0), ("first", first), ("last", last or _NO_END), ("is_armed", 1)):
            self._at[name].value = value

    def count(self):
        """Counts, and lets nothing fail."""
        self.arm(_NO_END, _NO_END)

    def disarm(self):
        self._at["is_armed"].value = 0

    @property
    def seen(self):
        return self._at["seen"].value

    @property
    def failed(self):
        return self._at["failed"].value

    def describe(self):
        """Who asked for what failed last."""
        place = hex(self._at["asked_at"].value - 1)   # the call, not where it returns to
        said = subprocess.run(["addr2line", "-Cfpsi", "-e", str(MODULE), place], capture_output=True, text=True,
                              timeout=COMMAND_BOUND)
        return f"failed: {self.failed} of {self.seen}, the last asked for by {said.stdout.strip() or place}"


@functools.cache
def _library():
    """faults/faults.cpp, built once per session outside the repository."""
    folder = tempfile.mkdtemp(prefix="wsp-", dir="/tmp")
    atexit.register(shutil.rmtree, folder)
    library = f"{folder}/wsp_faults.so"
    subprocess.run(["g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o", library,
                    str(REPOSITORY / "tests/module/faults/faults.cpp"), "-Wl,--no-as-needed", "-lssl", "-lcrypto", "-ldl"],
                   check=True, timeout=COMMAND_BOUND)
    return library
