"""Every mapping is named, with what to change for it, what may go, and what differs on purpose."""

import pathlib

import pytest

MAPPINGS = {
    "ProxyPass": ("ProxyPass /a ws://app/a", 1),
    "wss": ("SSLProxyEngine on\nProxyPass /a wss://app/a", 1),
    "ProxyPassMatch": ("ProxyPassMatch ^/a/(.*)$ ws://app/$1", 1),
    "a quoted one in capitals": ('PROXYPASS "/a" "WS://app/a"', 1),
    "a Unix socket": ("ProxyPass /a unix:/run/app.sock|ws://localhost/a", 1),
    "upgrade=": ("ProxyPass / http://app/ upgrade=websocket", 1),
    "upgrade=NONE": ("ProxyPass / http://app/ upgrade=NONE", 0),
    "a rule": ("RewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteRule ^/a$ ws://app/b?c=$1 [P]", 1),
    "members": ("<Proxy balancer://c>\nBalancerMember ws://a\nBalancerMember ws://b\n</Proxy>\nProxyPass /c/ balancer://c/", 3),
    "members with upgrade=": ("<Proxy balancer://c>\nBalancerMember http://a upgrade=websocket\n</Proxy>\nProxyPass /c/ balancer://c/", 2),
    "a member by the balancer's name": ("BalancerMember balancer://c ws://a\nProxyPass /c/ balancer://c/", 2),
    "inside a Location": ("<Location /a>\nProxyPass ws://app/a\n</Location>", 1),
    "inside a LocationMatch": ('<LocationMatch "^/a/(.*)$">\nProxyPassMatch ws://app/$1\n</LocationMatch>', 1),
    "ProxyPassWS": ("ProxyPassWS / http://app/", 1),
    "none": ("ProxyPass / http://app/\nRewriteRule ^/x$ http://app/y [P]\nProxyPass /z !", 0),
}


@pytest.mark.parametrize("body, count", MAPPINGS.values(), ids=MAPPINGS)
def test_every_way_to_map_websockets_is_named(look, body, count):
    outcome = look(body)
    assert len(outcome.texts("mapping")) == count, outcome.out
    assert outcome.texts("mistake") == [], outcome.out


def test_usually_only_the_LoadModule_line_changes(look):
    outcome = look("ProxyPass /a ws://app/a")
    assert outcome.texts("mapping") == ["ProxyPass /a ws://app/a: nothing to change but the LoadModule line"]
    assert outcome.lines("change") == [4]
    assert "LoadModule proxy_websocket_module modules/mod_proxy_websocket.so" in outcome.texts("change")[0]


def test_nothing_changes_once_the_module_is_loaded(look):
    outcome = look("ProxyPass /a ws://app/a", speaker="proxy_websocket")
    assert outcome.texts("mapping") == ["ProxyPass /a ws://app/a: nothing to change"]
    assert outcome.texts("change") == []


def test_of_both_modules_the_old_one_may_go(look):
    outcome = look("ProxyPass /a ws://app/a", outside="LoadModule proxy_websocket_module modules/mod_proxy_websocket.so")
    assert outcome.lines("delete", "mod_proxy_wstunnel may go") == [4]


@pytest.mark.parametrize("body", ["ProxyPass / http://app/ upgrade=websocket", "ProxyPass /ws/ ws://app/"])
def test_where_mod_proxy_http_does_the_tunnels_the_module_is_added(look, body):
    outcome = look(body, speaker="proxy_fcgi")
    assert outcome.lines("change", "add LoadModule proxy_websocket_module") == [4]


def test_a_mapping_with_a_mistake_says_so(look):
    assert "once what is wrong with it is mended" in look("ProxyPass /a/ ws://app/a").texts("mapping")[0]


def test_sections_that_name_the_old_module_change_with_it(look):
    outcome = look("<IfModule mod_proxy_wstunnel.c>\nProxyPass /a ws://app/a\n</IfModule>")
    assert outcome.lines("change", "<IfModule mod_proxy_websocket.c>") == [7]


