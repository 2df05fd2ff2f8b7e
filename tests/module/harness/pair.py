"""Both ends of one tunnel in one test: the client's and the backend's."""

from dataclasses import dataclass

from .backend import Session
from .client import finish_handshake
from .peer import Peer


@dataclass
class Pair:
    client: Peer
    session: Session

    def ends(self, sender):
        """(who sends, who receives) for sender "client" or "backend"."""
        return (self.client, self.session) if sender == "client" else (self.session, self.client)

    def say_goodbye(self, code=1000):
        """The closing handshake, begun by the client, to the end of TCP on both sides."""
        self.client.send_close(code)
        assert self.session.read_close() == (code, "")
        self.session.send_close(code)
        assert self.client.read_close() == (code, "")
        self.session.close()
        self.client.expect_end()

    def close(self):
        self.client.close()
        self.session.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def open_pair(server, path, listener, tls=None, pipelined=b"", glued=b"", changes=None, answer=None, **connection):
    """Opens a tunnel through `path`, which leads to `listener`; `changes` to the client's headers, `answer` to the 101's."""
    client = server.start_handshake(path, changes, tls, pipelined, **connection)
    session = listener.accept()
    session.accept_handshake(answer, glued)
    return Pair(finish_handshake(client), session)
