"""Every variable, function and operator of httpd's expressions as the condition of an access log, and every item of a log
format: a tunnel's line says what it says with mod_proxy_wstunnel, whose request is there to its end."""

import pytest

from harness.client import finish_handshake, start_handshake
from harness.pair import Pair
from harness.waiting import wait_until

RUNS_ON = ["event"]   # the same code reads and writes records with every MPM

# server/util_expr_eval.c, each with a value that it has in the tunnels below: in all of them, or, with TLS or without, in some.
VARIABLES = {
    "HTTPS": "on", "IPV6": "off", "CONN_REMOTE_ADDR": "127.0.0.1", "HTTP2": "off",
    "REQUEST_METHOD": "GET", "REQUEST_SCHEME": "https", "REQUEST_URI": "/ws/plain", "REMOTE_HOST": "127.0.0.1",
    "REMOTE_IDENT": "", "REMOTE_USER": "visitor", "SERVER_ADMIN": "admin@chat.example", "SERVER_NAME": "chat.example",
    "SERVER_PORT": "81", "SERVER_PROTOCOL": "HTTP/1.1", "PATH_INFO": "", "QUERY_STRING": "id=7", "IS_SUBREQ": "false",
    "DOCUMENT_ROOT": "{root}/htdocs", "AUTH_TYPE": "Basic", "THE_REQUEST": "GET /ws/plain?id=7 HTTP/1.1",
    "CONTENT_TYPE": "", "HANDLER": "proxy-server", "SCRIPT_USER": "", "SCRIPT_GROUP": "", "DOCUMENT_URI": "/ws/plain",
    "CONTEXT_PREFIX": "", "CONTEXT_DOCUMENT_ROOT": "{root}/htdocs", "REQUEST_STATUS": "101", "REMOTE_ADDR": "127.0.0.1",
    "HTTP_USER_AGENT": "test/1", "HTTP_PROXY_CONNECTION": "", "HTTP_REFERER": "https://from.example/",
    "HTTP_COOKIE": "session=abc", "HTTP_FORWARDED": "for=192.0.2.1", "HTTP_HOST": "chat.example:81", "HTTP_ACCEPT": "*/*",
    "SSL_PROTOCOL": "TLSv1.3", "SSL_CLIENT_VERIFY": "NONE",
}
# Those whose value is not known beforehand. Not REQUEST_LOG_ID: a tunnel always has one, another request only if the error log has a
# line about it.
OTHER_VARIABLES = (
    "REQUEST_FILENAME", "SCRIPT_FILENAME", "CONN_LOG_ID", "LAST_MODIFIED", "REMOTE_PORT", "TIME_YEAR",
    "TIME_MON", "TIME_DAY", "TIME_HOUR", "TIME_MIN", "TIME_SEC", "TIME", "SERVER_SOFTWARE", "API_VERSION",
    "SSL_CIPHER", "SSL_SERVER_S_DN", "SSL_SESSION_ID")

CONDITIONS = [
    # functions
    "req('X-Custom') == 'yes'", "http('X-Custom') == 'yes'", "req_novary('x-custom') == 'yes'", "resp('X-Nothing') == ''",
    "reqenv('TAG') == 'marked'", "env('TAG') == 'marked'", "note('nothing') == ''", "osenv('LANG') == 'C'",
    "tolower('ABC') == 'abc'", "toupper(%{REQUEST_METHOD}) == 'GET'", "escape('a b') == 'a%20b'", "unescape('a%20b') == 'a b'",
    "base64(%{HANDLER}) == 'cHJveHktc2VydmVy'", "unbase64('YWJj') == 'abc'",
    "sha1('abc') == 'a9993e364706816aba3e25717850c26c9cd0d89d'", "md5('abc') == '900150983cd24fb0d6963f7d28e17f72'",
    "ldap('a*') == 'a\\2a'", "file('{root}/word') == 'word'", "filesize('{root}/word') == 4",
    "file('%{DOCUMENT_ROOT}/../word') == 'word'", "SSL('SSL_PROTOCOL') == 'TLSv1.3'", "SSL(reqenv('NAME')) == 'TLSv1.3'",
    "'nothing' -in PeerExtList('2.5.29.17')",
    # operators
    "-R '127.0.0.0/8'", "-R '10.0.0.0/8'", "-T 'on'", "-T 'off'", "-d '{root}/htdocs'", "-e '{root}/nothing'",
    "-f '{root}/word'", "-s '{root}/word'", "-L '{root}/word'", "-h '{root}/word'", "-x '{root}/word'",
    "-F '{root}/htdocs/index.html'", "-F '{root}/htdocs/nothing'", "-F reqenv('FILE')", "-U '/index.html'", "-U '/denied'",
    "-A '/index.html'", "-A '/denied'", "-U %{REQUEST_URI}", "-U 'http:' && -A %{REQUEST_URI}", "! -U '/denied'",
    "%{REMOTE_ADDR} -ipmatch '127.0.0.0/8'", "%{REQUEST_URI} -fnmatch '/ws/*'", "%{REQUEST_URI} -strmatch '*plain'",
    "%{REQUEST_URI} -strcmatch '*PLAIN'", "%{DOCUMENT_ROOT} -in {{'nowhere', '{root}/htdocs'}}",
    "%{REQUEST_URI} =~ m#/(ws)/# && '$1' == 'ws'", "%{REQUEST_STATUS} -ge 400", "%{https} == 'on'",
    "%{TIME_YEAR} -ge 2020 && %{TIME_WDAY} -le 6", "%{DOCUMENT_ROOT} == '{root}/htdocs' || -U '/denied'",
    # variables
    *(f"%{{{name}}} == '{value}'" for name, value in VARIABLES.items()),
    *(f"{operator} %{{{name}}}" for operator in ("-n", "-z") for name in (*VARIABLES, *OTHER_VARIABLES)),
]
# mod_proxy_wstunnel knows none of these: what becomes of them is known when the tunnel ends.
OUR_CONDITIONS = {
    "-n %{REQUEST_LOG_ID}": True, "note('ws-close-code') == '1000'": True, "note('ws-close-code') != '1000'": False,
    "note('ws-close-code') == '1000' && -U '/index.html'": True, "note('ws-closed-by') == 'client' && %{HTTPS} == 'off'": True,
    "note('ws-closed-by') == 'client' && -U '/denied'": False, "env('ws-messages-in') == '0'": True,
    "resp('X-Node') == 'n1'": True, "note(reqenv('NOTE')) == '1000'": True,
}

