"""Every directive of module/config/directives.def and every place where it may stand, or may not. A new row there is here at once;
a new context needs its line in _MAY_STAND."""

import importlib.machinery
import importlib.util
import sys
from dataclasses import dataclass

from .config import REPOSITORY

# Section -> the lines around a directive in it. A worker's own <Proxy> is one with a parameter.
SECTIONS = {
    "": "{line}",
    "Location": '<Location "/x/">\n{line}\n</Location>',
    "LocationMatch": '<LocationMatch "^/x/">\n{line}\n</LocationMatch>',
    "Location ~": '<Location ~ "^/x/">\n{line}\n</Location>',
    "Limit": '<Location "/x/">\n<Limit GET>\n{line}\n</Limit>\n</Location>',
    "Directory": '<Directory "/">\n{line}\n</Directory>',
    "DirectoryMatch": '<DirectoryMatch "^/x">\n{line}\n</DirectoryMatch>',
    "Files": '<Files "*">\n{line}\n</Files>',
    "FilesMatch": '<FilesMatch "x$">\n{line}\n</FilesMatch>',
    "If": '<If "true">\n{line}\n</If>',
    "Proxy": '<Proxy "*">\n{line}\n</Proxy>',
    "worker": '<Proxy "ws://127.0.0.1:1/" retry=0>\n{line}\n</Proxy>',
    "ProxyMatch": '<ProxyMatch "^ws">\n{line}\n</ProxyMatch>',
}
_LOCATIONS = {"Location", "LocationMatch", "Location ~"}
_MAY_STAND = {"WSP_ANYWHERE": set(SECTIONS), "WSP_MAPPING": {""} | _LOCATIONS,
              "WSP_WORKER": {"", "Proxy", "worker", "ProxyMatch"}, "WSP_GLOBAL": {""}}


def _generator():
    loader = importlib.machinery.SourceFileLoader("generate_directives", str(REPOSITORY / "scripts/generate-directives"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


_GENERATE = _generator()
_CONTEXT_NAMES = {text: name for name, text in _GENERATE.CONTEXTS.items()}


@dataclass(frozen=True)
class Directive:
    name: str
    value: str     # one that it takes; "" for a mapping
    context: str   # as in directives.def

    @property
    def is_mapping(self):
        return self.context == "WSP_MAPPING"

    def may_stand_in(self, section, in_virtual_host):
        return section in _MAY_STAND[self.context] and not (in_virtual_host and self.context == "WSP_GLOBAL")

    def inside(self, section, url="ws://127.0.0.1:1/"):
        """The section with nothing but this directive in it."""
        path = "" if section else "/x/ "
        line = f"{self.name} {path}{url}" if self.is_mapping else f"{self.name} {self.value}"
        return SECTIONS[section].format(line=line)


def _directive(row):
    # The longest time, which nothing comes near, or the last of several words.
    value = row.default or (row.bounds or "").rpartition(" to ")[2] or row.forms[-1].rpartition("|")[2]
    return Directive(row.name, value, _CONTEXT_NAMES[row.context])


DIRECTIVES = [_directive(row) for row in _GENERATE.directives()]
