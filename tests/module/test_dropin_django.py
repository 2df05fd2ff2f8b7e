"""mod_wsgi with Django and a WebSocket server on one path space: pages from the one, handshakes to the other."""

import asyncio
import json

import pytest
import websockets

from dropin.chat import ChatServer
from dropin.clients import ask
from dropin.examples import example, in_virtual_host
from dropin.teller import Teller
from harness.config import REPOSITORY
from harness.waiting import in_time

pytest.importorskip("django", reason="needs python3-django")
RUNS_ON = ["event", "prefork"]
SITE = {f"site/{path.name}": path.read_text() for path in (REPOSITORY / "tests/module/dropin/django_site").glob("*.py")}
ALIAS = """
    WSGIScriptAlias / {root}/site/wsgi.py
    <Directory {root}/site>
        Require all granted
    </Directory>
    """
# Python in the children themselves, or in a process of its own. With a threaded MPM Debian's mod_wsgi and Django keep a
# child from ending when it is in there, in stock httpd too.
HOME = {"prefork": "", "event": "WSGIRestrictEmbedded On\nWSGIDaemonProcess site threads=5\nWSGIProcessGroup site\n"}
PREFIX = "WSGISocketPrefix {root}/run/wsgi\n"
PAGES = ["/", "/page?a=b", "/deep/er/page/?x=%20"]


@pytest.fixture(scope="module")
def backend():
    with Teller("chat") as teller:
        yield teller


@pytest.fixture(scope="module")
def site(start_shared, backend, mpm):
    mapped = {"prefork": f"{ALIAS}\nProxyPassWS / ws://127.0.0.1:{backend.port}/",
              "event": "WSGIRestrictEmbedded On\n" + in_virtual_host(example("django", SITE_DIR="{root}/site",
                                                                             BACKEND_PORT=backend.port))}
    return start_shared(PREFIX + mapped[mpm], modules=["wsgi"], files=SITE)


@pytest.fixture
def start_beside_django(start, mpm):
    return lambda lines="": start(PREFIX + HOME[mpm] + lines + ALIAS, modules=["wsgi"], files=SITE)


def told_by_django(response):
    assert response.status == 200, response
    return json.loads(response.body)


def test_pages_come_from_django_and_handshakes_go_to_the_websocket_server_on_the_same_paths(site):
    """One test: mod_wsgi's daemon takes three seconds to end, and a server for each would wait for it."""
    for client, method in [("page", "GET"), ("polling", "GET"), ("posting", "POST"), ("curl --http2", "GET")]:
        for path in PAGES:
            told = told_by_django(ask(site, client, path).response)
            assert told == {"method": method, "script": "", "path": path.split("?")[0], "query": path.partition("?")[2],
                            "body": "4hello" if method == "POST" else ""}
    for client in ("chrome", "firefox", "curl", "capitals"):
        for path in [*PAGES, "/missing", "/ws/"]:
            assert str(ask(site, client, path)) == f"101 chat {path}"
    response = ask(site, "page", "/missing").response
    assert (response.status, response.body) == (404, b"no such page")


def test_a_path_mapped_by_proxypass_beside_mod_wsgi(start_beside_django, tls):
    with ChatServer(["127.0.0.1"], users={"k": "anna"}) as sockets:
        server = start_beside_django(f"ProxyPass /horizon/x/y ws://localhost:{sockets.port}/horizon/x/y")

        async def greeting():
            url = f"wss://localhost:{server.tls_port}/horizon/x/y?session_key=k"
            async with websockets.connect(url, ssl=tls) as connection:
                return await connection.recv()

        assert asyncio.run(in_time(greeting(), "the greeting")) == "hello anna"
        for path in ("/horizon/x/z", "/"):
            assert told_by_django(ask(server, "page", path).response)["path"] == path
        refusal = ask(server, "page", "/horizon/x/y").response   # ProxyPassWS would leave it to Django
        assert refusal.status == 426 and b"Failed to open a WebSocket connection" in refusal.body


def test_a_handshake_that_nobody_maps_is_djangos_to_answer(start_beside_django):
    assert told_by_django(ask(start_beside_django(), "chrome", "/page").response)["path"] == "/page"
