"""An access log whose program takes nothing costs lines, not memory, and no time when httpd stops."""

import re

from harness import processes
from harness.access_log import piped_lines
from harness.pair import open_pair
from harness.waiting import SANITIZED, wait_until

RUNS_ON = ["event"]   # the queue is the same with every MPM

# Takes nothing before it is told to.
WAITING = "while [ ! -e go ]; do sleep 0.02; done\nexec cat >> piped.log\n"
MIB = 1 << 20
BIG = 50_000    # a header's
COPIES = 16     # of it in a line
FILL = 16 * MIB // (BIG * COPIES) + 4    # kMostBytes, and what the pipe and its writer hold
ALL = FILL + 15
FEW_THREADS = "StartServers 1\nServerLimit 1\nThreadsPerChild 4\nMaxRequestWorkers 4\nMinSpareThreads 1\nMaxSpareThreads 4"


def configuration(stage):
    names = [f"BIG{number}" for number in range(COPIES)]
    return f"""
        LimitRequestFieldSize {2 * BIG}
        SetEnvIf X-Big (.+) {" ".join(f"{name}=$1" for name in names)}
        LogFormat "%{{X-Number}}i %U %>s %{{ws-close-code}}n {" ".join(f"%{{{name}}}e" for name in names)}" big
        CustomLog "|/bin/sh logger.sh" big
        ProxyPass /ws {stage.url}/"""


def pass_tunnels(server, stage, numbers):
    """Tunnels that begin and end, each of which leaves a long line."""
    for number in numbers:
        with open_pair(server, "/ws/x", stage, changes={"X-Big": "b" * BIG, "X-Number": str(number)}) as pair:
            pair.say_goodbye()
    server.error_log.wait_for("WSP0201:", numbers.stop)


def test_a_program_that_takes_nothing_costs_lines_and_no_memory(start, stage):
    server = start(configuration(stage), files={"logger.sh": WAITING}, mpm_lines=FEW_THREADS)
    server.expect_log("WSP0202: the access log takes no lines")
    server.expect_log(r"WSP0203: the access log takes lines again; the lines of \d+ tunnels are lost")
    child, = [pid for pid in server.children() if processes.thread_count(pid) > 1]   # not the program
    pass_tunnels(server, stage, range(FILL))
    server.error_log.wait_for("WSP0202:")
    before = processes.pss_bytes(child)
    pass_tunnels(server, stage, range(FILL, ALL))
    grown = processes.pss_bytes(child) - before
    assert len(server.error_log.lines("WSP0202:")) == 1
    print(f"grown by {grown} bytes for {ALL - FILL} lines of {BIG * COPIES}, {before} before")
    if not SANITIZED:
        assert grown < (ALL - FILL) * BIG * COPIES / 2   # request threads keep some, too

    (server.root / "go").touch()
    told = server.error_log.wait_for("WSP0203:")
    lost = int(re.search(r"of (\d+) tunnels", told[0].text)[1])
    written = wait_until(lambda: len(piped_lines(server)) == ALL - lost and piped_lines(server), "the lines that were kept")
    assert [int(line.split()[0]) for line in written] == list(range(ALL - lost))   # those that came first

    pass_tunnels(server, stage, range(ALL, ALL + 2))
    wait_until(lambda: len(piped_lines(server)) == ALL + 2 - lost, "the lines after it")
    assert len(server.error_log.lines("WSP0203:")) == 1


def test_httpd_stops_while_a_program_takes_nothing_and_says_what_is_lost(start, stage):
    server = start(configuration(stage), files={"logger.sh": WAITING})
    server.expect_log("WSP0204: .* has not taken the lines of 3 tunnels")
    pass_tunnels(server, stage, range(3))
    server.stop()
