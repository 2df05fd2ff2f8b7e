"""A chat on Python's websockets as Django sites run one beside themselves: who you are stands in the query string."""

import asyncio
import threading
from urllib.parse import parse_qs, urlsplit

import websockets

from harness.waiting import BOUND


class ChatServer:
    """Hands what a user says to the named opponent. `paths` has each path that was asked for."""

    def __init__(self, hosts=("127.0.0.1",), port=0, users=None):
        self.paths, self._users, self._online = [], users or {}, {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._server = asyncio.run_coroutine_threadsafe(self._serve(list(hosts), port), self._loop).result(BOUND)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, hosts, port):
        return await websockets.serve(self._talk, hosts, port)

    async def _talk(self, connection):
        self.paths.append(connection.path)
        query = parse_qs(urlsplit(connection.path).query)
        secret = (query.get("token") or query.get("session_key") or [""])[0]
        if secret not in self._users:
            await connection.close(4401, "who are you?")
            return
        user = self._users[secret]
        self._online[user] = connection
        await connection.send(f"hello {user}")
        async for message in connection:
            await self._online[query["opponent"][0]].send(f"{user}: {message}")

    async def _close(self):
        self._server.close()
        await self._server.wait_closed()

    def stop(self):
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(BOUND)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
