"""What belongs to a tunnel moves with it: its place under max=, its member's count and group, its level of log lines. What
an MPM cannot influence."""

import resource

import pytest

from dropin.balancer import MANAGER, NONCE, await_fact, edit, facts
from harness.backend import EchoBackend
from harness.crowd import Crowd
from harness.error_log import REFUSAL
from harness.pair import open_pair
from harness.waiting import BOUND, wait_until

RUNS_ON = ["event"]   # whose objects these are, an MPM does not know

ONE_CHILD = ("StartServers 1\nServerLimit 4\nThreadsPerChild 16\nMaxRequestWorkers 16\n"
             "MinSpareThreads 1\nMaxSpareThreads 16")


def replace_children(server):
    old = set(server.children())
    server.graceful()
    wait_until(lambda: not old & set(server.children()), f"the processes {old} are gone", 4 * BOUND)


@pytest.fixture
def member():
    with EchoBackend() as backend:
        yield backend


@pytest.fixture
def site(start, member):
    server = start(f"""
        ProxyWebsocketOnMemberDown drain
        ProxyWebsocketDrainSpread 0
        <Proxy balancer://c>
            BalancerMember {member.url}
            ProxySet nonce={NONCE}
        </Proxy>
        {MANAGER}
        ProxyPass /ws balancer://c/
        """, mpm_lines=ONE_CHILD)
    server.allow_log("AH01167:|AH01170:|AH0")
    return server


def test_a_member_counts_the_tunnels_that_have_come(site):
    """A graceful restart makes its counts anew."""
    with Crowd(site, "/ws") as crowd:
        crowd.open(3)
        replace_children(site)
        assert facts(site, 1)["busy"] == "3"
        crowd.echo()
        crowd.tunnels[0].send_text("x" * 100_000)
        assert len(crowd.tunnels[0].read_message()) == 100_000
        await_fact(site, 1, "busy", "3")
        crowd.close()
    await_fact(site, 1, "busy", "0")


def test_the_tunnels_of_a_member_that_is_taken_out_later_are_told_to_go(site, member):
    with site.open_tunnel("/ws") as tunnel:
        replace_children(site)
        tunnel.echo()
        edit(site, member.url, w_status_D=1)
        assert tunnel.read_close() == (1012, "server going out of service")


def test_tunnels_that_have_come_hold_their_places(start, echo):
    server = start(f"ProxyPass /ws {echo.url}/ max=2", mpm_lines=ONE_CHILD)
    first, second = server.open_tunnel("/ws"), server.open_tunnel("/ws")
    replace_children(server)
    server.expect_log(REFUSAL)
    with server.start_handshake("/ws") as third:
        assert third.read_response().status == 503
    first.close()
    second.echo()
    second.close()


def test_more_tunnels_than_the_new_limit_go_on(start, echo):
    server = start(f"Define LIMIT 3\nProxyPass /ws {echo.url}/ max=${{LIMIT}}", mpm_lines=ONE_CHILD)
    with Crowd(server, "/ws") as crowd:
        crowd.open(3)
        config = server.root / "httpd.conf"
        config.write_text(config.read_text().replace("Define LIMIT 3", "Define LIMIT 1"))
        replace_children(server)
        crowd.echo()
        crowd.tunnels.pop().close()
        crowd.tunnels.pop().close()
        server.expect_log(REFUSAL)
        with server.start_handshake("/ws") as refused:
            assert refused.read_response().status == 503
        crowd.echo()


def test_the_level_of_its_location_holds_for_the_line_of_its_end(start, stage):
    server = start(f"""
        <Location /quiet>
            LogLevel proxy_websocket:warn
            ProxyPass {stage.url}/quiet
        </Location>
        ProxyPass /ws {stage.url}/loud
        """, mpm_lines=ONE_CHILD)
    with open_pair(server, "/quiet", stage) as quiet, open_pair(server, "/ws", stage) as loud:
        replace_children(server)
        quiet.say_goodbye()
        loud.say_goodbye()
    server.error_log.wait_for("WSP0201: tunnel ended: .*/loud")
    assert not server.error_log.lines("WSP0201: .*/quiet")


def test_a_virtual_host_is_found_among_others_and_gone_when_it_is_renamed(start, stage):
    """The lines are those of its own access log."""
    def hosts(*names):
        return "\n".join(f"<VirtualHost *:{{port}}>\nServerName {name}\nCustomLog {name}.log %U\nProxyPass /ws {stage.url}/\n"
                         "</VirtualHost>" for name in names)
    server = start(hosts("a.example", "b.example") + "\nProxyWebsocketDrainTimeout 1s\nProxyWebsocketDrainSpread 0",
                   mpm_lines=ONE_CHILD)
    config = server.root / "httpd.conf"
    with open_pair(server, "/ws/of-b", stage, changes={"Host": "b.example"}) as kept, \
            open_pair(server, "/ws/of-a", stage, changes={"Host": "a.example"}) as gone:
        config.write_text(config.read_text().replace("ServerName a.example", "ServerName c.example"))
        server.graceful()
        assert gone.client.read_close() == (1012, "server restarting")
        server.error_log.wait_for("WSP0170: 1 of 2 tunnels moved .* 1 belong to no mapping of the new configuration")
        kept.say_goodbye()
    wait_until(lambda: (server.root / "b.example.log").read_text() == "/ws/of-b\n", "the line of the tunnel in its own log")


# Not under a sanitizer: it looks at memory through a pipe, and takes what it cannot look at for broken.
@pytest.mark.asan_repeats
def test_a_child_without_descriptors_leaves_tunnels_where_they_are(start, echo_process):
    server = start(f"ProxyWebsocketDrainTimeout 10min\nProxyPass /ws {echo_process.url}/", mpm_lines=ONE_CHILD)
    server.expect_log("WSP0175: no descriptor is left: this child process takes over no more")
    server.allow_log(r"AH\d+:")
    with Crowd(server, "/ws") as crowd:
        crowd.open(40)
        soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (64, hard))   # children inherit it
        server.start_graceful()
        server.error_log.wait_for("WSP0175:")
        crowd.echo()
        crowd.close()
