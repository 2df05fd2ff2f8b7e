"""ws://localhost where that is both ::1 and 127.0.0.1, and the backend listens on one of them, or on both."""

import contextlib
import socket

import pytest

from dropin.clients import ask
from dropin.teller import Teller
from harness.backend import silent
from harness.config import ONE_CHILD
from harness.httpd import can_change_hosts, free_port
from harness.netns import private_network

RUNS_ON = ["event"]   # a request thread and lib's race connect; no MPM takes part


@pytest.fixture
def hosts(tmp_path):
    """/etc/hosts with both lines, in a network where both count."""
    tmp_path.chmod(0o755)
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 localhost\n::1 localhost\n")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(private_network())
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError as error:
            pytest.skip(f"no private network with both families: {error}")
        if not can_change_hosts(path):
            pytest.skip("a mount namespace of one's own needs root")
        yield path


@pytest.fixture
def serve(hosts, start, mpm):
    """Behind `hosts`, so that httpd is stopped before its network is left."""
    return lambda lines: start(lines, mpm_lines=ONE_CHILD[mpm], hosts=hosts)


@pytest.mark.parametrize("line, path", [("ProxyPass {}", "/horizon/x/y"), ("ProxyPassWS {}", "/horizon/x/y/deep?q=1"),
                                        ("ProxyPass {} connectiontimeout=1", "/horizon/x/y")])
@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1"], ["127.0.0.1", "::1"]], ids="+".join)
def test_localhost_is_reached_wherever_the_backend_listens(serve, addresses, line, path):
    port = free_port()
    server = serve(line.format(f"/horizon/x/y ws://localhost:{port}/horizon/x/y"))
    with contextlib.ExitStack() as stack:
        for address in addresses:
            stack.enter_context(Teller(address, (address, port)))
        for _ in range(4):
            answer = ask(server, "chrome", path)
            assert (answer.response.status, answer.target) == (101, path)
            assert answer.backend in addresses


@pytest.mark.parametrize("good, mute", [("127.0.0.1", "::1"), ("::1", "127.0.0.1")])
def test_a_family_that_does_not_answer_is_overtaken_and_then_left_alone(serve, good, mute):
    port = free_port()
    server = serve(f"ProxyPass /ws ws://localhost:{port}/ws connectiontimeout=60")   # more than a test's patience
    with Teller(good, (good, port)):
        with silent(mute, port):
            assert ask(server, "chrome", "/ws").backend == good
        with Teller(mute, (mute, port)):   # it would answer now
            assert [ask(server, "chrome", "/ws").backend for _ in range(3)] == [good] * 3


def test_httpd_sees_both_addresses(serve):
    """What the tests above rest on: with nobody there both are named."""
    port = free_port()
    server = serve(f"ProxyPass /horizon/x/y ws://localhost:{port}/horizon/x/y")
    assert str(ask(server, "chrome", "/horizon/x/y")) == "503"
    for address in (r"127\.0\.0\.1", r"\[?::1\]?"):
        server.expect_log(rf"attempt to connect to {address}:{port} \(localhost:{port}\) failed")
    server.allow_log("WSP0108:|WSP0109:|WSP0114:|AH0")
