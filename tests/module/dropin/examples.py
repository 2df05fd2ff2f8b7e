"""conf/examples as a user copies them, their Define lines changed to what the test has."""

import re

from harness.config import REPOSITORY


def example(name, **defines):
    """The lines of conf/examples/NAME.conf. Every Define of it must be given a value, and nothing else."""
    text = (REPOSITORY / f"conf/examples/{name}.conf").read_text()
    assert set(re.findall(r"^Define (\w+) ", text, re.MULTILINE)) == set(defines), name
    for variable, value in defines.items():
        text = re.sub(rf"^Define {variable} .*$", f"Define {variable} {value}", text, flags=re.MULTILINE)
    return text
