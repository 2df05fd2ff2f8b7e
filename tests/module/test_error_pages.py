"""An ErrorDocument under a WebSocket mapping: whoever was refused gets the error, and its page where somebody serves it, but
never a tunnel. The same with every way in, every kind of error, and chains of redirects."""

from contextlib import ExitStack

import pytest

from dropin.clients import ask, start_request
from dropin.teller import Teller
from dropin.ways import WAYS, WAYS_WITHOUT_HTTP
from harness import http1
from harness.error_log import BACKEND_REFUSES
from harness.http2 import Http2Connection
from harness.httpd import free_port
from harness.waiting import wait_until

RUNS_ON = ["event"]   # what becomes of a request does not depend on it
ALL_WAYS = WAYS + WAYS_WITHOUT_HTTP
FILES = {f"htdocs/{way.name}/sorry.html": "a page of files\n" for way in ALL_WAYS}
_NO_PAGE = "WSP0130: the client gets httpd's own text with the error"

# kind of error -> its status, what makes it for /WAY/KIND/
ERRORS = {
    "require": (403, "<Location /{way}/require>\nRequire all denied\n</Location>"),
    "basic": (401, '<Location /{way}/basic>\nAuthType Basic\nAuthName x\nAuthBasicProvider file\n'
              'AuthUserFile {root}/none\nRequire valid-user\n</Location>'),
    "rule": (403, "RewriteRule ^/{way}/rule/ - [F]"),
    "gone": (410, "RewriteRule ^/{way}/gone/ - [G]"),
    "per-dir-rule": (403, "<Location /{way}/per-dir-rule>\nRewriteEngine On\nRewriteRule . - [F]\n</Location>"),
    "security2": (406, 'SecRule REQUEST_URI "@beginsWith /{way}/security2" "id:{number},phase:2,deny,status:406"'),
    "methods": (405, "<Location /{way}/methods>\nAllowMethods POST\n</Location>"),
}


def errors_of(way):
    """mapping=encoded maps before the rewrite rules of the server are asked, ProxyPass as well as ProxyPassWS."""
    return {error: status for error, (status, lines) in ERRORS.items()
            if way.name != "encoded" or not lines.startswith("RewriteRule")}


def path_of(way, error):
    return f"/{way.name}/{error}/x"


def site_lines(backends, stock=False):
    gates = [lines.replace("{way}", way.name).replace("{number}", str(number + 1))
             for number, way in enumerate(ALL_WAYS) for _, lines in ERRORS.values()]
    documents = [f"<Location /{way.name}/>\n" + "\n".join(f"ErrorDocument {status} /{way.name}/sorry.html"
                 for status in (400, 401, 403, 404, 405, 406, 410, 503)) + "\n</Location>" for way in ALL_WAYS]
    lines = ["RewriteEngine On", "SecRuleEngine On", *gates, *documents,
             *((stock and way.stock) or way.lines for way in ALL_WAYS)]
    return "\n".join(lines).replace("{chat}", backends["chat"]).replace("{app}", backends["app"])


MODULES = ["allowmethods", "unique_id", "security2"]


@pytest.fixture(scope="module")
def tellers():
    with ExitStack() as stack:
        yield {name: stack.enter_context(Teller(name)) for name in ("chat", "app")}


@pytest.fixture(scope="module")
def backends(tellers):
    return {name: f"127.0.0.1:{teller.port}" for name, teller in tellers.items()}


@pytest.fixture(scope="module")
def site(start_shared, backends):
    return start_shared(site_lines(backends), modules=MODULES, files=FILES)


@pytest.fixture(scope="module")
def stock_site(start_shared, backends):
    return start_shared(site_lines(backends, stock=True), modules=MODULES, files=FILES, stock=True)


def allow_refusals(server, way=None):
    server.allow_log("ModSecurity: Access denied|AH01630:|AH01797:|AH01623:|AH00037:|AH01618:|AH01617:")
    if way and not way.pages:
        server.expect_log(_NO_PAGE)


@pytest.fixture
def asked(tellers):
    """What the backends were asked for by this test, of each its name, target and whether it was a handshake."""
    before = {name: len(teller.requests) for name, teller in tellers.items()}
    return lambda: [(name, request.target, request.header("Upgrade") is not None)
                    for name, teller in tellers.items() for request in teller.requests[before[name]:]]


