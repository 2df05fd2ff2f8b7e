"""Every way in to a WebSocket backend, each with a folder of its own that the backend sees too. Ours and stock's lines
differ where stock has no such directive. {chat} speaks WebSocket, {app} speaks HTTP and WebSocket."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    name: str
    lines: str
    stock: str = ""      # where it is not the same
    pages: str = "file"  # who serves a plain request: httpd's files, the backend "app", or nobody ("")


WAYS = (
    Way("proxypass", "ProxyPass /proxypass/ ws://{chat}/proxypass/"),
    Way("proxypassws", "ProxyPassWS /proxypassws/ ws://{chat}/proxypassws/", "ProxyPass /proxypassws/ ws://{chat}/proxypassws/"),
    Way("encoded", "ProxyPassWS /encoded/ ws://{chat}/encoded/ mapping=encoded",
        "ProxyPass /encoded/ ws://{chat}/encoded/ mapping=encoded"),
    Way("located", "<Location /located/>\nProxyPass ws://{chat}/located/\n</Location>"),
    Way("locatedws", "<Location /locatedws/>\nProxyPassWS ws://{chat}/locatedws/\n</Location>",
        "<Location /locatedws/>\nProxyPass ws://{chat}/locatedws/\n</Location>"),
    Way("rewrite", "RewriteRule ^/(rewrite/.*)$ ws://{chat}/$1 [P]", pages=""),
    Way("recipe", "RewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteCond %{HTTP:Connection} upgrade [NC]\n"
        "RewriteRule ^/(recipe/.*)$ ws://{chat}/$1 [P]\nProxyPass /recipe/ http://{app}/recipe/", pages="app"),
    Way("balancer", "<Proxy balancer://pool>\nBalancerMember ws://{chat}\n</Proxy>\n"
        "ProxyPass /balancer/ balancer://pool/balancer/", pages=""),
    Way("upgrade", "ProxyPass /upgrade/ http://{app}/upgrade/ upgrade=websocket", pages="app"),
    Way("upgradehttp", "<Location /upgradehttp/>\nProxyWebsocketUpgradeHttp On\nProxyPass http://{app}/upgradehttp/\n"
        "</Location>", "ProxyPass /upgradehttp/ http://{app}/upgradehttp/ upgrade=websocket", pages="app"),
)
