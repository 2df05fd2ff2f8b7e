"""Configurations are read as httpd reads them: includes, macros, continuation lines, quotes, links, odd bytes."""

import os
import subprocess

import pytest

WS = "ProxyPass /ws/ ws://app:9000/\n"
WRONG = "ProxyPass /ws/ ws://app:9000\n"  # one slash is missing


def test_includes_are_relative_to_the_server_root(migrate, tree):
    folder = tree({"apache2.conf": "Include ports.conf\nIncludeOptional sites-enabled/*.conf\nIncludeOptional none/*.conf\n",
                   "ports.conf": "Listen 80\n", "sites-enabled/b.conf": WS, "sites-enabled/a.conf": WS,
                   "sites-enabled/c.conf.bak": WS})
    outcome = migrate(folder)
    assert [finding.file for finding in outcome.findings if finding.severity == "mapping"] == [
        str(folder / "sites-enabled/a.conf"), str(folder / "sites-enabled/b.conf")]
    assert outcome.summary.startswith("4 files read: 2 WebSocket mappings")


def test_ServerRoot_in_the_file_counts(migrate, tree):
    folder = tree({"etc/conf/httpd.conf": "", "etc/conf.d/ws.conf": WS})
    (folder / "etc/conf/httpd.conf").write_text(f'ServerRoot "{folder}/etc"\nInclude conf.d/*.conf\n')
    for asked in [folder / "etc", folder / "etc/conf/httpd.conf"]:
        assert len(migrate(asked).texts("mapping")) == 1


def test_a_ServerRoot_of_another_machine_gives_way_to_the_folder(migrate, tree):
    folder = tree({"httpd.conf": 'ServerRoot "/nonexistent/httpd"\nInclude conf.d/*.conf\n', "conf.d/ws.conf": WS})
    assert len(migrate(folder).texts("mapping")) == 1


def test_a_site_alone_finds_its_includes_from_the_root_above(migrate, tree):
    folder = tree({"apache2.conf": "", "sites-available/a.conf": "<VirtualHost *:80>\nInclude snippets/ws.conf\n</VirtualHost>\n",
                   "snippets/ws.conf": WS})
    assert len(migrate(folder / "sites-available/a.conf").texts("mapping")) == 1


def test_a_folder_without_a_main_file_is_read_file_by_file(migrate, tree):
    folder = tree({"sites/a.conf": WS, "sites/deep/b.conf": "ProxyPass / http://app/\n" + WS, "sites/readme.txt": WS})
    outcome = migrate(folder / "sites")
    assert len(outcome.texts("mapping")) == 2
    assert len(outcome.texts("mistake")) == 1  # b.conf's own; a.conf is not below b.conf's http mapping


def test_a_folder_that_is_included_is_read_whole(migrate, tree):
    folder = tree({"httpd.conf": "Include extra\n", "extra/one": WS, "extra/more/two.conf": WS})
    assert len(migrate(folder).texts("mapping")) == 2


def test_an_include_of_itself_ends(migrate, tree):
    folder = tree({"httpd.conf": "Include httpd.conf\n" + WS})
    assert len(migrate(folder).texts("mapping")) == 1


def test_linked_sites_are_told_once(migrate, tree):
    folder = tree({"apache2.conf": "IncludeOptional sites-enabled/*.conf\n", "sites-available/a.conf": WRONG,
                   "sites-enabled/.keep": ""})
    os.symlink("../sites-available/a.conf", folder / "sites-enabled/a.conf")
    outcome = migrate(folder, folder / "sites-available", folder / "sites-available/a.conf")
    assert outcome.lines("mistake") == [1]
    assert {finding.file for finding in outcome.findings} == {str(folder / "sites-enabled/a.conf")}
    assert outcome.summary.startswith("2 files read")


def test_a_snippet_in_two_virtual_hosts_is_told_once_but_seen_in_both(migrate, tree):
    host = "<VirtualHost *:{}>\n{}Include snippet.conf\n</VirtualHost>\n"
    folder = tree({"httpd.conf": host.format(443, "SSLProxyEngine on\n") + host.format(8443, ""),
                   "snippet.conf": "ProxyPass /ws/ wss://app/\n"})
    outcome = migrate(folder)
    assert len(outcome.texts("mapping")) == 1
    assert "*:8443" in outcome.texts("mistake")[0] and len(outcome.texts("mistake")) == 1


@pytest.mark.parametrize("line, path", [
    ("ProxyPass \\\n  /ws/ \\\n  ws://app/", "/ws/ ws://app/"),
    ("  ProxyPass\t/ws/\tws://app/", "/ws/ ws://app/"),
    ('ProxyPass "/w s/" \'ws://app/\'', "/w s/ ws://app/"),
    ('ProxyPass "/a\\"b/" ws://app/', '/a"b/ ws://app/'),
    ("Define HOST app\nDefine PATH /ws/\nProxyPass ${PATH} ws://${HOST}/", "/ws/ ws://app/"),
    ("Define HOST old\nUnDefine HOST\nProxyPass /ws/ ws://${HOST}/", "/ws/ ws://${HOST}/"),
    ("# ProxyPass /no/ ws://app/ \\\n ProxyPass /no/ ws://app/\nProxyPass /ws/ ws://app/", "/ws/ ws://app/"),
    ("<IfModule proxy_module>\n<IfDefine !X>\nProxyPass /ws/ ws://app/\n</IfDefine>\n</IfModule>", "/ws/ ws://app/"),
])
def test_lines_are_split_as_httpd_splits_them(look, line, path):
    assert [text.partition(": ")[0] for text in look(line).texts("mapping")] == [f"ProxyPass {path}"]


