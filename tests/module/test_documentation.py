"""What README.md and docs/ show as configuration is loaded: each block first in a virtual host of its own, where people put it."""

import re

import pytest

from harness.config import REPOSITORY
from harness.httpd import config_check

RUNS_ON = ["event"]
PAGES = [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^( *)```apache\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
# A block with one of these is no virtual host's.
OF_SERVER = re.compile(r"^\s*(LoadModule|ServerLimit|ThreadsPerChild|<VirtualHost)\b", re.MULTILINE)


def blocks(page):
    return [match[2] for match in BLOCK.finditer(page.read_text())]


def placed(block, certificates):
    # Debian's folder for pages, and its certificate, come with packages that the tests do not need.
    for name, path in (("DIR", REPOSITORY), ("CERTIFICATE", certificates.certificate), ("KEY", certificates.key)):
        block = re.sub(rf"^Define SITE_{name} .*$", f"Define SITE_{name} {path}", block, flags=re.MULTILINE)
    return block if OF_SERVER.search(block) else f"<VirtualHost *:1>\n{block}</VirtualHost>\n"


PAGES_WITH_BLOCKS = [page for page in PAGES if blocks(page)]


def test_no_block_is_left_out():
    fences = sum(len(re.findall(r"^ *```apache", page.read_text(), re.MULTILINE)) for page in PAGES)
    assert fences == sum(len(blocks(page)) for page in PAGES) > 5


@pytest.mark.parametrize("page", PAGES_WITH_BLOCKS, ids=lambda page: page.name)
def test_every_block_of_a_page_loads_in_a_virtual_host(mpm, certificates, page):
    lines = "".join(placed(block, certificates) for block in blocks(page))
    assert config_check(mpm, lines, certificates) == "", lines
