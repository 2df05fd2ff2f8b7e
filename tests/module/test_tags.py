"""ProxyWebsocketTag: whose tunnel it is."""

import pytest

from harness.httpd import config_check
from harness.pair import open_pair
from harness.waiting import wait_until

RUNS_ON = ["event"]   # configuration, and what is asked of a request

HEADERS = {"Authorization": "Basic dmlzaXRvcjpzZWNyZXQ=", "Cookie": "a=1; session=s-42", "X-Custom": "yes"}
ANSWER = {"X-User": "from-the-backend"}
# Path -> its own line, and the tag of its tunnels; "-" is none.
PLACES = {
    "/of-server": ("", "server-yes"),
    "/off": ("ProxyWebsocketTag Off", "-"),
    "/of-user": ('ProxyWebsocketTag "%{REMOTE_USER}"', "visitor"),
    "/of-answer": ("ProxyWebsocketTag %{resp:X-User}", "from-the-backend"),
    "/of-cookie": ("""ProxyWebsocketTag "%{req:Cookie}" """, "a=1; session=s-42"),
    "/of-environment": ("ProxyWebsocketTag %{env:TAGGED}@%{SERVER_NAME}", "marked@localhost"),
    "/of-nothing": ("ProxyWebsocketTag %{req:X-Nothing}", "-"),
    "/long": ("ProxyWebsocketTag %{req:X-Long}", "x" * 128),
    "/dirty": ("ProxyWebsocketTag %{req:X-Dirty}", "a b?c"),
}


@pytest.fixture(scope="module")
def site(start_shared, module_listener):
    sections = "\n".join(f"<Location {path}>\n{line}\n</Location>\nProxyPass {path} {module_listener.url}/"
                         for path, (line, _) in PLACES.items())
    return start_shared(f"""
        LogFormat "%U <%{{ws-tag}}n>" tags
        CustomLog tags.log tags
        SetEnvIf X-Custom yes TAGGED=marked
        ProxyWebsocketTag "server-%{{req:X-Custom}}"
        <Location />
            AuthType Basic
            AuthName chat
            AuthUserFile {{root}}/users
            AuthBasicProvider file
            Require all granted
        </Location>
        <Location /of-user>
            Require user visitor
        </Location>
        {sections}
        <Location /failing>
            ProxyWebsocketTag "%{{file:{{root}}/nothing}}"
        </Location>
        ProxyPass /failing {module_listener.url}/
        """, files={"users": "visitor:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"})


def tag_of(site, stage, path):
    headers = {**HEADERS, "X-Long": "x" * 300, "X-Dirty": "\ta\tb\xffc "}
    with open_pair(site, path, stage, changes=headers, answer=ANSWER) as pair:
        pair.say_goodbye()
    log = site.root / "tags.log"
    return wait_until(lambda: log.exists() and [line for line in log.read_text().split("\n")[:-1] if line.startswith(path + " ")],
                      f"the line of {path}")[0].split(" ", 1)[1]


@pytest.mark.parametrize("path", PLACES)
def test_a_tag_is_what_its_expression_says_when_the_backend_has_answered(site, stage, path):
    assert tag_of(site, stage, path) == f"<{PLACES[path][1]}>"


def test_an_expression_that_fails_leaves_a_tunnel_without_tag_and_a_warning(site, stage):
    site.expect_log("WSP0198: the expression of ProxyWebsocketTag fails: .*/nothing; the tunnel has no tag; .* /failing,")
    site.allow_log("Evaluation of expression from .* failed")   # httpd's own
    assert tag_of(site, stage, "/failing") == "<->"


@pytest.mark.parametrize("line, words", [
    ('ProxyWebsocketTag "%{REMOTE_USER"', 'ProxyWebsocketTag: "%{REMOTE_USER" is no expression of httpd: '),
    ('ProxyWebsocketTag "%{nothing:x}"', "is no expression of httpd: "),
    ("ProxyWebsocketTag", "ProxyWebsocketTag takes one expression, such as"),
    ("ProxyWebsocketTag a b", "ProxyWebsocketTag takes one expression, such as"),
])
def test_what_is_no_expression_stops_httpd(mpm, certificates, line, words):
    assert words in config_check(mpm, line, certificates)