@pytest.mark.parametrize("way", ALL_WAYS, ids=lambda way: way.name)
def test_who_was_denied_gets_the_error_and_its_page_and_no_tunnel(site, backends, asked, way):
    allow_refusals(site, way)
    for error, status in errors_of(way).items():
        answer = ask(site, "chrome", path_of(way, error))
        assert answer.response.status == status, error
        assert answer.backend == (way.pages if way.pages in backends else ""), error
        assert (answer.response.body == b"a page of files\n") == (way.pages == "file"), error
        assert answer.header("Sec-WebSocket-Accept") is None and answer.header("Upgrade") is None, error
        if status == 401:
            assert answer.header("WWW-Authenticate") == 'Basic realm="x"'
    page = (way.pages, f"/{way.name}/sorry.html", False)
    assert asked() == ([page] * len(errors_of(way)) if way.pages in backends else [])


@pytest.mark.parametrize("way", ALL_WAYS, ids=lambda way: way.name)
def test_stock_gives_the_tunnel(stock_site, way):
    """Why this file is not a comparison: were this to change, the documents should say so."""
    stock_site.allow_log("")
    statuses = {error: ask(stock_site, "chrome", path_of(way, error)).response.status for error in errors_of(way)}
    assert set(statuses.values()) == {101}, statuses


@pytest.mark.parametrize("way", ALL_WAYS, ids=lambda way: way.name)
def test_who_is_not_denied_gets_the_tunnel(site, way):
    assert ask(site, "firefox", f"/{way.name}/open").response.status == 101


def test_the_access_log_tells_what_the_client_asked_for_and_was_told(start, backends):
    """Of the last request that there was: the status of the error, and the headers of a handshake."""
    server = start(f"""
        <Location /ws>
            Require all denied
            ErrorDocument 403 /app/sorry.html
        </Location>
        ProxyPass /ws ws://{backends["chat"]}/
        ProxyPass /app/ http://{backends["app"]}/ upgrade=websocket
        LogFormat "%>s|%{{Upgrade}}i|%{{Connection}}i|%{{Sec-WebSocket-Version}}i|%<{{Upgrade}}i|%U" asked
        CustomLog {{root}}/asked.log asked
        """)
    server.allow_log("AH01630:")
    assert str(ask(server, "firefox", "/ws")) == "403 app /sorry.html"
    log = server.root / "asked.log"

    def about_it():   # the harness has asked for "/" meanwhile
        return [line for line in log.read_text().splitlines() if line.endswith("|/ws")]

    wait_until(about_it, "the access log's line")
    assert about_it() == ["403|websocket|keep-alive, Upgrade|13|websocket|/ws"]


@pytest.mark.parametrize("way", [way for way in ALL_WAYS if way.pages in ("file", "")], ids=lambda way: way.name)
def test_a_page_that_was_denied_stays_denied_too(site, asked, way):
    """Its ErrorDocument is a plain request on the mapping, which is no reason to be told 426. (Where a backend serves pages too, the
    client of a page is told the status that the ErrorDocument came with: as with stock httpd.)"""
    allow_refusals(site, way)
    path = f"/{way.name}/require/page"
    answer = ask(site, "page", path)
    assert answer.response.status == 403
    assert answer.header("Upgrade") is None
    assert (answer.response.body == b"a page of files\n") == (way.pages == "file")
    assert asked() == []
    assert site.access_log.wait_for(path)[0].status == "403"


def test_a_connection_that_was_to_be_kept_is_kept(site):
    """Firefox sends Connection: keep-alive, Upgrade."""
    allow_refusals(site)
    with start_request(site, "firefox", "/upgrade/require/x") as client:
        assert client.read_response().status == 403
        client.send(http1.handshake_request("/upgrade/open"))
        assert client.read_response().status == 101


# --- a backend that fails ---
# Mappings of /N/, where N is the place in the list: to a port on which nobody listens, and to a backend that refuses.
DOWN = [
    "ProxyPass /{n}/ ws://{nobody}/{n}/ retry=0",
    "ProxyPassWS /{n}/ ws://{nobody}/{n}/ retry=0",
    "ProxyPass /{n}/ http://{nobody}/{n}/ retry=0 upgrade=websocket",
    "RewriteEngine On\nRewriteRule ^(/{n}/.*) ws://{nobody}$1 [P]",
    "<Proxy balancer://b>\nBalancerMember ws://{nobody}/{n} retry=0\n</Proxy>\nProxyPass /{n}/ balancer://b/",
]
REFUSING = [
    "ProxyPass /{n}/ ws://{refusing}/{n}/", "ProxyPassWS /{n}/ ws://{refusing}/{n}/",
    "<Location /{n}/>\nProxyWebsocketUpgradeHttp On\nProxyPass http://{refusing}/{n}/\n</Location>",
]


