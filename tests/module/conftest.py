"""Fixtures of the module tests: which MPMs, the certificates, backends that live for a session, log ownership."""

import itertools
import pathlib

import pytest

from harness import httpd
from harness.backend import EchoBackend, Listener
from harness.certificates import Certificates
from harness.config import MODULE, MPMS
from harness.crowd import EchoProcess
from harness.node_clients import install_clients


def pytest_addoption(parser):
    parser.addoption("--mpm", default=",".join(MPMS), help="MPMs to run with, separated by commas")
    parser.addoption("--team", type=pathlib.Path,
                     help="an empty folder; several pytests that share it share the tests as well")
    parser.addoption("--full", action="store_true", help="the large sizes: 1 GiB instead of 8 MiB")


@pytest.hookimpl(trylast=True)   # pytest's own order first
def pytest_collection_modifyitems(config, items):
    """Leaves out what does not run with its MPM, and puts each file's tests of one MPM together."""
    config.hook.pytest_deselected(items=[item for item in items if not _runs_with_its_mpm(item)])
    places = {path: place for place, path in enumerate(dict.fromkeys(item.path for item in items))}
    items[:] = sorted(filter(_runs_with_its_mpm, items), key=lambda item: (places[item.path], _mpm_of(item)))


def _mpm_of(item):
    """"" for a test that starts no httpd."""
    return item.callspec.params.get("mpm", "") if hasattr(item, "callspec") else ""


def _runs_with_its_mpm(item):
    """What an MPM cannot influence is tested on one: a file's RUNS_ON names the MPMs of its tests, @runs_on those of one
    test, instead, and of one parameter, besides."""
    marks = [mark.args for mark in item.iter_markers("runs_on")] or [getattr(item.module, "RUNS_ON", MPMS)]
    return not _mpm_of(item) or all(_mpm_of(item) in mpms for mpms in marks)


def pytest_runtestloop(session):
    """With --team: each file with an MPM is run by who comes to it first, and passed over by the others."""
    team = session.config.getoption("--team")
    if team is None or session.config.option.collectonly or session.testsfailed:
        return None
    ours = _claimed(session.items, team)
    following = next(ours, None)
    while following is not None:
        item, following = following, next(ours, None)   # pytest tears down what the following one does not need
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
    return True


def _claimed(items, team):
    for task, tests in itertools.groupby(items, key=lambda item: f"{item.path.stem}-{_mpm_of(item)}"):
        try:
            (team / task).mkdir()
        except FileExistsError:
            continue
        yield from tests


def pytest_report_header():
    return f"module under test: {MODULE}"


def pytest_generate_tests(metafunc):
    if "mpm" in metafunc.fixturenames:
        metafunc.parametrize("mpm", metafunc.config.getoption("--mpm").split(","), indirect=True, scope="module")


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
def node_modules(tmp_path_factory):
    """A folder with tests/clients and what they need."""
    return install_clients(tmp_path_factory.mktemp("node"))


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
def echo_process():
    """The same for thousands of tunnels: a process of its own."""
    with EchoProcess() as process:
        yield process


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
