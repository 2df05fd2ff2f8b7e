"""The statistics of the whole server: every figure is what a scripted load has done, over several child processes, restarts of all
kinds, and children that are killed."""

import json
import os
import signal
from collections import Counter

import pytest

from harness import frames, http1
from harness.backend import Listener, UnixListener
from harness.config import ONE_CHILD
from harness.crowd import Crowd
from harness.httpd import free_port
from harness.peer import connect
from harness.waiting import BOUND, wait_until

RUNS_ON = ["event"]

STATUS = """
    <Location /tunnels>
        SetHandler websocket-status
    </Location>
    """
# Slots for generations that have not ended.
ROOM = {"event": "StartServers 4\nServerLimit 12\nThreadsPerChild 8\nMaxRequestWorkers 32\nMinSpareThreads 1\n"
                 "MaxSpareThreads 32",
        "prefork": "StartServers 4\nServerLimit 40\nMaxRequestWorkers 40\nMinSpareServers 4\nMaxSpareServers 40"}
KILLED = "AH00052:.*exit signal Killed|AH10392:"   # which the MPM says of several in a row


def ask(server):
    return json.loads(server.get("/tunnels?format=json&size=0").body)


def await_figures(server, expected, read=lambda status: status["total"]):
    """Waits until the figures named are there; `ended` and such without their zeros. A figure may come a moment after what the peers
    see of it."""
    seen = {}

    def are_there():
        figures = read(ask(server))
        for name in expected:
            value = figures[name]
            seen[name] = {key: n for key, n in value.items() if n} if isinstance(value, dict) and "sum_seconds" not in value else value
        return seen == expected

    try:
        wait_until(are_there, "the figures")
    except AssertionError:
        assert seen == expected


def series_of(server, backend):
    [series] = [each for each in ask(server)["series"] if each["backend"] == backend]
    return series


class Told:
    """What clients have sent and received behind their handshakes."""

    def __init__(self):
        self.messages = self.sent = self.received = self.opened = 0

    def open(self, server, path):
        """A tunnel; its bytes are counted from here on."""
        peer = server.open_tunnel(path)
        self.opened += 1
        self.sent -= peer.bytes_sent
        self.received -= peer.bytes_received
        return peer

    def ends(self, peer):
        self.sent += peer.bytes_sent
        self.received += peer.bytes_received
        peer.close()


# --- one generation ---

@pytest.fixture(scope="module")
def talked(start_shared, mpm, echo_process):
    """A server on which a load of tunnels, pumped and blocking, has come and gone, and what it was."""
    server = start_shared(f"""{STATUS}
        ProxyPass /ws {echo_process.url}/
        <Location /kept>
            ProxyWebsocketAsync Off
        </Location>
        ProxyPass /kept {echo_process.url}/
        """, mpm_lines=ROOM[mpm])
    told = Told()
    for path in ("/ws", "/kept"):
        peers = [told.open(server, path) for _ in range(12)]
        for number, peer in enumerate(peers):
            for size in (5, 3000, 70_000)[:number % 3 + 1]:
                peer.echo(b"x" * size)
                told.messages += 1
        for peer, code in zip(peers, (1000, 1000, 1001, None, 3000, 4001, 4002), strict=False):
            peer.send_close(code)
            assert peer.read_close()[0] == code
        peers[7].send(frames.server_frame(frames.TEXT, b"not masked"))
        assert peers[7].read_close()[0] == 1002
        for peer in peers[8:]:
            peer.shut_write()   # without a Close
        for peer in peers:
            peer.read_to_end()
            told.ends(peer)
    _talk_at_once(server, told)
    return server, told


def _talk_at_once(server, told):
    """A tunnel whose first message comes with its handshake; what comes back may come with the 101."""
    text = b"behind the handshake"
    sent = [frames.client_frame(frames.TEXT, text), frames.client_frame(frames.CLOSE, frames.close_payload(1000))]
    back = [frames.server_frame(frames.TEXT, text), frames.server_frame(frames.CLOSE, frames.close_payload(1000))]
    with server.open_tunnel("/ws", pipelined=sent[0]) as peer:
        assert peer.read_exactly(len(back[0])) == back[0]
        peer.send(sent[1])
        assert peer.read_to_end() == back[1]
    told.opened += 1
    told.messages += 1
    told.sent += len(b"".join(sent))
    told.received += len(b"".join(back))


def test_tunnels_are_counted_by_how_they_ended(talked):
    server, _ = talked
    await_figures(server, {
        "open": 0, "opened": 25, "arrived": 0, "left": 0,
        "ended": {"client_close": 15, "client_violation": 2, "client_eof": 8},
        "close_codes": {"1000": 5, "1001": 2, "1002": 2, "1005": 2, "1006": 8, "3xxx": 2, "4xxx": 4}})
    # They may have ended in two minutes.
    by_minute = sum((Counter(minute) for minute in ask(server)["ended_by_minute"]), Counter())
    assert by_minute == {"client_close": 15, "client_violation": 2, "client_eof": 8}