@pytest.fixture(scope="module")
def refusing():
    with Teller("refusing") as teller:
        teller.refusal = "404 Not Found"
        yield teller


@pytest.fixture(scope="module")
def failing_site(start_shared, refusing):
    lines = [line.replace("{n}", str(number)) for number, line in enumerate(DOWN + REFUSING)]
    documents = [f"<Location /{n}/>\nErrorDocument 503 /{n}/sorry.html\nErrorDocument 404 /{n}/sorry.html\n</Location>"
                 for n in range(len(lines))]
    text = "\n".join(["ProxyErrorOverride On", *lines, *documents])
    return start_shared(text.replace("{nobody}", f"127.0.0.1:{free_port()}").replace("{refusing}", f"127.0.0.1:{refusing.port}"),
                        files={f"htdocs/{n}/sorry.html": "a page of files\n" for n in range(len(lines))})


@pytest.mark.parametrize("number", range(len(DOWN)))
def test_a_backend_that_is_down_is_tried_for_one_handshake(failing_site, number):
    failing_site.allow_log(r"WSP0108:|WSP0109:|WSP0130:|AH01114:|AH0095[79]:|AH01170:")
    failing_site.expect_log("WSP0114:")
    answer = ask(failing_site, "chrome", f"/{number}/chat")
    assert answer.response.status == 503
    assert (answer.response.body == b"a page of files\n") == DOWN[number].startswith("ProxyPassWS")
    assert len(failing_site.error_log.lines("handshake refused")) == 1


@pytest.mark.parametrize("number", range(len(DOWN), len(DOWN + REFUSING)))
def test_a_backend_that_refuses_is_asked_for_one_handshake(failing_site, refusing, number):
    """ProxyErrorOverride On: httpd's page in place of the backend's."""
    del refusing.requests[:]
    failing_site.expect_log(BACKEND_REFUSES)
    answer = ask(failing_site, "chrome", f"/{number}/chat")
    assert answer.response.status == 404
    handshakes = [request.target for request in refusing.requests if request.header("Upgrade")]
    assert handshakes == [f"/{number}/chat"]
    assert answer.backend == ("" if (DOWN + REFUSING)[number].startswith("ProxyPassWS") else "refusing")


# --- chains of redirects ---
LOCALIZED = """URI: forbidden

URI: forbidden.html.en
Content-type: text/html
Content-language: en
"""
BUILT_IN = """Content-language: en
Content-type: text/html
Body:----en----
<!--#include virtual="/errors/top.html" -->gone<!--#include virtual="/other/bottom.html" -->
----en----
"""


@pytest.fixture(scope="module")
def chained_site(start_shared, backends):
    """Debian's error pages are type maps: in one each language is a file (an internal redirect, or a fast one), in the other
    they all stand in the map, with includes (subrequests). mod_dir and mod_rewrite redirect as well."""
    return start_shared(f"""
        Alias /errors {{root}}/errors
        <Directory {{root}}/errors>
            Options IncludesNoExec FollowSymLinks
            AddOutputFilter Includes html
            AddHandler type-map var
            AllowOverride All
            Require all granted
        </Directory>
        <Location /other>
            Require all granted
            ProxyWebsocketFallbackToProxyHttp Off
        </Location>
        <LocationMatch "^/(?!errors|other|server|index|$)">
            Require all denied
        </LocationMatch>
        <Location /localized>
            ErrorDocument 403 /errors/forbidden.html.var
        </Location>
        <Location /built-in>
            ErrorDocument 403 /errors/gone.html.var
        </Location>
        <Location /folder>
            ErrorDocument 403 /errors/folder/
        </Location>
        <Location /fallback>
            ErrorDocument 403 /errors/fallback/nothing
        </Location>
        <Location /rewritten>
            ErrorDocument 403 /errors/rewritten/x
        </Location>
        <Location /nothing>
            ErrorDocument 403 /errors/missing.html
        </Location>
        <Location /looped>
            ErrorDocument 403 /looped/again
        </Location>
        <Location /text>
            ErrorDocument 403 "Sorry
        </Location>
        RewriteEngine On
        RewriteRule ^/other/(.*) ws://{backends["chat"]}/$1 [P]
        ProxyPassWS / ws://{backends["chat"]}/
        """, modules=["negotiation", "include"], files={
            "errors/forbidden.html.var": LOCALIZED, "errors/forbidden.html.en": "no\n", "errors/gone.html.var": BUILT_IN,
            "errors/top.html": "top ", "errors/folder/index.html": "folder\n", "errors/fallback/.htaccess":
            "FallbackResource /errors/top.html\n", "errors/rewritten/.htaccess":
            "RewriteEngine On\nRewriteRule ^x$ /errors/top.html\n"})


