"""The simulator of httpd's phases: each row is a configuration, a request and where it goes. test_recipes.py asks a real
httpd the same."""

import pytest

import engine  # of scripts/migrate.d, which conftest has put on the path
import parse
import routes
import samples
import simulate
import world
from host import Host

ON = "RewriteEngine On\n"
HANDSHAKE = "RewriteCond %{HTTP:Upgrade} websocket [NC]\n"
MODULES = "LoadModule proxy_module m/mod_proxy.so\nLoadModule proxy_http_module m/mod_proxy_http.so\n"
STOCK = MODULES + "LoadModule proxy_wstunnel_module m/mod_proxy_wstunnel.so\n"
OURS = MODULES + "LoadModule proxy_websocket_module m/mod_proxy_websocket.so\n"
NO_HTTP = "LoadModule proxy_module m/mod_proxy.so\nLoadModule proxy_websocket_module m/mod_proxy_websocket.so\n"


@pytest.fixture
def goes(tree):
    """The places to which a request may go, as a set of texts, in a virtual host with this body."""
    def run(body, target, client="plain", modules=OURS, outside=""):
        folder = tree({"httpd.conf": f"{modules}{outside}\n<VirtualHost *:80>\nServerName a.test\n{body}\n</VirtualHost>\n"})
        read = parse.read_tree(folder / "httpd.conf", {})
        host = Host(read, routes.vhosts_of(read)[1], world.of(read))
        path, _, query = target.partition("?")
        request = samples.Request(client, path, query, "a.test")
        return {str(found) for (found,) in routes.routes(request, host)}
    return run


