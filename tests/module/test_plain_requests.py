"""A request that is no handshake, on a ws:// or wss:// mapping: mod_proxy_http takes it to the same backend, and where it may
not, or is not there, the client is told what is spoken there. Which mapping leads where is in dropin/table.py."""

import pytest

from dropin.clients import ask
from dropin.teller import Teller
from harness import http1
from harness.error_log import REFUSAL
from harness.http2 import Http2Connection
from harness.peer import connect

RUNS_ON = ["event"]   # a request is mapped before its MPM matters

HTTP2 = "Protocols h2 http/1.1\n"


@pytest.fixture(scope="module")
def chat():
    with Teller("chat") as teller:
        yield teller


def mappings(chat):
    return f"""
        ProxyPass /ws ws://127.0.0.1:{chat.port}/inner
        ProxyPassWS /handshakes ws://127.0.0.1:{chat.port}/
        <Location /handshakes>
            RequestHeader unset Upgrade "expr=%{{QUERY_STRING}} == 'unset'"
        </Location>
        <Proxy balancer://chats>
            BalancerMember ws://127.0.0.1:{chat.port}
        </Proxy>
        ProxyPass /balanced balancer://chats/
        """


# --- mod_proxy_http takes it ---
@pytest.fixture(scope="module", params=[False, True], ids=["http-first", "ours-first"])
def site(request, start_shared, chat, module_listener):
    """Whatever the order of LoadModule."""
    return start_shared(f"{HTTP2}ProxyPass /stage {module_listener.url}/\n{mappings(chat)}", modules=["http2"],
                        ours_early=request.param)


@pytest.mark.parametrize("path", ["/ws?a=b%20c", "/balanced/?a=b%20c"])
def test_pages_polling_and_handshakes_share_a_mapping(site, path):
    target = "/inner?a=b%20c" if path.startswith("/ws") else "//?a=b%20c"
    for client, status in (("page", 200), ("posting", 200), ("curl --http2", 200), ("chrome", 101), ("firefox", 101)):
        answer = ask(site, client, path)
        assert str(answer) == f"{status} chat {target}"
        assert answer.seen.header("Upgrade") == ("websocket" if status == 101 else None)


def test_the_same_over_tls_and_http2(site, tls, certificates):
    assert [str(ask(site, client, "/ws", tls=tls)) for client in ("page", "chrome")] == ["200 chat /inner", "101 chat /inner"]
    with Http2Connection(site.tls_port, certificates.client_context(["h2"]), needs_connect=False) as connection:
        stream = connection.get("/ws?over=h2")
        assert stream.status == 200 and b"GET /inner?over=h2 HTTP/1.1" in stream.recv(10_000)


def test_head_has_no_body_and_the_connection_lives_on(site):
    with connect(site.port) as client:
        client.send(http1.plain_request("/ws", method="HEAD"))
        response = client.read_response("HEAD")
        assert (response.status, response.header("X-Backend")) == (200, "chat")
        client.send(http1.handshake_request("/ws"))
        assert client.read_response().status == 101


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_waits_for_100_continue_arrives(site, stage, chunked):
    length = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "5")
    with connect(site.port) as client:
        client.send(http1.format_head("POST /stage/x HTTP/1.1", [("Host", "localhost"), ("Expect", "100-continue"), length]))
        with stage.accept() as session:
            assert session.request.header("Expect") == "100-continue"
            session.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert client.read_head().status == 100
            client.send(b"5\r\nhello\r\n0\r\n\r\n" if chunked else b"hello")
            assert session.read_until(b"hello").endswith(b"hello")
            session.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            assert client.read_response().body == b"ok"


def test_what_proxypassws_has_mapped_never_becomes_a_page(site, chat):
    """Not even when a header is taken away behind the mapping: the backend is for handshakes alone."""
    seen = len(chat.requests)
    site.expect_log("WSP0111:.*ProxyPassWS is for handshakes only")
    assert ask(site, "chrome", "/handshakes?unset").response.status == 426
    assert ask(site, "page", "/handshakes").response.status == 404
    assert len(chat.requests) == seen


# --- it does not ---
WHY = {"off": ", and ProxyWebsocketFallbackToProxyHttp is Off; request",
       "lacking": ", and mod_proxy_http is not loaded; request"}
TO_LOAD = "WSP0147: mod_proxy_http is not loaded: .*a2enmod proxy_http"