ITEMS = {
    "h": "%h", "ch": "%{c}h", "a": "%a", "ca": "%{c}a", "A": "%A", "l": "%l", "u": "%u", "r": "%r", "last-r": "%>r", "s": "%s",
    "U": "%U", "last-U": "%>U", "q": "%q", "m": "%m", "H": "%H", "v": "%v", "V": "%V", "p": "%p", "canonical": "%{canonical}p",
    "bogus-p": "%{bogus}p", "f": "%f", "R": "%R", "b": "%b", "B": "%B", "in": "%{X-Custom}i",
    "only": "%101{Referer}i", "never": "%!101{Referer}i", "cookie": "%{session}C", "env": "%{TAG}e", "no-note": "%{nothing}n",
    "ti": "%{X}^ti", "to": "%{X}^to", "FB": "%^FB", "percent": "%%", "tz": "%{%Z}t", "bogus-T": "%{bogus}T",
    "x": "%{SSL_PROTOCOL}x", "x-dn": "%{SSL_SERVER_S_DN}x", "cipher": "%{cipher}c", "version": "%{version}c",
    "subjectdn": "%{subjectdn}c", "issuerdn": "%{issuerdn}c", "errcode": "%{errcode}c", "errstr": "%{errstr}c",
}
# Never the same twice.
NUMBERS = {"t": "%{sec}t", "remote": "%{remote}p", "local": "%{local}p", "P": "%P", "tid": "%{tid}P", "D": "%D", "T": "%T", "ms": "%{ms}T", "k": "%k",
           "I": "%I", "O": "%O", "S": "%S", "end": "%{end:msec}t"}

HEADERS = {"Authorization": "Basic dmlzaXRvcjpzZWNyZXQ=", "Referer": "https://from.example/", "User-Agent": "test/1",
           "X-Custom": "yes", "Cookie": "session=abc", "Host": "chat.example:81", "Forwarded": "for=192.0.2.1", "Accept": "*/*"}
FILES = {"users": "visitor:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n", "word": "word", "htdocs/old": ""}


class Tunnel:
    """One of those that are compared: what it asks for, and how."""

    def __init__(self, target, uri=None, host="127.0.0.1", tls=False, headers=()):
        self.target, self.host, self.tls = target, host, tls
        self.uri = uri or target.split("?")[0]
        self.headers = {**HEADERS, **dict(headers)}

    def open(self, server, listener, context):
        client = start_handshake(server.port, self.target, self.headers, context if self.tls else None, host=self.host)
        session = listener.accept()
        session.accept_handshake({"X-Node": "n1"})
        return Pair(finish_handshake(client), session)


TUNNELS = [
    Tunnel("/ws/plain?id=7"),
    # Names are looked up, and the server is called by its own.
    Tunnel("/ws/named?id=7"),
    # Goes to /ws/plain within httpd: some items are about the first request, some about the last.
    Tunnel("/old"),
    # A virtual host with a log of its own, TLS and no port in its name.
    Tunnel("/ws/tls?id=7", host="127.0.0.2", tls=True),
    # Behind another proxy.
    Tunnel("/ws/remote?id=7", headers={"X-Forwarded-For": "192.0.2.9"}),
    # %r hides the password.
    Tunnel("http://somebody:password@chat.example:81/ws/password?id=7", uri="/ws/password"),
]


