"""What a backend may answer to a handshake out of malice or confusion: the client is told 502 or what can be saved of the
refusal; never a tunnel, a crash, a hang, or memory that is gone."""

import pytest

from harness import http1
from harness.config import ONE_CHILD
from harness.waiting import SANITIZED

RUNS_ON = ["event"]   # the same code reads an answer on all of them
CUT = "cut"           # the refusal's head was good, and the client sees that its body is not whole

_MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def site(start_shared, mpm, module_listener):
    return start_shared(f"ProxyPass /ws {module_listener.url}/ retry=0", mpm_lines=ONE_CHILD[mpm])


def refusal(*headers, status="403 Forbidden", body=b"", version="HTTP/1.1"):
    return http1.format_head(f"{version} {status}", headers) + body


def chunked(body):
    return refusal(("Transfer-Encoding", "chunked"), body=body)


def switch(changes=None, first_line=None, extra=b""):
    """A 101 that is right but for the changes."""
    def answer(request):
        good = http1.handshake_response(request, changes)
        if first_line is not None:
            good = first_line + good[good.index(b"\r\n"):]
        return good[:-2] + extra + b"\r\n"
    return answer


STATUS_LINES = {
    "no version": b"101 Switching Protocols", "only a version": b"HTTP/1.1", "a version and a space": b"HTTP/1.1 ",
    "HTTP/2": b"HTTP/2 101 Switching Protocols", "HTTP/2.0": b"HTTP/2.0 101 Switching Protocols",
    "HTTP/0.9": b"HTTP/0.9 101 Switching Protocols", "a version of two digits": b"HTTP/1.10 101 Switching Protocols",
    "no dot": b"HTTP/11 101 Switching Protocols", "lower case": b"http/1.1 101 Switching Protocols",
    "a request": b"GET / HTTP/1.1", "a space before it": b" HTTP/1.1 101 Switching Protocols",
    "two spaces": b"HTTP/1.1  101 Switching Protocols", "a tab": b"HTTP/1.1\t101 Switching Protocols",
    "no space": b"HTTP/1.1101 Switching Protocols", "two digits": b"HTTP/1.1 10 Switching Protocols",
    "four digits": b"HTTP/1.1 1010 Switching Protocols", "a sign": b"HTTP/1.1 +101", "hexadecimal": b"HTTP/1.1 0x1",
    "status 0": b"HTTP/1.1 000 None", "status 99": b"HTTP/1.1 099 Low", "another name": b"ICY 200 OK", "a NUL": b"HTTP/1.1\x00101 Switching Protocols",
}

