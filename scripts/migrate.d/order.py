"""Mappings that never see a handshake because something else comes first, found by trying: what a mapping takes when it is
alone, and who takes the same requests when it is not."""

import dataclasses

import engine
import routes
import samples
import world
from finding import mistake
from host import Host

HANDSHAKE = "handshake"


def unreachable(site):
    for mapping in site.websockets:
        if mapping.is_member or mapping.url == "!":
            continue
        try:
            rival = rival_of(site, mapping)
        except engine.Unsure:
            continue
        if rival is not None:
            yield mistake(mapping.place, explain(mapping, rival))


def rival_of(site, mapping):
    """The mapping that takes all handshakes meant for `mapping` and leads them elsewhere, or None."""
    tree = site.tree.of_file(mapping.place.file)
    there = world.of(tree, world.OURS)
    host = Host(tree, mapping.vhost, there)
    alone = Host(only(tree, mapping), mapping.vhost, there)
    takers = []
    for request in handshakes_for(host, mapping):
        for mine, whole in routes.routes(request, alone, host):
            if mine.via is mapping.directive and mine.kind == "backend":
                if whole.via is mapping.directive or whole == mine:
                    return None
                takers.append(whole.via)
    return next((other for taker in takers for other in site.mappings if other.directive is taker), None)


def only(tree, mapping):
    """The tree with this mapping alone, its conditions, and what are no mappings."""
    kept = {id(mapping.directive), *(id(condition.directive) for condition in mapping.conditions)}
    mapped = ("proxypass", "proxypassmatch", "proxypassws", "rewriterule", "rewritecond")
    sets_variable = [d for d in tree.named("rewriterule") if d.args[1:2] == ["-"]]
    kept |= {id(d) for d in sets_variable} if "%{ENV:" in mapping.url.upper() else set()
    return dataclasses.replace(tree, directives=[d for d in tree.directives if d.name not in mapped or id(d) in kept])


def handshakes_for(host, mapping):
    relevant = [mapping.directive, *(condition.directive for condition in mapping.conditions)]
    collection = samples.Collection(relevant)
    names = [d.args[0] for d in host.tree.named("servername") if d.vhost is mapping.vhost and d.args]
    tls = mapping.vhost is not None and 443 in routes.ports_of(routes.Site(host.tree), mapping.vhost)
    return [request for request in samples.requests_for(collection, names, 443 if tls else 80, tls) if request.client == HANDSHAKE]


def explain(mapping, rival):
    what = "excludes" if rival.excludes else "takes"
    if mapping.kind == "ProxyPassWS":
        return f"never reached: {rival} at {rival.place} {what} its handshakes first"
    if mapping.is_rewrite:
        return f"never reached: {rival} at {rival.place} comes first and takes its requests; put this rule and its conditions above it"
    if rival.is_rewrite:
        return (f"never reached: {rival} at {rival.place} takes its handshakes, and rules are asked before any ProxyPass; give that rule "
                "a narrower pattern")
    if mapping.location is not None:
        return (f"never reached: {rival.location} at {rival.location.place} comes later and {what} its paths, and of all sections that "
                "match the last one's ProxyPass counts; put this section below that one")
    if rival.location is not None:
        return (f"never reached: {rival.location} at {rival.location.place} {what} its paths, and a ProxyPass in a section is asked "
                "before those outside; put this one into a section of its own below that one")
    return f"never reached: {rival} at {rival.place} comes first and {what} its paths; put this line above it (longest path first)"
