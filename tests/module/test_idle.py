"""A tunnel on which nothing happens costs no CPU, in whatever state nothing happens."""

import time

from harness.bulk import frame_block, send_until_stuck
from harness.pair import open_pair
from harness.pumps import PUMPS, pump_line
from harness.waiting import wait_until

_SECONDS = 2
_TICKS = 5   # of 200


def test_a_waiting_tunnel_uses_no_cpu(start, stage, tls_stage, tls):
    """Idle, half-closed from either side and blocked by a sleeping reader, with every pump, all at once."""
    servers, pairs = [], []
    for pump in PUMPS:
        server = start(f"{pump_line(pump)}\nProxyPass /ws {stage.url}/\nProxyPass /wss {tls_stage.url}/")
        servers.append(server)
        idle, half_up, half_down, stuck = (open_pair(server, "/ws", stage) for _ in range(4))
        secure = open_pair(server, "/wss", tls_stage, tls)
        half_up.client.shut_write()
        half_down.session.shut_write()
        send_until_stuck(stuck.session, frame_block(masks=False), 1 << 27)
        pairs += [idle, half_up, half_down, stuck, secure]
    settle(servers)
    before = [server.cpu_ticks() for server in servers]
    time.sleep(_SECONDS)   # the measurement itself
    used = {pump: server.cpu_ticks() - ticks for pump, server, ticks in zip(PUMPS, servers, before)}
    for pair in pairs:
        pair.close()
    assert max(used.values()) < _TICKS, f"clock ticks in {_SECONDS} s: {used}"


def settle(servers):
    """Lets start-up and the last transfers finish: half a second without a tick, if there is one soon."""
    def quiet():
        before = [server.cpu_ticks() for server in servers]
        time.sleep(0.5)
        return [server.cpu_ticks() for server in servers] == before

    try:
        wait_until(quiet, "the servers are quiet", 3)
    except AssertionError:
        pass   # a busy server fails the measurement, with its figure
