"""mod_rewrite's side: RewriteCond and RewriteRule as they belong together, and what a rule makes of a path."""

import dataclasses
import re

HEADER = re.compile(r"[%$]\{HTTP:([A-Za-z-]+)\}$", re.IGNORECASE)
VALUES = {"upgrade": ("websocket", "WebSocket"), "connection": ("Upgrade", "upgrade")}
LISTS = ("keep-alive, Upgrade", "keep-alive, upgrade")


@dataclasses.dataclass(eq=False)
class Condition:
    directive: object
    test: str
    pattern: str
    flags: set

    @property
    def header(self):
        """ "upgrade" or "connection" where that header alone is tested, else None."""
        match = HEADER.match(self.test)
        name = match[1].lower() if match else None
        return name if name in VALUES else None

    @property
    def negated(self):
        return self.pattern.startswith("!")

    @property
    def ignores_case(self):
        return bool(self.flags & {"NC", "NOCASE"})

    @property
    def is_alternative(self):
        return bool(self.flags & {"OR", "ORNEXT"})

    def matches(self, value, ignore_case=None):
        """True or False; None where this cannot be told."""
        ignore_case = self.ignores_case if ignore_case is None else ignore_case
        if self.negated or re.match(r"-\w|[<>]", self.pattern):
            return None
        if self.pattern.startswith("="):
            wanted = self.pattern[1:].strip('"')
            return value.lower() == wanted.lower() if ignore_case else value == wanted
        return search(self.pattern, value, ignore_case) is not None

    def misses_lists(self):
        """Whether it is on Connection and takes "Upgrade" alone, but not Firefox's list."""
        return (self.header == "connection" and any(self.matches(v, True) for v in VALUES["connection"])
                and not any(self.matches(v, True) for v in LISTS))

    def misses_case(self):
        """Whether [NC] would let it match a spelling that it does not."""
        values = VALUES.get(self.header, ())
        return any(self.matches(v, True) and not self.matches(v) for v in values)


def search(pattern, value, ignore_case=False):
    """A match, or None; also None where Python cannot compile what PCRE can."""
    try:
        return re.search(pattern, value, re.IGNORECASE if ignore_case else 0)
    except (re.error, RecursionError, OverflowError):
        return None


def flags_of(words):
    """ ["[NC,OR]"] -> {"NC", "OR"}; of a flag with a value only its name."""
    text = ",".join(words).strip("[]")
    return {flag.partition("=")[0].strip("[] ").upper() for flag in text.split(",") if flag.strip("[] ")}


LONG_FLAGS = {"BACKREFESCAPING": "B", "CHAIN": "C", "COOKIE": "CO", "DISCARDPATH": "DPI", "ENV": "E", "FORBIDDEN": "F", "GONE": "G",
              "HANDLER": "H", "LAST": "L", "NOESCAPE": "NE", "NEXT": "N", "NOSUBREQ": "NS", "NOCASE": "NC", "PROXY": "P",
              "PASSTHROUGH": "PT", "QSAPPEND": "QSA", "QSDISCARD": "QSD", "QSLAST": "QSL", "REDIRECT": "R", "SKIP": "S", "TYPE": "T",
              "ORNEXT": "OR", "NOVARY": "NV"}
STATUSES = {"permanent": 301, "temp": 302, "seeother": 303}


def flag_values(words):
    """ ["[P,E=A:b]"] -> {"P": [""], "E": ["A:b"]}, by their short names."""
    found = {}
    for flag in ",".join(words).strip("[]").split(","):
        name, _, value = flag.strip("[] ").partition("=")
        if name:
            found.setdefault(LONG_FLAGS.get(name.upper(), name.upper()), []).append(value)
    return found


def redirect_status(word):
    return STATUSES.get(word.lower()) or (int(word) if word.isdigit() else 302)


def rules_of(tree):
    return rules_among(tree.named("rewritecond", "rewriterule"))


def rules_among(directives):
    """(rule, its conditions) in the order of the configuration."""
    pending = {}
    for directive in directives:
        if len(directive.args) < 2:
            continue
        if directive.name == "rewritecond":
            condition = Condition(directive, directive.args[0], directive.args[1], flags_of(directive.args[2:]))
            pending.setdefault(directive.container, []).append(condition)
        else:
            yield directive, pending.pop(directive.container, [])


def substituted(rule_args, path):
    """The URL that a RewriteRule in server context makes of `path`; None where it takes more than the path to tell."""
    match = search(rule_args[0], path)
    if match is None:
        return None
    url = rule_args[1].replace("%{REQUEST_URI}", path)
    if "%{" in url or "${" in url or re.search(r"%\d", url):
        return None
    groups = (match[0], *match.groups())
    return re.sub(r"\$(\d)", lambda found: (groups[int(found[1])] or "") if int(found[1]) < len(groups) else "", url)


def literal_prefix(pattern):
    """The path with which everything begins that the pattern matches: "^/chat/(.*)$" -> "/chat/"; at least "/"."""
    match = re.match(r"\^?((?:[\w/~%,;:@&=-]|\\\.)*)", pattern)
    text = match[1].replace("\\", "")
    following = pattern[match.end():match.end() + 1]
    if following == "|":
        return "/"
    if following and following in "?*{":
        text = text[:-1]
    return text if text.startswith("/") else "/"
