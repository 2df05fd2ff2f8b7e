#!/usr/bin/python3
"""The demo's client: passes messages through httpd over ws and wss, opens more tunnels than httpd has threads, and
says in plain words what it saw. Exits 1 with one sentence when something is not as it should be.

    client.py HTTP_PORT HTTPS_PORT CERTIFICATE
"""

import asyncio
import os
import re
import ssl
import statistics
import sys
import time
import urllib.request

import websockets

TUNNELS = 100
PATIENCE = 20  # seconds for any one step
MAX_MESSAGE = 16 << 20


class Unexpected(Exception):
    """What httpd or the backend did that the demo cannot call a success."""


async def echo(socket, message):
    """Sends a message, waits for it to come back, and returns the milliseconds that took."""
    begin = time.perf_counter()
    await socket.send(message)
    answer = await asyncio.wait_for(socket.recv(), PATIENCE)
    if answer != message:
        raise Unexpected(f"a message of {len(message)} came back as another one of {len(answer)}")
    return (time.perf_counter() - begin) * 1000


async def pass_messages(url, tls=None):
    async with websockets.connect(url, ssl=tls, max_size=MAX_MESSAGE, open_timeout=PATIENCE) as socket:
        await echo(socket, "hello, backend")
        await echo(socket, os.urandom(1 << 20))
        times = [await echo(socket, "ping") for _ in range(100)]
        await socket.send("/close 4001 as asked")
        try:
            await asyncio.wait_for(socket.recv(), PATIENCE)
        except websockets.ConnectionClosed:
            pass
    if socket.close_code != 4001:
        raise Unexpected(f"the backend closed with 4001, but {socket.close_code} arrived")
    return (f"{url}\n        a text, 1 MiB of random bytes and 100 short messages went to the backend and came back"
            f" unchanged,\n        a short one in {statistics.median(times):.2f} ms; the backend's close code 4001 arrived")


def busy_and_all_threads(http_port):
    status = urllib.request.urlopen(f"http://127.0.0.1:{http_port}/server-status?auto", timeout=PATIENCE)
    text = status.read().decode()
    busy, idle = (int(re.search(rf"^{name}Workers: (\d+)$", text, re.MULTILINE)[1]) for name in ("Busy", "Idle"))
    return busy, busy + idle


async def open_many(url, http_port):
    sockets = await asyncio.gather(
        *(websockets.connect(url, compression=None, open_timeout=PATIENCE) for _ in range(TUNNELS)))
    try:
        busy, threads = await asyncio.to_thread(busy_and_all_threads, http_port)
        await asyncio.gather(*(echo(socket, f"tunnel {number}") for number, socket in enumerate(sockets)))
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)
    if busy > threads // 2:
        raise Unexpected(f"with {TUNNELS} idle tunnels, {busy} of httpd's {threads} threads are busy")
    who = "only the one that answered this was busy" if busy == 1 else f"{busy} were busy, one of them to answer this"
    return (f"{TUNNELS} tunnels at once\n        httpd has {threads} threads; while the tunnels were idle, {who}."
            f"\n        Afterwards every tunnel still passed a message")


async def main(http_port, https_port, certificate):
    plain, secure = f"ws://127.0.0.1:{http_port}/ws/", f"wss://127.0.0.1:{https_port}/ws/"
    print("  ws  ", await pass_messages(plain))
    print("  wss ", await pass_messages(secure, ssl.create_default_context(cafile=certificate)))
    print("  many", await open_many(plain, http_port))


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except (Unexpected, OSError, TimeoutError, asyncio.TimeoutError, websockets.WebSocketException) as failure:
        sys.exit(f"  It did not work: {failure or type(failure).__name__}")
