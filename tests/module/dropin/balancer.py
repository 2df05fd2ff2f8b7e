"""A balancer and its members: tellers on ports that they can leave and take again, and what balancer-manager knows."""

import xml.etree.ElementTree as xml
from contextlib import ExitStack

from harness import http1
from harness.httpd import free_port
from harness.peer import connect
from harness.waiting import wait_until

from .clients import ask, read_answer, start_request
from .teller import Teller

NONCE = "secret"
_NAMESPACE = "{http://httpd.apache.org}"
MANAGER = """
<Location /balancer-manager>
    SetHandler balancer-manager
</Location>
"""
# What mod_proxy says when a member cannot be reached or is put into error.
FAILURES = (r"WSP010[89]:|AH0095[79]:|AH01114:|AH01167:|AH01170:|AH01174:|AH02454:|AH02460:|AH03265:|AH00040:|"
            r"WSP\d{4}: handshake refused with 50[0-9]")


class Members:
    """m1, m2 and so on. Their routes in these tests are r1, r2 and so on."""

    def __init__(self, count):
        self.ports = [free_port() for _ in range(count)]
        self._up = {}
        for number in range(1, count + 1):
            self.open(number)

    def open(self, number):
        self._up[number] = Teller(f"m{number}", ("127.0.0.1", self.ports[number - 1]))

    def close_member(self, number):
        """Nobody listens there from now on; tunnels that are open stay."""
        self._up.pop(number).close()

    def __getitem__(self, number):
        return self._up[number]

    def address(self, number):
        return f"127.0.0.1:{self.ports[number - 1]}"

    def lines(self, options=None, scheme="ws", proxy_set="", path="/ws"):
        """`options`: member -> what its BalancerMember line says besides its address and route."""
        members = [f"BalancerMember {scheme}://{self.address(number)} route=r{number} {(options or {}).get(number, '')}"
                   for number in range(1, len(self.ports) + 1)]
        return "\n".join(["<Proxy balancer://c>", *members, f"ProxySet nonce={NONCE} {proxy_set}", "</Proxy>",
                          f"ProxyPass {path} balancer://c", MANAGER])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for teller in self._up.values():
            teller.close()


_REFERER = ("Referer", "http://localhost/balancer-manager")   # without one of its own it ignores what it is asked


def edit(server, member_url, **fields):
    """Changes a member as balancer-manager's form does, w_status_D=1 for one."""
    form = "&".join(f"{name}={value}" for name, value in {"b": "c", "w": member_url, "nonce": NONCE, **fields}.items())
    with connect(server.port) as client:
        client.send(http1.plain_request("/balancer-manager", [_REFERER, ("Connection", "close")], "POST", form.encode()))
        assert client.read_response().status == 200


def facts(server, number):
    """What balancer-manager shows of member `number`."""
    page = server.get("/balancer-manager?b=c&xml=1", [_REFERER]).body.decode()
    worker = xml.fromstring(page).findall(f".//{_NAMESPACE}worker")[number - 1]
    return {field.tag.removeprefix(_NAMESPACE): (field.text or "").strip() for field in worker}


def await_fact(server, number, name, value):
    wait_until(lambda: facts(server, number)[name] == value, f"{name} of member {number} is {value!r}")


def member_of(server, path="/ws/", client="chrome", extra=()):
    """The member that a tunnel opened now leads to; the tunnel has ended when this returns."""
    answer = ask(server, client, path, extra)
    assert answer.backend, answer
    return answer.backend


def members_of(server, count, **options):
    return [member_of(server, **options) for _ in range(count)]


class OpenTunnels:
    """Tunnels kept open, by the member that they lead to."""

    def __init__(self, server):
        self._server, self._stack = server, ExitStack()
        self.peers = []   # (member, peer)

    def open(self, count=1, path="/ws/"):
        """The members that the new ones lead to."""
        opened = []
        for _ in range(count):
            peer = self._stack.enter_context(start_request(self._server, "chrome", path))
            opened.append((read_answer(peer).backend, peer))
        self.peers += opened
        return [member for member, _ in opened]

    def end(self, member, count=None):
        """Ends the tunnels to `member`, or `count` of them."""
        for entry in [entry for entry in self.peers if entry[0] == member][:count]:
            self.peers.remove(entry)
            entry[1].send_close(1000)
            assert entry[1].read_close()[0] == 1000
            entry[1].close()

    def all_echo(self):
        for _, peer in self.peers:
            peer.echo()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()
