"""A backend gets a tunnel only for a right 101 (RFC 6455 4.1); its wrong ones end as 502, 503 or 504."""

import pytest

from harness import frames, http1
from harness.error_log import REFUSAL
from harness.httpd import free_port

RUNS_ON = ["event"]   # a request thread talks to the backend over a connection that no MPM knows

HANDSHAKE_LINES = r"WSP\d{4}:|AH\d+:"   # ours and mod_proxy's, about a backend that misbehaves on purpose


@pytest.fixture(scope="module")
def site(start_shared, module_listener):
    return start_shared(f"""
        <Location /edited>
            Header edit Sec-WebSocket-Extensions x-other permessage-deflate
        </Location>
        ProxyPass /edited {module_listener.url}/ retry=0
        ProxyPass /ws {module_listener.url}/
        """)


def answer_handshake(site, stage, respond, changes=None, path="/ws"):
    """The client's answer when the backend reacts with respond(session)."""
    site.allow_log(HANDSHAKE_LINES)
    with site.start_handshake(path, changes) as client:
        with stage.accept() as session:
            respond(session)
        return client.read_response()


def the_only_module_line(site, path="/ws"):
    lines = site.error_log.wait_for(REFUSAL)
    assert len(lines) == 1, lines
    assert path in lines[0].text


