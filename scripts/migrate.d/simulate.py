"""httpd on paper: where one request of one virtual host goes, phase after phase as httpd asks. RewriteRules of the virtual
host; ProxyPassWS; ProxyPass of the last section, then the others from top to bottom; rules inside sections."""

import dataclasses
import fnmatch
import re

import engine
import find
import workers
from engine import State, Unsure

DEEPEST = 10  # internal redirects: LimitInternalRecursion's default


@dataclasses.dataclass(frozen=True)
class Route:
    """Where a request ends: "backend" with its URL (http for ws, tunnel or not), "redirect", "status" or "files"."""

    kind: str
    detail: str
    tunnel: bool = False
    via: object = dataclasses.field(default=None, compare=False)  # the directive that decided

    def __str__(self):
        shown = self.detail.replace(engine.OPEN, "").replace(engine.CLOSE, "")
        if self.kind == "backend":
            scheme = {"http": "ws", "https": "wss"} if self.tunnel else {}
            name, colon, rest = shown.partition(":")
            return scheme.get(name, name) + colon + rest
        return {"redirect": f"redirect to {shown}", "status": f"answer {shown}", "files": "files and other handlers"}[self.kind]


def route(host, request, answers):
    """The Route of a samples.Request; engine.Ask where `answers` do not have what it depends on, engine.Unsure."""
    state = State(request, answers, host.maps, host.root, request.path, request.path, request.query)
    return Passage(host, state).route()


