"""Every way to map a path to a backend reaches it; what is mapped elsewhere goes there."""

import pytest

from harness.http1 import plain_request


@pytest.fixture(scope="module")
def site(start_shared, echo, tls_echo):
    return start_shared(f"""
        ProxyPass /plain {echo.url}/
        ProxyPass /secure {tls_echo.url}/
        ProxyPass /named ws://localhost:{echo.port}/
        <Location /located>
            ProxyPass {echo.url}/
        </Location>
        <Location /located-secure>
            ProxyPass {tls_echo.url}/
        </Location>
        RewriteEngine On
        RewriteRule ^/rewritten(.*)$ {echo.url}/$1 [P]
        RewriteCond %{{HTTP:Upgrade}} =websocket [NC]
        RewriteRule ^/upgraded-only {echo.url}/ [P]
        <Proxy balancer://pool>
            BalancerMember {echo.url}
            BalancerMember ws://localhost:{echo.port}
        </Proxy>
        ProxyPass /balanced balancer://pool/
        ProxyPass /deep/er {echo.url}/
        ProxyPass /deep !
        """, files={"htdocs/upgraded-only/index.html": "static\n", "htdocs/deep/index.html": "static\n"})


@pytest.mark.parametrize("path", ["/plain", "/secure", "/named", "/located", "/located-secure", "/rewritten/x",
                                  "/upgraded-only/", "/balanced", "/deep/er"])
def test_a_tunnel_opens_through_every_mapping(site, path):
    with site.open_tunnel(path) as client:
        client.echo()


@pytest.mark.parametrize("path", ["/plain", "/secure", "/rewritten/x", "/balanced"])
def test_a_tunnel_opens_over_tls(site, tls, path):
    with site.open_tunnel(path, tls=tls) as client:
        client.echo()
