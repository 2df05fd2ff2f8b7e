"""Says of each mapping where handshakes and plain requests on it go, before the move and after it."""

import engine
import find
import routes
import samples
import world
from finding import route

SHOWN = {"handshake": "handshake", "plain": "plain request"}


def routes_of(plan):
    """One line per mapping; `plan` is what --write would do."""
    site = find.Site(plan.tree)
    after_tree = plan.tree_with(plan.edits)
    before = routes.hosts_of(plan.tree, world.of(plan.tree))
    after = routes.hosts_of(after_tree, world.of(after_tree, world.OURS))
    vhosts = routes.vhosts_of(plan.tree)
    for mapping in site.websockets:
        if mapping.is_member or (plan.tree.is_loose and mapping.vhost is None):
            continue
        number = vhosts.index(mapping.vhost)
        yield route(mapping.place, text_for(mapping, before[number], after[number]))


def text_for(mapping, before, after):
    for host in (before, after):
        if isinstance(host, engine.Unsure):
            return f"where requests go cannot be told, because of {host}"
    try:
        path, query = sample_of(mapping, before, after)
        ways = [ways_of(client, path, query, before, after) for client in SHOWN]
    except engine.Unsure as unsure:
        return f"where requests go cannot be told, because of {unsure}"
    parts = [f"{what} -> {first}" if first == second else f"{what} -> {first} before, {second} after"
             for what, (first, second) in zip(SHOWN.values(), ways)]
    same = " (before and after)" if all(first == second for first, second in ways) else ""
    return f"{path}{'?' if query else ''}{query}: {'; '.join(parts)}{same}"


def sample_of(mapping, *hosts):
    """(path, query) of a handshake that the mapping gets, or else of one that is meant for it."""
    relevant = [mapping.directive, *(condition.directive for condition in mapping.conditions)]
    collection = samples.Collection(relevant)
    for common in ("/", "/other/x"):
        if not mapping.covers(common):
            collection.paths.pop(common, None)
    tried = [(path, query) for path in collection.paths for query in collection.queries] or [(mapping.sample, "")]
    for path, query in tried:
        request = request_to(hosts[0], "handshake", path, query)
        for found in routes.routes(request, *hosts):
            if any(each.via is not None and each.via.place == mapping.place for each in found):
                return path, query
    return tried[0]


def request_to(host, client, path, query):
    first = routes.first_request(host)
    return samples.Request(client, path, query, first.host, first.port, first.tls)


def ways_of(client, path, query, before, after):
    """Where it went and where it goes, each as a text."""
    request = request_to(before, client, path, query)
    found = list(routes.routes(request, before, after))
    return tuple(" or ".join(dict.fromkeys(routes.shown(request, pair[index]) for pair in found)) for index in (0, 1))
