"""Each known mistake is told where it is made, and not where it is not."""

import pytest

PAIR = """\
RewriteCond {upgrade}
RewriteCond {connection}
RewriteRule {pattern} ws://app:9000/$1 [{flags}]
"""
RIGHT = {"upgrade": "%{HTTP:Upgrade} websocket [NC]", "connection": "%{HTTP:Connection} upgrade [NC]", "flags": "P,L",
         "pattern": "^/chat/(.*)$"}


def pair(**changed):
    return PAIR.format(**{**RIGHT, **changed})


TLS = "SSLProxyEngine on\n"
IMPATIENT = "Timeout 20\n"
HTTP = "ProxyPass / http://app:8000/"
WS = "ProxyPass /ws/ ws://app:9000/"
LOCATION_WS = "<Location /ws/>\nProxyPass ws://app:9000/\n</Location>\n"
LOCATION_HTTP = "<Location />\nProxyPass http://app:8000/\n</Location>\n"
TLS_MEMBER = "<Proxy balancer://c>\nBalancerMember wss://app\n</Proxy>\nProxyPass /c/ balancer://c/"
NAMED = "ServerName example.com\nServerAlias *.example.net\n"

# what the mistake's text says; a body that has it; bodies that have none at all
MISTAKES = {
    "dollar for percent": ("write %{HTTP:Upgrade}", pair(upgrade="${HTTP:Upgrade} websocket [NC]"),
                           [pair(), "RewriteMap HTTP txt:/map\n" + pair(upgrade="${HTTP:Upgrade} websocket [NC]")]),
    "one slash": ("write wss://", TLS + "ProxyPass /ws/ wss:/app/", [TLS + "ProxyPass /ws/ wss://app/"]),
    "one slash in a rule": ("write ws://", "RewriteRule ^/a$ ws:/app/b [P]", ["RewriteRule ^/a$ ws://app/b [P]"]),
    "one slash in a member": ("write ws://", "<Proxy balancer://c>\nBalancerMember ws:/app\n</Proxy>",
                              ["<Proxy balancer://c>\nBalancerMember ws://app\n</Proxy>"]),
    "Connection without lists": ("Firefox", pair(connection="%{HTTP:Connection} ^Upgrade$ [NC]"),
                                 [pair(connection="%{HTTP:Connection} (^|,\\s*)upgrade [NC]"),
                                  pair(connection="%{HTTP:Connection} .*upgrade.* [nocase]")]),
    "Connection compared as a string": ("Firefox", pair(connection="%{HTTP:Connection} =Upgrade [NC]"), []),
    "no NC on Upgrade": ("add [NC]", pair(upgrade="%{HTTP:Upgrade} =websocket"), [pair(upgrade="%{HTTP:Upgrade} (?i)websocket")]),
    "no NC on Connection": ("add [NC]", pair(connection="%{HTTP:Connection} Upgrade"),
                            [pair(connection="%{HTTP:Connection} [Uu]pgrade")]),
    "OR between the two": ("leave out OR", pair(upgrade="%{HTTP:Upgrade} websocket [NC,OR]"),
                           [pair(upgrade="%{HTTP:Upgrade} websocket [NC,OR]", connection="%{HTTP:Upgrade} WebSocket [NC]")]),
    "OR with the path": ("whatever its path", "RewriteCond %{REQUEST_URI} ^/chat [OR]\n" + pair(),
                         ["RewriteCond %{REQUEST_URI} ^/chat\n" + pair()]),
    "no P flag": ("no P flag", pair(flags="L"), [pair(flags="proxy,last"), "RewriteRule ^/a$ https://elsewhere.example/ [R]"]),
    "short timeout": ("timeout=5 and Timeout (20 s) end a tunnel after 20 s", IMPATIENT + WS + " timeout=5",
                      [IMPATIENT + WS + " timeout=3600", IMPATIENT + WS + " connectiontimeout=5", IMPATIENT + WS,
                       IMPATIENT + WS + " timeout=5\nProxyWebsocketIdleTimeout 1h", IMPATIENT + "ProxyPass /a http://app/a timeout=5",
                       WS + " timeout=5", "Timeout 300\n" + WS + " timeout=5", WS + " timeout=5\nTimeout 31"]),
    "short timeout of a worker": ("timeout=10 and Timeout", IMPATIENT + WS + "\n<Proxy ws://app:9000/>\nProxySet timeout=10\n</Proxy>",
                                  [IMPATIENT + WS + "\n<Proxy ws://app:9000/>\nProxySet connectiontimeout=10\n</Proxy>",
                                   WS + "\n<Proxy ws://app:9000/>\nProxySet timeout=10\n</Proxy>"]),
    "short timeout with upgrade=": ("timeout=25 and Timeout (20 s) end a tunnel after 25 s",
                                    IMPATIENT + "ProxyPass / http://app/ upgrade=websocket timeout=25", []),
    "a balancer's timeout is another": ("timeout=5 and", IMPATIENT + "<Proxy balancer://c>\nBalancerMember ws://app timeout=5\n</Proxy>",
                                        [IMPATIENT + "<Proxy balancer://c>\nBalancerMember ws://app\n</Proxy>\n"
                                         "ProxyPass /c/ balancer://c/ timeout=5"]),
    "short ProxyTimeout": ("ProxyTimeout 5 and", IMPATIENT + "ProxyTimeout 5\n" + WS,
                           [IMPATIENT + "ProxyTimeout 5", IMPATIENT + "ProxyTimeout 5min\n" + WS, "ProxyTimeout 5\n" + WS,
                            IMPATIENT + "ProxyTimeout 5\n" + WS + " timeout=600", "ProxyTimeout 30\n" + WS + "\nTimeout 300"]),
    "a query in the path": ("has no query string", "ProxyPass /s/?transport=websocket ws://app/s/", ["ProxyPass /s/ ws://app/s/"]),
    "a query in a pattern": ("has no query string", "RewriteRule ^/s/\\?x=(.*)$ ws://app/s/ [P]",
                             ["RewriteRule ^/s/?$ ws://app/s/?x=1 [P]"]),
    "only the path ends with a slash": ("the URL does not", "ProxyPass /ws/ ws://app:9000/ws", ["ProxyPass /ws ws://app:9000/ws"]),
    "a host without a slash": ("write ws://app:9000/", "ProxyPass / ws://app:9000", ["ProxyPass / ws://app:9000/"]),
    "slashes in a Location": ("the URL does not", "<Location /ws/>\nProxyPass ws://app/ws\n</Location>", [LOCATION_WS]),
    "back to the same host": ("leads back", NAMED + "ProxyPass /ws/ ws://example.com:443/ws/",
                              [NAMED + "ProxyPass /ws/ ws://example.com:8443/ws/", NAMED + "ProxyPass /ws/ ws://other.example:443/ws/",
                               NAMED + "ProxyPass /ws/ ws://example.com:443/socket/"]),
    "back by an alias": ("leads back", TLS + NAMED + "ProxyPass / wss://a.example.net/", []),
    "back by localhost": ("leads back", TLS + "ProxyPass / wss://localhost/", ["ProxyPass / ws://localhost/"]),
    "back by a rule": ("leads back", TLS + NAMED + "RewriteRule .* wss://%{HTTP_HOST}%{REQUEST_URI} [P]",
                       [NAMED + "RewriteRule .* ws://localhost:3000%{REQUEST_URI} [P]"]),
    "no SSLProxyEngine": ("SSLProxyEngine on", "ProxyPass /ws/ wss://app/", [TLS + "ProxyPass /ws/ wss://app/"]),
    "SSLProxyEngine off": ("SSLProxyEngine on", "SSLProxyEngine off\nProxyPass / https://app/ upgrade=websocket", []),
    "no SSLProxyEngine for a member": ("SSLProxyEngine on", TLS_MEMBER, [TLS + TLS_MEMBER]),
    "below a broader http mapping": ("longest path first", f"{HTTP}\n{WS}", [f"{WS}\n{HTTP}", f"ProxyPass /w http://app/w\n{WS}"]),
    "below a broader pattern": ("longest path first", f"ProxyPassMatch ^/(.*)$ http://app:8000/$1\n{WS}",
                                [f"ProxyPassMatch ^/api/(.*)$ http://app:8000/$1\n{WS}"]),
    "below an exclusion": ("excludes its paths", f"ProxyPass /ws !\n{WS}", [f"{WS}\nProxyPass /ws !"]),
    "below a broader websocket mapping": ("longest path first", f"ProxyPass / ws://app:8000/\n{WS}", []),
    "above a broader Location": ("comes later", LOCATION_WS + LOCATION_HTTP, [LOCATION_HTTP + LOCATION_WS]),
    "beside a broader Location": ("a section of its own", WS + "\n" + LOCATION_HTTP, []),
    "below a rule for all handshakes": ("rules are asked before any ProxyPass", WS + "\n" + pair(pattern="/(.*)"),
                                        [WS + "\n" + pair(), "RewriteCond %{REQUEST_URI} !^/ws/\n" + pair(pattern="/(.*)") + WS,
                                         "ProxyPass /ws/ ws://app:9000/ws/\n" + pair(pattern="/(.*)")]),
    "ProxyPassWS below a rule that takes everything": (
        "takes its handshakes first", "RewriteRule .* http://app%{REQUEST_URI} [P,QSA]\nProxyPassWS /ws/ ws://chat/",
        ["ProxyPass / http://app/\nProxyPassWS /ws/ ws://chat/",
         "RewriteCond %{HTTP:Upgrade} !websocket [NC]\nRewriteRule .* http://app%{REQUEST_URI} [P]\nProxyPassWS /ws/ ws://chat/",
         "RewriteCond %{REMOTE_ADDR} ^10\\.\nRewriteRule .* http://app%{REQUEST_URI} [P]\nProxyPassWS /ws/ ws://chat/"]),
    "a section behind a rule that takes everything": (
        "rules are asked before any ProxyPass", LOCATION_WS + "RewriteRule .* http://app%{REQUEST_URI} [P]", []),
    "a rule below a broader rule": ("put this rule", "RewriteRule ^/(.*)$ http://app:8000/$1 [P]\n" + pair(),
                                    [pair() + "RewriteRule ^/(.*)$ http://app:8000/$1 [P]"]),
}
WITHOUT = [(name, number, body) for name, (_, _, bodies) in MISTAKES.items() for number, body in enumerate(bodies)]


