"""Each directive, alone and first, in each place of a configuration: it works, or httpd says what stands where it may not."""

import re

import pytest

from harness import processes
from harness.contexts import DIRECTIVES, SECTIONS
from harness.httpd import config_check
from harness.waiting import wait_until

RUNS_ON = ["event"]
IN_VIRTUAL_HOST = [(directive, section) for directive in DIRECTIVES for section in SECTIONS
                   if directive.may_stand_in(section, True)]
MAPPINGS = [(directive, section) for directive, section in IN_VIRTUAL_HOST if directive.is_mapping]
# What may stand in <Directory> may be let into .htaccess by AllowOverrideList.
LISTED = [directive for directive in DIRECTIVES if directive.context in ("WSP_ANYWHERE", "WSP_MAPPING")]
HANDSHAKES_TO_BACKEND = "RewriteEngine On\nRewriteCond %{{HTTP:Upgrade}} websocket [NC]\nRewriteRule ^ {url} [P]\n"


def host_of(directive, section):
    return re.sub(r"\W", "-", f"{directive.name}.{section or 'alone'}").lower()


def virtual_host(name, lines):
    """`lines` come first in it."""
    return f"<VirtualHost 127.0.0.1:{{port}}>\n{lines}\nServerName {name}\n</VirtualHost>\n"


def virtual_hosts(url):
    return "".join(virtual_host(host_of(*case), case[0].inside(case[1], url)) for case in IN_VIRTUAL_HOST)


def htaccess_files(echo):
    files = {f"htdocs/all/{each.name}/.htaccess": f"{each.name} {each.value or echo.url}\n" for each in DIRECTIVES}
    rule = HANDSHAKES_TO_BACKEND.format(url=f"{echo.url}/")
    return files | {f"htdocs/listed/{each.name}/.htaccess": f"{each.name} {each.value or echo.url}\n{rule}"
                    for each in LISTED}


def in_virtual_host(lines):
    return f"<VirtualHost *:1>\n{lines}\n</VirtualHost>"


@pytest.fixture(scope="module")
def check(mpm, certificates):
    return lambda lines: config_check(mpm, lines, certificates)


@pytest.fixture(scope="module")
def site(start_shared, echo, check):
    """All of them at once, each virtual host with one directive; /echo/ is the main server's and theirs by inheritance."""
    lines = f"""
        ProxyPass /echo/ {echo.url}/
        <Directory {{root}}/htdocs/all>
            AllowOverride All
        </Directory>
        <Directory {{root}}/htdocs/listed>
            AllowOverride FileInfo
            AllowOverrideList {" ".join(each.name for each in LISTED)}
        </Directory>
        <VirtualHost 127.0.0.1:{{port}}>
            ServerName localhost
        </VirtualHost>
        {virtual_hosts(f"{echo.url}/")}
        IncludeOptional {{root}}/added.conf
        """
    try:
        return start_shared(lines, files=htaccess_files(echo))
    except AssertionError as failed:
        alone = {host_of(*case): check(in_virtual_host(case[0].inside(case[1]))) for case in IN_VIRTUAL_HOST}
        pytest.fail(f"{failed}\nwhat httpd -t says of each alone: { {name: said for name, said in alone.items() if said} }")


def tunnel_works(site, path, host):
    with site.open_tunnel(path, {"Host": host}) as client:
        client.echo()


def test_every_directive_works_alone_in_a_virtual_host(site):
    assert len({host_of(*case) for case in IN_VIRTUAL_HOST}) == len(IN_VIRTUAL_HOST) > 100
    for case in IN_VIRTUAL_HOST:
        tunnel_works(site, "/echo/", host_of(*case))


@pytest.mark.parametrize("directive, section", MAPPINGS, ids=[host_of(*case) for case in MAPPINGS])
def test_a_mapping_alone_in_a_virtual_host_takes_handshakes(site, directive, section):
    tunnel_works(site, "/x/", host_of(directive, section))


