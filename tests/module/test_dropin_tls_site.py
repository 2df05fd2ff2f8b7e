"""A TLS site as manuals set it up: a VirtualHost with rewrite and an https backend, a balancer behind it, and what is left of
the lines with this module. Each way of writing it leads to the same answers."""

from types import SimpleNamespace

import pytest

from dropin.balancer import Members
from dropin.clients import ask
from dropin.teller import Teller
from harness.httpd import free_port
from harness.http2 import Http2Connection

RUNS_ON = ["event"]

RECIPE = """
    RewriteEngine On
    RewriteCond %{HTTP:Upgrade} websocket [NC]
    RewriteCond %{HTTP:Connection} upgrade [NC]
    RewriteRule .* "wss://localhost:{backend}%{REQUEST_URI}" [P,L]
    ProxyPass / https://localhost:{backend}/
    ProxyPassReverse / https://localhost:{backend}/
    """
WAYS = {
    "the rewrite recipe": RECIPE,
    "upgrade=websocket": "ProxyPass / https://localhost:{backend}/ upgrade=websocket",
    "ProxyWebsocketUpgradeHttp": "ProxyWebsocketUpgradeHttp On\nProxyPass / https://localhost:{backend}/",
    "ProxyPassWS": "ProxyPass / https://localhost:{backend}/\nProxyPassWS / wss://localhost:{backend}/",
}


@pytest.fixture(scope="module")
def backend(certificates):
    with Teller("app", tls=certificates.server_context()) as teller:
        yield teller


@pytest.fixture
def site(start, certificates):
    """A VirtualHost of its own on a TLS port of its own."""
    def site(lines, outside="", modules=()):
        port = free_port()
        server = start(f"""
            Listen 127.0.0.1:{port}
            {outside}
            <VirtualHost *:{port}>
                ServerName localhost
                SSLEngine on
                SSLCertificateFile {certificates.certificate}
                SSLCertificateKeyFile {certificates.key}
                SSLProxyEngine on
                SSLProxyCACertificateFile {certificates.ca}
                {lines}
            </VirtualHost>
            """, modules=modules)
        return SimpleNamespace(tls_port=port, server=server)
    return site


@pytest.mark.parametrize("lines", WAYS.values(), ids=WAYS.keys())
def test_pages_polling_and_tunnels_reach_the_https_backend(site, backend, tls, lines):
    served = site(lines.replace("{backend}", str(backend.port)))
    for client in ("chrome", "firefox", "curl", "capitals"):
        answer = ask(served, client, "/chat/7?token=a.b&x=%20", tls=tls)
        assert str(answer) == "101 app /chat/7?token=a.b&x=%20"
        assert answer.seen.header("X-Forwarded-For") == "127.0.0.1"
    for client in ("page", "polling", "posting"):
        assert str(ask(served, client, "/chat/7?x=1", tls=tls)) == "200 app /chat/7?x=1"


BALANCER_WAYS = {
    "upgrade=websocket": ("upgrade=websocket", ""),
    "ProxyWebsocketUpgradeHttp": ("", "ProxyWebsocketUpgradeHttp On"),
}


@pytest.mark.parametrize("option, line", BALANCER_WAYS.values(), ids=BALANCER_WAYS.keys())
def test_websockets_spread_over_a_balancer_of_http_members_without_rewrite(site, tls, option, line):
    with Members(3) as members:
        served = site(f"{line}\nProxyPass / balancer://c/\nProxyPassReverse / balancer://c/",
                      members.lines(dict.fromkeys([1, 2, 3], option), "http", path="/elsewhere"))
        tunnels = [ask(served, "chrome", "/ws", tls=tls) for _ in range(6)]
        assert sorted(answer.backend for answer in tunnels) == ["m1", "m1", "m2", "m2", "m3", "m3"]
        assert {answer.response.status for answer in tunnels} == {101}
        assert str(ask(served, "page", "/ws", tls=tls))[:5] == "200 m"


def test_a_browser_that_speaks_http2_to_the_site_falls_back_to_http1_for_tunnels(site, backend, certificates, tls):
    """Without H2WebSockets the server does not offer extended CONNECT, and browsers open a connection with http/1.1."""
    served = site("Protocols h2 http/1.1\n" + WAYS["ProxyWebsocketUpgradeHttp"].replace("{backend}", str(backend.port)),
                  modules=["http2"])
    with Http2Connection(served.tls_port, certificates.client_context(["h2"]), needs_connect=False) as connection:
        assert connection.get("/page").status == 200
        assert not connection.allows_connect_protocol
        assert str(ask(served, "firefox", "/ws", tls=certificates.client_context(["http/1.1"]))) == "101 app /ws"
        assert connection.get("/page").status == 200
