"""mod_rewrite on paper: what a list of RewriteRules makes of one request. What cannot be known from the configuration (a
client's address, a file that may exist) is asked for with Ask, so that a caller tries both answers; what is not modelled
at all is Unsure."""

import dataclasses
import re

import rewrite

OPEN, CLOSE = "\ue000", "\ue001"  # around a value that only a real request has
ABSOLUTE = re.compile(r"(ajp|balancer|ftp|fcgi|gopher|h2c?|https?|ldap|nntp|scgi|uwsgi|wss?)://|(mailto|news):", re.IGNORECASE)
# %{NAME}s that depend on the client, its address or the machine. Names that mod_rewrite does not know are empty.
OUTSIDE = re.compile(r"(TIME(_\w+)?|IPV6|REMOTE_\w+|SERVER_(ADDR|ADMIN|SOFTWARE)|SCRIPT_(USER|GROUP)|HTTP_(ACCEPT|COOKIE|REFERER|"
                     r"FORWARDED|USER_AGENT|PROXY_CONNECTION)|API_VERSION|AUTH_TYPE|PATH_INFO|CONN_REMOTE_ADDR|CONTEXT_\w+|HANDLER)$")
FILE_TESTS = ("-f", "-s", "-d", "-x", "-h", "-L", "-l", "-U", "-F")
INTEGER = re.compile(r"-(lt|le|gt|ge|eq|ne)(.+)$")
COMPARE = {"lt": int.__lt__, "le": int.__le__, "gt": int.__gt__, "ge": int.__ge__, "eq": int.__eq__, "ne": int.__ne__,
           "<": str.__lt__, "<=": str.__le__, ">": str.__gt__, ">=": str.__ge__}


class Unsure(Exception):
    """Nothing can be said; the text says why."""


class Ask(Exception):
    """A question that the configuration does not answer; `args[0]` is what answers are filed under."""


class Guess:
    """A match of which is only assumed that there is one."""

    def __init__(self, what):
        self.what = what

    def group(self, number):
        return f"{OPEN}{number} of {self.what}{CLOSE}"


@dataclasses.dataclass
class State:
    """A request on its way; `filename` and `query` are what rules rewrite."""

    request: object  # samples.Request
    answers: dict
    maps: frozenset = frozenset()
    root: str = ""
    uri: str = ""
    filename: str = ""
    query: str = ""
    env: dict = dataclasses.field(default_factory=dict)
    deciding: object = None  # the directive that has had the last word so far
    ended: bool = False  # by [END]
    raw: bool = False  # the last substitution had [NE]

    def ask(self, *question):
        if question not in self.answers:
            raise Ask(question)
        return self.answers[question]


def matches(state, pattern, text, ignore_case=False):
    """A match, a Guess or None."""
    if OPEN in text or "[[:" in pattern:
        return Guess(text) if state.ask("matches", pattern, text) else None
    try:
        return re.compile(pattern, re.DOTALL | (re.IGNORECASE if ignore_case else 0)).search(text)
    except (re.error, RecursionError, OverflowError):
        return Guess(text) if state.ask("matches", pattern, text) else None


def variable(state, name):
    """The value of %{name}; marked where only a real request has one."""
    request, upper = state.request, name.upper()
    if upper.startswith("HTTP:"):
        return request.header(name[5:], f"{OPEN}%{{{name}}}{CLOSE}")
    if upper.startswith("ENV:"):
        return state.env.get(name[4:], f"{OPEN}%{{{name}}}{CLOSE}")
    known = {"REQUEST_URI": state.uri, "QUERY_STRING": state.query, "REQUEST_METHOD": "GET", "HTTP_HOST": request.host,
             "SERVER_NAME": request.host.partition(":")[0], "SERVER_PORT": str(request.port), "HTTPS": "on" if request.tls else "off",
             "REQUEST_SCHEME": "https" if request.tls else "http", "SERVER_PROTOCOL": "HTTP/1.1", "IS_SUBREQ": "false",
             "THE_REQUEST": f"GET {request.target} HTTP/1.1", "DOCUMENT_ROOT": state.root,
             "REQUEST_FILENAME": state.filename, "SCRIPT_FILENAME": state.filename}
    if upper in known:
        return known[upper]
    is_outside = OUTSIDE.match(upper) or upper.startswith(("SSL:", "LA-U:", "LA-F:"))
    return f"{OPEN}%{{{name}}}{CLOSE}" if is_outside else ""


