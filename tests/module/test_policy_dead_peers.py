"""Clients that are really dead: the cable is pulled, or the process stands still. ProxyWebsocketPing finds them, and the
backend is told."""

import os
import signal
import sys
import time

import pytest

from harness import frames
from harness.client import finish_handshake, start_handshake
from harness.httpd import free_port
from harness.netns import cable_or_skip
from harness.policies import PUMPS, start_policies
from harness.programs import Program
from harness.waiting import PATIENCE

RUNS_ON = ["event"]   # what the kernel and lib do is the same in every child; test_policy_ping.py has prefork
_DEADLINE = PATIENCE   # seconds
_DEAD_AFTER = 0.2 + _DEADLINE
_SLACK = 5 * PATIENCE
POLICIES = {"found": f"ProxyWebsocketPing 200ms {_DEADLINE}s"}

# Answers Pings, as every client does, until it is killed.
_CLIENT = """
import asyncio, sys, websockets

async def main():
    async with websockets.connect(sys.argv[1], ping_interval=None) as connection:
        print("open", flush=True)
        async for message in connection:
            print(message, flush=True)

asyncio.run(main())
"""


def expect_found(session, begin):
    """The backend is told, in time."""
    session.expect_end()
    assert time.monotonic() - begin < _DEAD_AFTER + _SLACK
    session.close()


@pytest.mark.parametrize("traffic", ["idle", "the backend sends"])
@pytest.mark.parametrize("pump", PUMPS)
def test_a_client_whose_cable_is_pulled_is_found(start, mpm, stage, tls_stage, pump, traffic):
    with cable_or_skip() as cable:
        port = free_port()
        server = start_policies(start, mpm, stage, tls_stage, POLICIES, f"Listen {cable.host}:{port}")
        with cable.inside():
            client = start_handshake(port, f"/ws/{pump}/found/cable", host=cable.host)
        with client, stage.accept() as session:
            session.accept_handshake()
            ping = finish_handshake(client).read_frame()
            assert ping.opcode == frames.PING
            client.send_frame(frames.PONG, ping.payload)
            cable.pull()
            begin = time.monotonic()
            if traffic != "idle":
                session.send_text("are you still there?")
            expect_found(session, begin)
            assert server.access_log.wait_for("/cable")[0].by == "ping-timeout"


@pytest.mark.parametrize("pump", PUMPS)
def test_a_client_process_that_stands_still_is_found(start, mpm, stage, tls_stage, pump):
    server = start_policies(start, mpm, stage, tls_stage, POLICIES)
    url = f"ws://localhost:{server.port}/ws/{pump}/found/stopped"
    with Program("a client", sys.executable, "-c", _CLIENT, url) as client:
        session = stage.accept().accept_handshake()
        assert client.next_line() == "open"
        time.sleep(_DEAD_AFTER + 0.3)   # for so long it has lived on its Pongs
        session.send_text("still here")
        assert client.next_line() == "still here"
        os.kill(client.pid, signal.SIGSTOP)
        expect_found(session, time.monotonic())
    assert server.access_log.wait_for("/stopped")[0].by == "ping-timeout"
