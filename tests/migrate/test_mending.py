"""--write leaves alone what would send a request elsewhere, and says what would go where; routes are told before and after."""

import pytest
from conftest import MODULES

DEAD = """\
RewriteCond ${{HTTP:Upgrade}} websocket [NC]
{more}RewriteRule {rule} [P,L]
{after}"""
SAME = "ProxyPass / http://app/"

# a body with a mend, and what the refusal says; None where it is written
MENDS = {
    "to the same URL": (DEAD.format(more="", rule="^/(.*)$ ws://app/$1", after=SAME), None),
    "to another backend": (DEAD.format(more="", rule="^/(.*)$ ws://chat/$1", after=SAME),
                           "handshake / goes to http://app/ without a tunnel, and would go to ws://chat/"),
    "to another path": (DEAD.format(more="", rule="^/(.*)$ ws://app/ws/$1", after=SAME), "would go to ws://app/ws/"),
    "with an empty group": (DEAD.format(more="", rule=".* ws://app/$1", after=SAME), "would go to ws://app/"),
    "past another mapping": (DEAD.format(more="", rule="^/(.*)$ ws://app/$1", after="ProxyPass /feed ws://feed/\n" + SAME),
                             "handshake /feed goes to ws://feed/, and would go to ws://app/feed"),
    "past a section": (DEAD.format(more="", rule="^/(.*)$ ws://app/$1",
                                   after=SAME + "\n<Location /feed>\nProxyPass ws://feed/\n</Location>"),
                       "handshake /feed goes to ws://feed/, and would go to ws://app/feed"),
    "past ProxyPassWS": (DEAD.format(more="", rule="^/(.*)$ ws://app/$1", after=SAME + "\nProxyPassWS /feed ws://feed"),
                         "handshake /feed goes to"),
    "from files": (DEAD.format(more="", rule="^/(.*)$ ws://app/$1", after=""), "goes to files and other handlers, and would go to"),
    "of pages": ("RewriteCond ${HTTP:Upgrade} !websocket [NC]\nRewriteRule ^/(.*)$ http://pages/$1 [P,L]\n" + SAME,
                 "handshake / goes to http://pages/ without a tunnel, and would go to http://app/ without a tunnel"),
    "behind what is always false": (DEAD.format(more="RewriteCond %{REQUEST_URI} ^/no$\n", rule="^/yes$ ws://chat/", after=SAME), None),
    "behind what nobody knows": (DEAD.format(more="RewriteCond %{REMOTE_ADDR} ^10\\.\n", rule="^/(.*)$ ws://chat/$1", after=SAME),
                                 "would go to ws://chat/"),
    "to what nobody knows": (DEAD.format(more="RewriteMap m txt:/m\n", rule="^/(.*)$ ws://${m:x}/$1", after=SAME),
                             "would go to ws://${m:x}/"),
    "beside a loop": (DEAD.format(more="", rule="^/(.*)$ ws://app/$1", after="RewriteRule ^/a/(.*) /b/$1 [N]\n" + SAME),
                      "where requests would go then cannot be told, because of the flag [N]"),
    "beside If": (DEAD.format(more="", rule="^/(.*)$ ws://app/$1", after=f"<If \"true\">\nRewriteRule ^/b /c\n</If>\n{SAME}"),
                  "cannot be told, because of <If true>"),
    "with a second mistake that keeps it dead": ("RewriteCond ${HTTP:Upgrade} websocket [NC]\nRewriteCond %{HTTP_CONNECTION} upgrade\n"
                                                 "RewriteRule ^/(.*)$ ws://chat/$1 [P,L]\n" + SAME, None),
    "one slash in a ProxyPass": ("ProxyPass /ws/ ws:/chat/\n" + SAME, None),
    "one slash in a rule": ("RewriteRule ^/ws/(.*)$ ws:/chat/$1 [P]\n" + SAME, None),
    "one slash in a rule that is dead": ("RewriteCond ${HTTP:Upgrade} websocket\nRewriteRule ^/ws/(.*)$ ws:/chat/$1 [P]\n" + SAME,
                                         "handshake /ws/ goes to http://app/ws/ without a tunnel, and would go to ws://chat/"),
}


@pytest.mark.parametrize("body, refusal", MENDS.values(), ids=MENDS)
def test_a_mend_is_written_only_where_every_request_goes_where_it_went(migrate, tree, body, refusal):
    text = f"{MODULES.format(speaker='proxy_websocket')}<VirtualHost *:80>\n{body}\n</VirtualHost>\n"
    folder = tree({"httpd.conf": text})
    outcome = migrate("--write", folder / "httpd.conf")
    notes = [note for note in outcome.texts("note") if note.startswith("--write leaves this line alone: ")]
    written = (folder / "httpd.conf").read_text()
    if refusal is None:
        assert (notes, "${HTTP:" in written, " ws:/c" in written) == ([], False, False), outcome.out
        assert written != text
    else:
        assert written == text
        assert notes and all(refusal in note for note in notes), outcome.out


