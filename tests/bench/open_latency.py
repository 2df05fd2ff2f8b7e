#!/usr/bin/python3
"""How long it takes to open a tunnel to a backend that is far away, with and without preconnected connections.

    tests/bench/open_latency.py [--round-trip MS] [--opens N]

Prints a table of p50 and p99, in milliseconds and in round trips. The distance is made by a relay on this machine
(tests/module/harness/delay_relay.py says how, and how it differs from a link): half a round trip each way, and what the near
side sends first a whole one more, since it could not have been sent before a TCP handshake over that distance had ended.
The cases take turns, one open each, a tenth of a second apart.

direct is a client without a proxy, over the relay: the floor for whoever has no connection yet."""

import argparse
import asyncio
import contextlib
import multiprocessing
import pathlib
import socket
import ssl
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "module"))

from harness import config, http1   # noqa: E402  (needs the path above)
from harness.certificates import Certificates   # noqa: E402
from harness.crowd import BackendProcess   # noqa: E402
from harness.httpd import Httpd   # noqa: E402

_PAUSE = 0.1   # seconds between two opens


async def _answer_handshakes(reader, writer):
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(http1.handshake_response(http1.parse_head(head)))
        await reader.read()
    writer.close()


def _backend(certificates, port):
    """Runs one; tells its port."""
    async def main():
        server = await asyncio.start_server(_answer_handshakes, "127.0.0.1", 0,
                                            ssl=certificates and certificates.server_context())
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())


@contextlib.contextmanager
def far_backend(round_trip_ms, certificates=None):
    """The port of the relay before a backend."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_backend, args=(certificates, theirs), daemon=True)
    process.start()
    try:
        with BackendProcess("delay_relay.py", ours.recv(), round_trip_ms) as relay:
            yield relay.port
    finally:
        process.terminate()
        process.join()


def time_of_open(port, context=None, path="/ws"):
    """Seconds from connect() to the 101."""
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(sock, server_hostname="localhost") if context else sock as stream:
            stream.sendall(http1.handshake_request(path))
            answer = stream.recv(4096)
            taken = time.perf_counter() - begin
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise SystemExit(f"not opened: {answer[:200]!r}")
    return taken


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def row(name, taken, round_trip):
    p50, p99 = statistics.median(taken), percentile(taken, 0.99)
    return f"| {name} | {1000 * p50:.1f} | {1000 * p99:.1f} | {p50 / round_trip:.1f} |"


def measure(scheme, port, certificates, given, round_trip):
    url = f"{scheme}://localhost:{port}/"
    client = None
    if scheme == "wss":
        client = ssl.create_default_context(cafile=certificates.ca)
    with contextlib.ExitStack() as stack:
        def start(lines, **options):
            return stack.enter_context(Httpd("event", lines, certificates, mpm_lines=config.ONE_CHILD["event"], **options))

        cold = start(f"ProxyPass /ws {url}")
        warm = start(f"ProxyWebsocketPool warm=4\nProxyPass /ws {url}")
        stock = start(f"ProxyPass /ws {url}", stock=True)
        cases = {"direct": lambda: time_of_open(port, client, "/"),
                 "mod_proxy_wstunnel": lambda: time_of_open(stock.port),
                 "ours": lambda: time_of_open(cold.port),
                 "ours, warm=4": lambda: time_of_open(warm.port)}
        taken = {name: [] for name in cases}
        for number in range(given.opens + 1):
            for name, open_one in cases.items():
                seconds = open_one()
                if number > 0:   # the first one is the backend's first use
                    taken[name].append(seconds)
                time.sleep(_PAUSE)
        for name, values in taken.items():
            print(row(f"{scheme}, {name}", values, round_trip), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--round-trip", type=float, default=20, metavar="MS")
    parser.add_argument("--opens", type=int, default=100, metavar="N", help="per case")
    given = parser.parse_args()
    round_trip = given.round_trip / 1000
    print(f"Time to open a tunnel to a backend {given.round_trip:g} ms away, {given.opens} opens each.\n")
    print("| case | p50 ms | p99 ms | p50 in round trips |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="wsp-bench-") as folder:
        certificates = Certificates(pathlib.Path(folder))
        for scheme in ("ws", "wss"):
            with far_backend(given.round_trip, certificates if scheme == "wss" else None) as port:
                measure(scheme, port, certificates, given, round_trip)


if __name__ == "__main__":
    main()
