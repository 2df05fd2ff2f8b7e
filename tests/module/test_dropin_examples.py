"""conf/examples of whole sites, started as a user copies them."""

import re
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from dropin.clients import ask
from dropin.examples import NAMES, example, in_virtual_host, is_for_virtual_hosts, variables_of
from dropin.teller import Teller
from harness.error_log import BACKEND_REFUSES
from harness.httpd import config_check, free_port

RUNS_ON = ["event"]
# Each is shown by the test of its name here, or by one of these.
SHOWN = {"access-log", "balancer", "files-and-websockets", "location", "proxypass", "rewrite", "wss-backend", "one-mapping",
         "one-mapping-tls-backend", "sticky-balancer", "unix-socket", "rewrite-recipe", "http2", "django",
         "many-clients", "application", "status"}


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
    assert set(NAMES) == SHOWN


@pytest.mark.parametrize("name", ["one-mapping", "rewrite-recipe"])
def test_one_application_for_everything(start, app, tls, name):
    server = start(example(name, BACKEND_PORT=app.port))
    expected = ["101 app /a?b=c"] * 2 + ["200 app /a?b=c"] * 2
    assert answers(server, "/a?b=c") == answers(server, "/a?b=c", tls) == expected


def refusal_of_strict(request):
    """What an application says that compares a handshake's Origin with where it believes to be."""
    here = f"{request.header('X-Forwarded-Proto')}://{request.header('Host')}"
    return None if request.header("Origin") == here else "403 Forbidden"


@contextmanager
def application(start, certificates, changed=lambda lines: lines):
    """The server of the example, and where its virtual host is."""
    port = free_port()
    with Teller("strict") as backend:
        backend.refusal_of = refusal_of_strict
        lines = changed(example("application", SITE_NAME="localhost", SITE_PORT=port, SITE_CERTIFICATE=certificates.certificate,
                                SITE_KEY=certificates.key, BACKEND_PORT=backend.port))
        start(f"Listen 127.0.0.1:{port}\n{lines}").allow_log(BACKEND_REFUSES)
        yield SimpleNamespace(tls_port=port)


def test_application(start, certificates, tls):
    with application(start, certificates) as site:
        host = f"localhost:{site.tls_port}"
        browser = [("Host", host), ("Origin", f"https://{host}")]
        for client, status in (("chrome", 101), ("firefox", 101), ("page", 200), ("polling", 200), ("posting", 200)):
            answer = ask(site, client, "/a?b=c", browser, tls=tls)
            assert str(answer) == f"{status} strict /a?b=c"
            assert (answer.seen.header("Host"), answer.seen.header("X-Forwarded-Proto")) == (host, "https")
        stranger = ask(site, "chrome", "/a", [("Host", host), ("Origin", "https://elsewhere.example")], tls=tls)
        assert stranger.response.status == 403
        assert ask(site, "page", "/a%2Fb", browser, tls=tls).response.status == 404


@pytest.mark.parametrize("line", ["ProxyPreserveHost On", "RequestHeader set X-Forwarded-Proto https"])
def test_application_needs_each_of_its_lines(start, certificates, tls, line):
    with application(start, certificates, lambda lines: lines.replace(f"    {line}\n", "")) as site:
        host = f"localhost:{site.tls_port}"
        assert ask(site, "chrome", "/", [("Host", host), ("Origin", f"https://{host}")], tls=tls).response.status == 403


def test_application_with_the_lines_for_encoded_slashes(start, certificates, tls):
    def changed(lines):
        lines = re.sub(r"^    ProxyPass .*\n", "", lines, flags=re.MULTILINE)
        lines, count = re.subn(r"^    #   (?=AllowEncodedSlashes |ProxyPass )", "    ", lines, flags=re.MULTILINE)
        assert count == 2
        return lines

    with application(start, certificates, changed) as site:
        host = f"localhost:{site.tls_port}"
        for client, status in (("chrome", 101), ("page", 200)):
            answer = ask(site, client, "/a%2Fb%7Ec?d=%2F", [("Host", host), ("Origin", f"https://{host}")], tls=tls)
            assert str(answer) == f"{status} strict /a%2Fb%7Ec?d=%2F"


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
    _, request, numbers, reason, messages = (server.root / "chat.log").read_text().splitlines()[-1].split('"')
    assert (request, numbers.split()[0]) == ("GET /chat/room HTTP/1.1", "101")
    assert (numbers.split()[-2:], reason, messages.split()) == (["client", "1000"], "-", ["1", "2"])


# What leads to a backend in an example that is not one for every path.
ROOMS = {"rewrite": "/rooms/blue"} | dict.fromkeys(
    ["access-log", "balancer", "http2", "location", "proxypass", "unix-socket", "wss-backend"], "/chat/room")
# Others send the client's Host, since many applications refuse an Origin that is not the Host that they see. These do not:
# with TLS it is the name that the certificate must have, a recipe is unchanged, and the rest are about something else.
HOST_IS_THE_BACKENDS = {"wss-backend", "one-mapping-tls-backend", "rewrite-recipe", "http2", "access-log"}
# django's Python takes seconds to end: test_dropin_django starts it in a virtual host. The status page has no backend, and its test in
# this file is in a virtual host.
ELSEWHERE = {"django", "status"}


def test_every_example_works_first_in_a_virtual_host(start, app, certificates):
    names = [name for name in NAMES if is_for_virtual_hosts(name) and name not in ELSEWHERE]
    with Teller("secure", tls=certificates.server_context()) as secure:
        def filled_in(name):
            port = secure.port if "BACKEND_CA" in variables_of(name) else app.port
            values = {"BACKEND_PORT": port, "SECOND_BACKEND_PORT": port, "BACKEND_CA": certificates.ca,
                      "BACKEND_SOCKET": "{root}/run/chat.sock", "SITE_DIR": "{root}/htdocs", "LOG_FILE": "{root}/chat.log"}
            return example(name, **{variable: values[variable] for variable in variables_of(name)})

        server = start("".join(in_virtual_host(filled_in(name), name) for name in names), modules=["http2"])
        with Teller("socket", str(server.root / "run/chat.sock")):
            (server.root / "run/chat.sock").chmod(0o777)
            for name in names:
                answer = ask(server, "chrome", ROOMS.get(name, "/"), [("Host", name)])
                assert answer.response.status == 101, name
                assert (answer.seen.header("Host") == name) == (name not in HOST_IS_THE_BACKENDS), name


def test_an_example_that_is_not_for_virtual_hosts_says_so_there(mpm, certificates):
    others = [name for name in NAMES if not is_for_virtual_hosts(name)]
    assert others == ["application", "many-clients"]   # the first is a virtual host itself
    lines = example("many-clients", BACKEND_PORT=1, SECOND_BACKEND_PORT=2)
    said = config_check(mpm, f"<VirtualHost *:1>\n{lines}\n</VirtualHost>", certificates)
    assert "ProxyWebsocketHandshakeThreads cannot occur within <VirtualHost> section; it is for the whole server" in said


def test_the_status_page_is_for_those_who_may_see_it(start):
    server = start(in_virtual_host(example("status", ADMIN_NETWORK="127.0.0.1")))
    assert b"<h1>WebSocket tunnels</h1>" in server.get("/websocket-status").body
    server.configure(in_virtual_host(example("status", ADMIN_NETWORK="192.0.2.0/24")))
    server.graceful()
    server.allow_log("AH01630|AH01797")
    assert server.get("/websocket-status?format=json").status == 403
