"""Node and Ruby programs of dropin/apps, with npm's packages installed outside the repository."""

import json
import shutil
import subprocess

from harness.config import REPOSITORY
from harness.waiting import BOUND

APPS = REPOSITORY / "tests/module/dropin/apps"


def install(folder):
    """`folder` with the programs and what package-lock.json names."""
    for path in APPS.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=300)
    return folder


class Server:
    """server.js under a name."""

    def __init__(self, folder, name):
        self.name = name
        self._process = subprocess.Popen(["node", "server.js", name], cwd=folder, stdout=subprocess.PIPE, text=True)
        self.port = int(self._process.stdout.readline())

    def close(self):
        self._process.terminate()
        self._process.wait(BOUND)
        self._process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def run(folder, *command):
    """The lines that a client prints."""
    result = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=6 * BOUND)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def run_json(folder, *command):
    return [json.loads(line) for line in run(folder, *command)]
