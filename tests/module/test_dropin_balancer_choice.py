"""Which member of a balancer a handshake goes to: the balancing methods, with tunnels as load, and sticky sessions."""

import pytest

from dropin.balancer import MANAGER, Members, OpenTunnels, await_fact, edit, facts, member_of, members_of
from dropin.clients import ask
from dropin.teller import Teller
from harness import frames
from harness.pair import open_pair
from harness.waiting import wait_until

RUNS_ON = ["event", "prefork"]   # one child, and a child per request
METHODS = ["lbmethod_bybusyness", "lbmethod_bytraffic"]


@pytest.fixture(scope="module")
def members():
    with Members(3) as members:
        yield members


@pytest.mark.parametrize("scheme, line", [("ws", ""), ("http", "ProxyWebsocketUpgradeHttp On"), ("http", "upgrade")],
                         ids=["ws-members", "http-members", "http-members-with-upgrade="])
def test_byrequests_gives_each_member_its_share(start, members, scheme, line):
    options = dict.fromkeys([1, 2, 3], "upgrade=websocket") if line == "upgrade" else None
    server = start(members.lines(options, scheme) + ("" if line == "upgrade" else f"\n{line}"))
    assert sorted(members_of(server, 6)) == ["m1", "m1", "m2", "m2", "m3", "m3"]


def test_byrequests_heeds_the_load_factor(start, members):
    server = start(members.lines({1: "loadfactor=4", 3: "status=+D"}))
    assert sorted(members_of(server, 5)) == ["m1"] * 4 + ["m2"]


def test_bybusyness_counts_live_tunnels(start, members):
    server = start(members.lines(proxy_set="lbmethod=bybusyness"), modules=METHODS)
    with OpenTunnels(server) as tunnels:
        assert sorted(tunnels.open(9)) == ["m1"] * 3 + ["m2"] * 3 + ["m3"] * 3
        assert [facts(server, number)["busy"] for number in (1, 2, 3)] == ["3", "3", "3"]
        tunnels.end("m2")
        await_fact(server, 2, "busy", "0")
        assert tunnels.open(3) == ["m2"] * 3
        tunnels.all_echo()
    for number in (1, 2, 3):
        await_fact(server, number, "busy", "0")


def test_bytraffic_counts_what_went_over_tunnels(start, members):
    server = start(members.lines({3: "status=+D"}, proxy_set="lbmethod=bytraffic"), modules=METHODS)
    with OpenTunnels(server) as tunnels:
        loaded = tunnels.open()[0]
        tunnels.peers[0][1].echo(b"x" * 300_000)
        tunnels.end(loaded)
    number = int(loaded[1])
    wait_until(lambda: int(facts(server, number)["transferred"]) > 300_000 and int(facts(server, number)["read"]) > 300_000,
               "the tunnel's bytes in balancer-manager")
    assert set(members_of(server, 4)) == {"m1", "m2"} - {loaded}


@pytest.mark.runs_on("event")   # a tunnel is in one child
@pytest.mark.parametrize("asynchronous", ["On", "Off"])
def test_bytes_are_counted_while_the_tunnel_lives(start, members, asynchronous):
    server = start(f"ProxyWebsocketAsync {asynchronous}\n" + members.lines({2: "status=+D", 3: "status=+D"}), modules=METHODS)
    with OpenTunnels(server) as tunnels:
        tunnels.open()
        for _ in range(3):
            before = int(facts(server, 1)["transferred"]), int(facts(server, 1)["read"])
            tunnels.peers[0][1].echo(b"x" * 10_000)
            wait_until(lambda: int(facts(server, 1)["transferred"]) >= before[0] + 10_000
                       and int(facts(server, 1)["read"]) >= before[1] + 10_000, "the bytes in balancer-manager")


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("asynchronous", ["On", "Off"])
@pytest.mark.parametrize("glued", [b"", frames.server_frame(frames.TEXT, b"early")], ids=["", "glued-to-the-101"])
def test_in_the_end_every_byte_is_counted_once(start, stage, asynchronous, glued):
    server = start(f"""
        ProxyWebsocketAsync {asynchronous}
        <Proxy balancer://c>
            BalancerMember {stage.url}
        </Proxy>
        ProxyPass /ws balancer://c
        {MANAGER}""")
    with open_pair(server, "/ws", stage, glued=glued) as pair:
        head = pair.session.bytes_sent - len(glued)   # which is read by httpd for the request, not for the tunnel
        if glued:
            assert pair.client.read_message() == b"early"
        for size in (1, 5_000, 200, 100_000, 3_000):
            for sender in ("client", "backend"):
                here, there = pair.ends(sender)
                here.send_text("x" * size)
                assert len(there.read_message()) == size
        pair.client.send_close(1000)
        pair.session.read_close()
        pair.session.send_close(1000)
        pair.client.read_close()
        pair.client.expect_end()
    await_fact(server, 1, "transferred", str(pair.session.bytes_received))
    await_fact(server, 1, "read", str(pair.session.bytes_sent - head))


