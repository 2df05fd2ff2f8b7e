"""mod_proxy's workers, as far as they decide whether a handshake becomes a tunnel: what upgrade= counts for a URL. The first
line about a URL makes the worker; later lines whose URL begins like it share it, and their parameters are ignored."""

import dataclasses
import re

import find


@dataclasses.dataclass
class Worker:
    name: str
    is_pattern: bool  # of a ProxyPassMatch: $1 stands for anything
    upgrade: str
    directive: object

    def is_for(self, url, patterns, prefixes):
        """As ap_proxy_get_worker_ex: at least scheme, host and port are compared."""
        least = len(re.match(r"[^:]*://[^/]*", url)[0])
        if not least <= len(self.name) <= len(url):
            return False
        if self.is_pattern:
            parts = re.split(r"\$\d", self.name)
            return patterns and re.match(".*".join(re.escape(part) for part in parts), url) is not None
        return prefixes and url.startswith(self.name)


def best(workers, url, patterns=True, prefixes=True):
    return max((each for each in workers if each.is_for(url, patterns, prefixes)), key=lambda each: len(each.name), default=None)


def named(url):
    """Scheme and host in small letters, without the socket before them."""
    url = url.rpartition("|")[2]
    host = re.match(r"[^:]*://[^/]*", url)
    return host[0].lower() + url[host.end():] if host else ""


def defined_by(directives, ignored=None):
    """The workers of one server, in order. `ignored` gets (directive, Worker that it shares) where upgrade= is lost."""
    found = []
    for directive in directives:
        mapping = find.mapping_of_pass(directive) if directive.name in find.PASSES and directive.args else None
        if mapping is not None:
            add_mapping(found, mapping, ignored)
        elif directive.name == "proxyset":
            add_settings(found, directive)
    return found


def add_mapping(found, mapping, ignored):
    name = named(mapping.url)
    if not name or name.startswith("balancer:"):
        return
    shared = best(found, name, mapping.is_regex, not mapping.is_regex)
    if shared is None:
        found.append(Worker(name, mapping.is_regex, mapping.param("upgrade") or "", mapping.directive))
    elif ignored is not None and mapping.upgrades and shared.upgrade.lower() in ("", "none"):
        ignored.append((mapping, shared))


def add_settings(found, directive):
    """ProxySet, in a <Proxy> section or with a URL of its own."""
    section = directive.inside("proxy")
    url = next((word for word in [*directive.args[:1], *(section.args if section else [])] if "://" in word), "")
    upgrade = dict(find.params_of(directive.args)).get("upgrade")
    name = named(url)
    if not name or name.startswith("balancer:") or upgrade is None:
        return
    worker = best(found, name)
    if worker is None:
        found.append(Worker(name, False, upgrade, directive))
    else:
        worker.upgrade = upgrade
