"""Every row of the drop-in table, with our module and with stock httpd."""

import pathlib
import re
import socket as socketlib
import tempfile
from contextlib import ExitStack

import pytest

from dropin.clients import ask
from dropin.table import TABLE
from dropin.teller import Teller
from harness.config import library_folder

RUNS_ON = ["event"]   # what is mapped where does not depend on it
FILES = {"htdocs/page.html": "static\n", "htdocs/files/index.html": "static\n",
         "htdocs/slash/.htaccess": "RewriteEngine On\nRewriteRule ^(.*)$ ws:/127.0.0.1:9/$1 [P]\n",
         "passwords": "user:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"}   # password


def open_backends(stack, folder, certificates):
    """What the table's placeholders stand for."""
    tellers = [stack.enter_context(Teller(name, speaks_websocket=name != "pages")) for name in ("app", "chat", "pages")]
    secure = stack.enter_context(Teller("secure", tls=certificates.server_context()))
    socket = folder / "backend.sock"
    stack.enter_context(Teller("socket", str(socket)))
    socket.chmod(0o777)
    # Bound, and nobody listens: while it is, nobody else can.
    closed = stack.enter_context(socketlib.socket())
    closed.bind(("127.0.0.1", 0))
    addresses = {teller.name: f"127.0.0.1:{teller.port}" for teller in tellers}
    return addresses | {"socket": str(socket), "secure": f"localhost:{secure.port}", "nobody": f"127.0.0.1:{closed.getsockname()[1]}",
                        "libraries": library_folder()}


def filled_in(lines, addresses):
    for name, address in addresses.items():
        lines = lines.replace("{%s}" % name, address)
    return lines


def id_of(site):
    return site.name.replace(" ", "-")


@pytest.fixture(scope="module")
def addresses(certificates):
    with ExitStack() as stack:   # below /tmp, where httpd's children may go
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wsp-", dir="/tmp")))
        folder.chmod(0o755)
        yield open_backends(stack, folder, certificates)


@pytest.fixture
def serve(start, addresses):
    """A server with the lines of a site."""
    def serve(site, lines, **options):
        return start(filled_in(lines, addresses), modules=site.modules, files=FILES, **options)
    return serve


def check_headers(expected, message):
    for name, pattern in expected.items():
        value = message.header(name)
        found = value is None if pattern is None else value is not None and re.search(pattern, value)
        assert found, f"{name} is {value!r}, expected {pattern!r}"


def allow_refusals(server, site):
    """Where a row is refused, the log says so; anything else in the log fails the test."""
    if any(re.match("40|42|50", row.ours) for row in site.rows):
        server.allow_log(r"WSP\d{4}: (handshake|request .*) refused|AH0095[79]:|AH01114:|AH01170:|AH01617:|AH01630:")


@pytest.mark.parametrize("site", TABLE, ids=id_of)
def test_our_answers(serve, site):
    server = serve(site, site.fewer or site.lines)
    allow_refusals(server, site)
    for row in site.rows:
        answer = ask(server, row.client, row.path, row.send)
        assert str(answer) == row.ours, row
        check_headers(row.answer, answer.response)
        check_headers(row.seen, answer.seen)


@pytest.mark.parametrize("site", TABLE, ids=id_of)
def test_stock_httpds_answers(serve, site):
    server = serve(site, site.lines, stock=True)
    server.allow_log("")
    for row in site.rows:
        assert str(ask(server, row.client, row.path, row.send)) == (row.stock or row.ours), row
    server.allow_log("")


def test_where_we_differ_the_table_says_why():
    rows = [row for site in TABLE for row in site.rows]
    assert [row for row in rows if bool(row.why) != bool(row.stock)] == []
    assert len(rows) >= 40
