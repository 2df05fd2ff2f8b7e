"""Children that drain hold slots of the scoreboard: who looks after httpd hears of it while pages are still served."""

import pytest

from harness.crowd import Crowd

RUNS_ON = ["event", "prefork"]   # with worker a new child takes over the slot of one that drains

_LINE = r"WSP0027: \d+ of \d+ process slots are held by children that drain"
_FEW = _LINE + ": after another graceful restart there may be too few for children that serve"
_SLOTS = 5
_THREADS = (f"StartServers 1\nServerLimit {_SLOTS}\nThreadsPerChild 8\nMaxRequestWorkers 16\nMinSpareThreads 1\n"
            "MaxSpareThreads 16")
FEW_SLOTS = {"event": _THREADS,
             "prefork": f"StartServers 1\nServerLimit {_SLOTS}\nMaxRequestWorkers {_SLOTS}\nMinSpareServers 1\n"
                        f"MaxSpareServers {_SLOTS}"}


@pytest.fixture
def server(start, mpm, echo_process):
    # A request that is kept alive keeps its child's slot too, for KeepAliveTimeout.
    return start("KeepAlive Off\nLogLevel proxy_websocket:debug\nProxyWebsocketMigrate Off\nProxyWebsocketDrainTimeout 10min\n"
                 f"ProxyPass /ws {echo_process.url}/", mpm_lines=FEW_SLOTS[mpm])


def restart_with_a_tunnel(server, crowd):
    """Another generation drains when this returns, and the next one serves pages: graceful() has asked for one."""
    crowd.open(1)
    # A tunnel that meets the stop before its child has a pump keeps its thread, and the child does not drain.
    server.error_log.wait_for("WSP0104: tunnel handed over", len(crowd.tunnels))
    server.graceful()


def test_few_slots_are_warned_of_while_pages_are_served(server, mpm):
    with Crowd(server, "/ws") as crowd:
        for restart in range(1, _SLOTS):
            restart_with_a_tunnel(server, crowd)
            said = server.error_log.wait_for(_LINE, restart)
            if said[-1].loud:
                break
        server.expect_log(_FEW)
        assert [line.loud for line in said] == [False] * (restart - 1) + [True], "once per restart, and in time"
        assert server.get("/").status == 200
        crowd.echo()


def test_a_start_without_slots_to_spare_says_so(start, mpm, echo_process):
    """Two processes serve MaxRequestWorkers: event wants slots for as many more."""
    lines = FEW_SLOTS[mpm] if mpm == "prefork" else FEW_SLOTS[mpm].replace(f"ServerLimit {_SLOTS}", "ServerLimit 3")
    for drain, is_said in (("10min", mpm == "event"), ("0", False)):
        server = start(f"ProxyWebsocketDrainTimeout {drain}\nProxyPass /ws {echo_process.url}/", mpm_lines=lines)
        said = {line.text.partition("WSP0026: ")[2] for line in server.error_log.lines("WSP0026")}
        expected = "ServerLimit 3 is less than twice the 2 processes that MaxRequestWorkers 16 needs"
        assert said == set() if not is_said else all(text.startswith(expected) for text in said) and said