CONDITIONS = "RewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteCond %{HTTP:Connection} upgrade [NC]\n"
RULE = CONDITIONS + "RewriteRule ^/(.*)$ ws://app:8000/$1 [P,L]\n"
SOCKET_IO = """\
RewriteCond %{REQUEST_URI} ^/socket.io [NC]
RewriteCond %{QUERY_STRING} transport=websocket [NC]
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteRule /(.*) ws://app:8000/$1 [P,L]
"""
MAY_GO = {
    "a pair beside http": ("lines 7-9 may go", "write ProxyWebsocketUpgradeHttp On instead", RULE + "ProxyPass / http://app:8000/"),
    "a pair with REQUEST_URI": ("lines 7-9 may go", "ProxyWebsocketUpgradeHttp On",
                                CONDITIONS + "RewriteRule .* ws://app:8000%{REQUEST_URI} [P]\nProxyPass / http://app:8000/"),
    "a pair for a path": ("lines 7-9 may go", "ProxyWebsocketUpgradeHttp On",
                          CONDITIONS + "RewriteRule ^/bus/(.*)$ ws://app/bus/$1 [P]\nProxyPass /bus/ http://app/bus/"),
    "a pair beside upgrade=": ("lines 7-9 may go", "takes handshakes too already",
                               RULE + "ProxyPass / http://app:8000/ upgrade=websocket"),
    "the recipe for socket.io": ("lines 7-10 may go", "ProxyWebsocketUpgradeHttp On", SOCKET_IO + "ProxyPass / http://app:8000/"),
    "a pair for another backend": ("lines 7-9 may go", "ProxyPassWS / ws://app:8000/", RULE + "ProxyPass / http://pages:8000/"),
    "a line beside http": ("this line may go", "ProxyWebsocketUpgradeHttp On",
                           "ProxyPass /ws/ ws://app:8000/ws/\nProxyPass / http://app:8000/"),
    "a second balancer": ("balancer://w may go", "balancer://p has the same members",
                          "<Proxy balancer://p>\nBalancerMember http://a:1\nBalancerMember http://b:1\n</Proxy>\n"
                          "<Proxy balancer://w>\nBalancerMember ws://a:1\nBalancerMember ws://b:1\n</Proxy>"),
    "upgrade= on ws": ("upgrade=websocket may go", "ws:// says it already", "ProxyPass /a ws://app/a upgrade=websocket"),
    "upgrade= twice": ("upgrade= stands here 2 times", "", "ProxyPass /a http://app/a upgrade=websocket upgrade=websocket"),
    "upgrade= everywhere": ("upgrade=websocket on 2 lines", "ProxyWebsocketUpgradeHttp On once",
                            "ProxyPass /a http://app/a upgrade=websocket\nProxyPass /b http://app/b upgrade=websocket"),
    "retry=0 in a balancer": ("retry=0 may go", "dead member",
                              "<Proxy balancer://w>\nBalancerMember ws://a:1 retry=0\nBalancerMember ws://b:1\n</Proxy>"),
    "disablereuse": ("disablereuse=on may go", "never used again", "ProxyPass /a ws://app/a disablereuse=on"),
    "ProxyPassReverse": ("ProxyPassReverse may go", "ws://", "ProxyPass /a ws://app/a\nProxyPassReverse /a ws://app/a"),
    "the fallback": ("ProxyWebsocketFallbackToProxyHttp On may go", "default",
                     "ProxyPass /a ws://app/a\nProxyWebsocketFallbackToProxyHttp On"),
}
MUST_STAY = {
    "a pair behind another condition": "RewriteCond %{REMOTE_ADDR} ^10\\.\n" + RULE + "ProxyPass / http://app:8000/",
    "a pair that changes the path": CONDITIONS + "RewriteRule ^/room-(\\d+)$ ws://app/room?id=$1 [P]\nProxyPass / http://app/",
    "a rule for what is no handshake": "RewriteCond %{HTTP:Upgrade} !=websocket [NC]\nRewriteRule ^/(.*)$ http://app/$1 [P]",
    "a line with another path on the backend": "ProxyPass /ws/ ws://app:8000/socket/\nProxyPass / http://app:8000/",
    "a line of another port": "ProxyPass /ws/ ws://app:9000/ws/\nProxyPass / http://app:8000/",
    "a line with a timeout of its own": "ProxyPass /ws/ ws://app:8000/ws/ timeout=600\nProxyPass / http://app:8000/ timeout=5",
    "one upgrade=": "ProxyPass /a http://app/a upgrade=websocket",
    "upgrade=ANY on ws": "ProxyPass /a ws://app/a upgrade=ANY",
}


@pytest.mark.parametrize("what, instead, body", MAY_GO.values(), ids=MAY_GO)
def test_what_may_go_is_told_with_what_to_write_instead(look, what, instead, body):
    outcome = look(body)
    assert [text for text in outcome.texts("delete") if what in text and instead in text], outcome.out
    assert len(outcome.texts("delete")) == 1, outcome.out
    assert outcome.status == 0, outcome.out


@pytest.mark.parametrize("body", MUST_STAY.values(), ids=MUST_STAY)
def test_what_still_does_something_is_left_alone(look, body):
    outcome = look(body)
    assert outcome.texts("delete") == [], outcome.out


def test_retry_0_of_the_only_backend_is_worth_keeping(look):
    outcome = look("ProxyPass /a ws://app/a retry=0\nProxyPass / http://app/other/")
    assert [text for text in outcome.texts("note") if "worth keeping" in text]


@pytest.mark.parametrize("setting, lines", [("Off", [8]), ("On", [])])
def test_only_where_the_fallback_is_off_plain_requests_are_told_426(look, setting, lines):
    outcome = look(f"ProxyPass /a ws://app/a\nProxyWebsocketFallbackToProxyHttp {setting}\nProxyPass /b ws://app/b")
    assert outcome.lines("note", "426") == lines


WITHOUT_HTTP = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so
<VirtualHost *:80>
ProxyPass /a ws://app/a
ProxyPass /b ws://app/b
{}
</VirtualHost>
"""


def test_plain_requests_that_nobody_takes_are_told_once_per_virtual_host(migrate, tree):
    assert migrate(tree({"a.conf": WITHOUT_HTTP.format("")}) / "a.conf").lines("note", "426") == [4]
    assert migrate(tree({"b.conf": WITHOUT_HTTP.format("ProxyPass / fcgi://app/")}) / "b.conf").lines("note", "426") == []


def test_plain_requests_that_mod_proxy_http_takes_are_not_mentioned(look):
    assert look("ProxyPass /a ws://app/a").lines("note", "426") == []


def test_the_summary_counts(look):
    outcome = look("ProxyPass /a/ ws://app/a\nProxyPass / http://app/other/")
    assert outcome.summary == "1 file read: 1 WebSocket mapping, 1 mistake, 1 line to change"


def test_the_example_of_the_documentation_is_what_the_script_says(migrate, monkeypatch):
    folder = pathlib.Path(__file__).parent / "example"
    monkeypatch.chdir(folder)
    assert migrate("chat.conf").out == (folder / "report.txt").read_text()
