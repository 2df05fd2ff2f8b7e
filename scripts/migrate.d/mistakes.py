"""Known mistakes of a single line or a single rule: spelling, conditions, flags, slashes, timeouts, TLS, what is not
loaded. What several mappings do to each other is in order.py."""

import fnmatch
import re

import find
import rewrite
from finding import change, mistake, note

ONE_SLASH = re.compile(r"\b(wss?):/(?![/\s\"'])", re.IGNORECASE)
MAP_SYNTAX = re.compile(r"\$\{HTTP:", re.IGNORECASE)
PROXYING = ("proxypass", "proxypassmatch", "proxypassws", "proxypassreverse", "rewriterule", "balancermember", "proxyset", "define")
SPEAKERS = ("proxy_websocket_module", "proxy_wstunnel_module", "proxy_http_module")  # the last one since 2.4.47
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
OWN_NAME = ("%{http_host}", "%{server_name}")


def all_mistakes(site):
    for check in (one_slash, map_syntax, conditions, no_proxy_flag, query_in_path, slashes,
                  loops, no_ssl_proxy_engine, not_loaded, section_that_never_applies):
        yield from check(site)


def one_slash(site):
    for directive in site.tree.named(*PROXYING):
        found = ONE_SLASH.search(directive.raw)
        if found:
            scheme = found[1].lower()
            yield mistake(directive.place, f"{scheme}:/ with one slash names no host: write {scheme}://", "one_slash")


def map_syntax(site):
    maps = {directive.args[0].lower() for directive in site.tree.named("rewritemap") if directive.args}
    for directive in site.tree.named("rewritecond", "rewriterule"):
        found = re.search(r"\$\{(HTTP:[^}]*)\}?", directive.raw, re.IGNORECASE)
        if found and "http" not in maps:
            yield mistake(directive.place, f"${{{found[1]}}} looks into a RewriteMap and is always empty: write %{{{found[1]}}}",
                          "map_syntax")


def conditions(site):
    for rule, found in rewrite.rules_of(site.tree):
        target = find.target_of(rule.args[1])
        if not target or target.scheme not in ("ws", "wss", "balancer"):
            continue
        for condition in found:
            yield from condition_mistakes(condition)
        for condition, following in zip(found, found[1:]):
            yield from alternative_mistakes(condition, following)


def condition_mistakes(condition):
    place = condition.directive.place
    if condition.misses_lists():
        yield mistake(place, f"\"{condition.pattern}\" takes no list, and Firefox sends \"Connection: keep-alive, Upgrade\": "
                             "write RewriteCond %{HTTP:Connection} upgrade [NC]")
    elif condition.misses_case():
        yield mistake(place, f"without [NC] \"{condition.pattern}\" tells capital from small letters, in which clients differ: add [NC]")


def alternative_mistakes(condition, following):
    about = condition.header, following.header
    if not condition.is_alternative or about[0] == about[1]:
        return
    if all(about):
        yield mistake(condition.directive.place, "[OR] between the conditions on Upgrade and Connection: either of them alone then "
                                                 "sends a request to the WebSocket backend; leave out OR, a handshake has both")
    elif "%{REQUEST_URI}" in (condition.test.upper(), following.test.upper()):
        yield mistake(condition.directive.place, "[OR] between a condition on the path and one on Upgrade: every handshake, whatever "
                                                 "its path, then goes to this backend; leave out OR")


def no_proxy_flag(site):
    for mapping in site.mappings:
        if mapping.is_rewrite and not rewrite.flags_of(mapping.directive.args[2:]) & {"P", "PROXY"}:
            yield mistake(mapping.place, f"no P flag: the client is redirected (302) to {mapping.url}, and no browser follows that "
                                         "in a handshake; write [P,L]")


def query_in_path(site):
    for mapping in site.websockets:
        if mapping.is_member:
            continue
        query = r"\?" in mapping.path if mapping.is_regex else "?" in mapping.path
        if query:
            yield mistake(mapping.place, f"\"{mapping.path}\" is compared with the path alone, which has no query string, so nothing "
                                         "matches: leave out ? and what follows (the query is passed on anyway)"
                                         + (", and test it with RewriteCond %{QUERY_STRING}" if mapping.is_rewrite else ""))


