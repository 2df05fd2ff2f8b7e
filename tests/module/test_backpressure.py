"""A reader that sleeps makes the writer stop: the proxy buffers a bounded amount, and loses nothing."""

from pathlib import Path

import pytest

from harness.bulk import digest_of_prefix, frame_block, receive_exactly, send_until_stuck
from harness.pair import open_pair
from harness.pumps import PUMP_PARAMS, pump_line
from harness.waiting import SANITIZED

_MEBIBYTE = 1 << 20


def _largest(buffer):
    return int(Path(f"/proc/sys/net/ipv4/tcp_{buffer}").read_text().split()[2])


# What the kernel on the way may hold: a send and a receive buffer on either side of the proxy, each grown to its maximum.
_KERNEL_BUFFERS = 2 * (_largest("rmem") + _largest("wmem")) + 4 * _MEBIBYTE


@pytest.fixture(scope="module", params=PUMP_PARAMS)
def site(request, start_shared, module_listener, tls_module_listener):
    return start_shared(f"""
        {pump_line(request.param)}
        ProxyPass /ws {module_listener.url}/
        ProxyPass /wss {tls_module_listener.url}/
        """)


@pytest.mark.runs_on("event", "prefork")   # a worker's pumps are an event child's
@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("writer", ["client", "backend"])
def test_a_sleeping_reader_stops_the_writer_and_then_gets_every_byte(site, stage, tls_stage, tls, scheme, writer):
    secure = scheme == "wss"
    with open_pair(site, f"/{scheme}", tls_stage if secure else stage, tls if secure else None) as pair:
        source, sink = pair.ends(writer)
        sink.send_text("warm")   # what a first use of the tunnel allocates is not counted
        assert source.read_message() == b"warm"
        before = site.pss_bytes()
        block = frame_block(masks=source.masks)
        sent = send_until_stuck(source, block, limit=2 * _KERNEL_BUFFERS)
        grown = site.pss_bytes() - before
        assert sent < _KERNEL_BUFFERS, f"the proxy took {sent} bytes that nobody read"
        assert SANITIZED or grown < 2 * _MEBIBYTE, f"httpd grew by {grown} bytes"
        assert receive_exactly(sink, sent) == digest_of_prefix(block, sent)


def test_one_stuck_tunnel_does_not_hold_up_another(site, stage):
    with open_pair(site, "/ws", stage) as stuck, open_pair(site, "/ws", stage) as other:
        send_until_stuck(stuck.session, frame_block(masks=False), limit=2 * _KERNEL_BUFFERS)
        other.session.send_text("through")
        assert other.client.read_message() == b"through"
