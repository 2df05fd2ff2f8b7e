"""What only prefork has: a child in a request thread's tunnel does not hear of a graceful restart before it ends."""

from harness import frames
from harness.pair import open_pair
from harness.waiting import wait_until

RUNS_ON = ["prefork"]
_ONE_CHILD = "StartServers 1\nServerLimit 20\nMaxRequestWorkers 20\nMinSpareServers 1\nMaxSpareServers 20"


def test_pumped_tunnels_of_a_child_whose_only_thread_is_in_a_tunnel_drain_in_time(start, stage):
    server = start(f"""
        ProxyWebsocketMigrate Off
        ProxyWebsocketDrainTimeout 300ms
        ProxyPass /ws {stage.url}/
        <Location /thread>
            ProxyWebsocketAsync Off
            ProxyPass {stage.url}/
        </Location>
        """, mpm_lines=_ONE_CHILD)
    old = set(server.children())
    with open_pair(server, "/ws", stage) as pumped, open_pair(server, "/thread", stage) as threaded:
        frame = frames.server_frame(frames.BINARY, b"x" * 1000)
        threaded.session.send(frame[:500])   # its Close must wait
        server.start_graceful()
        for peer in (pumped.client, pumped.session):
            assert peer.read_close()[0] == 1012
        threaded.session.send(frame[500:])
        assert threaded.client.read_message() == b"x" * 1000
        assert threaded.client.read_close()[0] == 1012
    wait_until(lambda: not old & set(server.children()), "the old generation is gone")
