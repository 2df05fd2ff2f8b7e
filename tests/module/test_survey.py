"""What the loops of all child processes say of their tunnels when somebody asks: each live tunnel once, with what it has done, wherever it
lives, moves or keeps its thread."""

import json
import os
import signal
import time
from contextlib import ExitStack

import pytest

from harness import processes
from harness.config import MPM_IS_FULL
from harness.crowd import Crowd
from harness.moves import ROOM
from harness.waiting import wait_until

PAGE = """
    <Location /tunnels>
        SetHandler websocket-status
    </Location>
    ProxyPass /echo {echo}/
    ProxyWebsocketDrainTimeout 2h
    """
FOUR = {
    "event": "StartServers 4\nServerLimit 16\nThreadsPerChild 4\nMaxRequestWorkers 32\nMinSpareThreads 1\nMaxSpareThreads 32",
    "prefork": "StartServers 14\nServerLimit 64\nMaxRequestWorkers 64\nMinSpareServers 1\nMaxSpareServers 64",
}
FOUR["worker"] = FOUR["event"]
STAYS_THE_SAME = ("id", "client", "tls", "vhost", "path", "backend", "tag", "messages_in", "messages_out", "bytes_in", "bytes_out", "mode")


def ask(server, silent=0):
    """The rows by id, of all processes."""
    answer = json.loads(server.get("/tunnels?format=json&size=10000").body)
    assert (answer["server"]["asked"], answer["server"]["silent_processes"], answer["rows"]["left_out"]) == (True, silent, 0), answer["server"]
    rows = {row["id"]: row for row in answer["rows"]["tunnels"]}
    assert len(rows) == answer["rows"]["total"] == len(answer["rows"]["tunnels"]), "a tunnel is listed twice"
    return rows


def await_rows(server, count):
    """Whoever has his 101 is listed; those that end are a moment later."""
    found = []
    wait_until(lambda: len(found.append(ask(server)) or found[-1]) == count, lambda: f"{count} rows: {list(found[-1].values())}")
    return found[-1]


def talk(tunnel, times):
    for number in range(times):
        tunnel.send_frame(1, b"message %d" % number)
        assert tunnel.read_message() == b"message %d" % number


@pytest.fixture(scope="module")
def server(start_shared, echo, module_listener, mpm):
    return start_shared(PAGE.replace("{echo}", echo.url) + f"""
        <Location /kept>
            ProxyWebsocketAsync Off
        </Location>
        ProxyPass /kept {echo.url}/
        ProxyPass /stage {module_listener.url}/
        ProxyWebsocketCloseTimeout 10min
        """, mpm_lines=ROOM[mpm])


@pytest.mark.parametrize("path, mode", [("/echo/room?token=secret", "pumped"), ("/kept/room?token=secret", "blocking")])
def test_a_row_says_whose_tunnel_it_is_and_what_it_has_done(server, echo, tls, path, mode):
    await_rows(server, 0)
    begin = time.monotonic()
    with server.open_tunnel(path, tls=tls) as secure, server.open_tunnel(path) as plain:
        talk(plain, 3)
        rows = await_rows(server, 2).values()
        by_tls = {row["tls"]: row for row in rows}
        assert set(by_tls) == {False, True}
        row = by_tls[False]
        assert (row["messages_in"], row["messages_out"]) == (3, 3)
        assert (row["bytes_in"], row["bytes_out"]) == (3 * (6 + 9), 3 * (2 + 9))
        assert by_tls[True]["messages_in"] == 0
        talk(secure, 1)
        row = ask(server)[by_tls[True]["id"]]
        assert (row["messages_in"], row["bytes_in"]) == (1, 15 + (22 if mode == "pumped" else 0))   # on the wire; filters see no TLS
        for row in rows:
            assert row["backend"] == f"{echo.url}/"
            assert row["vhost"] == (f"localhost:{server.tls_port}" if row["tls"] else "localhost")   # which has two ports
            assert (row["client"], row["path"], row["mode"], row["state"]) == ("127.0.0.1", path.partition("?")[0], mode, "open")
            assert row["child"] in server.children()
            assert 0 <= row["idle_seconds"] <= row["age_seconds"] <= time.monotonic() - begin
            assert (row["held_bytes"], row["rtt_seconds"], row["tag"]) == (0, 0, "")
        idle = {row["id"]: row["idle_seconds"] for row in rows}
        assert ask(server)[by_tls[False]["id"]]["idle_seconds"] > idle[by_tls[False]["id"]]
    await_rows(server, 0)


