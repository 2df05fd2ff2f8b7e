"""A WebSocket backend that streams 64 KiB frames to everyone as fast as they are taken, run as a process of its own. Prints
its port. A Close, or the end of TCP, ends a stream at the end of its frame; a Close is answered."""

import asyncio
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import frames, http1   # noqa: E402  (needs the path above)

_FRAME = frames.server_frame(frames.BINARY, os.urandom(65536))


async def _hear_close(reader):
    """The payload of the client's Close; None when TCP ends without one."""
    heard = b""
    while True:
        data = await reader.read(65536)
        if not data:
            return None
        heard += data
        position = 0

        def read_exactly(count):
            nonlocal position
            if len(heard) < position + count:
                raise asyncio.IncompleteReadError(heard, count)
            position += count
            return heard[position - count: position]

        try:
            frame = frames.read_frame(read_exactly, masked=True)
        except asyncio.IncompleteReadError:
            continue
        if frame.opcode == frames.CLOSE:
            return frame.payload
        heard = heard[position:]


async def _stream(reader, writer):
    try:
        request = http1.parse_head(await reader.readuntil(b"\r\n\r\n"))
        writer.write(http1.handshake_response(request))
        close = asyncio.ensure_future(_hear_close(reader))
        while not close.done():
            writer.write(_FRAME)
            await writer.drain()
            await asyncio.sleep(0)
        if close.result() is not None:
            writer.write(frames.server_frame(frames.CLOSE, close.result()[:2]))
    except (ConnectionError, asyncio.IncompleteReadError):
        pass   # the client's end is what tests look at
    finally:
        writer.close()


async def _main():
    server = await asyncio.start_server(_stream, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
