"""--write changes what is safe and nothing else, keeps a backup, and httpd accepts the result."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import ROOT
from test_advice import MAY_GO

BEFORE = """\
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_wstunnel_module \\
    modules/mod_proxy_wstunnel.so
# mod_proxy_wstunnel, wss:/ and ${HTTP:Upgrade} in a comment stay
<VirtualHost *:443>
SSLProxyEngine on
RewriteCond ${HTTP:Upgrade} websocket [NC]
RewriteRule ^/a$ "wss:/app/a" [P]
<IfModule mod_proxy_wstunnel.c>
ProxyPass /b/ ws:/app/b retry=5
</IfModule>
</VirtualHost>
"""
AFTER = """\
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_websocket_module \\
    modules/mod_proxy_websocket.so
# mod_proxy_wstunnel, wss:/ and ${HTTP:Upgrade} in a comment stay
<VirtualHost *:443>
SSLProxyEngine on
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteRule ^/a$ "wss://app/a" [P]
<IfModule mod_proxy_websocket.c>
ProxyPass /b/ ws://app/b retry=5
</IfModule>
</VirtualHost>
"""


def backups(folder):
    return sorted(path for path in folder.rglob("*") if re.search(r"\.orig-\d{14}$", path.name))


def test_only_the_safe_changes_are_made_and_shown(migrate, tree):
    folder = tree({"httpd.conf": BEFORE})
    outcome = migrate("--write", folder / "httpd.conf")
    assert (folder / "httpd.conf").read_text() == AFTER
    assert [path.read_text() for path in backups(folder)] == [BEFORE]
    assert outcome.out.startswith(f"--- {backups(folder)[0]}\n+++ {folder / 'httpd.conf'}\n@@ ")
    assert '-RewriteRule ^/a$ "wss:/app/a" [P]\n' in outcome.out and '+RewriteRule ^/a$ "wss://app/a" [P]\n' in outcome.out
    assert outcome.status == 0


def test_the_diff_is_one_that_patch_takes(migrate, tree):
    folder = tree({"httpd.conf": BEFORE})
    outcome = migrate("--write", folder / "httpd.conf")
    (folder / "httpd.conf").write_text(BEFORE)
    diff = outcome.out.split("\n\n")[0] + "\n"
    if shutil.which("patch"):
        subprocess.run(["patch", "-s", str(folder / "httpd.conf")], input=diff, text=True, check=True, timeout=120)
        assert (folder / "httpd.conf").read_text() == AFTER


def test_the_report_that_follows_is_of_what_is_left(migrate, tree):
    folder = tree({"httpd.conf": BEFORE})
    outcome = migrate("--write", "--check", folder / "httpd.conf")
    assert outcome.status == 1
    assert [text.partition(",")[0] for text in outcome.texts("mistake")] == ["the path /b/ ends with a slash"]


def test_a_second_run_writes_nothing(migrate, tree):
    folder = tree({"httpd.conf": BEFORE})
    migrate("--write", folder / "httpd.conf")
    outcome = migrate("--write", folder / "httpd.conf")
    assert outcome.out.startswith("nothing to write\n")
    assert len(backups(folder)) == 1 and (folder / "httpd.conf").read_text() == AFTER


def test_without_write_nothing_is_touched(migrate, tree):
    folder = tree({"httpd.conf": BEFORE})
    migrate("--check", folder)
    assert (folder / "httpd.conf").read_text() == BEFORE and os.listdir(folder) == ["httpd.conf"]


def test_line_ends_odd_bytes_and_a_missing_last_newline_survive(migrate, tree):
    before = "# caf\u00e9\r\nProxyPass /b/ \\\r\n  ws:/app/b/\r\n# fin".encode("latin-1")
    folder = tree({"a.conf": before})
    outcome = migrate("--write", folder / "a.conf")
    assert (folder / "a.conf").read_bytes() == before.replace(b"ws:/app", b"ws://app")
    assert "\\ No newline at end of file" in outcome.out


def test_a_macro_and_a_Define_are_mended_where_they_stand(migrate, tree):
    before = "Define CHAT wss:/app/\n<Macro M $p>\nProxyPass /$p/ ws:/app/$p/\nProxyPass /x/ ${CHAT}\n</Macro>\nUse M a\nUse M b\n"
    folder = tree({"a.conf": before})
    migrate("--write", folder / "a.conf")
    assert (folder / "a.conf").read_text() == before.replace("wss:/app", "wss://app").replace("ws:/app", "ws://app")


def test_mode_and_links_stay(migrate, tree):
    folder = tree({"apache2.conf": "Include sites-enabled/*.conf\n", "sites-available/a.conf": "ProxyPass /b/ ws:/app/b/\n",
                   "sites-enabled/.keep": ""})
    real, link = folder / "sites-available/a.conf", folder / "sites-enabled/a.conf"
    real.chmod(0o640)
    link.symlink_to("../sites-available/a.conf")
    migrate("--write", folder)
    assert link.is_symlink() and real.read_text() == "ProxyPass /b/ ws://app/b/\n"
    assert real.stat().st_mode & 0o777 == 0o640
    assert [path.parent for path in backups(folder)] == [real.parent]


def test_a_backup_is_never_overwritten(migrate, tree, monkeypatch):
    folder = tree({"a.conf": "ProxyPass /b/ ws:/app/b/\n", "a.conf.orig-20260102030405": "older"})
    monkeypatch.setattr("time.strftime", lambda form: "20260102030405")
    outcome = migrate("--write", folder / "a.conf")
    assert outcome.status == 2 and "exists already" in outcome.err
    assert (folder / "a.conf").read_text() == "ProxyPass /b/ ws:/app/b/\n"


@pytest.mark.parametrize("include", ["Include sites/*", "Include sites"])
def test_a_backup_that_httpd_would_read_is_not_made(migrate, tree, include):
    before = "ProxyPass /b/ ws:/app/b/\n"
    folder = tree({"httpd.conf": include + "\n", "sites/a.conf": before})
    outcome = migrate("--write", folder)
    assert outcome.status == 2 and "left alone: the Include at" in outcome.err
    assert (folder / "sites/a.conf").read_text() == before and backups(folder) == []


def test_the_module_line_stays_while_the_module_is_not_installed(migrate, tree):
    folder = tree({"httpd.conf": BEFORE, "modules/mod_proxy_wstunnel.so": ""})
    outcome = migrate("--write", folder)
    text = (folder / "httpd.conf").read_text()
    assert "mod_proxy_websocket" not in text and "wss://app/a" in text
    assert "mod_proxy_websocket.so is not there yet" in outcome.err
    (folder / "modules/mod_proxy_websocket.so").write_text("")
    backups(folder)[0].unlink()  # the second run may come in the same second
    migrate("--write", folder)
    assert (folder / "httpd.conf").read_text() == AFTER


def test_sections_for_the_old_module_stay_where_the_LoadModule_line_is_not_seen(migrate, tree):
    before = "<IfModule mod_proxy_wstunnel.c>\nProxyPass /b/ ws://app/b/\n</IfModule>\n"
    folder = tree({"a.conf": before})
    migrate("--write", folder / "a.conf")
    assert (folder / "a.conf").read_text() == before


SITE = """\
<VirtualHost *:{port}>
    ServerName chat.example
    SSLProxyEngine on
    RewriteEngine On
    RewriteCond ${{HTTP:Upgrade}} websocket [NC]
    RewriteRule ^/live/(.*)$ ws://127.0.0.1:8000/live/$1 [P,L]
    RewriteCond %{{HTTP:Upgrade}} websocket [NC]
    RewriteCond %{{HTTP:Connection}} upgrade [NC]
    RewriteRule ^/feed/(.*)$ "ws:/127.0.0.1:9001/$1" [P,L]
    <IfModule mod_proxy_wstunnel.c>
        ProxyPass /chat/ wss:/127.0.0.1:9443/
    </IfModule>
    ProxyPass / http://127.0.0.1:8000/ upgrade=websocket
    <Location /rooms/>
        ProxyPass ws://127.0.0.1:9002/
    </Location>
