"""With ThreadSanitizer in httpd: that it hears at all. What it hears in other tests fails them."""

import os
import shutil
import subprocess

import pytest

from harness.background import all_at_once
from harness.config import REPOSITORY
from harness.waiting import COMMAND_BOUND

pytestmark = [pytest.mark.threads,
              pytest.mark.skipif("libtsan" not in os.environ.get("WSP_PRELOAD", ""), reason="without ThreadSanitizer")]
RUNS_ON = ("event",)


@pytest.fixture(scope="module")
def racy_module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("racy")
    shutil.copy(REPOSITORY / "tests/module/tsan/mod_racy.c", folder)
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    subprocess.run(["apxs", "-c", "-Wc,-fsanitize=thread", "mod_racy.c"], cwd=folder, check=True, capture_output=True,
                   env=environment, timeout=COMMAND_BOUND)
    folder.chmod(0o755)
    return folder / ".libs/mod_racy.so"


def test_a_race_between_two_requests_is_reported(start, racy_module):
    server = start(f"LoadModule racy_module {racy_module}\n<Location /racy>\nSetHandler racy\n</Location>")
    for _ in range(8):
        assert all(response.status == 200 for response in all_at_once("answers of mod_racy", server.get, 8 * ["/racy"]))
    server.stop()
    reports = list((server.root / "sanitizer").glob("report*"))
    text = "".join(path.read_text() for path in reports)
    for path in reports:
        path.unlink()
    assert "WARNING: ThreadSanitizer: data race" in text and "mod_racy" in text
