"""Every way in to a WebSocket backend, each with a folder of its own that the backend sees too. Ours and stock's lines
differ where stock has no such directive. {chat} speaks WebSocket, {app} speaks HTTP and WebSocket."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    name: str
    lines: str
    stock: str = ""      # where it is not the same
    pages: str = "file"  # who serves a plain request: httpd's files, the backend "app" or "chat", or nobody ("")


WAYS = (
    Way("proxypass", "ProxyPass /proxypass/ ws://{chat}/proxypass/", pages="chat"),
    Way("proxypassws", "ProxyPassWS /proxypassws/ ws://{chat}/proxypassws/", "ProxyPass /proxypassws/ ws://{chat}/proxypassws/"),
    Way("encoded", "ProxyPassWS /encoded/ ws://{chat}/encoded/ mapping=encoded",
        "ProxyPass /encoded/ ws://{chat}/encoded/ mapping=encoded"),
    Way("located", "<Location /located/>\nProxyPass ws://{chat}/located/\n</Location>", pages="chat"),
    Way("locatedws", "<Location /locatedws/>\nProxyPassWS ws://{chat}/locatedws/\n</Location>",
        "<Location /locatedws/>\nProxyPass ws://{chat}/locatedws/\n</Location>"),
    Way("rewrite", "RewriteRule ^/(rewrite/.*)$ ws://{chat}/$1 [P]", pages="chat"),
    Way("recipe", "RewriteCond %{HTTP:Upgrade} websocket [NC]\nRewriteCond %{HTTP:Connection} upgrade [NC]\n"
        "RewriteRule ^/(recipe/.*)$ ws://{chat}/$1 [P]\nProxyPass /recipe/ http://{app}/recipe/", pages="app"),
    Way("balancer", "<Proxy balancer://pool>\nBalancerMember ws://{chat}\n</Proxy>\n"
        "ProxyPass /balancer/ balancer://pool/balancer/", pages="chat"),
    Way("upgrade", "ProxyPass /upgrade/ http://{app}/upgrade/ upgrade=websocket", pages="app"),
    Way("upgradehttp", "<Location /upgradehttp/>\nProxyWebsocketUpgradeHttp On\nProxyPass http://{app}/upgradehttp/\n"
        "</Location>", "ProxyPass /upgradehttp/ http://{app}/upgradehttp/ upgrade=websocket", pages="app"),
)

# The same where plain requests do not go to the backend.
WAYS_WITHOUT_HTTP = (
    Way("proxypassoff", "<Location /proxypassoff/>\nProxyWebsocketFallbackToProxyHttp Off\n</Location>\n"
        "ProxyPass /proxypassoff/ ws://{chat}/proxypassoff/"),
    Way("rewriteoff", "<Location /rewriteoff/>\nProxyWebsocketFallbackToProxyHttp Off\n</Location>\n"
        "RewriteRule ^/(rewriteoff/.*)$ ws://{chat}/$1 [P]", pages=""),
    Way("balanceroff", "<Proxy balancer://pooloff>\nBalancerMember ws://{chat}\n</Proxy>\n<Location /balanceroff/>\n"
        "ProxyWebsocketFallbackToProxyHttp Off\n</Location>\nProxyPass /balanceroff/ balancer://pooloff/balanceroff/", pages=""),
)
