"""Runs scripts/migrate inside the test's own process, on configurations that a test writes into its folder."""

import importlib.machinery
import importlib.util
import pathlib
import re
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LINE = re.compile(r"(?P<file>[^\n]+?):(?P<line>\d+): (?P<severity>mapping|route|mistake|change|delete|note): (?P<text>.*)")
MODULES = """\
RewriteEngine On
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule {speaker}_module modules/mod_{speaker}.so
"""


def load_script():
    loader = importlib.machinery.SourceFileLoader("migrate_script", str(ROOT / "scripts/migrate"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


SCRIPT = load_script()


class Outcome:
    """What one run has said."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err
        self.findings = [types.SimpleNamespace(**{**m.groupdict(), "line": int(m["line"])}) for m in LINE.finditer(out)]

    def texts(self, severity):
        return [finding.text for finding in self.findings if finding.severity == severity]

    def lines(self, severity, fragment=""):
        return [finding.line for finding in self.findings if finding.severity == severity and fragment in finding.text]

    @property
    def summary(self):
        return self.out.rstrip("\n").rpartition("\n")[2]


@pytest.fixture
def migrate(capsys):
    def run(*args):
        try:
            status = SCRIPT.main([str(arg) for arg in args])
        except SystemExit as ended:
            status = ended.code
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)
    return run


@pytest.fixture
def tree(tmp_path):
    """Writes files, text or bytes, by their names below the test's folder; returns the folder."""
    def write(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path
    return write


@pytest.fixture
def look(migrate, tree):
    """The outcome for a virtual host with this body, in a server that has all modules. Its first line is line 7."""
    def run(body, outside="", speaker="proxy_wstunnel", address="*:443"):
        text = MODULES.format(speaker=speaker) + f"{outside}\n<VirtualHost {address}>\n{body.strip()}\n</VirtualHost>\n"
        return migrate("--check", tree({"httpd.conf": text}) / "httpd.conf")
    return run