def test_what_would_be_refused_is_told_without_write_too(look):
    outcome = look(MENDS["to another backend"][0])
    assert outcome.lines("note", "--write leaves this line alone: handshake / goes to http://app/ without a tunnel") == [7]
    assert "has done nothing so far, and once mended would take requests that go elsewhere now" in outcome.texts("mapping")[0]


def test_of_several_mends_those_that_are_safe_are_written(migrate, tree):
    safe, unsafe = MENDS["to the same URL"][0], MENDS["to another backend"][0]
    text = f"<VirtualHost *:80>\n{safe}\n</VirtualHost>\n<VirtualHost *:81>\n{unsafe}\n</VirtualHost>\n"
    folder = tree({"a.conf": text})
    migrate("--write", folder / "a.conf")
    assert (folder / "a.conf").read_text() == text.replace("${HTTP:", "%{HTTP:", 1)


def test_a_snippet_in_two_virtual_hosts_has_to_be_safe_in_both(migrate, tree):
    host = "<VirtualHost *:{}>\nInclude snippet.conf\n{}\n</VirtualHost>\n"
    snippet = "RewriteCond ${HTTP:Upgrade} websocket\nRewriteRule ^/(.*)$ ws://app/$1 [P]\n"
    for other, expected in (("http://app/", snippet.replace("${", "%{")), ("http://pages/", snippet)):
        folder = tree({"httpd.conf": host.format(80, SAME) + host.format(81, f"ProxyPass / {other}"), "snippet.conf": snippet})
        migrate("--write", folder / "httpd.conf")
        assert (folder / "snippet.conf").read_text() == expected
        for backup in folder.glob("*.orig-*"):
            backup.unlink()


def test_files_of_a_folder_are_judged_each_for_itself(migrate, tree):
    dead = "RewriteCond ${HTTP:Upgrade} websocket\nRewriteRule ^/(.*)$ ws://app/$1 [P]\n"
    folder = tree({"sites/a.conf": dead + SAME, "sites/b.conf": "ProxyPass / http://other/\n"})
    migrate("--write", folder / "sites")
    assert "%{HTTP:" in (folder / "sites/a.conf").read_text()


WITHOUT_HTTP = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so
ProxyPass /a ws://app/a
"""


def test_the_module_is_not_changed_where_that_sends_requests_elsewhere(migrate, tree):
    text = WITHOUT_HTTP.replace("ProxyPass", "<IfVersion >= 2.4>\nProxyPass") + "</IfVersion>\n"
    folder = tree({"httpd.conf": text})
    outcome = migrate("--write", folder / "httpd.conf")
    assert (folder / "httpd.conf").read_text() == text
    assert "the LoadModule line stays as it is: with it where requests would go then cannot be told, because of <IfVersion" in outcome.err


def test_the_module_is_not_changed_where_pages_would_be_refused_that_were_files(migrate, tree):
    folder = tree({"httpd.conf": WITHOUT_HTTP})
    outcome = migrate("--write", folder / "httpd.conf")
    assert (folder / "httpd.conf").read_text() == WITHOUT_HTTP
    assert "stays as it is: with it plain /a goes to files and other handlers, and would go to answer 426" in outcome.err
    (folder / "httpd.conf").write_text(WITHOUT_HTTP + "ProxyPass / fcgi://app/\n")
    migrate("--write", folder / "httpd.conf")
    assert "proxy_websocket_module" in (folder / "httpd.conf").read_text()


def test_a_section_that_would_wake_is_left_alone(migrate, tree):
    text = MODULES.format(speaker="proxy_websocket") + "<IfModule mod_proxy_wstunnel.c>\nProxyPass /a ws://app/a\n</IfModule>\n"
    folder = tree({"httpd.conf": text})
    outcome = migrate("--write", folder / "httpd.conf")
    assert (folder / "httpd.conf").read_text() == text
    assert outcome.lines("note", "goes to files and other handlers, and would go to ws://app/a") == [5]


def test_each_mapping_is_told_with_where_requests_go(look):
    outcome = look("ProxyPass /ws ws://chat/ws\nProxyPass / http://app/")
    assert outcome.texts("route") == ["/ws: handshake -> ws://chat/ws; plain request -> http://chat/ws (before and after)"]
    outcome = look(MENDS["to the same URL"][0])
    assert outcome.texts("route") == ["/: handshake -> http://app/ without a tunnel before, ws://app/ after; plain request -> http://app/"]
    outcome = look("RewriteCond %{REMOTE_ADDR} ^10\\.\nRewriteRule ^/ws ws://chat/ [P]\nProxyPass / http://app/")
    assert outcome.texts("route") == [
        "/ws: handshake -> ws://chat/ or http://app/ws without a tunnel; plain request -> http://chat/ or http://app/ws (before and after)"]


def test_a_mapping_whose_routes_cannot_be_told_says_why(look):
    outcome = look("SetEnvIf Host x no-proxy\nProxyPass /ws ws://chat/ws")
    where = f"{outcome.findings[-1].file}:7"
    assert outcome.texts("route") == [f"where requests go cannot be told, because of SetEnvIf Host x no-proxy at {where}"]