@pytest.fixture(scope="module", params=["off", "lacking"])
def deaf_site(request, start_shared, chat):
    """Off, or without mod_proxy_http, in whose place stock's module is loaded too: it is asked behind ours."""
    lacking = request.param == "lacking"
    server = start_shared(f"""
        {HTTP2}
        {"" if lacking else "ProxyWebsocketFallbackToProxyHttp Off"}
        <Location /ws/text>
            ErrorDocument 426 "our own words"
        </Location>
        <Location /ws/page>
            ErrorDocument 426 /told.html
        </Location>
        {mappings(chat)}
        """, modules=["http2", "proxy_wstunnel"], without=["proxy_http"] if lacking else [], ours_early=True,
        files={"htdocs/told.html": "a page of files\n"})
    server.why = WHY[request.param]
    return server


def told(site, request, method="GET"):
    """The answer to a request that is refused, of which one line in the log says why."""
    site.allow_log(r"WSP\d{4}:")
    with connect(site.port) as client:
        client.send(request)
        response = client.read_response(method)
        client.send(http1.plain_request("/"))
        assert client.read_response().status == 200
    assert response.status == 426
    assert len(site.error_log.wait_for(r"WSP0111: handshake refused with 426")) == 1
    return response


# In the first test of this file on such a server: the hint is said once in a child process, and the server has one.
@pytest.mark.parametrize("path", ["/ws", "/balanced/"])
def test_what_is_missing_is_named(deaf_site, path):
    told(deaf_site, http1.plain_request(path))
    assert deaf_site.error_log.lines(f"WSP0111: .*{deaf_site.why}")
    assert deaf_site.error_log.total(TO_LOAD) == (1 if "loaded" in deaf_site.why else 0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_page_says_what_is_spoken_there(deaf_site, method):
    """httpd's own text for 426 is about SSL."""
    response = told(deaf_site, http1.plain_request("/ws", method=method, body=b"a=b" * (method == "POST")), method)
    assert (response.header("Upgrade"), response.header("Connection")) == ("websocket", "Upgrade")
    assert response.header("Content-Type").startswith("text/html")
    assert (b"This address is for WebSocket connections" in response.body) == (method != "HEAD")
    assert b"SSL" not in response.body


def test_a_client_that_waits_with_its_body_is_told_at_once(deaf_site):
    deaf_site.allow_log(REFUSAL)
    with connect(deaf_site.port) as client:
        client.send(http1.format_head("POST /ws HTTP/1.1", [("Host", "localhost"), ("Expect", "100-continue"),
                                                            ("Content-Length", "5")]))
        assert client.read_response().status == 426


def test_another_version_is_told_the_one_that_is_spoken(deaf_site):
    response = told(deaf_site, http1.handshake_request("/ws", {"Sec-WebSocket-Version": "8"}))
    assert b"This server speaks only version 13 of the WebSocket protocol." in response.body


@pytest.mark.parametrize("path, page", [("/ws/text", b"our own words"), ("/ws/page", b"a page of files\n")])
def test_an_error_document_of_the_site_comes_before_our_page(deaf_site, path, page):
    assert told(deaf_site, http1.plain_request(path)).body == page


def test_the_page_over_http2(deaf_site, certificates):
    deaf_site.allow_log(REFUSAL)
    with Http2Connection(deaf_site.tls_port, certificates.client_context(["h2"]), needs_connect=False) as connection:
        stream = connection.get("/ws")
        assert stream.status == 426 and b"This address is for WebSocket connections" in stream.recv(10_000)


def test_handshakes_are_tunnelled_all_the_same(deaf_site):
    assert str(ask(deaf_site, "chrome", "/ws")) == "101 chat /inner"
    assert str(ask(deaf_site, "firefox", "/balanced/")) == "101 chat //"


def test_another_protocol_that_upgrade_asks_for_is_named(start, chat):
    server = start(f"ProxyWebsocketFallbackToProxyHttp Off\nProxyPass /x ws://127.0.0.1:{chat.port}/ upgrade=<ssh>")
    response = told(server, http1.handshake_request("/x"))
    assert response.header("Upgrade") == "<ssh>"
    assert b"connections that upgrade to &lt;ssh&gt;." in response.body


def test_a_backends_426_that_httpd_is_to_replace_has_our_page_too(start, chat):
    chat.refusal = "426 Upgrade Required"
    server = start(f"ProxyErrorOverride On\nProxyPass /ws ws://127.0.0.1:{chat.port}/")
    server.allow_log(REFUSAL)
    try:
        response = ask(server, "chrome", "/ws").response
    finally:
        chat.refusal = None
    assert response.status == 426 and b"This address is for WebSocket connections" in response.body
