"""ProxyPassWS maps WebSocket handshakes only; every other request goes on to what comes next."""

import pytest

from harness.http1 import plain_request

RUNS_ON = ["event"]   # a request is mapped before its MPM matters


@pytest.fixture(scope="module")
def site(start_shared, echo, tls_echo):
    return start_shared(f"""
        ProxyPassWS /app/private !
        ProxyPassWS /app {echo.url}/
        ProxyPassWS /secure {tls_echo.url}/
        ProxyPassWS /inner {echo.url}/
        ProxyPass /inner http://127.0.0.1:{{port}}/app
        <Location /located>
            ProxyPassWS {echo.url}/
        </Location>
        """, files={f"htdocs/{folder}/index.html": f"static {folder}\n"
                    for folder in ("app", "app/private", "secure", "located")})


@pytest.mark.parametrize("path", ["/app", "/app/", "/app/deeper", "/secure", "/inner", "/located"])
def test_a_handshake_is_tunnelled(site, path):
    with site.open_tunnel(path) as client:
        client.echo()


def test_a_handshake_over_tls_is_tunnelled(site, tls):
    with site.open_tunnel("/app", tls=tls) as client:
        client.echo()


@pytest.mark.parametrize("path", ["/app/", "/secure/", "/located/", "/app/private/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_plain_request_on_the_same_path_gets_the_file(site, path, method):
    response = site.get(path, method=method)
    assert response.status == 200
    assert response.body == (b"" if method == "HEAD" else f"static {path.strip('/')}\n".encode())


def test_a_plain_request_goes_on_to_the_next_proxypass(site):
    response = site.get("/inner/")
    assert (response.status, response.body) == (200, b"static app\n")


def test_a_handshake_on_an_excluded_path_is_not_tunnelled(site):
    with site.start_handshake("/app/private/") as client:
        response = client.read_response()
        assert (response.status, response.body) == (200, b"static app/private\n")


def test_an_upgrade_to_something_else_is_not_a_handshake(site):
    with site.start_handshake("/app/", {"Upgrade": "h2c"}) as client:
        assert client.read_response().body == b"static app\n"


@pytest.mark.runs_on("event", "worker", "prefork")   # each MPM keeps connections alive in its own way
def test_plain_requests_and_a_handshake_share_one_connection(site):
    with site.start_handshake("/app/private/") as client:
        client.read_response()
        client.send(plain_request("/app/"))
        assert client.read_response().body == b"static app\n"
        client.send(plain_request("/secure/"))
        assert client.read_response().body == b"static secure\n"