def test_messages_and_bytes_are_those_of_the_clients(talked):
    server, told = talked
    await_figures(server, {"messages": {"in": told.messages, "out": told.messages},
                           "bytes": {"in": told.sent, "out": told.received}, "held_bytes": 0})


def test_histograms_have_one_time_for_each_tunnel(talked):
    server, told = talked
    wait_until(lambda: ask(server)["total"]["lifetime"]["count"] == told.opened, "all have ended")
    total = ask(server)["total"]
    assert total["handshake_time"]["count"] == told.opened
    for name in ("handshake_time", "lifetime"):
        assert sum(total[name]["buckets"]) == told.opened
        assert 0 < total[name]["sum_seconds"] < BOUND * told.opened
    assert ask(server)["server"]["loop_lag"]["count"] > 0
    assert 1 <= ask(server)["server"]["children"] <= 4


@pytest.fixture(scope="module")
def listener():
    with Listener() as listening:
        yield listening


@pytest.fixture(scope="module")
def site(start_shared, listener):
    """One child, so that it is known whose pool a connection is in."""
    server = start_shared(f"""{STATUS}
        ProxyPass /ws {listener.url}/
        ProxyPass /nobody ws://127.0.0.1:{free_port()}/
        <Location /pinged>
            ProxyWebsocketPing 100ms 60s
        </Location>
        ProxyPass /pinged {listener.url}/
        """, mpm_lines=ONE_CHILD["event"])
    server.allow_log("WSP0114|WSP0113|WSP0119|AH0")
    return server


def handshake(server, path, changes):
    with server.start_handshake(path, changes) as client:
        return client.read_response().status


def test_refused_handshakes_are_counted_by_reason(site, listener):
    site.allow_log("WSP0114|WSP0113|WSP0119|AH0")
    for changes, status in (({"Sec-WebSocket-Key": None}, 400), ({"Sec-WebSocket-Key": "short"}, 400),
                            ({"Sec-WebSocket-Version": "8"}, 426)):
        assert handshake(site, "/ws", changes) == status
    assert [handshake(site, "/nobody", {}) for _ in range(3)] == [503] * 3
    with site.start_handshake("/ws") as client, listener.accept() as session:
        session.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\nno such room")
        assert client.read_response().status == 404
    assert series_of(site, f"{listener.url}/")["refused"] == {"no_key": 1, "bad_key": 1, "bad_version": 1, "backends_answer": 1}
    [refused] = [each["refused"] for each in ask(site)["series"] if each["backend"] != f"{listener.url}/"]
    assert set(refused) <= {"unreachable", "out_of_use"} and sum(refused.values()) == 3


def test_a_client_that_is_gone_before_its_101_is_counted(site, listener):
    opened = ask(site)["total"]["opened"]
    with site.start_handshake("/ws") as client, listener.accept() as session:
        client.reset()
        session.accept_handshake()
        wait_until(lambda: ask(site)["total"]["refused"].get("client_gone") == 1, "it is counted")
    site.error_log.wait_for("WSP0105: the client went away before its 101 could be sent; request GET /ws")
    assert ask(site)["total"]["opened"] == opened


def test_round_trips_of_pings(site, listener):
    with site.start_handshake("/pinged") as client, listener.accept() as session:
        session.accept_handshake()
        assert client.read_response().status == 101
        for _ in range(3):
            ping = client.read_frame()
            assert ping.opcode == frames.PING
            client.send_frame(frames.PONG, ping.payload)
        wait_until(lambda: series_of(site, f"{listener.url}/")["ping_rtt"]["count"] >= 3, "three round trips")
    assert series_of(site, f"{listener.url}/")["ping_rtt"]["count"] < 10


def test_a_pool_tells_what_its_connections_do(start, listener):
    listener.forget_waiting()
    server = start(f"""{STATUS}
        <Proxy {listener.url}>
            ProxyWebsocketPool warm=2
        </Proxy>
        ProxyPass /ws {listener.url}/
        """, mpm_lines=ONE_CHILD["event"])
    sessions = []
    with server.start_handshake("/ws") as client:
        sessions.append(listener.accept().accept_handshake())
        assert client.read_response().status == 101
        await_figures(server, {"pool_connections": {"idle": 2}, "pool_warm": 2, "pool_waiting": 0,
                               "pool_events": {"connects": 3, "preconnects": 2}})
        with server.start_handshake("/ws") as second:
            sessions.append(listener.accept_connection())
            sessions.append(listener.accept_connection())
            # The one that was used last is taken first.
            sessions[2].accept_handshake()
            assert second.read_response().status == 101
            await_figures(server, {"open": 2, "pool_connections": {"idle": 2}, "pool_warm": 2,
                                   "pool_events": {"connects": 4, "preconnects": 3, "reused": 1}})
    for session in sessions:
        session.close()


# --- labels ---