def test_a_mapping_alone_in_a_virtual_host_may_come_with_a_graceful_restart(site, echo):
    parent = site.pid
    for name, directive in [("added-once", f"ProxyPassWS / {echo.url}/"),
                            ("added-twice", f"<Location />\nProxyPassWS {echo.url}/\n</Location>")]:
        with open(site.root / "added.conf", "a") as file:
            file.write(virtual_host(name, directive).replace("{port}", str(site.port)))
        site.graceful()
        tunnel_works(site, "/", name)
    assert site.pid == parent


def test_a_reload_with_a_mapping_where_it_may_not_stand_is_refused_with_that_line(start, echo):
    """httpd's parent ends then, as with any configuration that is wrong. Tunnels do not end with it."""
    server = start(f"ProxyPassWS /x/ {echo.url}/\nIncludeOptional {{root}}/added.conf")
    children = server.children()
    with server.open_tunnel("/x/") as client:
        (server.root / "added.conf").write_text(in_virtual_host(f"<Directory />\nProxyPassWS {echo.url}/\n</Directory>"))
        server.expect_log("AH00526: Syntax error on line 3 of .*added.conf")
        server.expect_log("^ProxyPassWS cannot occur within <Directory> section; write it into")
        server.start_graceful()
        assert server.await_parent() == 1
        client.echo()
    wait_until(lambda: not any(map(processes.is_alive, children)), f"processes {children} are gone")


def test_outside_virtual_hosts_every_directive_may_stand_alone_in_the_same_sections(check):
    """One configuration for all: the main server has every module's part from the beginning, so no line is the first there."""
    places = [(directive, section) for directive in DIRECTIVES for section in SECTIONS if directive.may_stand_in(section, False)]
    assert {directive for directive, _ in places} == set(DIRECTIVES)
    assert check("\n".join(directive.inside(section) for directive, section in places)) == ""


def refusals(directive):
    """(section, lines) for each place where it may not stand. A mapping looks where it stands, so every section is tried; for
    the others httpd looks, and by the kind of section."""
    for section in SECTIONS if directive.is_mapping else ("Location", "Directory", "If", "Proxy"):
        if not directive.may_stand_in(section, False):
            lines = directive.inside(section)
            yield section, in_virtual_host(lines) if directive.is_mapping else lines
    if not directive.may_stand_in("", True):
        yield "", in_virtual_host(directive.inside(""))


def what_is_said(directive, section):
    """A pattern: the directive, the section, and where else it may stand where it is ours to refuse it."""
    opening = "<VirtualHost>" if section == "" else f"<{section.partition(' ')[0].replace('worker', 'Proxy')}"
    if directive.is_mapping:
        return f"{directive.name} cannot occur within {opening}.*; write it into a <VirtualHost>, into a <Location> or outside"
    if section == "":
        return f"{directive.name} cannot occur within {opening} section; it is for the whole server: write it outside"
    return f"{directive.name} not allowed in {opening}> context"


@pytest.mark.parametrize("directive", [each for each in DIRECTIVES if list(refusals(each))], ids=lambda each: each.name)
def test_where_a_directive_may_not_stand_httpd_says_so_and_does_not_start(check, directive):
    for section, lines in refusals(directive):
        said = check(lines)
        assert re.search(rf"Syntax error on line \d+ of .*:\n{what_is_said(directive, section)}", said), f"{lines}\n{said!r}"


def test_in_htaccess_files_none_may_stand(site):
    for directive in DIRECTIVES:
        site.expect_log(rf"/all/{directive.name}/\.htaccess: {directive.name} not allowed here")
        assert site.get(f"/all/{directive.name}/").status == 500


def test_in_htaccess_files_that_AllowOverrideList_lets_settings_in_they_work_and_mappings_are_refused(site):
    for directive in LISTED * 2:   # twice: what the first request has left must not matter
        path = f"/listed/{directive.name}/"
        if directive.is_mapping:
            site.expect_log(rf"{path}\.htaccess: {directive.name} cannot occur within htaccess files; write it into a")
            assert site.get(path).status == 500
        else:
            tunnel_works(site, path, "localhost")
