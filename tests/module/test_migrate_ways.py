"""A tunnel moves whatever mapping has led it to its backend, in the main server and in virtual hosts, plain and with TLS."""

import pytest

from dropin.ways import WAYS
from harness import own_records
from harness.moves import TAKEN_OVER, restart_and_await_end_of_old

RUNS_ON = ["event"]   # what a worker is called does not depend on it

MORE = {
    "matched": "ProxyPassMatch ^/matched/(.*)$ ws://{chat}/matched/$1",
    "interpolated": "ProxyPassInterpolateEnv On\nProxyPass /interpolated/ ws://{chat}/interpolated/ interpolate",
    "sethandler": "<Location /sethandler/>\nSetHandler proxy:ws://{chat}\n</Location>",
    "override": "",   # by its .htaccess
}
PATHS = [way.name for way in WAYS] + list(MORE)
FILES = {f"htdocs/{name}/index.html": "static\n" for name in PATHS}


@pytest.fixture(scope="module")
def site(start_shared, echo, certificates):
    backend = f"127.0.0.1:{echo.port}"
    lines = "\n".join(["RewriteEngine On", *(way.lines for way in WAYS), *MORE.values()]).replace("{chat}", backend).replace("{app}", backend)
    hosts = f"""
        <VirtualHost 127.0.0.1:{{port}}>
            ServerName inside.test
            {lines}
        </VirtualHost>"""
    htaccess = f"RewriteEngine On\nRewriteRule ^(.*)$ ws://{backend}/$1 [P]\n"
    return start_shared(f"{own_records.LOG_LINE}\nProxyWebsocketDrainTimeout 2h\n{lines}\n<Directory {{root}}/htdocs/override>\nAllowOverride FileInfo\n</Directory>\n{hosts}",
                        files={**FILES, "htdocs/override/.htaccess": htaccess})


@pytest.mark.parametrize("host, secure", [("main", False), ("main", True), ("inside.test", False)], ids=["main", "tls", "inside"])
def test_tunnels_of_every_mapping_move(site, tls, host, secure):
    clients = {path: site.open_tunnel(f"/{path}/x", {"Host": host}, tls=tls if secure else None) for path in PATHS}
    for client in clients.values():
        client.echo()
    before = len(site.error_log.lines(TAKEN_OVER))
    restart_and_await_end_of_old(site)
    site.error_log.wait_for(TAKEN_OVER, before + len(PATHS))
    for path, client in clients.items():
        client.echo()
        client.close()