FILES = "files and other handlers"
# body, request, where a plain one goes, where a handshake goes
ROWS = {
    "a prefix": ("ProxyPass /a/ http://app/b/", "/a/x?y", "http://app/b/x?y", None),
    "a prefix ends at a slash": ("ProxyPass /a http://app", "/ab", FILES, FILES),
    "ws takes both": ("ProxyPass /a ws://app/a", "/a", "http://app/a", "ws://app/a"),
    "the first mapping wins": ("ProxyPass /a http://one/\nProxyPass /a http://two/", "/a", "http://one/", None),
    "an exclusion": ("ProxyPass /a !\nProxyPass / http://app/", "/a/b", FILES, FILES),
    "a pattern": ("ProxyPassMatch ^/a/(.*)/ws$ ws://app/$1", "/a/b/ws", "http://app/b", "ws://app/b"),
    "a pattern without a group": ("ProxyPassMatch ^/a ws://app", "/a/b", "http://app/a/b", "ws://app/a/b"),
    "a pattern behind a tilde": ("ProxyPass ~ ^/a/(.*) http://app/$1", "/a/b", "http://app/b", None),
    "upgrade=": ("ProxyPass / http://app/ upgrade=websocket", "/a", "http://app/a", "ws://app/a"),
    "upgrade=NONE": ("ProxyPass / http://app/ upgrade=NONE", "/a", "http://app/a", "http://app/a"),
    "upgrade= of the longest URL": ("ProxyPass /b/ http://app/b/ upgrade=websocket\nProxyPass / http://app/", "/b/x", "http://app/b/x",
                                    "ws://app/b/x"),
    "upgrade= of a worker that is shared": ("ProxyPass /b/ http://app/\nProxyPass /c http://app/y upgrade=websocket", "/c",
                                            "http://app/y", "http://app/y"),
    "upgrade= of the worker that others share": ("ProxyPass /c http://app upgrade=websocket\nProxyPass /b/ http://app/", "/b/x",
                                                 "http://app/x", "ws://app/x"),
    "upgrade= of a rule's worker": (ON + "RewriteRule ^/a http://app/x [P]\nProxyPass / http://app/ upgrade=websocket", "/a",
                                    "http://app/x", "ws://app/x"),
    "upgrade= of a pattern": ("ProxyPassMatch ^/a/(.*)$ http://app/$1/ws upgrade=websocket\nProxyPass / http://one/",
                              "/a/bcd", "http://app/bcd/ws", "ws://app/bcd/ws"),
    "upgrade= and a pattern's worker": ("ProxyPassMatch ^/a http://app/x\nProxyPass / http://app/ upgrade=websocket", "/a/b",
                                        "http://app/x/a/b", "http://app/x/a/b"),
    "upgrade= by ProxySet": ("<Proxy http://app/>\nProxySet upgrade=websocket\n</Proxy>\nProxyPass / http://app/", "/a",
                             "http://app/a", "ws://app/a"),
    "a section with wildcards": ("<Location \"/[ab]/*\">\nProxyPass !\n</Location>\nProxyPass / http://app/", "/b/x", FILES, FILES),
    "a wildcard is no slash": ("<Location \"/*\">\nProxyPassMatch !\n</Location>\nProxyPass / http://app/", "/b/x", "http://app/b/x", None),
    "a rule in a folder that goes round": ("DocumentRoot {root}/htdocs\n<Directory {root}/htdocs>\nRewriteEngine On\n"
                                           "RewriteRule (.*) /a/$1\n</Directory>", "/b", "answer 500", None),
    "ProxyWebsocketUpgradeHttp": ("ProxyWebsocketUpgradeHttp On\nProxyPass / http://app/", "/a", "http://app/a", "ws://app/a"),
    "ProxyWebsocketUpgradeHttp in a section": ("<Location /a>\nProxyWebsocketUpgradeHttp On\n</Location>\nProxyPass / http://app/", "/b",
                                               "http://app/b", "http://app/b"),
    "ProxyPassWS before ProxyPass": ("ProxyPass / http://app/\nProxyPassWS /a ws://chat", "/a/b", "http://app/a/b", "ws://chat/b"),
    "ProxyPassWS to http": ("ProxyPassWS / http://chat/", "/a", FILES, "ws://chat/a"),
    "a rule before ProxyPassWS": (ON + "RewriteRule .* http://app%{REQUEST_URI} [P]\nProxyPassWS / ws://chat/", "/a", "http://app/a",
                                  "http://app/a"),
    "the last section wins": ("<Location /a>\nProxyPass http://one/\n</Location>\n<Location /a/b>\nProxyPass http://two\n</Location>",
                              "/a/b/c", "http://two/c", None),
    "a section before what is outside": ("ProxyPass /a/ http://out/\n<Location /a/>\nProxyPass http://in/\n</Location>", "/a/b",
                                         "http://in/b", None),
    "a LocationMatch with ProxyPassMatch": ("<LocationMatch ^/a/(\\d+)>\nProxyPassMatch ws://app/$1\n</LocationMatch>", "/a/12",
                                            "http://app/12", "ws://app/12"),
    "a LocationMatch with ProxyPass": ("<LocationMatch ^/a/b$>\nProxyPass ws://app/\n</LocationMatch>", "/a/b", FILES, FILES),
    "fallback off": ("ProxyWebsocketFallbackToProxyHttp Off\nProxyPass /a ws://app/a\nProxyPass / http://pages/", "/a",
                     "http://pages/a", "ws://app/a"),
    "fallback off with nothing behind": ("ProxyWebsocketFallbackToProxyHttp Off\nProxyPass /a ws://app/a", "/a", "answer 426",
                                         "ws://app/a"),
    "a rule": (ON + HANDSHAKE + "RewriteRule ^/a/(.*) ws://app/$1 [P]\nProxyPass / http://pages/", "/a/b?c", "http://pages/a/b?c",
               "ws://app/b?c"),
    "a rule with an engine that is off": (HANDSHAKE + "RewriteRule ^/a ws://app/ [P]", "/a", FILES, FILES),
    "OR": (ON + "RewriteCond %{REQUEST_URI} ^/x [OR]\nRewriteCond %{REQUEST_URI} ^/a\nRewriteRule .* http://app/y [P]", "/a",
           "http://app/y", None),
    "OR and another condition": (ON + "RewriteCond %{REQUEST_URI} ^/a [OR]\nRewriteCond %{REQUEST_URI} ^/x\n" + HANDSHAKE
                                 + "RewriteRule .* ws://app/y [P]", "/a", FILES, "ws://app/y"),
    "a negated condition": (ON + "RewriteCond %{HTTP:Upgrade} !websocket [NC]\nRewriteRule ^(.*) http://app$1 [P]", "/a", "http://app/a",
                            FILES),
    "a comparison": (ON + "RewriteCond %{HTTP:Upgrade} =websocket\nRewriteRule ^(.*) ws://app$1 [P]", "/a", FILES, "ws://app/a"),
    "%1": (ON + "RewriteCond %{QUERY_STRING} room=(\\w+)\nRewriteRule ^/a http://app/%1? [P]", "/a?room=x", "http://app/x", None),
    "a query of its own": (ON + "RewriteRule ^/a http://app/?b=1 [P]", "/a?c=2", "http://app/?b=1", None),
    "QSA": (ON + "RewriteRule ^/a http://app/?b=1 [P,QSA]", "/a?c=2", "http://app/?b=1&c=2", None),
    "a map that does not exist": (ON + "RewriteCond ${HTTP:Upgrade} websocket\nRewriteRule ^/a ws://app/ [P]", "/a", FILES, FILES),
    "a variable that does not exist": (ON + "RewriteCond %{HTTP_UPGRADE} websocket\nRewriteRule ^/a ws://app/ [P]", "/a", FILES, FILES),
    "a missing group": (ON + "RewriteRule ^/a ws://app/x$1 [P]", "/a", "http://app/x", "ws://app/x"),
    "a variable of a rule": (ON + "RewriteRule .* - [E=S:http]\n" + HANDSHAKE + "RewriteRule .* - [E=S:ws]\n"
                             "RewriteRule ^/(.*) %{ENV:S}://app/$1 [P]", "/a", "http://app/a", "ws://app/a"),
    "L": (ON + "RewriteRule ^/a /b [L]\nRewriteRule ^/b http://app/ [P]", "/a", FILES, FILES),
    "no L": (ON + "RewriteRule ^/a /b\nRewriteRule ^/b http://app/ [P]", "/a", "http://app/", None),
    "a path of a rule is asked of no mapping": (ON + "RewriteRule ^/a /b\nProxyPass /b http://app/", "/a", FILES, FILES),
    "PT": (ON + "RewriteRule ^/a(.*) /b$1 [PT]\nProxyPass /b http://app", "/a/x", "http://app/x", None),
    "S": (ON + "RewriteRule ^/a - [S=1]\nRewriteRule .* http://one/ [P]\nRewriteRule .* http://two/ [P]", "/a", "http://two/", None),
    "C": (ON + "RewriteRule ^/x - [C]\nRewriteRule .* http://one/ [P]\nRewriteRule .* http://two/ [P]", "/a", "http://two/", None),
    "F": (ON + "RewriteRule ^/a - [F]\nProxyPass / http://app/", "/a", "answer 403", "answer 403"),
    "R=404": (ON + "RewriteRule ^/a - [R=404]\nProxyPass / http://app/", "/a", "answer 404", "answer 404"),
    "R": (ON + "RewriteRule ^/a/(.*) /b/$1 [R=301,L]", "/a/x", "redirect to /b/x", None),
    "no P": (ON + "RewriteRule ^/a ws://app/ [L]", "/a", "redirect to ws://app/", None),
    "NC of a rule": (ON + "RewriteRule ^/A http://app/ [P,NC]", "/a", "http://app/", None),
    "a negated rule": (ON + "RewriteRule !^/b http://app/ [P]", "/a", "http://app/", None),
    "one slash": (ON + "RewriteRule ^/a ws:/app/ [P]", "/a", "http://a.test/ws:/app/", None),
    "a rule in a section with a mapping": ("<Location /a>\nRewriteEngine On\nRewriteRule (.*) http://two/ [P]\nProxyPass http://one/\n"
                                           "</Location>", "/a", "http://two/", None),
    "a rule in a section sees files": ("<Location /a>\nRewriteEngine On\nRewriteRule ^/a http://two/ [P]\n</Location>\n"
                                       "ProxyPass / http://one/", "/a", "http://one/a", None),
    "a rule in a folder": ("DocumentRoot /srv\n<Directory /srv>\nRewriteEngine On\nRewriteRule ^a/(.*)$ ws://app/$1 [P]\n</Directory>",
                           "/a/b", "http://app/b", "ws://app/b"),
    "a rule in a folder comes after mappings": ("DocumentRoot /srv\n<Directory /srv>\nRewriteEngine On\nRewriteRule .* ws://app/ [P]\n"
                                                "</Directory>\nProxyPass / http://pages/", "/a", "http://pages/a", None),
    "members with upgrade=": ("<Proxy balancer://c>\nBalancerMember http://a upgrade=websocket\n</Proxy>\nProxyPass / balancer://c/",
                              "/x", "balancer://c/x", "balancer://c/x"),
}


