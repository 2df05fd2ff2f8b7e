"""A WebSocket echo backend for thousands of tunnels, run as a process of its own so that its descriptors do not
count in the test's: echo_process.py [CERTIFICATE KEY], with which it speaks TLS. Prints its port. Data frames come back unmasked; a
Close is answered and ends the connection."""

import asyncio
import pathlib
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import frames, http1   # noqa: E402  (needs the path above)


class _Incomplete(Exception):
    pass


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self._input = b""
        self._is_open = False

    def data_received(self, data):
        self._input += data
        if not self._is_open and not self._answer_handshake():
            return
        while self._input and self._echo_frame():
            pass

    def _answer_handshake(self):
        head, mark, rest = self._input.partition(b"\r\n\r\n")
        if mark:
            self._input, self._is_open = rest, True
            self.accept_handshake(http1.parse_head(head + mark))
        return self._is_open

    def accept_handshake(self, request):
        self.transport.write(http1.handshake_response(request))

    def _echo_frame(self):
        position = 0

        def read_exactly(count):
            nonlocal position
            if len(self._input) < position + count:
                raise _Incomplete
            position += count
            return self._input[position - count: position]

        try:
            frame = frames.read_frame(read_exactly, masked=True)
        except _Incomplete:
            return False
        self._input = self._input[position:]
        self.transport.write(frames.server_frame(frame.opcode, frame.payload, frame.fin))
        if frame.opcode == frames.CLOSE:
            self.transport.close()
        return True


def _tls(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def _main():
    tls = _tls(*sys.argv[1:]) if sys.argv[1:] else None
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=4096, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
