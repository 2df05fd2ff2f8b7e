"""The status page's formats for programs: JSON, CSV, Prometheus and OpenMetrics, and the lines and the section of mod_status."""

import csv
import io
import json
import re
import shutil
import subprocess

import pytest

from harness import frames
from harness.waiting import COMMAND_BOUND, wait_until

RUNS_ON = ["event"]   # the page reads shared memory and asks loops; no MPM knows of it

LINES = """
    <Location /tunnels>
        SetHandler websocket-status
    </Location>
    """


DEAD = "ws://127.0.0.1:9/"


@pytest.fixture(scope="module")
def server(start_shared, echo):
    return start_shared(LINES + f"ProxyPass /echo {echo.url}/\nProxyPass /dead {DEAD} retry=0\n")


def status_json(server, query=""):
    answer = server.get("/tunnels?format=json" + query)
    assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
    return json.loads(answer.body)


def prometheus(server, accept=""):
    answer = server.get("/tunnels?format=prometheus", [("Accept", accept)] if accept else ())
    assert answer.status == 200
    return answer.header("Content-Type"), answer.body.decode()


# --- what is asked for ---
@pytest.mark.parametrize("query, allowed", [
    ("format=xml", "html, json, csv, prometheus"), ("format=json&sort=size", "id, client"), ("order=up", "asc or desc"),
    ("page=0", "a number from 1"), ("size=10001", "from 0 to 10000"), ("format=csv&sort=%00", "id, client")])
def test_a_wrong_parameter_is_told_what_is_allowed(server, query, allowed):
    answer = server.get("/tunnels?" + query)
    assert answer.status == 400 and allowed in answer.body.decode()
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("query", ["", "?format=json", "?format=csv", "?format=prometheus", "?asset=page.js"])
def test_head_is_get_without_its_body(server, query):
    head = server.get("/tunnels" + query, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.header("Content-Length")) > 20


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(server, method):
    answer = server.get("/tunnels", method=method)
    assert (answer.status, "GET" in answer.header("Allow")) == (405, True)


@pytest.mark.parametrize("query", ["", "?format=json", "?format=csv", "?format=prometheus", "?format=xml", "?asset=none"])
def test_nothing_is_cached_sniffed_or_framed(server, query):
    answer = server.get("/tunnels" + query)
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") == "same-origin"
    policy = answer.header("Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ") and "frame-ancestors 'none'" in policy and "unsafe" not in policy


# --- JSON and CSV ---
def test_json_can_leave_rows_out(server):
    assert "rows" not in status_json(server, "&size=0")
    assert status_json(server, "&size=7")["rows"]["size"] == 7


def test_csv_has_a_line_of_names(server):
    answer = server.get("/tunnels?format=csv")
    assert answer.header("Content-Type") == "text/csv; charset=utf-8; header=present"
    assert "websocket-tunnels.csv" in answer.header("Content-Disposition")
    names, *_ = csv.reader(io.StringIO(answer.body.decode(), newline=""))
    assert names[:3] == ["id", "client", "tls"]


# --- the same figures everywhere ---
WANTED = {"open": 2, "opened": 3, "client_eof": 1, "in": 12, "unreachable": 2}


def in_json(server, backend):
    of = {one["backend"]: one for one in status_json(server, "&size=0")["series"]}
    echo, dead = of[backend], of[DEAD]
    return {"open": echo["open"], "opened": echo["opened"], "client_eof": echo["ended"].get("client_eof"),
            "in": echo["messages"]["in"], "unreachable": dead["refused"].get("unreachable")}


def in_prometheus(server, backend):
    text = prometheus(server)[1]

    def of(name, url, more=""):
        number, = re.findall(rf'^apache_websocket_{name}{{vhost="localhost",backend="{re.escape(url)}"{more}}} (\d+)$', text, re.MULTILINE)
        return int(number)

    return {"open": of("tunnels_open", backend), "opened": of("tunnels_opened_total", backend),
            "client_eof": of("tunnels_ended_total", backend, ',reason="client_eof"'),
            "in": of("messages_total", backend, ',direction="in"'),
            "unreachable": of("handshakes_refused_total", DEAD, ',reason="unreachable"')}


def in_mod_status(server):
    lines = dict(line.split(": ", 1) for line in server.get("/server-status?auto").body.decode().splitlines() if ": " in line)
    return {"open": int(lines["WebsocketTunnelsOpen"]), "opened": int(lines["WebsocketTunnelsOpened"]),
            "client_eof": int(lines["WebsocketTunnelsEnded"]), "in": int(lines["WebsocketMessagesIn"]),
            "unreachable": int(lines["WebsocketHandshakesRefused"])}


def test_every_format_has_the_figures_of_what_was_done(start, echo):
    server = start(LINES + f"ProxyPass /echo {echo.url}/\nProxyPass /dead {DEAD} retry=0\n")
    server.allow_log("WSP0114|AH0")
    for _ in range(2):
        with server.start_handshake("/dead") as client:
            assert client.read_response().status == 503
    tunnels = [server.open_tunnel("/echo") for _ in range(3)]
    for tunnel in tunnels * 4:
        tunnel.send_frame(frames.TEXT, b"hello")
        assert tunnel.read_message() == b"hello"
    tunnels[0].close()
    wait_until(lambda: in_json(server, f"{echo.url}/") == WANTED, "the figures in JSON")
    assert in_prometheus(server, f"{echo.url}/") == in_mod_status(server) == WANTED
    assert sum(sum(minute.values()) for minute in status_json(server)["ended_by_minute"]) == 1
    for tunnel in tunnels:
        tunnel.close()


# --- Prometheus ---
SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? ([0-9.]+)')


@pytest.mark.parametrize("accept, kind, openmetrics", [
    ("", "text/plain; version=0.0.4; charset=utf-8", False),
    ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     "application/openmetrics-text; version=1.0.0; charset=utf-8", True)])
def test_every_line_for_prometheus_is_well_formed(server, accept, kind, openmetrics):
    content_type, text = prometheus(server, accept)
    assert content_type == kind
    assert text.endswith("# EOF\n") == openmetrics and ("# UNIT" in text) == openmetrics
    for line in text.removesuffix("# EOF\n").splitlines():
        assert SAMPLE.fullmatch(line) or re.fullmatch(r"# (TYPE|HELP|UNIT) [a-z_]+ .+", line), line


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is in Debian's package prometheus, which is large")
def test_promtool_has_nothing_to_say(server):
    said = subprocess.run(["promtool", "check", "metrics"], input=prometheus(server)[1], capture_output=True, text=True,
                          timeout=COMMAND_BOUND)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_a_parser_that_others_wrote_takes_the_openmetrics(server):
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")   # Debian's python3-prometheus-client
    families = list(parser.text_string_to_metric_families(prometheus(server, "application/openmetrics-text")[1]))
    assert {"apache_websocket_build", "apache_websocket_tunnels_opened"} <= {family.name for family in families}


# --- mod_status ---
def test_mod_status_has_lines_and_a_section(server):
    lines = dict(line.split(": ", 1) for line in server.get("/server-status?auto").body.decode().splitlines() if ": " in line)
    assert lines["WebsocketTunnelsOpen"].isdigit() and lines["WebsocketHandshakesRefused"].isdigit()
    assert "<h2>WebSocket Tunnels</h2>" in server.get("/server-status").body.decode()


def test_the_page_needs_no_mod_status(start):
    assert start(LINES, without=("status",)).get("/tunnels?format=json").status == 200
