"""Memory runs out at any moment: handshakes are refused and tunnels end, but never a process, and nothing stays behind.

Each test goes through one story again and again, and each time something else in it fails: its first allocation, its second,
and so on to its last. See faults/faults.cpp for what counts as one."""

import contextlib
import itertools
import re
import select
import threading

import pytest

from dropin.balancer import MANAGER, NONCE, edit
from harness import http1, processes
from harness.backend import Listener, echo_until_close
from harness.config import ONE_CHILD
from harness.faults import Faults
from harness.frames import CLOSE
from harness.httpd import Httpd
from harness.waiting import BOUND, wait_until, wait_until_steady

RUNS_ON = ("event",)

# What may be said then. Not among them: that a limit is reached (WSP0122, WSP0123), which would tell of a count that has
# not been taken back.
# WSP0122: the place under max= of a tunnel is free when its backend has closed, which may be after its client has seen the end.
SAID = ("WSP0001|WSP0010|WSP0014|WSP0018|WSP0140|WSP0145|WSP0146|WSP011[3-9]|WSP0122|WSP015[0-57]|AH0"
        "|WSP020[234]|WSP0201: .*(memory has run out|refused to watch|sent a Close|connection broke|client|backend)")


@contextlib.contextmanager
def whatever_happens():
    """A connection may end at any point, but nobody may be kept waiting."""
    try:
        yield
    except TimeoutError:
        raise
    except (EOFError, OSError):
        pass


class Site:
    """A server, and a tunnel that has nothing to do with what fails."""

    def __init__(self, server, faults):
        self.server = server
        self.faults = faults

    def begin(self):
        self.server.allow_log(SAID)
        self.children = self.server.children()
        self.bystander = self.server.open_tunnel("/plain")
        self.bystander.echo()

    def expect_well(self, at_rest):
        wait_until(lambda: self.server.descriptor_count() <= at_rest, f"{at_rest} descriptors")
        assert self.server.children() == self.children
        self.bystander.echo()

    def lines(self):
        return self.server.access_log.text_lines()

    def end(self):
        self.faults.disarm()
        ended = self.server.error_log.total("WSP0201")
        self.bystander.close()
        wait_until(lambda: self.server.error_log.total("WSP0201") > ended, "the bystander's end")


def talk(server, path, **options):
    """Opens a tunnel, says something, closes. Any of that may fail. Returns how far it came; what comes behind a 101 is
    frames, or the end."""
    outcome = "gone"
    with whatever_happens(), server.start_handshake(path, **options) as client:
        response = client.read_response()
        if response.status != 101:
            assert response.status >= 500, response.first_line
            return "refused"
        outcome = "cut"
        client.send_text("x" * 3000)
        frame = client.read_frame()
        if frame.opcode != CLOSE:
            assert frame.payload == b"x" * 3000
            client.send_close(1000)
            client.read_close()
            client.expect_end()
            outcome = "whole"
    return outcome


def each_fails(site, story, step=1, idle=0):
    """The story with its nth allocation failing, for every nth, or one in `step`, up to its end. Returns the numbers by how
    the story ended; story() says "whole" where nothing fails. So many connections may be left
    over `idle`, for the next to use."""
    site.faults.disarm()
    assert story() == "whole"
    at_rest = settled(site) + idle
    outcomes = {}
    for n in itertools.count(1, step):
        lines = len(site.lines())
        site.faults.arm(n, n)
        outcome = "late"
        try:
            outcome = story()
            site.expect_well(at_rest)
            wait_until(lambda: site.faults.failed or len(site.lines()) > lines, "a line in the access log")
        except (AssertionError, EOFError, OSError) as problem:
            raise AssertionError(f"{n}: {outcome}; {site.faults.describe()}: {problem!r}") from problem
        if not site.faults.failed:
            break
        outcomes.setdefault(outcome, []).append(n)
    site.faults.disarm()
    assert story() == "whole"
    site.expect_well(at_rest)
    print(", ".join(f"{len(of)} {outcome}" for outcome, of in outcomes.items()), f"(to {n})")
    return outcomes


def settled(site):
    """How many descriptors there are when nothing happens. Too many, if something did all the same, is no harm: what is left
    over by one number in the row would soon be more."""
    return wait_until_steady(site.server.descriptor_count, "descriptors", calm=0.5)


class Refusing(Listener):
    """Answers every handshake 403 and keeps the connection; accepts the ones on /open."""

    def __init__(self):
        super().__init__()
        self._socket.settimeout(None)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                sock = self.accept_raw()
            except OSError:   # closed
                return
            threading.Thread(target=self._answer, args=(self.shake_hands(sock),), daemon=True).start()

    @staticmethod
    def _answer(session):
        with whatever_happens(), session:
            session.sock.settimeout(None)
            while session.read_request().target != "/open":
                session.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
            session.accept_handshake()
            echo_until_close(session)


@pytest.fixture(scope="module")
def refusing():
    with Refusing() as backend:
        yield backend