HEADERS_OF_A_101 = {
    "a folded line": {"extra": b" folded: yes\r\n"}, "a space before the colon": {"extra": b"X : y\r\n"},
    "a line without a name": {"extra": b": y\r\n"}, "a line without a colon": {"extra": b"nonsense\r\n"},
    "a NUL in a value": {"extra": b"X: a\x00b\r\n"}, "a CR in a value": {"extra": b"X: a\rInjected: b\r\n"},
    "an escape in a value": {"extra": b"X: \x1b[2J\r\n"}, "a name with brackets": {"extra": b"X[0]: y\r\n"},
    "a name with a NUL": {"extra": b"X\x00Y: y\r\n"}, "a head of 1 MiB": {"extra": b"X: " + b"y" * _MEBIBYTE + b"\r\n"},
    "30,000 fields": {"extra": b"a: b\r\n" * 30_000},
    "the accept twice": {"extra": b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"},
    "two Upgrades": {"extra": b"Upgrade: h2c\r\n"}, "Upgrade with a version": {"changes": {"Upgrade": "websocket/13"}},
    "a list of Upgrades": {"changes": {"Upgrade": "websocket, h2c"}},
    "a Connection that almost says it": {"changes": {"Connection": "Upgrade-Insecure"}},
    "two subprotocols in two fields": {"changes": {"Sec-WebSocket-Protocol": ["a", "b"]}},
    "an unwanted extension in a second field": {"changes": {"Sec-WebSocket-Extensions": ["", "x-evil"]}},
    "lengths that differ": {"changes": {"Content-Length": ["1", "2"]}},
}

INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"

ANSWERS = {
    "nothing": (b"", 502), "one byte": (b"H", 502), "an empty line": (b"\r\n\r\n", 502), "only CR": (b"\r" * 64, 502),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x28", 502), "a frame": (b"\x81\x05hello", 502), "zeros": (bytes(4096), 502),
    "a line of 1 MiB": (b"HTTP/1.1 101 " + b"y" * _MEBIBYTE, 502),
    "a head without its end": (b"HTTP/1.1 403 Forbidden\r\nX: y\r\n", 502),
    "an interim answer and the end": (INTERIM, 502), "too many interim answers": (INTERIM * 10_000, 502),
    "interim answers of 100 KiB": ((b"HTTP/1.1 103 Early Hints\r\nX: " + b"y" * 100_000 + b"\r\n\r\n") * 50, 502),
    "an interim answer of 1 MiB": (b"HTTP/1.1 103 Early Hints\r\n" + b"X: y\r\n" * 200_000, 502),
    "200": (refusal(("Content-Length", "2"), status="200 OK", body=b"ok"), 502),
    "200 without an end": (refusal(status="200 OK", body=b"y" * _MEBIBYTE), 502),
    "204": (refusal(status="204 No Content"), 502),
    "lengths that differ": (refusal(("Content-Length", "1"), ("Content-Length", "2"), body=b"no"), 502),
    "a list of lengths": (refusal(("Content-Length", "2, 3"), body=b"no"), 502),
    "a negative length": (refusal(("Content-Length", "-1"), body=b"no"), 502),
    "a length with a sign": (refusal(("Content-Length", "+2"), body=b"no"), 502),
    "a hexadecimal length": (refusal(("Content-Length", "0x2"), body=b"no"), 502),
    "an empty length": (refusal(("Content-Length", ""), body=b"no"), 502),
    "a huge length": (refusal(("Content-Length", "9" * 30), body=b"no"), 502),
    "a body shorter than its length": (refusal(("Content-Length", "10"), body=b"no"), CUT),
    "no body where there is a length": (refusal(("Content-Length", "10")), 502),
    "a chunk that is no number": (chunked(b"xyz\r\nno\r\n"), 502), "a negative chunk": (chunked(b"-1\r\nno\r\n"), 502),
    "an empty chunk line": (chunked(b"\r\n\r\n"), 502), "a chunk too large to be one": (chunked(b"f" * 17 + b"\r\n"), 502),
    "a chunk line of 1 MiB": (chunked(b"2;" + b"y" * _MEBIBYTE + b"\r\nno\r\n0\r\n\r\n"), 502),
    "a chunk without its end": (chunked(b"2\r\nno"), CUT), "a chunk longer than it says": (chunked(b"1\r\nno\r\n"), CUT),
    "no last chunk": (chunked(b"2\r\nno\r\n"), CUT), "a trailer without its end": (chunked(b"2\r\nno\r\n0\r\nX: y\r\n"), CUT),
    "a trailer of 1 MiB": (chunked(b"2\r\nno\r\n0\r\n" + b"X: y\r\n" * 200_000), CUT),
}
ANSWERS |= {f"status line: {name}": (line + b"\r\n\r\n", 502) for name, line in STATUS_LINES.items()}
ANSWERS |= {f"101: {name}": (switch(**change), 502) for name, change in HEADERS_OF_A_101.items()}


def ask(site, stage, answer):
    """The status that the client is told, or CUT."""
    site.allow_log(r"WSP\d{4}:|AH\d+:")
    with site.start_handshake("/ws", {"Sec-WebSocket-Protocol": "a, b"}) as client:
        with stage.accept() as session:
            try:
                session.send(answer(session.request) if callable(answer) else answer)
            except ConnectionError:   # httpd may hang up in the middle of it
                pass
        try:
            return client.read_response().status
        except EOFError:
            return CUT


@pytest.mark.parametrize("answer, result", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_evil_answer_is_refused(site, stage, answer, result):
    assert ask(site, stage, answer) == result
    assert not site.error_log.lines("WSP0103|WSP0201")


def test_evil_answers_leave_no_memory_behind(site, stage):
    def all_of_them():
        for answer, _ in ANSWERS.values():
            ask(site, stage, answer)

    for _ in range(2):   # every thread and allocator has met everything
        all_of_them()
    before = site.pss_bytes()
    for _ in range(3):
        all_of_them()
    grown = site.pss_bytes() - before
    print(f"grown by {grown} bytes")
    assert SANITIZED or grown < 3 * _MEBIBYTE, f"httpd grew by {grown} bytes"
    assert site.get("/").status == 200