@pytest.mark.parametrize("migrate", ["On", "Off"])   # Off: pumps begin with the first tunnel
def test_whoever_has_his_101_is_listed(start, mpm, echo, tls, migrate):
    server = start(PAGE.replace("{echo}", echo.url) + f"""
        <Location /kept>
            ProxyWebsocketAsync Off
        </Location>
        ProxyPass /kept {echo.url}/
        ProxyWebsocketMigrate {migrate}
        """, mpm_lines=FOUR[mpm])
    server.allow_log(MPM_IS_FULL)
    with ExitStack() as tunnels:
        for count in range(1, 13):
            tunnels.enter_context(server.open_tunnel("/kept" if count % 4 == 0 else "/echo", tls=tls if count % 3 == 0 else None))
            assert len(ask(server)) == count


@pytest.mark.runs_on("event")
def test_a_tunnel_over_http2_is_listed(start, echo, certificates):
    from harness.http2 import Http2Connection   # h2 is not everywhere
    server = start(PAGE.replace("{echo}", echo.url) + "Protocols h2 http/1.1\nH2WebSockets On", modules=["http2"])
    with Http2Connection(server.tls_port, certificates.client_context(["h2"])) as connection:
        connection.open_tunnel("/echo/h2").echo()
        (row,) = await_rows(server, 1).values()
        assert (row["path"], row["mode"], row["tls"], row["state"]) == ("/echo/h2", "blocking", True, "open")
        assert (row["messages_in"], row["messages_out"]) == (1, 1)


@pytest.mark.runs_on("event")
def test_a_tunnel_that_has_seen_a_close_is_closing(server, stage):
    with server.start_handshake("/stage") as client, stage.accept() as session:
        session.accept_handshake()
        client.read_response()
        client.send_close(1000)
        assert session.read_close() == (1000, "")
        (row,) = await_rows(server, 1).values()
        assert row["state"] == "closing"


def test_tunnels_in_four_children_keep_their_rows_over_a_graceful_restart(start, mpm, echo_process):
    """TLS, messages and age go along; the process is another one."""
    server = start(PAGE.replace("{echo}", echo_process.url), mpm_lines=FOUR[mpm])
    server.allow_log(MPM_IS_FULL)
    with Crowd(server, "/echo") as crowd:
        crowd.open_in_several_children(13)
        crowd.echo()
        before = await_rows(server, 13)
        assert len({row["child"] for row in before.values()}) >= 4
        server.start_graceful()
        old = {row["child"] for row in before.values()}
        after = {}
        while not after or old & {row["child"] for row in after.values()}:   # each moves at its own moment
            after = ask(server)
            assert set(after) == set(before)
        for name, row in after.items():
            assert {key: row[key] for key in STAYS_THE_SAME} == {key: before[name][key] for key in STAYS_THE_SAME}
            assert row["child"] != before[name]["child"] and row["age_seconds"] > before[name]["age_seconds"]
        crowd.echo()
        assert {row["messages_in"] for row in ask(server).values()} == {2}


def test_children_that_drain_and_children_that_were_killed(start, mpm, echo):
    """Tunnels of the old generation are listed as long as it lives; those of a killed process are not, and nobody waits for it."""
    server = start(PAGE.replace("{echo}", echo.url) + "ProxyWebsocketMigrate Off", mpm_lines=ROOM[mpm])
    server.allow_log(MPM_IS_FULL)
    old = server.open_tunnel("/echo/old")
    (row,) = await_rows(server, 1).values()
    server.graceful()
    new = server.open_tunnel("/echo/new")
    rows = await_rows(server, 2)
    assert {each["path"]: each["child"] == row["child"] for each in rows.values()} == {"/echo/old": True, "/echo/new": False}
    talk(old, 2)
    assert ask(server)[row["id"]]["messages_in"] == 2
    os.kill(row["child"], signal.SIGKILL)
    wait_until(lambda: not processes.exists(row["child"]), "the killed child is gone")
    begin = time.monotonic()
    (left,) = ask(server).values()
    assert left["path"] == "/echo/new" and time.monotonic() - begin < 1
    old.close()
    new.close()
