"""Recipes as people have them: what scripts/migrate says, what it writes, and that every request goes where it went: through
a stock httpd before, and through one with our module and what --write has left after."""

import contextlib
import dataclasses
import functools
import pathlib
import re
import shutil
import tempfile
import types

import pytest
import sites
from conftest import SCRIPT
from recipes.applications import APPLICATIONS
from recipes.frameworks import FRAMEWORKS
from recipes.traps import TRAPS
from test_simulation import ROWS
from test_writing import installed_modules, our_module

import find  # of scripts/migrate.d, which conftest has put on the path
import parse
import routes
import samples
import world

RECIPES = [*APPLICATIONS, *FRAMEWORKS, *TRAPS]
COUNTED = ("mistake", "delete", "change")
ROW_BACKENDS = ("one", "two", "in", "out")  # besides those that recipes have
SAID_OF = re.compile(rf"//({'|'.join(('app', 'chat', 'pages', *ROW_BACKENDS))})(?![\w.:])")
MOST = 24  # requests per recipe

pytestmark = pytest.mark.skipif(installed_modules() is None, reason="no httpd with modules here")


def open_backends(stack, folder):
    tls = sites.certificate(folder)
    backends = [sites.Backend(name) for name in ("app", "chat", "pages", *ROW_BACKENDS)]
    backends += [sites.Backend("secure", tls), sites.Backend("socket", path=str(folder / "backend.sock"))]
    (folder / "backend.sock").chmod(0o777)
    for backend in backends:
        stack.callback(backend.close)
    return {backend.name: backend.address for backend in backends}


@pytest.fixture(scope="module")
def ground():
    """Both servers, and both configurations."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="migrate-", dir="/tmp")))
        folder.chmod(0o755)  # httpd's children go there
        addresses = open_backends(stack, folder)
        libraries = folder / "libraries"
        libraries.mkdir()
        for name in sites.MODULES:
            (libraries / f"mod_{name}.so").symlink_to(installed_modules() / f"mod_{name}.so")
        shutil.copy(our_module(), libraries / "mod_proxy_websocket.so")
        for name in ("before", "after"):
            sites.write_sites(folder / name, libraries, bodies(addresses, folder / name))
        assert SCRIPT.write_all([str(folder / "after")]) == 0
        site = find.Site(parse.read_tree(folder / "before", {}))
        said = SCRIPT.report_of(site)
        advised = follow_advice(folder, site)
        for number, (body, *_) in enumerate(ROWS.values()):
            text = SAID_OF.sub(lambda found: f"//{addresses[found[1]]}", body).replace("balancer://c", "balancer://row")
            text = text.replace("{root}", str(folder / "after"))
            text = f"<VirtualHost *>\nServerName row-{number}.test\n{text}\n</VirtualHost>\n"
            (folder / f"after/sites/row-{number}.conf").write_text(text)
        servers = {name: sites.Httpd(folder / name) for name in ("before", "after")}
        for server in servers.values():
            stack.callback(server.close)
        yield types.SimpleNamespace(folder=folder, addresses=addresses, said=said, advised=advised, **servers)


def bodies(addresses, folder):
    return {recipe.name: sites.filled_in(sites.vhost(recipe), {**addresses, "root": str(folder), "name": recipe.name})
            for recipe in RECIPES}


def follow_advice(folder, site):
    """Adds a site NAME-short to the server after, for each recipe with advice on what may go instead; returns the names."""
    found = []
    for name in {place.file for place in site.advised}:
        file = pathlib.Path(name)
        rows = file.read_text().split("\n")
        for place in sorted((place for place in site.advised if place.file == name), key=lambda place: -place.line):
            rows[place.line - 1:place.last] = [site.advised[place]]
        text = "\n".join(rows)
        text = text.replace(f"ServerName {file.stem}.test", f"ServerName {file.stem}-short.test")
        text = text.replace("balancer://", "balancer://short-")  # one of a name is enough
        (folder / f"after/sites/{file.stem}-short.conf").write_text(text)
        found.append(file.stem)
    return found


@pytest.fixture(scope="module")
def paper(ground):
    """The configurations as scripts/migrate reads them, and their hosts by ServerName."""
    found = {}
    for name in ("before", "after"):
        tree = parse.read_tree(ground.folder / name, {})
        hosts = routes.hosts_of(tree, world.of(tree))
        found[name] = {name_of(tree, host): host for host in hosts[1:]}
    return found


def name_of(tree, host):
    return next(d.args[0].removesuffix(".test") for d in tree.named("servername") if d.vhost is host.vhost)


def requests_for(*hosts):
    """A page's request and a handshake for every path come before what differs between clients."""
    found = list(routes.requests_of(*hosts))
    return sorted(found, key=lambda request: "(" in request.client)[:MOST]


