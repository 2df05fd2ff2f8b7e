"""The ways a tunnel is kept going: tests of open tunnels run with all of them."""

import atexit
import functools
import shutil
import subprocess
import tempfile

import pytest

from .config import REPOSITORY

# In the event loop of the child; in the request thread by choice; in the request thread because a connection filter
# that the module does not know sits in between.
PUMPS = ("loop", "thread", "filtered")
# For fixtures: "filtered" runs the code of "thread" and differs in the reason (handover.cpp) and in the foreign filter, which
# test_pump_choice.py has on every MPM.
PUMP_PARAMS = ("loop", "thread",
               pytest.param("filtered", marks=[pytest.mark.runs_on("event"), pytest.mark.asan_repeats]))


def pump_line(pump):
    """The configuration that makes tunnels go this way."""
    if pump == "filtered":
        return f"LoadModule foreign_filter_module {_foreign_filter()}"
    return f"ProxyWebsocketAsync {'On' if pump == 'loop' else 'Off'}"


@functools.cache
def _foreign_filter():
    """tests/module/foreign_filter, built once per session outside the repository."""
    folder = tempfile.mkdtemp(prefix="wsp-", dir="/tmp")
    atexit.register(shutil.rmtree, folder)
    shutil.copy(REPOSITORY / "tests/module/foreign_filter/mod_foreign_filter.c", folder)
    subprocess.run(["apxs", "-c", "mod_foreign_filter.c"], cwd=folder, check=True, capture_output=True)
    return f"{folder}/.libs/mod_foreign_filter.so"
