"""Clients and servers that others wrote: Python websockets, node ws, curl's hand-made handshake. In the loop each TLS side leaves
OpenSSL while they talk."""

import asyncio
import subprocess
import threading

import pytest
import websockets

from harness import own_records
from harness.http1 import new_key
from harness.waiting import BOUND, in_time

RUNS_ON = ["event"]   # a client sees no MPM; test_drain_strict_clients.py has them where it does

_MESSAGES = ["", "hello", "ü" * 1000, b"\0\xff" * 40_000, "x" * 1_000_000]


class WebsocketsServer:
    """Python websockets as an echoing backend with permessage-deflate, in a thread of its own."""

    def __init__(self, tls):
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.ports = {scheme: self._call(self._serve(context)) for scheme, context in (("ws", None), ("wss", tls))}

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(BOUND)

    async def _serve(self, tls):
        server = await websockets.serve(self._echo, "localhost", 0, ssl=tls, subprotocols=["chat"], max_size=None)
        return server.sockets[0].getsockname()[1]

    @staticmethod
    async def _echo(connection):
        async for message in connection:
            await connection.send(message)

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture(scope="module")
def backend(certificates):
    server = WebsocketsServer(certificates.server_context())
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["On", "Off"], ids=["loop", "thread"])
def site(request, start_shared, backend):
    site = start_shared(f"""
        {own_records.LOG_LINE}
        ProxyWebsocketAsync {request.param}
        ProxyPass /ws ws://localhost:{backend.ports['ws']}/
        ProxyPass /wss wss://localhost:{backend.ports['wss']}/
        """)
    site.in_loop = request.param == "On"
    return site


def expect_left(site, secure, path):
    """The TLS sides of the tunnel in this test have left OpenSSL."""
    if sides := site.in_loop * (secure + (path == "/wss")):
        own_records.await_left(site, sides)


def url(site, secure, path):
    return f"wss://localhost:{site.tls_port}{path}" if secure else f"ws://localhost:{site.port}{path}"


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize("path", ["/ws", "/wss"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_python_websockets_echoes_and_closes(site, tls, secure, path, compression):
    async def talk():
        async with websockets.connect(url(site, secure, path), ssl=tls if secure else None, subprotocols=["chat"],
                                      compression=compression, max_size=None) as connection:
            assert connection.subprotocol == "chat"
            for message in _MESSAGES:
                await connection.send(message)
                assert await connection.recv() == message
            await asyncio.wait_for(await connection.ping(), BOUND)
        assert connection.close_code == 1000

    asyncio.run(in_time(talk(), "the echoes", 2 * BOUND))
    expect_left(site, secure, path)


@pytest.mark.parametrize("path", ["/ws", "/wss"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_node_ws_echoes_and_closes(site, certificates, node_modules, secure, path):
    result = subprocess.run(["node", "ws-client.js", url(site, secure, path), str(certificates.ca)], cwd=node_modules,
                            capture_output=True, text=True, timeout=3 * BOUND)
    assert (result.returncode, result.stdout) == (0, "closed 1000 done\n"), result.stderr
    expect_left(site, secure, path)


def test_a_handshake_made_by_hand_with_curl_gets_a_101(site):
    headers = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
               f"Sec-WebSocket-Key: {new_key()}"]
    command = ["curl", "--silent", "--include", "--no-buffer", "--http1.1", "--max-time", "1"]
    for header in headers:
        command += ["--header", header]
    result = subprocess.run([*command, f"http://localhost:{site.port}/ws"], capture_output=True, timeout=BOUND)
    assert result.stdout.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert result.returncode == 28   # curl stays in the tunnel until its time is over


def test_curl_without_a_handshake_is_told_to_upgrade_by_the_backend(site):
    result = subprocess.run(["curl", "--silent", "--write-out", "%{http_code}", f"http://localhost:{site.port}/ws"],
                            capture_output=True, text=True, timeout=BOUND)
    assert "You cannot access a WebSocket server directly with a browser" in result.stdout
    assert result.stdout.endswith("426")
