"""Frameworks, servers and tools, and the ways in which people put their WebSockets behind Apache."""

from . import Recipe

FRAMEWORKS = [
    Recipe("kibana", """
<Location "/kibana/">
    ProxyPass "http://{app}/kibana/"
    ProxyPassReverse "http://{app}/kibana/"
</Location>
"""),
    Recipe("node-red", """
ProxyPass /node-red/comms ws://{app}/node-red/comms
ProxyPass /node-red http://{app}/node-red
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /node-red/comms>|",
    )),
    Recipe("phoenix", """
ProxyPass /live/websocket ws://{app}/live/websocket
ProxyPass /socket/websocket ws://{app}/socket/websocket
ProxyPass / http://{app}/
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /live/websocket>|",
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /socket/websocket>|",
    )),
    Recipe("actioncable", """
DocumentRoot {root}/htdocs
RewriteEngine On
RewriteCond %{HTTP:UPGRADE} ^WebSocket$ [NC]
RewriteCond %{HTTP:CONNECTION} Upgrade$ [NC]
RewriteRule ^/cable(.*) ws://{chat}/cable$1 [P,L]
RewriteCond %{DOCUMENT_ROOT}/%{REQUEST_FILENAME} !-f
RewriteRule ^/(.*)$ http://{app}/$1 [P,QSA,L]
"""),
    Recipe("django-channels", """
ProxyPass /static/ !
ProxyPass /ws/ ws://{chat}/ws/
ProxyPass / http://{app}/
"""),
    Recipe("laravel-reverb", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteCond %{HTTP:Connection} upgrade [NC]
RewriteRule ^/app/(.*) ws://{chat}/app/$1 [P,L]
ProxyPass /apps http://{chat}/apps
""", says=(
        "delete: write ProxyPassWS /app/ ws://{chat}/app/ instead",
    )),
    Recipe("soketi", """
ProxyPass /soketi/ ws://{chat}/
RewriteEngine on
RewriteCond %{REQUEST_URI} ^/app/ [NC]
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule ^/app/(.*)$ ws://{chat}/app/$1 [P]
""", says=(
        "delete: write ProxyPassWS /app/ ws://{chat}/app/ instead",
    )),
    Recipe("meteor", """
RewriteEngine on
RewriteCond %{HTTP:UPGRADE} ^WebSocket$ [NC]
RewriteCond %{HTTP:CONNECTION} ^Upgrade$ [NC]
RewriteRule .* ws://{app}%{REQUEST_URI} [P]
ProxyPass / http://{app}/
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead|",
        'mistake: "^Upgrade$" takes no list, and Firefox sends "Connection: keep-alive, Upgrade": write',
    ), advice_wakes=True),
    Recipe("signalr", """
RewriteEngine on
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteCond %{HTTP:Connection} upgrade [NC]
RewriteRule /hubs/(.*) "ws://{app}/hubs/$1" [P]
ProxyPass / "http://{app}/"
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /hubs/>|",
    )),
    Recipe("blazor", """
ProxyPreserveHost On
ProxyPassMatch ^/_blazor/(.*) http://{app}/_blazor/$1
RewriteEngine on
RewriteCond %{HTTP:Upgrade} =websocket [NC]
RewriteRule /(.*) ws://{app}/$1 [P]
ProxyPass / http://{app}/
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead|",
    )),
    Recipe("vite", """
ProxyPreserveHost On
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteRule ^/(.*)$ ws://{app}/$1 [P,L]
ProxyPass / http://{app}/
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead|",
    )),
    Recipe("webpack-hmr", """
ProxyPass /ws ws://{app}/ws
ProxyPass /sockjs-node/ ws://{app}/sockjs-node/
ProxyPass / http://{app}/
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /ws>|",
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /sockjs-node/>|",
    )),
    Recipe("portainer", """
<Location /portainer/>
    ProxyPass http://{app}/
</Location>
<Location /portainer/api/websocket/>
    ProxyPass ws://{app}/api/websocket/
</Location>
"""),
    Recipe("gitea", """
AllowEncodedSlashes NoDecode
ProxyPass /git http://{app} nocanon
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteRule ^/git/(.*) ws://{app}/$1 [P,L]
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /git/>|",
    )),
    Recipe("jitsi", """
SSLProxyEngine on
ProxyPass /xmpp-websocket ws://{chat}/xmpp-websocket
ProxyPass /http-bind http://{chat}/http-bind
ProxyPassMatch ^/colibri-ws/default-id/(.*) ws://{app}/colibri-ws/default-id/$1
RewriteEngine on
RewriteRule ^/([a-zA-Z0-9]+)$ /index.html
"""),
    Recipe("bigbluebutton", """
ProxyPass /html5client/sockjs ws://{app}/html5client/sockjs
ProxyPass /html5client http://{app}/html5client
ProxyPass /bbb-webrtc-sfu ws://{chat}/bbb-webrtc-sfu
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /html5client/sockjs>|",
    )),
    Recipe("janus", """
<IfModule mod_proxy_wstunnel.c>
    ProxyPass /janus-ws ws://{chat} retry=0
    ProxyPassReverse /janus-ws ws://{chat}
</IfModule>
ProxyPass /janus http://{app}/janus retry=0
""", says=(
        "change: write <IfModule mod_proxy_websocket.c>",
        "delete: ProxyPassReverse may go",
    ), writes=(("mod_proxy_wstunnel", "mod_proxy_websocket"),)),
    Recipe("mqtt", """
ProxyPass /mqtt ws://{chat}/mqtt
"""),
    Recipe("ttyd", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteCond %{HTTP:Connection} upgrade [NC]
RewriteRule ^/ttyd/(.*) ws://{app}/$1 [P,L]
ProxyPass /ttyd/ http://{app}/
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead|",
    )),
    Recipe("wetty", """
RewriteCond %{REQUEST_URI} ^/wetty/socket.io [NC]
RewriteCond %{QUERY_STRING} transport=websocket [NC]
RewriteRule /wetty/socket.io/(.*) ws://{app}/wetty/socket.io/$1 [P,L]
RewriteEngine On
<LocationMatch ^/wetty/(.*)>
    ProxyPassMatch http://{app}/wetty/$1
</LocationMatch>
"""),
    Recipe("odoo-old", """
ProxyPass /longpolling/ http://{chat}/longpolling/
ProxyPass / http://{app}/
"""),
    Recipe("odoo", """
RewriteEngine On
RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteCond %{HTTP:Connection} upgrade [NC]
RewriteRule ^/websocket$ ws://{chat}/websocket [P,L]
ProxyPass /websocket http://{chat}/websocket
ProxyPass / http://{app}/
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /websocket>|",
    ), advice_wakes=True),
    Recipe("erpnext", """
RewriteEngine On
RewriteCond %{REQUEST_URI} ^/socket.io [NC]
RewriteCond %{QUERY_STRING} transport=websocket [NC]
RewriteRule /(.*) ws://{chat}/$1 [P,L]
ProxyPass /socket.io http://{chat}/socket.io
ProxyPass / http://{app}/
"""),
    Recipe("zabbix", """
ProxyPass /zabbix/ws/ ws://{chat}/
ProxyPass /zabbix http://{app}/zabbix
"""),
    Recipe("unix-socket", """
ProxyPass /ws unix:{socket}|ws://localhost/ws
ProxyPass / unix:{socket}|http://localhost/
""", says=(
        "delete: write ProxyWebsocketUpgradeHttp On instead, into <Location /ws>|",
    )),
    Recipe("balancer", """
<Proxy balancer://{name}-chat>
    BalancerMember ws://{chat}
</Proxy>
<Proxy balancer://{name}-app>
    BalancerMember http://{app}
</Proxy>
ProxyPass /socket/ balancer://{name}-chat/socket/
ProxyPass / balancer://{name}-app/
"""),
]
