"""The test's WebSocket client: opens a tunnel in one call and refuses to go on when there is none."""

from . import http1
from .peer import connect


def start_handshake(port, path, changes=None, tls=None, pipelined=b"", **connection):
    """Sends an opening handshake, `pipelined` glued behind it; the answer is still to be read."""
    client = connect(port, tls, **connection)
    client.send(http1.handshake_request(path, changes) + pipelined)
    return client


def finish_handshake(client):
    """Reads the 101; its headers stay in client.response."""
    client.response = client.read_response()
    assert client.response.status == 101, f"{client.response.first_line}\n{client.response.body[:500]!r}"
    return client


def open_tunnel(port, path, changes=None, tls=None, pipelined=b"", **connection):
    return finish_handshake(start_handshake(port, path, changes, tls, pipelined, **connection))


def get(port, path, headers=(), tls=None, method="GET"):
    """One plain request on a connection of its own."""
    with connect(port, tls) as client:
        client.send(http1.plain_request(path, [("Connection", "close"), *headers], method))
        return client.read_response(method)
