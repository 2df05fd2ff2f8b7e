"""ws:/host for ws://host in a RewriteRule that httpd cannot judge at its start: each request is refused, and the log says why."""

import pytest

from dropin.clients import ask
from dropin.teller import Teller

RUNS_ON = ["event"]   # mod_rewrite's rules are judged before an MPM matters

# With these the path that mod_rewrite takes "ws:/host" for leads back to this very server: without a check every request
# makes another one, until no worker is left.
_ROUND = """
UseCanonicalPhysicalPort On
RewriteEngine On
SetEnvIf Request_URI . SCHEME=ws
RewriteRule /. %{ENV:SCHEME}:/127.0.0.1:9/x [P]
"""
_HTACCESS = "RewriteEngine On\nRewriteRule ^(.*)$ {}:/127.0.0.1:9/$1 [P,L]\n"
_DIRECTORY = """
<Directory "{root}/htdocs">
    AllowOverride FileInfo
</Directory>
"""
_CLIENTS = ["chrome", "firefox", "page", "posting"]


def refused_with(server, host, answer):
    server.expect_log(rf"WSP0126: request \w+ \S+ refused with 500: a RewriteRule leads to {host}.*two slashes, ws://host")
    return str(answer) == "500"


@pytest.mark.parametrize("client", _CLIENTS)
@pytest.mark.parametrize("line", ["", "ProxyWebsocketUpgradeHttp On"])
def test_a_rule_that_leads_round_and_round_is_refused_at_once(start, client, line):
    server = start(f"{line}\n{_ROUND}")
    assert refused_with(server, "ws:/127.0.0.1:9/x", ask(server, client, "/any"))
    server.access_log.wait_for("", 2)   # this request and the one that httpd was asked at its start


@pytest.mark.parametrize("rule", [
    "RewriteRule ^/a wss:/localhost:1/ [P]", "RewriteRule \"^/a\"\t'WS:/localhost:1/x' [QSA,Proxy]",
    "<Location />\nRewriteEngine on\nRewriteRule a$ ws:/localhost:1/ \"[L, P]\"\n</Location>"])
def test_a_rule_that_can_be_told_at_the_start_is_warned_of_with_its_line(start, rule):
    """And stops nobody: the site goes on."""
    server = start(f"RewriteEngine on\n{rule}")
    server.expect_log(r"WSP0020: .RewriteRule .*on line \d+ of .*/httpd.conf leads nowhere: a WebSocket URL has two slashes")
    server.allow_log("WSP0126")
    assert len(server.error_log.lines("WSP0020")) == 1
    assert server.get("/").status == 200
    assert str(ask(server, "chrome", "/a")) == "500"


@pytest.mark.parametrize("scheme", ["ws", "wss", "WS"])
@pytest.mark.parametrize("client", _CLIENTS)
def test_a_rule_in_an_htaccess_file(start, certificates, scheme, client):
    server = start(_DIRECTORY, files={"htdocs/d/.htaccess": _HTACCESS.format(scheme)})
    assert refused_with(server, f"{scheme}:/127.0.0.1:9/", ask(server, client, "/d/x"))
    assert refused_with(server, f"{scheme}:/127.0.0.1:9/", ask(server, client, "/d/x", tls=certificates.client_context()))
    assert str(ask(server, "page", "/")) == "200"


def test_a_variable_may_bring_the_second_slash(start):
    with Teller("chat") as chat:
        server = start("RewriteEngine On\nRewriteRule ^/to(/.*)$ ws:/$1 [P]")
        assert str(ask(server, "chrome", f"/to/127.0.0.1:{chat.port}/a")) == "101 chat /a"


def test_what_only_looks_like_it_is_forwarded(start):
    """Such a path on another server, and one that the client asks for."""
    with Teller("app") as app:
        server = start(f"""
            UseCanonicalPhysicalPort On
            RewriteEngine On
            RewriteRule ^/far/(.*)$ http://127.0.0.1:{app.port}/ws:/$1 [P]
            RewriteRule ^/round/(.*)$ http://localhost:{{port}}/$1 [P]
            ProxyPass /ws:/ http://127.0.0.1:{app.port}/
            """)
        assert str(ask(server, "page", "/far/x")) == "200 app /ws:/x"
        assert str(ask(server, "page", "/round/ws:/x")) == "200 app /x"
        assert str(ask(server, "page", "/ws:/x")) == "200 app /x"