@pytest.fixture(scope="module")
def shared_site(start_shared, mpm, echo, tls_echo, refusing):
    faults = Faults()
    server = start_shared(f"""
        ProxyStatus On
        LogLevel proxy_websocket:debug
        ProxyWebsocketHandshakeThreads 2
        ProxyWebsocketPing 60s
        ProxyWebsocketDrainSpread 0
        <Proxy balancer://c>
            BalancerMember {echo.url}/member
            ProxySet nonce={NONCE}
        </Proxy>
        {MANAGER}
        ProxyPass /plain {echo.url}/plain max=2
        ProxyPass /secure {tls_echo.url}/secure max=1
        <Location /thread>
            ProxyWebsocketAsync Off
            ProxyPass {echo.url}/thread max=1
        </Location>
        <Location /member>
            ProxyWebsocketOnMemberDown drain
            ProxyPass balancer://c/
        </Location>
        <Proxy {refusing.url}>
            ProxyWebsocketPool max-idle=1 max-connecting=1
        </Proxy>
        ProxyPass /pooled {refusing.url}
        <Proxy {echo.url}/warm>
            ProxyWebsocketPool warm=2
        </Proxy>
        ProxyPass /warm {echo.url}/warm
        <Proxy {tls_echo.url}/warm>
            ProxyWebsocketPool warm=1
        </Proxy>
        ProxyPass /secure-warm {tls_echo.url}/warm
        """, mpm_lines=ONE_CHILD[mpm], faults=faults)
    return Site(server, faults)


@pytest.fixture
def site(shared_site):
    shared_site.begin()
    yield shared_site
    shared_site.end()


def test_any_allocation_of_a_tunnel(site):
    outcomes = each_fails(site, lambda: talk(site.server, "/plain"))
    assert len(outcomes["refused"]) > 5 and len(outcomes["cut"]) > 5


def test_any_allocation_of_a_tunnel_with_tls_on_both_sides(site, tls, full):
    each_fails(site, lambda: talk(site.server, "/secure", tls=tls), step=1 if full else 6)


def test_any_allocation_of_a_tunnel_that_keeps_its_thread(site):
    each_fails(site, lambda: talk(site.server, "/thread"))


def busy(site):
    text = site.server.get("/server-status?auto").body.decode()
    return int(re.search(r"ProxyBalancer\[0\]Worker\[0\]Busy: (\d+)", text)[1])


def test_any_allocation_of_a_tunnel_of_a_balancer_member(site):
    each_fails(site, lambda: talk(site.server, "/member"))
    wait_until(lambda: busy(site) == 0, "no tunnel counts as busy")


def refused_and_open(server):
    """A refusal, which leaves its connection, and a tunnel on it."""
    outcome = "gone"
    with whatever_happens(), server.start_handshake("/pooled/closed") as client:
        response = client.read_response()
        assert response.status == 403 or response.status >= 500, response.first_line
        outcome = talk(server, "/pooled/open")
        # The refusal is over: nothing comes behind it.
        client.send(http1.plain_request("/", [("Connection", "close")]))
        assert client.read_response().status == 200
        client.expect_end()
    return outcome


def test_any_allocation_around_a_connection_that_is_used_again(site):
    each_fails(site, lambda: refused_and_open(site.server), idle=1)


@pytest.mark.parametrize("path", ["/warm", "/secure-warm"])
def test_any_allocation_around_preconnected_connections(site, path, full):
    each_fails(site, lambda: talk(site.server, path), step=1 if full or path == "/warm" else 6)
    # And they are still made: one is there before a handshake needs it.
    wait_until(lambda: uses_a_preconnected_one(site.server, path), "a preconnected connection", 4 * BOUND)


def uses_a_preconnected_one(server, path):
    before = len(server.error_log.lines("WSP0107.*an idle one"))
    assert talk(server, path) == "whole"
    return len(server.error_log.lines("WSP0107.*an idle one")) > before


def be_watched(client):
    """The pump may answer the first message before it asks epoll for more, which takes memory; not so the second."""
    client.echo()
    client.echo()


def test_a_member_is_taken_out_when_there_is_no_memory(site, echo):
    """Its tunnels are told all the same."""
    site.server.allow_log("WSP0113:|AH0")
    url = f"{echo.url}/member"
    with site.server.open_tunnel("/member") as client:
        be_watched(client)
        site.faults.arm(1)
        edit(site.server, url, w_status_D=1)
        assert client.read_close()[0] == 1012
        site.faults.disarm()
    edit(site.server, url, w_status_D=0)


def test_memory_that_is_gone_for_a_while(site, tls):
    """Everything fails, from some point on, for a crowd; what is open goes on, and afterwards all is as before."""
    def talk_everywhere():
        outcomes = {talk(site.server, path) for path in ["/plain", "/thread", "/member", "/warm"]}
        return outcomes | {talk(site.server, "/secure", tls=tls)}

    assert talk_everywhere() == {"whole"}
    at_rest = settled(site)
    site.faults.arm(40)
    assert "refused" in set.union(*[talk_everywhere() for _ in range(3)])
    assert site.server.children() == site.children
    site.bystander.echo()
    site.faults.disarm()
    for _ in range(3):
        site.expect_well(at_rest)   # a client sees the end before its backend has closed: only then its place under max= is free
        assert talk_everywhere() == {"whole"}
    site.expect_well(at_rest)


