"""What httpd knows of a tunnel is right on both sides of a move: its virtual host and worker are found again by name in whatever the
configuration has become, its counts are counted in, its access log line is whole. Who cannot move is drained."""

import os
import signal
import ssl
import time

import pytest

from dropin.balancer import Members, OpenTunnels, await_fact, facts
from harness import moves, own_records, processes
from harness.config import MODULE
from harness.crowd import Crowd
from harness.echo_load import EchoLoad
from harness.exchange import converse
from harness.http2 import Http2Connection
from harness.moves import TAKEN_OVER
from harness.pair import open_pair
from harness.tls_records import RecordContext
from harness.waiting import BOUND, wait_until

RUNS_ON = ["event"]   # on all MPMs tunnels move in test_migrate_restarts.py

DRAINED = "server restarting"
_NO_DRAIN = f"{own_records.LOG_LINE}\nProxyWebsocketDrainTimeout 2h"
_SHORT_DRAIN = f"{own_records.LOG_LINE}\nProxyWebsocketDrainTimeout 500ms\nProxyWebsocketDrainSpread 0"


def move(server, tunnels):
    """A graceful restart, which so many tunnels go through."""
    before = len(server.error_log.lines(TAKEN_OVER))
    seconds = moves.restart_and_await_end_of_old(server)
    wait_until(lambda: len(server.error_log.lines(TAKEN_OVER)) >= before + tunnels, f"{tunnels} tunnels have moved")
    assert len(server.error_log.lines(TAKEN_OVER)) == before + tunnels
    return seconds


def expect_told(tunnels):
    for tunnel in tunnels:
        assert tunnel.read_close() == (1012, DRAINED)
        tunnel.send_close(1001)
        tunnel.expect_broken()


# --- counts ---

@pytest.fixture(scope="module")
def members():
    with Members(2) as members:
        yield members


def test_bybusyness_counts_tunnels_that_have_moved(start, members):
    """A reload makes mod_proxy's counts anew."""
    server = start(_NO_DRAIN + "\n" + members.lines(proxy_set="lbmethod=bybusyness"), modules=["lbmethod_bybusyness"])
    with OpenTunnels(server) as tunnels:
        assert sorted(tunnels.open(6)) == ["m1"] * 3 + ["m2"] * 3
        tunnels.end("m2", 2)
        await_fact(server, 2, "busy", "1")
        tunnels.all_echo()
        for _ in range(2):
            move(server, 4)
            assert [facts(server, number)["busy"] for number in (1, 2)] == ["3", "1"]
        assert tunnels.open(2) == ["m2"] * 2
        tunnels.all_echo()
    for number in (1, 2):
        await_fact(server, number, "busy", "0")


# --- the access log ---

@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_the_access_log_line_of_a_tunnel_that_has_moved_is_that_of_one_that_has_not(start, stage, certificates, secure):
    server = start(f"""{_NO_DRAIN}
        LogFormat "%{{sec}}t %{{begin:sec}}t %{{end:sec}}t %a %m %U %q %H %s %{{SSL_PROTOCOL}}x %{{X-Custom}}i %{{TAG}}e" more
        CustomLog more.log more
        SetEnvIf X-Custom yes TAG=marked
        ProxyPass /ws {stage.url}/""")
    earliest = int(time.time())
    tls = RecordContext(certificates.client_context()) if secure else None
    with open_pair(server, "/ws/a?b=c", stage, tls, changes={"X-Custom": "yes", "User-Agent": "test/1"}) as pair:
        opened = time.monotonic()
        second = int(time.time())
        converse(pair)
        if secure:
            own_records.await_left(server)
        for _ in range(2):
            move(server, 1)
            converse(pair)
        wait_until(lambda: int(time.time()) > second, "the log's clock tells the end from the beginning")
        lasted = time.monotonic() - opened
        pair.say_goodbye()
        latest = int(time.time())
        carried = (pair.client.sock.raw.sent, pair.client.sock.raw.received) if secure else (
            pair.client.bytes_sent, pair.client.bytes_received)
    line = server.access_log.wait_for("GET /ws/a?b=c ")[0]
    assert (line.status, line.code, line.by, line.agent, line.address) == ("101", "1000", "client", "test/1", "127.0.0.1")
    assert (line.number("received"), line.number("sent")) == carried
    assert line.messages_in == line.messages_out == "12"
    assert line.number("us") >= lasted * 1e6
    log = server.root / "more.log"
    fields = wait_until(lambda: [text.split() for text in log.read_text().splitlines() if "/ws/a" in text], "a line in more.log")[0]
    written = int(time.time())   # the client has seen the end before
    assert all(earliest <= int(begin) <= latest - 1 for begin in fields[:2]) and int(fields[0]) <= int(fields[2]) <= written, fields
    assert fields[3:] == ["127.0.0.1", "GET", "/ws/a", "?b=c", "HTTP/1.1", "101", "TLSv1.3" if secure else "-", "yes", "marked"]


