"""What a client must say to get a tunnel (RFC 6455 4.2.1), and what it hears when it says something else."""

import pytest

from harness import http1
from harness.error_log import REFUSAL
from harness.peer import connect

RUNS_ON = ["event"]   # what is judged is a request_rec

BASE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="   # RFC 6455 1.3


@pytest.fixture(scope="module")
def site(start_shared, echo):
    return start_shared(f"ProxyWebsocketFallbackToProxyHttp Off\nProxyPass /ws {echo.url}/")


ACCEPTED = {
    "as every client sends it": {},
    "Firefox's Connection": {"Connection": "keep-alive, Upgrade"},
    "another case": {"Upgrade": "WebSocket", "Connection": "UPGRADE"},
    "a list in Upgrade": {"Upgrade": "h2c, websocket"},
    "two Connection fields": {"Connection": ["keep-alive", "upgrade"]},
    "spaces around": {"Connection": "  Upgrade  ", "Sec-WebSocket-Version": " 13 "},
    "an extension and a subprotocol": {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
                                       "Sec-WebSocket-Protocol": "chat, superchat"},
    "an Origin and a cookie": {"Origin": "https://elsewhere.example", "Cookie": "a=b; c=d"},
    "an empty body, said explicitly": {"Content-Length": "0"},
    "the key of RFC 6455 1.3": {"Sec-WebSocket-Key": BASE_KEY},
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_valid_handshake_is_accepted(site, changes):
    with site.open_tunnel("/ws", changes) as client:
        client.echo()


def test_the_accept_value_is_the_one_of_rfc_6455(site):
    with site.open_tunnel("/ws", {"Sec-WebSocket-Key": BASE_KEY}) as client:
        assert client.response.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert client.response.header("Upgrade").lower() == "websocket"
        assert client.response.header("Connection").lower() == "upgrade"


def refused(site, request, path="/ws"):
    """The answer to `request`; the module must have left exactly one line about it that names the mapping."""
    site.allow_log(r"WSP\d{4}:")
    with connect(site.port) as client:
        client.send(request)
        response = client.read_response()
    lines = site.error_log.wait_for(REFUSAL)
    assert len(lines) == 1, lines
    assert path in lines[0].text
    return response


MALFORMED = {
    "no Connection": {"Connection": None},
    "a Connection without upgrade": {"Connection": "keep-alive"},
    "a Connection that only resembles upgrade": {"Connection": "upgraded"},
    "no key": {"Sec-WebSocket-Key": None},
    "an empty key": {"Sec-WebSocket-Key": ""},
    "a key of 15 bytes": {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA"},
    "a key of 18 bytes": {"Sec-WebSocket-Key": "A" * 24},
    "a key that is not base64": {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j*Q=="},
    "two keys": {"Sec-WebSocket-Key": [BASE_KEY, BASE_KEY]},
    "no version": {"Sec-WebSocket-Version": None},
    "a body": {"Content-Length": "5"},
    "a chunked body": {"Transfer-Encoding": "chunked"},
}


@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_handshake_is_a_bad_request(site, changes):
    body = b"hello" if "Content-Length" in changes else b"0\r\n\r\n" if "Transfer-Encoding" in changes else b""
    response = refused(site, http1.handshake_request("/ws", changes) + body)
    assert response.status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS"])
def test_a_handshake_with_another_method_is_a_bad_request(site, method):
    site.allow_log(r"WSP\d{4}:")
    with connect(site.port) as client:
        client.send(http1.handshake_request("/ws", method=method))
        assert client.read_response(method).status == 400
    site.error_log.wait_for(REFUSAL + ".*/ws")


def test_a_handshake_in_http_1_0_is_a_bad_request(site):
    assert refused(site, http1.handshake_request("/ws", version="HTTP/1.0")).status == 400


@pytest.mark.parametrize("version", ["12", "14", "8", "0", "13, 8", "thirteen"])
def test_another_version_is_told_which_one_is_spoken(site, version):
    response = refused(site, http1.handshake_request("/ws", {"Sec-WebSocket-Version": version}))
    assert response.status == 426
    assert response.header("Sec-WebSocket-Version") == "13"


NOT_AN_UPGRADE = {
    "a plain GET": http1.plain_request("/ws"),
    "a GET with Connection: upgrade only": http1.plain_request("/ws", [("Connection", "Upgrade")]),
    "an upgrade to h2c": http1.plain_request("/ws", [("Connection", "Upgrade"), ("Upgrade", "h2c")]),
    "a POST": http1.plain_request("/ws", method="POST", body=b"a=b"),
}


@pytest.mark.parametrize("request_bytes", NOT_AN_UPGRADE.values(), ids=NOT_AN_UPGRADE.keys())
def test_what_is_no_handshake_is_told_to_upgrade(site, request_bytes):
    response = refused(site, request_bytes)
    assert response.status == 426
    assert response.header("Upgrade").lower() == "websocket"
    assert "upgrade" in response.header("Connection").lower()


@pytest.mark.runs_on("event", "worker", "prefork")   # each MPM keeps connections alive in its own way
def test_a_refused_client_may_try_again_on_the_same_connection(site):
    site.allow_log(r"WSP\d{4}:")
    with connect(site.port) as client:
        client.send(http1.plain_request("/ws"))
        assert client.read_response().status == 426
        client.send(http1.plain_request("/"))
        assert client.read_response().status == 200
        client.send(http1.handshake_request("/ws"))
        assert client.read_response().status == 101
        client.echo()


def test_an_unknown_host_header_makes_no_difference(site):
    with connect(site.port) as client:
        client.send(http1.handshake_request("/ws", host="elsewhere.example:8080"))
        assert client.read_response().status == 101
