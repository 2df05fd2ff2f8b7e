"""Which tunnels leave their request thread and which keep it, and what the log says about it."""

from contextlib import ExitStack

import pytest

from harness.pumps import pump_line
from harness.waiting import wait_until

_TUNNELS = 3


def open_some(server, stack, count=_TUNNELS):
    clients = [stack.enter_context(server.open_tunnel("/ws")) for _ in range(count)]
    for client in clients:
        client.echo()
    return clients


def await_busy(server, count):
    """`count` busy workers besides the one that answers the question."""
    wait_until(lambda: server.busy_workers() == count + 1, f"{count} busy workers; {server.busy_workers() - 1} now")


def test_a_tunnel_holds_no_thread(start, echo):
    server = start(f"ProxyPass /ws {echo.url}/")
    with ExitStack() as stack:
        open_some(server, stack)
        await_busy(server, 0)


def test_a_tunnel_over_tls_to_a_tls_backend_holds_no_thread(start, tls_echo, tls):
    server = start(f"ProxyPass /ws {tls_echo.url}/")
    with server.open_tunnel("/ws", tls=tls) as client:
        client.echo()
        await_busy(server, 0)
        client.echo()


def test_async_off_keeps_the_request_thread_until_the_tunnel_ends(start, echo):
    server = start(f"ProxyWebsocketAsync Off\nProxyPass /ws {echo.url}/")
    with ExitStack() as stack:
        open_some(server, stack)
        await_busy(server, _TUNNELS)
    await_busy(server, 0)


@pytest.mark.runs_on("event")   # configuration
def test_async_can_be_chosen_per_location(start, echo):
    server = start(f"""
        <Location /ws>
            ProxyWebsocketAsync Off
        </Location>
        ProxyPass /ws {echo.url}/
        ProxyPass /free {echo.url}/
        """)
    with server.open_tunnel("/ws") as held, server.open_tunnel("/free") as free:
        held.echo()
        free.echo()
        await_busy(server, 1)


def test_a_foreign_connection_filter_keeps_the_thread_and_is_named_once_per_child(start, echo, mpm):
    server = start(f"{pump_line('filtered')}\nProxyPass /ws {echo.url}/")
    with ExitStack() as stack:
        open_some(server, stack)
        await_busy(server, _TUNNELS)
        lines = server.error_log.module_lines("(?i)foreign")
        assert lines and len(lines) == len({line.pid for line in lines}), lines
        assert mpm == "prefork" or len(lines) == 1, lines


@pytest.mark.runs_on("event")   # filters are a request's; its MPM has no part
@pytest.mark.parametrize("lines, modules", [
    ("SetOutputFilter RATE_LIMIT\nSetEnv rate-limit 1", ["ratelimit"]),
    ("SetOutputFilter SUBSTITUTE\nSubstitute s/a/b/", ["filter", "substitute"]),
    ("SetOutputFilter DEFLATE", ["filter", "deflate"]),
    ("SetInputFilter DEFLATE", ["filter", "deflate"]),
], ids=["ratelimit", "substitute", "deflate", "inflate"])
def test_a_filter_on_request_bodies_does_not_touch_the_tunnel(start, echo, lines, modules):
    server = start(f"<Location /ws>\n{lines}\n</Location>\nProxyPass /ws {echo.url}/", modules=modules)
    with server.open_tunnel("/ws") as client:
        client.echo(b"a" * 100_000)
        await_busy(server, 0)


_TWO_THREADS = ("StartServers 1\nServerLimit 1\nThreadsPerChild 2\nMaxRequestWorkers 2\n"
                "MinSpareThreads 1\nMaxSpareThreads 2")
TWO_WORKERS = {"event": _TWO_THREADS, "worker": _TWO_THREADS,
               "prefork": "StartServers 2\nServerLimit 2\nMaxRequestWorkers 2\nMinSpareServers 1\nMaxSpareServers 2"}


def test_forty_tunnels_through_two_workers_echo_while_plain_gets_answer(start, echo, mpm):
    server = start(f"ProxyPass /ws {echo.url}/", mpm_lines=TWO_WORKERS[mpm])
    with ExitStack() as stack:
        clients = open_some(server, stack, 40)
        for client in clients:
            assert server.get("/").status == 200
            client.echo()
        await_busy(server, 0)
