"""A WebSocket backend that says first which path it was asked for, after `think` seconds, and then echoes; run as a process
of its own: greeter_process.py PORT THINK. Prints its port. Refuses nobody, and no more than accept(2)'s queue wait."""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import frames   # noqa: E402  (needs the path above)
from harness.echo_process import Echo   # noqa: E402


class _Greeter(Echo):
    think = 0.0

    def accept_handshake(self, request):
        asyncio.get_running_loop().call_later(self.think, self._greet, request)

    def _greet(self, request):
        super().accept_handshake(request)
        self.transport.write(frames.server_frame(frames.TEXT, request.target.encode()))


async def _main(port, think):
    _Greeter.think = think
    server = await asyncio.get_running_loop().create_server(_Greeter, "127.0.0.1", port, backlog=4096, reuse_address=True)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2])))
