"""A backend can neither hold a request thread for longer than the handshake may take, nor make httpd keep what it sends."""

import select

import pytest

from harness import http1
from harness.background import meanwhile
from harness.backend import Listener, silent
from harness.config import ONE_CHILD
from harness.error_log import BACKEND_REFUSES
from harness.waiting import BOUND, PATIENCE, SANITIZED

RUNS_ON = ["event"]   # what is tested here waits and reads on all of them alike

_MEBIBYTE = 1 << 20
_STEP = 0.05          # between the bytes of a backend that is never silent for long
_TLS_RECORD = b"\x16\x03\x03\x40\x00"   # of 16 KiB
_HEAD = b"HTTP/1.1 403 Forbidden\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def narrow_listener():
    """Takes 2 KiB at a time."""
    with Listener(receive_buffer=2048) as listener:
        yield listener


@pytest.fixture(scope="module")
def site(start_shared, mpm, module_listener, tls_module_listener, narrow_listener):
    """Hurried are those whose backend is slow on purpose."""
    return start_shared(f"""
        MaxKeepAliveRequests 0
        LimitRequestFieldSize {16 * _MEBIBYTE}
        <Location /hurried>
            ProxyWebsocketHandshakeTimeout {PATIENCE}s
        </Location>
        ProxyPass /hurried/ws {module_listener.url}/
        ProxyPass /hurried/wss {tls_module_listener.url}/
        ProxyPass /hurried/narrow {narrow_listener.url}/
        ProxyPass /ws {module_listener.url}/
        ProxyPass /wss {tls_module_listener.url}/
        """, mpm_lines=ONE_CHILD[mpm])


def begin(site, stages, beginnings):
    """Clients whose handshakes the backends have begun to answer, each with its session."""
    pairs = []
    for stage in stages:
        for beginning in beginnings:
            client = site.start_handshake(f"/hurried/{stage.scheme}")
            pairs.append((client, stage.accept()))
            pairs[-1][1].send(beginning)
    return pairs


def dribble(pairs, byte=b"y"):
    """A byte now and then from each backend, until httpd has hung up on all of them."""
    listened_to = [peer for _, peer in pairs]
    for _ in range(int(BOUND / _STEP)):
        for peer in list(listened_to):
            try:
                peer.send(byte)
            except OSError:
                listened_to.remove(peer)
        if not listened_to:
            return
        select.select([], [], [], _STEP)
    raise AssertionError(f"{len(listened_to)} of the backends are still listened to")


def close(pairs):
    for pair in pairs:
        for peer in pair:
            peer.close()