def talk_to_a_last_child(server):
    """A tunnel in a child that ends as soon as it can, and tells its tunnels so, unless one keeps its thread busy."""
    kept = server.error_log.total("WSP0110")

    def is_kept():
        return server.error_log.total("WSP0110") > kept

    with whatever_happens(), server.start_handshake("/plain") as client:
        response = client.read_response()
        if response.status != 101:
            assert response.status >= 500, response.first_line
            return
        wait_until(lambda: is_kept() or select.select([client.sock], [], [], 0)[0], "it is kept, or told")
        if is_kept():
            client.send_close(1000)
            client.read_close()
        else:
            assert client.read_close()[0] == 1012
            client.send_close(1012)
        client.expect_end()


def await_children(server, count):
    """All have begun, and rest; one or two have answered a question already."""
    wait_until(lambda: len(server.children()) >= count - 2 and all(map(processes.all_threads_sleep, server.children())),
               "all children have begun")


def test_any_allocation_of_the_first_tunnel_of_a_child_and_of_its_drain(certificates, echo, full):
    """Each connection is served by a child of its own, which makes its threads for it, ends, and drains."""
    faults = Faults()
    spare = 32
    with Httpd("prefork", f"""
            ProxyWebsocketMigrate Off
            ProxyWebsocketPumpThreads 2
            ProxyWebsocketDrainTimeout 0
            <Proxy {echo.url}/first>
                ProxyWebsocketPool warm=1 max-connecting=1
            </Proxy>
            ProxyWebsocketOnMemberDown drain
            ProxyPass /plain {echo.url}/first max=1
            """, certificates, faults=faults,
            mpm_lines=f"StartServers {spare}\nServerLimit 64\nMaxRequestWorkers 64\nMinSpareServers 1\n"
                      "MaxSpareServers 64\nMaxConnectionsPerChild 1") as server:
        server.allow_log(SAID)
        await_children(server, spare)
        for n in itertools.count(1, 1 if full else 17):
            if len(server.children()) < 4:
                server.restart()
                await_children(server, spare)
            before = set(server.children())   # httpd may still be starting others: their number says nothing
            faults.arm(n, n)
            talk_to_a_last_child(server)
            wait_until(lambda: not before <= set(server.children()), f"{n}: {faults.describe()}: the child is gone")
            if not faults.failed:
                break
        faults.disarm()
        assert n > 20
        print("to", n)


def talk_or_end(client):
    """It is there, or told, or cut."""
    with whatever_happens():
        client.send_text("still there?")
        frame = client.read_frame()
        assert frame.payload == b"still there?" or frame.opcode == CLOSE, frame


def test_any_allocation_of_a_move_to_another_child(certificates, echo, full):
    """Each connection is served by a child of its own, which ends, and hands its tunnel over."""
    faults = Faults()
    spare = 32
    with Httpd("prefork", f"LogLevel proxy_websocket:debug\nProxyWebsocketDrainTimeout 0\nProxyPass /plain {echo.url}/ max=8", certificates, faults=faults,
               mpm_lines=f"StartServers {spare}\nServerLimit 64\nMaxRequestWorkers 64\nMinSpareServers 1\n"
                         "MaxSpareServers 64\nMaxConnectionsPerChild 1") as server:
        server.allow_log(SAID + "|WSP017[25]")
        await_children(server, spare)
        for n in itertools.count(1, 1 if full else 4):
            if len(server.children()) < 4:
                server.restart()
                await_children(server, spare)
            before, handed = set(server.children()), server.error_log.total("WSP0104")
            with server.open_tunnel("/plain") as client:
                wait_until(lambda: server.error_log.total("WSP0104") > handed, "the tunnel has left its thread")
                faults.arm(n, n)
                wait_until(lambda: not before <= set(server.children()), f"{n}: {faults.describe()}: the child is gone")
                talk_or_end(client)
            if not faults.failed:
                break
        faults.disarm()
        assert n > 4
        print("to", n)


# Left out under a sanitizer: there a client saw neither Close nor end at its graceful stop once, on a busy machine. Why is not known.
@pytest.mark.asan_repeats
def test_a_child_that_begins_without_memory_refuses_and_the_next_one_does_not(certificates, echo, mpm):
    faults = Faults()
    with Httpd(mpm, f"ProxyWebsocketDrainTimeout 0\nProxyPass /plain {echo.url}/", certificates, faults=faults,
               mpm_lines=ONE_CHILD[mpm]) as server:
        server.allow_log("WSP0001|WSP0146")
        for lacking in (1, None):   # its first allocation; everything
            faults.arm(1, lacking)
            server.graceful()
            faults.disarm()
            assert server.start_handshake("/plain").read_response().status == 503
            assert server.get("/").status == 200
        server.graceful()
        client = server.open_tunnel("/plain")
        be_watched(client)
        faults.arm(1)   # from here on there is none
        client.echo()
        server.graceful_stop()
        assert client.read_close()[0] == 1012
        client.close()
        server.await_exit()
