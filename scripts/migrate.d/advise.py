"""What to change for mod_proxy_websocket, what may go once it is there, and what behaves differently on purpose."""

import re

import find
import rewrite
from finding import Finding, change, delete, note

LOAD_OURS = "LoadModule proxy_websocket_module"
UPGRADE_HTTP = "ProxyWebsocketUpgradeHttp On"
ONLY_NARROW = ("%{QUERY_STRING}", "%{REQUEST_URI}")


def all_advice(site):
    for advise in (load_module, names_in_if_module, rewrite_pairs, websocket_lines_beside_http, second_balancers, upgrade_words,
                   many_upgrades, idle_words, reverse_lines, fallback):
        yield from advise(site)


def mapping_findings(site, mistakes):
    """One per mapping: what it is, and whether anything has to happen to it."""
    wrong = {(finding.place.file, finding.place.line) for finding in mistakes}
    for mapping in site.websockets:
        places = [mapping.place, *(condition.directive.place for condition in mapping.conditions)]
        is_wrong = any((place.file, place.line) in wrong for place in places)
        verdict = "works once what is wrong with it is mended" if is_wrong else stays(site)
        yield Finding(mapping.place, "mapping", f"{mapping}{number_of_conditions(mapping)}: {verdict}")


def number_of_conditions(mapping):
    number = len(mapping.conditions)
    return f" ({number} RewriteCond{'s' if number > 1 else ''})" if number else ""


def stays(site):
    if site.tree.loaded("proxy_websocket_module"):
        return "nothing to change"
    return "nothing to change but the LoadModule line"


def load_module(site):
    tree = site.tree
    old, ours = tree.loaded("proxy_wstunnel_module"), tree.loaded("proxy_websocket_module")
    if old and ours:
        yield delete(old.place, "mod_proxy_wstunnel may go: mod_proxy_websocket is loaded too and is asked first for every ws:// and "
                                f"wss:// mapping{debian(old, 'a2dismod proxy_wstunnel')}; both together do no harm")
    elif old:
        yield change(old.place, f"load mod_proxy_websocket instead: {LOAD_OURS} {new_module_file(old)}"
                                f"{debian(old, 'a2dismod proxy_wstunnel && a2enmod proxy_websocket')}; or keep this line and add that one, "
                                "mod_proxy_websocket is asked first", "load_module")
    elif not ours and site.websockets and tree.loaded("proxy_http_module"):
        yield change(tree.named("loadmodule")[-1].place, f"add {LOAD_OURS} modules/mod_proxy_websocket.so below (Debian: a2enmod "
                                                         "proxy_websocket): it takes over the handshakes that mod_proxy_http tunnels")


def new_module_file(load):
    return load.args[1].replace("mod_proxy_wstunnel", "mod_proxy_websocket") if len(load.args) > 1 else "modules/mod_proxy_websocket.so"


def debian(load, command):
    return f" (Debian: {command})" if "/mods-" in load.place.file else ""


def names_in_if_module(site):
    """<IfModule mod_proxy_wstunnel.c> around mappings would silently drop them once the other module is loaded."""
    if site.tree.loaded("proxy_websocket_module") and not site.tree.loaded("proxy_wstunnel_module"):
        return  # mistakes.section_that_never_applies tells
    for section in site.tree.sections:
        if section.name == "ifmodule" and section.args and re.search("proxy_wstunnel", section.args[0], re.IGNORECASE):
            new = re.sub("proxy_wstunnel", "proxy_websocket", section.args[0], flags=re.IGNORECASE)
            yield change(section.place, f"write <IfModule {new}> when the LoadModule line changes, or what is inside is silently "
                                        "skipped", "module_name")


def rewrite_pairs(site):
    """A rule for handshakes that ProxyPass could do, or already does."""
    for mapping in site.websockets:
        if not mapping.is_rewrite or mapping.location is not None or not asks_for_upgrade(mapping):
            continue
        twin = http_twin(site, mapping)
        lines = lines_of(mapping)
        if twin is not None and only_about(mapping, *ONLY_NARROW):
            yield delete(first_place(mapping), f"{lines} may go: {twin} at {twin.place} leads to the same backend; "
                                               f"{instead(site, mapping, twin)}")
        elif twin is None and only_about(mapping):
            simple = as_pass(mapping)
            if simple:
                yield delete(first_place(mapping), f"{lines} may go: write ProxyPassWS {simple[0]} {simple[1]} instead, which takes "
                                                   "handshakes alone")


def asks_for_upgrade(mapping):
    return any(condition.header and not condition.negated for condition in mapping.conditions)


def only_about(mapping, *tests):
    """Whether all conditions are on Upgrade and Connection, or on one of `tests`."""
    return all(not c.negated and (c.header or c.test.upper() in tests) for c in mapping.conditions)


def first_place(mapping):
    return mapping.conditions[0].directive.place if mapping.conditions else mapping.place


def lines_of(mapping):
    first = first_place(mapping)
    return f"lines {first.line}-{mapping.place.last}" if first.file == mapping.place.file else "this rule with its conditions"


def instead(site, mapping, twin):
    if twin.upgrades or site.setting("proxywebsocketupgradehttp", mapping.vhost) == "on":
        return "it takes handshakes too already"
    return f"write {UPGRADE_HTTP} instead"


def samples_of(mapping):
    """Two paths that it is for, to compare what mappings make of them."""
    start = mapping.sample
    below = [start + "x", start + "x/y"] if start.endswith("/") else [start, start + "/x"]
    return below if all(mapping.covers(path) for path in below) else [start]


