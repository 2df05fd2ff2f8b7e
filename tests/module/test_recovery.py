"""Clients that come back by themselves: JupyterLab's, rxjs webSocket() with retry(), Python websockets' `async for`. What they
see when a backend goes without a Close, and when the proxy ends a tunnel, decides whether they do."""

import contextlib
import subprocess

import pytest

from harness.programs import Program
from harness.waiting import BOUND

RUNS_ON = ["event"]   # what a client sees of a tunnel's end is lib's, on whatever thread
_COMMANDS = {
    "jupyterlab": ["node", "jupyterlab-client.js"],
    "rxjs": ["node", "rxjs-client.js"],
    "websockets": ["/usr/bin/python3", "websockets-client.py"],
}
_KERNEL_PROTOCOL = {"Sec-WebSocket-Protocol": "v1.kernel.websocket.jupyter.org"}


@pytest.fixture(scope="module")
def site(start_shared, module_listener):
    return start_shared(f"""
        <Location /idle>
            ProxyWebsocketIdleTimeout 300ms
        </Location>
        <Location /away>
            ProxyWebsocketIdleTimeout 300ms
            ProxyWebsocketCloseCode 1001
        </Location>
        ProxyPassWS / {module_listener.url}/
        """)


class Client(Program):
    """One of _COMMANDS, at work on `path`."""

    def __init__(self, name, folder, site, path):
        self._sessions = []   # open until the client has gone: it would come back
        self._answer = _KERNEL_PROTOCOL if name == "jupyterlab" else None
        super().__init__(name, *_COMMANDS[name], f"ws://localhost:{site.port}{path}", cwd=folder, stderr=subprocess.DEVNULL)

    def open(self, stage):
        """The backend's end of the client's next tunnel."""
        session = stage.accept()
        session.accept_handshake(self._answer)
        assert self.says() == "open"
        self._sessions.append(session)
        return session

    def says(self):
        return self.next_line(3 * BOUND)

    def kill(self):
        super().kill()
        for session in self._sessions:
            session.close()


@pytest.fixture(params=_COMMANDS)
def client(request, site, node_modules):
    """A function that starts one on a path."""
    with contextlib.ExitStack() as stack:
        def begin(path):
            started = Client(request.param, node_modules, site, path)
            stack.callback(started.kill)
            return started
        begin.name = request.param
        yield begin


@pytest.mark.parametrize("way", ["close", "reset"])
def test_a_client_comes_back_when_its_backend_has_gone_without_a_close(client, stage, way):
    visitor = client("/")
    getattr(visitor.open(stage), way)()
    visitor.open(stage)


def test_a_client_comes_back_from_1012_and_rxjs_takes_every_close_for_the_end(client, stage):
    visitor = client("/idle")
    visitor.open(stage)
    if client.name == "rxjs":   # its retry() is for errors; who means ends as well adds repeat()
        assert visitor.says() == "gave up"
    else:
        visitor.open(stage)


def test_a_client_stays_away_after_1001(client, stage):
    """Why 1012 is the default."""
    visitor = client("/away")
    visitor.open(stage)
    assert visitor.says() == "gave up"
