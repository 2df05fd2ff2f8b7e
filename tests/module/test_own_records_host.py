"""What httpd, mod_ssl and its administrator have to do with a tunnel's own TLS records: where the directive stands, key logs, virtual
hosts by name, certificates of clients, sessions that are resumed, and the access log."""

import socket
import ssl

import pytest

from harness import own_records
from harness.backend import Listener
from harness.background import Background
from harness.client import finish_handshake
from harness.config import ONE_CHILD
from harness.exchange import converse
from harness.http1 import handshake_request
from harness.httpd import free_port
from harness.pair import Pair, open_pair
from harness.peer import Peer
from harness.tls_records import RecordContext
from harness.waiting import BOUND, wait_until

RUNS_ON = ["event"]   # the streams are the same on all


class Backends:
    """One that is plain, and two behind TLS 1.3: one wants a certificate."""

    def __init__(self, certificates):
        strict = certificates.server_context()
        strict.verify_mode = ssl.CERT_REQUIRED
        strict.load_verify_locations(certificates.ca)
        self.tls = RecordContext(certificates.server_context())
        self.listeners = {"ws": Listener(), "wss": Listener(self.tls), "strict": Listener(strict)}

    def __getitem__(self, path):
        """The one that a path leads to."""
        return self.listeners[path.rpartition("/")[2]]

    def lines(self, prefix=""):
        return "\n".join(f"ProxyPass {prefix}/{name} {listener.url}/" for name, listener in self.listeners.items())

    def close(self):
        for listener in self.listeners.values():
            listener.close()


@pytest.fixture(scope="module")
def backends(certificates):
    backends = Backends(certificates)
    yield backends
    backends.close()


class Site:
    """One server for this file. `ports` by what is said of them in the configuration."""

    def __init__(self, start, certificates, backends, keys):
        self.keys = keys
        self.backends = backends
        self.ports = {name: free_port() for name in ("names", "off", "asks", "stateful")}
        both = certificates.certificate.parent / "both.pem"
        both.write_text(certificates.certificate.read_text() + certificates.key.read_text())
        self.server = start(f"""
            {own_records.LOG_LINE}
            LogFormat "%{{SSL_PROTOCOL}}x %{{SSL_CIPHER}}x %{{SSL_TLS_SNI}}x %v %U%q" tls
            CustomLog tls.log tls
            SSLCACertificateFile {certificates.ca}
            SSLProxyMachineCertificateFile {both}
            {backends.lines()}
            <Location /off>
                ProxyWebsocketOwnRecords Off
            </Location>
            <Location /off/on>
                ProxyWebsocketOwnRecords On
            </Location>
            <Location /secret>
                SSLVerifyClient require
            </Location>
            {backends.lines("/off/on")}
            {backends.lines("/off")}
            {backends.lines("/secret")}
            {backends.lines("/thread")}
            <Location /thread>
                ProxyWebsocketAsync Off
            </Location>
            """ + "".join(f"Listen 127.0.0.1:{port}\n" for port in self.ports.values())
            + self._host(certificates, "names", "ServerName first.test")
            + self._host(certificates, "names", f"ServerName second.test\n{backends.lines('/second')}")
            + self._host(certificates, "off", "ProxyWebsocketOwnRecords Off")
            + self._host(certificates, "asks", "SSLVerifyClient require")
            + self._host(certificates, "stateful", "SSLSessionTickets off"), mpm_lines=ONE_CHILD["event"])
        self.server.error_log.allow_always("AH10227:|AH01909:")   # keys are written to a file, names are not the certificate's
        self.ports["tls"] = self.server.tls_port

    def _host(self, certificates, name, lines):
        return f"""
            <VirtualHost 127.0.0.1:{self.ports[name]}>
                SSLEngine on
                SSLCertificateFile {certificates.certificate}
                SSLCertificateKeyFile {certificates.key}
                {lines}
            </VirtualHost>
            """

    def open(self, path, tls=None, port="tls", server_name="localhost", session=None, query=""):
        """A tunnel; `session` is one to resume."""
        sock = socket.create_connection(("127.0.0.1", self.ports[port] if tls else self.server.port), BOUND)
        if tls:
            options = {"session": session} if session else {}
            sock = tls.wrap_socket(sock, server_hostname=server_name, suppress_ragged_eofs=False, **options)
        client = Peer(sock, masks=True)
        listener = self.backends[path]
        listener.forget_waiting()
        client.send(handshake_request(path + query, host=server_name))
        accepting = Background("the backend accepts", lambda: listener.accept().accept_handshake())
        return Pair(finish_handshake(client), accepting.result())   # who is asked for a certificate must read

    def tls_log_line(self, path):
        log = self.server.root / "tls.log"
        return wait_until(lambda: [line for line in log.read_text().splitlines() if line.endswith(f" {path}")],
                          f"a line for {path} in tls.log")[-1]


