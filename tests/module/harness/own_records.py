"""What the log says of tunnels whose TLS side leaves OpenSSL, and of those that stay; virtual hosts for each cipher suite."""

from .httpd import free_port
from .tls_records import SUITES

_LEFT, _STAYED = "WSP0160:", "WSP0161:"   # one of them for each TLS side of a tunnel, at debug

LOG_LINE = "LogLevel proxy_websocket:debug"


def hosts_of_suites(certificates):
    """A port for each cipher suite, which both sides of its tunnels use, and the lines that make them."""
    ports = {suite: free_port() for suite in SUITES}
    return ports, "\n".join(f"""
        Listen 127.0.0.1:{port}
        <VirtualHost 127.0.0.1:{port}>
            SSLEngine on
            SSLCertificateFile {certificates.certificate}
            SSLCertificateKeyFile {certificates.key}
            SSLCipherSuite TLSv1.3 {suite}
            SSLProxyCipherSuite TLSv1.3 {suite}
        </VirtualHost>""" for suite, port in ports.items())


def await_left(server, sides=1):
    """So many sides of this test's tunnels have left."""
    server.error_log.wait_for(_LEFT, sides)


def await_stayed(server, reason, sides=1):
    """So many stay, for a reason that matches."""
    server.error_log.wait_for(f"{_STAYED}.*{reason}", sides)


def left(server):
    return len(server.error_log.lines(_LEFT))