# --- another configuration ---

class Hosts:
    """A configuration with a mapping in the main server, and virtual hosts by name, first to last."""

    def __init__(self, echo, spare):
        self._echo, self._spare = echo, spare

    def lines(self, names, spare=True, log_format=""):
        """`spare`: the mapping /spare to a worker of its own is there."""
        hosts = "\n".join(f"<VirtualHost 127.0.0.1:{{port}}>\nServerName {name}.test\nProxyPass /ws {self._echo.url}/\n</VirtualHost>"
                          for name in names)
        more = [f"ProxyPass /spare {self._spare.url}/"] if spare else []
        more += [f'LogFormat "{log_format}" wsp'] if log_format else []
        return "\n".join([_SHORT_DRAIN, *more, f"ProxyPass /ws {self._echo.url}/", hosts])


def test_tunnels_find_their_hosts_and_workers_in_another_configuration_or_are_drained(start, echo, tls_echo, stage, mpm):
    hosts = Hosts(echo, stage)
    server = start(hosts.lines(["a", "b", "c"]))
    names = {name: {"Host": f"{name}.test"} for name in ("a", "b", "c")}
    tunnels = {name: server.open_tunnel("/ws", changes) for name, changes in names.items()}
    for tunnel in tunnels.values():
        tunnel.echo()
    spare = open_pair(server, "/spare", stage)
    server.configure(hosts.lines(["new", "c", "a"], spare=False))   # b is gone, another comes first, two change places
    server.start_graceful()
    expect_told([tunnels.pop("b"), spare.client])
    wait_until(lambda: len(server.error_log.lines(TAKEN_OVER)) == 2, "two have moved")
    for tunnel in tunnels.values():
        tunnel.echo()
    move(server, 2)   # and are at home there
    for tunnel in tunnels.values():
        tunnel.echo()
        tunnel.close()
    server.access_log.wait_for("GET /ws ", 3)
    server.access_log.wait_for("GET /spare ", 1)


def test_a_tunnel_over_a_reload_that_changes_the_log_format_is_one_whole_line(start, echo):
    """In the new format, as far as the old one had asked for its fields: no more of the request has been kept."""
    server = start(f"{_NO_DRAIN}\nProxyPass /ws {echo.url}/")
    with server.open_tunnel("/ws?moves", {"User-Agent": "test/1"}) as client:
        client.echo()   # it is in a pump's hands
        server.configure(f'{_NO_DRAIN}\nLogFormat "%r %>s %I %{{User-Agent}}i %{{Host}}i" wsp\nProxyPass /ws {echo.url}/')
        move(server, 1)
        client.send_close(1000)
        client.read_close()
        client.close()
        received = client.bytes_sent
    lines = wait_until(lambda: [line for line in server.access_log.text_lines() if "/ws?moves" in line], "the tunnel's line")
    assert lines == [f"GET /ws?moves HTTP/1.1 101 {received} test/1 -"]


# --- who stays ---

def test_what_cannot_move_stays_until_it_ends_and_what_can_does(start, echo, certificates, tls):
    old_tls = certificates.client_context()
    old_tls.maximum_version = ssl.TLSVersion.TLSv1_2
    server = start(f"""{_NO_DRAIN}
        Protocols h2c http/1.1
        H2WebSockets on
        ProxyPass /ws {echo.url}/
        <Location /thread>
            ProxyWebsocketAsync Off
            ProxyPass {echo.url}/
        </Location>
        <Location /openssl>
            ProxyWebsocketOwnRecords Off
            ProxyPass {echo.url}/
        </Location>""", modules=["http2"])
    moving = [server.open_tunnel("/ws"), server.open_tunnel("/ws", tls=tls)]
    moving[1].echo()
    own_records.await_left(server)
    staying = [server.open_tunnel("/ws", tls=old_tls), server.open_tunnel("/thread"), server.open_tunnel("/openssl", tls=tls)]
    with Http2Connection(server.port) as connection:
        stream = connection.start_tunnel("/ws")
        assert connection.await_response(stream).status == 200
        old = set(server.children())
        server.graceful()
        wait_until(lambda: len(server.error_log.lines(TAKEN_OVER)) == 2, "who can move has moved")
        for client in moving + staying:
            client.echo()
        assert old & set(server.children())
    for client in staying:
        client.close()
    wait_until(lambda: not any(map(processes.is_alive, old)), "the old generation is gone")
    for client in moving:
        client.echo()
        client.close()


