"""When a member of a balancer refuses, hangs or says 503: who answers instead, what the client is told, when it is tried again."""

import socket

import pytest

from dropin.balancer import FAILURES, Members, OpenTunnels, await_fact, edit, facts, member_of, members_of
from dropin.clients import ask
from harness.backend import Listener
from harness.error_log import BACKEND_REFUSES
from harness.httpd import free_port
from harness.waiting import wait_until

RUNS_ON = ["event", "prefork"]


@pytest.fixture
def members():
    with Members(2) as members:
        yield members


@pytest.fixture
def serve(start):
    """A server that may say that members fail."""
    def serve(lines, **options):
        server = start(lines, **options)
        server.allow_log(FAILURES)
        return server
    return serve


def status_of(server, path="/ws/"):
    return ask(server, "chrome", path).response.status


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_a_handshake_that_a_member_refuses_goes_to_the_next_at_once(serve, members, scheme):
    server = serve(members.lines(scheme=scheme) + "\nProxyWebsocketUpgradeHttp On\n")
    members.close_member(1)
    assert members_of(server, 4) == ["m2"] * 4


def test_tunnels_outlive_the_errors_of_their_member(serve, members):
    server = serve(members.lines())
    with OpenTunnels(server) as tunnels:
        tunnels.open(4)
        members.close_member(1)
        assert members_of(server, 2) == ["m2"] * 2
        tunnels.all_echo()


class _Full:
    """A port whose connections never come about: its queue is full and nobody accepts."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", free_port()), backlog=0)
        self.port = self._listener.getsockname()[1]
        self._waiting = [self._connect() for _ in range(4)]

    def _connect(self):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", self.port))
        return sock

    def close(self):
        for sock in [self._listener, *self._waiting]:
            sock.close()


def test_a_handshake_that_a_member_does_not_take_in_time_goes_to_the_next(serve, members):
    full = _Full()
    members.close_member(1)
    members.ports[0] = full.port
    server = serve(members.lines({1: "connectiontimeout=300ms"}))
    assert members_of(server, 4) == ["m2"] * 4
    full.close()


def test_with_failontimeout_a_member_that_does_not_answer_is_passed_over_from_then_on(serve, members):
    members.close_member(1)
    with Listener() as silent:
        members.ports[0] = silent.port
        server = serve(members.lines(proxy_set="failontimeout=On") + "\nProxyWebsocketHandshakeTimeout 300ms\n")
        statuses = [status_of(server) for _ in range(6)]
    # As of old, whoever meets the silence is told of it: the request may have been taken.
    assert (statuses.count(504), statuses.count(101)) == (1, 5)


def test_failonstatus_puts_a_member_into_error(serve, members):
    members[1].refusal = "503 Service Unavailable"
    server = serve(members.lines(proxy_set="failonstatus=503"))
    statuses = [status_of(server) for _ in range(6)]
    assert (statuses.count(503), statuses.count(101)) == (1, 5)


@pytest.mark.runs_on("event")   # nothing is noted that children share
@pytest.mark.parametrize("refusal", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found",
                                     "500 Internal Server Error", "503 Service Unavailable"])
def test_what_an_application_refuses_is_no_error_of_its_member(serve, members, refusal):
    members[1].refusal = members[2].refusal = refusal
    server = serve(members.lines())
    server.allow_log(BACKEND_REFUSES)
    assert {status_of(server) for _ in range(6)} == {int(refusal.split()[0])}
    members[1].refusal = members[2].refusal = None
    assert set(members_of(server, 4)) == {"m1", "m2"}


def test_while_all_members_are_in_error_the_client_learns_when_to_come_back(serve, members):
    server = serve(members.lines({1: "retry=2", 2: "retry=30"}))
    members.close_member(1)
    members.close_member(2)
    assert status_of(server) == 503
    answer = ask(server, "chrome", "/ws/")
    assert (answer.response.status, answer.header("Retry-After") in ("1", "2")) == (503, True), answer.response
    members.open(1)
    wait_until(lambda: status_of(server) == 101, "m1 is tried again")
    assert member_of(server) == "m1"


@pytest.mark.runs_on("event")   # nothing is waited for that children share
def test_retry_0_finds_a_member_as_soon_as_it_is_back(serve, members):
    server = serve(members.lines({1: "retry=0", 2: "status=+D"}))
    members.close_member(1)
    assert [status_of(server), status_of(server)] == [503, 503]
    members.open(1)
    assert member_of(server) == "m1"


@pytest.mark.runs_on("event")   # the same
def test_a_lone_worker_is_never_in_error(serve, members):
    server = serve(f"ProxyPass /ws ws://{members.address(1)}")
    members.close_member(1)
    assert [status_of(server), status_of(server)] == [503, 503]
    members.open(1)
    assert member_of(server) == "m1"


@pytest.mark.parametrize("role", ["H", "R"])
def test_a_spare_member_works_only_while_the_other_cannot(serve, members, role):
    server = serve(members.lines({1: "retry=1", 2: f"status=+{role}"}))
    assert members_of(server, 3) == ["m1"] * 3
    members.close_member(1)
    assert members_of(server, 3) == ["m2"] * 3
    members.open(1)
    wait_until(lambda: member_of(server) == "m1", "m1 works again")


@pytest.mark.runs_on("event")   # the spare member does it with shared memory too
def test_lbset_1_works_only_while_lbset_0_cannot(serve, members):
    server = serve(members.lines({1: "lbset=0", 2: "lbset=1"}))
    assert members_of(server, 3) == ["m1"] * 3
    members.close_member(1)
    assert members_of(server, 3) == ["m2"] * 3


@pytest.mark.runs_on("event")   # mod_proxy_balancer reads the request
@pytest.mark.parametrize("nofailover, statuses", [("On", [503, 503]), ("Off", [101, 101])])
def test_nofailover_binds_a_session_to_its_member(serve, members, nofailover, statuses):
    server = serve(members.lines(proxy_set=f"stickysession=ROUTEID nofailover={nofailover}"))
    members.close_member(1)
    cookie = [("Cookie", "ROUTEID=.r1")]
    assert [ask(server, "chrome", "/ws/", cookie).response.status for _ in range(2)] == statuses


def test_a_member_that_is_stopped_in_balancer_manager_keeps_its_tunnels(serve, members):
    server = serve(members.lines())
    with OpenTunnels(server) as tunnels:
        tunnels.open(4)
        edit(server, f"ws://{members.address(1)}", w_status_S=1)
        assert members_of(server, 3) == ["m2"] * 3
        tunnels.all_echo()
        assert facts(server, 1)["busy"] == "2"


@pytest.mark.parametrize("check", ["hcmethod=TCP", "hcmethod=GET hcuri=/health"])
def test_a_health_check_takes_a_ws_member_out_and_in_again(serve, members, check):
    options = {number: f"{check} hcinterval=200ms hcpasses=1 hcfails=1" for number in (1, 2)}
    server = serve(members.lines(options), modules=["proxy_hcheck"])
    server.allow_log("AH0324[0-9]:|AH0325[0-9]:|AH03301:|AH03302:|AH03303:")
    assert set(members_of(server, 4)) == {"m1", "m2"}
    members.close_member(1)
    wait_until(lambda: "HcFl" in facts(server, 1)["status"], "m1 fails its check")
    assert members_of(server, 3) == ["m2"] * 3
    members.open(1)
    wait_until(lambda: "HcFl" not in facts(server, 1)["status"], "m1 passes its check")
    await_fact(server, 1, "busy", "0")
    assert set(members_of(server, 4)) == {"m1", "m2"}
