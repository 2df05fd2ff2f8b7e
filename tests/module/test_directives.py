"""A directive with a value that makes no sense stops httpd with a message that names it."""

import pytest

from harness.httpd import config_check

RUNS_ON = ["event"]   # httpd -t reads the same lines; no child is made


@pytest.fixture(scope="module")
def check(mpm, certificates):
    """What httpd -t says about the given lines; "" when it accepts them."""
    return lambda lines: config_check(mpm, lines, certificates)


@pytest.mark.parametrize("line", [
    "ProxyWebsocketAsync Off", "ProxyWebsocketHandshakeTimeout 500ms", "ProxyWebsocketIdleTimeout 2h",
    "ProxyWebsocketIdleTimeout 0", "ProxyWebsocketCloseTimeout 30", "ProxyWebsocketSendTimeout 5min",
    "ProxyWebsocketBufferSize 4096", "ProxyWebsocketBufferSize 1M", "ProxyWebsocketValidate Full",
    "ProxyWebsocketPumpThreads 2", "ProxyWebsocketPing Off", "ProxyWebsocketPing 30s", "ProxyWebsocketPing 30s 10s",
    "ProxyWebsocketPing 30s backend", "ProxyWebsocketPing 100ms 24h Backend", "ProxyWebsocketMaxLifetime Off",
    "ProxyWebsocketMaxLifetime 1s", "ProxyWebsocketMaxLifetime 8760h 100%", "ProxyWebsocketMaxLifetime 1h 10",
    "ProxyWebsocketMaxMessageSize off", "ProxyWebsocketMaxMessageSize 64K", "ProxyWebsocketMaxMessageSize 0 16M",
    "ProxyWebsocketMessageRate Off", "ProxyWebsocketMessageRate 1", "ProxyWebsocketMessageRate 1000000/s 1000000",
    "ProxyWebsocketDrainTimeout 0", "ProxyWebsocketDrainTimeout 168h", "ProxyWebsocketDrainSpread 30s",
    "ProxyWebsocketDrainCode 1012", "ProxyPassWS /a ws://localhost:1/ retry=0", "ProxyPassWS /a !",
    "ProxyPassWS / wss://localhost:1/", "ProxyPassWS / http://localhost:1/", "ProxyPassWS ~ ^/a ws://localhost:1", "ProxyPassWS /b balancer://x/",
    "ProxyWebsocketPool warm=2", "ProxyWebsocketPool max-idle=1000 ttl=100ms max-connecting=0 warm=1000",
    "<Proxy ws://localhost:1/>\nProxyWebsocketPool ttl=1h\n</Proxy>", "ProxyWebsocketHandshakeThreads 20",
    "ProxyWebsocketMaxBlockingTunnels Off", "ProxyWebsocketMaxBlockingTunnels 1", "ProxyWebsocketMaxBlockingTunnels 0 100000",
    "ProxyWebsocketMaxBlockingTunnels 7 7", "ProxyWebsocketOnMemberDown drain", "ProxyWebsocketOnMemberDown Keep",
    "RewriteEngine on\nRewriteRule ^/a ws://localhost:1/ws:/a [P]", "RewriteEngine on\nRewriteRule ^/ws:/(.*) /$1",
    "RewriteEngine on\nRewriteRule ^/a(/.*) ws:/$1 [P]", "RewriteEngine on\nRewriteRule ^/a ws:/%{HTTP_HOST}/ [P]",
    "RewriteEngine on\nRewriteRule ^/a ws:/localhost:1/ [R,E=P:1]",
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
    ("ProxyWebsocketPing 50ms", 'ProxyWebsocketPing: the interval must be from 100ms to 24h; it is "50ms"'),
    ("ProxyWebsocketPing 30s 25h", 'ProxyWebsocketPing: the deadline must be from 100ms to 24h; it is "25h"'),
    ("ProxyWebsocketPing often", 'ProxyWebsocketPing: the interval must be a time such as 500ms, 30s, 5min or 2h'),
    ("ProxyWebsocketPing 30s 10s client", 'ProxyWebsocketPing: only the word "backend" may stand behind the times'),
    ("ProxyWebsocketPing Off 10s", "ProxyWebsocketPing Off takes no further words"),
    ("ProxyWebsocketMaxBlockingTunnels 0", 'ProxyWebsocketMaxBlockingTunnels: the upper number must be from 1 to 100000, or Off; it is "0"'),
    ("ProxyWebsocketMaxBlockingTunnels 10 100001", 'the upper number must be from 1 to 100000, or Off; it is "100001"'),
    ("ProxyWebsocketMaxBlockingTunnels few", 'the upper number must be from 1 to 100000, or Off; it is "few"'),
    ("ProxyWebsocketMaxBlockingTunnels 8 4", 'the lower number must be from 0 to the upper one, 4; it is "8"'),
    ("ProxyWebsocketMaxBlockingTunnels -1 4", 'the lower number must be from 0 to the upper one, 4; it is "-1"'),
    ("ProxyWebsocketMaxBlockingTunnels Off 4", "ProxyWebsocketMaxBlockingTunnels Off takes no further words"),
    ("ProxyWebsocketMaxLifetime 999ms", "ProxyWebsocketMaxLifetime: the lifetime must be from 1s to 8760h"),
    ("ProxyWebsocketMaxLifetime 1h 101%", "ProxyWebsocketMaxLifetime: the jitter must be from 0% to 100%"),
    ("ProxyWebsocketMaxLifetime 1h -1%", "ProxyWebsocketMaxLifetime: the jitter must be from 0% to 100%"),
    ("ProxyWebsocketMaxLifetime 1h 10s", 'ProxyWebsocketMaxLifetime: the jitter must be from 0% to 100%; it is "10s"'),
    ("ProxyWebsocketMaxLifetime Off 10%", "ProxyWebsocketMaxLifetime Off takes no further words"),
    ("ProxyWebsocketMaxMessageSize -1", "ProxyWebsocketMaxMessageSize takes one or two sizes in bytes such as"),
    ("ProxyWebsocketMaxMessageSize 1K huge", 'such as 65536, 64K or 1M; there is "1K huge"'),
    ("ProxyWebsocketMaxMessageSize 9223372036854775807K", "ProxyWebsocketMaxMessageSize takes one or two sizes"),
    ("ProxyWebsocketMaxMessageSize Off 1K", "ProxyWebsocketMaxMessageSize Off takes no further words"),
    ("ProxyWebsocketMessageRate 0", 'ProxyWebsocketMessageRate: the rate must be from 1/s to 1000000/s; it is "0"'),
    ("ProxyWebsocketMessageRate 1000001/s", "ProxyWebsocketMessageRate: the rate must be from 1/s to 1000000/s"),
    ("ProxyWebsocketMessageRate 10/min", "ProxyWebsocketMessageRate: the rate must be from 1/s to 1000000/s"),
    ("ProxyWebsocketMessageRate 10 0", 'ProxyWebsocketMessageRate: the burst must be from 1 to 1000000; it is "0"'),
    ("ProxyWebsocketMessageRate Off 5", "ProxyWebsocketMessageRate Off takes no further words"),
    ("ProxyWebsocketDrainTimeout 169h", "ProxyWebsocketDrainTimeout must be from 0s to 168h"),
    ("ProxyWebsocketDrainSpread never", "ProxyWebsocketDrainSpread must be a time such as"),
    ("ProxyWebsocketDrainCode 1000", 'ProxyWebsocketDrainCode must be 1001 or 1012; it is "1000"'),
    ("ProxyWebsocketPool", "ProxyWebsocketPool needs at least one of warm=, max-idle=, ttl= and max-connecting="),
    ("ProxyWebsocketPool 5", 'ProxyWebsocketPool takes warm=, max-idle=, ttl= and max-connecting=; there is "5"'),
    ("ProxyWebsocketPool cold=5", 'max-connecting=; there is "cold=5"'),
    ("ProxyWebsocketPool warm=", 'ProxyWebsocketPool: warm must be a whole number from 0 to 1000; it is ""'),
    ("ProxyWebsocketPool warm=1001", 'warm must be a whole number from 0 to 1000; it is "1001"'),
    ("ProxyWebsocketPool max-connecting=-1", 'max-connecting must be a whole number from 0 to 1000; it is "-1"'),
    ("ProxyWebsocketPool ttl=99ms", 'ProxyWebsocketPool: the ttl must be from 100ms to 1h; it is "99ms"'),
    ("ProxyWebsocketPool warm=3 max-idle=2", "ProxyWebsocketPool: max-idle=2 is less than warm=3"),
    ("ProxyWebsocketHandshakeThreads many", "ProxyWebsocketHandshakeThreads must be a whole number"),
    ("ProxyWebsocketOnMemberDown close", 'ProxyWebsocketOnMemberDown must be keep or drain; it is "close"'),
    ("ProxyPass /a ws:/localhost:1/", "ProxyPass URL must be absolute!: ws:/localhost:1/"),
    ("ProxyPassWS /a ws:/localhost:1/",
     "ProxyPassWS: ProxyPass URL must be absolute!: ws:/localhost:1/ (a WebSocket URL has two slashes, ws://host or wss://host)"),
    ("<Location /a>\nProxyPassWS \"WSS:/localhost:1/\" retry=0\n</Location>", "(a WebSocket URL has two slashes,"),
    ("ProxyPassWS", "ProxyPassWS needs a path and the URL of a backend, as in ProxyPassWS /chat/ ws://127.0.0.1:9000/"),
    ("ProxyPassWS ws://localhost:1/", "ProxyPassWS needs a path and the URL of a backend"),
    ("ProxyPassWS ~ ^/a", "ProxyPassWS needs a path and the URL of a backend"),
    ("<VirtualHost *:1>\nProxyPassWS\n</VirtualHost>", "ProxyPassWS needs a path and the URL of a backend"),
    ("<Location /a>\nProxyPassWS\n</Location>", "ProxyPassWS needs the URL of a backend, as in ProxyPassWS ws://127.0.0.1:9000/"),
    ("<Location /a>\nProxyPassWS /a ws://localhost:1/\n</Location>", "can not have a path when defined in a location"),
    ("ProxyPassWS /a ftp://localhost/", "ProxyPassWS: the url must begin with ws, wss, http, https, balancer or unix:"),
    ("<VirtualHost *:1>\nProxyPassWS /a ftp://localhost/\n</VirtualHost>", 'or unix:; it is "ftp://localhost/"'),
    ("ProxyPassWS /a ws://localhost:1/ nonsense=1", "ProxyPassWS: ProxyPass unknown Worker parameter"),
])
def test_a_wrong_line_stops_httpd_and_says_which(check, line, said):
    assert said in check(line)