@pytest.mark.parametrize("before, after", [("On", "Off"), ("Off", "On")])
def test_a_reload_that_changes_migrate_drains_and_the_next_one_has_its_word(start, echo, before, after):
    lines = lambda value: f"{_SHORT_DRAIN}\nProxyWebsocketMigrate {value}\nProxyPass /ws {echo.url}/"
    server = start(lines(before))
    with Crowd(server, "/ws") as crowd:
        crowd.open(2)
        server.configure(lines(after))
        server.start_graceful()
        expect_told(crowd.tunnels)
    assert not server.error_log.lines(TAKEN_OVER)
    with Crowd(server, "/ws") as crowd:
        crowd.open(2)
        crowd.echo()
        if after == "On":
            move(server, 2)
            crowd.echo()
        else:
            server.start_graceful()
            expect_told(crowd.tunnels)


def other_build(folder):
    """The module under test with another build id (the note that the linker adds), as another version has one."""
    code = bytearray(MODULE.read_bytes())
    place = code.index(b"\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0") + 16
    code[place] ^= 0xFF
    path = folder / "other" / MODULE.name
    path.parent.mkdir(mode=0o755)
    path.write_bytes(code)
    return path


def test_tunnels_are_drained_when_a_reload_brings_another_build_of_the_module(start, echo):
    lines = f"{_SHORT_DRAIN}\nProxyPass /ws {echo.url}/"
    server = start(lines)
    other = other_build(server.root)
    with Crowd(server, "/ws") as crowd:
        crowd.open(3)
        server.configure(lines, module=other)
        server.start_graceful()
        expect_told(crowd.tunnels)
    assert not server.error_log.lines(TAKEN_OVER)
    with Crowd(server, "/ws") as crowd:
        crowd.open(3)
        crowd.echo()
        move(server, 3)   # from that build to that build
        crowd.echo()
        server.configure(lines)
        server.start_graceful()
        expect_told(crowd.tunnels)   # and back


# --- who dies ---

def test_a_leaving_child_that_is_killed_takes_with_it_what_it_still_has_and_nothing_else(start, echo_process, certificates, tls):
    """With tunnels that cannot move it is still there when the others have moved."""
    old_tls = certificates.client_context()
    old_tls.maximum_version = ssl.TLSVersion.TLSv1_2
    server = start(f"{_NO_DRAIN}\nProxyPass /ws {echo_process.url}/")
    with EchoLoad() as load:
        for context in [None] * 8 + [tls] * 8:
            load.add(server.open_tunnel("/ws", tls=context), "moves")
        load.await_round()
        own_records.await_left(server, 8)
        for _ in range(4):
            load.add(server.open_tunnel("/ws", tls=old_tls), "stays")
        load.await_round()
        [old] = server.children()
        server.graceful()
        wait_until(lambda: len(server.error_log.lines(TAKEN_OVER)) == 16, "those that can move have moved")
        load.await_round()
        load.may_cut()
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: len(load.cut) >= 4, "the others are cut")
        load.await_round()
        assert [name.split()[0] for name in load.cut] == ["stays"] * 4


def test_a_reading_child_that_is_killed_cuts_tunnels_and_the_next_ones_work(start, echo_process):
    server = start(f"{_NO_DRAIN}\nProxyPass /ws {echo_process.url}/")
    with EchoLoad() as load:
        for _ in range(10):
            load.add(server.open_tunnel("/ws"))
        load.await_round()
        move(server, 10)
        load.may_cut()
        [reader] = server.children()
        os.kill(reader, signal.SIGKILL)
        wait_until(lambda: len(load.cut) == 10, "all are cut")
        load.verify()
    wait_until(lambda: set(server.children()) - {reader}, "another child", 2 * BOUND)
    with Crowd(server, "/ws") as crowd:
        crowd.open(3)
        crowd.echo()
        move(server, 3)
        crowd.echo()


def test_five_moves_leave_no_descriptor_behind(start, echo_process):
    """In the parent, which is there for ever, and in a child that has as many tunnels as before."""
    server = start(f"{_NO_DRAIN}\nProxyPass /ws {echo_process.url}/")

    def facts_of_processes():
        return [len(processes.descriptors(server.pid))] + [len(processes.descriptors(pid)) for pid in server.children()]

    with Crowd(server, "/ws") as crowd:
        crowd.open(20)
        crowd.echo()
        move(server, 20)
        crowd.echo()
        before = facts_of_processes()
        for _ in range(5):
            move(server, 20)
        crowd.echo()
        wait_until(lambda: facts_of_processes() == before, f"as many descriptors as before, {before}")
