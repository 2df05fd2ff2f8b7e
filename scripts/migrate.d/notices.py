"""What a configuration has that does not do what it looks like: groups that are missing, variables that do not exist, flags
that httpd does not take, rules in sections, files that are not read."""

import pathlib
import re

import find
import rewrite
import workers
from finding import mistake, note

RULE_FLAGS = {*rewrite.LONG_FLAGS.values(), *rewrite.LONG_FLAGS, "BNE", "BNP", "BCTLS", "UNSAFEPREFIXSTAT", "UNSAFEALLOW3F", "UNC",
              "BACKREFNOPLUS"} - {"OR", "ORNEXT", "NV", "NOVARY"}
CONDITION_FLAGS = {"NC", "NOCASE", "OR", "ORNEXT", "NV", "NOVARY"}
ABOUT_WEBSOCKETS = re.compile(r"\bwss?:/|%\{HTTP:Upgrade\}", re.IGNORECASE)
NO_VARIABLE = re.compile(r"%\{HTTP_(UPGRADE|CONNECTION)\}", re.IGNORECASE)


def all_notices(site):
    for check in (missing_groups, whole_path_appended, unix_in_url, not_a_variable, flags_that_do_not_load, scheme_by_connection,
                  upgrade_that_is_lost, rules_in_location, pattern_taken_for_a_path, tls_and_plain_on_one_port, htaccess):
        yield from check(site)


def groups_in(pattern):
    try:
        return re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError):
        return None


def missing_groups(site):
    for mapping in site.websockets:
        if mapping.is_member or not mapping.is_regex:
            continue
        has = groups_in(mapping.path.lstrip("!"))
        missing = sorted({int(number) for number in re.findall(r"(?<!\\)\$([1-9])", mapping.url)})
        if has is not None and missing and missing[-1] > has:
            yield note(mapping.place, f"${missing[-1]} is always empty: the pattern {mapping.path} has "
                                      f"{('no group', 'one group')[has] if has < 2 else f'{has} groups'}")


def whole_path_appended(site):
    for mapping in site.websockets:
        if mapping.kind == "ProxyPassMatch" and not re.search(r"\$\d", mapping.url) and not mapping.excludes:
            path = mapping.sample if mapping.sample != "/" else "/x"
            if mapping.target is not None and mapping.target.path not in ("", "/"):
                yield note(mapping.place, f"ProxyPassMatch appends the whole path where the URL has no $1: {path} goes to "
                                          f"{mapping.url}{path}")


def unix_in_url(site):
    for mapping in site.mappings:
        if re.match(r"(wss?|https?)://unix:", mapping.url, re.IGNORECASE):
            scheme, _, rest = mapping.url.partition("://")
            yield mistake(mapping.place, f"{mapping.url} names a host called unix: write {rest.partition('|')[0]}|{scheme}://localhost/")


def not_a_variable(site):
    for directive in site.tree.named("rewritecond"):
        found = NO_VARIABLE.search(directive.raw)
        if found:
            yield mistake(directive.place, f"mod_rewrite has no variable {found[0]}, so it is always empty: write "
                                           f"%{{HTTP:{found[1].title()}}}")


def flags_that_do_not_load(site):
    for directive in site.tree.named("rewriterule", "rewritecond"):
        is_about = ABOUT_WEBSOCKETS.search(directive.raw)
        if is_about and len(directive.args) > 2:
            known = RULE_FLAGS if directive.name == "rewriterule" else CONDITION_FLAGS
            complaint = complaint_about(directive.args[2], known)
            if complaint:
                yield mistake(directive.place, f"httpd does not start with {directive.args[2]}: {complaint}")


def complaint_about(flags, known):
    if not (flags.startswith("[") and flags.endswith("]")):
        return "flags stand in one pair of brackets, without blanks"
    for flag in flags[1:-1].split(","):
        name = flag.strip().partition("=")[0]
        if name and name.upper() not in known:
            return f"there is no flag {name} here"
    return None


