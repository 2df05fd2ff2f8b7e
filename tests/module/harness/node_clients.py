"""What tests/clients needs from npm, installed outside the repository once for all tests."""

import shutil
import subprocess

from .config import REPOSITORY
from .waiting import COMMAND_BOUND

_CLIENTS = REPOSITORY / "tests/clients"


def install_clients(folder):
    """tests/clients in `folder`, with its packages in the versions of package-lock.json."""
    shutil.copytree(_CLIENTS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    install_packages(folder)
    return folder


def install_packages(folder, *options):
    """What package-lock.json in `folder` names. A registry that has taken a request and says nothing is asked again after a minute:
    npm alone waits for five."""
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--fetch-timeout=60000", *options], cwd=folder, check=True,
                   timeout=COMMAND_BOUND)
