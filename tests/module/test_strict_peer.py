"""A strict client hears through us what it hears from the same backend without us: messages, pongs, the code of the Close and
the end, in every conversation of harness/conversations.py."""

import asyncio
import contextlib
import struct
import threading

import pytest
import websockets

from harness import frames
from harness.client import open_tunnel
from harness.conversations import CONVERSATIONS
from harness.waiting import BOUND

RUNS_ON = ["event"]   # frames are lib's, on whatever thread
PROTOCOL_ERROR, BAD_TEXT = 1002, 1007


@pytest.fixture(scope="module")
def backend():
    """Python websockets, which is strict itself, as an echo."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    async def serve():
        return await websockets.serve(echo, "127.0.0.1", 0, compression=None, max_size=None, ping_interval=None)

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(BOUND)
    yield server.sockets[0].getsockname()[1]
    server.close()
    asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result(BOUND)
    loop.call_soon_threadsafe(loop.stop)


@pytest.fixture(scope="module")
def site(start_shared, backend):
    return start_shared(f"""
        <Location /thread>
            ProxyWebsocketAsync Off
        </Location>
        <Location /strict>
            ProxyWebsocketValidate Full
        </Location>
        ProxyPassWS / ws://127.0.0.1:{backend}/
        """)


def converse(port, path, tls, conversation):
    """(messages and pongs in order, code of the Close or that there was none)."""
    heard = []
    with open_tunnel(port, path, tls=tls) as client:
        say(client, *conversation.writes, b"" if conversation.answers else conversation.goodbye)
        try:
            for heard_now in listen(client):
                heard.append(heard_now)
                if len(heard) == conversation.answers:
                    say(client, conversation.goodbye)
        except (EOFError, ConnectionError):
            return heard, "no Close"
        client.expect_broken()
    return heard[:-1], heard[-1]


def say(client, *parts):
    """As far as the other side listens; what it has said is there to be read."""
    with contextlib.suppress(OSError):
        for part in parts:
            client.send(part)


def listen(client):
    """Each message and pong, and at last the code of the Close, which is answered."""
    message = b""
    while True:
        frame = client.read_frame()
        if frame.opcode == frames.CLOSE:
            say(client, client.frame(frames.CLOSE, frame.payload[:2]))
            yield struct.unpack("!H", frame.payload[:2])[0] if frame.payload else None
            return
        if frame.opcode == frames.PONG:
            yield "pong", frame.payload
            continue
        message += frame.payload
        if frame.fin:
            yield len(message), hash(message)
            message = b""


def agree(conversation, direct, proxied):
    """Our own stricter answer to a broken rule is as good as the backend's."""
    if not conversation.is_a_race:
        return direct == proxied
    (said, code), (heard, our_code) = direct, proxied
    longer, shorter = max(said, heard, key=len), min(said, heard, key=len)
    return shorter == longer[:len(shorter)] and our_code in (code, PROTOCOL_ERROR, BAD_TEXT)


@pytest.mark.parametrize("way", ["/plain", "/tls", "/thread", "/strict"])
def test_a_strict_client_hears_what_it_hears_without_us(site, backend, tls, way):
    site.allow_log("WSP0201: .* the client broke a rule")
    differ = {}
    for conversation in CONVERSATIONS:
        direct = converse(backend, "/", None, conversation)
        secure = way == "/tls"
        proxied = converse(site.tls_port if secure else site.port, way, tls if secure else None, conversation)
        if not agree(conversation, direct, proxied):
            differ[conversation.name] = (direct, proxied)
    assert differ == {}
    assert len(CONVERSATIONS) > 100
