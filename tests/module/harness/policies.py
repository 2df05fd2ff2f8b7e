"""One server with a path per policy and pump, and tunnels through it whose end can be looked at from every side: both
peers, the error log and the access log."""

import contextlib
import itertools
import re
import socket
from dataclasses import dataclass

from .pair import Pair, open_pair

PUMPS = ("loop", "thread")   # in the child's event loop, or in the request's thread
# The texts of lib/tunnel that go into our own Closes.
OTHER_BROKE_A_RULE = (1001, "the other side broke a rule")

# Processes for all tunnels of a test from the start: prefork adds one a second.
_PREFORK = "StartServers 16\nServerLimit 64\nMaxRequestWorkers 64\nMinSpareServers 1\nMaxSpareServers 64"

_numbers = itertools.count()


def start_policies(start, mpm, listener, tls_listener, policies, lines=""):
    """A server that gives tunnels the configuration policies[NAME]; see Policies.open(). `lines` go before all that."""
    text = [lines, f"ProxyPass /ws/ {listener.url}/", f"ProxyPass /wss/ {tls_listener.url}/",
            '<LocationMatch "^/wss?/thread/">\nProxyWebsocketAsync Off\n</LocationMatch>']
    text += [f'<LocationMatch "^/wss?/[a-z]+/{name}/">\n{policy}\n</LocationMatch>'
             for name, policy in policies.items()]
    return start("\n".join(text), mpm_lines=_PREFORK if mpm == "prefork" else None)


@dataclass
class WatchedPair(Pair):
    server: object
    path: str   # of this tunnel alone, by which its access log line is known

    def access_line(self):
        return self.server.access_log.wait_for(self.path)[0]

    def expect_logged(self, by, code):
        """The access log says who ended the tunnel and how."""
        line = self.access_line()
        assert (line.by, line.code) == (by, str(code)), line

    def expect_violation(self, side, code, rule, told=None):
        """`side` broke `rule`: each side is told its code and then hung up on, one line names the rule. `told`: what the
        offender's Close says where that is not the rule."""
        offender, other = self.ends(side)
        assert offender.read_close() == (code, told or rule[:123])
        assert other.read_close() == OTHER_BROKE_A_RULE
        other.send_close(1001)
        self.expect_both_hung_up()
        self.expect_logged("error", code)
        self.expect_rule_in_log(side, rule)

    def expect_rule_in_log(self, side, rule):
        pattern = "WSP0201: tunnel ended: .*" + re.escape(f"the {side} broke a rule: {rule}")
        self.server.allow_log(pattern)
        # What a backend does is its administrator's business: beyond a few a minute at info as well.
        levels = ["info"] if side == "client" else ["info", "warn"]
        assert all(line.level in levels for line in self.server.error_log.wait_for(pattern))

    def expect_ended(self, code, text, by="proxy"):
        """The proxy itself ended the tunnel: both sides get the same Close, answer it and are hung up on."""
        for end in (self.client, self.session):
            assert end.read_close() == (code, text)
            end.send_close(code)
        self.expect_both_hung_up()
        self.expect_logged(by, code)

    def expect_both_hung_up(self):
        socket.socket.shutdown(self.session.sock, socket.SHUT_WR)   # below TLS: a server ends TCP first
        self.client.expect_broken()
        self.client.close()
        self.session.expect_broken()


class Policies:
    """Opens tunnels under a policy of a server that start_policies() started."""

    def __init__(self, server, listener, tls_listener, tls, pump="loop"):
        self.server = server
        self._pump = pump
        self._listeners = {False: listener, True: tls_listener}
        self._tls = tls

    def open(self, name, secure=False, pump=None, **handshake):
        """`secure`: TLS on both sides of httpd."""
        path = f"/{'wss' if secure else 'ws'}/{pump or self._pump}/{name}/{next(_numbers)}."
        pair = open_pair(self.server, path, self._listeners[secure], self._tls if secure else None, **handshake)
        return WatchedPair(pair.client, pair.session, self.server, path)

    @contextlib.contextmanager
    def open_each(self, name, count=1, pumps=PUMPS, **handshake):
        """`count` tunnels for each pump, plain and with TLS, for tests that mostly wait."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.open(name, secure, pump, **handshake))
                   for pump in pumps for secure in (False, True) for _ in range(count)]