@pytest.mark.parametrize("text, body", [(text, body) for text, body, _ in MISTAKES.values()], ids=MISTAKES)
def test_a_mistake_is_told_once_and_fails_the_check(look, text, body):
    outcome = look(body)
    assert len([found for found in outcome.texts("mistake") if text in found]) == 1, outcome.out
    assert len(outcome.texts("mistake")) == 1, outcome.out
    assert outcome.status == 1


@pytest.mark.parametrize("body", [body for _, _, body in WITHOUT], ids=[f"{name} {number}" for name, number, _ in WITHOUT])
def test_what_only_looks_like_a_mistake_is_none(look, body):
    outcome = look(body)
    assert (outcome.texts("mistake"), outcome.status) == ([], 0), outcome.out


def test_a_mistake_has_the_line_where_it_begins(look):
    outcome = look("ServerName a.example\n\n# a comment \\\n that goes on\nProxyPass /ws/ \\\n  ws://app \\\n  retry=5")
    assert outcome.lines("mistake") == [11]


def test_without_check_mistakes_leave_the_exit_status_alone(migrate, tree):
    folder = tree({"site.conf": "ProxyPass /ws/ ws://app\n"})
    assert migrate(folder / "site.conf").status == 0
    assert migrate("--check", folder / "site.conf").status == 1


