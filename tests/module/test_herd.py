"""A backend restarts, and all its clients come back at once."""

import asyncio
import random
import threading
import time

import pytest

from harness import background, frames, http1
from harness.config import MPM_IS_FULL
from harness.crowd import BackendProcess
from harness.waiting import BOUND, PATIENCE, SANITIZED, in_time

# Threads enough for a crowd, and children that stay.
_SIX_CHILDREN = ("StartServers 6\nServerLimit 6\nThreadsPerChild 25\nMaxRequestWorkers 150\n"
                 "MinSpareThreads 25\nMaxSpareThreads 150")
MPM_LINES = {"event": _SIX_CHILDREN, "worker": _SIX_CHILDREN,
             "prefork": "StartServers 40\nServerLimit 40\nMaxRequestWorkers 40\nMinSpareServers 1\nMaxSpareServers 40"}
CLIENTS = {"event": 5000, "worker": 1000, "prefork": 500}
_THINK = 0.02         # seconds that the backend takes for each handshake
_DOWN = 0.5           # seconds between its end and its return
_HANDSHAKE_TIMEOUT = 5 * PATIENCE
_HERD_PATIENCE = 60 * PATIENCE


class Client:
    """Opens its own path, comes back when it is thrown out or told to come later, and checks whose answers it gets."""

    def __init__(self, number, port, tally):
        self.path, self._port, self._tally = f"/ws/{number}", port, tally
        self._reader = self._writer = None

    async def open(self):
        while not await self._try():
            self._tally["told to come later"] += 1
            await asyncio.sleep(random.uniform(0.2, 1.2))

    async def _try(self):
        begin = time.monotonic()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(http1.handshake_request(self.path))
        head = http1.parse_head(await self._reader.readuntil(b"\r\n\r\n"))
        self._tally["slowest answer"] = max(self._tally["slowest answer"], time.monotonic() - begin)
        if head.status == 101:
            assert await self._read() == frames.Frame(frames.TEXT, self.path[3:].encode()), "another's greeting"
            return True
        assert head.status == 503, head.first_line
        self._writer.close()
        return False

    async def _read(self):
        """The next frame."""
        first = await self._reader.readexactly(2)
        size = first[1] & 127
        assert size < 126
        rest = await self._reader.readexactly(size)
        data, position = first + rest, 0

        def read_exactly(count):
            nonlocal position
            position += count
            return data[position - count: position]

        return frames.read_frame(read_exactly, masked=False)

    async def thrown_out(self):
        """The backend has gone: the end, and no Close."""
        assert await self._reader.read() == b"", "no Close is made up for a backend that died"
        self._writer.close()

    async def echo(self):
        message = self.path.encode()
        self._writer.write(frames.client_frame(frames.BINARY, message))
        assert (await self._read()).payload == message

    def leave(self):
        self._writer.transport.abort()


class Visitor(threading.Thread):
    """Fetches a page again and again meanwhile."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self._server, self._over = server, threading.Event()
        self.pages, self.slowest = 0, 0.0

    def run(self):
        while not self._over.wait(0.02):
            begin = time.monotonic()
            assert self._server.get("/").status == 200
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.pages += 1

    def stop(self):
        self._over.set()
        background.join([self], "the visitor has its last page")


async def all_in_time(coroutines, what):
    await in_time(asyncio.gather(*coroutines), what, _HERD_PATIENCE)


@pytest.mark.heavy
def test_all_clients_of_a_backend_that_restarts_come_back(start, mpm):
    count = CLIENTS[mpm] // (5 if SANITIZED else 1)
    tally = {"told to come later": 0, "slowest answer": 0.0}
    with BackendProcess("greeter_process.py", 0, _THINK) as backend:
        server = start(f"""
            ListenBacklog 4096
            ProxyWebsocketPool warm=2 max-connecting=4
            ProxyWebsocketHandshakeThreads 20
            ProxyWebsocketHandshakeTimeout {_HANDSHAKE_TIMEOUT}
            ProxyPass /ws {backend.url} retry=0""", mpm_lines=MPM_LINES[mpm])
        server.allow_log(f"{MPM_IS_FULL}|WSP0108|WSP01[12]|AH0")
        clients = [Client(number, server.port, tally) for number in range(count)]
        asyncio.run(herd(server, backend, clients, tally))
    print(f"{mpm}: {count} clients back, {tally}")


async def herd(server, backend, clients, tally):
    await all_in_time((client.open() for client in clients), "every client is in")
    backend.kill()
    visitor = Visitor(server)
    visitor.start()
    gone = asyncio.create_task(come_back(backend))
    tally["slowest answer"] = 0.0
    begin = time.monotonic()
    await all_in_time((reconnect(client) for client in clients), "every client is in again")
    visitor.stop()
    tally["seconds"] = round(time.monotonic() - begin, 1)
    tally["pages meanwhile"], tally["slowest page"] = visitor.pages, round(visitor.slowest, 3)
    assert visitor.pages > 0
    assert tally["slowest answer"] < _HANDSHAKE_TIMEOUT + BOUND
    await all_in_time((client.echo() for client in clients), "every tunnel echoes")
    for client in clients:
        client.leave()
    (await gone).kill()


async def come_back(backend):
    await asyncio.sleep(_DOWN)
    return BackendProcess("greeter_process.py", backend.port, _THINK)


async def reconnect(client):
    await client.thrown_out()
    await client.open()
