"""A graceful restart that nobody notices: tunnels of the old generation's processes move to the new ones, whatever they are carrying,
and the old processes are gone at once."""

import pytest

from harness import moves
from harness.config import MPM_IS_FULL
from harness.crowd import Crowd
from harness.echo_load import EchoLoad
from harness.moves import ROOM, TAKEN_OVER
from harness.waiting import BOUND, wait_until

pytestmark = pytest.mark.threads


@pytest.fixture(scope="module")
def backends(certificates):
    with moves.Backends(certificates) as backends:
        yield backends


def test_three_graceful_restarts_in_a_row_cost_no_message_and_no_tunnel(start, mpm, tls, backends):
    """Plain and TLS on either side, messages of 1 B to 1 MiB. tests/stress/moves.py has the long form."""
    server = start(backends.lines(), mpm_lines=ROOM[mpm])
    figures = moves.run(server, tls, count=6, restarts=3)
    print(figures)
    taken_over = server.error_log.lines(moves.TAKEN_OVER)
    assert len(taken_over) == 3 * figures.tunnels
    for line in server.access_log.wait_for("GET /ws ", 12) + server.access_log.wait_for("GET /wss ", 12):
        assert (line.status, line.code, line.by) == ("101", "1000", "client")
        assert line.messages_in == line.messages_out and line.number("us") > figures.seconds * 1e6


def test_a_child_that_has_had_its_connections_hands_its_tunnels_to_others(start, mpm, backends):
    """MaxConnectionsPerChild."""
    server = start(backends.lines(), mpm_lines=f"{ROOM[mpm]}\nMaxConnectionsPerChild 8")
    server.allow_log(MPM_IS_FULL)
    first = set(server.children())
    with EchoLoad() as load:
        for _ in range(24):
            load.add(server.open_tunnel("/ws"))
        wait_until(lambda: server.get("/").status == 200 and not first & set(server.children()), "all first children are gone",
                   3 * BOUND)
        load.await_round()
        assert server.error_log.lines(TAKEN_OVER)
        assert len(load.rest()) == 24


TOO_MANY_SPARE = {
    "event": "StartServers 4\nServerLimit 12\nThreadsPerChild 4\nMaxRequestWorkers 24\nMinSpareThreads 1\nMaxSpareThreads 5",
    "prefork": "StartServers 8\nServerLimit 20\nMaxRequestWorkers 20\nMinSpareServers 1\nMaxSpareServers 2",
}
TOO_MANY_SPARE["worker"] = TOO_MANY_SPARE["event"]


def test_children_that_are_too_many_hand_their_tunnels_to_those_that_stay(start, mpm, backends):
    """MaxSpareThreads and MaxSpareServers."""
    server = start(backends.lines(), mpm_lines=TOO_MANY_SPARE[mpm])
    server.allow_log(MPM_IS_FULL)
    with Crowd(server, "/ws") as crowd, EchoLoad() as load:
        crowd.open_in_several_children(10)   # one can take 4
        for tunnel in crowd.tunnels:
            load.add(tunnel)
        wait_until(lambda: server.error_log.lines(TAKEN_OVER), "tunnels have moved", 3 * BOUND)
        load.await_round()
        assert len(load.rest()) == 10
