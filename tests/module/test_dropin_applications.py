"""Real applications: socket.io and SockJS from npm with all their transports, a node echo, and clients in Ruby and by hand."""

import shutil

import pytest

from dropin.clients import ask
from dropin.examples import example
from dropin.node import Server, install, run, run_json

RUNS_ON = ["event"]
SOCKJS_TRANSPORTS = ["websocket", "xhr-streaming", "eventsource", "xhr-polling"]


@pytest.fixture(scope="session")
def apps(tmp_path_factory):
    return install(tmp_path_factory.mktemp("apps"))


@pytest.fixture(scope="session")
def one(apps):
    with Server(apps, "one") as server:
        yield server


@pytest.fixture(scope="session")
def two(apps):
    with Server(apps, "two") as server:
        yield server


@pytest.fixture(scope="module")
def sticky(start_shared, one, two):
    """conf/examples/sticky-balancer.conf: two servers, of which each knows only its own sessions."""
    return start_shared(example("sticky-balancer", BACKEND_PORT=one.port, SECOND_BACKEND_PORT=two.port))


WAYS_OF_TRANSPORTS = pytest.mark.parametrize("transports, ends_with", [
    ("polling,websocket", "websocket"), ("websocket", "websocket"), ("polling", "polling")])


@pytest.fixture(scope="module")
def ws_mappings(start_shared, one, two):
    """Nothing but ws://: a mapping of one server, and both as members of a sticky balancer."""
    return start_shared(f"""
        ProxyPass /eventbus/ ws://127.0.0.1:{one.port}/eventbus/
        <Proxy balancer://nodes>
            BalancerMember ws://127.0.0.1:{one.port} route=1
            BalancerMember ws://127.0.0.1:{two.port} route=2
        </Proxy>
        Header add Set-Cookie "ROUTEID=.%{{BALANCER_WORKER_ROUTE}}e; path=/" env=BALANCER_ROUTE_CHANGED
        ProxyPass / balancer://nodes/ stickysession=ROUTEID
        """)


@WAYS_OF_TRANSPORTS
def test_a_socketio_session_needs_nothing_but_ws_mappings(ws_mappings, apps, transports, ends_with):
    sessions = run_json(apps, "node", "socketio-client.js", f"http://localhost:{ws_mappings.port}", transports, 4)
    for session in sessions:
        assert "error" not in session, session
        assert (session["transport"], session["answer"]) == (ends_with, f"{session['server']} heard this")
    assert {session["server"] for session in sessions} == {"one", "two"}


@pytest.mark.parametrize("transport", SOCKJS_TRANSPORTS)
def test_every_transport_of_sockjs_shares_one_ws_mapping(ws_mappings, apps, transport):
    lines = run(apps, "node", "sockjs-client.js", f"http://localhost:{ws_mappings.port}/eventbus", transport)
    assert lines[-2:] == [f"{transport}: one heard two", "closed 1000"]


@WAYS_OF_TRANSPORTS
def test_a_socketio_session_stays_with_one_of_two_servers_through_its_upgrade(sticky, apps, transports, ends_with):
    sessions = run_json(apps, "node", "socketio-client.js", f"http://localhost:{sticky.port}", transports, 6)
    for session in sessions:
        assert "error" not in session, session
        assert (session["transport"], session["answer"]) == (ends_with, f"{session['server']} heard this")
    assert len(sessions) == 6 and {session["server"] for session in sessions} == {"one", "two"}


@pytest.mark.parametrize("transport", SOCKJS_TRANSPORTS)
def test_a_sockjs_session_stays_with_its_server_on_every_transport(sticky, apps, transport):
    servers = set()
    for _ in range(4):
        lines = run(apps, "node", "sockjs-client.js", f"http://localhost:{sticky.port}/eventbus", transport)
        server = lines[0].split()[-1]
        assert lines == [f"{transport}: hello from {server}", f"{transport}: {server} heard one",
                         f"{transport}: {server} heard two", "closed 1000"]
        servers.add(server)
    assert servers == {"one", "two"}


def test_the_vertx_event_bus_recipe_carries_every_transport_of_sockjs(start, apps, one):
    server = start(f"""
        RewriteEngine On
        RewriteCond %{{HTTP:Upgrade}} websocket [NC]
        RewriteRule /eventbus/(.*)$ ws://127.0.0.1:{one.port}/eventbus/$1 [proxy,last]
        RewriteRule /eventbus/(.*)$ http://127.0.0.1:{one.port}/eventbus/$1 [proxy,last]
        ProxyPassReverse /eventbus/ http://127.0.0.1:{one.port}/eventbus/
        """)
    for transport in SOCKJS_TRANSPORTS:
        lines = run(apps, "node", "sockjs-client.js", f"http://localhost:{server.port}/eventbus", transport)
        assert lines[-2:] == [f"{transport}: one heard two", "closed 1000"]


@pytest.mark.parametrize("lines", ["ProxyPass /ws/ ws://127.0.0.1:{p}/\nProxyPassReverse /ws/ ws://127.0.0.1:{p}/",
                                   "ProxyPass /ws/ http://127.0.0.1:{p}/ upgrade=websocket"], ids=["ws", "http"])
def test_rubys_faye_talks_to_node(start, apps, one, lines):
    if not shutil.which("ruby"):
        pytest.skip("needs ruby and ruby-faye-websocket")
    server = start(lines.replace("{p}", str(one.port)))
    for _ in range(3):
        assert run(apps, "ruby", "faye-client.rb", f"ws://localhost:{server.port}/ws/") == \
            ["grüß dich 3000 closed 1000 done"]


def test_a_page_and_a_handshake_by_hand_reach_node_beside_socketio(sticky):
    assert ask(sticky, "page", "/").response.body in (b"page of one", b"page of two")
    with sticky.open_tunnel("/chat", {"Sec-WebSocket-Extensions": "permessage-deflate"}) as client:
        assert client.response.header("Sec-WebSocket-Extensions") == "permessage-deflate"
        assert "ROUTEID=" in client.response.header("Set-Cookie")
    with sticky.open_tunnel("/chat") as client:
        client.echo(b"by hand")
