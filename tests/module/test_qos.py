"""mod_qos counts connections and requests; tunnels that have left httpd are neither, and that is said at the start."""

import contextlib
import pathlib

import pytest

from harness.config import library_folder
from harness.waiting import wait_until

RUNS_ON = ["event"]   # on which threads a tunnel has been does not matter


@pytest.fixture
def serve(start, echo):
    # Debian's mod_qos.so needs the library without naming it.
    pcre = next(pathlib.Path("/usr/lib").glob("*/libpcre.so.3"))

    def serve(lines):
        server = start(f"LoadFile {pcre}\nLoadModule qos_module {library_folder()}/mod_qos.so\n{lines}\n"
                       f"ProxyPass /ws {echo.url}/", modules=["unique_id"])
        server.allow_log("mod_qos")
        return server
    return serve


def open_tunnels(server, count, leave):
    """The statuses of so many handshakes, one after the other, each tunnel kept open; `leave`: wait until it has left."""
    with contextlib.ExitStack() as stack:
        statuses = []
        for _ in range(count):
            client = stack.enter_context(server.start_handshake("/ws"))
            statuses.append(client.read_response().status)
            if leave:
                wait_until(lambda: server.busy_workers() == 1, "the tunnel has left its thread")
        return statuses


def test_a_limit_that_does_not_hold_for_tunnels_is_named_at_the_start(serve):
    server = serve("QS_LocRequestLimit /ws 2")
    server.expect_log(r'WSP0024: "QS_LocRequestLimit /ws 2" on line \d+ of .*/httpd.conf does not count tunnels')
    assert len(server.error_log.lines("WSP0024")) == 1
    assert open_tunnels(server, 4, leave=True) == [101] * 4


def test_the_same_limit_holds_for_tunnels_that_keep_their_threads(serve):
    server = serve("QS_LocRequestLimit /ws 2\nProxyWebsocketAsync Off")
    assert open_tunnels(server, 4, leave=False) == [101, 101, 500, 500]
    assert server.error_log.lines("WSP0024") == []


def test_they_may_leave_where_one_location_says_so(serve):
    serve("<Location /a>\nProxyWebsocketAsync on\n</Location>\nProxyWebsocketAsync Off\nqs_srvmaxconnperip 9").expect_log(
        'WSP0024: "QS_SrvMaxConnPerIP 9" on line')


def test_other_directives_of_mod_qos_are_no_reason_to_say_anything(serve):
    assert serve("QS_ClientEntries 1000").error_log.lines("WSP0024") == []
