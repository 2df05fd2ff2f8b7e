"""Every gate with every way in: a handshake is let through, or told no, exactly as with stock httpd; where it is not, the table
says why. Whatever the order of LoadModule, and who is told no reaches no backend."""

from contextlib import ExitStack

import pytest

from dropin.gates import ALL, GATES
from dropin.teller import Teller
from dropin.ways import WAYS

RUNS_ON = ["event"]   # who may pass does not depend on it
MODULES = ["allowmethods", "unique_id", "security2", "access_compat", "authz_groupfile", "auth_digest"]
FILES = {"passwords": "user:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", "groups": "members: user\nothers: somebody\n",   # password
         **{f"htdocs/{way}/htaccess/.htaccess": "Require all denied\n" for way in ALL}}
BODY = b"hi"


def site_lines(backends, cells, stock):
    gates = [gate.lines.replace("{path}", f"/{way.name}/{gate.name}").replace("{number}", str(number))
             for number, (gate, way) in enumerate(cells, 1)]
    ways = [(stock and way.stock) or way.lines for way in WAYS]
    lines = "\n".join(["RewriteEngine On", "SecRuleEngine On", *gates, *ways])
    for name, teller in backends.items():
        lines = lines.replace("{%s}" % name, f"127.0.0.1:{teller.port}")
    return lines


@pytest.fixture(scope="module")
def backends():
    with ExitStack() as stack:
        yield {name: stack.enter_context(Teller(name)) for name in ("chat", "app")}


def ask_for_tunnel(server, gate, way):
    body = BODY if "Content-Length" in dict(gate.send) else b""
    with server.start_handshake(gate.request(way), dict(gate.send), pipelined=body) as client:
        return client.read_response().status


# All cells in one test: with thousands of log lines, judging the log once per cell takes longer than the cells. Where our
# module stands among the LoadModule lines can only matter to what it maps itself.
@pytest.mark.parametrize("module, names", [
    ("ours, loaded last", ALL), ("ours, loaded first", ("proxypassws", "encoded", "locatedws")), ("stock", ALL),
], ids=["ours, loaded last", "ours, loaded first", "stock"])
def test_every_gate_holds_with_every_way_in(start, backends, module, names):
    stock = module == "stock"
    cells = [(gate, way) for gate in GATES for way in WAYS if way.name in names]
    server = start(site_lines(backends, cells, stock), modules=MODULES, files=FILES, stock=stock,
                   ours_early=module == "ours, loaded first")
    server.allow_log("")
    before = [len(backend.requests) for backend in backends.values()]
    wrong, tunnels = {}, 0
    for gate, way in cells:
        answer = ask_for_tunnel(server, gate, way)
        expected = stock and gate.stock.get(way.name) or gate.but.get(way.name, gate.answer)
        tunnels += answer == 101
        if answer != expected:
            wrong[gate.name, way.name] = f"{answer}, not {expected}"
    assert wrong == {}
    assert sum(len(backend.requests) for backend in backends.values()) - sum(before) == tunnels
    assert server.error_log.lines("AH01144|WSP000") == []


def test_where_we_differ_the_table_says_why():
    assert [gate.name for gate in GATES if bool(gate.why) != bool(gate.stock)] == []
    assert len(GATES) * len(WAYS) >= 500