def configuration(conditions, listener, certificates):
    items = " ".join(f'{name}=<{item}>' for name, item in {**ITEMS, **NUMBERS}.items())
    logs = "\n".join(f'GlobalLog condition-{number}.log "%U" "expr={condition}"' for number, condition in enumerate(conditions))
    return f"""
        ServerAdmin admin@chat.example
        UseCanonicalName Off
        HttpProtocolOptions Unsafe
        RemoteIPHeader X-Forwarded-For
        RemoteIPInternalProxy 127.0.0.1
        SetEnvIf X-Custom yes TAG=marked FILE={{root}}/htdocs/index.html NAME=SSL_PROTOCOL NOTE=ws-close-code
        LogFormat "%U {items}" items
        {logs.replace('{{', '{').replace('}}', '}')}
        <Location /ws>
            AuthType Basic
            AuthName chat
            AuthUserFile {{root}}/users
            AuthBasicProvider file
            Require user visitor
        </Location>
        <Location /ws/named>
            UseCanonicalName On
            HostnameLookups On
        </Location>
        Redirect gone /denied
        <Directory {{root}}/htdocs>
            Require all granted
            RewriteEngine On
            RewriteRule ^old$ /ws/plain?id=8
        </Directory>
        ProxyPass /ws {listener.url}/
        Listen 127.0.0.2:{{port}}
        <VirtualHost 127.0.0.2>
            ServerName localhost
            SSLEngine on
            SSLCertificateFile {certificates.certificate}
            SSLCertificateKeyFile {certificates.key}
            CustomLog of-host.log "%U" "expr=%{{HTTPS}} == 'on' && -U '/index.html'"
        </VirtualHost>
        # The last to be written.
        GlobalLog items.log items
        """


class Logged:
    """What a server's logs say of these tunnels."""

    def __init__(self, server, listener, tls, conditions):
        self._root = server.root
        self.ports = {}
        for tunnel in TUNNELS:
            with tunnel.open(server, listener, tls) as pair:
                self.ports[tunnel.uri] = str(pair.client.sock.getsockname()[1])
                pair.say_goodbye()
        wait_until(lambda: len(self._lines("items.log")) == len(TUNNELS), "a line of each tunnel")
        self.of_host = self._lines("of-host.log")
        self.true = {condition: set(self._lines(f"condition-{number}.log")) for number, condition in enumerate(conditions)}
        self.items = {line.split(" ", 1)[0]: dict(part.rstrip(">").split("=<", 1) for part in line.split(" ", 1)[1].split("> "))
                      for line in self._lines("items.log")}

    def _lines(self, name):
        path = self._root / name
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [line for line in lines if not line.startswith("/index.html")]   # the harness asks for it


@pytest.fixture(scope="module")
def ours(start_shared, module_listener, certificates, tls):
    conditions = [*CONDITIONS, *OUR_CONDITIONS]
    server = start_shared(configuration(conditions, module_listener, certificates), files=FILES, modules=["remoteip"])
    return Logged(server, module_listener, tls, conditions)


@pytest.fixture(scope="module")
def stock(start_shared, module_listener, certificates, tls):
    server = start_shared(configuration(CONDITIONS, module_listener, certificates), files=FILES, modules=["remoteip"],
                          stock=True)
    return Logged(server, module_listener, tls, CONDITIONS)


def test_every_condition_is_judged_as_for_a_request_that_is_whole(ours, stock):
    differ = {condition: (ours.true[condition], paths) for condition, paths in stock.true.items()
              if paths != ours.true[condition]}
    assert differ == {}
    assert ours.of_host == stock.of_host == ["/ws/tls"]


def test_the_values_in_the_conditions_are_those_of_some_tunnel(stock):
    assert [name for name, value in VARIABLES.items() if not stock.true[f"%{{{name}}} == '{value}'"]] == []


def test_a_condition_may_ask_how_the_tunnel_ended(ours):
    judged = {condition: "/ws/plain" in ours.true[condition] for condition in OUR_CONDITIONS}
    assert judged == OUR_CONDITIONS


@pytest.mark.parametrize("uri", [tunnel.uri for tunnel in TUNNELS])
def test_every_item_says_what_it_says_of_a_request_that_is_whole(ours, stock, uri):
    differ = {name: (ours.items[uri][name], stock.items[uri][name]) for name in ITEMS
              if ours.items[uri][name] != stock.items[uri][name]}
    assert differ == {}
    assert [name for name in NUMBERS if not ours.items[uri][name].isdigit()] == []
    assert (ours.items[uri]["remote"] == ours.ports[uri]) == (stock.items[uri]["remote"] == stock.ports[uri])
