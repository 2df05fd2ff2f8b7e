"""ProxyWebsocketMaxBlockingTunnels: what keeps its thread is counted, new HTTP/2 connections are not offered WebSockets from
the lower number on, and beyond the upper one handshakes that would keep their thread are refused."""

import subprocess

import pytest
from h2.settings import SettingCodes

from harness.config import ONE_CHILD
from harness.foreign import load_line
from harness.http2 import Http2Connection
from harness.waiting import COMMAND_BOUND, wait_until

RUNS_ON = ["event"]


@pytest.fixture(scope="module")
def site(start_shared, mpm, echo):
    """/thread leads to a balancer: a member that is full is not in error."""
    return start_shared(f"""
        Protocols h2 h2c http/1.1
        H2WebSockets on
        ProxyWebsocketMaxBlockingTunnels 2 4
        ProxyPass /ws {echo.url}/
        <Proxy balancer://threads>
            BalancerMember {echo.url}
        </Proxy>
        <Location /thread>
            ProxyWebsocketAsync Off
            ProxyPass balancer://threads/
        </Location>
        """, modules=["http2"], mpm_lines=ONE_CHILD[mpm])


@pytest.fixture(params=["h2", "h2c"])
def connect(request, site, certificates):
    """Opens an HTTP/2 connection."""
    tls = certificates.client_context(["h2"]) if request.param == "h2" else None
    return lambda: Http2Connection(site.tls_port if tls else site.port, tls, needs_connect=False)


@pytest.fixture
def empty(connect):
    """No tunnel of an earlier test is left."""
    def offered():
        with connect() as connection:
            return connection.get("/").status == 200 and connection.allows_connect_protocol
    wait_until(offered, "new connections are offered WebSockets")


def eventually(open_tunnel):
    """A tunnel that has just ended, in an earlier test perhaps, may still count."""
    def attempt():
        try:
            return open_tunnel()
        except AssertionError:
            return None
    return wait_until(attempt, "room for a tunnel")


def end(tunnel):
    tunnel.send_close(1000)
    assert tunnel.read_close() == (1000, "")


@pytest.mark.runs_on("event", "worker")
def test_from_the_lower_number_on_new_connections_are_not_offered_websockets(site, connect, empty):
    with connect() as first, connect() as early:
        assert early.get("/").status == 200   # the server knows it
        tunnels = [first.open_tunnel("/ws") for _ in range(2)]
        with connect() as connection:
            assert connection.get("/").status == 200
            assert not connection.allows_connect_protocol
            assert connection.setting(SettingCodes.ENABLE_CONNECT_PROTOCOL) == 0
            assert connection.setting(SettingCodes.MAX_CONCURRENT_STREAMS) == 100   # mod_http2's default
            assert connection.get("/").status == 200
            assert early.get("/").status == 200 and early.allows_connect_protocol
            with site.open_tunnel("/ws") as http1:   # as a browser does then
                http1.echo()
        assert site.error_log.total("WSP0133: .* 2 tunnels keep their threads") == 1   # in a minute
        for tunnel in tunnels:
            end(tunnel)


def test_plain_clients_do_not_notice(site, connect, empty, tls):
    """Whatever they speak first: the filter sees an answer of HTTP/1.1, an upgrade to h2c, or SETTINGS."""
    with connect() as connection:
        tunnels = [connection.open_tunnel("/ws") for _ in range(2)]
        for options in (["--http1.1"], ["--http2"], ["--http2-prior-knowledge"]):
            for url in (f"http://127.0.0.1:{site.port}/", f"https://127.0.0.1:{site.tls_port}/"):
                curl = subprocess.run(["curl", "-sSk", "-m", "20", *options, url], capture_output=True, text=True,
                                      timeout=COMMAND_BOUND)
                assert curl.stdout == "static\n", (options, url, curl.stderr)
        for tls_or_not in (None, tls):
            with site.open_tunnel("/ws", tls=tls_or_not) as tunnel:
                tunnel.echo()
        assert not site.error_log.lines("WSP0110: .*filter")   # ours is no stranger
        for tunnel in tunnels:
            end(tunnel)


