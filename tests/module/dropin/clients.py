"""Requests as Chrome, Firefox, curl and polling clients send them, and what came of one."""

import json
from dataclasses import dataclass, field

from harness import http1
from harness.peer import connect

_CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
_COOKIE = ("Cookie", "sessionid=4f2a; theme=dark")


def _handshake(connection, upgrade, *others):
    return [("Connection", connection), ("Upgrade", upgrade), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", http1.new_key()), *others]


def _chrome():
    return _handshake("Upgrade", "websocket", ("Pragma", "no-cache"), ("Cache-Control", "no-cache"),
                      ("User-Agent", _CHROME), ("Origin", "http://localhost"), ("Accept-Encoding", "gzip, deflate, br"),
                      ("Accept-Language", "en-GB,en;q=0.9"), _COOKIE,
                      ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"))


def _firefox():
    return _handshake("keep-alive, Upgrade", "websocket", ("User-Agent", _FIREFOX), ("Accept", "*/*"),
                      ("Accept-Encoding", "gzip, deflate, br, zstd"), ("Origin", "http://localhost"),
                      ("Sec-WebSocket-Extensions", "permessage-deflate"), _COOKIE, ("Sec-Fetch-Dest", "empty"),
                      ("Sec-Fetch-Mode", "websocket"), ("Sec-Fetch-Site", "same-origin"))


def _curl():
    return _handshake("Upgrade", "websocket", ("User-Agent", "curl/7.88.1"), ("Accept", "*/*"))


def _capitals():
    """SockJS clients and older proxies in front."""
    return _handshake("Upgrade", "WebSocket", ("Origin", "http://localhost"), _COOKIE)


def _polling():
    return [("Connection", "close"), ("User-Agent", _CHROME), ("Accept", "*/*"), ("Origin", "http://localhost"), _COOKIE]


def _page():
    return [("Connection", "close"), ("User-Agent", _FIREFOX), ("Accept", "text/html,*/*;q=0.8"),
            ("Upgrade-Insecure-Requests", "1"), _COOKIE]


def _curl_http2():
    """curl --http2 offers this on every plain request."""
    return [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
            ("User-Agent", "curl/7.88.1"), ("Accept", "*/*")]


def _other_protocol():
    return [("Connection", "Upgrade"), ("Upgrade", "ssh"), ("User-Agent", "Go-http-client/1.1")]


# name -> (method, headers)
CLIENTS = {
    "chrome": ("GET", _chrome), "firefox": ("GET", _firefox), "curl": ("GET", _curl), "capitals": ("GET", _capitals),
    "polling": ("GET", _polling), "posting": ("POST", _polling), "page": ("GET", _page),
    "curl --http2": ("GET", _curl_http2), "ssh": ("GET", _other_protocol),
}


@dataclass
class Answer:
    response: http1.Message
    backend: str = ""           # which teller answered; "" when httpd did
    target: str = ""            # what it was asked for
    seen: http1.Message = field(default_factory=lambda: http1.Message(""))

    def __str__(self):
        return " ".join(filter(None, [str(self.response.status), self.backend, self.target]))

    def header(self, name):
        return self.response.header(name)


def start_request(server, client, path, extra=(), tls=None):
    """The connection on which `client` has sent its request; `extra` headers replace its own of the same name."""
    method, make_headers = CLIENTS[client]
    replaced = dict(extra)
    headers = [(name, value) for name, value in make_headers() if name not in replaced]
    body = b"4hello" if method == "POST" else b""
    peer = connect(server.tls_port if tls else server.port, tls)
    headers += [(name, value) for name, value in extra if name != "Host"]
    peer.send(http1.plain_request(path, headers, method, body, replaced.get("Host", "localhost")))
    return peer


def read_answer(peer):
    """What the request led to; a tunnel is left open behind its story."""
    response = peer.read_response()
    story = peer.read_message() if response.status == 101 else response.body
    if not response.header("X-Backend"):
        return Answer(response)
    told = json.loads(story)
    seen = http1.Message(told["line"], [tuple(pair) for pair in told["headers"]])
    return Answer(response, told["backend"], seen.target, seen)


def ask(server, client, path, extra=(), tls=None):
    """Sends and reads; a tunnel echoes once and ends with a Close."""
    with start_request(server, client, path, extra, tls) as peer:
        answer = read_answer(peer)
        if answer.response.status == 101:
            peer.echo()
            peer.send_close(1000)
            assert peer.read_close()[0] == 1000
        return answer