@pytest.mark.parametrize("body, target, plain, handshake", ROWS.values(), ids=ROWS)
def test_a_request_goes_where_httpd_sends_it(goes, body, target, plain, handshake):
    assert goes(body, target) == {plain}
    for client in samples.CLIENTS if handshake else []:
        if client != "plain" and not ("capitals" in client and "=websocket" in body):
            assert goes(body, target, client) == {handshake}, client


def test_capitals_and_lists_in_headers_are_told_apart(goes):
    rule = ON + "RewriteCond %{{HTTP:{}}} {}\nRewriteRule ^/a ws://app/ [P]"
    assert goes(rule.format("Connection", "^Upgrade$"), "/a", "handshake") == {"ws://app/"}
    assert goes(rule.format("Connection", "^Upgrade$"), "/a", "handshake (Firefox)") == {FILES}
    assert goes(rule.format("Upgrade", "=websocket"), "/a", "handshake (capitals)") == {FILES}
    assert goes(rule.format("Upgrade", "=websocket [NC]"), "/a", "handshake (capitals)") == {"ws://app/"}


UNKNOWN = {
    "an address": "RewriteCond %{REMOTE_ADDR} ^10\\.",
    "a file": "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} -f",
    "a header": "RewriteCond %{HTTP:X-Kind} chat",
    "an expression": "RewriteCond expr \"%{TIME_HOUR} -gt 5\"",
    "a map": "RewriteMap m txt:/m\nRewriteCond ${m:%{HTTP_HOST}} yes",
    "a variable": "RewriteCond %{ENV:KIND} =chat",
    "a pattern that Python cannot read": "RewriteCond %{REQUEST_URI} ^/(?|a|b)",
}