BEGINNINGS = (b"HTTP/1.1 101 ", b"HTTP/1.1 101 Switching Protocols\r\nX: ", b"HTTP/1.1 103 Early Hints\r\nX: ",
              b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nX: ")


def test_a_dribbling_answer_is_a_gateway_timeout(site, stage, tls_stage):
    """In the status line, in a field, in an interim answer, after one; and in the TLS handshake."""
    site.allow_log("WSP0(116|151): handshake refused with 504")
    pairs = begin(site, (stage, tls_stage), BEGINNINGS)
    pairs.append((site.start_handshake("/hurried/wss"), tls_stage.accept_raw()))
    pairs[-1][1].send(_TLS_RECORD)
    dribble(pairs)
    assert [client.read_response().status for client, _ in pairs] == len(pairs) * [504]
    assert site.error_log.lines("WSP0116: .* did not answer in time")
    assert site.error_log.lines("WSP0151: .* did not complete the TLS handshake in time")
    close(pairs)


def test_a_backend_that_takes_the_request_in_sips_is_a_gateway_timeout(site, narrow_listener):
    site.expect_log("WSP0116: handshake refused with 504")
    site.expect_log("AH01084: pass request body failed")
    request = http1.handshake_request("/hurried/narrow", {"X": "y" * 12 * _MEBIBYTE})
    with site.start_handshake("/") as client:   # a connection that is in use
        client.read_response()
        with meanwhile(client, "the request is sent", client.send, request):
            with narrow_listener.accept_raw() as sock:
                while not select.select([client.sock], [], [], _STEP)[0] and sock.recv(2048):
                    pass
            assert client.read_response().status == 504


BODIES = (_HEAD + b"\r\n", _HEAD + b"Content-Length: 100000\r\n\r\n", _CHUNKED + b"fffff\r\n", _CHUNKED + b"2\r\nno\r\n1;",
          _CHUNKED + b"2\r\nno\r\n0\r\nX: ")


def test_a_dribbling_body_is_given_up(site, stage, tls_stage):
    """Up to the end, with a length, in a chunk, in a chunk's line, in a trailer."""
    site.expect_log("WSP0135: ")
    site.allow_log(BACKEND_REFUSES)
    pairs = begin(site, (stage, tls_stage), [body + b"y" for body in BODIES])
    dribble(pairs)
    for client, _ in pairs:
        assert client.read_head().status == 403
        client.expect_broken()
    close(pairs)


def test_a_flowing_body_may_take_longer_than_the_handshake(site, stage):
    """Each piece earns it as much time as it had in the beginning."""
    site.allow_log(BACKEND_REFUSES)
    pieces = int(1.3 * PATIENCE / _STEP)
    with site.start_handshake("/hurried/ws") as client:
        with stage.accept() as session:
            session.send(_CHUNKED)
            for _ in range(pieces):
                session.send(b"c00\r\n" + b"y" * 0xc00 + b"\r\n")
                select.select([], [], [], _STEP)
            session.send(b"0\r\n\r\n")
        assert client.read_response().body == b"y" * pieces * 0xc00


# --- memory ---
def pour(session, chunk, count):
    for _ in range(count):
        session.send(chunk)


@pytest.mark.parametrize("head", [_CHUNKED, _HEAD + b"\r\n"], ids=["chunked", "up to the end"])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_long_refusal_is_not_held(site, stage, tls_stage, scheme, head):
    site.allow_log(BACKEND_REFUSES)
    block = b"10000\r\n" + b"y" * 0x10000 + b"\r\n"
    site.allow_log("WSP0117|WSP0119")
    with site.start_handshake(f"/{scheme}") as client:
        with (tls_stage if scheme == "wss" else stage).accept() as session:
            session.send(head)
            before = site.pss_bytes()
            with meanwhile(session, "the refusal is sent", pour, session, block, 1600):
                client.read_head()
                seen = 0
                while seen < 64 * _MEBIBYTE:
                    piece = client.read_some(_MEBIBYTE)
                    assert piece, f"the refusal ended after {seen} bytes"
                    seen += len(piece)
            grown = site.pss_bytes() - before
    print(f"grown by {grown} bytes")
    assert SANITIZED or grown < 8 * _MEBIBYTE, f"httpd grew by {grown} bytes"


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_refusals_leave_nothing_on_a_connection_that_is_used_again(site, stage, tls_stage, scheme):
    site.allow_log(BACKEND_REFUSES)
    head = _HEAD + b"Content-Length: 2\r\nX: " + b"y" * 50_000 + b"\r\n\r\nno"
    with site.start_handshake(f"/{scheme}") as client, (tls_stage if scheme == "wss" else stage).accept() as session:
        for number in range(600):
            if number == 100:
                before = site.pss_bytes()
            if number > 0:
                client.send(http1.handshake_request(f"/{scheme}"))
                session.read_request()
            session.send(head)
            assert client.read_response().status == 403
        grown = site.pss_bytes() - before
    print(f"grown by {grown} bytes")
    assert SANITIZED or grown < 4 * _MEBIBYTE, f"httpd grew by {grown} bytes"


# --- stopping ---
def test_stop_is_heard_wherever_a_backend_is_waited_for(start, stage, tls_stage, mpm):
    """httpd kills what has not ended in ten seconds, and says so (AH00045, AH00046)."""
    with Listener() as unused:
        port = unused.port
    server = start(f"""
        Timeout 300
        ProxyPass /ws {stage.url}/ retry=0
        ProxyPass /wss {tls_stage.url}/ retry=0
        ProxyPass /deaf ws://127.0.0.2:{port}/ retry=0
        """, mpm_lines=ONE_CHILD[mpm])
    server.allow_log(f"{BACKEND_REFUSES}|AH01084")   # and nothing about httpd's own stop
    clients, sessions = [], []

    def wait(path, begin):
        clients.append(server.start_handshake(path))
        sessions.append(begin())

    with silent("127.0.0.2", port):
        wait("/ws", stage.accept)
        for beginning in (b"HTTP/1.1 1", _CHUNKED + b"2\r\nno\r\n"):
            wait("/ws", stage.accept)
            sessions[-1].send(beginning)
        wait("/wss", tls_stage.accept)   # TLS 1.3, with tickets that make the descriptor readable
        wait("/wss", tls_stage.accept_raw)
        sessions[-1].sendall(_TLS_RECORD)
        wait("/deaf", lambda: None)
        server.stop()
    for client in clients:
        client.expect_broken()
        client.close()
    for session in filter(None, sessions):
        session.close()
