"""Other modules in the way: with each of them the 101 and the data stay clean, and the tunnel leaves its thread unless the
module sits between the connection and us."""

import os
import time

import pytest

from dropin.clients import ask
from dropin.teller import Teller
from harness import http1
from harness.client import finish_handshake
from harness.httpd import free_port
from harness.peer import connect
from harness.waiting import wait_until

RUNS_ON = ["event"]
_LUA = """
function check(r)
    if r.args == "lua=no" then return 403 end
    r.headers_in["X-Lua"] = "was here"
    return apache2.DECLINED
end
function shout(r)
    coroutine.yield("<")
    while bucket ~= nil do coroutine.yield(string.upper(bucket)) end
    coroutine.yield(">")
end
"""
FILES = {"hooks.lua": _LUA}
# What request filters would change if tunnel data came by.
TELLTALE = b"aaaa <a href='http://127.0.0.1/'>aaaa</a>\n" * 400

# name -> lines inside <Location /ws>, lines outside, modules, whether the tunnel leaves its thread
WAYS = {
    "deflate": ("SetOutputFilter DEFLATE\nSetInputFilter DEFLATE", "", ["filter", "deflate"], True),
    "deflate by type": ("AddOutputFilterByType DEFLATE text/html text/plain", "", ["filter", "deflate"], True),
    "brotli": ("SetOutputFilter BROTLI_COMPRESS", "", ["filter", "brotli"], True),
    "substitute": ("SetOutputFilter SUBSTITUTE\nSubstitute s/a/b/", "", ["filter", "substitute"], True),
    "sed": ('SetOutputFilter Sed\nOutputSed "s/a/b/g"\nSetInputFilter Sed\nInputSed "s/a/b/g"', "", ["sed"], True),
    "ext_filter": ("SetOutputFilter upper", 'ExtFilterDefine upper mode=output cmd="/usr/bin/tr a-z A-Z"', ["ext_filter"],
                   True),
    "proxy_html": ("SetOutputFilter proxy-html\nProxyHTMLEnable On\nProxyHTMLURLMap http://127.0.0.1/ /", "",
                   ["filter", "xml2enc", "proxy_html"], True),
    "buffer": ("SetOutputFilter BUFFER\nSetInputFilter BUFFER", "", ["buffer"], True),
    "ratelimit": ("SetOutputFilter RATE_LIMIT\nSetEnv rate-limit 1", "", ["ratelimit"], True),
    "filter providers": ("", "FilterDeclare z\nFilterProvider z DEFLATE \"%{resp:Content-Type} = 'text/html'\"\n"
                         "FilterChain z", ["filter", "deflate"], True),
    "include": ("Options +Includes\nSetOutputFilter INCLUDES", "", ["include"], True),
    "cache": ("", "CacheRoot {root}/cache\nCacheEnable disk /\nCacheIgnoreCacheControl On", ["cache", "cache_disk"], True),
    "session": ("Session On\nSessionCookieName session path=/\nSessionMaxAge 60\nSessionEnv On", "",
                ["session", "session_cookie"], True),
    "logio": ("", "LogIOTrackTTFB ON", [], True),
    "log_forensic": ("", "ForensicLog {root}/forensic.log", ["log_forensic"], True),
    "remoteip": ("", "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1", ["remoteip"], True),
    "rewrite": ("", "RewriteEngine On\nRewriteRule .* - [E=SEEN:yes]", [], True),
    "usertrack and unique_id": ("CookieTracking on", "", ["usertrack", "unique_id"], True),
    "lua hooks": ("", "LuaHookAccessChecker {root}/hooks.lua check", ["lua"], True),
    "lua filter": ("SetOutputFilter SHOUT", "LuaOutputFilter SHOUT {root}/hooks.lua shout", ["lua"], True),
    "security2": ("", "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\nSecDataDir {root}/run\n"
                  'SecRule ARGS "@contains attack" "id:1,phase:2,deny,status:403"', ["unique_id", "security2"], True),
    "dumpio": ("", "LogLevel dumpio:trace7\nDumpIOInput On\nDumpIOOutput On", ["dumpio"], False),
    "http2 beside": ("", "Protocols h2 h2c http/1.1", ["http2"], True),
}


@pytest.fixture(scope="module")
def chat():
    with Teller("chat") as teller:
        yield teller


@pytest.fixture
def serve(start, echo, chat):
    def serve(inside, outside, modules):
        return start(f"{outside}\n<Location /ws>\n{inside}\nProxyPass {echo.url}/\n</Location>\n"
                     f"ProxyPass /chat ws://127.0.0.1:{chat.port}/", modules=modules, files=FILES)
    return serve


