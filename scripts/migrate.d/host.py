"""A virtual host on paper: which of its directives decide where a request goes, by the section in which they stand."""

import dataclasses
import functools
import re

import engine
import find
import rewrite
import workers
from engine import Unsure

SETTINGS = {"rewriteengine": "engine", "proxywebsocketupgradehttp": "upgrade_http", "proxywebsocketfallbacktoproxyhttp": "fallback"}
READ = {*find.PASSES, *SETTINGS, "rewriterule", "rewritecond", "rewritebase", "rewriteoptions", "rewritemap", "documentroot",
        "proxypassinherit"}
UPGRADES = ("", "websocket", "any", "*", "none")  # with which a ws:// worker takes WebSockets
ALIASES = ("alias", "scriptalias", "aliasmatch", "scriptaliasmatch", "wsgiscriptalias", "virtualdocumentroot", "userdir")
IN_FOLDERS = ("directory", "directorymatch", "files", "filesmatch")


@dataclasses.dataclass(eq=False)
class Layer:
    """What a section, or the server itself, says; None and empty where it says nothing."""

    section: object = None
    settings: dict = dataclasses.field(default_factory=dict)
    alias: object = None
    ws_alias: object = None
    rules: list = None
    directives: list = dataclasses.field(default_factory=list)

    @property
    def is_regex(self):
        return find.is_pattern(self.section)

    @property
    def path(self):
        return self.section.args[-1] if self.section.args else "/"

    def covers(self, state, path):
        if self.is_regex:
            return engine.matches(state, self.path, path) is not None
        if re.search(r"[*?\[]", self.path):
            return re.fullmatch(wildcards_as_pattern(self.path), path) is not None
        return path.startswith(self.path) and (self.path.endswith("/") or path[len(self.path):][:1] in ("", "/"))


def rules_among(directives):
    return [engine.Rule(*pair) for pair in rewrite.rules_among(d for d in directives if d.name in ("rewriterule", "rewritecond"))]


def options_of(directives):
    return {word.lower() for directive in directives if directive.name == "rewriteoptions" for word in directive.args}


def wildcards_as_pattern(text):
    """apr_fnmatch with APR_FNM_PATHNAME as a regular expression."""
    def part(found):
        sign = found[0]
        if sign == "*":
            return "[^/]*"
        return "[^/]" if sign == "?" else sign.replace("[!", "[^") if len(sign) > 2 and sign[0] == "[" else re.escape(sign[-1])
    return re.sub(r"\\.|\[[^]]+\]|.", part, text, flags=re.DOTALL)


def alias_of(directive):
    """A Mapping as mod_proxy keeps it; Unsure where the path is compared in other ways."""
    mapping = find.mapping_of_pass(directive)
    if any(value.lower() in ("servlet",) for key, value in (mapping.params if mapping else []) if key == "mapping"):
        raise Unsure(f"mapping=servlet at {directive.place}")
    if mapping is not None and "interpolate" in (word.lower() for word in directive.args) and "${" in mapping.url:
        raise Unsure(f"interpolate at {directive.place}")
    if mapping is not None and mapping.has_websocket_scheme and (mapping.param("upgrade") or "").lower() not in UPGRADES:
        raise Unsure(f"upgrade={mapping.param('upgrade')} at {directive.place}")
    return mapping


