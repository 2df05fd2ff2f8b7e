"""The status page in Chromium, and with --full in Firefox: as people see it, in both themes and on a phone, while tunnels carry messages.
A machine without the browser skips it."""

import shutil
import subprocess

import pytest

from harness.config import REPOSITORY
from harness.echo_load import EchoLoad, Sizes
from harness.node_clients import install_packages
from harness.waiting import COMMAND_BOUND

RUNS_ON = ["event"]   # a browser sees no MPM

BROWSERS = [pytest.param("chromium"), pytest.param("firefox", marks=pytest.mark.heavy)]


def path_of(browser):
    return shutil.which(browser) or shutil.which(f"{browser}-esr")


@pytest.fixture(scope="module")
def drivers(tmp_path_factory, full):
    folder = tmp_path_factory.mktemp("browser") / "tests"
    shutil.copytree(REPOSITORY / "tests/browser", folder, ignore=shutil.ignore_patterns("node_modules"))
    install_packages(folder, *([] if full else ["--omit=dev"]))   # Firefox's driver is larger than all else
    return folder


@pytest.fixture(scope="module")
def server(start_shared, echo_process):
    return start_shared(f"""
        <Location /tunnels>
            SetHandler websocket-status
        </Location>
        ProxyWebsocketStatusActions On
        ProxyPass /alice {echo_process.url}/
        ProxyPass /bob {echo_process.url}/
        ProxyPass /nobody ws://127.0.0.1:9/
        """)


@pytest.fixture(scope="module")
def load(server):
    with EchoLoad(sizes=Sizes(middle=0, large=0)) as load:
        for path in ("/alice", "/bob", "/alice", "/bob"):
            load.add(server.open_tunnel(path))
        yield load
        load.verify()


@pytest.mark.asan_repeats   # test_status_page.py and test_status_formats.py
@pytest.mark.parametrize("browser", BROWSERS)
def test_the_page_as_people_see_it(server, load, drivers, browser, full):
    if browser == "firefox" and not full:
        pytest.skip("its driver is fetched with --full only")
    if path_of(browser) is None:
        pytest.skip(f"{browser} is not installed")
    run = subprocess.run(["node", drivers / "status-page.js", browser, path_of(browser), f"http://127.0.0.1:{server.port}/tunnels"],
                         capture_output=True, text=True, timeout=2 * COMMAND_BOUND)
    checks = dict(line.split("\t") for line in run.stdout.splitlines())
    assert len(checks) == {"chromium": 8, "firefox": 6}[browser], run.stdout + run.stderr
    assert [f"{check}: {problem}" for check, problem in checks.items() if problem] == []
