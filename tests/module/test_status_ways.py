"""The status page wherever people put SetHandler: each section that may have it, beside mappings of everything, and with a prefix of
its own. And ProxyWebsocketTag and ProxyWebsocketLogOpen in the sections of other people's configurations."""

import json
import re
import ssl

import pytest

from harness.pair import open_pair

RUNS_ON = ["event"]   # configuration

HANDLER = "SetHandler websocket-status"
# What leads to the page -> its path.
WAYS = {
    f'<Location "/in-location">\n{HANDLER}\n</Location>': "/in-location",
    f'<Location "/with-slash/">\n{HANDLER}\n</Location>': "/with-slash/",
    f'<LocationMatch "^/in-match[0-9]$">\n{HANDLER}\n</LocationMatch>': "/in-match7",
    f'<Files "in-files">\n{HANDLER}\n</Files>': "/in-files",
    f'<Directory "{{root}}/htdocs/folder">\n{HANDLER}\n</Directory>': "/folder/",
    f"<If \"%{{REQUEST_URI}} == '/in-if'\">\n{HANDLER}\n</If>": "/in-if",
    'RewriteEngine On\nRewriteRule "^/by-rule$" "-" [H=websocket-status]': "/by-rule",
    f'Alias "/by-alias" "{{root}}/htdocs/index.html"\n<Location "/by-alias">\n{HANDLER}\n</Location>': "/by-alias",
    'AddHandler websocket-status .tunnels': "/by-suffix.tunnels",
    '<Directory "{root}/htdocs/own">\nAllowOverride FileInfo\n</Directory>': "/own/",
}
FILES = {"htdocs/folder/index.html": "", "htdocs/own/index.html": "", "htdocs/own/.htaccess": HANDLER + "\n",
         "htdocs/by-suffix.tunnels": "", "htdocs/in-files": ""}


@pytest.fixture(scope="module")
def site(start_shared):
    return start_shared("\n".join(WAYS), files=FILES)


def is_whole(server, path, **options):
    """The page, its files and its figures, as the links of the page lead to them."""
    page = server.get(path, **options)
    assert (page.status, page.header("Content-Type")) == (200, "text/html; charset=utf-8")
    links = re.findall(r'(?:href|src)="(\?(?:asset|format)=[^"#]+)"', page.body.decode())
    assert len(links) >= 4
    for link in links:
        assert server.get(path + link.replace("&amp;", "&"), **options).status == 200
    assert json.loads(server.get(path + "?format=json", **options).body)["total"]["open"] == 0


@pytest.mark.parametrize("path", WAYS.values())
def test_the_page_in_any_section(site, path):
    is_whole(site, path)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_the_page_with_tls(site, certificates, version):
    context = certificates.client_context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    is_whole(site, "/in-location", tls=context)


@pytest.mark.parametrize("mapping", ["ProxyPass /tunnels !\nProxyPass / {url}/", "ProxyPass / {url}/",
                                     '<Location "/">\nProxyPass {url}/\n</Location>\n<Location "/tunnels">\nProxyPass !\n</Location>',
                                     'RewriteEngine On\nRewriteCond "%{REQUEST_URI}" "!=/tunnels"\nRewriteRule "^/(.*)" "{url}/$1" [P]'])
def test_the_page_beside_a_mapping_of_everything(start, echo, mapping):
    server = start(f'<Location "/tunnels">\n{HANDLER}\n</Location>\n' + mapping.replace("{url}", echo.url))
    server.allow_log("AH00898:")   # the harness asks for / when it starts, which is the echo's
    is_whole(server, "/tunnels")


@pytest.mark.parametrize("section", ["<Location /ws>\n%s\n</Location>", "<LocationMatch ^/w>\n%s\n</LocationMatch>",
                                     '<If "true">\n%s\n</If>', "<Proxy *>\n%s\n</Proxy>", "<Proxy {url}>\n%s\n</Proxy>",
                                     "<IfModule proxy_websocket_module>\n%s\n</IfModule>", "%s"])
def test_tags_and_open_lines_in_any_section(start, stage, section):
    lines = "ProxyWebsocketTag %{req:X-Name}\nProxyWebsocketLogOpen On"
    server = start(section.replace("{url}", stage.url) % lines + f"\nProxyPass /ws {stage.url}/")
    with open_pair(server, "/ws", stage, changes={"X-Name": "alice"}) as pair:
        pair.say_goodbye()
    server.error_log.wait_for("WSP0195: tunnel opened.*alice")