@pytest.mark.runs_on("event")   # a file says it
def test_heartbeats_choose_the_server_that_was_heard_of_lately(start):
    with Teller("lively", ("127.0.0.2", 0)) as lively, Teller("silent", ("127.0.0.3", 0)) as silent:
        server = start(f"""
            HeartbeatStorage {{root}}/heartbeats
            <Proxy balancer://c>
                BalancerMember ws://127.0.0.2:{lively.port}
                BalancerMember ws://127.0.0.3:{silent.port}
                ProxySet lbmethod=heartbeat
            </Proxy>
            ProxyPass /ws balancer://c
            """, modules=["lbmethod_heartbeat"], files={"heartbeats":
                       f"127.0.0.2 &ready=9&busy=1&lastseen=0&port={lively.port}\n"
                       f"127.0.0.3 &ready=9&busy=1&lastseen=99&port={silent.port}\n"})
        assert members_of(server, 6) == ["lively"] * 6


STICKY = """
Header add Set-Cookie "ROUTEID=.%{BALANCER_WORKER_ROUTE}e; path=/" env=BALANCER_ROUTE_CHANGED
"""


@pytest.fixture(scope="module")
def sticky(start_shared, members):
    """One balancer for pages and WebSockets, and the cookie of httpd's documentation."""
    return start_shared(members.lines(scheme="http", proxy_set="stickysession=ROUTEID|routeid", path="/app")
                        + STICKY + "ProxyWebsocketUpgradeHttp On\n")


@pytest.mark.runs_on("event")   # mod_proxy_balancer reads the request
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("client", ["chrome", "firefox", "polling"])
def test_the_cookie_leads_to_its_member(sticky, client, number):
    cookie = [("Cookie", f"a=b; ROUTEID=.r{number}")]
    assert members_of(sticky, 3, path="/app/x", client=client, extra=cookie) == [f"m{number}"] * 3


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("path", ["/app/x;routeid=s.r{}", "/app/x?routeid=s.r{}", "/app/x?a=b&routeid=s.r{}"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_session_in_the_path_leads_to_its_member(sticky, path, number):
    assert members_of(sticky, 3, path=path.format(number), client="curl") == [f"m{number}"] * 3


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("client", ["curl", "page"])
def test_the_first_answer_sets_the_cookie_that_leads_back(sticky, client):
    answer = ask(sticky, client, "/app/x")
    cookie = next(value for value in answer.response.all("Set-Cookie") if value.startswith("ROUTEID=."))
    again = ask(sticky, "chrome", "/app/x", [("Cookie", cookie.split(";")[0])])
    assert again.backend == answer.backend
    assert not [value for value in again.response.all("Set-Cookie") if value.startswith("ROUTEID")]


def test_a_polling_session_and_its_upgrade_reach_the_same_member(sticky):
    for _ in range(6):
        polled = ask(sticky, "polling", "/app/socket.io/?transport=polling", [("Cookie", "unset=1")])
        cookie = [("Cookie", polled.response.all("Set-Cookie")[-1].split(";")[0])]
        for client in ("posting", "firefox", "polling"):
            assert member_of(sticky, "/app/socket.io/?sid=1", client, cookie) == polled.backend


@pytest.mark.runs_on("event")   # the same
def test_a_redirect_of_a_route_leads_to_the_other_member(start, members):
    server = start(members.lines({1: "redirect=r2 status=+D"}, proxy_set="stickysession=ROUTEID"))
    assert members_of(server, 3, client="curl", extra=[("Cookie", "ROUTEID=.r1")]) == ["m2"] * 3


def test_a_disabled_member_gets_nothing_and_an_edit_in_balancer_manager_enables_it(start, members):
    server = start(members.lines({2: "status=+D"}))
    assert "m2" not in members_of(server, 6)
    with OpenTunnels(server) as tunnels:
        tunnels.open(2)
        for number, disabled in ((1, 1), (3, 1), (2, 0)):
            edit(server, f"ws://{members.address(number)}", w_status_D=disabled)
        assert members_of(server, 4) == ["m2"] * 4
        tunnels.all_echo()


def test_a_member_that_drains_keeps_its_sessions_and_takes_no_new_ones(start, members):
    server = start(members.lines({1: "status=+N"}, proxy_set="stickysession=ROUTEID"))
    assert members_of(server, 2, client="curl", extra=[("Cookie", "ROUTEID=.r1")]) == ["m1"] * 2
    assert "m1" not in members_of(server, 4, client="curl")
