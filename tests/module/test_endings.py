"""How a tunnel ends: by a Close of either side, by half-closing, by a reset, and in which order."""

import pytest

from harness import frames
from harness.pair import open_pair
from harness.pumps import PUMPS, pump_line
from harness.waiting import wait_until

SIDES = ["client", "backend"]


@pytest.fixture(scope="module", params=PUMPS)
def site(request, start_shared, module_listener, tls_module_listener):
    return start_shared(f"""
        {pump_line(request.param)}
        ProxyPass /ws {module_listener.url}/
        ProxyPass /wss {tls_module_listener.url}/
        <Location /impatient>
            ProxyWebsocketCloseTimeout 200ms
            ProxyPass {module_listener.url}/
        </Location>
        """)


@pytest.fixture(params=["ws", "wss"])
def pair(request, site, stage, tls_stage, tls):
    """A tunnel that is plain, or TLS, on both sides."""
    secure = request.param == "wss"
    with open_pair(site, "/" + request.param, tls_stage if secure else stage, tls if secure else None) as pair:
        yield pair


@pytest.fixture
def plain_pair(site, stage):
    with open_pair(site, "/ws", stage) as pair:
        yield pair


@pytest.mark.parametrize("code, reason", [(1000, ""), (1001, "going away"), (4999, "r" * 123), (None, "")])
@pytest.mark.parametrize("first", SIDES)
def test_a_close_and_its_answer_arrive_with_code_and_reason(pair, first, code, reason):
    closer, other = pair.ends(first)
    closer.send_close(code, reason)
    assert other.read_close() == (code, reason)
    other.send_close(code)
    assert closer.read_close() == (code, "")
    pair.session.close()
    pair.client.expect_end()


def test_data_in_flight_before_the_answer_to_a_close_arrives(pair):
    pair.client.send_close(1000)
    pair.session.send_frame(frames.BINARY, b"x" * 50_000)
    assert pair.session.read_close() == (1000, "")
    pair.session.send_close(1000)
    assert pair.client.read_message() == b"x" * 50_000
    assert pair.client.read_close() == (1000, "")


@pytest.mark.parametrize("first", SIDES)
def test_after_both_closes_both_sides_see_the_end_though_nobody_hangs_up(site, stage, first):
    with open_pair(site, "/impatient", stage) as pair:
        closer, other = pair.ends(first)
        closer.send_close(1000)
        assert other.read_close() == (1000, "")
        other.send_close(1000)
        assert closer.read_close() == (1000, "")
        pair.client.expect_end()
        pair.session.expect_end()


@pytest.mark.parametrize("first", SIDES)
def test_a_close_that_is_never_answered_ends_the_tunnel(site, stage, first):
    with open_pair(site, "/impatient", stage) as pair:
        closer, other = pair.ends(first)
        closer.send_close(1000)
        assert other.read_close() == (1000, "")
        other.expect_broken()
        closer.expect_broken()


def test_a_backend_that_hangs_up_without_a_close_ends_the_clients_connection(pair):
    pair.session.send_text("last words")
    pair.session.close()
    assert pair.client.read_message() == b"last words"
    pair.client.expect_broken()


def test_a_client_that_hangs_up_without_a_close_ends_the_backends_connection(pair):
    pair.client.send_text("last words")
    pair.client.close()
    assert pair.session.read_message() == b"last words"
    pair.session.expect_broken()


@pytest.mark.parametrize("half_closer", SIDES)
def test_after_a_half_close_the_other_way_still_carries_a_mebibyte(plain_pair, half_closer):
    quiet, speaker = plain_pair.ends(half_closer)
    quiet.send_text("that was all")
    quiet.shut_write()
    assert speaker.read_message() == b"that was all"
    speaker.expect_end()
    for _ in range(16):
        speaker.send_frame(frames.BINARY, b"z" * 65536)
        assert quiet.read_message() == b"z" * 65536
    speaker.close()
    quiet.expect_end()


@pytest.mark.parametrize("side", SIDES)
def test_a_reset_on_one_side_ends_the_other(pair, side):
    vanishing, other = pair.ends(side)
    vanishing.reset()
    other.expect_broken()


@pytest.mark.parametrize("side", SIDES)
def test_a_reset_while_data_flows_ends_the_other(plain_pair, side):
    vanishing, other = plain_pair.ends(side)
    other.send_frame(frames.BINARY, b"x" * 500_000)
    vanishing.read_exactly(1000)
    vanishing.reset()
    other.expect_broken()


@pytest.mark.parametrize("side", SIDES)
def test_the_sockets_of_an_ended_tunnel_are_given_back(site, stage, side):
    before = site.sockets_per_child()
    with open_pair(site, "/ws", stage) as pair:
        closer, other = pair.ends(side)
        closer.send_close(1000)
        other.read_close()
    wait_until(lambda: site.sockets_per_child() <= before, "the tunnel's sockets are closed")
