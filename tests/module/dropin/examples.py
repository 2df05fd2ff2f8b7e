"""conf/examples as a user copies them, their Define lines changed to what the test has."""

import re

from harness.config import REPOSITORY

NAMES = sorted(path.stem for path in (REPOSITORY / "conf/examples").glob("*.conf"))


def _text(name):
    return (REPOSITORY / f"conf/examples/{name}.conf").read_text()


def is_for_virtual_hosts(name):
    """As its head says; otherwise it is for the server's own configuration alone."""
    return re.search(r"^# Put into a <VirtualHost>", _text(name), re.MULTILINE) is not None


def in_virtual_host(lines, name="localhost"):
    return f"<VirtualHost 127.0.0.1:{{port}}>\n{lines}\nServerName {name}\n</VirtualHost>\n"


def variables_of(name):
    """The names that it has Define lines for."""
    return set(re.findall(r"^Define (\w+) ", _text(name), re.MULTILINE))


def example(name, **defines):
    """The lines of conf/examples/NAME.conf. Every Define of it must be given a value, and nothing else."""
    text = _text(name)
    assert variables_of(name) == set(defines), name
    for variable, value in defines.items():
        text = re.sub(rf"^Define {variable} .*$", f"Define {variable} {value}", text, flags=re.MULTILINE)
    return text
