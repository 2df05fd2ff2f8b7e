"""What does not do what it looks like is told where it stands."""

import pytest

TLS = "SSLProxyEngine on\n"
ENV = "RewriteRule .* - [E=S:http]\nRewriteCond {}\nRewriteRule .* - [E=S:ws]\nRewriteRule ^/(.*) %{{ENV:S}}://app/$1 [P]"

# severity; what it says; a body that has it; bodies that have none of it
NOTICES = {
    "no group in a rule": ("note", "$1 is always empty: the pattern ^/a has no group", "RewriteRule ^/a ws://app/$1 [P]",
                           ["RewriteRule ^/(a) ws://app/$1 [P]", "RewriteRule ^/a ws://app/\\$1 [P]", "RewriteRule ^/a ws://app/$0 [P]"]),
    "too few groups": ("note", "$2 is always empty: the pattern ^/(.*)$ has one group", "ProxyPassMatch ^/(.*)$ ws://app/$1/$2",
                       ["ProxyPassMatch ^/(.*)/(.*)$ ws://app/$1/$2"]),
    "a LocationMatch without a group": ("note", "$1 is always empty", "<LocationMatch ^/a>\nProxyPassMatch ws://app/$1\n</LocationMatch>",
                                        ["<LocationMatch ^/a(.*)>\nProxyPassMatch ws://app/$1\n</LocationMatch>"]),
    "the whole path": ("note", "/ws goes to ws://app/ws/ws", "ProxyPassMatch ^/ws$ ws://app/ws",
                       ["ProxyPassMatch ^/ws$ ws://app", "ProxyPassMatch ^/ws(.*)$ ws://app/ws$1"]),
    "a socket in the wrong place": ("mistake", "write unix:/run/a.sock|ws://localhost/", "ProxyPass /ws ws://unix:/run/a.sock",
                                    ["ProxyPass /ws unix:/run/a.sock|ws://localhost/ws"]),
    "both ways to write a socket": ("mistake", "write unix:/run/a.sock|ws://localhost/",
                                    "ProxyPass /ws/ ws://unix:/run/a.sock|ws://x/", []),
    "no such variable": ("mistake", "write %{HTTP:Upgrade}", "RewriteCond %{HTTP_UPGRADE} websocket [NC]\nRewriteRule ^/a ws://app/ [P]",
                         ["RewriteCond %{HTTP:UPGRADE} websocket [NC]\nRewriteRule ^/a ws://app/ [P]"]),
    "a scheme by Connection": ("mistake", "so the scheme stays what it was", ENV.format("%{HTTP:Connection} =Upgrade [NC]"),
                               [ENV.format("%{HTTP:Upgrade} =websocket [NC]"), ENV.format("%{HTTP:Connection} upgrade [NC]")]),
    "a blank in flags": ("mistake", "httpd does not start with [P,: flags stand in one pair of brackets, without blanks",
                         "RewriteRule ^/a ws://app/ [P, L]", ["RewriteRule ^/a ws://app/ \"[P, L]\"", "RewriteRule ^/a ws://app/ [P,L]"]),
    "no brackets": ("mistake", "flags stand in one pair of brackets",
                    "RewriteCond %{HTTP:Upgrade} websocket NC\nRewriteRule ^/a ws://app/ [P]", []),
    "a flag that does not exist": ("mistake", "there is no flag Proxied here", "RewriteRule ^/a ws://app/ [P,Proxied]",
                                   ["RewriteRule ^/a ws://app/ [proxy,QSAppend,env=A:b,NE,skip=0]"]),
    "a rule's flag on a condition": ("mistake", "there is no flag L here",
                                     "RewriteCond %{HTTP:Upgrade} websocket [NC,L]\nRewriteRule ^/a ws://app/ [P]",
                                     ["RewriteCond %{HTTP:Upgrade} websocket [nocase,NV]\nRewriteRule ^/a ws://app/ [P]"]),
    "a rule in a Location": ("note", "but a path of files below DocumentRoot",
                             "<Location /a>\nRewriteRule (.*) ws://app/$1 [P]\n</Location>",
                             ["RewriteRule ^/a(.*) ws://app/$1 [P]",
                              "<Directory /srv>\nRewriteRule (.*) ws://app/$1 [P]\n</Directory>"]),
    "a rule beside a ProxyPass": ("note", "but the URL of the ProxyPass there",
                                  "<Location /a>\nRewriteRule (.*) ws://app/ [P]\nProxyPass http://app/\n</Location>", []),
    "a pattern for a path": ("mistake", "write ProxyPassMatch", "<LocationMatch ^/a/b$>\nProxyPass ws://app/\n</LocationMatch>",
                             ["<LocationMatch ^/a/b$>\nProxyPassMatch ws://app/$0\n</LocationMatch>",
                              "<LocationMatch ^/a/(.*)$>\nProxyPass ws://app/$1\n</LocationMatch>"]),
    "an upgrade= that is lost": ("mistake", "upgrade= is ignored: http://app/ at", "ProxyPass /a/ http://app/\nProxyPass /b http://app/b "
                                 "upgrade=websocket", ["ProxyPass /b http://app/b upgrade=websocket\nProxyPass /a/ http://app/",
                                                       "ProxyPass /a/ http://app/a\nProxyPass /b http://app/b upgrade=websocket",
                                                       "ProxyPass /a/ http://app/ upgrade=ANY\nProxyPass /b http://app/b upgrade=*"]),
    "TLS and none on one port": ("mistake", "a port speaks TLS or does not",
                                 TLS + "ProxyPass /ws wss://app:8080/ws\nProxyPass / http://app:8080/",
                                 ["ProxyPass /ws ws://app:8080/ws\nProxyPass / http://app:8080/",
                                  TLS + "ProxyPass /ws wss://app:8443/ws\nProxyPass / http://app:8080/",
                                  TLS + "ProxyPass /ws wss://app/ws\nProxyPass / http://app/",
                                  TLS + "ProxyPass /ws wss://app:8080/ws\nProxyPass / http://other:8080/"]),
}
WITHOUT = [(name, number, *NOTICES[name][:2], body) for name in NOTICES for number, body in enumerate(NOTICES[name][3])]


