"""A Python chat behind the site: tokens in the query string, connect and read limits, addresses, and a debug log that tells
the way of a handshake."""

import asyncio
import socket
import time

import pytest
import websockets

from dropin.chat import ChatServer
from dropin.clients import ask
from harness.backend import Listener
from harness.httpd import free_port
from harness.waiting import BOUND, in_time

RUNS_ON = ["event"]
# As long and with the characters of a signed token.
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjo3LCJleHAiOjE3MzIxNDI4MDB9.q-7_x4" + "Z" * 900
USERS = {TOKEN: "anna", "s3ss10nk3y": "bert"}


@pytest.fixture(scope="module")
def chat():
    with ChatServer(users=USERS) as server:
        yield server


def talk(coroutine):
    return asyncio.run(in_time(coroutine, "the chat", 2 * BOUND))


def test_two_users_chat_over_wss_and_their_tokens_arrive_unchanged(start, chat, tls):
    server = start(f"ProxyPass /ws/ ws://127.0.0.1:{chat.port}/\nProxyPassReverse /ws/ ws://127.0.0.1:{chat.port}/")
    site = f"wss://localhost:{server.tls_port}/ws/"

    async def chatting():
        async with websockets.connect(f"{site}?token={TOKEN}&opponent=bert", ssl=tls) as anna, \
                websockets.connect(f"{site}?session_key=s3ss10nk3y&opponent=anna", ssl=tls) as bert:
            assert [await anna.recv(), await bert.recv()] == ["hello anna", "hello bert"]
            await anna.send("grüß dich")
            assert await bert.recv() == "anna: grüß dich"
            await bert.send("selber")
            assert await anna.recv() == "bert: selber"

    talk(chatting())
    assert chat.paths[-2:] == [f"/?token={TOKEN}&opponent=bert", "/?session_key=s3ss10nk3y&opponent=anna"]


def test_the_backends_own_close_code_reaches_a_stranger(start, chat, tls):
    server = start(f"ProxyPass /ws/ ws://127.0.0.1:{chat.port}/")

    async def knocking():
        async with websockets.connect(f"wss://localhost:{server.tls_port}/ws/?token=guess", ssl=tls) as stranger:
            await stranger.wait_closed()
            return stranger.close_code, stranger.close_reason

    assert talk(knocking()) == (4401, "who are you?")


@pytest.mark.parametrize("hosts, url", [
    (["127.0.0.1"], "ws://localhost:{port}"), (["127.0.0.1"], "ws://127.0.0.1:{port}"), (["::1"], "ws://[::1]:{port}"),
    (["127.0.0.1", "::1"], "ws://localhost:{port}"), (["127.0.0.1", "::1"], "ws://[::1]:{port}"),
])
def test_a_backend_is_found_on_the_address_that_it_listens_on(start, tls, hosts, url):
    """The mapping stands beside other handlers of the same path space, its path spelt out on both sides."""
    with ChatServer(hosts, free_port(), USERS) as backend:
        url = url.replace("{port}", str(backend.port))
        server = start(f"ProxyPass /horizon/x/y {url}/horizon/x/y")

        async def greeting():
            address = f"wss://localhost:{server.tls_port}/horizon/x/y?session_key=s3ss10nk3y"
            async with websockets.connect(address, ssl=tls) as connection:
                return await connection.recv()

        assert talk(greeting()) == "hello bert"
        assert backend.paths == ["/horizon/x/y?session_key=s3ss10nk3y"]


def test_a_backend_on_another_address_is_a_503_and_the_log_names_the_address_tried(start):
    with ChatServer(["127.0.0.2"], free_port()) as backend:
        server = start(f"ProxyPass /ws/ ws://127.0.0.1:{backend.port}/")
        server.expect_log(f"WSP0114: handshake refused with 503: the backend 127.0.0.1:{backend.port} cannot be reached; "
                          f"request GET /ws/, mapped to ws://127.0.0.1:{backend.port}/")
        server.expect_log(rf"Connection refused: AH00957: ws: attempt to connect to 127.0.0.1:{backend.port} ")
        assert ask(server, "chrome", "/ws/").response.status == 503