def http_twin(site, mapping):
    """The http:// mapping that sends the same paths to the same URLs with the same idle limit, or None."""
    samples = samples_of(mapping)
    wanted = [mapping.forward(path) for path in samples]
    if None in wanted:
        return None
    for other in site.passes("ProxyPass", "ProxyPassMatch"):
        if other.vhost in (None, mapping.vhost) and other.covers(samples[0]) and other.scheme in ("http", "https"):
            same = [other.forward(path) for path in samples] == wanted and other.param("timeout") == mapping.param("timeout")
            return other if same else None
    return None


def as_pass(rule):
    """(path, URL) of the ProxyPassWS that does the same, or None."""
    if "$" not in rule.url and "%{REQUEST_URI}" not in rule.url:
        return None
    start = rule.sample[:rule.sample.rfind("/") + 1]
    probes = [rewrite.substituted([rule.path, rule.url], start + rest) for rest in ("", "x", "x/y.z")]
    base = probes[0]
    is_prefix = base and base.endswith("/") and probes == [base, base + "x", base + "x/y.z"]
    return (start, base) if is_prefix else None


def websocket_lines_beside_http(site):
    for mapping in site.websockets:
        if mapping.kind != "ProxyPass" or not mapping.has_websocket_scheme or mapping.is_regex:
            continue
        twin = http_twin(site, mapping)
        if twin is not None and twin is not mapping and twin.vhost is mapping.vhost:
            yield delete(mapping.place, f"this line may go: {twin} at {twin.place} sends these paths to the same backend; "
                                        f"{instead(site, mapping, twin)}")


def second_balancers(site):
    """A balancer of ws:// members that are all http:// members of another: kept in step by hand until now."""
    balancers = {}
    for member in site.mappings:
        if member.is_member and member.target:
            balancers.setdefault(member.path, []).append(member)
    for name, members in balancers.items():
        if all(member.has_websocket_scheme for member in members):
            backends = {member.target.backend for member in members}
            twin = next((n for n, others in balancers.items() if n != name and backends <= plain_backends(others)), None)
            if twin:
                yield delete(members[0].place, f"{name} may go: {twin} has the same members over http; map the paths to {twin} and write "
                                               f"{UPGRADE_HTTP}, and both share sticky sessions and states")


def plain_backends(members):
    return {member.target.backend for member in members if member.scheme in ("http", "https")}


def upgrade_words(site):
    for mapping in site.websockets:
        words = [value.lower() for key, value in mapping.params if key == "upgrade"]
        if len(words) > 1:
            yield delete(mapping.place, f"upgrade= stands here {len(words)} times, and only the last one counts: the others may go")
        elif mapping.has_websocket_scheme and words == ["websocket"]:
            yield delete(mapping.place, f"upgrade=websocket may go: {mapping.scheme}:// says it already")


def many_upgrades(site):
    """Several upgrade=websocket in one virtual host: one directive does it."""
    by_vhost = {}
    for mapping in site.websockets:
        if mapping.scheme in ("http", "https", "balancer") and (mapping.param("upgrade") or "").lower() == "websocket":
            by_vhost.setdefault(mapping.vhost, []).append(mapping)
    for mappings in by_vhost.values():
        if len(mappings) > 1:
            yield delete(mappings[0].place, f"upgrade=websocket on {len(mappings)} lines of this virtual host may go: write "
                                            f"{UPGRADE_HTTP} once")


def idle_words(site):
    """Parameters that people copy and that do nothing here, or not what they hope for."""
    for mapping in site.websockets:
        if mapping.has_websocket_scheme:
            yield from useless_params(mapping)
        if mapping.param("retry") == "0" and not mapping.excludes:
            yield retry_advice(site, mapping)


def useless_params(mapping):
    if (mapping.param("disablereuse") or "").lower() == "on":
        yield delete(mapping.place, "disablereuse=on may go: the connection of a tunnel is never used again")
    if (mapping.param("flushpackets") or "").lower() in ("on", "auto"):
        yield delete(mapping.place, "flushpackets= may go: a tunnel never waits for more to send")


def retry_advice(site, mapping):
    siblings = [m for m in site.mappings if m.is_member and mapping.is_member and m.path == mapping.path]
    if len(siblings) > 1:
        return delete(mapping.place, "retry=0 may go: it asks a dead member anew for every handshake, while the others would take it; a "
                                     "backend that only refuses a handshake is not marked as failed here")
    return note(mapping.place, "retry=0 is worth keeping where there is one backend: without it handshakes are answered 503, with "
                               "Retry-After, for 60 s after a connection was refused; a backend that only refuses a handshake is not "
                               "marked as failed here")


def reverse_lines(site):
    for directive in site.tree.named("proxypassreverse"):
        target = find.target_of(directive.args[-1]) if directive.args else None
        if target and target.scheme in ("ws", "wss"):
            yield delete(directive.place, "ProxyPassReverse may go: no backend answers with a Location that begins with "
                                          f"{target.scheme}://")


def fallback(site):
    directives = list(site.tree.named("proxywebsocketfallbacktoproxyhttp"))
    off = [directive for directive in directives if directive.args[:1] and directive.args[0].lower() == "off"]
    for directive in directives:
        if directive in off:
            yield note(directive.place, "ProxyWebsocketFallbackToProxyHttp Off means the same here: a plain request goes on to the next "
                                        "ProxyPass. Where there is none it is told 426, and no longer 404")
        elif not off:   # else it may stand inside of one that is
            yield delete(directive.place, "ProxyWebsocketFallbackToProxyHttp On may go: it is the default, here too")
