"""Node and Ruby programs of dropin/apps, with npm's packages installed outside the repository."""

import json
import shutil
import subprocess

from harness.config import REPOSITORY
from harness.node_clients import install_packages
from harness.programs import Program
from harness.waiting import BOUND

APPS = REPOSITORY / "tests/module/dropin/apps"


def install(folder):
    """`folder` with the programs and what package-lock.json names."""
    for path in APPS.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    install_packages(folder)
    return folder


class Server(Program):
    """server.js under a name."""

    def __init__(self, folder, name):
        super().__init__(f"server.js {name}", "node", "server.js", name, cwd=folder)
        self.name = name
        self.port = int(self.next_line(3 * BOUND))


def run(folder, *command):
    """The lines that a client prints."""
    result = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=6 * BOUND)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def run_json(folder, *command):
    return [json.loads(line) for line in run(folder, *command)]