def slashes(site):
    for mapping in site.websockets:
        target = mapping.target
        if mapping.is_member or mapping.is_regex or target is None or "?" in mapping.url + mapping.path:
            continue
        ends = mapping.path.endswith("/"), target.path.endswith("/")
        if ends == (True, False):
            yield mistake(mapping.place, f"the path {mapping.path} ends with a slash, the URL does not: {mapping.path}x is sent to "
                                         f"{mapping.url}x; write {mapping.url}/")
        elif ends == (False, True):
            yield note(mapping.place, f"the URL ends with a slash, the path {mapping.path} does not: {mapping.path}/x is sent to "
                                         f"{mapping.url}/x; write {mapping.url[:-1]}, or {mapping.path}/ for the path")


def loops(site):
    for mapping in site.websockets:
        if mapping.has_websocket_scheme and not mapping.is_member and "|" not in mapping.url and comes_back(site, mapping):
            yield mistake(mapping.place, f"{mapping.url} leads back to this virtual host: a handshake would go round in circles until "
                                         "connections run out; name the host and port of the backend")


def comes_back(site, mapping):
    target = mapping.target
    if target is None or target.port not in ports_of(site, mapping.vhost) or not is_own_host(site, mapping):
        return False
    path = re.split(r"[$%?]", target.path)[0] or "/"
    is_fixed = path == target.path
    if mapping.is_rewrite:
        return not is_fixed or rewrite.search(mapping.path, path) is not None
    return mapping.covers(path) or (not is_fixed and path.startswith(mapping.sample))


def ports_of(site, vhost):
    if vhost is None:
        addresses = [directive.args[0] for directive in site.tree.named("listen") if directive.args]
    else:
        addresses = vhost.args
    ports = (re.search(r"(?:^|:)(\d+)$", address) for address in addresses)
    return {int(port[1]) for port in ports if port}


def is_own_host(site, mapping):
    host = mapping.target.host
    names = names_of(site, mapping.vhost)
    if any(own in mapping.url.lower() for own in OWN_NAME) or any(fnmatch.fnmatchcase(host, name) for name in names):
        return True
    if host not in LOOPBACK:
        return False
    vhosts = [section for section in site.tree.sections if section.name == "virtualhost"]
    rivals = [section for section in vhosts if mapping.target.port in ports_of(site, section)]
    return site.setting("proxypreservehost", mapping.vhost) == "on" or len(rivals) < 2


def names_of(site, vhost):
    found = [name for d in site.tree.named("servername", "serveralias") if d.vhost is vhost for name in d.args]
    return {re.sub(r"^\w+://|:\d+$", "", name).lower() for name in found}


def no_ssl_proxy_engine(site):
    for mapping in site.mappings:
        if mapping.excludes or mapping.scheme not in ("wss", "https"):
            continue
        users = [user.vhost for user in site.users_of(mapping)] or [mapping.vhost]
        for vhost in users:
            can_tell = vhost is not None or site.tree.is_whole
            if can_tell and site.setting("sslproxyengine", vhost) != "on":
                where = f"the virtual host {vhost.args[0] if vhost.args else ''} ({vhost.place})" if vhost else "the server's own part"
                yield mistake(mapping.place, f"{mapping.scheme}:// needs TLS towards the backend, and {where} has no "
                                             "\"SSLProxyEngine on\": add it (mod_ssl has to be loaded)")


def not_loaded(site):
    tree = site.tree
    if not tree.is_whole or not site.websockets:
        return
    first = site.websockets[0]
    if tree.loaded("proxy_module") is None:
        yield mistake(first.place, "mod_proxy is not loaded: add LoadModule proxy_module modules/mod_proxy.so (Debian: a2enmod proxy)")
    if not any(tree.loaded(module) for module in SPEAKERS):
        yield mistake(first.place, "no module that is loaded speaks WebSocket, so handshakes are answered 500: add LoadModule "
                                   "proxy_websocket_module modules/mod_proxy_websocket.so (Debian: a2enmod proxy_websocket)")


def section_that_never_applies(site):
    tree = site.tree
    if tree.loaded("proxy_websocket_module") is None or tree.loaded("proxy_wstunnel_module") is not None:
        return
    for section in tree.sections:
        if section.name == "ifmodule" and section.args and section.args[0].lower() in ("mod_proxy_wstunnel.c", "proxy_wstunnel_module"):
            yield change(section.place, f"mod_proxy_wstunnel is not loaded, so all of <IfModule {section.args[0]}> is skipped: write "
                                        "<IfModule mod_proxy_websocket.c>", "module_name")
