#!/usr/bin/python3
"""The demo's WebSocket server: sends every message back as it came. The text "/close 4001 words" makes it close the
connection with that code and those words. Listens on a free loopback port and writes its number into the given file."""

import asyncio
import os
import sys

import websockets

MAX_MESSAGE = 16 << 20


async def answer(socket, _path=None):
    try:
        async for message in socket:
            if isinstance(message, str) and message.startswith("/close "):
                await close_as_asked(socket, message)
            else:
                await socket.send(message)
    except websockets.ConnectionClosed:
        pass  # the client went away while it was being answered


async def close_as_asked(socket, message):
    _, code, *reason = message.split(" ", 2)
    try:
        await socket.close(int(code), "".join(reason))
    except (ValueError, websockets.WebSocketException):
        await socket.send(f"{code} is not a close code that may be sent")


def tell_port(path, port):
    """Whoever waits for the file finds it whole."""
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(f"{port}\n")
    os.rename(path + ".new", path)


async def main(port_file):
    async with websockets.serve(answer, "127.0.0.1", 0, max_size=MAX_MESSAGE) as server:
        tell_port(port_file, server.sockets[0].getsockname()[1])
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
