"""Every way to map a path to a backend reaches it, and what a request asks for arrives there."""

import pytest

from harness.error_log import BACKEND_REFUSES

RUNS_ON = ["event"]   # a request is mapped before its MPM matters


@pytest.fixture(scope="module")
def site(start_shared, echo, tls_echo):
    return start_shared(f"""
        ProxyPass /plain {echo.url}/
        ProxyPass /secure {tls_echo.url}/
        ProxyPass /named ws://localhost:{echo.port}/
        ProxyPassMatch ^/matched/(\\d+)$ {echo.url}/$1
        <Location /located>
            ProxyPass {echo.url}/
        </Location>
        <Location /located-secure>
            ProxyPass {tls_echo.url}/
        </Location>
        RewriteEngine On
        RewriteRule ^/rewritten/(.*)$ {echo.url}/$1 [P]
        RewriteRule ^/rewritten-secure$ {tls_echo.url}/ [P]
        RewriteCond %{{HTTP:Upgrade}} =websocket [NC]
        RewriteRule ^/shared/ {echo.url}/ [P]
        <Proxy balancer://pool>
            BalancerMember {echo.url}
            BalancerMember ws://localhost:{echo.port}
        </Proxy>
        ProxyPass /balanced balancer://pool/
        ProxyPass /tree/open {echo.url}/
        ProxyPass /tree !
        """, files={"htdocs/shared/index.html": "static\n", "htdocs/tree/index.html": "static\n"})


@pytest.mark.parametrize("path", ["/plain", "/secure", "/named", "/matched/17", "/located", "/located-secure",
                                  "/rewritten/x", "/rewritten-secure", "/shared/", "/balanced", "/tree/open"])
def test_a_tunnel_opens_through_every_mapping(site, path):
    with site.open_tunnel(path) as client:
        client.echo()


@pytest.mark.parametrize("path", ["/plain", "/secure", "/rewritten/x", "/located-secure", "/balanced"])
def test_a_tunnel_opens_over_tls_through_every_kind_of_mapping(site, tls, path):
    with site.open_tunnel(path, tls=tls) as client:
        client.echo()


@pytest.mark.parametrize("path", ["/shared/", "/tree/"])
def test_a_plain_get_beside_a_websocket_mapping_gets_the_file(site, path):
    response = site.get(path)
    assert (response.status, response.body) == (200, b"static\n")


def test_several_tunnels_through_several_mappings_do_not_mix(site):
    clients = [site.open_tunnel(path) for path in ["/plain", "/secure", "/located", "/balanced"] * 3]
    for number, client in enumerate(clients):
        client.send_text(f"number {number}")
    for number, client in enumerate(clients):
        assert client.read_message() == b"number %d" % number
        client.close()


@pytest.mark.runs_on("event", "worker", "prefork")   # children share what they count
def test_a_balancer_uses_all_of_its_members(start, echo, tls_echo):
    server = start(f"""
        <Proxy balancer://pool>
            BalancerMember {echo.url}
            BalancerMember {tls_echo.url}
        </Proxy>
        ProxyPass /balanced balancer://pool/
        <Location /balancer-manager>
            SetHandler balancer-manager
        </Location>
        """)
    for _ in range(4):
        with server.open_tunnel("/balanced") as client:
            client.echo()
    page = server.get("/balancer-manager?b=pool&xml=1", [("Referer", "http://localhost/balancer-manager")])
    counts = page.body.decode().split("<httpd:elected>")[1:]
    assert [int(text.partition("<")[0]) for text in counts[:2]] == [2, 2]


def test_the_backend_sees_the_path_and_query_that_the_mapping_makes(start, stage):
    server = start(f"""
        ProxyPass /app/ws {stage.url}/socket
        RewriteEngine On
        RewriteRule ^/room/(.*)$ {stage.url}/rooms/$1 [P,QSA]
        <LocationMatch "^/(left|right)/(..)$">
            ProxyPassWS {stage.url}/halls/$2/$1
        </LocationMatch>
        <Location ~ "^/lob">
            ProxyPassWS {stage.url}
        </Location>
        ProxyPassWS ~ ^/by/(.)$ {stage.url}/$1
        """)
    server.allow_log(BACKEND_REFUSES)
    for asked, expected in [("/app/ws", "/socket"), ("/app/ws/a%20b?x=1&y=%2F", "/socket/a%20b?x=1&y=%2F"),
                            ("/room/7?token=t", "/rooms/7?token=t"), ("/left/12", "/halls/12/left"), ("/lobby", "/lobby"),
                            ("/by/z", "/z")]:
        with server.start_handshake(asked), stage.accept() as session:
            assert session.request.target == expected
            session.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
