"""What to change for mod_proxy_websocket, what may go once it is there, and what behaves differently on purpose."""

import dataclasses
import re

import find
import shorter
from finding import Finding, change, delete, note

LOAD_OURS = "LoadModule proxy_websocket_module"
UPGRADE_HTTP = "ProxyWebsocketUpgradeHttp On"
WRONG = "works once what is wrong with it is mended"
ASLEEP = "has done nothing so far, and once mended would take requests that go elsewhere now"


def all_advice(site):
    for advise in (load_module, names_in_if_module, rewrite_pairs, websocket_lines_beside_http, second_balancers, upgrade_words,
                   many_upgrades, idle_words, reverse_lines, fallback, plain_requests):
        yield from advise(site)


def mapping_findings(site, mistakes):
    """One per mapping: what it is, and whether anything has to happen to it."""
    wrong = {(finding.place.file, finding.place.line) for finding in mistakes if finding.severity == "mistake"}
    for mapping in site.websockets:
        places = [mapping.place, *(condition.directive.place for condition in mapping.conditions)]
        is_wrong = any((place.file, place.line) in wrong for place in places)
        verdict = WRONG if is_wrong else stays(site)
        yield Finding(mapping.place, "mapping", f"{mapping}{number_of_conditions(mapping)}: {verdict}")


def left_asleep(found, places):
    """The findings, with another verdict on rules that had better not be mended."""
    return [dataclasses.replace(each, text=each.text.replace(WRONG, ASLEEP)) if each.place in places and each.severity == "mapping"
            else each for each in found]


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
        if mapping.is_rewrite and mapping.location is None and asks_for_upgrade(mapping) and mapping.place not in site.advised:
            found = shorter.instead_of_rule(site, mapping)
            if found:
                yield delete(shorter.first_place(mapping), f"{lines_of(mapping)} may go: {found}")


def asks_for_upgrade(mapping):
    return any(condition.header and not condition.negated for condition in mapping.conditions)


def lines_of(mapping):
    first = shorter.first_place(mapping)
    return f"lines {first.line}-{mapping.place.last}" if first.file == mapping.place.file else "this rule with its conditions"


def websocket_lines_beside_http(site):
    for mapping in site.websockets:
        if mapping.kind == "ProxyPass" and mapping.has_websocket_scheme and not mapping.is_regex and mapping.location is None \
                and mapping.place not in site.advised:
            found = shorter.instead_of_line(site, mapping)
            if found:
                yield delete(mapping.place, f"this line may go: {found}")


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
        if len(mappings) > 1 and shorter.fits(site.tree, *shorter.once_for_all(mappings)):
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


def plain_requests(site):
    """Without mod_proxy_http nobody asks the backend of a ws:// mapping for pages; told once per virtual host."""
    told = set()
    if not site.tree.is_whole or site.tree.loaded("proxy_http_module"):
        return
    for mapping in site.websockets:
        if not mapping.has_websocket_scheme or mapping.kind not in ("ProxyPass", "ProxyPassMatch") or mapping.vhost in told:
            continue
        if not plain_neighbour(site, mapping):
            told.add(mapping.vhost)
            yield note(mapping.place, f"a plain request on {mapping.path}, no handshake, is answered 426, since mod_proxy_http is not "
                                      "loaded; mod_proxy_wstunnel left it to files")


def plain_neighbour(site, mapping):
    """Another mapping that takes the plain requests which this one passes by."""
    return any(other is not mapping and not other.has_websocket_scheme and other.vhost in (None, mapping.vhost)
               and other.covers(mapping.sample) for other in site.passes("ProxyPass", "ProxyPassMatch"))