@pytest.fixture(scope="module")
def site(start_shared, certificates, backends, tmp_path_factory):
    """mod_ssl writes keys to a file, as with the first callback that anybody sets."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSLKEYLOGFILE", str(keys))
        return Site(start_shared, certificates, backends, keys)


def expect_left(site, pair, sides=1):
    """Each of its TLS sides leaves OpenSSL, and goes on."""
    converse(pair)
    own_records.await_left(site.server, sides)
    converse(pair)


# --- where the directive stands ---

@pytest.mark.parametrize("port, path, own", [
    ("tls", "/ws", True), ("tls", "/off/ws", False), ("tls", "/off/on/ws", True), ("off", "/ws", False), ("off", "/off/on/ws", True),
])
def test_the_directive_holds_where_it_stands(site, tls, port, path, own):
    with site.open(path, tls, port) as pair:
        if own:
            expect_left(site, pair)
        else:
            converse(pair)
            own_records.await_stayed(site.server, "ProxyWebsocketOwnRecords is Off")
            assert own_records.left(site.server) == 0
            converse(pair)


def test_the_directive_is_for_both_sides(site, tls):
    with site.open("/off/wss", tls) as pair:
        converse(pair)
        own_records.await_stayed(site.server, "ProxyWebsocketOwnRecords is Off", sides=2)
        assert own_records.left(site.server) == 0
    with site.open("/off/on/wss", tls) as pair:
        expect_left(site, pair, sides=2)


def test_off_in_the_server_is_for_all(start, certificates, backends, tls):
    server = start(f"{own_records.LOG_LINE}\nProxyWebsocketOwnRecords Off\n{backends.lines()}")
    with open_pair(server, "/wss", backends["wss"], tls) as pair:
        converse(pair)
        own_records.await_stayed(server, "ProxyWebsocketOwnRecords is Off", sides=2)
        assert own_records.left(server) == 0
        converse(pair)


def test_a_tunnel_in_a_request_thread_stays(site, tls):
    """mod_ssl's filters make its records: of those nothing is said."""
    with site.open("/thread/wss", tls) as pair:
        converse(pair)
        assert own_records.left(site.server) == 0


# --- what mod_ssl does beside it ---

def test_mod_ssl_still_writes_the_keys_of_both_sides_where_sslkeylogfile_asks_for_them(site, certificates):
    client, backend = RecordContext(certificates.client_context()), site.backends.tls
    before = set(backend.key_log_lines())
    with site.open("/wss", client) as pair:
        expect_left(site, pair, sides=2)
    expected = set(client.key_log_lines()) | set(backend.key_log_lines()) - before
    assert len([line for line in expected if line.startswith("CLIENT_TRAFFIC_SECRET_0 ")]) == 2
    assert expected <= set(site.keys.read_text().splitlines())


def test_a_virtual_host_that_is_chosen_by_name_has_its_sessions_leave_too(site, tls):
    tls.check_hostname = False
    for number, (name, path) in enumerate((("first.test", "/ws"), ("second.test", "/second/ws")), 1):
        with site.open(path, tls, "names", name, query="?name") as pair:
            expect_left(site, pair, sides=number)
        assert site.tls_log_line(f"{path}?name").split()[2:4] == [name, name]


@pytest.fixture
def with_certificate(certificates):
    context = certificates.client_context()
    context.post_handshake_auth = True
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context


@pytest.mark.parametrize("port, path", [("asks", "/ws"), ("tls", "/secret/ws")], ids=["in the handshake", "for a Location, behind it"])
def test_clients_with_certificates_have_their_tunnels(site, with_certificate, port, path):
    """The second has a second Finished, under the keys of application data."""
    with site.open(path, with_certificate, port) as pair:
        expect_left(site, pair)


def test_a_backend_that_has_httpds_certificate_has_its_tunnels(site):
    with site.open("/strict") as pair:
        expect_left(site, pair)


# --- sessions ---

def end_in_order(pair):
    pair.say_goodbye()
    pair.client.close()


def end_by_fin(pair):
    """Without a close_notify."""
    socket.socket(fileno=pair.client.sock.detach()).close()


def end_by_reset(pair):
    pair.client.reset()


def end_by_bad_record(pair):
    with socket.socket(fileno=pair.client.sock.detach()) as sock:
        sock.sendall(b"\x17\x03\x03\x00\x30" + b"x" * 48)
        pair.session.expect_end()


def not_at_all(_):
    """The first tunnel is still open."""


@pytest.mark.parametrize("port", ["tls", "stateful"])
@pytest.mark.parametrize("end", [end_in_order, end_by_fin, end_by_reset, end_by_bad_record, not_at_all])
def test_a_client_resumes_the_session_of_a_tunnel_with_own_records(site, certificates, port, end):
    """By a ticket, and from httpd's cache, which OpenSSL would have forget a session that is freed without an end."""
    context = certificates.client_context()
    with site.open("/ws", context, port) as pair:
        expect_left(site, pair)
        session = pair.client.sock.session
        end(pair)
        if end is not not_at_all:
            site.server.error_log.wait_for("WSP0201:")   # the tunnel has ended
        with site.open("/ws", context, port, session=session) as again:
            assert again.client.sock.session_reused
            expect_left(site, again, sides=2)


def test_a_backends_session_is_resumed_by_httpd_or_made_anew_and_leaves_either_way(site):
    for number in range(1, 4):
        with site.open("/wss") as pair:
            expect_left(site, pair, sides=number)


# --- the access log ---

@pytest.mark.parametrize("path", ["/ws", "/off/ws"], ids=["own", "openssl"])
def test_the_access_log_has_protocol_cipher_and_every_byte_of_the_wire(site, certificates, path):
    client_tls = RecordContext(certificates.client_context())
    with site.open(path, client_tls, query="?bytes") as pair:
        converse(pair)
        end_in_order(pair)
        wire = pair.client.sock.raw
    line = wait_until(lambda: site.server.access_log.lines(f"GET {path}?bytes "), "the tunnel's line")[0]
    assert (line.number("received"), line.number("sent")) == (wire.sent, wire.received)
    protocol, cipher, name = site.tls_log_line(f"{path}?bytes").split()[:3]
    assert (protocol, cipher, name) == ("TLSv1.3", pair.client.sock.suite, "localhost")
