"""Fixtures of the module tests: which MPMs, the certificates, backends that live for a session, log ownership."""

import pytest

from harness import httpd
from harness.backend import EchoBackend, Listener
from harness.certificates import Certificates
from harness.config import MODULE, MPMS


def pytest_addoption(parser):
    parser.addoption("--mpm", default=",".join(MPMS), help="MPMs to run with, separated by commas")
    parser.addoption("--shard", type=_shard, default=(0, 1), help="2of3: the second third of the test files")
    parser.addoption("--full", action="store_true", help="the large sizes: 1 GiB instead of 8 MiB")


def _shard(text):
    """2of3 as (1, 3)."""
    number, _, count = text.partition("of")
    if not 1 <= int(number) <= int(count):
        raise ValueError(text)
    return int(number) - 1, int(count)


def pytest_collection_modifyitems(config, items):
    """Keeps the files of this shard: each goes to the one that has the fewest tests so far, the largest first."""
    number, count = config.getoption("--shard")
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    loads = [0] * count
    mine = set()
    for path in sorted(files, key=lambda path: (-len(files[path]), path)):
        place = loads.index(min(loads))
        loads[place] += len(files[path])
        if place == number:
            mine.add(path)
    config.hook.pytest_deselected(items=[item for item in items if item.path not in mine])
    items[:] = [item for item in items if item.path in mine]


def pytest_report_header():
    return f"module under test: {MODULE}"


def pytest_generate_tests(metafunc):
    if "mpm" in metafunc.fixturenames:
        mpms = metafunc.config.getoption("--mpm").split(",")
        # A file may name the MPMs that it is about.
        mpms = [mpm for mpm in mpms if mpm in getattr(metafunc.module, "RUNS_ON", mpms)]
        metafunc.parametrize("mpm", mpms, indirect=True, scope="module")


@pytest.fixture(scope="module")
def mpm(request):
    return request.param


@pytest.fixture(scope="session")
def full(request):
    return request.config.getoption("--full")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def tls(certificates):
    """What a client needs for wss."""
    return certificates.client_context()


@pytest.fixture(scope="session")
def echo():
    with EchoBackend() as backend:
        yield backend


@pytest.fixture(scope="session")
def tls_echo(certificates):
    with EchoBackend(certificates.server_context()) as backend:
        yield backend


@pytest.fixture(scope="module")
def module_listener():
    with Listener() as listener:
        yield listener


@pytest.fixture(scope="module")
def tls_module_listener(certificates):
    with Listener(certificates.server_context()) as listener:
        yield listener


@pytest.fixture
def stage(module_listener):
    """A backend that this test drives by hand."""
    module_listener.forget_waiting()
    return module_listener


@pytest.fixture
def tls_stage(tls_module_listener):
    """The same behind wss."""
    tls_module_listener.forget_waiting()
    return tls_module_listener


@pytest.fixture(scope="module")
def start_shared(mpm, certificates):
    """Starts a server for all tests of this file that run with this MPM."""
    yield from _starter(mpm, certificates)


@pytest.fixture
def start(mpm, certificates):
    """Starts a server for this test alone."""
    yield from _starter(mpm, certificates)


def _starter(mpm, certificates):
    servers = []

    def start(lines, **options):
        servers.append(httpd.Httpd(mpm, lines, certificates, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def owned_logs():
    """A line of level warn or above that the test did not announce fails it."""
    yield
    for server in list(httpd.running):
        server.verify()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        report.sections += [("httpd", server.error_log.describe()) for server in httpd.running]