@pytest.mark.parametrize("path, page", [
    ("/localized", b"no\n"), ("/built-in", None), ("/folder", b"folder\n"), ("/fallback", b"top "), ("/rewritten", b"top "),
    ("/nothing", None), ("/looped", None), ("/text", b"Sorry"),
])
def test_a_chain_of_redirects_leads_to_no_tunnel_either(chained_site, asked, path, page):
    chained_site.allow_log("AH01630:|AH00128:|AH01276:|AH01264:|WSP0131:|unable to include")
    answer = ask(chained_site, "chrome", path)
    assert answer.response.status == 403
    assert asked() == []
    if page:
        assert answer.response.body == page
    if path == "/built-in":
        assert answer.response.body.startswith(b"top gone")
        assert chained_site.error_log.lines("WSP0131: subrequest for /other/bottom.html refused: it is mapped to ws://")


# --- what is no error ---
@pytest.fixture(scope="module")
def redirecting_lines(backends):
    return f"""
        <Directory {{root}}/htdocs>
            AllowOverride All
            Options +Includes +FollowSymLinks
            AddOutputFilter Includes shtml
        </Directory>
        ProxyPass /page.shtml !
        ProxyPass /chat ws://{backends["chat"]}/
        ProxyPass /directory/index.chat ws://{backends["chat"]}/
        ProxyPass /http http://{backends["app"]}/ upgrade=websocket
        """


REDIRECTING_FILES = {
    "htdocs/fallback/.htaccess": "FallbackResource /chat\n",
    "htdocs/directory/.htaccess": "DirectoryIndex index.chat\n",
    "htdocs/rewritten/.htaccess": "RewriteEngine On\nRewriteRule ^x$ /chat\n",
    "htdocs/action/.htaccess": "Action made /chat\nSetHandler made\n", "htdocs/action/x": "",
    "htdocs/page.shtml": '<!--#include virtual="/chat" -->,<!--#include virtual="/http" -->',
}

@pytest.fixture(scope="module")
def redirecting_site(start_shared, redirecting_lines):
    return start_shared(redirecting_lines, modules=["actions", "include"], files=REDIRECTING_FILES)


@pytest.mark.parametrize("path", ["/fallback/x", "/directory/", "/rewritten/x", "/action/x"])
def test_another_internal_redirect_still_leads_to_a_tunnel(redirecting_site, path):
    assert ask(redirecting_site, "chrome", path).response.status == 101


def test_a_subrequest_is_no_handshake(redirecting_site, asked):
    """SSI in a page that was asked for with a handshake's headers: backends are asked for pages."""
    assert ask(redirecting_site, "chrome", "/page.shtml").response.status == 200
    assert sorted(asked()) == [("app", "/", False), ("chat", "/", False)]


def test_over_http2_and_tls_too(start, backends, certificates):
    server = start(f"""
        Protocols h2 h2c http/1.1
        H2WebSockets on
        ProxyPassWS / ws://{backends["chat"]}/
        <Location /denied>
            Require all denied
            ErrorDocument 403 /sorry.html
        </Location>
        """, modules=["http2"], files={"htdocs/sorry.html": "a page of files\n"})
    server.allow_log("AH01630:")
    with Http2Connection(server.tls_port, certificates.client_context(["h2"])) as connection:
        stream = connection.await_response(connection.start_tunnel("/denied"))
        assert (stream.status, stream.recv(100)) == (403, b"a page of files\n")
    assert ask(server, "chrome", "/denied", tls=certificates.client_context()).response.body == b"a page of files\n"
