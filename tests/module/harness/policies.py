"""One server with a path per policy, and tunnels through it whose end can be looked at from every side: both peers, the
error log and the access log."""

import contextlib
import itertools
import re
import socket
from dataclasses import dataclass

from .pair import Pair, open_pair
from .pumps import pump_line

# The texts of lib/tunnel that go into our own Closes.
OTHER_BROKE_A_RULE = (1001, "the other side broke a rule")
OTHER_HAS_GONE = (1001, "the other side has gone")

_numbers = itertools.count()


def policy_lines(pump, listener, tls_listener, policies):
    """Configuration: /ws/NAME and /wss/NAME lead to the listeners under the lines of policies[NAME]."""
    lines = [pump_line(pump), f"ProxyPass /ws/ {listener.url}/", f"ProxyPass /wss/ {tls_listener.url}/"]
    lines += [f'<LocationMatch "^/wss?/{name}/">\n{text}\n</LocationMatch>' for name, text in policies.items()]
    return "\n".join(lines)


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

    def expect_violation(self, side, code, rule):
        """`side` broke `rule`: each side is told its code and then hung up on, one warning names the rule."""
        offender, other = self.ends(side)
        assert offender.read_close() == (code, rule[:123])
        assert other.read_close() == OTHER_BROKE_A_RULE
        other.send_close(1001)
        self.expect_both_hung_up()
        self.expect_logged("error", code)
        self.expect_rule_in_log(side, rule)

    def expect_rule_in_log(self, side, rule):
        pattern = "WSP0201: tunnel ended: .*" + re.escape(f"the {side} broke a rule: {rule}")
        self.server.expect_log(pattern)
        assert [line.level for line in self.server.error_log.wait_for(pattern)] == ["warn"]

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
    """Opens tunnels under a policy of a server that policy_lines() configured."""

    def __init__(self, server, listener, tls_listener, tls):
        self.server = server
        self._listeners = {False: listener, True: tls_listener}
        self._tls = tls

    def open(self, name, secure=False, **handshake):
        """`secure`: TLS on both sides of httpd."""
        path = f"/{'wss' if secure else 'ws'}/{name}/{next(_numbers)}."
        pair = open_pair(self.server, path, self._listeners[secure], self._tls if secure else None, **handshake)
        return WatchedPair(pair.client, pair.session, self.server, path)

    @contextlib.contextmanager
    def open_each(self, name, count=1):
        """`count` plain tunnels and as many with TLS, for tests that mostly wait."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.open(name, secure)) for secure in (False, True) for _ in range(count)]