def assert_clean(client, key):
    """The 101 has what it must have, once, and nothing that belongs to a body."""
    response = client.response
    assert response.all("Sec-WebSocket-Accept") == [http1.accept_for(key)]
    assert (response.all("Upgrade"), response.all("Connection")) == (["websocket"], ["Upgrade"])
    for name in ("Content-Encoding", "Content-Length", "Transfer-Encoding", "Vary", "ETag"):
        assert response.header(name) is None, response


@pytest.mark.parametrize("tls_client", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("inside, outside, modules, leaves", WAYS.values(), ids=WAYS.keys())
def test_the_101_and_the_data_stay_clean(serve, tls, inside, outside, modules, leaves, tls_client):
    server = serve(inside, outside, modules)
    key = http1.new_key()
    changes = {"Sec-WebSocket-Key": key, "Accept-Encoding": "gzip, deflate, br", "X-Forwarded-For": "192.0.2.9"}
    with server.open_tunnel("/ws", changes, tls if tls_client else None) as client:
        assert_clean(client, key)
        for payload in (b"", TELLTALE, os.urandom(100_000)):
            client.echo(payload)
        wait_until(lambda: server.busy_workers() == (1 if leaves else 2), f"a thread {'free' if leaves else 'held'}")
        client.send_close(1000, "bye")
        assert client.read_close() == (1000, "bye")
        client.expect_end()
    said = server.error_log.module_lines("WSP0110")
    assert len(said) == (0 if leaves else 1), said


def test_reqtimeout_does_not_count_the_tunnels_silence(start, echo):
    server = start(f"RequestReadTimeout handshake=1 header=1 body=1\nProxyPass /ws {echo.url}/")
    with server.open_tunnel("/ws") as client:
        time.sleep(2)   # nothing can be awaited: nothing happens
        client.echo()


def test_remoteip_names_the_client_to_the_backend_and_in_the_log(serve):
    server = serve(*WAYS["remoteip"][:3])
    answer = ask(server, "chrome", "/chat", [("X-Forwarded-For", "192.0.2.9")])
    assert answer.seen.header("X-Forwarded-For").split(", ")[-1] == "192.0.2.9"
    assert server.access_log.wait_for("/chat")[0].address == "192.0.2.9"


def test_remoteips_proxy_protocol_keeps_working(start, echo):
    port = free_port()
    server = start(f"Listen 127.0.0.1:{port}\n<VirtualHost *:{port}>\nRemoteIPProxyProtocol On\nProxyPass /ws {echo.url}/\n"
                   "</VirtualHost>", modules=["remoteip"])
    with connect(port) as client:
        client.send(b"PROXY TCP4 192.0.2.9 127.0.0.1 4711 80\r\n" + http1.handshake_request("/ws"))
        finish_handshake(client)
        client.echo(TELLTALE)
        client.send_close(1000)
        assert client.read_close()[0] == 1000
    assert len(server.error_log.module_lines("WSP0110")) <= 1


def test_log_forensic_has_a_second_line_for_each_tunnel(serve):
    server = serve(*WAYS["log_forensic"][:3])
    with server.open_tunnel("/ws") as client:
        client.echo()
    log = server.root / "forensic.log"
    opened = [line.split("|")[0][1:] for line in log.read_text().splitlines() if line.startswith("+") and "/ws" in line]
    assert len(opened) == 1
    wait_until(lambda: f"-{opened[0]}" in log.read_text().splitlines(), "the forensic log's second line")


def test_security2_refuses_a_handshake_that_breaks_a_rule_and_lets_others_pass(serve):
    server = serve(*WAYS["security2"][:3])
    server.expect_log("ModSecurity: Access denied")
    assert ask(server, "chrome", "/chat?x=attack").response.status == 403
    assert ask(server, "chrome", "/chat?x=peace").response.status == 101


def test_lua_may_refuse_a_handshake_and_change_its_headers(serve):
    server = serve(*WAYS["lua hooks"][:3])
    assert ask(server, "chrome", "/chat?lua=no").response.status == 403
    assert ask(server, "chrome", "/chat").seen.header("X-Lua") == "was here"


def test_logio_counts_the_tunnels_bytes(serve):
    server = serve(*WAYS["logio"][:3])
    with server.open_tunnel("/ws") as client:
        client.echo(TELLTALE)
        client.send_close(1000)
        client.read_close()
        sizes = (client.bytes_sent, client.bytes_received)
    line = server.access_log.wait_for("/ws")[0]
    assert (line.number("received"), line.number("sent")) == sizes


def test_usertracks_cookie_comes_with_the_101(serve):
    server = serve(*WAYS["usertrack and unique_id"][:3])
    with server.open_tunnel("/ws") as client:
        assert client.response.header("Set-Cookie").startswith("Apache=")