def test_mod_proxy_that_is_not_loaded_is_told_where_it_is_needed(migrate, tree):
    folder = tree({"httpd.conf": "LoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so\nProxyPass /ws/ ws://app/\n"})
    outcome = migrate(folder / "httpd.conf")
    assert outcome.lines("mistake", "mod_proxy is not loaded") == [2]


def test_websockets_without_a_module_for_them_are_a_mistake(migrate, tree):
    text = "LoadModule proxy_module modules/mod_proxy.so\nLoadModule {}_module modules/mod_{}.so\n" + WS
    for other, count in [("proxy_fcgi", 1), ("proxy_http", 0), ("proxy_wstunnel", 0), ("proxy_websocket", 0)]:
        outcome = migrate(tree({"httpd.conf": text.format(other, other)}) / "httpd.conf")
        assert outcome.lines("mistake", "no module that is loaded speaks WebSocket") == [3] * count


def test_a_sites_own_file_says_nothing_about_modules(migrate, tree):
    folder = tree({"site.conf": "<VirtualHost *:80>\nProxyPass /ws/ ws://app/\n</VirtualHost>\n"})
    assert migrate(folder / "site.conf").texts("mistake") == []


def test_a_section_for_the_old_module_is_to_change_once_only_the_new_one_is_loaded(look):
    outcome = look(f"<IfModule mod_proxy_wstunnel.c>\n{WS}\n</IfModule>", speaker="proxy_websocket")
    assert outcome.lines("change", "<IfModule mod_proxy_websocket.c>") == [7]
    assert outcome.status == 0