class Host:
    """One virtual host, or the main server where `vhost` is None, in a world."""

    def __init__(self, tree, vhost, world):
        self.tree, self.vhost, self.world = tree, vhost, world
        own = tree.by_vhost.get(vhost, [])
        main = tree.by_vhost.get(None, []) if vhost is not None else []
        self.read = [d for d in main + own if self.matters(d) and world.takes(d)]
        self.refuse_what_is_not_modelled()
        self.server = Layer()
        self.sections, self.folders = [], []
        self.passes, self.ws_passes = {"main": [], "own": []}, {"main": [], "own": []}
        self.maps = frozenset(d.args[0].lower() for d in self.read if d.name == "rewritemap" and d.args)
        layers = {}
        for directive in self.read:
            self.sort(directive, layers)
        for layer in [self.server, *layers.values()]:
            self.finish(layer)
        self.server.rules = self.inherited(own, main)
        roots = [d for d in self.read if d.name == "documentroot" and d.args and not d.inside(*IN_FOLDERS)]
        self.root = roots[-1].args[0].rstrip("/") if roots else "/htdocs"
        self.folders.sort(key=lambda layer: layer.path.rstrip("/").count("/"))

    @staticmethod
    def matters(directive):
        return directive.name in READ

    def refuse_what_is_not_modelled(self):
        """What would make the rest of this a guess."""
        for directive in self.tree.named("setenvif", "setenvifnocase", "setenv", "browsermatch"):
            if "no-proxy" in directive.raw:
                raise Unsure(f"{directive.raw} at {directive.place}")
        for directive in self.read:
            in_section = directive.inside("location", "locationmatch", *IN_FOLDERS)
            if directive.name == "rewriteoptions" and in_section and re.search("inherit", directive.raw, re.IGNORECASE):
                raise Unsure(f"{directive.raw} inside {in_section} at {directive.place}")
            if directive.place.file.endswith(".htaccess"):
                raise Unsure(f"{directive.name} in {directive.place.file}, which is for a folder that is not known here")
            section = directive.inside("directory", "directorymatch")
            if section is not None and directive.name == "rewriterule":
                self.refuse_aliases_of(section)
            if directive.inside("proxy", "proxymatch") and directive.name.startswith("rewrite"):
                raise Unsure(f"{directive.raw} inside <Proxy> at {directive.place}")

    def refuse_aliases_of(self, section):
        """Paths that lead into the folder by other ways than DocumentRoot are not modelled."""
        folder = section.args[-1].rstrip("/") + "/" if section.args else "/"
        for directive in self.tree.named(*ALIASES):
            target = directive.args[-1].rstrip("/") + "/" if directive.args else "/"
            if target.startswith(folder) or folder.startswith(target) or not target.startswith("/"):
                raise Unsure(f"{directive.raw} at {directive.place}, beside rules inside {section}")

    def sort(self, directive, layers):
        section = directive.inside("location", "locationmatch", *IN_FOLDERS)
        whose = "main" if directive.vhost is None and self.vhost is not None else "own"
        if section is None:
            if directive.name in ("proxypass", "proxypassmatch"):
                self.passes[whose].append(alias_of(directive))
            elif directive.name == "proxypassws":
                self.ws_passes[whose].append(alias_of(directive))
            elif directive.name in SETTINGS or whose == "own":
                self.server.directives.append(directive)
            return
        if id(section) not in layers:
            layers[id(section)] = Layer(section)
            (self.folders if section.name in IN_FOLDERS else self.sections).append(layers[id(section)])
        layers[id(section)].directives.append(directive)

    @staticmethod
    def finish(layer):
        rewrites = [d for d in layer.directives if d.name.startswith("rewrite")]
        if rewrites:
            layer.rules = rules_among(rewrites)
        for directive in layer.directives:
            if directive.name in SETTINGS and directive.args:
                layer.settings[SETTINGS[directive.name]] = directive.args[0].lower() == "on"
            elif directive.name in ("proxypass", "proxypassmatch"):
                layer.alias = alias_of(directive)
            elif directive.name == "proxypassws":
                layer.ws_alias = alias_of(directive)

    def inherited(self, own, main):
        """The rules of the virtual host, with those of the main server where RewriteOptions have them."""
        outside = ("location", "locationmatch", "proxy", "proxymatch", *IN_FOLDERS)
        mine, others = ([d for d in self.read if d.vhost is vhost and d.name.startswith("rewrite") and not d.inside(*outside)]
                        for vhost in (self.vhost, None))
        rules = rules_among(mine)
        if not main or not any(d.name.startswith("rewrite") for d in own):
            return rules
        general = options_of(others)
        said = options_of(mine) if any(d.name == "rewriteoptions" for d in mine) else general
        down = general if "ignoreinherit" not in said else set()
        if "inherit" in said or "inheritdown" in down:
            return rules + rules_among(others)
        if "inheritbefore" in said or "inheritdownbefore" in down:
            return rules_among(others) + rules
        return rules

    @functools.cached_property
    def all_passes(self):
        inherits = not any(d.name == "proxypassinherit" and d.args[:1] and d.args[0].lower() == "off" for d in self.read)
        return [alias for alias in (self.passes["main"] if inherits else []) + self.passes["own"] if alias]

    @functools.cached_property
    def all_ws_passes(self):
        return [alias for alias in self.ws_passes["own"] + self.ws_passes["main"] if alias]

    @functools.cached_property
    def workers(self):
        own, main = (self.tree.by_vhost.get(vhost, []) for vhost in (self.vhost, None))
        return workers.defined_by(main if self.vhost is not None else []) + workers.defined_by(own)
