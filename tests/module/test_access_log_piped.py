"""Access logs that are programs, or have a buffer: whose lines they get."""

import pytest

from harness.access_log import piped_lines
from harness.pair import open_pair
from harness.pumps import pump_line
from harness.waiting import wait_until

RUNS_ON = ["event", "prefork"]   # worker restarts as event does

FILES = {"logger.sh": "exec cat >> piped.log\n"}


def configuration(stage, lines):
    return f"""
        LogFormat "%{{X-Number}}i %U %>s %{{ws-close-code}}n" short
        CustomLog "|/bin/sh logger.sh" short
        ProxyWebsocketMigrate Off
        {lines}
        ProxyPass /ws {stage.url}/"""


@pytest.mark.parametrize("pump", ["loop", "thread"])
def test_the_line_of_a_tunnel_that_outlives_a_graceful_restart_is_in_the_error_log(start, stage, pump):
    server = start(configuration(stage, pump_line(pump)), files=FILES)
    # httpd's word for the program; and the line of the request before, where the program ends before it is written.
    server.allow_log("AH00488:|AH00167:|long lost child came home|AH00646: Error writing to")
    server.expect_log(r'WSP0205: .* program "\|/bin/sh logger.sh"; its line: 7 /ws/old 101 1000$')
    with open_pair(server, "/ws/old", stage, changes={"X-Number": "7"}) as old:
        server.graceful()
        with open_pair(server, "/ws/new", stage, changes={"X-Number": "8"}) as new:
            new.say_goodbye()
        old.say_goodbye()
    wait_until(lambda: "8 /ws/new 101 1000" in piped_lines(server), "the line of the tunnel after the restart")
    server.error_log.wait_for("WSP0205:")
    assert not [line for line in piped_lines(server) if "/ws/old" in line]


def test_lines_from_requests_and_tunnels_share_a_buffer(start, stage):
    server = start(configuration(stage, 'BufferedLogs On\nCustomLog buffered.log "%{X-Number}i %U"'), files=FILES)
    for number in range(20):
        with open_pair(server, f"/ws/{number}.", stage, changes={"X-Number": "0"}) as pair:
            pair.say_goodbye()
        server.get(f"/index.html?{number}", [("X-Number", str(number))])
    server.stop()
    lines = (server.root / "buffered.log").read_text().split("\n")
    wanted = [f"0 /ws/{number}." for number in range(20)] + [f"{number} /index.html" for number in range(20)]
    assert sorted(line for line in lines if line in wanted) == sorted(wanted)
