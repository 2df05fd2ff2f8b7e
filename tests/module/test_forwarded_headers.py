"""What the backend receives in the proxied handshake, and what of its 101 the client receives."""

import pytest

from harness import http1
from harness.pair import open_pair

RUNS_ON = ["event"]   # headers are made from a request_rec


@pytest.fixture(scope="module")
def site(start_shared, module_listener):
    return start_shared(f"""
        ProxyPass /ws {module_listener.url}/
        <Location /kept>
            ProxyPreserveHost On
            ProxyPass {module_listener.url}/
        </Location>
        <Location /changed>
            RequestHeader set X-From-Admin yes
            Header always set X-Response-Header added
            ProxyPass {module_listener.url}/
            ProxyPassReverseCookiePath / /changed/
            ProxyPassReverseCookieDomain backend.example chat.example
        </Location>
        """)


def forwarded(site, stage, path="/ws", changes=None):
    """The request as the backend got it."""
    with open_pair(site, path, stage, changes=changes) as pair:
        return pair.session.request


def test_the_handshake_is_forwarded_as_an_upgrade(site, stage):
    request = forwarded(site, stage)
    assert request.first_line == "GET / HTTP/1.1"
    assert request.header("Upgrade").lower() == "websocket"
    assert request.header("Connection").lower() == "upgrade"


@pytest.mark.parametrize("name, value", [
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Protocol", "chat, superchat"), ("Origin", "https://app.example"),
    ("Sec-WebSocket-Extensions", 'permessage-deflate; client_max_window_bits, x-a; b="c,d"'),
    ("Cookie", "a=b; c=d"), ("Authorization", "Bearer t"), ("User-Agent", "test/1"), ("X-Anything", "kept"),
])
def test_the_clients_headers_arrive_as_sent(site, stage, name, value):
    assert forwarded(site, stage, changes={name: value}).all(name) == [value]


def test_forwarded_for_host_and_server_are_added(site, stage):
    request = forwarded(site, stage, changes={"Host": "chat.example"})
    assert request.all("X-Forwarded-For") == ["127.0.0.1"]
    assert request.all("X-Forwarded-Host") == ["chat.example"]
    assert request.all("X-Forwarded-Server") == ["localhost"]


def test_forwarded_for_continues_the_list_of_a_proxy_in_front(site, stage):
    assert forwarded(site, stage, changes={"X-Forwarded-For": "192.0.2.7"}).header("X-Forwarded-For") \
        == "192.0.2.7, 127.0.0.1"


def test_a_client_cannot_strip_forwarded_for_by_naming_it_in_connection(site, stage):
    request = forwarded(site, stage, changes={"Connection": "Upgrade, X-Forwarded-For, X-Forwarded-Host"})
    assert request.header("X-Forwarded-For") == "127.0.0.1"
    assert request.header("X-Forwarded-Host") == "localhost"
    assert request.header("Connection").lower() == "upgrade"


def test_headers_that_connection_names_are_hop_by_hop(site, stage):
    request = forwarded(site, stage, changes={"Connection": "Upgrade, X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=5"})
    assert request.header("X-Hop") is None
    assert request.header("Keep-Alive") is None


def test_the_host_is_the_backends_unless_preserved(site, stage):
    assert forwarded(site, stage, changes={"Host": "chat.example"}).all("Host") == [f"127.0.0.1:{stage.port}"]
    assert forwarded(site, stage, "/kept", {"Host": "chat.example"}).all("Host") == ["chat.example"]


def test_request_headers_set_by_the_admin_arrive(site, stage):
    assert forwarded(site, stage, "/changed").header("X-From-Admin") == "yes"


def test_the_backends_101_headers_reach_the_client(site, stage):
    with site.start_handshake("/ws") as client, stage.accept() as session:
        session.accept_handshake({"X-Node": "7", "Set-Cookie": ["a=1; Path=/", "b=2"], "Server": "backend"})
        response = client.read_response()
        assert response.first_line == "HTTP/1.1 101 Switching Protocols"
        assert response.all("X-Node") == ["7"]
        assert response.all("Set-Cookie") == ["a=1; Path=/", "b=2"]
        for name in ("Upgrade", "Connection", "Sec-WebSocket-Accept"):
            assert len(response.all(name)) == 1
        assert response.header("Content-Length") is None
        assert response.header("Transfer-Encoding") is None


def test_admins_response_headers_and_cookie_paths_apply_to_the_101(site, stage):
    with site.start_handshake("/changed") as client, stage.accept() as session:
        session.accept_handshake({"Set-Cookie": "a=1; Path=/"})
        response = client.read_response()
        assert response.header("X-Response-Header") == "added"
        assert response.header("Set-Cookie") == "a=1; Path=/changed/"


@pytest.mark.parametrize("refused", [False, True], ids=["101", "403"])
def test_cookie_domains_are_mapped_on_the_101_and_on_a_refusal(site, stage, refused):
    cookies = ["a=1; Domain=backend.example; Path=/", "b=2; Domain=other.example"]
    site.allow_log("WSP0119:")
    with site.start_handshake("/changed") as client, stage.accept() as session:
        if refused:
            fields = [("Content-Length", "0"), *(("Set-Cookie", cookie) for cookie in cookies)]
            session.send(http1.format_head("HTTP/1.1 403 Forbidden", fields))
        else:
            session.accept_handshake({"Set-Cookie": cookies})
        assert client.read_response().all("Set-Cookie") == [
            "a=1; Domain=chat.example; Path=/changed/", "b=2; Domain=other.example"]


def test_the_handshake_has_no_body_for_the_backend(site, stage):
    request = forwarded(site, stage, changes={"Content-Length": "0"})
    assert request.header("Transfer-Encoding") is None
    assert request.header("Content-Length") in (None, "0")