</VirtualHost>
"""
MODULES = ("mpm_event", "authz_core", "proxy", "proxy_http", "proxy_wstunnel", "rewrite", "ssl", "macro")


def installed_modules():
    return next((path for path in map(pathlib.Path, ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"))
                 if (path / "mod_proxy_wstunnel.so").is_file()), None)


def debian_tree(tree, modules):
    """As Debian lays it out, with the sites and modules linked, and the modules in a folder of ours."""
    files = {"apache2/apache2.conf": "PidFile ${ROOT}/pid\nErrorLog ${ROOT}/log\nServerName localhost\n"
                                     "IncludeOptional mods-enabled/*.load\nInclude ports.conf\nIncludeOptional sites-enabled/*.conf\n",
             "apache2/ports.conf": "Listen 127.0.0.1:1\n", "apache2/sites-available/chat.conf": SITE.format(port=1),
             "apache2/mods-enabled/.keep": "", "apache2/sites-enabled/.keep": "", "modules/.keep": ""}
    for name in MODULES:
        files[f"apache2/mods-available/{name}.load"] = f"LoadModule {name}_module ${{ROOT}}/modules/mod_{name}.so\n"
    folder = tree(files)
    main = folder / "apache2/apache2.conf"
    main.write_text(f"Define ROOT {folder}\n{main.read_text()}")
    for name in MODULES:
        (folder / f"apache2/mods-enabled/{name}.load").symlink_to(f"../mods-available/{name}.load")
        (folder / f"modules/mod_{name}.so").symlink_to(modules / f"mod_{name}.so")
    (folder / "apache2/sites-enabled/chat.conf").symlink_to("../sites-available/chat.conf")
    return folder


def httpd_binary():
    return shutil.which("apache2", path="/usr/sbin:/usr/bin") or shutil.which("httpd", path="/usr/sbin:/usr/bin")


def configtest(folder):
    ran = subprocess.run([httpd_binary(), "-t", "-d", folder / "apache2", "-f", folder / "apache2/apache2.conf"], capture_output=True,
                         text=True, check=False, timeout=120)
    return ran.returncode, ran.stderr


def our_module():
    path = pathlib.Path(os.environ.get("WSP_MODULE", ROOT / "build/mod_proxy_websocket.so"))
    if not path.is_file():
        pytest.skip("the module is not built: scripts/build")
    return path


ADVISED = re.compile(r"write ((?:ProxyPassWS|ProxyWebsocket\w+) [^;,\n]*?)(?= instead| once|[;,\n]|$)")


@pytest.mark.skipif(installed_modules() is None, reason="no httpd with modules here")
def test_httpd_accepts_each_line_that_is_advised_alone_in_a_virtual_host(migrate, look, tree):
    advised = {line for _, _, body in MAY_GO.values() for line in ADVISED.findall(look(body).out)}
    assert {line.split()[0] for line in advised} == {"ProxyPassWS", "ProxyWebsocketUpgradeHttp"}, advised
    folder = debian_tree(tree, installed_modules())
    shutil.copy(our_module(), folder / "modules/mod_proxy_websocket.so")
    migrate("--write", folder / "apache2")
    hosts = "".join(f"<VirtualHost *:1>\n{line}\n</VirtualHost>\n" for line in sorted(advised))
    (folder / "apache2/sites-enabled/advised.conf").write_text(hosts)
    assert configtest(folder) == (0, "Syntax OK\n"), hosts


@pytest.mark.skipif(installed_modules() is None, reason="no httpd with modules here")
def test_httpd_accepts_a_debian_tree_after_write(migrate, tree):
    folder = debian_tree(tree, installed_modules())
    shutil.copy(our_module(), folder / "modules/mod_proxy_websocket.so")
    assert migrate("--check", folder / "apache2").status == 1
    outcome = migrate("--check", "--write", folder / "apache2")
    assert (outcome.status, outcome.texts("mistake"), outcome.err) == (0, [], ""), outcome.out
    assert outcome.out.count("\n+++ ") == 2 and len(backups(folder)) == 2
    assert "proxy_websocket_module" in (folder / "apache2/mods-available/proxy_wstunnel.load").read_text()
    assert configtest(folder) == (0, "Syntax OK\n")


@pytest.mark.skipif(installed_modules() is None, reason="no httpd with modules here")
def test_where_debians_own_files_for_the_module_are_installed_a2enmod_is_left_to_do_it(migrate, tree):
    folder = debian_tree(tree, installed_modules())
    shutil.copy(our_module(), folder / "modules/mod_proxy_websocket.so")
    ours = "LoadModule proxy_websocket_module ${ROOT}/modules/mod_proxy_websocket.so\n"
    (folder / "apache2/mods-available/proxy_websocket.load").write_text(ours)
    before = mappings_in(folder)
    assert [line for line in before if "/chat/" in line] == []   # httpd does not even start with one slash there
    outcome = migrate("--write", folder / "apache2")
    assert "a2dismod proxy_wstunnel && a2enmod proxy_websocket" in outcome.err
    assert "mod_proxy_wstunnel" in (folder / "apache2/mods-available/proxy_wstunnel.load").read_text()
    assert "ProxyPass /chat/ wss://127.0.0.1:9443/" in mappings_in(folder)
    (folder / "apache2/mods-enabled/proxy_wstunnel.load").unlink()
    (folder / "apache2/mods-enabled/proxy_websocket.load").symlink_to("../mods-available/proxy_websocket.load")
    assert "ProxyPass /chat/ wss://127.0.0.1:9443/" in mappings_in(folder)


def mappings_in(folder):
    """The ProxyPass lines that httpd itself has read, outside of sections that it skips."""
    info = f"LoadModule info_module {installed_modules()}/mod_info.so"
    arguments = ["-d", folder / "apache2", "-f", folder / "apache2/apache2.conf", "-C", info, "-t", "-D", "DUMP_CONFIG"]
    ran = subprocess.run([httpd_binary(), *arguments], capture_output=True, text=True, check=False, timeout=120)
    return [line.strip() for line in ran.stdout.split("\n") if line.strip().startswith("ProxyPass ")]
