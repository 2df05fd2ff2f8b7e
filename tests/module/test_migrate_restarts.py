"""A graceful restart that nobody notices: tunnels of the old generation's processes move to the new ones, whatever they are carrying,
and the old processes are gone at once."""

import pytest

from harness import moves
from harness.moves import ROOM

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
    logged = [server.access_log.lines(f"GET /{path} ") for path in ("ws", "wss")]
    assert [len(lines) for lines in logged] == [12, 12]
    for line in logged[0] + logged[1]:
        assert (line.status, line.code, line.by) == ("101", "1000", "client")
        assert line.messages_in == line.messages_out and line.number("us") > figures.seconds * 1e6
