"""Configurations with something in them that does not do what it looks like."""

from . import Recipe

TRAPS = [
    Recipe("env-scheme", """
RewriteEngine On
RewriteRule .* - [E=SCHEME:http]
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule .* - [E=SCHEME:ws]
RewriteRule ^/(.*) %{ENV:SCHEME}://{app}/$1 [P,NE]
"""),
    Recipe("env-scheme-by-connection", """
RewriteEngine On
RewriteRule .* - [E=SCHEME:http]
RewriteCond %{HTTP:Connection} =Upgrade
RewriteRule .* - [E=SCHEME:ws]
RewriteRule ^/(.*) %{ENV:SCHEME}://{app}/$1 [P,NE]
""", says=(
        'mistake: "=Upgrade" takes no list, and Firefox sends "Connection: keep-alive, Upgrade", so the',
    )),
    Recipe("no-group-rule", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteRule ^/live ws://{chat}/live$1 [P,L]
ProxyPass / http://{app}/
""", says=(
        "note: $1 is always empty: the pattern ^/live has no group",
    )),
    Recipe("no-group-match", """
ProxyPassMatch ^/live$ ws://{chat}/live
ProxyPass / http://{app}/
""", says=(
        "note: ProxyPassMatch appends the whole path where the URL has no $1: /live goes to",
    )),
    Recipe("match-group-missing", """
ProxyPassMatch ^/live/.*$ ws://{chat}/live/$1
ProxyPass / http://{app}/
""", says=(
        "note: $1 is always empty: the pattern ^/live/.*$ has no group",
    )),
    Recipe("rules-in-location", """
<Location /live>
    RewriteEngine On
    RewriteCond %{HTTP:Upgrade} websocket [NC]
    RewriteRule ^/live/(.*)$ ws://{chat}/live/$1 [P,L]
</Location>
ProxyPass / http://{app}/
""", says=(
        "note: a rule inside <Location /live> is not given the URL's path but a path of files below",
    )),
    Recipe("rules-in-location-with-pass", """
<Location /live>
    RewriteEngine On
    RewriteCond %{HTTP:Upgrade} websocket [NC]
    RewriteRule (.*) ws://{chat}/live [P,L]
    ProxyPass http://{app}/live
</Location>
""", says=(
        "note: a rule inside <Location /live> is not given the URL's path but the URL of the ProxyPass",
    )),
    Recipe("rules-in-directory", """
DocumentRoot {root}/htdocs
<Directory {root}/htdocs>
    RewriteEngine On
    RewriteCond %{HTTP:Upgrade} websocket [NC]
    RewriteRule ^live/(.*)$ ws://{chat}/$1 [P,L]
</Directory>
"""),
    Recipe("locationmatch-pass", """
<LocationMatch ^/live/ws$>
    ProxyPass ws://{chat}/live
</LocationMatch>
ProxyPass / http://{app}/
""", says=(
        "mistake: ProxyPass inside <LocationMatch ^/live/ws$> takes the pattern for a path, and nothing",
    )),
    Recipe("dead-pair", """
RewriteEngine On
RewriteCond ${HTTP:Upgrade} websocket [NC]
RewriteCond ${HTTP:Connection} upgrade [NC]
RewriteRule ^/(.*)$ ws://{app}/$1 [P,L]
ProxyPass / http://{app}/
""", says=(
        "mistake: ${HTTP:Upgrade} looks into a RewriteMap and is always empty: write %{HTTP:Upgrade}",
        "delete: write ProxyWebsocketUpgradeHttp On instead|",
        "mistake: ${HTTP:Connection} looks into a RewriteMap and is always empty: write %{HTTP:Connection}",
    ), writes=(("${HTTP:", "%{HTTP:"),), wakes=True, advice_wakes=True),
    Recipe("dead-pair-of-another-backend", """
RewriteEngine On
RewriteCond ${HTTP:Upgrade} websocket [NC]
RewriteRule ^/live/(.*)$ ws://{chat}/$1 [P,L]
ProxyPass / http://{app}/
""", says=(
        "mistake: ${HTTP:Upgrade} looks into a RewriteMap and is always empty: write %{HTTP:Upgrade}",
        "note: --write leaves this line alone: handshake /live/ goes to http://{app}/live/ without a tunnel, and would go to ws://{chat}/",
    )),
    Recipe("one-slash-rule", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteRule ^/live/(.*)$ ws:/{chat}/$1 [P,L]
ProxyPass / http://{app}/
""", says=(
        "mistake: ws:/ with one slash names no host: write ws://",
    ), writes=(("ws:/{chat}", "ws://{chat}"),), nowhere=True),
    Recipe("behind-the-broad-one", """
ProxyPass / http://{app}/
ProxyPass /live/ ws://{chat}/
""", says=(
        "mistake: never reached: ProxyPass / http://{app}/",
    )),
    Recipe("broad-location", """
<Location /live/>
    ProxyPass ws://{chat}/
</Location>
<Location />
    ProxyPass http://{app}/
</Location>
""", says=(
        "mistake: never reached: <Location />",
    )),
    Recipe("two-modules", """
<IfModule mod_proxy_wstunnel.c>
    ProxyPass /live/ ws://{chat}/
</IfModule>
<IfModule !mod_proxy_wstunnel.c>
    ProxyPass /live/ !
</IfModule>
ProxyPass / http://{app}/
""", says=(
        "change: write <IfModule mod_proxy_websocket.c>",
        "change: write <IfModule !mod_proxy_websocket.c>",
    ), writes=(("mod_proxy_wstunnel", "mod_proxy_websocket"),)),
    Recipe("upgrade-of-one", """
ProxyPass /live/ http://{chat}/ upgrade=websocket
ProxyPass / http://{app}/
"""),
    Recipe("no-such-variable", """
RewriteEngine On
RewriteCond %{HTTP_UPGRADE} websocket [NC]
RewriteRule ^/(.*)$ ws://{chat}/$1 [P,L]
ProxyPass / http://{app}/
""", says=(
        "mistake: mod_rewrite has no variable %{HTTP_UPGRADE}, so it is always empty: write %{HTTP:Upgrade}",
    )),
    Recipe("by-address", """
RewriteEngine On
RewriteCond %{REMOTE_ADDR} !^10\\.
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteRule ^/(.*)$ ws://{app}/$1 [P,L]
ProxyPass / http://{app}/
"""),
    Recipe("chained-and-skipped", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} !websocket [NC]
RewriteRule .* - [S=1]
RewriteRule ^/live/(.*)$ ws://{chat}/$1 [P]
RewriteRule ^/old/(.*)$ /new/$1 [PT]
RewriteRule ^/gone/ - [G]
RewriteRule ^/moved/(.*)$ /here/$1 [R=301,L]
ProxyPass /new/ http://{pages}/
ProxyPass / http://{app}/
"""),
    Recipe("no-proxy-flag", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteRule ^/live/(.*)$ ws://{chat}/$1 [L]
ProxyPass / http://{app}/
""", says=(
        "mistake: no P flag: the client is redirected (302) to ws://{chat}/$1, and no browser follows",
    )),
    Recipe("or-between", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC,OR]
RewriteCond %{HTTP:Connection} upgrade [NC]
RewriteRule ^/live/(.*)$ ws://{chat}/$1 [P,L]
ProxyPass / http://{app}/
""", says=(
        "mistake: [OR] between the conditions on Upgrade and Connection: either of them alone then sends",
        "delete: write ProxyPassWS /live/ ws://{chat}/ instead",
    )),
]
