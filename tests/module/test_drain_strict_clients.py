"""Clients that refuse every broken frame see 1012 and nothing else when their tunnel is drained while the backend streams
frames of 64 KiB as fast as it can."""

import asyncio
import shutil

import pytest
import websockets

from harness.config import REPOSITORY
from harness.crowd import BackendProcess
from harness.programs import Program
from harness.waiting import BOUND, in_time, wait_until

RUNS_ON = ["event", "prefork"]   # a worker's pumps are an event child's
DRAINED = "server restarting"
_AT_ONCE = 20
_THREADS = ("StartServers 2\nServerLimit 20\nThreadsPerChild 32\nMaxRequestWorkers 64\nMinSpareThreads 1\n"
            "MaxSpareThreads 64")
ROOM = {"event": _THREADS,
        "prefork": "StartServers 12\nServerLimit 150\nMaxRequestWorkers 150\nMaxSpareServers 150"}


@pytest.fixture(scope="module")
def stream():
    with BackendProcess("stream_process.py") as process:
        yield process


@pytest.fixture
def server(start, mpm, stream):
    # SendBufferSize: what lies before the Close in the kernel's buffers, megabytes otherwise, must be read before the
    # tunnel is cut, a second after DrainTimeout, by a slow client on a busy machine too.
    return start(f"""
        SendBufferSize 65536
        ProxyWebsocketMigrate Off
        ProxyWebsocketDrainTimeout 1s
        ProxyWebsocketDrainSpread 1s
        ProxyPass /ws {stream.url}/
        <Location /thread>
            ProxyWebsocketAsync Off
            ProxyPass {stream.url}/
        </Location>
        """, mpm_lines=ROOM[mpm])


def test_python_websockets_sees_1012_in_every_drain(server, tls, full):
    for _ in range(25 if full else 2):
        asyncio.run(listen_through_a_drain(server, tls))


async def listen_through_a_drain(server, tls):
    plain, secure = f"ws://localhost:{server.port}", f"wss://localhost:{server.tls_port}"
    urls = [base + path for base in (plain, secure) for path in 4 * ["/ws"] + ["/thread"]] * (_AT_ONCE // 10)
    clients = await asyncio.gather(*(connect(url, tls) for url in urls))
    old = set(server.children())
    server.start_graceful()
    ends = await in_time(asyncio.gather(*map(listen, clients)), "the end of every stream", 3 * BOUND)
    assert ends == [(1012, DRAINED)] * len(urls)
    await asyncio.get_running_loop().run_in_executor(
        None, wait_until, lambda: not old & set(server.children()), "the old generation is gone")


async def connect(url, tls):
    """A client that has got its first frame."""
    client = await websockets.connect(url, ssl=tls if url.startswith("wss") else None, compression=None, max_size=None,
                                      max_queue=4, ping_interval=None, open_timeout=BOUND)
    assert len(await in_time(client.recv(), f"the first frame of {url}", 3 * BOUND)) == 65536
    return client


async def listen(client):
    """What the Close says that ends the stream; what else ended it raises."""
    try:
        while True:
            assert len(await client.recv()) == 65536
    except websockets.ConnectionClosed as closed:
        # Too slow a client does not get rid of its answer, but 1002 or 1006 is never what it sees.
        assert closed.rcvd and (closed.sent is None or closed.sent.code == 1012), closed
        return closed.rcvd.code, closed.rcvd.reason


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_node_ws_sees_1012_in_every_drain(server, certificates, node_modules, secure):
    shutil.copy(REPOSITORY / "tests/module/harness/ws-listener.js", node_modules)
    base = f"wss://localhost:{server.tls_port}" if secure else f"ws://localhost:{server.port}"
    with Program("ws-listener.js", "node", "ws-listener.js", f"{base}/ws", _AT_ONCE, certificates.ca, cwd=node_modules) as node:
        assert node.next_line(3 * BOUND) == "open"
        server.start_graceful()
        ends = node.remaining_lines(3 * BOUND)
    assert ends == [f"1012 {DRAINED}"] * _AT_ONCE