def seconds_of(action):
    before = time.monotonic()
    return action(), time.monotonic() - before


def test_connectiontimeout_bounds_the_connection_to_the_backend(start):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port, waiting = full.getsockname()[1], []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        server = start(f"ProxyPass /ws/ ws://127.0.0.1:{port}/ connectiontimeout=500ms")
        server.expect_log("WSP0108: attempt to connect to 127.0.0.1:")
        server.expect_log("WSP0114: handshake refused with 503")
        answer, seconds = seconds_of(lambda: ask(server, "chrome", "/ws/"))
        assert answer.response.status == 503 and 0.4 < seconds < BOUND / 2
        for sock in waiting:
            sock.close()


LIMITS = {"timeout=": ("", "timeout=1"), "ProxyTimeout": ("ProxyTimeout 1", ""),
          "ProxyWebsocketHandshakeTimeout": ("ProxyWebsocketHandshakeTimeout 1s", "timeout=60")}


@pytest.mark.parametrize("line, option", LIMITS.values(), ids=LIMITS.keys())
def test_a_backend_that_does_not_answer_in_time_is_a_504(start, line, option):
    with Listener() as silent:
        server = start(f"{line}\nProxyPass /ws/ {silent.url}/ {option}")
        server.expect_log("WSP0116: handshake refused with 504: the backend .* did not answer in time")
        answer, seconds = seconds_of(lambda: ask(server, "chrome", "/ws/"))
        assert answer.response.status == 504 and 0.9 < seconds < BOUND / 2


@pytest.mark.parametrize("line, option", [("", "timeout=1"), ("ProxyTimeout 1", "")], ids=["timeout=", "ProxyTimeout"])
def test_the_same_limit_ends_a_silent_tunnel_where_timeout_is_no_larger(start, echo, line, option):
    server = start(f"Timeout 1\n{line}\nProxyPass /ws/ {echo.url}/ {option}")
    with server.open_tunnel("/ws/") as client:
        client.echo()
        close, seconds = seconds_of(client.read_close)
        assert close[0] == 1012 and 0.9 < seconds < BOUND / 2


@pytest.mark.parametrize("line, option", [("", "timeout=1"), ("ProxyTimeout 1", "")], ids=["timeout=", "ProxyTimeout"])
def test_a_larger_timeout_is_the_limit_as_with_stock_httpd(start, echo, line, option):
    server = start(f"Timeout 300\n{line}\nProxyPass /ws/ {echo.url}/ {option}")
    with server.open_tunnel("/ws/") as client:
        time.sleep(2.5)   # nothing can be awaited: nothing happens
        client.echo()


def test_httpds_own_timeout_does_not_end_a_silent_tunnel(start, echo):
    server = start(f"Timeout 1\nProxyPass /ws/ {echo.url}/")
    with server.open_tunnel("/ws/") as client:
        time.sleep(2.5)   # nothing can be awaited: nothing happens
        client.echo()


WAY = ["WSP0101: serving URL ws://127.0.0.1:{port}/", "WSP0107: ws: has acquired connection for", "AH00944: connecting ws://",
       "WSP0137: connection established with 127.0.0.1:{port}", "WSP0102: connected; handshake sent to the backend",
       "WSP0103: 101 from the backend", "WSP0104: ", "WSP0201: tunnel ended: "]


def test_the_debug_log_tells_the_way_of_a_handshake_in_order(start, echo):
    server = start(f"LogLevel proxy:debug proxy_websocket:debug\nProxyPass /ws/ {echo.url}/")
    with server.open_tunnel("/ws/") as client:
        client.echo()
        client.send_close(1000)
        assert client.read_close()[0] == 1000
    lines = [server.error_log.wait_for(pattern.replace("{port}", str(echo.port)))[0].text for pattern in WAY]
    everything = [line.text for line in server.error_log.lines()]
    assert [everything.index(line) for line in lines] == sorted(everything.index(line) for line in lines)
