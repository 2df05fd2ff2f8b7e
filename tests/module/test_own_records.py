"""Tunnels whose TLS 1.3 records the module makes itself: whoever speaks at either end, every message arrives, and the log says which
side has left OpenSSL and which stays."""

import asyncio
import os
import select
import ssl
import subprocess

import pytest
import websockets

from harness import bulk, frames, own_records
from harness.backend import Listener
from harness.client import finish_handshake, start_handshake
from harness.exchange import SIZES, carry, converse
from harness.gnutls import GnutlsContext
from harness.http1 import new_key
from harness.pair import Pair
from harness.tls_records import SUITES, RecordContext
from harness.waiting import BOUND, in_time

RUNS_ON = ["event"]   # a pump's thread and a socket are all that it needs; one test below is for every MPM

GNUTLS_CIPHERS = {"TLS_AES_128_GCM_SHA256": "AES-128-GCM", "TLS_AES_256_GCM_SHA384": "AES-256-GCM",
                  "TLS_CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305"}


def old_tls(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


class Speakers:
    """The TLS libraries at the two ends: a client's context, and a listener for each."""

    def __init__(self, certificates):
        self._certificates = certificates
        self.listeners = {name: Listener(self._context(name, server=True)) for name in ("python", "records", "gnutls", "old")}
        self.listeners["ws"] = Listener()

    def _context(self, name, server=False, suite="TLS_AES_256_GCM_SHA384"):
        if name == "gnutls":
            return GnutlsContext(self._certificates, "CIPHER-ALL" if server else GNUTLS_CIPHERS[suite])
        context = self._certificates.server_context() if server else self._certificates.client_context()
        return {"python": lambda: context, "records": lambda: RecordContext(context), "old": lambda: old_tls(context)}[name]()

    def client(self, name, suite):
        return self._context(name, suite=suite)

    def lines(self):
        return "\n".join(f"ProxyPass /{name} {listener.url}/" for name, listener in self.listeners.items())

    def close(self):
        for listener in self.listeners.values():
            listener.close()


@pytest.fixture(scope="module")
def speakers(certificates):
    speakers = Speakers(certificates)
    yield speakers
    speakers.close()


class Site:
    """A server with a port for each cipher suite, which both sides of its tunnels use."""

    def __init__(self, start, certificates, speakers, echo, mpm_lines=None):
        self.ports, hosts = own_records.hosts_of_suites(certificates)
        self.server = start(f"{own_records.LOG_LINE}\n{speakers.lines()}\nProxyPass /echo {echo.url}/\n{hosts}")
        self._speakers = speakers

    def open(self, client, backend, suite=SUITES[0], **options):
        """A tunnel between two of the speakers."""
        listener = self._speakers.listeners[backend]
        listener.forget_waiting()
        peer = start_handshake(self.ports[suite], f"/{backend}", tls=self._speakers.client(client, suite), **options)
        session = listener.accept()
        session.accept_handshake()
        return Pair(finish_handshake(peer), session)


@pytest.fixture(scope="module")
def site(start_shared, certificates, speakers, tls_echo):
    return Site(start_shared, certificates, speakers, tls_echo)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("library", ["python", "records", "gnutls"])
def test_messages_of_every_size_arrive_with_every_suite_and_library(site, library, suite):
    with site.open(library, library, suite) as pair:
        converse(pair)   # somewhere in here both sides leave
        own_records.await_left(site.server, sides=2)
        converse(pair, SIZES)


def test_the_log_names_each_side_and_its_suite(site):
    for suite in SUITES:
        with site.open("records", "records", suite) as pair:
            converse(pair)
            assert {pair.client.sock.suite, pair.session.sock.suite} == {suite}
    own_records.await_left(site.server, sides=6)
    for suite in SUITES:
        for side in ("client", "backend"):
            assert len(site.server.error_log.lines(f"WSP0160: the TLS session of the {side} leaves OpenSSL .*{suite}")) == 1


@pytest.mark.parametrize("suite", SUITES)
def test_gnutls_changes_keys_pads_and_sends_late_tickets_between_messages(site, suite):
    """It takes no more than eight KeyUpdates in a second."""
    with site.open("gnutls", "gnutls", suite) as pair:
        converse(pair)
        own_records.await_left(site.server, sides=2)
        for number in range(8):
            for sender, receiver in (pair.ends("client"), pair.ends("backend")):
                sender.sock.update_keys(ask=number % 2 == 0)
                frame = sender.frame(frames.BINARY, os.urandom(5000))
                sender.sock.sendall(frame, padding=number * 50)
                assert receiver.read_exactly(len(frame)) == frame
            pair.session.sock.send_tickets(1 + number % 3)
        converse(pair)


def test_openssls_own_client_updates_its_keys(site, certificates):
    """`openssl s_client`: K at the beginning of what it reads asks for an answer, k does not."""
    command = ["openssl", "s_client", "-connect", f"localhost:{site.ports[SUITES[0]]}", "-CAfile", str(certificates.ca)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0) as client:
        said = b""

        def say(what, answer):
            nonlocal said
            client.stdin.write(what)
            while answer not in said:
                assert select.select([client.stdout], [], [], BOUND)[0], f"no {answer} behind {said!r}"
                said += client.stdout.read(65536) or pytest.fail(f"it ended: {said!r}")
            said = said.partition(answer)[2]

        say(b"", b"Verify return code: 0 (ok)\n---\n")
        say(f"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {new_key()}\r\n\r\n".encode(), b"\r\n\r\n")
        own_records.await_left(site.server)
        for number in range(10):
            say(b"kK"[number % 2:][:1] + b"\n", b"KEYUPDATE\n")
            words = f"with key {number}".encode()
            say(frames.client_frame(frames.TEXT, words), words)
        client.kill()


def test_a_side_with_tls_1_2_stays_with_openssl_and_the_other_leaves(site):
    with site.open("old", "python") as pair:
        converse(pair)
        own_records.await_stayed(site.server, "not TLS 1.3")
        own_records.await_left(site.server)
        converse(pair, SIZES)
    with site.open("python", "old") as pair:
        converse(pair)
        own_records.await_stayed(site.server, "not TLS 1.3", sides=2)
        own_records.await_left(site.server, sides=2)
        converse(pair, SIZES)


@pytest.mark.runs_on("event", "worker", "prefork")
def test_a_tls_tunnel_leaves_openssl_on_every_mpm(start, certificates, speakers, tls_echo):
    site = Site(start, certificates, speakers, tls_echo)
    with site.open("python", "python") as pair:
        converse(pair)
        own_records.await_left(site.server, sides=2)
        converse(pair)
        pair.say_goodbye()


def test_bytes_right_behind_the_handshakes_arrive_in_order(site, speakers):
    """The client's behind its request, the backend's behind its 101: more than a record holds."""
    up = frames.client_frame(frames.BINARY, os.urandom(40_000))
    down = frames.server_frame(frames.BINARY, os.urandom(60_000))
    listener = speakers.listeners["records"]
    client = start_handshake(site.ports[SUITES[0]], "/records", tls=speakers.client("records", SUITES[0]), pipelined=up)
    session = listener.accept()
    session.accept_handshake(glued=down)
    with Pair(finish_handshake(client), session) as pair:
        assert pair.session.read_exactly(len(up)) == up
        assert pair.client.read_exactly(len(down)) == down
        converse(pair)
        own_records.await_left(site.server, sides=2)
        converse(pair)


@pytest.mark.parametrize("sender", ["client", "backend"])
def test_a_peer_that_reads_nothing_for_a_while_gets_every_byte_in_the_end(site, sender):
    """Records are held, whole and in part, while the other way goes on."""
    with site.open("python", "python", receive_buffer=4096) as pair:
        source, sink = pair.ends(sender)
        converse(pair)
        own_records.await_left(site.server, sides=2)
        block = bulk.frame_block(source.masks)
        sent = bulk.send_until_stuck(source, block, 64 << 20)
        carry(sink, source, os.urandom(5000))
        assert bulk.receive_exactly(sink, sent) == bulk.digest_of_prefix(block, sent)


def test_many_bytes_both_ways_at_once_arrive(site):
    with site.open("python", "python") as pair:
        converse(pair)
        own_records.await_left(site.server, sides=2)
        bulk.exchange(pair.client, pair.session, 8 << 20)


def test_python_websockets_talks_on_after_both_sides_have_left(site, tls):
    async def talk():
        url = f"wss://localhost:{site.server.tls_port}/echo"
        async with websockets.connect(url, ssl=tls, compression=None, max_size=None) as connection:
            for _ in range(2):
                for size in SIZES:
                    message = os.urandom(size)
                    await connection.send(message)
                    assert await connection.recv() == message
                await asyncio.to_thread(own_records.await_left, site.server, 2)
            await asyncio.wait_for(await connection.ping(), BOUND)

    asyncio.run(in_time(talk(), "the echoes", 2 * BOUND))