def expanded(state, text, rule_match, condition_match, escape=False):
    """mod_rewrite's do_expand: backslashes, $N, %N, %{...} and ${map:...}."""
    def part(found):
        whole = found[0]
        if whole[0] == "\\":
            return whole[1:]
        if whole[1] != "{":
            match = rule_match if whole[0] == "$" else condition_match
            value = group_of(match, int(whole[1]))
            return re.sub(r"[^A-Za-z0-9_\ue000-\ue001]", lambda sign: f"%{ord(sign[0]):02x}", value) if escape else value
        if whole[0] == "%":
            return variable(state, whole[2:-1])
        return looked_up(state, whole[2:-1], rule_match, condition_match)
    return re.sub(r"\\.|[$%]\d|%\{[^{}]*\}|\$\{(?:[^{}]|[$%]\{[^{}]*\})*\}", part, text)


def group_of(match, number):
    try:
        return (match.group(number) or "") if match is not None else ""
    except IndexError:
        return ""


def looked_up(state, text, rule_match, condition_match):
    """${map:key|default}; a map that no RewriteMap has named has nothing in it."""
    name, colon, rest = text.partition(":")
    key, _, default = rest.partition("|")
    if not colon:
        return "${" + text + "}"
    if name.lower() in state.maps:
        return f"{OPEN}${{{name}:{expanded(state, key, rule_match, condition_match)}}}{CLOSE}"
    return expanded(state, default, rule_match, condition_match)


class Rule:
    """A RewriteRule with its conditions."""

    def __init__(self, directive, conditions):
        self.directive, self.conditions = directive, conditions
        pattern, self.output = directive.args[:2]
        self.negated = pattern.startswith("!")
        self.pattern = pattern[self.negated:]
        self.flags = rewrite.flag_values(directive.args[2:3])
        status = self.flags.get("R", ["302"])[-1] or "302"
        self.status = 403 if "F" in self.flags else 410 if "G" in self.flags else rewrite.redirect_status(status)
        self.only_status = bool({"F", "G"} & self.flags.keys()) or ("R" in self.flags and not 300 <= self.status < 400)
        self.keeps = self.output == "-" or bool({"F", "G"} & self.flags.keys())

    def has(self, *flags):
        return any(flag in self.flags for flag in flags)


def condition_holds(state, condition, rule_match, condition_match):
    """(whether it holds, what %N now refers to)."""
    pattern = condition.pattern[condition.negated:]
    if condition.test.lower() == "expr":
        holds, found = state.ask("expr", pattern), None
    else:
        value = expanded(state, condition.test, rule_match, condition_match)
        holds, found = pattern_holds(state, pattern, value, condition.ignores_case)
    if holds and found is not None and not condition.negated:
        condition_match = found
    return bool(holds) != condition.negated, condition_match


def pattern_holds(state, pattern, value, ignore_case):
    """(whether it holds, the match of a regular expression)."""
    if pattern in FILE_TESTS:
        return state.ask(pattern, value), None
    number = INTEGER.match(pattern)
    if number:
        return (state.ask(pattern, value) if OPEN in value else COMPARE[number[1]](leading_number(value), leading_number(number[2]))), None
    sign = re.match(r"<=|>=|<|>|=", pattern)
    if sign is None or len(pattern) == 1:
        found = matches(state, pattern, value, ignore_case)
        return found is not None, found
    wanted = pattern[sign.end():]
    wanted = "" if wanted == '""' else wanted
    if OPEN in value:
        return state.ask(pattern, value), None
    if ignore_case:
        value, wanted = value.lower(), wanted.lower()
    return (value == wanted if sign[0] == "=" else COMPARE[sign[0]](value, wanted)), None


