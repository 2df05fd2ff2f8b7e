"""Orders on the status page: who may give them, what they do to tunnels of all children, and what the log says of it."""

import http.client
import json
import re
import urllib.parse

import pytest

from harness.config import MPM_IS_FULL
from harness.pair import open_pair
from harness.waiting import wait_until

RUNS_ON = ["event"]   # loops and shared memory; no MPM knows of it

FOUR_CHILDREN = "StartServers 4\nServerLimit 4\nThreadsPerChild 4\nMaxRequestWorkers 16\nMinSpareThreads 16\nMaxSpareThreads 16"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@pytest.fixture(scope="module")
def site(start_shared, module_listener):
    port = module_listener.port
    return start_shared(f"""
        <VirtualHost 127.0.0.1:{{port}}>
        ServerName localhost
        ServerAlias status.example
        <Location /tunnels>
            SetHandler websocket-status
            ProxyWebsocketStatusActions On
        </Location>
        <Location /quiet>
            SetHandler websocket-status
        </Location>
        <Location /guarded>
            SetHandler websocket-status
            ProxyWebsocketStatusActions On
            AuthType Basic
            AuthName operators
            AuthUserFile {{root}}/users
            AuthBasicProvider file
            Require user visitor
        </Location>
        ProxyWebsocketTag "%{{req:X-Name}}"
        ProxyPass /ws ws://127.0.0.1:{port}/ws
        ProxyPass /other ws://127.0.0.1:{port}/other
        ProxyPass /thread ws://127.0.0.1:{port}/ws
        <Location /thread>
            ProxyWebsocketAsync Off
        </Location>
        ProxyPass /plain http://127.0.0.1:{{port}}/
        </VirtualHost>
        """, mpm_lines=FOUR_CHILDREN, files={"users": "visitor:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"})   # password: secret


