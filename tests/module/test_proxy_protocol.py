"""RemoteIPProxyProtocol On (a load balancer in front that says who the client is): tunnels leave their thread all the same, and
the logs have the client's address."""

import socket
import ssl
import struct

import pytest

from harness import frames, http1
from harness.client import finish_handshake
from harness.httpd import free_port
from harness.peer import Peer
from harness.waiting import BOUND, wait_until

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_V1 = b"PROXY TCP%d %s %s 4711 443\r\n"


def v2(family, client, server):
    """The binary header, for a TCP connection from port 4711."""
    addresses = socket.inet_pton(family, client) + socket.inet_pton(family, server) + struct.pack("!HH", 4711, 443)
    kind = 0x11 if family == socket.AF_INET else 0x21
    return _SIGNATURE + struct.pack("!BBH", 0x21, kind, len(addresses)) + addresses


# name -> what the load balancer sends first, the client's address and port by the logs (0: the connection's own)
HEADERS = {
    "v1, IPv4": (_V1 % (4, b"192.0.2.9", b"192.0.2.1"), "192.0.2.9", 4711),
    "v1, IPv6": (_V1 % (6, b"2001:db8::9", b"2001:db8::1"), "2001:db8::9", 4711),
    "v1, unknown": (b"PROXY UNKNOWN :: :: 0 0\r\n", "127.0.0.1", 0),   # httpd 2.4.71 reads past the end of a shorter one
    "v2, IPv4": (v2(socket.AF_INET, "192.0.2.9", "192.0.2.1"), "192.0.2.9", 4711),
    "v2, IPv6": (v2(socket.AF_INET6, "2001:db8::9", "2001:db8::1"), "2001:db8::9", 4711),
    "none, from an exception": (b"", "127.0.0.7", 0),
}


@pytest.fixture(scope="module")
def site(start_shared, echo, certificates):
    plain, tls = free_port(), free_port()
    server = start_shared(f"""
        Listen 127.0.0.1:{plain}
        Listen 127.0.0.1:{tls}
        RemoteIPProxyProtocolExceptions 127.0.0.7/32
        LogFormat "%h %a %{{remote}}p %{{c}}a %U" addresses
        CustomLog addresses.log addresses
        <VirtualHost *:{plain}>
            RemoteIPProxyProtocol On
            ProxyPass / {echo.url}/
        </VirtualHost>
        <VirtualHost *:{tls}>
            RemoteIPProxyProtocol On
            SSLEngine on
            SSLCertificateFile {certificates.certificate}
            SSLCertificateKeyFile {certificates.key}
            ProxyPass / {echo.url}/
        </VirtualHost>""", modules=["remoteip"])
    server.ports = {"plain": plain, "tls": tls}
    return server


def connect(site, kind, header, source, tls):
    sock = socket.create_connection(("127.0.0.1", site.ports[kind]), BOUND, (source, 0))
    own_port = sock.getsockname()[1]
    sock.sendall(header)
    if kind == "tls":
        sock = tls.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False)
    return Peer(sock, masks=True), own_port


# The headers are mod_remoteip's affair, on whatever MPM; how the connection leaves its thread is tried on all of them with one.
_ON_ONE_MPM = pytest.mark.runs_on("event")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name == "v2, IPv4" else _ON_ONE_MPM) for name in HEADERS])
@pytest.mark.parametrize("kind", ["plain", "tls", pytest.param("tls 1.2", marks=_ON_ONE_MPM)])
def test_a_tunnel_behind_the_proxy_protocol_leaves_its_thread(site, kind, name, tls, certificates):
    kind, _, version = kind.partition(" ")
    if version:
        tls = certificates.client_context()
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
    header, address, port = HEADERS[name]
    path = f"/{kind}{version}/{list(HEADERS).index(name)}"
    peer, own_port = connect(site, kind, header, address if not header else "127.0.0.1", tls)
    port = port or own_port
    with peer:
        peer.send(http1.handshake_request(path) + frames.client_frame(frames.TEXT, b"early"))
        finish_handshake(peer)
        assert peer.read_frame().payload == b"early"
        wait_until(lambda: site.busy_workers() == 1, "a thread that is free")
        peer.echo(b"late" * 5000)
        peer.send_close(1000)
        assert peer.read_close()[0] == 1000
    assert not site.error_log.module_lines("WSP0110")
    source = "127.0.0.1" if header else address
    line = f"{address} {address} {port} {source} {path}"
    wait_until(lambda: line in (site.root / "addresses.log").read_text().splitlines(), f"the line {line}")
    assert site.error_log.wait_for(f"WSP0201: tunnel ended: {address}:{port} to ws://")