def scheme_by_connection(site):
    """Rules that put ws into a variable which another rule takes for its scheme."""
    used = {match[1] for d in site.tree.named("rewriterule") if len(d.args) > 1
            for match in [re.match(r"%\{ENV:([^}]+)\}://", d.args[1], re.IGNORECASE)] if match}
    for rule, conditions in rewrite.rules_of(site.tree):
        names = {setting.partition(":")[0] for setting in rewrite.flag_values(rule.args[2:]).get("E", [])}
        for condition in conditions if names & used else []:
            if condition.misses_lists():
                yield mistake(condition.directive.place, f"\"{condition.pattern}\" takes no list, and Firefox sends \"Connection: "
                                                         "keep-alive, Upgrade\", so the scheme stays what it was: write RewriteCond "
                                                         "%{HTTP:Upgrade} websocket [NC]")


def upgrade_that_is_lost(site):
    """httpd ignores the parameters of a line that shares the worker of an earlier one; it says so at LogLevel warn."""
    for directives in site.tree.by_vhost.values():
        lost = []
        workers.defined_by(directives, lost)
        for mapping, shared in lost:
            yield mistake(mapping.place, f"upgrade= is ignored: {shared.name} at {shared.directive.place} has made the worker "
                                         "that this URL shares; write upgrade= there, or put this line above it")


def rules_in_location(site):
    for mapping in site.websockets:
        section = mapping.directive.inside("location", "locationmatch")
        if mapping.is_rewrite and section is not None:
            seen = ("the URL of the ProxyPass there, with proxy: before it" if has_pass(site, section)
                    else "a path of files below DocumentRoot")
            yield note(mapping.place, f"a rule inside {section} is not given the URL's path but {seen}: write it outside, and name the "
                                      "path in its pattern")


def has_pass(site, section):
    return any(d.inside("location", "locationmatch") is section for d in site.tree.named("proxypass", "proxypassmatch"))


def pattern_taken_for_a_path(site):
    for mapping in site.websockets:
        section = mapping.location
        if mapping.kind == "ProxyPass" and section is not None and not mapping.is_regex and find.is_pattern(section):
            yield mistake(mapping.place, f"ProxyPass inside {section} takes the pattern for a path, and nothing begins with it: write "
                                         "ProxyPassMatch")


def tls_and_plain_on_one_port(site):
    """A port speaks TLS or does not."""
    by_address = {}
    for mapping in site.mappings:
        target = mapping.target
        if target is not None and target.scheme in find.PORTS and re.fullmatch(r"[\w.\[\]:-]+", target.host) and "|" not in mapping.url:
            by_address.setdefault((mapping.vhost, target.host, target.port), []).append(mapping)
    for mappings in by_address.values():
        for mapping in mappings:
            other = next((m for m in mappings if is_tls(m) != is_tls(mapping)), None)
            if other is not None and mapping in site.websockets and (not other.has_websocket_scheme or is_tls(mapping)):
                yield mistake(mapping.place, f"{mapping.scheme}:// and, at {other.place}, {other.scheme}:// for {mapping.target.host}:"
                                             f"{mapping.target.port}: a port speaks TLS or does not, so one of the two fails")


def is_tls(mapping):
    return mapping.scheme in ("wss", "https")


def htaccess(site):
    """Files that httpd reads at each request, in the folders that the configuration names."""
    for mapping in site.websockets:
        if mapping.place.file.endswith(".htaccess"):
            yield note(mapping.place, "rules in .htaccess are asked after all mappings of the virtual host, and are given paths "
                                      "without the folder's own: move this one into the virtual host")
    named = [d.args[0] for d in site.tree.named("documentroot") if d.args]
    named += [section.args[0] for section in site.tree.sections if section.name == "directory" and section.args]
    for folder in dict.fromkeys(named):
        file = pathlib.Path(folder) / ".htaccess"
        place = next(x.place for x in [*site.tree.named("documentroot"), *site.tree.sections] if x.args[:1] == [folder])
        text = text_of(file)
        if ABOUT_WEBSOCKETS.search(text):
            yield note(place, f"{file} has rules for WebSockets and is not read here: httpd comes to them after all mappings; move them "
                              "into the virtual host")


def text_of(file):
    try:
        return "\n".join(line for line in file.read_text("utf-8", "replace").split("\n") if not line.lstrip().startswith("#"))
    except OSError:
        return ""
