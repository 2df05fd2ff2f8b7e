"""Requests to try a configuration with: paths, queries and hosts that its own patterns are about, each as a page's request
and as the handshakes of different clients."""

import dataclasses
import re
import warnings

try:
    from re import _parser as regex_parser
except ImportError:  # Python before 3.11
    import sre_parse as regex_parser

MOST_PATHS = 80
MOST_STRINGS = 8  # of one pattern
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
KNOWN = ("upgrade", "connection", "host", "sec-websocket-key", "sec-websocket-version")
CLIENTS = {  # name -> what it sends as Upgrade and Connection
    "plain": {},
    "handshake": {"upgrade": "websocket", "connection": "Upgrade"},
    "handshake (Firefox)": {"upgrade": "websocket", "connection": "keep-alive, Upgrade"},
    "handshake (capitals)": {"upgrade": "WebSocket", "connection": "upgrade"},
}


@dataclasses.dataclass(frozen=True)
class Request:
    client: str
    path: str
    query: str = ""
    host: str = "localhost"
    port: int = 80
    tls: bool = False

    @property
    def is_handshake(self):
        return self.client != "plain"

    @property
    def target(self):
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def headers(self):
        keys = {"sec-websocket-key": KEY, "sec-websocket-version": "13"} if self.is_handshake else {}
        return {"host": self.host, **CLIENTS[self.client], **keys}

    def header(self, name, unknown):
        """Its value, "" where it does not send it, `unknown` where clients differ."""
        name = name.lower()
        return self.headers.get(name, "") if name in KNOWN else unknown

    def __str__(self):
        return f"{self.client} {self.target}"


def strings_of(pattern):
    """Some strings that the pattern matches, from its alternatives and repetitions; none where it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = regex_parser.parse(pattern)
        return list(dict.fromkeys(generated(parsed)))[:MOST_STRINGS]
    except (re.error, RecursionError, OverflowError, KeyError):
        return []


def generated(parsed):
    found = [""]
    for item in parsed:
        pieces = list(dict.fromkeys(pieces_of(*item)))[:3]
        found = [left + right for left in found for right in pieces][:MOST_STRINGS * 2]
    return found


def pieces_of(operator, value):
    name = str(operator)
    if name == "LITERAL":
        return [chr(value)]
    if name == "NOT_LITERAL":
        return ["y" if value == ord("x") else "x"]
    if name == "ANY":
        return ["."]  # mostly a dot that nobody has escaped
    if name == "IN":
        return [member_of(value)]
    if name == "BRANCH":
        return [text for branch in value[1] for text in generated(branch)[:2]]
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, _, item = value
        once = ["x" if text == "." else text for text in generated(item)]
        return [text * low for text in once] if low else ["", once[0]]
    if name in ("SUBPATTERN", "ATOMIC_GROUP"):
        return generated(value[-1] if name == "SUBPATTERN" else value)
    return [""]  # anchors, and what looks around


def member_of(members):
    """A character of a class; "x" stands for all that is left by [^...]."""
    excluded = str(members[0][0]) == "NEGATE"
    if excluded:
        listed = {chr(value) for operator, value in members[1:] if str(operator) == "LITERAL"}
        return next(sign for sign in "xyz1-_" if sign not in listed)
    operator, value = members[0]
    if str(operator) == "LITERAL":
        return chr(value)
    if str(operator) == "RANGE":
        return chr(value[0])
    return {"CATEGORY_DIGIT": "1", "CATEGORY_WORD": "w", "CATEGORY_SPACE": " ", "CATEGORY_NOT_SPACE": "x",
            "CATEGORY_NOT_DIGIT": "x", "CATEGORY_NOT_WORD": "-"}[str(value)]


class Collection:
    """What the directives of one virtual host are about."""

    def __init__(self, directives):
        self.paths = dict.fromkeys(["/", "/other/x"])
        self.queries = {"": None}
        self.hosts = {}
        seen = set()
        for directive in directives:
            self.look_at(directive)
            for section in directive.sections:
                if section not in seen and section.name in ("location", "locationmatch"):
                    seen.add(section)
                    is_regex = section.name == "locationmatch" or section.args[:1] == ["~"]
                    self.add_path(section.args[-1] if section.args else "/", is_regex)

    def look_at(self, directive):
        name, args = directive.name, directive.args
        if name in ("proxypass", "proxypassmatch", "proxypassws") and args:
            if args[0] == "~" or name == "proxypassmatch":
                self.add_path(args[args[0] == "~"], True)
            elif args[0].startswith("/"):
                self.add_path(args[0], False)
        elif name == "rewriterule" and args:
            self.add_path(args[0].lstrip("!"), True)
        elif name == "rewritecond" and len(args) > 1:
            self.add_test(args[0].upper(), args[1].lstrip("!="))

    def add_test(self, test, pattern):
        if "REQUEST_URI" in test or "REQUEST_FILENAME" in test:
            self.add_path(pattern, True)
        elif "QUERY_STRING" in test:
            self.queries.update(dict.fromkeys(text for text in strings_of(pattern)[:3] if text.isprintable()))
        elif "HTTP_HOST" in test or "HTTP:HOST" in test:
            self.hosts.update(dict.fromkeys(text for text in strings_of(pattern)[:3] if re.match(r"[\w.-]+$", text)))

    def add_path(self, text, is_regex):
        starts = strings_of(text) if is_regex else [text]
        for start in starts:
            start = start if start.startswith("/") else "/" + start
            below = [start + "x", start + "x/y"] if start.endswith("/") else [start + "/x"]
            for path in (start, *below):
                if re.fullmatch(r"[\w/~.,;:@&=+$!*'()-]+", path) and "//" not in path and len(self.paths) < MOST_PATHS:
                    self.paths[path] = None


def requests_for(collection, names, port, tls):
    """Every client on every path; other hosts and queries for one path each would miss rules that combine them."""
    hosts = [next(iter(names), "localhost"), *collection.hosts]
    for host in dict.fromkeys(hosts):
        for query in collection.queries:
            for path in collection.paths:
                for client in CLIENTS:
                    yield Request(client, path, query, host, port, tls)
