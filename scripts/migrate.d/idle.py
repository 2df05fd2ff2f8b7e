"""The limits that end a tunnel without a byte. It is the larger of the worker's timeout=, or else ProxyTimeout, and Timeout,
with this module as with stock httpd; what differs is that here there is none where neither of the first two is set."""

import re

import find
from finding import mistake, note

SHORT_SECONDS = 30  # clients and frameworks ping every 15 to 30 s
DEFAULT_TIMEOUT = 60  # httpd's own


def all_limits(site):
    yield from of_workers(site)
    yield from of_proxy_sections(site)
    yield from of_proxy_timeout(site)


def of_workers(site):
    for mapping in site.websockets:
        if mapping.scheme != "balancer" and not has_limit_of_its_own(site, mapping.vhost):
            yield from limited(site, mapping.place, f"timeout={mapping.param('timeout')}", mapping.param("timeout"), mapping.vhost)


def of_proxy_sections(site):
    for directive in site.tree.named("proxyset"):
        section = directive.inside("proxy")
        url = directive.args[0] if directive.args and "://" in directive.args[0] else section.args[0] if section and section.args else ""
        value = dict(find.params_of(directive.args)).get("timeout")
        if re.match("wss?://", url, re.IGNORECASE):
            yield from limited(site, directive.place, f"timeout={value}", value, directive.vhost)


def of_proxy_timeout(site):
    for directive in site.tree.named("proxytimeout"):
        concerned = [m for m in site.websockets if directive.vhost in (None, m.vhost) and m.param("timeout") is None
                     and not has_limit_of_its_own(site, m.vhost)]
        if concerned and directive.args:
            yield from limited(site, directive.place, f"ProxyTimeout {directive.args[0]}", directive.args[0], concerned[0].vhost)


def limited(site, place, setting, value, vhost):
    seconds = seconds_of(value)
    if seconds is None or seconds > SHORT_SECONDS:
        return
    name, general = general_limit(site, vhost)
    if general > SHORT_SECONDS:
        yield note(place, f"{setting} ends no tunnel after {seconds} s: the larger of it and Timeout counts ({name}), so tunnels without a "
                          f"byte end after {general} s, as before; leave it out and there is no limit")
        return
    yield mistake(place, f"{setting} and Timeout ({name}) end a tunnel after {max(seconds, general)} s without a byte: leave out "
                         f"{setting.partition('=')[0].partition(' ')[0]} (no limit), or set ProxyWebsocketIdleTimeout for tunnels; "
                         "connectiontimeout= is the limit for connecting")


def general_limit(site, vhost):
    """(what it is called, seconds) of the Timeout that counts for a virtual host."""
    value = site.setting("timeout", vhost)
    seconds = seconds_of(value) if value else None
    return (f"{seconds} s", seconds) if seconds is not None else (f"{DEFAULT_TIMEOUT} s where none is set", DEFAULT_TIMEOUT)


def has_limit_of_its_own(site, vhost):
    return any(d.vhost in (None, vhost) for d in site.tree.named("proxywebsocketidletimeout"))


def seconds_of(text):
    """Seconds of "5", "5s", "500ms" (as 0), "1min", "1h"; None for anything else."""
    match = re.match(r"(\d+)\s*(ms|s|mi|min|h)?$", text or "", re.IGNORECASE)
    if match is None:
        return None
    unit = (match[2] or "s").lower()
    return int(match[1]) // 1000 if unit == "ms" else int(match[1]) * {"s": 1, "h": 3600}.get(unit, 60)