def leading_number(text):
    found = re.match(r"\s*[+-]?\d+", text)
    return int(found[0]) if found else 0


def conditions_hold(state, rule, rule_match):
    """(whether all hold, what %N refers to); those joined by [OR] count as one."""
    condition_match, index = None, 0
    conditions = rule.conditions
    while index < len(conditions):
        holds, condition_match = condition_holds(state, conditions[index], rule_match, condition_match)
        if holds:
            while conditions[index].is_alternative and index + 1 < len(conditions):
                index += 1
        elif not conditions[index].is_alternative:
            return False, None
        index += 1
    return True, condition_match


def apply_rule(state, rule, folder):
    """None where it does not match, "kept" or "changed"; `folder` is that of a rule inside a section, with its slash."""
    text = state.filename
    is_proxied = text.startswith("proxy:")
    if folder and not is_proxied and text.startswith(folder):
        text = text[len(folder):]
    found = matches(state, rule.pattern, text, rule.has("NC"))
    if (found is not None) == rule.negated:
        return None
    found = None if rule.negated else found
    holds, condition_match = conditions_hold(state, rule, found)
    if not holds:
        return None
    state.deciding = rule.directive
    output = None if rule.keeps else expanded(state, rule.output, found, condition_match, rule.has("B"))
    for setting in rule.flags.get("E", []):
        name, _, value = setting.partition(":")
        state.env[name.lstrip("!")] = "" if name.startswith("!") else expanded(state, value, found, condition_match)
    if output is None:
        return "kept"
    if not (output.startswith(("/", OPEN)) or is_proxied or ABSOLUTE.match(output)):
        output = folder + output if folder else output if rule.has("P", "R") else "/" + output
    state.filename = output
    split_query(state, rule)
    if rule.has("P"):
        state.filename = "proxy:" + qualified(state, state.filename)
    return "changed"


def split_query(state, rule):
    if rule.output.endswith("?") and not rule.has("QSA"):
        state.filename, state.query = state.filename.removesuffix("?"), ""
        return
    if rule.has("QSD"):
        state.query = ""
    name, mark, query = state.filename.partition("?")
    if mark:
        state.filename = name
        state.query = "&".join(part for part in (query, state.query if rule.has("QSA") else "") if part)


def qualified(state, url):
    """As fully_qualify_uri: what has no scheme leads back to this very server."""
    if ABSOLUTE.match(url) or url.startswith(OPEN):
        return url
    scheme = "https" if state.request.tls else "http"
    return f"{scheme}://{state.request.host}{'' if url.startswith('/') else '/'}{url}"


def apply_rules(state, rules, folder=""):
    """None where nothing has changed, "changed", "through" for [PT], or a status with which the request ends."""
    changed, index = None, 0
    while index < len(rules):
        rule = rules[index]
        if rule.has("N", "H"):
            raise Unsure(f"the flag [{'N' if rule.has('N') else 'H'}] at {rule.directive.place}")
        outcome = apply_rule(state, rule, folder)
        if outcome is None:
            while rules[index].has("C") and index + 1 < len(rules):
                index += 1
            index += 1
            continue
        if rule.only_status:
            return rule.status
        if outcome == "changed":
            changed, state.raw = "changed", rule.has("NE")
            if not rule.has("P") and (rule.has("R") or ABSOLUTE.match(state.filename)):
                changed = rule.status
        if rule.has("PT"):
            return "through"
        if rule.has("END"):
            state.ended = True
        if rule.has("END", "P", "L"):
            break
        index += 1 + int((rule.flags.get("S") or ["0"])[-1] or 0)
    return changed
