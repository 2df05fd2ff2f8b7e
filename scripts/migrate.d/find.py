"""Finds what is proxied where: one Mapping for each ProxyPass, ProxyPassMatch, ProxyPassWS, RewriteRule and
BalancerMember, and which of them are for WebSockets."""

import dataclasses
import re

import rewrite

URL = re.compile(r"([a-z][a-z0-9+.-]*):(/*)(\[[^\]]*\]|[^/:?#%$]*)(?::(\d+))?(.*)$", re.IGNORECASE | re.DOTALL)
PORTS = {"ws": 80, "http": 80, "wss": 443, "https": 443}
TO_HTTP = {"ws": "http", "wss": "https"}
WILDCARD = re.compile(r"(?<!\\)[*?]|\[.*\]")  # a ProxyPass inside a section takes the path for a pattern only where it has one
FLAGS = {"nocanon", "interpolate", "noquery"}
PASSES = {"proxypass": "ProxyPass", "proxypassmatch": "ProxyPassMatch", "proxypassws": "ProxyPassWS"}


@dataclasses.dataclass(frozen=True)
class Target:
    scheme: str
    host: str
    port: int
    path: str

    @property
    def backend(self):
        """What two URLs share that lead to the same server: ws and http do not differ in it."""
        return TO_HTTP.get(self.scheme, self.scheme), self.host, self.port


@dataclasses.dataclass(eq=False)
class Mapping:
    kind: str
    directive: object
    path: str  # a prefix, or a pattern where is_regex; of a BalancerMember the balancer's name
    url: str
    is_regex: bool = False
    params: list = dataclasses.field(default_factory=list)  # (key in lower case, value)
    conditions: list = dataclasses.field(default_factory=list)

    @property
    def place(self):
        return self.directive.place

    @property
    def vhost(self):
        return self.directive.vhost

    @property
    def location(self):
        return self.directive.location

    @property
    def target(self):
        return target_of(self.url)

    @property
    def scheme(self):
        return self.target.scheme if self.target else ""

    @property
    def is_rewrite(self):
        return self.kind == "RewriteRule"

    @property
    def is_member(self):
        return self.kind == "BalancerMember"

    @property
    def excludes(self):
        return self.url == "!"

    @property
    def has_websocket_scheme(self):
        return self.scheme in ("ws", "wss")

    @property
    def upgrades(self):
        """Whether upgrade= lets handshakes through on an http:// worker."""
        values = [value.lower() for key, value in self.params if key == "upgrade"]
        return bool(values) and values[-1] != "none"

    def param(self, name):
        return next((value for key, value in reversed(self.params) if key == name), None)

    def forward(self, path):
        """The URL that a request for `path` is sent to, with http for ws; None where it takes more to tell."""
        if self.is_rewrite:
            url = rewrite.substituted([self.path, self.url], path) if self.location is None else None
        elif self.is_regex:
            url = rewrite.substituted([self.path, self.url], path)
            url = url + path if url is not None and "$" not in self.url else url
        else:
            url = self.url + path[len(self.path):] if covers_path(self.path, path) else None
        target = target_of(url) if url else None
        return (*target.backend, target.path or "/") if target else None

    def covers(self, path):
        if self.is_regex:
            return rewrite.search(self.path, path) is not None
        return covers_path(self.path, path)

    @property
    def sample(self):
        """A path that it is for."""
        return rewrite.literal_prefix(self.path) if self.is_regex else self.path

    def __str__(self):
        if self.is_rewrite:
            return f"RewriteRule {self.path} {self.url}"
        if self.is_member:
            return f"BalancerMember {self.url} of {self.path}"
        where = f"{self.path} " if self.location is None else ""
        inside = "" if self.location is None else f" in {self.location}"
        return f"{self.kind} {where}{self.url}{inside}"


def covers_path(prefix, path):
    """mod_proxy's alias_match, without its leniency about repeated slashes."""
    return path.startswith(prefix) and (prefix.endswith("/") or path[len(prefix):][:1] in ("", "/"))


def target_of(url):
    match = URL.match(url.rpartition("|")[2])
    if match is None:
        return None
    scheme = match[1].lower()
    host = match[3].lower()
    if "|" in url:
        host = url.rpartition("|")[0]
    return Target(scheme, host, int(match[4]) if match[4] else PORTS.get(scheme, 0), match[5])


