"""Applications with WebSockets of their own, behind Apache as their manuals have it."""

from . import Recipe

APPLICATIONS = [
    Recipe("gitlab", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteCond %{HTTP:Connection} upgrade [NC]
RewriteRule ^/?(.*) ws://{app}/$1 [P,L]
RewriteCond %{DOCUMENT_ROOT}/%{REQUEST_FILENAME} !-f [OR]
RewriteCond %{REQUEST_URI} ^/uploads/.*
RewriteRule .* http://{app}%{REQUEST_URI} [P,QSA,NE]
"""),
    Recipe("gitlab-omnibus", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule ^/-/cable$ ws://{app}/-/cable [P,L]
RewriteRule .* http://{app}%{REQUEST_URI} [P,QSA,NE]
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /-/cable>|",
    ), advice_wakes=True),
    Recipe("jupyter", """
ProxyPreserveHost On
RewriteEngine On
RewriteCond %{HTTP:Connection} Upgrade [NC]
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteRule /(.*) ws://{app}/$1 [NE,P,L]
RewriteCond %{HTTP:Upgrade} !=websocket [NC]
RewriteRule /(.*) http://{app}/$1 [NE,P,L]
""", says=(
        "delete: write ProxyPassWS / ws://{app}/ instead",
    )),
    Recipe("jupyterhub-kernels", """
<LocationMatch "/jupyter/(user/[^/]*)/(api/kernels/[^/]+/channels|terminals/websocket)(.*)">
    ProxyPassMatch ws://{app}/jupyter/$1/$2$3
</LocationMatch>
<Location /jupyter>
    ProxyPass http://{app}/jupyter
</Location>
""", says=(
        "mistake: never reached: <Location /jupyter>",
    )),
    Recipe("collabora", """
SSLProxyEngine on
AllowEncodedSlashes NoDecode
ProxyPass /browser https://{secure}/browser retry=0
ProxyPass /hosting/discovery https://{secure}/hosting/discovery retry=0
ProxyPassMatch "/cool/(.*)/ws$" wss://{secure}/cool/$1/ws nocanon
ProxyPass /cool/adminws wss://{secure}/cool/adminws
ProxyPass /cool https://{secure}/cool
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /cool/adminws>|",
    )),
    Recipe("onlyoffice", """
RewriteEngine On
SetEnvIf Host "^(.*)$" THE_HOST=$1
RequestHeader setifempty X-Forwarded-Proto http
ProxyPassMatch (.*)(\\/websocket)$ "ws://{app}/$1$2"
ProxyPass / "http://{app}/"
"""),
    Recipe("nextcloud-push", """
ProxyPass /push/ws ws://{chat}/ws
ProxyPass /push/ http://{chat}/
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /push/ws>|",
    )),
    Recipe("nextcloud-signaling", """
RewriteEngine On
ProxyPass "/standalone-signaling/" "http://{chat}/"
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteCond %{HTTP:Connection} upgrade [NC]
RewriteRule ^/standalone-signaling/(.*) "ws://{chat}/$1" [P,L]
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead|",
    )),
    Recipe("mattermost", """
RewriteEngine On
RewriteCond %{REQUEST_URI} ^/api/v4/websocket [NC]
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteCond %{HTTP:Connection} ^Upgrade$ [NC]
RewriteRule .* ws://{app}%{REQUEST_URI} [P,QSA,L]
<Location />
    Require all granted
    ProxyPass http://{app}/
</Location>
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /api/v4/websocket>|",
        'mistake: "^Upgrade$" takes no list, and Firefox sends "Connection: keep-alive, Upgrade": write',
    ), advice_wakes=True),
    Recipe("rocketchat", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule /(.*) ws://{app}/$1 [P,L]
RewriteCond %{HTTP:Upgrade} !=websocket [NC]
RewriteRule /(.*) http://{app}/$1 [P,L]
ProxyPassReverse / http://{app}/
""", says=(
        "delete: write ProxyPassWS / ws://{app}/ instead",
    )),
    Recipe("homeassistant", """
ProxyPreserveHost On
ProxyPass /api/websocket ws://{app}/api/websocket
ProxyPassReverse /api/websocket ws://{app}/api/websocket
ProxyPass / http://{app}/
RewriteEngine on
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule /(.*) ws://{app}/$1 [P,L]
""", says=(
        "delete: it takes handshakes too already|",
        "delete: ProxyPassReverse may go",
        "delete: write ProxyWebsocketUpgradeHttp On instead|",
    )),
    Recipe("grafana", """
RewriteEngine on
RewriteCond %{REQUEST_URI} ^/grafana/api/live [NC]
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteCond %{HTTP:Connection} upgrade [NC]
RewriteRule ^/grafana/(.*) "ws://{app}/$1" [P,L]
ProxyPass /grafana http://{app}
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /grafana/api/live>|",
    )),
    Recipe("guacamole", """
<Location /guacamole/>
    ProxyPass http://{app}/guacamole/ flushpackets=on
</Location>
<Location /guacamole/websocket-tunnel>
    ProxyPass ws://{app}/guacamole/websocket-tunnel
</Location>
"""),
    Recipe("horizon-novnc", """
ProxyPass /novnc/ http://{pages}/
ProxyPass /websockify ws://{chat}/websockify retry=3
ProxyPass /dashboard http://{app}/dashboard
"""),
    Recipe("cockpit", """
SSLProxyEngine on
RewriteEngine On
ProxyPreserveHost On
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule /(.*) wss://{secure}/$1 [P,L]
RewriteCond %{HTTP:Upgrade} !=websocket [NC]
RewriteRule /(.*) https://{secure}/$1 [P,L]
""", says=(
        "delete: write ProxyPassWS / wss://{secure}/ instead",
    )),
    Recipe("code-server", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule /(.*) ws://{app}/$1 [P,L]
RewriteCond %{HTTP:Upgrade} !=websocket [NC]
RewriteRule /(.*) http://{app}/$1 [P,L]
ProxyRequests off
ProxyPass / http://{app}/ nocanon
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead|",
    )),
    Recipe("proxmox", """
SSLProxyEngine on
ProxyPreserveHost On
<LocationMatch ^/(api2/json/nodes/[^\\/]+/[^\\/]+/[^\\/]+/vncwebsocket.*)$>
    ProxyPass wss://{secure}/$1 retry=0
</LocationMatch>
ProxyPass / https://{secure}/
"""),
    Recipe("synapse", """
AllowEncodedSlashes NoDecode
ProxyPreserveHost on
ProxyPass /_matrix http://{app}/_matrix nocanon
ProxyPass /_synapse/client http://{app}/_synapse/client nocanon
ProxyPass /livekit/sfu ws://{chat}
"""),
    Recipe("vaultwarden", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule /notifications/hub(.*) ws://{chat}/$1 [P,L]
ProxyPass / http://{app}/
"""),
    Recipe("vaultwarden-new", """
ProxyPass / http://{app}/ upgrade=websocket
ProxyPreserveHost On
"""),
    Recipe("baserow", """
RewriteEngine on
RewriteCond ${HTTP:Upgrade} websocket [NC]
RewriteCond ${HTTP:Connection} upgrade [NC]
RewriteRule .* "ws://{app}/$1" [P,L]
ProxyPreserveHost On
ProxyPass / http://{app}/ upgrade=websocket
""", says=(
        "mistake: ${HTTP:Upgrade} looks into a RewriteMap and is always empty: write %{HTTP:Upgrade}",
        "delete: it takes handshakes too already|",
        "note: --write leaves this line alone: handshake /other/x goes to ws://{app}/other/x, and would go to ws://{app}/",
        "mistake: ${HTTP:Connection} looks into a RewriteMap and is always empty: write %{HTTP:Connection}",
        "note: $1 is always empty: the pattern .* has no group",
    )),
    Recipe("photoprism", """
ProxyPass /api/v1/ws ws://{app}/api/v1/ws
ProxyPass / http://{app}/
RewriteEngine on
RewriteCond ${HTTP:Upgrade} websocket [NC]
RewriteCond ${HTTP:Connection} upgrade [NC]
RewriteRule ^/?.* "ws://{app}/$1" [P,L]
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /api/v1/ws>|",
        "mistake: ${HTTP:Upgrade} looks into a RewriteMap and is always empty: write %{HTTP:Upgrade}",
        "delete: it takes handshakes too already|",
        "note: handshake /other/x goes to http://{app}/other/x without a tunnel, and would go to ws://{app}/",
        "mistake: ${HTTP:Connection} looks into a RewriteMap and is always empty: write %{HTTP:Connection}",
        "note: $1 is always empty: the pattern ^/?.* has no group",
    )),
    Recipe("streamlit", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} =websocket
RewriteRule /(.*) ws://{app}/$1 [P]
RewriteCond %{HTTP:Upgrade} !=websocket
RewriteRule /(.*) http://{app}/$1 [P]
""", says=(
        'mistake: without [NC] "=websocket" tells capital from small letters, in which clients differ:',
        "delete: write ProxyPassWS / ws://{app}/ instead",
    )),
    Recipe("shiny", """
<Proxy *>
    Require all granted
</Proxy>
RewriteEngine on
RewriteCond %{HTTP:Upgrade} =websocket
RewriteRule /shiny/(.*) ws://{app}/$1 [P,L]
RewriteCond %{HTTP:Upgrade} !=websocket
RewriteRule /shiny/(.*) http://{app}/$1 [P,L]
ProxyPass /shiny/ http://{app}/
""", says=(
        'mistake: without [NC] "=websocket" tells capital from small letters, in which clients differ:',
        "delete: write ProxyPassWS /shiny/ ws://{app}/ instead",
    )),
    Recipe("rstudio", """
RedirectMatch permanent ^/rstudio$ /rstudio/
RewriteEngine on
RewriteCond %{HTTP:Upgrade} =websocket
RewriteRule /rstudio/(.*)     ws://{app}/$1  [P,L]
RewriteCond %{HTTP:Upgrade} !=websocket
RewriteRule /rstudio/(.*)     http://{app}/$1 [P,L]
ProxyPass /rstudio/ http://{app}/
""", says=(
        'mistake: without [NC] "=websocket" tells capital from small letters, in which clients differ:',
        "delete: write ProxyPassWS /rstudio/ ws://{app}/ instead",
    )),
]
