"""A TCP relay on loopback that behaves like a link with a given round-trip time, where the system has no netem; run as a
process of its own: delay_relay.py PORT-BEHIND RTT-IN-MS [PORT]. Prints its port.

The model, and where it is not a link:
- A relay cannot delay the kernel's answer to a SYN: connect() takes no time. The round trip that it would have taken is
  charged to what the client sends first: nothing of the client's sets out before one RTT after the accept. A client that
  speaks first then waits for its first answer as long as over a link: RTT (connect) + RTT (request) + what the backend
  needs. One that connects and sends nothing, or measures connect() alone, sees nothing of the first RTT; a connect that is
  waited for in parallel with something else is charged when it is not due.
- The relay connects to the backend one and a half RTT after the accept, when over a link the client's ACK would let a
  server accept. A backend that speaks first is then heard two RTT after the client's connect(), as over a link.
- Each piece of data and each FIN arrives half an RTT after it was read, in order. An RST arrives as a FIN or an RST, late
  as well; a backend that refuses shows as a connection that is closed after the same time, and not as a refused connect().
- No bandwidth limit, no loss, no slow start: many bytes arrive as soon as one. Up to 1 MiB is under way per direction;
  then the relay reads no more, as a receive window would have it.
- Timers are asyncio's: late by a millisecond or so, never early. Assert lower bounds tightly, upper ones generously.
"""

import asyncio
import collections
import sys

_WINDOW = 1 << 20
_CHUNK = 64 * 1024


class _Way:
    """One direction: what was read, with the moment at which it arrives; an empty piece is the FIN."""

    def __init__(self, delay, not_before):
        self._delay, self._not_before = delay, not_before
        self._under_way = collections.deque()
        self._size = 0
        self._changed = asyncio.Condition()

    async def depart(self, reader):
        piece = b"more"
        while piece:
            try:
                piece = await reader.read(_CHUNK)
            except OSError:
                piece = b""
            departs = max(asyncio.get_running_loop().time(), self._not_before)
            async with self._changed:
                self._under_way.append((departs + self._delay, piece))
                self._size += len(piece)
                self._changed.notify_all()
                await self._changed.wait_for(lambda: self._size < _WINDOW)

    async def arrive(self, writer):
        piece = b"more"
        while piece:
            async with self._changed:
                await self._changed.wait_for(lambda: self._under_way)
                arrives, piece = self._under_way.popleft()
            await _sleep_until(arrives)
            await _deliver(piece, writer)
            async with self._changed:
                self._size -= len(piece)
                self._changed.notify_all()


async def _deliver(piece, writer):
    try:
        if piece:
            writer.write(piece)
            await writer.drain()
        else:
            writer.write_eof()
    except OSError:
        pass  # who has gone hears nothing; the other direction finds out by itself


async def _sleep_until(moment):
    loop = asyncio.get_running_loop()
    while (left := moment - loop.time()) > 0:
        await asyncio.sleep(left)


async def _relay(reader, writer, port_behind, rtt):
    accepted = asyncio.get_running_loop().time()
    upward, downward = _Way(rtt / 2, accepted + rtt), _Way(rtt / 2, accepted)
    departing = asyncio.create_task(upward.depart(reader))
    writers = [writer]
    try:
        await _sleep_until(accepted + 1.5 * rtt)
        reader_behind, writer_behind = await asyncio.open_connection("127.0.0.1", port_behind)
        writers.append(writer_behind)
        await asyncio.gather(departing, upward.arrive(writer_behind),
                             downward.depart(reader_behind), downward.arrive(writer))
    except OSError:
        await _sleep_until(accepted + 2 * rtt)
    finally:
        departing.cancel()
        for each in writers:
            each.close()


async def _main(port_behind, rtt, port):
    server = await asyncio.start_server(lambda reader, writer: _relay(reader, writer, port_behind, rtt), "127.0.0.1", port,
                                        backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2]) / 1000, int(sys.argv[3]) if len(sys.argv) > 3 else 0))
