"""One access log line per tunnel, written when it ends, with what really happened."""

import itertools
import time

import pytest

from harness import frames
from harness.config import ONE_CHILD
from harness.pair import open_pair
from harness.pumps import PUMP_PARAMS, PUMPS, pump_line
from harness.waiting import wait_until

RUNS_ON = ["event"]   # the access log writer has the same thread in every child; elsewhere whose line it writes, and when

pytestmark = pytest.mark.threads

SIDES = ["client", "backend"]


@pytest.fixture(scope="module", params=PUMP_PARAMS)
def site(request, start_shared, module_listener, tls_module_listener):
    return start_shared(f"""
        {pump_line(request.param)}
        ProxyWebsocketFallbackToProxyHttp Off
        ProxyPass /ws {module_listener.url}/
        ProxyPass /wss {tls_module_listener.url}/
        """)


_numbers = itertools.count()


@pytest.fixture
def path():
    """A path of this test's own, by which it knows its lines in the shared log."""
    return f"/ws/{next(_numbers)}."


def close_in_order(pair, first="client", code=1000):
    closer, other = pair.ends(first)
    closer.send_close(code)
    other.read_close()
    other.send_close(code)
    closer.read_close()
    pair.session.close()
    pair.client.expect_end()
    pair.client.close()


def the_line(site, path):
    return site.access_log.wait_for(path)[0]


@pytest.mark.runs_on("event", "worker", "prefork")
def test_a_tunnel_is_one_line_with_status_101_after_its_end(site, path, stage):
    with open_pair(site, path + "?token=1", stage, changes={"User-Agent": "test/1"}) as pair:
        site.get("/other" + path)
        site.access_log.wait_for("/other" + path)
        assert site.access_log.lines(f"GET {path}") == []
        close_in_order(pair)
    line = the_line(site, path + "?token")
    assert line.status == "101"
    assert line.request == f"GET {path}?token=1 HTTP/1.1"
    assert (line.address, line.agent, line.user) == ("127.0.0.1", "test/1", "-")


def test_the_duration_is_the_tunnels(site, path, stage):
    with open_pair(site, path, stage) as pair:
        opened = time.monotonic()
        time.sleep(1.1)   # %T counts whole seconds
        lasted = time.monotonic() - opened
        close_in_order(pair)
    line = the_line(site, path)
    assert lasted * 1e6 <= line.number("us") < (lasted + 5) * 1e6
    assert line.number("seconds") >= 1


def test_bytes_in_and_out_are_those_on_the_clients_wire(site, path, stage):
    with open_pair(site, path, stage, pipelined=frames.client_frame(frames.TEXT, b"early"),
                   glued=frames.server_frame(frames.TEXT, b"early")) as pair:
        pair.session.send_frame(frames.BINARY, b"x" * 100_000)
        pair.client.send_frame(frames.BINARY, b"y" * 30_000)
        pair.client.read_frame(), pair.client.read_frame()
        pair.session.read_frame(), pair.session.read_frame()
        close_in_order(pair)
        line = the_line(site, path)
        assert line.number("received") == pair.client.bytes_sent
        assert line.number("sent") == pair.client.bytes_received
        assert line.number("total") == pair.client.bytes_sent + pair.client.bytes_received


def test_over_tls_the_bytes_count_with_their_encryption(site, path, tls_stage, tls):
    path = path.replace("/ws", "/wss")
    with open_pair(site, path, tls_stage, tls) as pair:
        pair.session.send_frame(frames.BINARY, b"x" * 100_000)
        pair.client.send_frame(frames.BINARY, b"y" * 30_000)
        pair.client.read_frame()
        pair.session.read_frame()
        close_in_order(pair)
        line = the_line(site, path)
        assert pair.client.bytes_sent < line.number("received") < pair.client.bytes_sent + 10_000
        assert pair.client.bytes_received < line.number("sent") < pair.client.bytes_received + 10_000


@pytest.mark.parametrize("code, logged", [(1000, "1000"), (4321, "4321"), (None, "1005")])
@pytest.mark.parametrize("first", SIDES)
def test_who_closed_first_and_with_which_code_is_told(site, path, stage, first, code, logged):
    with open_pair(site, path, stage) as pair:
        close_in_order(pair, first, code)
    line = the_line(site, path)
    assert (line.by, line.code) == (first, logged)


