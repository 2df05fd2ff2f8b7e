"""Members of a balancer that take no handshake: who takes it instead, and, when nobody does, the line that says what each member does,
and the count. mod_proxy_balancer refuses such a handshake before the module is asked."""

import json

import pytest

from dropin.balancer import FAILURES, Members, edit, facts, members_of
from dropin.clients import ask
from harness import http1
from harness.peer import connect

RUNS_ON = ["event"]

STATUS = """
<Location /tunnels>
    SetHandler websocket-status
    ProxyWebsocketStatusActions On
</Location>
"""
STOPPED = "it was stopped or disabled, by status= or in balancer-manager"


@pytest.fixture
def members():
    with Members(2) as members:
        yield members


@pytest.fixture
def serve(start):
    def serve(lines, **options):
        server = start(lines + STATUS, **options)
        server.allow_log(FAILURES + "|AH01171:")
        return server
    return serve


def refuse(server, extra=(), client="chrome"):
    """Asks, is refused, and returns the answer and the lines about the balancer."""
    before = len(server.error_log.lines("WSP0192"))
    answer = ask(server, client, "/ws/", extra)
    assert answer.response.status == 503
    return answer, [line.text for line in server.error_log.lines("WSP0192")[before:]]


def refused(server):
    """What is counted as refused, by backend."""
    series = json.loads(server.get("/tunnels?format=json&size=0").body)["series"]
    counts = {each["backend"]: {reason: n for reason, n in each["refused"].items() if n} for each in series}
    return {backend: reasons for backend, reasons in counts.items() if reasons}


@pytest.mark.parametrize("scheme, member, server_wide", [("ws", "", ""), ("http", "", "ProxyWebsocketUpgradeHttp On"),
                                                         ("http", "upgrade=websocket", "")])
def test_the_line_says_what_each_member_does(serve, members, scheme, member, server_wide):
    server = serve("\n".join([members.lines({1: f"status=+D {member}", 2: member}, scheme=scheme), server_wide]))
    edit(server, f"{scheme}://{members.address(2)}", w_status_S=1)
    _, [line] = refuse(server)
    assert (f"handshake refused with 503: mod_proxy_balancer finds no usable member of balancer://c; request GET /ws/, mapped to "
            f"balancer://c/; hint: {scheme}://{members.address(1)}: {STOPPED}; {scheme}://{members.address(2)}: {STOPPED}") in line
    assert refused(server) == {"balancer://c": {"no_member": 1}}


def test_a_member_in_error_is_counted_when_it_fails_and_the_balancer_afterwards(serve, members):
    server = serve(members.lines({1: "retry=60", 2: "retry=60"}, proxy_set="forcerecovery=Off"))
    for number in (1, 2):
        members.close_member(number)
    each_failed = {f"balancer://c ws://{members.address(number)}": {"unreachable": 1} for number in (1, 2)}
    assert refuse(server)[1] == []
    assert refused(server) == each_failed
    answer, [line] = refuse(server)
    assert f"hint: ws://{members.address(1)}: an earlier line says why it failed; it is tried again 60 s after that (retry=)" in line
    assert 0 < int(answer.header("Retry-After")) <= 60
    assert refused(server) == {**each_failed, "balancer://c": {"no_member": 1}}


def test_members_that_drain_take_no_new_sessions(serve, members):
    server = serve(members.lines(dict.fromkeys([1, 2], "status=+N"), proxy_set="stickysession=ROUTEID"))
    _, [line] = refuse(server)
    assert line.count("it is draining: it takes requests of its own sessions only") == 2 and "nofailover" not in line
    assert ask(server, "chrome", "/ws/", [("Cookie", "ROUTEID=.r1")]).backend == "m1"


def test_nofailover_is_named(serve, members):
    server = serve(members.lines({1: "status=+D"}, proxy_set="stickysession=ROUTEID nofailover=On"))
    _, [line] = refuse(server, [("Cookie", "ROUTEID=.r1")])
    assert ("hint: the member of this session is not usable, and nofailover=On allows no other; "
            f"ws://{members.address(1)}: {STOPPED}; ws://{members.address(2)}: usable") in line


