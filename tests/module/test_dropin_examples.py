"""conf/examples of whole sites, started as a user copies them."""

import pytest

from dropin.clients import ask
from dropin.examples import example
from dropin.teller import Teller
from harness.config import REPOSITORY

RUNS_ON = ["event"]
# Each is shown by the test of its name here, or by one of these.
SHOWN = {"access-log", "balancer", "files-and-websockets", "location", "proxypass", "rewrite", "wss-backend", "one-mapping",
         "one-mapping-tls-backend", "sticky-balancer", "unix-socket", "rewrite-recipe", "http2", "django",
         "many-clients"}


@pytest.fixture(scope="module")
def app():
    with Teller("app") as teller:
        yield teller


@pytest.fixture(scope="module")
def other():
    with Teller("other") as teller:
        yield teller


def answers(server, path, tls=None):
    """What a browser's handshake, a page and a polling request lead to."""
    return [str(ask(server, client, path, tls=tls)) for client in ("chrome", "firefox", "page", "posting")]


def test_no_example_is_left_out():
    names = {path.stem for path in (REPOSITORY / "conf/examples").glob("*.conf")}
    assert names == SHOWN


@pytest.mark.parametrize("name", ["one-mapping", "rewrite-recipe"])
def test_one_application_for_everything(start, app, tls, name):
    server = start(example(name, BACKEND_PORT=app.port))
    expected = ["101 app /a?b=c"] * 2 + ["200 app /a?b=c"] * 2
    assert answers(server, "/a?b=c") == answers(server, "/a?b=c", tls) == expected


def test_one_mapping_tls_backend(start, certificates, tls):
    with Teller("secure", tls=certificates.server_context()) as secure:
        server = start(example("one-mapping-tls-backend", BACKEND_PORT=secure.port, BACKEND_CA=certificates.ca))
        expected = ["101 secure /a"] * 2 + ["200 secure /a"] * 2
        assert answers(server, "/a") == answers(server, "/a", tls) == expected


def test_sticky_balancer(start, app, other):
    server = start(example("sticky-balancer", BACKEND_PORT=app.port, SECOND_BACKEND_PORT=other.port))
    first = ask(server, "page", "/")
    route = next(value for value in first.response.all("Set-Cookie") if value.startswith("ROUTEID")).split(";")[0]
    for client in ("posting", "chrome", "page", "firefox"):
        assert ask(server, client, "/", [("Cookie", route)]).backend == first.backend
    assert {ask(server, "chrome", "/").backend for _ in range(12)} == {"app", "other"}


def test_unix_socket(start):
    server = start(example("unix-socket", BACKEND_SOCKET="{root}/run/chat.sock"))
    with Teller("socket", str(server.root / "run/chat.sock")):
        (server.root / "run/chat.sock").chmod(0o777)
        assert str(ask(server, "chrome", "/chat/room")) == "101 socket /room"


def test_plain_mappings(start, app):
    for name in ("proxypass", "location"):
        assert str(ask(start(example(name, BACKEND_PORT=app.port)), "chrome", "/chat/room")) == "101 app /room"


def test_rewrite(start, app):
    server = start(example("rewrite", BACKEND_PORT=app.port))
    assert str(ask(server, "firefox", "/rooms/blue")) == "101 app /room?name=blue"


def test_balancer(start, app, other):
    server = start(example("balancer", BACKEND_PORT=app.port, SECOND_BACKEND_PORT=other.port))
    assert {str(ask(server, "chrome", "/chat/room")) for _ in range(2)} == {"101 app /room", "101 other /room"}


def test_many_clients(start, app, other):
    server = start(example("many-clients", BACKEND_PORT=app.port, SECOND_BACKEND_PORT=other.port))
    assert {str(ask(server, "chrome", "/chat/room")) for _ in range(6)} == {"101 app /room", "101 other /room"}


def test_files_and_websockets(start, app):
    server = start(example("files-and-websockets", BACKEND_PORT=app.port, SITE_DIR="{root}/htdocs"))
    assert str(ask(server, "chrome", "/index.html")) == "101 app /index.html"
    assert ask(server, "page", "/index.html").response.body == b"static\n"
    assert ask(server, "chrome", "/status/").response.status == 404


def test_wss_backend(start, certificates):
    with Teller("secure", tls=certificates.server_context()) as secure:
        server = start(example("wss-backend", BACKEND_PORT=secure.port, BACKEND_CA=certificates.ca))
        assert str(ask(server, "chrome", "/chat/room")) == "101 secure /room"


def test_access_log(start, app):
    server = start(example("access-log", BACKEND_PORT=app.port, LOG_FILE="{root}/chat.log"))
    assert str(ask(server, "chrome", "/chat/room")) == "101 app /room"
    server.access_log.wait_for("/chat/room")
    server.stop()
    _, request, numbers = (server.root / "chat.log").read_text().splitlines()[-1].split('"')
    assert (request, numbers.split()[0]) == ("GET /chat/room HTTP/1.1", "101")
    assert numbers.split()[-4:] == ["1000", "client", "1", "2"]
