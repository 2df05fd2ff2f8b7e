"""What tests/clients needs from npm, installed outside the repository once for all tests."""

import shutil
import subprocess

from .config import REPOSITORY

_CLIENTS = REPOSITORY / "tests/clients"


def install_clients(folder):
    """tests/clients in `folder`, with its packages in the versions of package-lock.json."""
    shutil.copytree(_CLIENTS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=300)
    return folder
