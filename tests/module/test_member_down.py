"""ProxyWebsocketOnMemberDown: a balancer member is taken out, and its tunnels are kept or told to come back elsewhere."""

import time

import pytest

from dropin.balancer import MANAGER, NONCE, edit
from harness.backend import EchoBackend
from harness.crowd import Crowd
from harness.moments import read_closes
from harness.pair import open_pair
from harness.waiting import PATIENCE

pytestmark = pytest.mark.threads

REASON = "server going out of service"
_SPREAD = 1.0
_LOOK = 1.0   # how soon it is seen
_SLACK = 5 * PATIENCE


@pytest.fixture
def member():
    with EchoBackend() as backend:
        yield backend


@pytest.fixture
def site(start, member, echo):
    """`member` behind /ws (pumped), /thread and /kept; `echo` behind /other."""
    server = start(f"""
        ProxyWebsocketDrainSpread {int(1000 * _SPREAD)}ms
        ProxyWebsocketOnMemberDown drain
        <Proxy balancer://c>
            BalancerMember {member.url}
            ProxySet nonce={NONCE}
        </Proxy>
        {MANAGER}
        <Location /ws>
            ProxyPass balancer://c/
        </Location>
        <Location /thread>
            ProxyWebsocketAsync Off
            ProxyPass balancer://c/
        </Location>
        <Location /kept>
            ProxyWebsocketOnMemberDown keep
            ProxyPass balancer://c/
        </Location>
        ProxyPass /other {echo.url}/
        """)
    server.allow_log("WSP0113:|AH01167:|AH01170:|AH00940:|AH0")
    return server


def leave(tunnels):
    for tunnel in tunnels:
        tunnel.send_close(1012)
        tunnel.expect_broken()


_ON_EVENT = [pytest.param(status, marks=pytest.mark.runs_on("event")) for status in "SNC"]   # bits of one word


@pytest.mark.parametrize("status", ["D", *_ON_EVENT], ids=["disabled", "stopped", "draining", "health check failed"])
def test_the_tunnels_of_a_member_that_is_taken_out_are_told_to_go(site, member, status):
    with Crowd(site, "/ws") as pumped, Crowd(site, "/thread") as threaded, Crowd(site, "/other") as others:
        pumped.open(10)
        threaded.open(2)
        others.open(3)
        begin = time.monotonic()
        edit(site, member.url, **{f"w_status_{status}": 1})
        tunnels = pumped.tunnels + threaded.tunnels
        told = read_closes(tunnels)
        assert {(each.code, each.reason) for each in told.values()} == {(1012, REASON)}
        moments = [told[place].at for place in range(len(tunnels))]
        assert max(moments) - begin < _LOOK + _SPREAD + _LOOK + _SLACK
        of_pump = moments[:10]
        assert max(of_pump) - min(of_pump) > _SPREAD / 5   # fails once in 200,000 runs
        leave(tunnels)
        others.echo()
    assert site.error_log.wait_for(f"WSP0017: {member.url} is taken out")


def test_tunnels_are_kept_where_the_configuration_says_so(site, member):
    with Crowd(site, "/kept") as kept, Crowd(site, "/ws") as told:
        kept.open(2)
        told.open(1)
        edit(site, member.url, w_status_D=1)
        assert read_closes(told.tunnels)[0].code == 1012
        time.sleep(_SPREAD)
        kept.echo()
        leave(told.tunnels)


@pytest.mark.runs_on("event")   # the watch looks at shared memory
def test_a_member_may_come_back_and_be_taken_out_again(site, member):
    for _ in range(2):
        with Crowd(site, "/ws") as crowd:
            crowd.open(2)
            edit(site, member.url, w_status_D=1)
            assert [each.code for each in read_closes(crowd.tunnels).values()] == [1012, 1012]
            leave(crowd.tunnels)
        edit(site, member.url, w_status_D=0)
        time.sleep(1.5 * _LOOK)   # the watch has seen it


@pytest.mark.runs_on("event")   # the same
def test_tunnels_that_open_to_a_draining_member_are_kept(start, member):
    """A sticky session may still reach it: being told to go, and coming back to it, would go on for ever."""
    server = start(f"""
        ProxyWebsocketDrainSpread 100ms
        ProxyWebsocketOnMemberDown drain
        <Proxy balancer://c>
            BalancerMember {member.url} route=a
            ProxySet nonce={NONCE} stickysession=ID
        </Proxy>
        {MANAGER}
        ProxyPass /ws balancer://c/""")
    with server.open_tunnel("/ws") as before:
        edit(server, member.url, w_status_N=1)
        assert before.read_close() == (1012, REASON)
        with server.open_tunnel("/ws", {"Cookie": "ID=x.a"}) as after:
            time.sleep(2 * _LOOK)
            after.echo()


@pytest.mark.runs_on("event")   # the same
def test_a_tunnel_to_a_member_in_error_is_kept(start, stage):
    """One connect has failed; the tunnels that live know better."""
    server = start(f"""
        ProxyWebsocketDrainSpread 100ms
        ProxyWebsocketOnMemberDown drain
        ProxyPass /ws {stage.url}/ retry=60""")
    server.allow_log("WSP01|AH0")
    with open_pair(server, "/ws", stage) as pair:
        stage.stop_listening()
        try:
            with server.start_handshake("/ws") as refused:
                assert refused.read_response().status == 503
            time.sleep(2 * _LOOK)
            pair.client.send_text("still there?")
            assert pair.session.read_message() == b"still there?"
        finally:
            stage.listen_again()
