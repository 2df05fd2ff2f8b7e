"""Pages, refused handshakes and tunnels in turn, over kept-alive connections to one backend: nobody gets another's bytes."""

import random
import threading

from harness import http1
from harness.backend import Listener, echo_until_close
from harness.client import finish_handshake
from harness.config import ONE_CHILD
from harness.peer import connect

_ROUNDS, _FULL_ROUNDS = 700, 3400   # of three requests each


class Site(Listener):
    """An application that serves pages, refuses some handshakes and echoes on others, and keeps connections open."""

    def __init__(self):
        super().__init__()
        self._socket.settimeout(None)
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                session = self.accept_connection()
            except OSError:   # closed
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(session,), daemon=True).start()

    def _answer(self, session):
        session.sock.settimeout(None)
        try:
            while self._answer_one(session):
                pass
        except (EOFError, OSError):
            session.close()

    @staticmethod
    def _answer_one(session):
        request = session.read_request()
        if request.target.startswith("/tunnel"):
            session.accept_handshake()
            echo_until_close(session)
            session.close()
            return False
        body = body_of(request.target)
        status = "401 Unauthorized" if request.target.startswith("/refused") else "200 OK"
        if len(body) % 2:
            session.send(http1.format_head(f"HTTP/1.1 {status}", [("Content-Length", str(len(body)))]) + body)
        else:
            head = http1.format_head(f"HTTP/1.1 {status}", [("Transfer-Encoding", "chunked")])
            session.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        return True


def body_of(path):
    """Different for each path, in content and length."""
    return random.Random(path).randbytes(1 + random.Random(path).randrange(3000))


def expect_page(client, path, status, request):
    client.send(request)
    response = client.read_response()
    assert (response.status, response.body) == (status, body_of(path)), path


def expect_tunnel(server, path):
    client = server.start_handshake(path)
    with finish_handshake(client) as client:
        for _ in range(2):
            client.echo(body_of(path))
        client.send_close(1000)
        assert client.read_close()[0] == 1000
        client.expect_end()


def test_every_byte_of_every_answer_is_the_request_s_own(start, mpm, full):
    rounds = _FULL_ROUNDS if full else _ROUNDS
    with Site() as site:
        server = start(f"""
            ProxyWebsocketUpgradeHttp On
            MaxKeepAliveRequests 0
            ProxyPass / http://127.0.0.1:{site.port}/ retry=0""", mpm_lines=ONE_CHILD[mpm])
        server.allow_log("WSP0119:")
        for number in range(rounds):
            with connect(server.port) as client:
                expect_page(client, f"/page/{number}", 200, http1.plain_request(f"/page/{number}"))
                expect_page(client, f"/refused/{number}", 401, http1.handshake_request(f"/refused/{number}"))
            expect_tunnel(server, f"/tunnel/{number}")
        assert site.connections < 2 * rounds, "connections are not kept"