def post(server, fields, headers=(), path="/tunnels", body=None):
    """The answer to a form: status, headers, text."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    body = urllib.parse.urlencode(fields) if body is None else body
    connection.putrequest("POST", path, skip_host=any(name == "Host" for name, _ in headers), skip_accept_encoding=True)
    for name, value in [*([] if any(name == "Content-Type" for name, _ in headers) else [FORM]), *headers]:
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode())
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), text


def token_of(server, path="/tunnels", headers=()):
    return re.search(r'name="token" value="(\w{64})"', server.get(path, headers).body.decode())[1]


def rows(server):
    return json.loads(server.get("/tunnels?format=json&size=1000").body)["rows"]["tunnels"]


@pytest.fixture(autouse=True)
def nothing_is_left(site):
    """A tunnel of the test before may still be ending."""
    site.allow_log(MPM_IS_FULL)   # four children are all that there may be
    wait_until(lambda: not rows(site), "no tunnel is open")


def opened(server, stage, count, tag, path="/ws"):
    """Whoever has his 101 is listed, and heard of by the next order."""
    return [open_pair(server, path, stage, changes={"X-Name": tag}) for _ in range(count)]


def reads_close(pair, code, reason=""):
    for end in (pair.client, pair.session):
        assert end.read_close() == (code, reason)
    pair.close()


def audit(server, pattern):
    line, = server.error_log.wait_for("WSP0196: status page: " + pattern)
    assert line.level == "notice", line
    return line


# --- closing ---
def test_all_tunnels_of_a_tag_are_closed_in_all_children_and_no_others(site, stage):
    mine = opened(site, stage, 8, "alice") + opened(site, stage, 2, "alice", "/thread")
    others = opened(site, stage, 2, "bob")
    assert post(site, {"action": "close", "tag": "alice"})[::2] == (200, "10 tunnels are being closed.\n")
    for pair in mine:
        reads_close(pair, 1000)
    audit(site, r"close tag=alice code=1000 spread=0s, by user - from 127\.0\.0\.1: 10 tunnels$")
    for pair in others:
        pair.client.send_text("still here")
        assert pair.session.read_message() == b"still here"
        pair.say_goodbye()


@pytest.mark.parametrize("field", ["id", "client", "vhost", "backend", "tag", "all"])
def test_tunnels_are_closed_by_each_field_of_their_rows(site, stage, field):
    pair, = opened(site, stage, 1, "carol", "/other")
    bystander, = opened(site, stage, 1, "dave")
    row = next(row for row in rows(site) if row["tag"] == "carol")
    both = field in ("client", "vhost", "all")
    value = "yes" if field == "all" else row[field]
    status, _, text = post(site, {"action": "close", field: value, "code": 4001, "reason": "bye for now"},
                           [("Accept", "application/json")])
    assert (status, json.loads(text)["matched"]) == (200, 2 if both else 1)
    reads_close(pair, 4001, "bye for now")
    if both:
        reads_close(bystander, 4001, "bye for now")
    else:
        bystander.say_goodbye()
    audit(site, rf'close {field}.* {"2 tunnels" if both else "1 tunnel"}; reason "bye for now"$')
    site.error_log.wait_for("WSP0201: .*an operator closed it .close code 4001")


def test_nobody_is_closed_where_nothing_matches(site):
    assert post(site, {"action": "close", "tag": "nobody"})[::2] == (200, "0 tunnels are being closed.\n")


def test_a_spread_closes_tunnels_one_by_one(site, stage):
    pairs = opened(site, stage, 4, "eve")
    assert post(site, {"action": "close", "tag": "eve", "spread": "300ms"})[2] == "4 tunnels are going to be closed.\n"
    for pair in pairs:
        reads_close(pair, 1000)
    audit(site, "close tag=eve code=1000 spread=0.3s, ")


# --- who may ---
def test_nobody_may_by_default(site):
    status, _, text = post(site, {"action": "close", "all": "yes"}, path="/quiet")
    assert (status, text) == (403, "Orders are not accepted here: ProxyWebsocketStatusActions is not On.\n")
    site.error_log.wait_for("WSP0199: an order on the status page is refused with 403: .*ProxyWebsocketStatusActions")
    assert "token" not in site.get("/quiet").body.decode()


def test_httpds_own_require_decides_first_and_the_log_names_the_user(site):
    order = {"action": "close", "tag": "nobody"}
    assert post(site, order, path="/guarded")[0] == 401
    assert post(site, order, [("Authorization", "Basic dmlzaXRvcjpzZWNyZXQ=")], "/guarded")[0] == 200
    audit(site, r"close tag=nobody .*, by user visitor from 127\.0\.0\.1: 0 tunnels$")


def of_browser(server, token, **changes):
    host = f"localhost:{server.port}"
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin", "Accept": "text/html,*/*"} | changes
    fields = {"action": "close", "tag": "nobody"} | ({"token": token} if token is not None else {})
    return post(server, fields, [(name, value) for name, value in headers.items() if value is not None])


def test_the_pages_own_form_goes_back_to_the_page(site):
    status, headers, _ = of_browser(site, token_of(site))
    assert (status, headers["Location"]) == (303, "/tunnels#tunnels")
    status, headers, _ = of_browser(site, token_of(site), **{"Sec-Fetch-Site": None})
    assert status == 303
    host = f"status.example:{site.port}"
    assert of_browser(site, token_of(site), Host=host, Origin=f"http://{host}")[0] == 303


FOREIGN = {
    "another origin": {"Origin": "http://evil.example", "Sec-Fetch-Site": None},
    "another port": {"Origin": "http://localhost:1", "Sec-Fetch-Site": None},
    "no origin to name": {"Origin": "null", "Sec-Fetch-Site": None},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a neighbour": {"Sec-Fetch-Site": "same-site", "Origin": None},
    "a name that an attacker leads here": {"Host": "evil.example", "Origin": "http://evil.example"},
}


@pytest.mark.parametrize("changes", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_page_of_another_site_can_do_nothing_even_with_the_token(site, changes):
    assert of_browser(site, token_of(site), **changes)[0] == 403
    assert site.error_log.lines("WSP0196") == []


@pytest.mark.parametrize("changes", [{}, {"Origin": None}, {"Sec-Fetch-Site": None}, {"Sec-Fetch-Site": "none", "Origin": None}])
@pytest.mark.parametrize("token", [None, "", "0" * 64, "x"])
def test_a_browser_needs_the_pages_token(site, changes, token):
    status, _, text = of_browser(site, token, **changes)
    assert (status, text.split(" is ")[0]) == (403, "The field token")
    assert site.error_log.lines("WSP0196") == []


def test_a_token_is_one_users_and_of_all_children_and_outlives_a_restart(site):
    password = ("Authorization", "Basic dmlzaXRvcjpzZWNyZXQ=")
    assert token_of(site, "/guarded", [password]) != token_of(site)
    assert of_browser(site, token_of(site, "/guarded", [password]))[0] == 403
    token = token_of(site)
    site.graceful()
    assert {of_browser(site, token)[0] for _ in range(8)} == {303}


def test_a_get_never_acts(site, stage):
    pair, = opened(site, stage, 1, "frank")
    for method in ("GET", "HEAD"):
        assert site.get(f"/tunnels?action=close&all=yes&token={token_of(site)}", method=method).status == 200
    assert site.error_log.lines("WSP0196") == []
    pair.say_goodbye()


# --- what is wrong ---
@pytest.mark.parametrize("fields, words", [
    ({}, "The field action is missing; it takes close, pause or resume."),
    ({"action": "close", "tag": "a", "code": 1006}, "code=1006 is not known here: code takes 1000 to 1003, 1007 to 1014, or 3000 to 4999."),
    ({"action": "close", "tag": "a", "spread": "1y"}, "spread=1y is not known here: spread takes a time from 0 to 24h"),
    ({"action": "close", "all": "yes", "tag": "a"}, "action=close takes exactly one of id="),
    ({"action": "pause"}, "action=pause takes vhost=, backend= or both."),
])
def test_a_bad_value_is_told_with_what_the_field_takes(site, fields, words):
    status, headers, text = post(site, fields)
    assert status == 400 and text.startswith(words), text
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/json"])
def test_only_forms_are_orders(site, kind):
    assert post(site, {"action": "close", "all": "yes"}, [("Content-Type", kind)])[0] == 415


def test_a_large_body_is_not_read(site):
    assert post(site, {}, body="action=close&tag=" + "x" * 10_000)[0] == 413
    assert site.error_log.lines("WSP0196") == []


# --- pausing ---
@pytest.fixture
def resumed(site):
    yield
    assert post(site, {"action": "resume", "all": "yes"})[0] == 200


def refused(server, path):
    with server.start_handshake(path) as client:
        answer = client.read_response()
    return answer.status, answer.header("Retry-After")


def test_a_paused_backend_takes_no_new_tunnels_until_it_is_resumed(site, stage, resumed):
    label = f"{stage.url}/other"
    old, = opened(site, stage, 1, "grace", "/other")
    status, _, text = post(site, {"action": "pause", "backend": label})
    assert status == 200 and text.startswith("New tunnels are paused until somebody resumes them: 1 pair of ")
    audit(site, rf"pause backend={re.escape(label)}, by user - from 127\.0\.0\.1: 1 pair of virtual host and backend$")
    assert {refused(site, "/other") for _ in range(8)} == {(503, "1")}
    site.error_log.wait_for("WSP0197: handshake refused with 503: an operator has paused new tunnels")
    for pair in opened(site, stage, 2, "grace"):   # another backend
        pair.say_goodbye()
    series = json.loads(site.get("/tunnels?format=json").body)["series"]
    assert {each["backend"]: each["paused"] for each in series}[label] is True
    assert "New tunnels are paused: " + label in site.get("/tunnels").body.decode()
    site.graceful()
    assert refused(site, "/other") == (503, "1")
    old.client.send_text("untouched")
    assert old.session.read_message() == b"untouched"
    old.say_goodbye()
    assert post(site, {"action": "resume", "backend": label})[2].startswith("The pause is over: ")
    opened(site, stage, 1, "grace", "/other")[0].say_goodbye()


def test_a_paused_virtual_host_still_serves_plain_requests(site, stage, resumed):
    vhost = "localhost"   # as people call it
    assert post(site, {"action": "pause", "vhost": vhost})[0] == 200
    assert refused(site, "/ws") == (503, "1")
    assert site.get("/index.html").status == 200
    assert site.get("/plain/index.html").status == 200
    assert post(site, {"action": "resume", "vhost": vhost, "backend": ""})[0] == 200
    opened(site, stage, 1, "heidi")[0].say_goodbye()


@pytest.mark.parametrize("field, value", [("vhost", "nobody.example"), ("vhost", "localhost:1"), ("backend", "ws://127.0.0.1:1/")])
def test_a_pause_of_what_is_not_there_is_refused_with_what_is(site, stage, field, value):
    status, _, text = post(site, {"action": "pause", field: value})
    assert status == 400 and f'is called "{value}"; there are ' in text
    assert (f"{stage.url}/other" if field == "backend" else "localhost") in text
    opened(site, stage, 1, "ivan")[0].say_goodbye()


def test_a_pause_that_does_not_exist_does_not_end(site):
    assert post(site, {"action": "resume", "vhost": "nobody"})[2].startswith("There was no such pause")