@pytest.mark.parametrize("severity, text, body", [row[:3] for row in NOTICES.values()], ids=NOTICES)
def test_it_is_told_once(look, severity, text, body):
    outcome = look(body)
    assert len([found for found in outcome.texts(severity) if text in found]) == 1, outcome.out
    assert outcome.status == (severity == "mistake"), outcome.out


@pytest.mark.parametrize("severity, text, body", [row[2:] for row in WITHOUT], ids=[f"{name} {number}" for name, number, *_ in WITHOUT])
def test_what_is_as_it_should_be_is_not_told(look, severity, text, body):
    outcome = look(body)
    assert [found for found in outcome.texts(severity) if text.partition(" goes")[0] in found] == [], outcome.out
    assert outcome.status == 0, outcome.out


RULES = "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteRule ^ws$ ws://app/ws [P]\n"


def test_rules_in_a_htaccess_file_are_told_of(migrate, tree):
    folder = tree({"www/.htaccess": RULES, "quiet/.htaccess": "# RewriteRule ^ws$ ws://app/ws [P]\n"})
    for root, expected in (("www", [1]), ("quiet", []), ("none", [])):
        (folder / "a.conf").write_text(f"DocumentRoot {folder}/{root}\n")
        assert migrate(folder / "a.conf").lines("note", ".htaccess has rules for WebSockets and is not read here") == expected


def test_a_htaccess_file_itself_is_read_but_never_written(migrate, tree):
    text = RULES.replace("%{", "${")
    folder = tree({"www/.htaccess": text})
    outcome = migrate("--write", folder / "www/.htaccess")
    assert outcome.lines("note", "rules in .htaccess are asked after all mappings") == [3]
    assert (folder / "www/.htaccess").read_text() == text


def test_on_debian_sections_are_made_to_hold_with_either_module(migrate, tree):
    before = ("<IfModule mod_proxy_wstunnel.c>\nProxyPass /a ws://app/a\n</IfModule>\n"
              "<IfModule !proxy_wstunnel_module>\nProxyPass /a !\n</IfModule>\n")
    modules = ("proxy", "proxy_http", "proxy_wstunnel")
    files = {"apache2.conf": "Include mods-enabled/*.load\nInclude sites-enabled/*.conf\n", "sites-enabled/a.conf": before,
             "mods-enabled/.keep": "", "mods-available/proxy_websocket.load": ""}
    files |= {f"mods-available/{name}.load": f"LoadModule {name}_module modules/mod_{name}.so\n" for name in modules}
    folder = tree(files)
    for name in modules:
        (folder / f"mods-enabled/{name}.load").symlink_to(f"../mods-available/{name}.load")
    outcome = migrate("--write", folder)
    assert "a2dismod proxy_wstunnel && a2enmod proxy_websocket" in outcome.err
    written = (folder / "sites-enabled/a.conf").read_text()
    assert written == before.replace("mod_proxy_wstunnel.c", "mod_proxy.c").replace("proxy_wstunnel_module", "proxy_module")
    assert outcome.texts("route") == ["/a: handshake -> ws://app/a; plain request -> http://app/a (before and after)"]
