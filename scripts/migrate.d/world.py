"""Which modules there are, before the move and after it, and so which <IfModule> sections count."""

import dataclasses
import pathlib

import engine

STOCK, OURS = "mod_proxy_wstunnel.c", "mod_proxy_websocket.c"
BUILT_IN = {"core.c", "mod_so.c", "http_core.c", "mod_log_config.c", "mod_logio.c", "mod_version.c", "mod_unixd.c", "mod_watchdog.c"}
ONLY_OURS = ("proxypassws", "proxywebsocketupgradehttp")  # directives that tell the module where no LoadModule line does
CONDITIONS = ("ifdefine", "ifversion", "iffile", "ifdirective", "ifsection", "if", "elseif", "else", "limit", "limitexcept")


@dataclasses.dataclass(frozen=True)
class World:
    modules: frozenset  # names as in <IfModule>, both kinds
    is_whole: bool  # what is not in `modules` is not loaded
    defines: frozenset = frozenset()

    @property
    def is_ours(self):
        return OURS in self.modules

    @property
    def has_http(self):
        return not self.is_whole or "mod_proxy_http.c" in self.modules

    @property
    def speaks_websocket(self):
        return not self.is_whole or self.has_http or bool(self.modules & {STOCK, OURS})

    def has(self, name):
        if name in self.modules or name in BUILT_IN:
            return True
        if name in (STOCK, OURS, "proxy_wstunnel_module", "proxy_websocket_module"):
            return False
        if self.is_whole and "authz_core_module" not in self.modules:  # which everybody needs: here modules are compiled in
            raise engine.Unsure(f"<IfModule {name}>, which may be compiled in")
        return not self.is_whole

    def takes(self, directive):
        """Whether httpd reads the directive; Unsure where that depends on something else."""
        for section in directive.sections:
            if section.name == "ifmodule" and section.args:
                name = section.args[0]
                if self.has(name.lstrip("!")) == name.startswith("!"):
                    return False
            elif section.name == "ifdefine" and section.args and section.args[0].lstrip("!") in self.defines:
                if section.args[0].startswith("!"):
                    return False
            elif section.name in CONDITIONS:
                raise engine.Unsure(f"{section} at {section.place}")
        return True


def modules_of(tree):
    found = set()
    for directive in tree.named("loadmodule"):
        if len(directive.args) > 1:
            found |= {directive.args[0], pathlib.PurePosixPath(directive.args[1]).stem + ".c"}
    return found


def of(tree, speaker=None):
    """The world of `tree`; with `speaker` STOCK or OURS that one is loaded instead of the other."""
    modules = modules_of(tree)
    if not modules & {STOCK, OURS} and not tree.is_whole:
        file = OURS if tree.named(*ONLY_OURS) else STOCK
        modules |= {file, file[4:-2] + "_module"}
    if speaker:
        for file in (STOCK, OURS):
            modules -= {file, file[4:-2] + "_module"}
        modules |= {speaker, speaker[4:-2] + "_module"}
    defines = frozenset(directive.args[0] for directive in tree.named("define") if directive.args)
    return World(frozenset(modules), tree.is_whole, defines)