def in_words(route, addresses):
    """A Route as sites.ask tells it; None where paper does not say what is at its end."""
    if route.kind == "status":
        return route.detail
    if route.kind == "redirect":
        return None
    if route.kind == "files":
        return "404"
    url = route.detail.replace("balancer://balancer-", "http://")
    for name, address in addresses.items():
        for start in (f"http://{address}", f"https://{address}", f"http://unix:{address}", f"http://{name}"):
            if url.startswith(start) and url[len(start):len(start) + 1] in ("", "/", "?"):
                rest = url[len(start):]
                return f"{name} {rest if rest.startswith('/') else '/' + rest}" + (" tunnel" if route.tunnel else "")
    return None


@pytest.fixture(scope="module")
def ask():
    """The answer to a request, asked for once."""
    return functools.cache(lambda server, request: sites.ask(server.port, request))


@pytest.fixture(scope="module")
def said(ground):
    """What the report says of each recipe, as "severity: text|"."""
    found = {}
    for each in ground.said:
        found.setdefault(pathlib.Path(each.place.file).stem, []).append(f"{each.severity}: {each.text}|")
    return found


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_it_is_told_what_is_wrong_what_changes_and_what_may_go(ground, said, recipe):
    found = said.get(recipe.name, [])
    expected = [sites.filled_in(piece, ground.addresses) for piece in recipe.says]
    unheard = [piece for piece in expected if not any(is_in(piece, line) for line in found)]
    unexpected = [line for line in found if line.startswith(COUNTED) and not any(is_in(piece, line) for piece in expected)]
    assert (unheard, unexpected) == ([], []), found


def is_in(piece, line):
    """`piece` is "severity: part of the text", with | where the text ends."""
    severity, _, text = piece.partition(": ")
    return line.startswith(severity + ": ") and text in line


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_only_what_is_safe_is_written(ground, recipe):
    before, after = (ground.folder / f"{name}/sites/{recipe.name}.conf" for name in ("before", "after"))
    expected = before.read_text().replace(str(ground.folder / "before"), str(ground.folder / "after"))
    for old, new in recipe.writes:
        old, new = (sites.filled_in(text, ground.addresses) for text in (old, new))
        assert old in expected
        expected = expected.replace(old, new)
    assert after.read_text() == expected


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_request_goes_where_it_went(ground, paper, ask, recipe):
    for request in requests_for(paper["before"][recipe.name], paper["after"][recipe.name]):
        before, after = ask(ground.before, request), ask(ground.after, request)
        woken = recipe.wakes and request.is_handshake and after == before + " tunnel"
        assert after == before or woken or (recipe.nowhere and before == "500"), request


@pytest.mark.parametrize("number, name", enumerate(ROWS), ids=ROWS)
def test_httpd_does_what_the_simulators_tests_say(ground, number, name):
    _, target, plain, handshake = ROWS[name]
    path, _, query = target.partition("?")
    for client, expected in (("plain", plain), ("handshake", handshake)):
        if expected and not expected.startswith(("balancer:", "http://a.test/")):
            answer = sites.ask(ground.after.port, samples.Request(client, path, query, f"row-{number}.test"))
            assert answer == as_told(expected) or (expected.startswith("redirect") and answer.startswith("30")), client


def as_told(expected):
    """Where a row of test_simulation.py says that a request goes, as sites.ask tells it."""
    place = re.match(r"(http|ws)://(\w+)(/.*)?$", expected)
    if place:
        return f"{place[2]} {place[3] or '/'}" + (" tunnel" if place[1] == "ws" else "")
    return "404" if expected.startswith("files") else expected.removeprefix("answer ")


def test_advice_that_is_followed_leads_where_the_lines_led(ground, paper, ask):
    assert len(ground.advised) > 15
    for recipe in [recipe for recipe in RECIPES if recipe.name in ground.advised]:
        woken = 0
        for request in requests_for(paper["before"][recipe.name]):
            before, after = ask(ground.before, request), ask(ground.after, dataclasses.replace(request, host=f"{recipe.name}-short.test"))
            if after != before:
                assert request.is_handshake and after == before + " tunnel", (recipe.name, request)
                woken += 1
        assert bool(woken) == recipe.advice_wakes, recipe.name


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_paper_says_what_httpd_does(ground, paper, ask, recipe):
    compared = 0
    for name, server in (("before", ground.before), ("after", ground.after)):
        host = paper[name][recipe.name]
        for request in requests_for(host):
            possible = {in_words(found, ground.addresses) for (found,) in routes.routes(request, host)}
            if None not in possible:
                compared += 1
                assert ask(server, request) in possible, (name, request, possible)
    assert compared
