"""The drop-in table: a configuration as people have it, a request as a client sends it, what our module answers, and what
stock httpd (mod_proxy_http and mod_proxy_wstunnel) answers to the same. Data only, and all of it here (hence the length); test_dropin_table.py runs each row.

An answer is the status, then the backend that gave it and the target that it was asked for; no backend: httpd itself. The
backends: {app} and {chat} speak HTTP and WebSocket, {secure} does within TLS, {pages} speaks HTTP only, {socket} is a Unix socket, nobody listens on
{nobody}. httpd's modules are in {libraries}."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    client: str              # one of clients.CLIENTS
    path: str
    ours: str
    stock: str = ""          # where it is not the same
    why: str = ""            # and why we differ
    answer: dict = field(default_factory=dict)   # header of our answer -> regex; None: must not be there
    seen: dict = field(default_factory=dict)     # the same of the request as the backend saw it
    send: tuple = ()         # further headers of the request


@dataclass(frozen=True)
class Site:
    name: str
    lines: str               # the configuration that people have
    rows: tuple
    fewer: str = ""          # what our module needs instead, where that is less
    modules: tuple = ()


_TOLD = "a WebSocket mapping that does not know its own path helps nobody"
_ONE_SLASH = "stock asks itself for the path /slash/ws:/host; we refuse, and the log names the mistake"
_NEEDED = {"Upgrade": "^websocket$"}

TABLE = (
    Site("a ws mapping above the http one", """
        ProxyPass /ws ws://{chat}/ws
        ProxyPass / http://{app}/
        """, (
        Row("chrome", "/ws", "101 chat /ws", seen={"X-Forwarded-For": "^127.0.0.1$", "X-Forwarded-Host": "^localhost$",
            "X-Forwarded-Server": "^localhost$", "Cookie": "sessionid=4f2a", "Upgrade": "^websocket$",
            "Sec-WebSocket-Extensions": "^permessage-deflate; client_max_window_bits$", "Host": "^127"}),
        Row("firefox", "/ws/room?token=a.b-c&to=d%20e", "101 chat /ws/room?token=a.b-c&to=d%20e"),
        Row("curl", "/ws", "101 chat /ws"),
        Row("capitals", "/ws", "101 chat /ws"),
        Row("polling", "/poll?transport=polling", "200 app /poll?transport=polling"),
        Row("posting", "/poll", "200 app /poll"),
        Row("page", "/ws", "200 chat /ws"),
        Row("chrome", "/elsewhere", "200 app /elsewhere", seen={"Upgrade": None}),
    )),
    Site("the http mapping above the ws one, a mistake", """
        ProxyPass / http://{app}/
        ProxyPass /ws ws://{chat}/ws
        """, (
        Row("chrome", "/ws", "200 app /ws"),
    )),
    Site("ws and http on the same path", """
        ProxyPass / ws://{chat}/
        ProxyPass / http://{app}/
        """, (
        Row("chrome", "/any/path", "101 chat /any/path"),
        Row("firefox", "/", "101 chat /"),
        Row("page", "/any/path", "200 chat /any/path"),
        Row("posting", "/any/path", "200 chat /any/path"),
        Row("curl --http2", "/any/path", "200 chat /any/path"),
    )),
    Site("ws and http on the same path, http first", """
        ProxyPass / http://{app}/
        ProxyPass / ws://{chat}/
        """, (
        Row("chrome", "/any/path", "101 chat /any/path", "200 app /any/path", "ProxyPassWS comes first wherever it stands"),
        Row("page", "/any/path", "200 app /any/path"),
    ), fewer="""
        ProxyPass / http://{app}/
        ProxyPassWS / ws://{chat}/
        """),
    Site("only a ws mapping", """
        ProxyPass /ws ws://{chat}/
        ProxyPassReverse /ws ws://{chat}/
        """, (
        Row("chrome", "/ws", "101 chat /"),
        Row("page", "/ws", "200 chat /", seen={"Upgrade": None, "X-Forwarded-For": "^127.0.0.1$"}),
        Row("polling", "/ws?transport=polling&a=b%20c", "200 chat /?transport=polling&a=b%20c"),
        Row("posting", "/ws", "200 chat /"),
        Row("curl --http2", "/ws", "200 chat /"),
        Row("chrome", "/wsx", "404"),
    )),
    Site("fallback to HTTP asked for", """
        ProxyWebsocketFallbackToProxyHttp On
        ProxyPass /ws ws://{chat}/
        """, (
        Row("chrome", "/ws", "101 chat /"),
        Row("page", "/ws", "200 chat /"),
        Row("posting", "/ws", "200 chat /"),
        Row("curl --http2", "/ws", "200 chat /"),
    )),
    Site("fallback to HTTP refused", """
        ProxyWebsocketFallbackToProxyHttp Off
        ProxyPass /ws ws://{chat}/
        """, (
        Row("chrome", "/ws", "101 chat /"),
        Row("page", "/ws", "426", "404", _TOLD, answer=_NEEDED),
        Row("curl --http2", "/ws", "426", answer=_NEEDED),
    )),
    Site("mod_proxy_wstunnel loaded before our module, and fallback", """
        ProxyWebsocketFallbackToProxyHttp On
        ProxyPass /ws ws://{chat}/
        ProxyPass /app http://{app}/ upgrade=websocket
        """, (
        Row("chrome", "/ws", "101 chat /"),
        Row("page", "/ws", "200 chat /"),
        Row("firefox", "/app", "101 app /"),
    ), modules=("proxy_wstunnel",)),
    Site("mod_proxy_wstunnel loaded behind our module, and no fallback", """
        LoadModule proxy_wstunnel_module {libraries}/mod_proxy_wstunnel.so
        ProxyWebsocketFallbackToProxyHttp Off
        ProxyPass /ws ws://{chat}/
        ProxyPass /app http://{app}/ upgrade=websocket
        """, (
        Row("chrome", "/ws", "101 chat /"),
        Row("page", "/ws", "426", "404", _TOLD, answer=_NEEDED),
        Row("firefox", "/app", "101 app /"),
        Row("page", "/app", "200 app /"),
    )),
    Site("upgrade=websocket on an http mapping", """
        ProxyPass / http://{app}/ upgrade=websocket
        """, (
        Row("chrome", "/a?b=c", "101 app /a?b=c"),
        Row("firefox", "/a", "101 app /a"),
        Row("capitals", "/a", "101 app /a"),
        Row("polling", "/a", "200 app /a"),
        Row("posting", "/a", "200 app /a"),
    )),
    Site("one mapping for everything", """
        ProxyPass / http://{app}/ upgrade=websocket
        """, (
        Row("chrome", "/", "101 app /"),
        Row("firefox", "/", "101 app /"),
        Row("page", "/", "200 app /"),
        Row("curl --http2", "/", "200 app /"),
    ), fewer="""
        ProxyWebsocketUpgradeHttp On
        ProxyPass / http://{app}/
        """),
    Site("no upgrade= on an http mapping", """
        ProxyPass / http://{app}/
        """, (
        Row("chrome", "/", "200 app /", seen={"Upgrade": None}),
    )),
    Site("upgrade= in all its spellings", """
        ProxyPass /any http://{app}/any upgrade=ANY
        ProxyPass /star http://{chat}/star upgrade=*
        ProxyPass /none ws://{chat}/none upgrade=NONE
        ProxyPass /ssh ws://{app}/ssh upgrade=ssh
        """, (
        Row("chrome", "/any", "101 app /any"),
        Row("chrome", "/star", "101 chat /star"),
        Row("chrome", "/none", "101 chat /none", "200 chat /none", "documented as: do not look at Upgrade"),
        Row("ssh", "/ssh", "101 app /ssh"),
        Row("page", "/ssh", "200 app /ssh"),
        Row("page", "/none", "200 chat /none"),
        Row("chrome", "/ssh", "426", "200 app /ssh", "nothing but ssh may be asked for here, and the answer says so",
            answer={"Upgrade": "^ssh$"}),
    )),
    Site("the rewrite recipe", """
        RewriteEngine On
        RewriteCond %{HTTP:Upgrade} websocket [NC]
        RewriteCond %{HTTP:Connection} upgrade [NC]
        RewriteRule ^/?(.*) "ws://{chat}/$1" [P,L]
        ProxyPass / http://{app}/
        ProxyPassReverse / http://{app}/
        """, (
        Row("chrome", "/a/b?c=d", "101 chat /a/b?c=d"),
        Row("firefox", "/a/b", "101 chat /a/b"),
        Row("capitals", "/a/b", "101 chat /a/b"),
        Row("page", "/a/b", "200 app /a/b"),
    )),
    Site("the recipe with ^Upgrade$, a mistake", """
        RewriteEngine On
        RewriteCond %{HTTP:Connection} ^Upgrade$
        RewriteRule .* "ws://{chat}%{REQUEST_URI}" [P]
        ProxyPass / http://{app}/
        """, (
        Row("chrome", "/x", "101 chat /x"),
        Row("firefox", "/x", "200 app /x"),
    )),
    Site("the recipe with ${HTTP:Upgrade}, a mistake", """
        RewriteEngine On
        RewriteCond ${HTTP:Upgrade} websocket [NC]
        RewriteRule .* "ws://{chat}%{REQUEST_URI}" [P]
        ProxyPass / http://{app}/
        """, (
        Row("chrome", "/x", "200 app /x"),
    )),
    Site("the recipe with one slash in an .htaccess file, a mistake", """
        UseCanonicalPhysicalPort On
        <Directory "{root}/htdocs/slash">
            AllowOverride FileInfo
        </Directory>
        """, (
        Row("chrome", "/slash/x", "500", "404", _ONE_SLASH),
        Row("page", "/slash/x", "500", "404", _ONE_SLASH),
    )),
    Site("socket.io told apart by its query", """
        RewriteEngine On
        RewriteCond %{REQUEST_URI} ^/socket.io [NC]
        RewriteCond %{QUERY_STRING} transport=websocket [NC]
        RewriteRule /(.*) ws://{chat}/$1 [P,L]
        ProxyPass /socket.io http://{app}/socket.io
        """, (
        Row("chrome", "/socket.io/?EIO=4&transport=websocket", "101 chat /socket.io/?EIO=4&transport=websocket"),
        Row("polling", "/socket.io/?EIO=4&transport=polling", "200 app /socket.io/?EIO=4&transport=polling"),
        Row("posting", "/socket.io/?EIO=4&transport=polling", "200 app /socket.io/?EIO=4&transport=polling"),
    )),
    Site("a query in ProxyPass, a mistake", """
        ProxyPass /socket.io/?transport=websocket ws://{chat}/socket.io/?transport=websocket
        ProxyPass /socket.io/ http://{app}/socket.io/
        """, (
        Row("chrome", "/socket.io/?transport=websocket", "200 app /socket.io/?transport=websocket"),
    )),
    Site("the Vert.x event bus", """
        RewriteEngine On
        RewriteCond %{HTTP:Upgrade} websocket [NC]
        RewriteRule /eventbus/(.*)$ ws://{chat}/eventbus/$1 [proxy,last]
        RewriteRule /eventbus/(.*)$ http://{chat}/eventbus/$1 [proxy,last]
        ProxyPassReverse /eventbus/ http://{chat}/eventbus/
        """, (
        Row("capitals", "/eventbus/123/abc/websocket", "101 chat /eventbus/123/abc/websocket",
            seen={"Cookie": "sessionid", "X-Forwarded-Host": "localhost", "X-Forwarded-Server": "localhost"}),
        Row("posting", "/eventbus/123/abc/xhr", "200 chat /eventbus/123/abc/xhr"),
        Row("polling", "/eventbus/info", "200 chat /eventbus/info"),
    )),
    Site("ProxyPassMatch and a pattern inside LocationMatch", r"""
        ProxyPassMatch ^/(ws|sockjs)/(.*)$ ws://{chat}/$1/$2
        <LocationMatch "^/rooms/(\d+)$">
            ProxyPassMatch ws://{app}/room/$1
        </LocationMatch>
        """, (
        Row("chrome", "/sockjs/1/2/websocket?x=1", "101 chat /sockjs/1/2/websocket?x=1"),
        Row("firefox", "/rooms/17", "101 app /room/17"),
        Row("chrome", "/rooms/all", "404"),
    )),
    Site("a Location with its own mapping and an exclusion", """
        ProxyPass /ws/private !
        ProxyPass /ws/ ws://{chat}/
        <Location /located/>
            ProxyPass ws://{app}/inner/
            ProxyPassReverse ws://{app}/inner/
        </Location>
        """, (
        Row("chrome", "/ws/private/x", "404"),
        Row("chrome", "/ws/public", "101 chat /public"),
        Row("firefox", "/located/a", "101 app /inner/a"),
    )),
    Site("slashes at the end as mod_proxy counts them", """
        ProxyPass /both/ ws://{chat}/ws/
        ProxyPass /left/ ws://{chat}/ws
        ProxyPass /right ws://{chat}/ws/
        ProxyPass /none ws://{chat}/ws
        """, (
        Row("chrome", "/both/x", "101 chat /ws/x"),
        Row("chrome", "/both", "404"),
        Row("chrome", "/left/x", "101 chat /wsx"),
        Row("chrome", "/right/x", "101 chat /ws//x"),
        Row("chrome", "/none/x", "101 chat /ws/x"),
        Row("chrome", "/none", "101 chat /ws"),
    )),
    Site("encoded slashes and nocanon, as Jenkins documents it", """
        AllowEncodedSlashes NoDecode
        ProxyPass /raw ws://{chat}/raw nocanon
        ProxyPass /canon ws://{chat}/canon
        ProxyPass / http://{app}/ nocanon upgrade=websocket
        """, (
        Row("chrome", "/raw/a%2Fb%7Ec?d=%2F", "101 chat /raw/a%2Fb%7Ec?d=%2F"),
        Row("chrome", "/canon/a%2Fb%7Ec", "101 chat /canon/a%2Fb~c"),
        Row("chrome", "/job/a%2Fb/ws", "101 app /job/a%2Fb/ws"),
    )),
    Site("a backend on a Unix socket", """
        ProxyPass /ws unix:{socket}|ws://localhost/inner
        ProxyPass /app unix:{socket}|http://localhost/app upgrade=websocket
        """, (
        Row("chrome", "/ws/a?b", "101 socket /inner/a?b"),
        Row("firefox", "/app/a", "101 socket /app/a"),
        Row("page", "/app/a", "200 socket /app/a"),
    )),
    Site("files below a ws mapping", """
        ProxyPass /files/ ws://{chat}/
        """, (
        Row("chrome", "/files/", "101 chat /"),
        Row("page", "/files/", "200", "200 chat /", "ProxyPassWS leaves pages to what was there before"),
    ), fewer="""
        ProxyPassWS /files/ ws://{chat}/
        """),
    Site("a balancer of http members with upgrade=", """
        <Proxy balancer://c>
            BalancerMember http://{app} upgrade=websocket
        </Proxy>
        ProxyPass / balancer://c/
        ProxyPassReverse / balancer://c/
        """, (
        Row("chrome", "/a?b", "101 app /a?b"),
        Row("capitals", "/a", "101 app /a"),
        Row("polling", "/a", "200 app /a"),
    ), fewer="""
        ProxyWebsocketUpgradeHttp On
        <Proxy balancer://c>
            BalancerMember http://{app}
        </Proxy>
        ProxyPass / balancer://c/
        """),
    Site("a second balancer for WebSockets, chosen by rewrite", """
        <Proxy balancer://http>
            BalancerMember http://{app}
        </Proxy>
        <Proxy balancer://ws>
            BalancerMember ws://{chat}
        </Proxy>
        RewriteEngine On
        RewriteCond %{HTTP:Upgrade} =websocket [NC]
        RewriteRule /(.*) balancer://ws/$1 [P,L]
        RewriteRule /(.*) balancer://http/$1 [P,L]
        """, (
        Row("chrome", "/a?b", "101 chat /a?b"),
        Row("firefox", "/a", "101 chat /a"),
        Row("posting", "/a", "200 app /a"),
    )),
    Site("the balancer of WebSockets asked for a page", """
        <Proxy balancer://ws>
            BalancerMember ws://{chat}
        </Proxy>
        ProxyPass /ws balancer://ws
        """, (
        Row("page", "/ws/", "200 chat /"),
        Row("posting", "/ws/a?b", "200 chat /a?b"),
        Row("chrome", "/ws/a?b", "101 chat /a?b"),
    )),
    Site("plain requests on every kind of ws mapping", r"""
        ProxyPassMatch ^/matched/(\d+)$ ws://{chat}/m/$1
        ProxyPass /socket unix:{socket}|ws://localhost/inner
        ProxyPass /secure wss://{secure}/inner
        ProxyPass /encoded ws://{chat}/e mapping=encoded
        ProxyPass /raw ws://{chat}/raw nocanon
        <Location /located/>
            ProxyPass ws://{chat}/inner/
        </Location>
        RewriteEngine On
        RewriteRule ^/rewritten/(.*)$ ws://{chat}/r/$1 [P]
        RewriteRule ^/secure-rule$ wss://{secure}/r [P]
        <Proxy balancer://both>
            BalancerMember wss://{secure} route=secure
            BalancerMember ws://{chat} route=chat status=D
        </Proxy>
        ProxyPass /balanced/ balancer://both/ stickysession=ROUTE
        """, (
        Row("page", "/matched/17?a", "200 chat /m/17?a"),
        Row("page", "/socket/x?y=%2F", "200 socket /inner/x?y=%2F"),
        Row("posting", "/socket/x", "200 socket /inner/x"),
        Row("polling", "/secure/x?y", "200 secure /inner/x?y"),
        Row("posting", "/secure", "200 secure /inner"),
        Row("page", "/encoded/a%2Bb", "200 chat /e/a%2Bb"),
        Row("page", "/raw/a%7Eb?c=d", "200 chat /raw/a%7Eb?c=d"),
        Row("page", "/located/x", "200 chat /inner/x"),
        Row("page", "/rewritten/a?b=c", "200 chat /r/a?b=c"),
        Row("posting", "/rewritten/a", "200 chat /r/a"),
        Row("page", "/secure-rule", "200 secure /r"),
        Row("page", "/balanced/a?ROUTE=x.secure", "200 secure /a?ROUTE=x.secure"),
        Row("chrome", "/balanced/a?ROUTE=x.secure", "101 secure /a?ROUTE=x.secure"),
        Row("chrome", "/rewritten/a", "101 chat /r/a"),
    )),
    Site("a push service beside an application, as Nextcloud and Home Assistant document it", """
        ProxyPass /push/ws ws://{chat}/ws
        ProxyPass /push/ http://{chat}/
        ProxyPass /api/websocket ws://{app}/api/websocket
        ProxyPass / http://{app}/
        ProxyPassReverse / http://{app}/
        """, (
        Row("chrome", "/push/ws", "101 chat /ws"),
        Row("polling", "/push/test/cookie", "200 chat /test/cookie"),
        Row("firefox", "/api/websocket", "101 app /api/websocket"),
        Row("page", "/api/states", "200 app /api/states"),
    )),
    Site("a backend that is not there", """
        ProxyPass /ws ws://{nobody}/
        <Proxy balancer://c>
            BalancerMember ws://{nobody}
        </Proxy>
        ProxyPass /balanced balancer://c/
        """, (
        Row("chrome", "/ws", "503", answer={"Retry-After": None}),
        Row("firefox", "/ws", "503", answer={"Retry-After": None}),
        Row("chrome", "/balanced", "503"),
        Row("chrome", "/balanced", "503", answer={"Retry-After": "^(60|5[0-9])$"}),
    )),
    Site("a backend that speaks no WebSocket", """
        ProxyPass /ws ws://{pages}/
        """, (
        Row("chrome", "/ws", "502", "200 pages /", "a page is no answer to a handshake, and the log says what is wrong"),
    )),
    Site("authentication before the handshake", """
        <Location /ws>
            AuthType Basic
            AuthName chat
            AuthUserFile {root}/passwords
            Require valid-user
            ProxyPass ws://{chat}/
        </Location>
        <Location /far>
            Require ip 192.0.2.1
            ProxyPass ws://{chat}/
        </Location>
        """, (
        Row("chrome", "/ws", "401", answer={"WWW-Authenticate": "Basic"}),
        Row("chrome", "/ws", "401", send=(("Authorization", "Basic dXNlcjp3cm9uZw=="),)),
        Row("firefox", "/ws", "101 chat /", send=(("Authorization", "Basic dXNlcjpwYXNzd29yZA=="),)),
        Row("chrome", "/far", "403"),
    )),
    Site("headers changed on the way", """
        ProxyPreserveHost On
        ProxyAddHeaders Off
        RequestHeader set X-Forwarded-Proto https
        RequestHeader unset Origin
        Header set X-Set set
        Header always add X-Always always
        Header add Set-Cookie "ROUTEID=.1; path=/"
        ProxyPass /ws ws://{chat}/inner
        ProxyPassReverseCookiePath /inner /ws
        """, (
        Row("chrome", "/ws", "101 chat /inner",
            answer={"X-Set": "^set$", "X-Always": "^always$", "Set-Cookie": "^sid=1; Path=/ws, ROUTEID=.1; path=/$"},
            seen={"Host": "^localhost$", "X-Forwarded-For": None, "X-Forwarded-Proto": "^https$", "Origin": None}),
    )),
    Site("a redirect and an error page of the site", """
        Redirect permanent /old http://localhost/ws
        ErrorDocument 503 "come back later"
        ProxyPass /old !
        ProxyPass / ws://{nobody}/
        """, (
        Row("chrome", "/old", "301", answer={"Location": "^http://localhost/ws$"}),
        Row("chrome", "/ws", "503", answer={"Content-Length": "^15$"}),
    )),
)
