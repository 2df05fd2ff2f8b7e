"""Every kind of gate that an administrator puts before a path, and what becomes of a handshake there. Data only.

{path} is /WAY/GATE, a path under each way in (ways.py); {number} is another number in each place. In "directory", "files",
"htaccess" and "redirect" what looks like a gate is none for proxied paths, with either module: docs/operations.md says so."""

from dataclasses import dataclass, field

from .ways import WAYS

# mapping=encoded maps before the rewrite rules of the server are asked.
_TOO_EARLY = {"encoded": 101}
# no-proxy is about mappings; a rule has conditions of its own.
_BY_RULE = {"rewrite": 101, "recipe": 101}
ALL = tuple(way.name for way in WAYS)


@dataclass(frozen=True)
class Gate:
    name: str
    lines: str            # in the server
    answer: int           # to a handshake; with every way in, both modules
    but: dict = field(default_factory=dict)     # way -> another answer, both modules
    stock: dict = field(default_factory=dict)   # way -> what stock answers where we differ on purpose
    why: str = ""         # there are such
    asked: str = "{path}/x"   # the path of the request
    send: tuple = ()      # further headers

    def request(self, way):
        """The path that a client asks for."""
        path = f"/{way.name}/{self.name}"
        encoded = "".join(letter if letter == "/" else f"%{ord(letter):02x}" for letter in path)
        spelt = {"path": path, "encoded": encoded, "capitals": path.upper(), "twice": encoded.replace("%", "%25")}
        return self.asked.format(**spelt)


def _location(lines):
    return f'<Location "{{path}}">\n{lines}\n</Location>'


_BASIC = 'AuthType Basic\nAuthName x\nAuthBasicProvider file\nAuthUserFile {root}/passwords'
_USER = (("Authorization", "Basic dXNlcjpwYXNzd29yZA=="),)   # user:password
_WRONG = (("Authorization", "Basic dXNlcjp3cm9uZw=="),)       # user:wrong

