"""What TLS can say beside data while a tunnel is open, from either side, with own records, with OpenSSL and in a request thread: the
tunnel goes on or ends, and no other tunnel of the child notices. A tunnel that breaks costs its client no TLS session."""

import socket
import ssl

import pytest

from harness import frames, own_records
from harness.config import ONE_CHILD
from harness.client import finish_handshake
from harness.http1 import handshake_request
from harness.pair import Pair, open_pair
from harness.peer import Peer
from harness.tls_tool import TlsTool, TlsToolBackend, TlsToolClient
from harness.waiting import BOUND, wait_until

RUNS_ON = ["event"]   # the streams are the same on all

# mod_ssl says when a backend asks for a certificate in vain.
NO_CERTIFICATE = "AH02268:"


@pytest.fixture(scope="module")
def tickets_backend(certificates):
    """TLS 1.3, with more tickets than anybody needs."""
    with TlsToolBackend(certificates, "-tls1_3", "-num_tickets", "250") as backend:
        yield backend


@pytest.fixture(scope="module")
def old_backend(certificates):
    with TlsToolBackend(certificates, "-tls1_2") as backend:
        yield backend


@pytest.fixture(scope="module")
def site(start_shared, echo, module_listener, tickets_backend, old_backend, certificates, tmp_path_factory):
    """mod_ssl has callbacks for everything here: it logs, and writes keys to a file."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSLKEYLOGFILE", str(keys))
        server = start_shared(f"""
            LogLevel ssl:debug
            {own_records.LOG_LINE}
            SSLCACertificateFile {certificates.ca}
            ProxyPass /ws {module_listener.url}/
            ProxyPass /tickets {tickets_backend.url}/
            ProxyPass /old {old_backend.url}/
            <Location /thread/>
                ProxyWebsocketAsync Off
            </Location>
            <Location /openssl/>
                ProxyWebsocketOwnRecords Off
            </Location>
            ProxyPass /openssl/ws {module_listener.url}/
            ProxyPass /openssl/tickets {tickets_backend.url}/
            ProxyPass /thread/ws {module_listener.url}/
            ProxyPass /thread/tickets {tickets_backend.url}/
            ProxyPass /thread/old {old_backend.url}/
            <Location /secret>
                SSLVerifyClient require
                ProxyPass {echo.url}/
            </Location>
            """, mpm_lines=ONE_CHILD["event"])
    server.allow_log("AH10227:")   # that keys are written to a file
    return server


@pytest.fixture
def bystander(site, stage, tls):
    """A tunnel of somebody else's, over TLS, in the same child; it must be there at the end."""
    with open_pair(site, "/ws", stage, tls) as pair:
        pass_both_ways(pair)
        own_records.await_left(site)
        yield pair
        pass_both_ways(pair)


def settle(site, pump):
    """The tunnel beside the bystander, which has carried messages, has its records from where it will have them to its end."""
    if pump == "":
        own_records.await_left(site, sides=2)
    elif pump == "/openssl":
        own_records.await_stayed(site, "ProxyWebsocketOwnRecords is Off")


def pass_both_ways(pair):
    for sender, receiver in (pair.ends("client"), pair.ends("backend")):
        sender.send_text("still there?")
        assert receiver.read_message() == b"still there?"


class ToolPair:
    """A tunnel between a client of the test's and the openssl program."""

    def __init__(self, site, backend, path):
        self.backend = backend
        self.client = site.start_handshake(path)
        backend.accept_handshake()
        finish_handshake(self.client)

    def pass_both_ways(self):
        self.client.send(frames.build_frame(frames.TEXT, b"upward", key=frames.ZERO_KEY))
        self.backend.expect_text("upward")
        self.backend.send_text("downward")
        assert self.client.read_message() == b"downward"


PUMPS = [pytest.param("", id="own"), pytest.param("/openssl", id="openssl"), pytest.param("/thread", id="thread")]


@pytest.mark.parametrize("pump", PUMPS)
@pytest.mark.parametrize("said, times", [
    pytest.param(b"", 0, id="tickets alone"),
    pytest.param(TlsTool.UPDATE_KEYS, 5, id="KeyUpdate"),
    pytest.param(TlsTool.UPDATE_KEYS_AND_ASK, 5, id="KeyUpdate that wants an answer"),
    pytest.param(TlsTool.ASK_FOR_CERTIFICATE, 2, id="CertificateRequest"),
])
def test_a_tls_1_3_backend_may_say_what_it_likes(site, bystander, tickets_backend, pump, said, times):
    if pump == "/thread" and said == TlsTool.ASK_FOR_CERTIFICATE:
        site.allow_log(NO_CERTIFICATE)
    tunnel = ToolPair(site, tickets_backend, f"{pump}/tickets")
    with tunnel.client:
        tunnel.pass_both_ways()
        settle(site, pump)
        if pump == "" and said == TlsTool.ASK_FOR_CERTIFICATE:
            tickets_backend.give(said)
            tickets_backend.await_said(rb"unexpected message")   # own records cannot answer it
            tunnel.client.expect_end()
            return
        for _ in range(times):
            tickets_backend.give(said)   # it reads this before what comes after it
            tunnel.pass_both_ways()


