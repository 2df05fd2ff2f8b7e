"""Which version runs is in the error log of each start; scripts/test.d/apxs looks for it in the installed file and in httpd -M."""

import re

from harness.config import REPOSITORY

RUNS_ON = ["event"]   # said by the parent


def test_each_start_says_the_version_once(start):
    version = re.search('^#define WSP_VERSION "(.+)"$', (REPOSITORY / "module/version.hpp").read_text(), re.MULTILINE)[1]
    server = start("")
    line = rf"WSP0022: mod_proxy_websocket/{re.escape(version)}, built with httpd 2\.4\.\d+ and OpenSSL \d"
    assert server.error_log.total(line) == server.error_log.total("WSP0022:") == 1
    server.graceful()
    assert server.error_log.total(line) == server.error_log.total("WSP0022:") == 2
