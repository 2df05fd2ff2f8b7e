"""Mappings that never see a handshake because another one comes first. httpd asks RewriteRules first, then the last
matching <Location>, then ProxyPass from top to bottom, the main server's before the virtual host's."""

from finding import mistake


def unreachable(site):
    for mapping in site.websockets:
        if mapping.is_member or mapping.kind == "ProxyPassWS" or "?" in mapping.path:
            continue
        rival = first_rival(site, mapping)
        if rival is not None and not serves_the_same(site, rival, mapping):
            yield mistake(mapping.place, explain(mapping, rival))


def first_rival(site, mapping):
    """The mapping that takes all handshakes meant for `mapping`, or None."""
    return next((rival for rival in rivals(site, mapping) if rival.covers(mapping.sample) and together(site, rival, mapping)), None)


def together(site, one, other):
    """Whether one httpd reads both."""
    return not site.tree.is_loose or one.place.file == other.place.file


def rivals(site, mapping):
    if mapping.is_rewrite:
        return earlier_rules(site, mapping)
    in_locations = [m for m in site.passes("ProxyPass", "ProxyPassMatch") if m.location is not None
                    and m.vhost in (None, mapping.vhost)]
    rules = rules_for_handshakes(site, mapping)
    if mapping.location is not None:
        return rules + [m for m in in_locations if rank(m) > rank(mapping) and m.location is not mapping.location]
    return rules + in_locations + earlier_passes(site, mapping)


def rules_for_handshakes(site, mapping):
    """Rules that take every handshake on the paths that they match."""
    return [m for m in site.mappings if m.is_rewrite and m.location is None and m.vhost is mapping.vhost
            and all(condition.header and not condition.negated for condition in m.conditions)]


def earlier_rules(site, mapping):
    container = mapping.directive.container
    return [m for m in site.mappings if m.is_rewrite and not m.conditions and m.directive.container == container
            and rank(m) < rank(mapping)]


def earlier_passes(site, mapping):
    inherits = site.setting("proxypassinherit", mapping.vhost) != "off"
    vhosts = (None, mapping.vhost) if inherits else (mapping.vhost,)
    return [m for m in site.passes("ProxyPass", "ProxyPassMatch") if m.location is None and m.vhost in vhosts
            and rank(m) < rank(mapping)]


def rank(mapping):
    """Where httpd, which puts the main server's part before a virtual host's, has it."""
    return mapping.vhost is not None, mapping.directive.order


def serves_the_same(site, rival, mapping):
    """Whether a handshake that the rival takes ends where it should all the same."""
    upgrades = rival in site.websockets or site.setting("proxywebsocketupgradehttp", mapping.vhost) == "on"
    below = mapping.sample.rstrip("/") + "/x"
    wanted = mapping.forward(mapping.sample), mapping.forward(below)
    return upgrades and None not in wanted and wanted == (rival.forward(mapping.sample), rival.forward(below))


def explain(mapping, rival):
    what = "excludes" if rival.excludes else "takes"
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
