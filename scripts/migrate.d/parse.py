"""Reads configuration files into directives: sections, Define, Macro and Use, Include and IncludeOptional. Knows httpd's
syntax, not what a directive means; what a line is, and its words, is in lines.py."""

import dataclasses
import functools
import os
import pathlib
import re

import include
import lines

CONTAINERS = {"virtualhost", "location", "locationmatch", "directory", "directorymatch", "files", "filesmatch", "proxy", "proxymatch"}
MAIN_FILES = ("apache2.conf", "httpd.conf", "conf/httpd.conf")
DEEPEST = 40  # Includes and Uses inside each other; httpd itself gives up at 128
WHOLE = re.compile(r"(mpm_\w+|authz_core|unixd|proxy\w*)_module$")  # one of these does not stand in a site's own file
VARIABLE = re.compile(r"\$\{([^}:]+)\}")


@dataclasses.dataclass(frozen=True)
class Place:
    """Lines of a file; `file` as a person would name it."""

    file: str
    line: int
    last: int

    def __str__(self):
        return f"{self.file}:{self.line}"


@dataclasses.dataclass(eq=False)
class Section:
    name: str  # in lower case, as all names of directives here
    spelled: str
    args: list
    place: Place

    def __str__(self):
        return f"<{' '.join([self.spelled, *self.args])}>"


@dataclasses.dataclass(eq=False)
class Directive:
    name: str
    args: list
    raw: str  # the whole logical line as it stands in the file
    place: Place
    sections: tuple  # outermost first
    order: int  # as httpd would read them

    def inside(self, *names):
        """The innermost section around it that has one of these names, or None."""
        return next((section for section in reversed(self.sections) if section.name in names), None)

    @property
    def vhost(self):
        return self.inside("virtualhost")

    @property
    def location(self):
        return self.inside("location", "locationmatch", "directory", "directorymatch")

    @property
    def container(self):
        """What tells whether two rewrite rules follow each other."""
        return tuple(id(section) for section in self.sections if section.name in CONTAINERS)


@dataclasses.dataclass
class Macro:
    parameters: list
    lines: list  # (Place, text)
    used: bool = False


@dataclasses.dataclass
class Tree:
    """All that one configuration consists of."""

    directives: list = dataclasses.field(default_factory=list)
    sections: list = dataclasses.field(default_factory=list)
    files: dict = dataclasses.field(default_factory=dict)  # real path -> the name under which it was first met
    unreadable: dict = dataclasses.field(default_factory=dict)  # what could not be read -> why
    includes: list = dataclasses.field(default_factory=list)  # (Place, pattern)
    server_root: pathlib.Path = pathlib.Path("/")
    path: pathlib.Path = None  # what was asked for
    texts: dict = dataclasses.field(default_factory=dict)  # real path -> what was read
    is_loose: bool = False  # a folder of files that may have nothing to do with each other

    def named(self, *names):
        return [directive for directive in self.directives if directive.name in names]

    @property
    def is_whole(self):
        """Whether this is a server's configuration with its modules, so that what is missing from it is missing."""
        return any(WHOLE.match(d.args[0]) for d in self.named("loadmodule") if d.args)

    @functools.cached_property
    def by_vhost(self):
        """The directives of each virtual host by its Section, of the main server by None."""
        found = {}
        for directive in self.directives:
            found.setdefault(directive.vhost, []).append(directive)
        return found

    def of_file(self, file):
        """Where the files may have nothing to do with each other, what this one says; else all."""
        return dataclasses.replace(self, directives=[d for d in self.directives if d.place.file == file]) if self.is_loose else self

    def loaded(self, module):
        """The LoadModule directive of e.g. "proxy_module", or None."""
        return next((d for d in self.named("loadmodule") if d.args[:1] == [module]), None)


def server_root_around(path):
    """The nearest folder at or above `path` that looks like a ServerRoot, or the folder of the file. Named the way the
    user has named `path`, as far as that goes."""
    start = path if path.is_dir() else path.parent
    for folder in (start, *start.parents, *start.absolute().parents):
        if any((folder / name).is_file() for name in MAIN_FILES):
            return folder
    return start