WRONG_HEADERS = {
    "no Upgrade": {"Upgrade": None},
    "an Upgrade to something else": {"Upgrade": "h2c"},
    "no Connection": {"Connection": None},
    "a Connection without upgrade": {"Connection": "keep-alive"},
    "no accept": {"Sec-WebSocket-Accept": None},
    "an empty accept": {"Sec-WebSocket-Accept": ""},
    "the accept of another key": {"Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
    "a subprotocol that was not offered": {"Sec-WebSocket-Protocol": "chat"},
    "an extension that was not offered": {"Sec-WebSocket-Extensions": "permessage-deflate"},
}


@pytest.mark.parametrize("changes", WRONG_HEADERS.values(), ids=WRONG_HEADERS.keys())
def test_a_wrong_101_is_a_bad_gateway(site, stage, changes):
    response = answer_handshake(site, stage, lambda session: session.accept_handshake(changes))
    assert response.status == 502
    the_only_module_line(site)


@pytest.mark.parametrize("offered, chosen", [
    ({"Sec-WebSocket-Protocol": "chat, superchat"}, {"Sec-WebSocket-Protocol": "Chat"}),
    ({"Sec-WebSocket-Protocol": "chat, superchat"}, {"Sec-WebSocket-Protocol": "chat, superchat"}),
    ({"Sec-WebSocket-Extensions": "permessage-deflate"}, {"Sec-WebSocket-Extensions": "x-other"}),
], ids=["another case of the subprotocol", "two subprotocols", "another extension"])
def test_a_choice_beyond_the_offer_is_a_bad_gateway(site, stage, offered, chosen):
    assert answer_handshake(site, stage, lambda session: session.accept_handshake(chosen), offered).status == 502
    the_only_module_line(site)


@pytest.mark.parametrize("offered, chosen", [
    ({"Sec-WebSocket-Protocol": "chat, superchat"}, {"Sec-WebSocket-Protocol": "superchat"}),
    ({"Sec-WebSocket-Protocol": ["chat", "superchat"]}, {"Sec-WebSocket-Protocol": "superchat"}),
    ({"Sec-WebSocket-Protocol": "chat"}, {}),
    ({"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits, x-other"},
     {"Sec-WebSocket-Extensions": "permessage-deflate; server_no_context_takeover"}),
], ids=["one of two", "one of two fields", "none", "an extension with other parameters"])
def test_a_choice_out_of_the_offer_reaches_the_client(site, stage, offered, chosen):
    with site.start_handshake("/ws", offered) as client, stage.accept() as session:
        session.accept_handshake(chosen)
        response = client.read_response()
        assert response.status == 101
        for name in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"):
            assert response.header(name) == chosen.get(name)


EXTENSIONS = {"Sec-WebSocket-Extensions": "permessage-deflate, x-other"}


@pytest.mark.parametrize("chosen", [["permessage-deflate", "x-other"], ["x-other", "permessage-deflate"],
                                    ["permessage-deflate, x-other"], ["", "x-other"]], ids=str)
def test_every_field_of_the_chosen_extensions_counts(site, stage, chosen):
    """What x-other does with reserved bits nobody here knows."""
    with site.start_handshake("/ws", EXTENSIONS) as client, stage.accept() as session:
        session.accept_handshake({"Sec-WebSocket-Extensions": chosen})
        assert client.read_response().status == 101
        frame = session.frame(frames.BINARY, b"hello", rsv=2)
        session.send(frame)
        assert client.read_exactly(len(frame)) == frame


def test_a_reserved_bit_needs_an_extension_that_both_sides_know(site, stage):
    """A Header directive has put another one into the 101."""
    site.expect_log("WSP0201: .*1002")
    with site.start_handshake("/edited", EXTENSIONS) as client, stage.accept() as session:
        session.accept_handshake({"Sec-WebSocket-Extensions": "x-other"})
        response = client.read_response()
        assert (response.status, response.header("Sec-WebSocket-Extensions")) == (101, "permessage-deflate")
        session.send(session.frame(frames.BINARY, b"hello", rsv=2))
        assert session.read_close()[0] == 1002


def test_a_101_has_no_length(site, stage):
    with site.start_handshake("/ws") as client, stage.accept() as session:
        session.accept_handshake({"Content-Length": "5"})
        response = client.read_response()
        assert (response.status, response.all("Content-Length")) == (101, [])
        session.send_text("hello")
        assert client.read_message() == b"hello"


def test_a_200_is_a_bad_gateway(site, stage):
    response = answer_handshake(site, stage, lambda session: session.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    assert response.status == 502
    the_only_module_line(site)


GARBAGE = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "HTTP/0.9": b"<html>hello</html>\n",
    "an empty line": b"\r\n\r\n",
    "a status that is no number": b"HTTP/1.1 abc Switching\r\n\r\n",
    "a 101 of HTTP/1.0": b"HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "a header line without colon": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade websocket\r\n\r\n",
    "a head that ends early": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso",
    "a status line that ends early": b"HTTP/1.1 10",
    "nothing": b"",
    "a header of 1 MiB": b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n",
    "100,000 headers": b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
    "zero bytes": b"\0" * 10_000,
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_from_the_backend_is_a_bad_gateway(site, stage, answer):
    def respond(session):
        try:
            session.send(answer)
        except ConnectionError:   # httpd may hang up in the middle of it
            pass

    assert answer_handshake(site, stage, respond).status == 502
    the_only_module_line(site)


def test_an_answer_that_comes_byte_by_byte_is_fine(site, stage):
    with site.start_handshake("/ws") as client, stage.accept() as session:
        for byte in http1.handshake_response(session.request):
            session.send(bytes([byte]))
        assert client.read_response().status == 101
        client.send_text("hello")
        assert session.read_message() == b"hello"


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n\r\n",
                                     b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"],
                         ids=["100", "103"])
def test_an_interim_answer_before_the_101_is_fine(site, stage, interim):
    with site.start_handshake("/ws") as client, stage.accept() as session:
        session.send(interim)
        session.accept_handshake()
        response = client.read_response()
        while response.status in (100, 103):
            response = client.read_response()
        assert response.status == 101
        session.send_text("first")
        assert client.read_message() == b"first"


def test_an_unreachable_backend_is_service_unavailable(start):
    server = start(f"ProxyPass /ws ws://127.0.0.1:{free_port()}/ retry=0")
    server.allow_log(HANDSHAKE_LINES)
    with server.start_handshake("/ws") as client:
        assert client.read_response().status == 503
    the_only_module_line(server)


@pytest.mark.parametrize("mapping", ["ProxyPass /ws {url}/ timeout=1",
                                     "ProxyWebsocketHandshakeTimeout 1s\nProxyPass /ws {url}/"],
                         ids=["worker timeout", "ProxyWebsocketHandshakeTimeout"])
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 101 Switching Protocols\r\nUpgr"], ids=["nothing", "half"])
def test_a_silent_backend_is_a_gateway_timeout(start, stage, mapping, answer):
    server = start(mapping.format(url=stage.url))
    server.allow_log(HANDSHAKE_LINES)
    with server.start_handshake("/ws") as client, stage.accept() as session:
        session.send(answer)
        assert client.read_response().status == 504
    the_only_module_line(server)
