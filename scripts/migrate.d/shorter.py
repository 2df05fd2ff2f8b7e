"""What could stand in place of lines that may go. It is only advised after both have been tried on paper: each handshake and
each plain request has to go where it went."""

import dataclasses

import engine
import rewrite
import routes
import world
from host import Host
from lines import split_directive
from parse import Directive, Section

UPGRADE_HTTP = "ProxyWebsocketUpgradeHttp On"
ONLY_NARROW = ("%{QUERY_STRING}", "%{REQUEST_URI}")


def first_place(mapping):
    return mapping.conditions[0].directive.place if mapping.conditions else mapping.place


def instead_of_rule(site, mapping):
    """A sentence that says what does the same as this rule with its conditions; None where nothing simpler does."""
    gone = {place: "" for place in (mapping.place, *(condition.directive.place for condition in mapping.conditions))}
    return first_that_fits(site, mapping, gone, candidates(mapping))


def instead_of_line(site, mapping):
    """The same for a ws:// line beside an http:// line."""
    return first_that_fits(site, mapping, {mapping.place: ""}, [each for each in candidates(mapping) if "ProxyPassWS" not in each[0]])


def candidates(mapping):
    """(sentence, lines), the simplest first. The first two leave the work to the mapping that is there already."""
    yield "it takes handshakes too already", ""
    yield f"write {UPGRADE_HTTP} instead", UPGRADE_HTTP
    for start in starts_of(mapping):
        yield f"write {UPGRADE_HTTP} instead, into <Location {start}>", f"<Location \"{start}\">\n{UPGRADE_HTTP}\n</Location>"
    simple = as_pass(mapping) if mapping.is_rewrite else None
    if simple:
        yield f"write ProxyPassWS {simple[0]} {simple[1]} instead, which takes handshakes alone", f"ProxyPassWS {simple[0]} {simple[1]}"


def starts_of(mapping):
    """Paths of sections that could be for the same requests, the broadest first."""
    found = {mapping.sample, mapping.sample[:mapping.sample.rfind("/") + 1]} if mapping.is_rewrite else {mapping.sample}
    found |= {rewrite.literal_prefix(c.pattern) for c in mapping.conditions if c.test.upper() == "%{REQUEST_URI}" and not c.negated}
    return sorted(found - {"/"}, key=len)


def first_that_fits(site, mapping, gone, tried):
    """`tried` is gone through twice: first as what changes nothing, then as what turns handshakes that got to the same URL as
    plain requests into tunnels, the narrowest first."""
    tried = list(tried)
    narrow = [each for each in reversed(tried) if UPGRADE_HTTP in each[0]] if is_only_about_handshakes(mapping) else []
    for wakes, choices in ((False, tried), (True, narrow)):
        for sentence, lines in choices:
            edits = {**gone, mapping.place: lines}
            said = sentence_for(site, mapping, edits, wakes, sentence)
            if said:
                site.advised.update(edits)
                return said
    return None


def sentence_for(site, mapping, edits, wakes, sentence):
    """What to say of this advice; None where it does not fit, alone or together with what has been advised before."""
    file = mapping.place.file
    changed = tree_with(site.tree, edits)
    if not is_the_same(site.tree, changed, file, wakes):
        return None
    if site.advised and not is_the_same(tree_with(site.tree, site.advised), tree_with(site.tree, {**site.advised, **edits}), file, wakes):
        return None
    if "ProxyPassWS" in sentence:
        return sentence
    taker = taker_of(site, changed, mapping)
    if taker is None or taker.param("timeout") != mapping.param("timeout") or not lead_to_the_same(taker, mapping):
        return None
    return f"{taker} at {taker.place} leads to the same backend; {sentence}"


def lead_to_the_same(one, other):
    return one.target is not None and other.target is not None and one.target.backend == other.target.backend


def is_only_about_handshakes(mapping):
    """Whether no condition keeps anybody out: all are on Upgrade and Connection, or on the path and query."""
    return all(not c.negated and (c.header or c.test.upper() in ONLY_NARROW) for c in mapping.conditions)


def tree_with(tree, lines):
    """The tree with other directives at these places; `lines` are texts by place, and no file is read again."""
    if not lines:
        return tree
    directives = []
    for directive in tree.directives:
        directives += said_at(directive, lines[directive.place]) if directive.place in lines else [directive]
    return dataclasses.replace(tree, directives=directives)


def said_at(directive, text):
    """Directives as if `text` stood in the place of `directive`."""
    found, sections = [], directive.sections
    for line in text.split("\n"):
        name, args = split_directive(line.strip("<>"))
        if line.startswith("</"):
            sections = sections[:-1]
        elif line.startswith("<"):
            sections = (*sections, Section(name, name.title(), args, directive.place))
        elif line:
            found.append(Directive(name, args, line, directive.place, sections, directive.order))
    return found


def is_the_same(before, after, file, wakes=False):
    there = world.of(before, world.OURS)
    try:
        return not routes.differences((before.of_file(file), there), (after.of_file(file), there), wakes)
    except engine.Unsure:
        return False


def taker_of(site, changed, mapping):
    """The mapping of `site` that makes tunnels of the handshakes of `mapping` in the changed tree."""
    there = world.of(changed, world.OURS)
    before, host = (Host(tree.of_file(mapping.place.file), mapping.vhost, there) for tree in (site.tree, changed))
    for request in routes.requests_of(before, host):
        if request.client == "handshake" and mapping.covers(request.path):
            for (found,) in routes.routes(request, host):
                if found.tunnel:
                    return next((other for other in site.mappings if other.directive is found.via and other is not mapping), None)
    return None


def once_for_all(mappings):
    """(lines, their file) of upgrade=websocket on several lines, said once."""
    lines = {}
    for mapping in mappings:
        words = [f'"{word}"' for word in mapping.directive.args if word.lower() != "upgrade=websocket"]
        lines[mapping.place] = " ".join([mapping.directive.name, *words])
    lines[mappings[0].place] += "\n" + UPGRADE_HTTP
    return lines, mappings[0].place.file


def fits(tree, lines, file):
    return is_the_same(tree, tree_with(tree, lines), file)


def as_pass(rule):
    """(path, URL) of the ProxyPassWS that does the same, or None."""
    if ("$" not in rule.url and "%{REQUEST_URI}" not in rule.url) or "://" not in rule.url:
        return None
    start = rule.sample[:rule.sample.rfind("/") + 1]
    probes = [rewrite.substituted([rule.path, rule.url], start + rest) for rest in ("", "x", "x/y.z")]
    base = probes[0]
    is_prefix = base and base.endswith("/") and probes == [base, base + "x", base + "x/y.z"]
    return (start, base) if is_prefix else None
