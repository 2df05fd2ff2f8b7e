"""Where the requests of a whole configuration go, and which go elsewhere after a change."""

import dataclasses

import engine
import samples
import simulate
from host import Host
from mistakes import ONE_SLASH, names_of, ports_of

MOST_GUESSES = 64  # combinations of what cannot be known, for one request


class Site:
    """What routes needs to know of a tree for names and ports; find.Site without its mappings."""

    def __init__(self, tree):
        self.tree = tree


@dataclasses.dataclass(frozen=True)
class Difference:
    request: samples.Request
    before: simulate.Route
    after: simulate.Route

    def __str__(self):
        before, after = shown(self.request, self.before), shown(self.request, self.after)
        return f"{self.request.client.partition(' ')[0]} {self.request.target} goes to {before}, and would go to {after}"


def shown(request, route):
    """A route, with a word where a handshake ends in no tunnel."""
    return f"{route} without a tunnel" if request.is_handshake and route.kind == "backend" and not route.tunnel else str(route)


def first_request(host):
    return next(iter(requests_of(host)))


def vhosts_of(tree):
    return [None, *(section for section in tree.sections if section.name == "virtualhost")]


def hosts_of(tree, world):
    """A Host, or the Unsure that it cannot be, for the main server and each virtual host, in order."""
    found = []
    for vhost in vhosts_of(tree):
        try:
            found.append(Host(tree, vhost, world))
        except engine.Unsure as unsure:
            found.append(unsure)
    return found


def requests_of(*hosts):
    """Samples for what all of `hosts`, one virtual host in several configurations, are about."""
    first = hosts[0]
    site = Site(first.tree)
    collection = samples.Collection([directive for host in hosts for directive in host.read])
    names = [name for name in sorted(names_of(site, first.vhost)) if "*" not in name]
    preferred = [d.args[0].rpartition("//")[2].partition(":")[0] for d in first.tree.named("servername")
                 if d.vhost is first.vhost and d.args]
    port = min(ports_of(site, first.vhost), default=80)
    tls = any(d.vhost is first.vhost and d.args and d.args[0].lower() == "on" for d in first.tree.named("sslengine"))
    return samples.requests_for(collection, preferred + names, port, tls)


def routes(request, *hosts):
    """For each combination of what cannot be known: the Routes of one request in each of `hosts`."""
    pending, count = [{}], 0
    while pending:
        answers = pending.pop()
        try:
            yield [simulate.route(host, request, answers) for host in hosts]
        except engine.Ask as ask:
            count += 1
            if count > MOST_GUESSES:
                raise engine.Unsure(f"too much depends on {describe(ask.args[0])}") from None
            pending += [{**answers, ask.args[0]: False}, {**answers, ask.args[0]: True}]


def describe(question):
    return " ".join(str(part) for part in question).replace(engine.OPEN, "").replace(engine.CLOSE, "")


def leads_nowhere(route):
    """ws:/host with one slash: httpd does not start with it in a ProxyPass, and a rule sends it back to httpd itself."""
    if route.via is None:
        return False
    return any(ONE_SLASH.match(word) for word in route.via.args) and (route.via.name != "rewriterule" or "/ws" in route.detail)


def same(before, after, may_wake):
    if before == after or leads_nowhere(before):
        return True
    return may_wake and before.kind == after.kind == "backend" and before.detail == after.detail and after.tunnel


def lines_for(tree, vhost):
    """What decides about a virtual host, to compare with another tree's."""
    read = [*tree.by_vhost.get(None, []), *tree.by_vhost.get(vhost, [])]
    return [(d.name, d.args, [str(section) for section in d.sections]) for d in read if Host.matters(d)]


def pairs_that_differ(before, after):
    """(Host, Host) of each virtual host that is not said in the very same words for worlds of the same kind."""
    (one, here), (other, there) = before, after
    for first, second in zip(vhosts_of(one), vhosts_of(other)):
        if here == there and all(one.by_vhost.get(a) == other.by_vhost.get(b) for a, b in ((None, None), (first, second))):
            continue  # the very same directives
        if here != there or lines_for(one, first) != lines_for(other, second):
            yield Host(one, first, here), Host(other, second, there)


def differences(before, after, may_wake=False):
    """Differences between two trees in their worlds, one per pair of routes; raises Unsure where that cannot be told.
    `may_wake`: a handshake that reached its backend as a plain request may become a tunnel to the same URL."""
    found = {}
    for one, other in pairs_that_differ(before, after):
        for request in requests_of(one, other):
            for first, second in routes(request, one, other):
                if not same(first, second, may_wake):
                    found.setdefault((request.is_handshake, first.kind, second.kind, second.via and second.via.place),
                                     Difference(request, first, second))
    return sorted(found.values(), key=lambda difference: not difference.request.is_handshake)