@pytest.mark.parametrize("side", SIDES)
def test_an_end_without_a_close_is_1006_by_who_left(site, path, stage, side):
    with open_pair(site, path, stage) as pair:
        leaver, other = pair.ends(side)
        leaver.close()
        other.expect_broken()
    line = the_line(site, path)
    assert (line.by, line.code) == (side, "1006")


@pytest.mark.parametrize("side", SIDES)
def test_a_reset_is_an_error_with_1006(site, path, stage, side):
    with open_pair(site, path, stage) as pair:
        vanishing, other = pair.ends(side)
        vanishing.reset()
        other.expect_broken()
    line = the_line(site, path)
    assert (line.status, line.by, line.code) == ("101", "error", "1006")


def test_messages_are_counted_each_way_without_control_frames_and_fragments(site, path, stage):
    with open_pair(site, path, stage) as pair:
        for _ in range(3):
            pair.client.send_text("up")
        pair.client.send_frame(frames.PING, b"")
        pair.client.send_frame(frames.TEXT, b"two ", fin=False)
        pair.client.send_frame(frames.CONTINUATION, b"parts")
        pair.session.send_text("down")
        for _ in range(6):
            pair.session.read_frame()
        pair.client.read_frame()
        close_in_order(pair)
    line = the_line(site, path)
    assert (line.messages_in, line.messages_out) == ("4", "1")


@pytest.mark.runs_on("event", "worker", "prefork")   # each MPM ends its children in its own way
@pytest.mark.parametrize("pump", PUMPS)
def test_a_tunnel_that_the_stop_of_httpd_ends_is_logged_by_proxy(start, stage, pump, path):
    server = start(f"{pump_line(pump)}\nProxyPass /ws {stage.url}/")
    with open_pair(server, path, stage):
        server.stop()
    line = the_line(server, path)
    assert (line.status, line.by, line.code) == ("101", "proxy", "1012")


@pytest.mark.runs_on("event", "worker", "prefork")
def test_refused_handshakes_and_ordinary_requests_are_logged_as_ever(site, path, stage):
    site.allow_log(r"WSP\d{4}:")
    with site.start_handshake(path) as client:
        with stage.accept() as session:
            session.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        assert client.read_response().status == 403
    assert site.get(path).status == 426
    assert site.get("/nothing" + path).status == 404
    lines = site.access_log.wait_for(path, 3)
    # Sorted: prefork's children write when they get to it.
    assert sorted((line.status, line.code, line.by) for line in lines) == [
        ("403", "-", "-"), ("404", "-", "-"), ("426", "-", "-")]


@pytest.mark.runs_on("event", "worker", "prefork")   # from several children
def test_every_tunnel_has_its_own_line(site, path, stage):
    pairs = [open_pair(site, path, stage) for _ in range(6)]
    for number, pair in enumerate(pairs):
        for _ in range(number):
            pair.client.send_text("x")
            pair.session.read_message()
    for pair in pairs:
        close_in_order(pair)
    lines = site.access_log.wait_for(path, 6)
    assert sorted(line.number("messages_in") for line in lines) == list(range(6))


def total_kbytes(server):
    """As server-status says it; each question is a request of the child, too."""
    lines = server.get("/server-status?auto").body.decode().splitlines()
    return int(next(line for line in lines if line.startswith("Total kBytes:")).split()[2])


@pytest.mark.runs_on("event")   # every MPM has the same scoreboard
@pytest.mark.parametrize("pump", ["loop", "thread"])
def test_the_totals_of_server_status_have_a_tunnels_bytes(start, echo, pump):
    server = start(f"{pump_line(pump)}\nProxyPass /ws {echo.url}/", mpm_lines=ONE_CHILD["event"])
    before = total_kbytes(server)
    with server.open_tunnel("/ws") as client:
        for _ in range(10):
            client.echo(b"x" * 100_000)
    wait_until(lambda: total_kbytes(server) - before >= 1900, "2 MB in the totals")
    assert total_kbytes(server) - before < 2500