class Reader:
    """Reads one tree. What a section is, and where it ends, is told by `self.stack`."""

    def __init__(self, root, names, instead):
        self.tree = Tree(server_root=root, files=names)
        self.instead = instead  # real path -> the text to take for that file's
        self.defines = {}
        self.macros = {}
        self.stack = []
        self.recording = None  # the Macro whose body is being read
        self.depth = 0

    def read(self, path):
        self.read_file(path)
        self.read_unused_macros()
        return self.tree

    def read_file(self, path):
        real = os.path.realpath(path)
        try:
            text = self.tree.texts[real] = self.instead[real] if real in self.instead else lines.read_text(path)
        except OSError as error:
            self.tree.unreadable.setdefault(str(path), error.strerror or str(error))
            return
        name = self.tree.files.setdefault(real, str(path))
        self.take_lines((Place(name, first, last), line) for first, last, line in lines.logical_lines(text))

    def read_unused_macros(self):
        """A macro that is used in a file that nobody named is worth a look as it is."""
        self.stack = []
        for macro in [macro for macro in self.macros.values() if not macro.used]:
            self.take_lines(macro.lines)

    def take_lines(self, lines):
        if self.depth >= DEEPEST:
            return
        self.depth += 1
        for place, line in lines:
            self.take_line(place, line.strip())
        self.depth -= 1

    def take_line(self, place, line):
        if not line or line.startswith("#"):
            return
        if self.recording is not None:
            self.record(place, line)
        elif line.startswith("</"):
            self.close_section(line[2:].rstrip("> \t").lower())
        elif line.startswith("<"):
            self.open_section(place, self.expand(line[1:].rstrip().removesuffix(">")))
        else:
            self.take_directive(place, line)

    def record(self, place, line):
        if line.lower().startswith("</macro"):
            self.recording = None
        else:
            self.recording.lines.append((place, line))

    def open_section(self, place, text):
        name, args = lines.split_directive(text)
        if not name:
            return
        if name == "macro" and args:
            self.recording = self.macros[args[0].lower()] = Macro(args[1:], [])
            return
        section = Section(name, text.split()[0], args, place)
        self.tree.sections.append(section)
        self.stack.append(section)

    def close_section(self, name):
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index].name == name:
                del self.stack[index:]
                return

    def take_directive(self, place, line):
        name, args = lines.split_directive(self.expand(line))
        directive = Directive(name, args, line, place, tuple(self.stack), len(self.tree.directives))
        self.tree.directives.append(directive)
        act = {"define": self.define, "undefine": self.undefine, "use": self.use, "serverroot": self.set_root,
               "include": self.include, "includeoptional": self.include}.get(name)
        if act and args:
            act(directive)

    def expand(self, line):
        return VARIABLE.sub(lambda match: self.defines.get(match[1], match[0]), line)

    def define(self, directive):
        self.defines[directive.args[0]] = " ".join(directive.args[1:])

    def undefine(self, directive):
        self.defines.pop(directive.args[0], None)

    def set_root(self, directive):
        root = pathlib.Path(directive.args[0])
        if root.is_dir():  # else this is a copy of another machine's configuration
            self.tree.server_root = root

    def use(self, directive):
        macro = self.macros.get(directive.args[0].lower())
        if macro is None:
            return
        macro.used = True
        values = dict(zip(macro.parameters, directive.args[1:]))
        self.take_lines([(place, lines.substitute(line, values)) for place, line in macro.lines])

    def include(self, directive):
        pattern = directive.args[0]
        if VARIABLE.search(pattern):
            return
        self.tree.includes.append((directive.place, str(self.tree.server_root / pattern)))
        for path in include.files_of(self.tree.server_root, pattern):
            self.read_file(path)


def read_again(tree, instead):
    """The same tree with other texts for some of its files; nothing is read anew."""
    return read_tree(tree.path, dict(tree.files), {**tree.texts, **instead})


def read_tree(path, names, instead=None):
    """Reads a file, or a folder: through its main file where it has one, else every file in it that httpd would take.
    `names` is what Tree.files is about; several trees may share it. `instead`: texts to take for those of files."""
    path = pathlib.Path(path)
    reader = Reader(server_root_around(path), names, instead or {})
    reader.tree.path = path
    main = next((path / name for name in MAIN_FILES if (path / name).is_file()), None) if path.is_dir() else path
    if main is not None:
        return reader.read(main)
    reader.tree.is_loose = True
    for file in include.configuration_files_below(path):
        reader.read_file(file)
        reader.stack = []
    reader.read_unused_macros()
    return reader.tree