GATES = (
    Gate("open", "", 101),
    # --- Require, in every context ---
    Gate("location", _location("Require all denied"), 403),
    Gate("locationmatch", '<LocationMatch "^{path}/">\nRequire all denied\n</LocationMatch>', 403),
    Gate("if", '<If "%{REQUEST_URI} =~ m#^{path}/#">\nRequire all denied\n</If>', 403),
    Gate("if-in-location", _location('<If "%{HTTP:Upgrade} == \'websocket\'">\nRequire all denied\n</If>'), 403),
    Gate("proxy", '<ProxyMatch "^(ws|http|balancer)://[^/]*{path}/">\nRequire all denied\n</ProxyMatch>', 403),
    Gate("directory", '<Directory "{root}/htdocs{path}">\nRequire all denied\n</Directory>', 101),
    Gate("files", '<Files "behind-files">\nRequire all denied\n</Files>', 101, asked="{path}/behind-files"),
    Gate("htaccess", "", 101),   # htdocs{path}/.htaccess denies
    Gate("limit", _location("<Limit GET>\nRequire all denied\n</Limit>"), 403),
    Gate("limit-others", _location("<Limit POST>\nRequire all denied\n</Limit>"), 101),
    Gate("limitexcept", _location("<LimitExcept POST>\nRequire all denied\n</LimitExcept>"), 403),
    Gate("limitexcept-get", _location("<LimitExcept GET>\nRequire all denied\n</LimitExcept>"), 101),
    # --- who and whence ---
    Gate("basic", _location(f"{_BASIC}\nRequire valid-user"), 401),
    Gate("basic-wrong", _location(f"{_BASIC}\nRequire valid-user"), 401, send=_WRONG),
    Gate("basic-right", _location(f"{_BASIC}\nRequire valid-user"), 101, send=_USER),
    Gate("other-user", _location(f"{_BASIC}\nRequire user somebody"), 401, send=_USER),
    Gate("group", _location(f"{_BASIC}\nAuthGroupFile {{root}}/groups\nRequire group members"), 101, send=_USER),
    Gate("other-group", _location(f"{_BASIC}\nAuthGroupFile {{root}}/groups\nRequire group others"), 401, send=_USER),
    Gate("no-authentication", _location("Require valid-user"), 500),
    Gate("digest", _location('AuthType Digest\nAuthName x\nAuthUserFile {root}/passwords\nRequire valid-user'), 401),
    Gate("ip", _location("Require ip 192.0.2.0/24"), 403),
    Gate("local", _location("Require local"), 101),
    Gate("not-local", _location("<RequireAll>\nRequire all granted\nRequire not local\n</RequireAll>"), 403),
    Gate("none-of", _location("<RequireAll>\nRequire all granted\n<RequireNone>\nRequire method GET\n</RequireNone>\n"
                              "</RequireAll>"), 403),
    Gate("method", _location("Require method POST"), 403),
    Gate("expr", _location("Require expr \"%{HTTP:Origin} == 'http://elsewhere'\""), 403),
    Gate("env", _location("SetEnvIf Origin elsewhere let_in\nRequire env let_in"), 403),
    Gate("order", _location("Order allow,deny\nDeny from all"), 403),
    Gate("satisfy-any", _location(f"{_BASIC}\nRequire valid-user\nOrder allow,deny\nAllow from 127.0.0.1\nSatisfy any"), 101),
    Gate("tls-only", _location("SSLRequireSSL"), 403),
    # --- rules ---
    Gate("rule", "RewriteRule ^{path}/ - [F]", 403, but=_TOO_EARLY),
    Gate("rule-gone", "RewriteRule ^{path}/ - [G]", 410, but=_TOO_EARLY),
    Gate("rule-redirect", "RewriteRule ^{path}/ /elsewhere [R=307]", 307, but=_TOO_EARLY),
    Gate("rule-origin", "RewriteCond %{HTTP:Origin} !elsewhere\nRewriteRule ^{path}/ - [F]", 403, but=_TOO_EARLY),
    Gate("rule-in-location", _location("RewriteEngine On\nRewriteRule . - [F]"), 403),
    Gate("security2-1", 'SecRule REQUEST_URI "@beginsWith {path}/" "id:{number},phase:1,deny,status:406"', 406),
    Gate("security2-2", 'SecRule REQUEST_URI "@beginsWith {path}/" "id:{number},phase:2,deny,status:406"', 406),
    Gate("security2-header", 'SecRule REQUEST_HEADERS:Upgrade "@streq websocket" "id:{number},phase:1,deny,status:406,chain"\n'
         'SecRule REQUEST_URI "@beginsWith {path}/"', 406),
    Gate("redirect", "RedirectMatch 403 ^{path}/", 101),
    Gate("redirect-in-location", _location("Redirect 403"), 403),
    Gate("allowmethods", _location("AllowMethods POST"), 405),
    Gate("no-proxy", 'SetEnvIf Request_URI "^{path}/" no-proxy', 404, but=_BY_RULE),
    # --- sizes ---
    Gate("fields", "", 400, send=tuple((f"X-{number}", "1") for number in range(101))),
    Gate("field-size", "", 400, send=(("X-Long", "x" * 8200),)),
    Gate("line", "", 414, asked="{path}/" + "x" * 8200),
    Gate("body", _location("LimitRequestBody 1"), 400, stock=dict.fromkeys(ALL, 101), send=(("Content-Length", "2"),),
         why="a handshake has no body; stock forwards its headers and takes the body for frames"),
    # --- other ways to write the path of a gate ---
    Gate("dots", _location("Require all denied"), 403, asked="/x/..{path}/./y/../x"),
    Gate("encoded-dots", _location("Require all denied"), 403, asked="/x/%2e%2E{path}/%2e/x"),
    Gate("slashes", _location("Require all denied"), 403, asked="/{path}//x"),
    Gate("letters", _location("Require all denied"), 403, asked="{encoded}/x"),
    Gate("encoded-slash", _location("Require all denied"), 404, but={"encoded": 403}, asked="{path}/a%2Fb"),
    Gate("capitals", _location("Require all denied"), 404, asked="{capitals}/x"),
    Gate("twice-encoded", _location("Require all denied"), 404, asked="{twice}/x"),
    Gate("parameter", _location("Require all denied"), 403, asked="{path}/;a=b/x"),
)