class Passage:
    """One request on its way through a Host."""

    def __init__(self, host, state):
        self.host, self.state = host, state
        self.mapped_by_ws = False
        self.claimed = False  # a rule has made a path of files of it: no mapping is asked

    def setting(self, layers, name, default):
        said = [layer.settings[name] for layer in [self.host.server, *layers] if name in layer.settings]
        return said[-1] if said else default

    def layers_for(self, path):
        return [layer for layer in self.host.sections if layer.covers(self.state, path)]

    def route(self, depth=0):
        state, self.claimed = self.state, False
        layers = self.layers_for(state.uri)
        ended = self.server_rules(layers)
        if ended is not None:
            return ended
        if not state.filename.startswith("proxy:"):
            if not self.claimed:
                self.mappings(layers)
            layers = self.layers_for(state.uri)
        before = state.filename if state.filename.startswith("proxy:") else self.file_of(state)
        state.filename = before
        ended = self.section_rules(layers)
        if ended is not None:
            return ended
        if state.filename.startswith("proxy:"):
            return self.at_backend(layers)
        if state.filename != before:  # an internal redirect
            if depth == DEEPEST:
                return Route("status", "500", via=state.deciding)
            if any(directive.name == "rewritebase" for directive in self.host.read):
                raise Unsure("a path that RewriteBase is put before")
            state.uri = state.filename = "/" + state.filename.removeprefix(state.root).lstrip("/")
            return self.route(depth + 1)
        return Route("files", state.filename + ("?" + state.query if state.query else ""), via=state.deciding)

    @staticmethod
    def file_of(state):
        return state.filename if state.filename.startswith(state.root + "/") else state.root + state.filename

    def server_rules(self, layers):
        """A Route where a rule ends the request; else state.filename says what is next."""
        state, rules = self.state, self.host.server.rules
        if not rules or state.ended or not self.setting(layers, "engine", not self.host.world.is_whole):
            return None
        outcome = engine.apply_rules(state, rules)
        if isinstance(outcome, int):
            return self.ended(outcome)
        self.claimed = outcome == "changed"
        if outcome == "through":
            state.uri = state.filename
        return None

    def ended(self, status):
        redirects = 300 <= status < 400
        detail = self.state.filename + ("?" + self.state.query if self.state.query else "") if redirects else str(status)
        return Route("redirect" if redirects else "status", detail, via=self.state.deciding)

    def mappings(self, layers):
        """Sets the filename to "proxy:URL" where a mapping takes the request."""
        request, host = self.state.request, self.host
        if request.is_handshake and host.world.is_ours:
            in_section = [layer.ws_alias for layer in layers if layer.ws_alias][-1:]
            if self.first_of(in_section + host.all_ws_passes, layers) is True:
                self.mapped_by_ws = True
                return
        in_section = [layer.alias for layer in layers if layer.alias][-1:]
        self.first_of(in_section + host.all_passes, layers)

    def first_of(self, aliases, layers):
        """Whether a mapping takes the request (True), excludes it (False), or none is for it (None)."""
        passed_by = None
        for alias in aliases:
            url = self.url_of(alias)
            if url is None:
                continue
            if alias.excludes:
                self.state.deciding = alias.directive
                return False
            if url.lower().startswith(("ws:", "wss:")) and not self.state.request.is_handshake and not self.falls_back(layers):
                passed_by = passed_by or (url, alias.directive)
                continue
            self.state.filename, self.state.deciding = "proxy:" + url, alias.directive
            return True
        if passed_by and self.host.world.is_ours:  # answered 426 in the end; mod_proxy_wstunnel leaves it to files
            self.state.filename, self.state.deciding = "proxy:" + passed_by[0], passed_by[1]
        return None

    def url_of(self, alias):
        """As ap_proxy_trans_match: the URL, None where the alias is for other paths."""
        path = self.state.uri
        real = alias.url.rpartition("|")[2] if "|" in alias.url else alias.url
        if "|" in alias.url:
            scheme, _, rest = real.partition("://")
            real = f"{scheme}://{alias.url.rpartition('|')[0]}{rest.partition('/')[1]}{rest.partition('/')[2]}"
        if alias.is_regex:
            match = engine.matches(self.state, alias.path, path)
            if match is None:
                return None
            url = re.sub(r"\\(.)|\$(\d)", lambda found: found[1] or engine.group_of(match, int(found[2])), real)
            return url if url != real else real + path
        prefix = alias.path
        if not (path.startswith(prefix) and (prefix.endswith("/") or path[len(prefix):][:1] in ("", "/"))):
            return None
        return real + path[len(prefix):]

    def section_rules(self, layers):
        """Rules inside the last sections that have some; a path that mod_proxy has sees only <Location>."""
        state = self.state
        folders = [] if state.filename.startswith("proxy:") else [layer for layer in self.host.folders if self.is_in(layer)]
        walked = folders + layers
        with_rules = [layer for layer in walked if layer.rules is not None]
        if not with_rules or not with_rules[-1].rules or state.ended or not self.setting(walked, "engine", not self.host.world.is_whole):
            return None
        folder = with_rules[-1].path.rstrip("/") + "/"
        is_proxied = state.filename.startswith("proxy:")
        before = state.filename
        outcome = engine.apply_rules(state, with_rules[-1].rules, folder)
        if isinstance(outcome, int):
            return self.ended(outcome)
        if is_proxied and state.filename != before and not state.filename.startswith("proxy:"):
            raise Unsure(f"a rule that takes a mapped request back, at {state.deciding.place}")
        return None

    def is_in(self, layer):
        if layer.section.name != "directory" or layer.is_regex:
            raise Unsure(f"rules inside {layer.section} at {layer.section.place}")
        folder = layer.path.rstrip("/")
        if re.search(r"[*?\[]", folder):
            return fnmatch.fnmatchcase(self.state.filename, folder + "/*")
        return self.state.filename.startswith(folder + "/")

    def falls_back(self, layers):
        return self.host.world.has_http and self.setting(layers, "fallback", True)

    def at_backend(self, layers):
        """What becomes of "proxy:URL" when a scheme's handler has it."""
        state, request = self.state, self.state.request
        url = state.filename[len("proxy:"):]
        scheme = url.partition(":")[0].lower()
        full = url + ("?" + state.query if state.query else "")
        if scheme not in ("ws", "wss", "http", "https", "balancer"):
            return Route("backend", full, via=state.deciding)
        normal = find.TO_HTTP.get(scheme, scheme) + full[len(scheme):]
        if scheme in ("ws", "wss"):
            if not self.host.world.speaks_websocket:
                return Route("status", "500", via=state.deciding)
            if not request.is_handshake and not self.falls_back(layers):
                return Route("status", "426", via=state.deciding)
            return Route("backend", normal, request.is_handshake, state.deciding)
        tunnels = self.mapped_by_ws or self.worker_upgrades(full) or (
            self.host.world.is_ours and self.setting(layers, "upgrade_http", False)) or scheme == "balancer" and self.members_speak(url)
        return Route("backend", normal, request.is_handshake and bool(tunnels), state.deciding)

    def worker_upgrades(self, url):
        url = re.sub(r"^([^:]*://[^/?]*)(?=\?|$)", r"\1/", url)  # as it is by then: with a path
        worker = workers.best(self.host.workers, workers.named(url))
        return worker is not None and worker.upgrade.lower() not in ("", "none")

    def members_speak(self, url):
        name = "balancer://" + url.partition("://")[2].partition("/")[0].lower()
        members = [find.mapping_of_member(d) for d in self.host.tree.named("balancermember") if d.args]
        return any(member and member.path == name and (member.has_websocket_scheme or member.upgrades) for member in members)
