"""One access log line per tunnel, written when it ends, with what really happened."""

import re
import time

import pytest

from harness import frames
from harness.pair import open_pair
from harness.pumps import PUMPS, pump_line

SIDES = ["client", "backend"]


@pytest.fixture(params=PUMPS)
def site(request, start, stage, tls_stage):
    return start(f"{pump_line(request.param)}\nProxyPass /ws {stage.url}/\nProxyPass /wss {tls_stage.url}/")


def close_in_order(pair, first="client", code=1000):
    closer, other = pair.ends(first)
    closer.send_close(code)
    other.read_close()
    other.send_close(code)
    closer.read_close()
    pair.session.close()
    pair.client.expect_end()
    pair.client.close()


def the_line(site, path="/ws"):
    return site.access_log.wait_for(path)[0]


def test_a_tunnel_is_one_line_with_status_101_after_its_end(site, stage):
    with open_pair(site, "/ws?token=1", stage, changes={"User-Agent": "test/1"}) as pair:
        site.get("/index.html")
        site.access_log.wait_for("/index.html")
        assert site.access_log.lines("/ws") == []
        close_in_order(pair)
    line = the_line(site)
    assert line.status == "101"
    assert line.request == "GET /ws?token=1 HTTP/1.1"
    assert (line.address, line.agent, line.user) == ("127.0.0.1", "test/1", "-")


def test_the_duration_is_the_tunnels(site, stage):
    with open_pair(site, "/ws", stage) as pair:
        opened = time.monotonic()
        time.sleep(1.1)   # %T counts whole seconds
        lasted = time.monotonic() - opened
        close_in_order(pair)
    line = the_line(site)
    assert lasted * 1e6 <= line.number("us") < (lasted + 5) * 1e6
    assert line.number("seconds") >= 1


def test_bytes_in_and_out_are_those_on_the_clients_wire(site, stage):
    with open_pair(site, "/ws", stage, pipelined=frames.client_frame(frames.TEXT, b"early"),
                   glued=frames.server_frame(frames.TEXT, b"early")) as pair:
        pair.session.send_frame(frames.BINARY, b"x" * 100_000)
        pair.client.send_frame(frames.BINARY, b"y" * 30_000)
        pair.client.read_frame(), pair.client.read_frame()
        pair.session.read_frame(), pair.session.read_frame()
        close_in_order(pair)
        line = the_line(site)
        assert line.number("received") == pair.client.bytes_sent
        assert line.number("sent") == pair.client.bytes_received
        assert line.number("total") == pair.client.bytes_sent + pair.client.bytes_received


def test_over_tls_the_bytes_count_with_their_encryption(site, tls_stage, tls):
    with open_pair(site, "/wss", tls_stage, tls) as pair:
        pair.session.send_frame(frames.BINARY, b"x" * 100_000)
        pair.client.send_frame(frames.BINARY, b"y" * 30_000)
        pair.client.read_frame()
        pair.session.read_frame()
        close_in_order(pair)
        line = the_line(site, "/wss")
        assert pair.client.bytes_sent < line.number("received") < pair.client.bytes_sent + 10_000
        assert pair.client.bytes_received < line.number("sent") < pair.client.bytes_received + 10_000


@pytest.mark.parametrize("code, logged", [(1000, "1000"), (4321, "4321"), (None, "1005")])
@pytest.mark.parametrize("first", SIDES)
def test_who_closed_first_and_with_which_code_is_told(site, stage, first, code, logged):
    with open_pair(site, "/ws", stage) as pair:
        close_in_order(pair, first, code)
    line = the_line(site)
    assert (line.by, line.code) == (first, logged)


@pytest.mark.parametrize("side", SIDES)
def test_an_end_without_a_close_is_1006_by_who_left(site, stage, side):
    with open_pair(site, "/ws", stage) as pair:
        leaver, other = pair.ends(side)
        leaver.close()
        other.expect_broken()
    line = the_line(site)
    assert (line.by, line.code) == (side, "1006")


@pytest.mark.parametrize("side", SIDES)
def test_a_reset_is_an_error_with_1006(site, stage, side):
    with open_pair(site, "/ws", stage) as pair:
        vanishing, other = pair.ends(side)
        vanishing.reset()
        other.expect_broken()
    line = the_line(site)
    assert (line.status, line.by, line.code) == ("101", "error", "1006")


def test_messages_are_counted_each_way_without_control_frames_and_fragments(site, stage):
    with open_pair(site, "/ws", stage) as pair:
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
    line = the_line(site)
    assert (line.messages_in, line.messages_out) == ("4", "1")


def test_a_tunnel_that_the_stop_of_httpd_ends_is_logged_by_proxy(site, stage):
    with open_pair(site, "/ws", stage):
        site.stop()
    line = the_line(site)
    assert (line.status, line.by, line.code) == ("101", "proxy", "1001")


def test_refused_handshakes_and_ordinary_requests_are_logged_as_ever(site, stage):
    site.allow_log(r"WSP\d{4}:")
    with site.start_handshake("/ws") as client:
        with stage.accept() as session:
            session.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        assert client.read_response().status == 403
    assert site.get("/ws").status == 426
    assert site.get("/nothing").status == 404
    site.access_log.wait_for("/nothing")
    assert [line.status for line in site.access_log.lines("/ws")] == ["403", "426"]
    assert [line.code for line in site.access_log.lines()] == ["-"] * len(site.access_log.lines())


def test_every_tunnel_has_its_own_line(site, echo, stage):
    pairs = [open_pair(site, f"/ws?number={number}", stage) for number in range(20)]
    for number, pair in enumerate(pairs):
        pair.client.send_text("x" * number)
        pair.session.read_message()
    for pair in pairs:
        close_in_order(pair)
    lines = site.access_log.wait_for("/ws", 20)
    assert sorted(int(re.search(r"number=(\d+)", line.request)[1]) for line in lines) == list(range(20))