def test_a_long_list_is_cut(serve):
    with Members(6) as many:
        server = serve(many.lines({number: "status=+D" for number in range(1, 7)}))
        _, [line] = refuse(server)
    assert line.endswith(f"ws://{many.address(4)}: {STOPPED}; and 2 more")


@pytest.mark.parametrize("mapping", ["<VirtualHost 127.0.0.1:{port}>\nProxyPass /ws balancer://c\n</VirtualHost>",
                                     "<Location /ws>\nProxyPass balancer://c\n</Location>", "ProxyPassMatch ^/ws(.*) balancer://c$1",
                                     'RewriteEngine On\nRewriteRule "^/ws(.*)" "balancer://c$1" [P]', "ProxyPassWS /ws balancer://c",
                                     "<Directory {root}/htdocs>\nAllowOverride All\n</Directory>"])
def test_the_line_comes_wherever_the_mapping_stands(serve, members, mapping):
    stopped = members.lines(dict.fromkeys([1, 2], "status=+D")).replace("ProxyPass /ws", "ProxyPass /other")
    rule = 'RewriteEngine On\nRewriteRule "^ws(.*)" "balancer://c$1" [P]\n'
    server = serve(f"{stopped}\n{mapping}", files={"htdocs/.htaccess": rule} if "AllowOverride" in mapping else None)
    assert len(refuse(server)[1]) == 1
    assert refused(server) == {"balancer://c": {"no_member": 1}}


@pytest.mark.parametrize("mapping", ["ProxyPassWS /ws balancer://none", "ProxyPass /ws balancer://none"])
def test_a_balancer_without_members_is_ours_if_its_mapping_is(serve, mapping):
    server = serve(f"<Proxy balancer://none>\n</Proxy>\n{mapping}")
    _, lines = refuse(server)
    assert [line.partition("hint: ")[2] for line in lines] == (["it has no members: add one (BalancerMember)"] if "WS" in mapping else [])


def test_what_is_no_handshake_of_ours_is_left_to_mod_proxy(serve, members):
    members_of_http = members.lines({1: "status=+D", 2: "status=+D"}, scheme="http")
    server = serve(members_of_http)
    assert refuse(server)[1] == []                      # mod_proxy_http's
    assert refuse(server, client="page")[1] == []       # no handshake
    assert refused(server) == {}


# --- pauses ---
def order(server, form):
    with connect(server.port) as client:
        client.send(http1.plain_request("/tunnels", [("Content-Type", "application/x-www-form-urlencoded"), ("Connection", "close")],
                                        "POST", form.encode()))
        assert client.read_response().status == 200


def test_while_a_member_is_paused_the_others_take_its_tunnels(serve, members):
    server = serve(members.lines(proxy_set="stickysession=ROUTEID"))
    order(server, f"action=pause&backend=ws://{members.address(1)}")
    assert members_of(server, 4) == ["m2"] * 4
    assert members_of(server, 2, extra=[("Cookie", "ROUTEID=.r1")]) == ["m2"] * 2
    assert facts(server, 1)["status"] == "Init Ok"   # it is not in error
    order(server, "action=resume&all=yes")
    assert set(members_of(server, 4)) == {"m1", "m2"}


def test_while_all_members_are_paused_the_client_is_told_to_come_again(serve, members):
    server = serve(members.lines())
    order(server, "action=pause&backend=balancer://c")
    answer, lines = refuse(server)
    assert (answer.header("Retry-After"), lines) == ("1", [])   # WSP0197 says why
    assert refused(server) == {f"balancer://c ws://{members.address(number)}": {"paused": 1} for number in (1, 2)}


def test_the_line_comes_over_tls_and_http2_too(serve, members, certificates, tls):
    from harness.http2 import Http2Connection   # h2 is not everywhere
    server = serve(members.lines(dict.fromkeys([1, 2], "status=+D")) + "\nProtocols h2 http/1.1\nH2WebSockets On\n", modules=["http2"])
    assert ask(server, "chrome", "/ws/", tls=tls).response.status == 503
    with Http2Connection(server.tls_port, certificates.client_context(["h2"])) as connection:
        assert connection.await_response(connection.start_tunnel("/ws/")).status == 503
    assert len(server.error_log.lines("WSP0192")) == 2