def test_a_continuation_at_the_end_of_the_file_is_still_a_line(migrate, tree):
    assert len(migrate(tree({"a.conf": "ProxyPass /ws/ ws://app/ \\"}) / "a.conf").texts("mapping")) == 1


MACRO = """\
<Macro Site $name $namespace $port>
<VirtualHost *:443>
ServerName $name
ProxyPass /$namespace/ ws://localhost:$port/ timeout=5
</VirtualHost>
</Macro>
"""


def test_a_macro_is_read_where_it_is_used(migrate, tree):
    outcome = migrate(tree({"a.conf": MACRO + "Use Site a.example chat 9000\nUse site b.example feed 9001\n"}) / "a.conf")
    assert [text.partition(": ")[0] for text in outcome.texts("mapping")] == [
        "ProxyPass /chat/ ws://localhost:9000/", "ProxyPass /feed/ ws://localhost:9001/"]
    assert outcome.lines("note", "timeout=5") == [4]


def test_a_macro_that_is_used_elsewhere_is_read_as_it_stands(migrate, tree):
    outcome = migrate(tree({"a.conf": MACRO}) / "a.conf")
    assert outcome.lines("note", "timeout=5") == [4]


def test_a_macro_that_uses_itself_ends(migrate, tree):
    folder = tree({"a.conf": "<Macro A>\nUse A\n" + WS + "</Macro>\nUse A\n"})
    assert len(migrate(folder / "a.conf").texts("mapping")) == 1


def test_conditions_belong_to_the_next_rule_of_the_same_section(look):
    outcome = look("RewriteCond %{HTTP:Upgrade} websocket [NC]\n<Location /x>\nRewriteRule ^y$ /z\n</Location>\n"
                   "RewriteRule ^/a$ ws://app/ [P]")
    assert "(1 RewriteCond)" in outcome.texts("mapping")[0]


def test_odd_configurations_are_read_to_their_end(migrate, tree):
    text = ("</VirtualHost>\n<>\n<Files\nProxyPass\nRewriteRule\nRewriteRule (((( ws://app/ [P]\nRewriteCond a\nBalancerMember\nUse\n"
            "<Location>\nProxyPass ws://app/\n</Location>\nProxyPass /x\nProxySet\nProxyPassMatch ( ws://app/$1\nInclude\n" + WS)
    outcome = migrate(tree({"a.conf": text}) / "a.conf")
    assert outcome.status == 0
    assert outcome.lines("mapping")[-1] == 17


def test_crlf_and_latin_1_do_not_matter(migrate, tree):
    text = "# caf\u00e9 \\\r\n still a comment\r\nProxyPass /caf\u00e9/ \\\r\n ws://app timeout=5\r\n"
    outcome = migrate("--check", tree({"a.conf": text.encode("latin-1")}) / "a.conf")
    assert outcome.lines("mistake") == [3]
    assert "\r" not in outcome.out and outcome.status == 1


def test_what_cannot_be_read_is_told_and_exits_2(migrate, tree):
    folder = tree({"httpd.conf": "Include missing.conf\nInclude sites/*.conf\n" + WS, "sites/.keep": ""})
    os.symlink("nowhere", folder / "sites/gone.conf")
    outcome = migrate(folder)
    assert outcome.status == 2 and len(outcome.texts("mapping")) == 1
    assert "missing.conf: No such file or directory" in outcome.err and "gone.conf: No such file" in outcome.err
    assert migrate(folder / "nothing").status == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_exits_2(migrate, tree):
    folder = tree({"a.conf": WS})
    (folder / "a.conf").chmod(0)
    assert "Permission denied" in migrate(folder / "a.conf").err


@pytest.mark.parametrize("args", [[], ["--edit", "x"], ["--check"]])
def test_wrong_usage_exits_2(migrate, args):
    outcome = migrate(*args)
    assert outcome.status == 2 and "usage: migrate" in outcome.err


def test_findings_stand_in_the_order_of_files_and_lines(migrate, tree):
    folder = tree({"httpd.conf": "Include b.conf\nInclude a.conf\nProxyTimeout 5\n", "a.conf": WRONG, "b.conf": "\n" + WRONG})
    outcome = migrate(folder)
    places = [(os.path.basename(finding.file), finding.line) for finding in outcome.findings]
    order = ["httpd.conf", "b.conf", "a.conf"]
    assert places == sorted(places, key=lambda place: (order.index(place[0]), place[1]))


def test_the_script_runs_from_anywhere_and_writes_nothing(tree):
    folder = tree({"httpd.conf": "Include a.conf\n", "a.conf": WRONG})
    from conftest import ROOT
    ran = subprocess.run(["/usr/bin/python3", ROOT / "scripts/migrate", "--check", "httpd.conf"], cwd=folder, capture_output=True,
                         text=True, check=False, timeout=120)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.startswith("a.conf:1: mapping: ")
    assert sorted(os.listdir(folder)) == ["a.conf", "httpd.conf"]