@pytest.mark.parametrize("line", UNKNOWN.values(), ids=UNKNOWN)
def test_what_the_configuration_does_not_know_is_tried_both_ways(goes, line):
    body = f"{ON}{line}\nRewriteRule ^/a http://one/ [P]\nProxyPass / http://two/"
    assert goes(body, "/a") == {"http://one/", "http://two/a"}


def test_the_same_unknown_has_one_answer_for_a_request(goes):
    address = "RewriteCond %{REMOTE_ADDR} ^10\\.\n"
    body = f"{ON}{address}RewriteRule .* - [E=S:one]\n{address}RewriteRule .* http://%{{ENV:S}}/ [P]\nProxyPass / http://two/"
    assert goes(body, "/a") == {"http://one/", "http://two/a"}


UNSURE = {
    "N": (ON + "RewriteRule ^/a(.*) /b$1 [N]", "[N]"),
    "H": (ON + "RewriteRule ^/a - [H=x]", "[H]"),
    "inherited rules of a section": ("<Location /a>\nRewriteOptions Inherit\n</Location>\nProxyPass / http://app/", "RewriteOptions"),
    "If": ("<If \"true\">\nRewriteRule ^/a ws://app/ [P]\n</If>", "<If true>"),
    "IfDefine": ("<IfDefine X>\nProxyPass / http://app/\n</IfDefine>", "<IfDefine X>"),
    "a rule in Proxy": ("<Proxy *>\nRewriteRule ^/a ws://app/ [P]\n</Proxy>", "inside <Proxy>"),
    "servlet": ("ProxyPass / http://app/ mapping=servlet", "servlet"),
    "upgrade= of another protocol": ("ProxyPass / ws://app/ upgrade=h2c", "upgrade=h2c"),
    "a module that may be compiled in": ("<IfModule mod_rewrite.c>\nRewriteRule ^/a ws://app/ [P]\n</IfModule>", "compiled in"),
    "Alias into a folder with rules": ("DocumentRoot /srv\nAlias /a /data/a\n<Directory /data>\nRewriteEngine On\n"
                                       "RewriteRule .* ws://app/ [P]\n</Directory>", "Alias /a /data/a"),
    "RewriteBase": ("DocumentRoot /srv\n<Directory /srv>\nRewriteEngine On\nRewriteBase /x\nRewriteRule ^a$ b\n</Directory>",
                    "RewriteBase"),
    "no-proxy": ("SetEnvIf Host x no-proxy\nProxyPass / http://app/", "no-proxy"),
    "rules for names of files": (ON + "<Files x>\nRewriteRule .* ws://app/ [P]\n</Files>", "<Files x>"),
}


@pytest.mark.parametrize("body, why", UNSURE.values(), ids=UNSURE)
def test_what_is_not_modelled_is_said(goes, body, why):
    with pytest.raises(engine.Unsure) as unsure:
        goes(body, "/a")
    assert why in str(unsure.value)


def test_an_internal_redirect_of_a_folders_rule_is_asked_for_anew(goes):
    body = "DocumentRoot /srv\n<Directory /srv>\nRewriteEngine On\nRewriteRule ^a$ /b [L]\n</Directory>\nProxyPass /b ws://app/"
    assert goes(body, "/a", "handshake") == {"ws://app/"}


def test_modules_that_are_all_loaded_are_known(goes):
    section = "<IfModule mod_dav.c>\nProxyPass /a ws://app/\n</IfModule>"
    assert goes(section, "/a", "handshake", OURS + "LoadModule authz_core_module m/mod_authz_core.so\n") == {FILES}


def test_a_snippet_with_our_directives_is_for_our_module(tree):
    read = parse.read_tree(tree({"a.conf": "ProxyPassWS /a ws://app/\n"}) / "a.conf", {})
    assert str(simulate.route(Host(read, None, world.of(read)), samples.Request("handshake", "/a"), {})) == "ws://app/"


