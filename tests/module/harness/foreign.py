"""Modules for the tests that stand for other people's: each in a folder of its own under tests/module."""

import atexit
import functools
import shutil
import subprocess
import tempfile

from .config import REPOSITORY
from .waiting import COMMAND_BOUND


def load_line(name):
    """The LoadModule line of tests/module/<name>."""
    return f"LoadModule {name}_module {_built(name)}"


@functools.cache
def _built(name):
    """Once per session, outside the repository."""
    folder = tempfile.mkdtemp(prefix="wsp-", dir="/tmp")
    atexit.register(shutil.rmtree, folder)
    shutil.copy(REPOSITORY / f"tests/module/{name}/mod_{name}.c", folder)
    subprocess.run(["apxs", "-c", f"mod_{name}.c"], cwd=folder, check=True, capture_output=True, timeout=COMMAND_BOUND)
    return f"{folder}/.libs/mod_{name}.so"
