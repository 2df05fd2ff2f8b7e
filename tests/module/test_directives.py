"""A directive with a value that makes no sense stops httpd with a message that names it."""

import pytest

from harness.httpd import config_check


@pytest.fixture(scope="module")
def check(mpm, certificates):
    """What httpd -t says about the given lines; "" when it accepts them."""
    return lambda lines: config_check(mpm, lines, certificates)


@pytest.mark.parametrize("line", [
    "ProxyWebsocketAsync Off", "ProxyWebsocketHandshakeTimeout 500ms", "ProxyWebsocketIdleTimeout 2h",
    "ProxyWebsocketIdleTimeout 0", "ProxyWebsocketCloseTimeout 30", "ProxyWebsocketSendTimeout 5min",
    "ProxyWebsocketBufferSize 4096", "ProxyWebsocketBufferSize 1M", "ProxyWebsocketValidate Full",
    "ProxyWebsocketPumpThreads 2", "ProxyPassWS /a ws://localhost:1/ retry=0", "ProxyPassWS /a !",
    "ProxyPassWS / wss://localhost:1/", "ProxyPassWS / http://localhost:1/", "ProxyPassWS /b balancer://x/",
    "<Location /a>\nProxyPassWS ws://localhost:1/\nProxyWebsocketAsync Off\n</Location>",
])
def test_a_valid_line_is_accepted(check, line):
    assert check(line) == ""


@pytest.mark.parametrize("line, said", [
    ("ProxyWebsocketAsync maybe", "ProxyWebsocketAsync must be On or Off"),
    ("ProxyWebsocketHandshakeTimeout 0", "ProxyWebsocketHandshakeTimeout must be from 1ms to 24h"),
    ("ProxyWebsocketHandshakeTimeout soon", "ProxyWebsocketHandshakeTimeout must be a time"),
    ("ProxyWebsocketIdleTimeout -1", "ProxyWebsocketIdleTimeout must be a time"),
    ("ProxyWebsocketCloseTimeout 1h", "ProxyWebsocketCloseTimeout must be from 10ms to 600s"),
    ("ProxyWebsocketBufferSize 1", "ProxyWebsocketBufferSize must be from 4096 to 16777216"),
    ("ProxyWebsocketBufferSize 64Q", "ProxyWebsocketBufferSize must be a whole number"),
    ("ProxyWebsocketValidate Perhaps", "ProxyWebsocketValidate must be Off, Frames or Full"),
    ("ProxyWebsocketPumpThreads 65", "ProxyWebsocketPumpThreads must be from 1 to 64"),
    ("ProxyWebsocketPumpThreads two", "ProxyWebsocketPumpThreads must be a whole number"),
    ("<VirtualHost *:1>\nProxyWebsocketPumpThreads 2\n</VirtualHost>", "ProxyWebsocketPumpThreads"),
    ("ProxyPassWS", "ProxyPassWS"),
    ("ProxyPassWS /a ftp://localhost/", "ProxyPassWS"),
    ("ProxyPassWS /a ws://localhost:1/ nonsense=1", "ProxyPassWS"),
])
def test_a_wrong_line_stops_httpd_and_says_which(check, line, said):
    assert said in check(line)
