"""How a tunnel ends: by a Close of either side, by half-closing, by a reset, and in which order."""

import select

import pytest

from harness import frames
from harness.pair import open_pair
from harness.pumps import PUMP_PARAMS, pump_line
from harness.waiting import wait_until, wait_until_steady

SIDES = ["client", "backend"]


@pytest.fixture(scope="module", params=PUMP_PARAMS)
def site(request, start_shared, module_listener, tls_module_listener):
    return start_shared(f"""
        {pump_line(request.param)}
        ProxyPass /ws {module_listener.url}/
        ProxyPass /wss {tls_module_listener.url}/
        <Location /impatient>
            ProxyWebsocketCloseTimeout 200ms
            ProxyPass {module_listener.url}/
        </Location>
        <Location /patient>
            ProxyWebsocketCloseTimeout 1min
            ProxyPass {module_listener.url}/
        </Location>
        <Location /nohalfclose>
            SetEnv proxy-nohalfclose 1
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


def test_the_client_is_hung_up_on_first_and_the_backend_only_when_it_has_hung_up(site, stage):
    with open_pair(site, "/patient", stage) as pair:
        pair.client.send_close(1000)
        assert pair.session.read_close() == (1000, "")
        pair.session.send_close(1000)
        assert pair.client.read_close() == (1000, "")
        pair.client.expect_end()
        pair.client.close()
        assert not select.select([pair.session.sock], [], [], 0.3)[0]   # RFC 6455 7.1.1: the server ends TCP first
        pair.session.shut_write()
        pair.session.expect_end()


@pytest.mark.parametrize("side", SIDES)
def test_a_side_that_hangs_up_without_a_close_ends_the_other_without_one(pair, side):
    vanishing, other = pair.ends(side)
    vanishing.send_text("last words")
    vanishing.close()
    assert other.read_message() == b"last words"
    other.expect_end()


@pytest.mark.runs_on("event")   # a Direction of lib alone
@pytest.mark.parametrize("half_closer", SIDES)
def test_after_a_half_close_the_other_way_still_carries_a_mebibyte(plain_pair, half_closer):
    quiet, speaker = plain_pair.ends(half_closer)
    half_close(quiet, speaker)
    for _ in range(16):
        speaker.send_frame(frames.BINARY, b"z" * 65536)
        assert quiet.read_message() == b"z" * 65536
    speaker.send_close(1001)
    speaker.close()
    assert quiet.read_close() == (1001, "")
    quiet.expect_end()


@pytest.mark.runs_on("event")   # the same
@pytest.mark.parametrize("half_closer", SIDES)
def test_what_is_under_way_when_a_side_half_closes_still_arrives(plain_pair, half_closer):
    quiet, speaker = plain_pair.ends(half_closer)
    last = speaker.frame(frames.TEXT, b"the end")
    speaker.send(speaker.frame(frames.BINARY, b"z" * 300_000) + last[:4])
    half_close(quiet, speaker)
    speaker.send(last[4:])
    assert quiet.read_message() == b"z" * 300_000
    assert quiet.read_message() == b"the end"
    speaker.close()
    quiet.expect_end()


def half_close(quiet, speaker):
    quiet.send_text("that was all")
    quiet.shut_write()
    assert speaker.read_message() == b"that was all"
    speaker.expect_end()


@pytest.mark.parametrize("half_closer", SIDES)
def test_with_proxy_nohalfclose_nothing_reaches_a_side_that_has_half_closed(site, stage, half_closer):
    with open_pair(site, "/nohalfclose", stage) as pair:
        quiet, speaker = pair.ends(half_closer)
        half_close(quiet, speaker)
        speaker.send_text("nobody listens")
        speaker.close()
        quiet.expect_end()


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("side", SIDES)
def test_a_side_that_leaves_in_the_middle_of_a_frame_is_followed_by_no_close(pair, side, end):
    vanishing, other = pair.ends(side)
    part = vanishing.frame(frames.BINARY, b"x" * 5000)[:3000]
    vanishing.send(part)
    assert other.read_exactly(len(part)) == part
    getattr(vanishing, end)()
    other.expect_end()


@pytest.mark.parametrize("side", SIDES)
def test_a_reset_on_one_side_is_told_to_the_other(pair, side):
    vanishing, other = pair.ends(side)
    vanishing.reset()
    other.expect_end()


@pytest.mark.parametrize("side", SIDES)
def test_a_reset_while_data_flows_is_told_to_the_other(plain_pair, side):
    vanishing, other = plain_pair.ends(side)
    other.send_frame(frames.BINARY, b"x" * 500_000)
    vanishing.read_exactly(1000)
    vanishing.reset()
    other.expect_broken()


@pytest.mark.parametrize("side", SIDES)
def test_the_sockets_of_an_ended_tunnel_are_given_back(site, stage, side):
    before = wait_until_steady(site.sockets_per_child, "sockets of all children")
    with open_pair(site, "/ws", stage) as pair:
        closer, other = pair.ends(side)
        closer.send_close(1000)
        other.read_close()
    wait_until(lambda: site.sockets_per_child() <= before, "the tunnel's sockets are closed")