def test_labels_are_those_of_the_configuration_without_credentials(start, mpm):
    port = free_port()
    with UnixListener() as unix:
        server = start(f"""{STATUS}
            <VirtualHost *:{{port}}>
                ServerName one.example
                ProxyPass /a ws://127.0.0.1:{port}/room
                ProxyPass /b unix:{unix.path}|ws://localhost/
                <Proxy balancer://chat>
                    BalancerMember ws://user:secret@127.0.0.1:{port}/member
                </Proxy>
                ProxyPass /c balancer://chat/
            </VirtualHost>
            <VirtualHost *:{{port}}>
                ServerName https://two.example:444
                ProxyPass /a ws://127.0.0.1:{port}/room
            </VirtualHost>
            """)
        server.allow_log("WSP|AH0")
        for path, host in (("/a", "one.example"), ("/b", "one.example"), ("/c", "one.example"), ("/a", "two.example")):
            with connect(server.port) as client:
                # Refused before anybody is asked.
                client.send(http1.handshake_request(path, {"Host": host, "Sec-WebSocket-Key": None}))
                assert client.read_response().status == 400
        assert {(each["vhost"], each["backend"]) for each in ask(server)["series"]} == {
            (f"one.example:{server.port}", f"ws://127.0.0.1:{port}/room"),
            (f"one.example:{server.port}", f"unix:{unix.path}|ws://localhost/"),
            (f"one.example:{server.port}", f"balancer://chat ws://127.0.0.1:{port}/member"),
            ("two.example:444", f"ws://127.0.0.1:{port}/room")}


# --- generations, and death ---

@pytest.mark.runs_on("event", "prefork")
def test_figures_stay_exact_when_tunnels_move_and_children_are_killed(start, mpm, echo_process):
    server = start(f"{STATUS}\nProxyWebsocketDrainTimeout 2h\nProxyPass /ws {echo_process.url}/", mpm_lines=ROOM[mpm])
    server.allow_log(KILLED)
    with Crowd(server, "/ws") as crowd:
        crowd.open_at_once(20)
        crowd.echo()
        await_figures(server, {"open": 20, "opened": 20, "arrived": 0, "ended": {}})
        old = set(server.children())
        server.graceful()
        wait_until(lambda: not old & set(server.children()), "the old generation has moved its tunnels and is gone", 3 * BOUND)
        crowd.echo()
        await_figures(server, {"open": 20, "opened": 20, "arrived": 20, "left": 20, "ended": {}})

        for child in server.children():
            os.kill(child, signal.SIGKILL)
        for tunnel in crowd.tunnels:
            tunnel.expect_broken()
        await_figures(server, {"open": 0, "opened": 20, "ended": {"process_gone": 20}, "arrived": 20, "left": 20})
        crowd.drop()
        crowd.open(5)
        crowd.close()
    await_figures(server, {"open": 0, "opened": 25, "ended": {"process_gone": 20, "client_close": 5}})
    assert ask(server)["total"]["lifetime"]["count"] == 5   # nobody knows when the others were opened


def test_a_killed_child_takes_with_it_its_own_tunnels_alone(start, mpm, echo_process):
    server = start(f"{STATUS}\nProxyPass /ws {echo_process.url}/", mpm_lines=ROOM[mpm])
    server.allow_log(KILLED)
    with Crowd(server, "/ws") as crowd:
        crowd.open_in_several_children(16)
        crowd.echo()
        ended = 0
        for child in server.children()[:2]:
            os.kill(child, signal.SIGKILL)
        live = []
        for tunnel in crowd.tunnels:
            tunnel.send_text("still there?")
            try:
                assert tunnel.read_message() == b"still there?"
                live.append(tunnel)
            except (EOFError, ConnectionError):
                ended += 1
                tunnel.close()
        crowd.tunnels = live
        await_figures(server, {"open": len(live), "opened": 16, "ended": {"process_gone": ended} if ended else {}})
        crowd.close()
    await_figures(server, {"open": 0, "opened": 16})


@pytest.mark.runs_on("event", "prefork")
def test_counters_outlive_a_restart_and_a_backend_that_is_gone(start, mpm, echo_process):
    def lines(path):
        return f"{STATUS}\nProxyWebsocketDrainTimeout 1s\nProxyPass /ws {echo_process.url}/{path}"

    server = start(lines("one"), mpm_lines=ROOM[mpm])
    started_at = ask(server)["server"]["started_at"]
    with Crowd(server, "/ws") as crowd:
        crowd.open(4)
        crowd.echo()
        server.configure(lines("two"))
        server.restart()
        for tunnel in crowd.tunnels:
            tunnel.expect_broken()
        crowd.drop()
        crowd.open(2)
        await_figures(server, {"open": 2, "opened": 6})
        crowd.close()
    await_figures(server, {"open": 0, "opened": 6})
    one, two = series_of(server, f"{echo_process.url}/one"), series_of(server, f"{echo_process.url}/two")
    assert (one["opened"], sum(one["ended"].values()), two["opened"], two["ended"]) == (4, 4, 2, {"client_close": 2})
    assert ask(server)["server"]["started_at"] == started_at