def test_a_tls_1_2_backend_that_asks_for_a_new_handshake_is_refused(site, bystander, old_backend):
    tunnel = ToolPair(site, old_backend, "/old")
    with tunnel.client:
        tunnel.pass_both_ways()
        old_backend.give(TlsTool.REQUEST_HELLO)
        # OpenSSL's server takes the refusal for an error, and ends its side.
        tunnel.client.expect_end()
        old_backend.await_said(rb"no renegotiation")


@pytest.mark.parametrize("pump", PUMPS)
@pytest.mark.parametrize("said", [
    pytest.param(TlsTool.UPDATE_KEYS, id="KeyUpdate"),
    pytest.param(TlsTool.UPDATE_KEYS_AND_ASK, id="KeyUpdate that wants an answer"),
])
def test_a_tls_1_3_client_may_change_its_keys(site, bystander, stage, certificates, pump, said):
    with TlsToolClient(site.tls_port, certificates, "-tls1_3") as client:
        session = open_with_tool(client, stage, f"{pump}/ws")
        tool_passes_both_ways(client, session)
        settle(site, pump)
        for _ in range(5):
            client.give(said)
            client.await_said(rb"KEYUPDATE")
            tool_passes_both_ways(client, session)
        session.close()


@pytest.mark.parametrize("pump", ["", "/thread"], ids=["loop", "thread"])
def test_a_tls_1_2_client_that_begins_a_new_handshake_is_refused(site, bystander, stage, certificates, pump):
    with TlsToolClient(site.tls_port, certificates, "-tls1_2") as client:
        session = open_with_tool(client, stage, f"{pump}/ws")
        tool_passes_both_ways(client, session)
        client.give(TlsTool.RENEGOTIATE)
        client.await_said(rb"no renegotiation")   # which ends it
        session.expect_end()


def open_with_tool(client, stage, path):
    client.give(handshake_request(path))
    session = stage.accept()
    session.accept_handshake()
    client.await_said(rb"HTTP/1.1 101 .*?\r\n\r\n")
    return session


def tool_passes_both_ways(client, session):
    client.send_text("upward")
    assert session.read_message() == b"upward"
    session.send_text("downward")
    client.expect_text("downward")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_tunnel_whose_client_was_asked_for_a_certificate_leaves_its_thread(site, bystander, certificates, version):
    """With TLS 1.3 by post-handshake authentication, before that by a new handshake, both before the 101."""
    context = certificates.client_context()
    context.post_handshake_auth = True
    context.load_cert_chain(certificates.certificate, certificates.key)
    context.minimum_version = context.maximum_version = version
    with site.open_tunnel("/secret", tls=context) as client:
        client.echo()
        wait_until(lambda: site.busy_workers() == 1, "no thread is busy with a tunnel")
        client.echo()


def end_by_reset(client):
    client.reset()


def end_by_fin(client):
    socket.socket(fileno=client.sock.detach()).close()


def end_by_bad_record(client):
    with socket.socket(fileno=client.sock.detach()) as sock:
        sock.sendall(b"\x17\x03\x03\x00\x30" + b"x" * 48)
        sock.settimeout(BOUND)
        assert sock.recv(100)[:1] == b"\x15"   # an alert


@pytest.mark.parametrize("pump, end", [
    pytest.param("", end_by_reset, id="loop-reset"),
    pytest.param("", end_by_fin, id="loop-fin"),
    pytest.param("", end_by_bad_record, id="loop-bad record"),
    # Not here: for a bad record on a thread of its own mod_ssl takes the session out of its cache.
    pytest.param("/thread", end_by_reset, id="thread-reset"),
    pytest.param("/thread", end_by_fin, id="thread-fin"),
])
def test_a_client_whose_tunnel_broke_resumes_its_tls_session(site, bystander, stage, certificates, pump, end):
    context = certificates.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET   # the session is in httpd's cache
    path = f"{pump}/ws/{end.__name__}"
    with open_over(site, stage, context, path) as pair:
        pass_both_ways(pair)
        session = pair.client.sock.session
        end(pair.client)
        pair.session.expect_end()
    site.access_log.wait_for(path)   # it has ended
    with open_over(site, stage, context, "/ws", session) as pair:
        assert pair.client.sock.session_reused
        pass_both_ways(pair)


def open_over(site, stage, context, path, session=None):
    """A tunnel of a client that resumes `session`."""
    sock = socket.create_connection(("127.0.0.1", site.tls_port), BOUND)
    client = Peer(context.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False, session=session), True)
    client.send(handshake_request(path))
    backend = stage.accept()
    backend.accept_handshake()
    return Pair(finish_handshake(client), backend)