def test_the_Timeout_of_the_main_server_counts_where_a_virtual_host_has_none(look):
    body = WS + " timeout=5"
    assert "timeout=5 and Timeout (20 s)" in look(body, outside="Timeout 20").texts("mistake")[0]
    outcome = look("Timeout 300\n" + body, outside="Timeout 20")
    assert outcome.texts("mistake") == []
    assert [text for text in outcome.texts("note") if "end after 300 s, as before" in text], outcome.out


def test_a_slash_at_the_end_of_the_URL_alone_may_be_meant_so(look):
    outcome = look("ProxyPass /ws ws://app:9000/ws/")
    assert (outcome.texts("mistake"), outcome.lines("note", "the path /ws does not")) == ([], [7])


def test_the_main_servers_mappings_come_before_the_virtual_hosts(look):
    assert "longest path first" in look(WS, outside=HTTP).texts("mistake")[0]
    assert look("ProxyPassInherit off\n" + WS, outside=HTTP).texts("mistake") == []


def test_SSLProxyEngine_of_the_main_server_counts_in_virtual_hosts(look):
    assert look("ProxyPass /ws/ wss://app/", outside="SSLProxyEngine on").texts("mistake") == []


def test_SSLProxyEngine_of_another_virtual_host_does_not_count(look):
    other = "<VirtualHost *:8443>\nSSLProxyEngine on\n</VirtualHost>"
    assert "the virtual host *:443" in look("ProxyPass /ws/ wss://app/", outside=other).texts("mistake")[0]


def test_a_snippet_for_virtual_hosts_is_not_asked_for_SSLProxyEngine(migrate, tree):
    folder = tree({"snippet.conf": "ProxyPass /ws/ wss://app/\n"})
    assert migrate(folder / "snippet.conf").texts("mistake") == []


def test_localhost_among_several_virtual_hosts_is_no_loop_unless_the_host_is_preserved(look):
    rival = "<VirtualHost *:443>\nServerName other.example\n</VirtualHost>"
    body = TLS + "ProxyPass / wss://localhost/"
    assert look(body, outside=rival).texts("mistake") == []
    assert "leads back" in look("ProxyPreserveHost On\n" + body, outside=rival).texts("mistake")[0]
