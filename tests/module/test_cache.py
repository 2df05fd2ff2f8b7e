"""mod_cache keeps pages of URLs that are WebSockets too: pages come from the cache, handshakes never do."""

import pytest

from dropin.clients import ask
from dropin.teller import Teller
from harness.error_log import BACKEND_REFUSES

RUNS_ON = ["event"]   # who serves a request does not depend on it
# Chrome's handshake says no-cache, of which CacheIgnoreCacheControl thinks nothing; curl's does not.
CLIENTS = ["chrome", "curl"]
PATHS = ["/two", "/upgrade", "/upgradehttp", "/ws", "/rewrite"]


@pytest.fixture(scope="module")
def app():
    with Teller("app") as teller:
        yield teller


@pytest.fixture(scope="module", params=["On", "Off"])
def site(request, start_shared, app):
    """`CacheQuickHandler`: mod_cache looks before everybody, or in the place of a handler."""
    address = f"127.0.0.1:{app.port}"
    server = start_shared(f"""
        CacheRoot {{root}}/run
        CacheEnable disk /
        CacheQuickHandler {request.param}
        CacheIgnoreNoLastMod On
        CacheIgnoreCacheControl On
        CacheIgnoreHeaders Set-Cookie
        CacheHeader On
        <Location /ws/denied>
            Require expr "%{{HTTP:Upgrade}} == ''"
            ErrorDocument 403 /ws/sorry
        </Location>
        ProxyPass /two ws://{address}/two
        ProxyPass /two http://{address}/two
        ProxyPass /upgrade http://{address}/upgrade upgrade=websocket
        <Location /upgradehttp>
            ProxyWebsocketUpgradeHttp On
            ProxyPass http://{address}/upgradehttp
        </Location>
        ProxyPassWS /ws ws://{address}/ws
        ProxyPass /ws http://{address}/ws
        RewriteEngine On
        RewriteCond %{{HTTP:Upgrade}} websocket [NC]
        RewriteRule ^/(rewrite.*) ws://{address}/$1 [P]
        ProxyPass /rewrite http://{address}/rewrite
        """, modules=["cache", "cache_disk"])
    server.allow_log("AH01630:")
    return server


def in_cache(server, path):
    answer = server.get(path)
    return answer.status == 200 and answer.header("X-Cache").startswith("HIT")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_that_is_cached_is_no_answer_to_a_handshake(site, path):
    site.get(path)
    assert in_cache(site, path)
    for name in CLIENTS:
        assert str(ask(site, name, path)) == f"101 app {path}"
    assert in_cache(site, path)


def test_a_gate_holds_though_its_page_is_cached(site):
    site.allow_log("AH01630:")
    for path in ("/ws/denied", "/ws/sorry"):
        site.get(path)
        assert in_cache(site, path)
    for name in CLIENTS:
        answer = ask(site, name, "/ws/denied")
        assert (answer.response.status, answer.target) == (403, "/ws/sorry")
    assert in_cache(site, "/ws/sorry")


def test_a_refusal_is_not_cached(site, app):
    site.expect_log(BACKEND_REFUSES)
    app.refusal = "404 Not Found"
    try:
        assert ask(site, "curl", "/two/late").response.status == 404
    finally:
        app.refusal = None
    assert ask(site, "curl", "/two/late").response.status == 101
    assert site.get("/two/late").status == 200