def test_too_many_unknowns_are_said(goes):
    lines = "".join(f"RewriteCond %{{HTTP:X-{number}}} a [OR]\n" for number in range(80)) + "RewriteCond %{HTTP:X-Last} a\n"
    with pytest.raises(engine.Unsure):
        goes(ON + lines + "RewriteRule ^/a http://app/ [P]", "/a")


def test_modules_decide_about_sections_and_plain_requests(goes):
    section = "<IfModule mod_proxy_wstunnel.c>\nProxyPass /a ws://app/\n</IfModule>"
    assert goes(section, "/a", "handshake", STOCK) == {"ws://app/"}
    assert goes(section, "/a", "handshake", OURS) == {FILES}
    assert goes(section.replace("mod_proxy_wstunnel.c", "!proxy_wstunnel_module"), "/a", "handshake", OURS) == {"ws://app/"}
    assert goes("ProxyPass /a ws://app/", "/a", modules=NO_HTTP) == {"answer 426"}
    assert goes("ProxyPass /a ws://app/", "/a", modules=NO_HTTP.replace("websocket", "wstunnel")) == {FILES}
    assert goes("ProxyPass /a ws://app/\nProxyPass / fcgi://app/", "/a", modules=NO_HTTP) == {"fcgi://app/a"}
    assert goes(ON + "RewriteRule ^/a ws://app/ [P]", "/a", modules=NO_HTTP) == {"answer 426"}
    assert goes("ProxyPassWS /a ws://app/", "/a", "handshake", OURS) == {"ws://app/"}


def test_the_main_servers_mappings_and_engine_count_in_virtual_hosts(goes):
    assert goes("ProxyPass /a http://own/", "/a", outside="ProxyPass / http://main/") == {"http://main/a"}
    assert goes("ProxyPassInherit Off\nProxyPass /a http://own/", "/a", outside="ProxyPass / http://main/") == {"http://own/"}
    assert goes("RewriteRule ^/a http://own/ [P]", "/a", outside=ON) == {"http://own/"}
    assert goes("ProxyPass / http://own/", "/a", outside=ON + "RewriteRule ^/a http://main/ [P]") == {"http://own/a"}


@pytest.mark.parametrize("inside, outside, expected", [
    ("", "", "http://own/"), ("RewriteOptions Inherit\n", "", "http://own/"), ("RewriteOptions InheritBefore\n", "", "http://main/"),
    ("", "RewriteOptions InheritBefore\n", "http://main/"), ("", "RewriteOptions InheritDownBefore\n", "http://main/"),
    ("RewriteOptions IgnoreInherit\n", "RewriteOptions InheritDownBefore\n", "http://own/"),
])
def test_rules_of_the_main_server_count_where_RewriteOptions_say_so(goes, inside, outside, expected):
    main = f"{ON}{outside}RewriteRule ^/ http://main/ [P]"
    assert goes(f"{ON}{inside}RewriteRule ^/a http://own/ [P]", "/a", outside=main) == {expected}
    there = {"http://main/"} if "Inherit" in inside + outside and "Ignore" not in inside else {FILES}
    assert goes(f"{ON}{inside}RewriteRule ^/a http://own/ [P]", "/b", outside=main) == there
    assert goes("ProxyPass /a http://own/", "/a", outside=main) == {"http://own/"}  # no rule of its own: mod_rewrite does not look


STRINGS = {
    "^/api/v[0-9]+/(users/)?ws$": ["/api/v0/ws", "/api/v0/users/ws"], "^/a|/b$": ["/a", "/b"], "/socket.io/?(.*)": ["/socket.io"],
    "^/[^/]+/x": ["/x/x"], "^/(chat|feed)\\.ws": ["/chat.ws", "/feed.ws"], "(": [],
}


@pytest.mark.parametrize("pattern, expected", STRINGS.items())
def test_samples_are_made_of_a_patterns_alternatives(pattern, expected):
    found = samples.strings_of(pattern)
    assert [text for text in expected if text not in found] == [] and bool(found) == bool(expected)


def test_a_route_remembers_who_has_decided(tree):
    folder = tree({"a.conf": ON + "RewriteRule ^/a http://one/ [P]\nProxyPass / http://two/\n"})
    read = parse.read_tree(folder / "a.conf", {})
    host = Host(read, None, world.of(read))
    assert simulate.route(host, samples.Request("plain", "/a"), {}).via.place.line == 2
    assert simulate.route(host, samples.Request("plain", "/b"), {}).via.place.line == 3
