"""A WebSocket backend without manners, run as a process of its own. Prints its port. The path's last part says what a
connection does after its 101."""

import asyncio
import contextlib
import os
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import frames, http1   # noqa: E402  (needs the path above)

_FRAME = frames.server_frame(frames.BINARY, os.urandom(65536))


async def _echo(reader, writer):
    async def read_frame():
        """As frames.read_frame() does, from a stream."""
        first, second = await reader.readexactly(2)
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
        key = await reader.readexactly(4)
        return frames.Frame(first & 0x0F, frames.apply_mask(await reader.readexactly(length), key), bool(first & 0x80))

    while True:
        frame = await read_frame()
        writer.write(frames.server_frame(frame.opcode, frame.payload, frame.fin))
        await writer.drain()
        if frame.opcode == frames.CLOSE:
            return


async def _reset(reader, writer):
    await reader.read(1)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _half_close(reader, writer):
    writer.write(_FRAME)
    writer.write_eof()
    await reader.read()


async def _garbage(reader, writer):
    writer.write(os.urandom(2000))
    await reader.read()


async def _half_a_frame(reader, writer):
    writer.write(_FRAME[:30_000])
    await reader.read(1)


async def _stall(reader, writer):
    """Reads nothing, and goes."""
    writer.transport.pause_reading()
    await asyncio.sleep(2)


async def _flood(reader, writer):
    while True:
        writer.write(_FRAME)
        await writer.drain()


_MANNERS = {"echo": _echo, "reset": _reset, "half-close": _half_close, "garbage": _garbage, "half-a-frame": _half_a_frame,
            "stall": _stall, "flood": _flood}


async def _serve(reader, writer):
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, frames.FrameError):
        request = http1.parse_head(await reader.readuntil(b"\r\n\r\n"))
        manners = _MANNERS[request.target.rpartition("/")[2]]
        writer.write(http1.handshake_response(request))
        await manners(reader, writer)
    writer.close()


async def _main():
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
