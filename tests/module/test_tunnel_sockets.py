"""What a tunnel's two sockets are like once they have left httpd. httpd and the module each set a part of it."""

import os
import socket

import pytest

from harness import processes
from harness.config import ONE_CHILD
from harness.pair import open_pair


RUNS_ON = ["event"]   # core_pre_connection and the handoff are the same on all


def sockets_to(ports, pid):
    """The sockets of a process that are connected to one of these ports, by their descriptors."""
    found = {}
    for number, target in processes.descriptors(pid).items():
        if target.startswith("socket:"):
            borrowed = processes.borrowed_socket(pid, number)
            try:
                if borrowed.family in (socket.AF_INET, socket.AF_INET6) and borrowed.getpeername()[1] in ports:
                    found[number] = borrowed
                    continue
            except OSError:   # listens
                pass
            borrowed.close()
    return found


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_tunnels_sockets_do_not_delay_block_outlive_exec_or_forget_a_dead_peer(start, mpm, stage, tls_stage, tls, secure):
    server = start(f"ProxyPass /ws {(tls_stage if secure else stage).url}/", mpm_lines=ONE_CHILD[mpm])
    with open_pair(server, "/ws", tls_stage if secure else stage, tls if secure else None) as pair:
        pair.client.send_text("it has left httpd")
        assert pair.session.read_message() == b"it has left httpd"
        ports = {pair.client.sock.getsockname()[1], pair.session.sock.getsockname()[1]}
        [pid] = server.children()
        found = sockets_to(ports, pid)
        assert len(found) == 2
        for number, each in found.items():
            with each:
                assert each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                assert each.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert not os.get_blocking(each.fileno())
                assert processes.is_closed_by_exec(pid, number)