def test_beyond_the_upper_number_a_handshake_that_would_keep_a_thread_is_refused(site, connect, empty):
    """Tunnels over HTTP/2 and those of ProxyWebsocketAsync Off count together, and those on the pump do not."""
    site.allow_log("WSP0132: ")
    with connect() as connection, site.open_tunnel("/thread") as one, site.open_tunnel("/thread"):
        tunnels = [eventually(lambda: connection.open_tunnel("/ws")) for _ in range(2)]
        for _ in range(2):
            refused = connection.await_response(connection.start_tunnel("/ws"))
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        response = site.start_handshake("/thread").read_response()
        assert (response.status, response.header("Retry-After")) == (503, "1")
        with site.open_tunnel("/ws") as pumped:
            pumped.echo()
        assert connection.get("/").status == 200
        end(one)
        one.close()
        wait_until(lambda: connection.await_response(connection.start_tunnel("/ws")).status == 200, "there is room again")
        for tunnel in tunnels:
            tunnel.echo()
    lines = [line.level for line in site.error_log.all_lines() if "WSP0132: handshake refused with 503: 4 tunnels" in line.text]
    assert "warn" in lines   # and limited in rate, as test_log_levels.py has it


@pytest.mark.parametrize("chop", ["nothing", "meta", "flush"])
def test_the_first_frame_may_come_in_pieces(start, echo, certificates, chop):
    """One byte a brigade. What is flushed goes out at once, with the offer in it."""
    server = start(f"""
        {load_line("chopping_filter")}
        ChopWith {chop}
        Protocols h2 http/1.1
        H2WebSockets on
        ProxyWebsocketMaxBlockingTunnels 0 4
        ProxyPass /ws {echo.url}/
        """, modules=["http2"])
    with Http2Connection(server.tls_port, certificates.client_context(["h2"]), needs_connect=False) as connection:
        assert connection.get("/").status == 200
        assert connection.allows_connect_protocol == (chop == "flush")
        assert connection.setting(SettingCodes.MAX_CONCURRENT_STREAMS) == 100
        connection.open_tunnel("/ws").echo()   # of a client that does not ask
        with server.open_tunnel("/ws") as tunnel:
            tunnel.echo()


@pytest.mark.parametrize("lines, said", [
    ("", "one of the 24 H2MaxWorkers, and each connection with a tunnel one of the 16 threads,"),
    ("", "from 7 such tunnels of a child process on it is not offered to new connections, and 14 are the most"),
    ("H2MinWorkers 4\nH2MaxWorkers 8", "from 3 such tunnels of a child process on it is not offered to new connections, and 7 are the most"),
    ("ProxyWebsocketMaxBlockingTunnels 10", "from 5 such tunnels .* 10 are the most"),
    ("ProxyWebsocketMaxBlockingTunnels 0 10", "from 0 such tunnels .* 10 are the most"),
    ("ProxyWebsocketMaxBlockingTunnels Off", "ProxyWebsocketMaxBlockingTunnels limits nothing"),
    ("ProxyWebsocketMaxBlockingTunnels 16", "WSP0025: ProxyWebsocketMaxBlockingTunnels 16 lets tunnels take all 16 threads"),
])
def test_the_start_says_what_http2_tunnels_cost(start, lines, said):
    server = start(f"<VirtualHost *:{{port}}>\nH2WebSockets on\n</VirtualHost>\n{lines}", modules=["http2"])
    server.error_log.wait_for(f"WSP00(28|25): .*{said}" if "WSP" not in said else said)


def test_without_h2websockets_the_start_says_nothing(start):
    server = start("Protocols h2 http/1.1\nH2WebSockets off", modules=["http2"])
    assert not server.error_log.lines("WSP0028:")


def test_one_thread_is_enough_for_one_tunnel(start, echo):
    server = start(f"H2WebSockets on\nProxyWebsocketAsync Off\nProxyPass /ws {echo.url}/", modules=["http2"],
                   mpm_lines="StartServers 1\nServerLimit 2\nThreadsPerChild 1\nMaxRequestWorkers 2\nMinSpareThreads 1\nMaxSpareThreads 2")
    with server.open_tunnel("/ws") as tunnel:
        tunnel.echo()