def params_of(words):
    return [(key.lower(), value) for key, equals, value in (word.partition("=") for word in words) if equals]


def is_pattern(section):
    return section.name.endswith("match") or section.args[:1] == ["~"]


def mapping_of_pass(directive):
    args = [arg for arg in directive.args]
    is_regex = directive.name == "proxypassmatch"
    location = directive.location
    if location is not None:
        path = location.args[-1] if location.args else "/"
        is_regex = is_regex or bool(WILDCARD.search(path) if directive.name == "proxypass" else is_pattern(location))
    else:
        if args[:1] == ["~"]:
            is_regex, args = True, args[1:]
        path, args = (args[0], args[1:]) if args else ("", [])
    if not args:
        return None
    params = params_of(word for word in args[1:] if word.lower() not in FLAGS)
    return Mapping(PASSES[directive.name], directive, path, args[0], is_regex, params)


def mapping_of_member(directive):
    section = directive.inside("proxy")
    args = directive.args
    if section is None or args[0].lower().startswith("balancer:"):
        balancer, args = args[0], args[1:]
    else:
        balancer = section.args[0] if section.args else ""
    return Mapping("BalancerMember", directive, balancer.rstrip("/").lower(), args[0], False, params_of(args[1:])) if args else None


def rewritten(tree):
    schemes = schemes_in_variables(tree)
    for rule, conditions in rewrite.rules_of(tree):
        flags = rewrite.flags_of(rule.args[2:])
        url = re.sub(r"^%\{ENV:([^}]+)\}(?=://)", lambda found: schemes.get(found[1], found[0]), rule.args[1], flags=re.IGNORECASE)
        target = target_of(url)
        if target and target.scheme in (*PORTS, "balancer") and (flags & {"P", "PROXY"} or target.scheme in TO_HTTP):
            yield Mapping("RewriteRule", rule, rule.args[0], url, True, [], conditions)


def schemes_in_variables(tree):
    """{name: "ws" or "wss"} of what rules with [E=name:ws] set."""
    found = {}
    for rule, _ in rewrite.rules_of(tree):
        for setting in rewrite.flag_values(rule.args[2:]).get("E", []):
            name, _, value = setting.partition(":")
            if value.lower() in TO_HTTP:
                found[name] = value.lower()
    return found


class Site:
    """What a tree maps. Everything that gives advice asks here."""

    def __init__(self, tree):
        self.tree = tree
        passes = [mapping_of_pass(directive) for directive in tree.named(*PASSES) if directive.args]
        members = [mapping_of_member(directive) for directive in tree.named("balancermember") if directive.args]
        found = [mapping for mapping in [*passes, *members, *rewritten(tree)] if mapping]
        self.mappings = sorted(found, key=lambda mapping: mapping.directive.order)
        self.advised = {}  # what shorter.py has said may stand at a place instead
        self.websockets = [mapping for mapping in self.mappings if self.is_websocket(mapping)]

    def members_of(self, mapping):
        """The members of the balancer that it leads to."""
        if mapping.scheme != "balancer" or mapping.is_member:
            return []
        name = f"balancer://{mapping.target.host}"
        return [member for member in self.mappings if member.is_member and member.path == name]

    def is_websocket(self, mapping):
        if mapping.kind == "ProxyPassWS":
            return not mapping.excludes
        if mapping.has_websocket_scheme or (mapping.upgrades and mapping.scheme in ("http", "https", "balancer")):
            return True
        return any(member.has_websocket_scheme or member.upgrades for member in self.members_of(mapping))

    def passes(self, *kinds):
        return [mapping for mapping in self.mappings if mapping.kind in (kinds or PASSES.values())]

    def setting(self, name, vhost):
        """The first argument of the directive that counts for `vhost`, in lower case; None where there is none."""
        found = [d for d in self.tree.named(name) if d.vhost is vhost and d.args] or [
            d for d in self.tree.named(name) if d.vhost is None and d.args]
        return found[-1].args[0].lower() if found else None

    def users_of(self, member):
        """The mappings that lead to the balancer of this member."""
        return [mapping for mapping in self.mappings if member in self.members_of(mapping)]
