"""The proxies that are compared: how each is called, configured and started. Every one gets one process that serves,
one event loop where it has any, access logging, and otherwise the defaults of its Debian package."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess

_CONF = pathlib.Path(__file__).parent / "conf"
_SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_SPARE_THREADS = 25  # Debian's ThreadsPerChild


def _user_lines(form):
    """Root must say whom the serving process runs as; anybody else may not."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return form if os.geteuid() == 0 and "www-data" in names else ""


class Peer:
    """One proxy: its name in the table, its program, and its configuration with words to fill in."""

    def __init__(self, name, program, template):
        self.name = name
        self.program = shutil.which(program, path=_SEARCH)  # None: not installed
        self._template = template

    def version(self):
        raise NotImplementedError

    def command(self, config):
        """What starts it in the foreground."""
        raise NotImplementedError

    def words(self, tunnels):
        """What its template needs besides what all templates get, when `tunnels` are to fit in at once. Values may hold
        words that all templates get."""
        raise NotImplementedError

    def configuration(self, given, tunnels):
        text = (_CONF / self._template).read_text(encoding="utf-8")
        for word, value in [*self.words(tunnels).items(), *given.items()]:
            text = text.replace(f"@{word}@", str(value))
        left = re.search(r"@[A-Z_]+@", text)
        if left:
            raise ValueError(f"{self._template}: nothing to fill in for {left[0]}")
        return text

    def _ask(self, option, pattern):
        said = subprocess.run([self.program, option], capture_output=True, text=True, check=True)
        return re.search(pattern, said.stdout + said.stderr)[1]


class Httpd(Peer):
    def __init__(self, name, proxy_lines, holds_threads):
        super().__init__(name, "apache2", "httpd.conf")
        self._proxy_lines = proxy_lines
        self._holds_threads = holds_threads  # a tunnel keeps the thread that it came in on

    def version(self):
        return "httpd " + self._ask("-v", r"Apache/(\S+)")

    def command(self, config):
        return [self.program, "-f", str(config), "-DFOREGROUND"]

    def words(self, tunnels):
        folder = subprocess.run(["apxs", "-q", "LIBEXECDIR"], check=True, capture_output=True, text=True).stdout.strip()
        return {
            "PROXY_LINES": "\n".join(self._proxy_lines),
            "MODULES": folder,
            "THREADS": _SPARE_THREADS + (tunnels if self._holds_threads else 0),
            "USER_LINES": _user_lines("User www-data\nGroup www-data"),
        }


class Nginx(Peer):
    def __init__(self, name, http_lines=""):
        super().__init__(name, "nginx", "nginx.conf")
        self._http_lines = http_lines

    def version(self):
        return "nginx " + self._ask("-v", r"nginx/(\S+)")

    def command(self, config):
        return [self.program, "-c", str(config), "-p", str(config.parent), "-e", str(config.parent / "error.log")]

    def words(self, tunnels):
        return {
            "CONNECTIONS": 3 * tunnels + 200,  # two each; with less than a 16th left nginx closes idle ones
            "HTTP_LINES": self._http_lines,
            "USER_LINES": _user_lines("user www-data;"),
        }


class Haproxy(Peer):
    def __init__(self, name, global_lines=""):
        super().__init__(name, "haproxy", "haproxy.cfg")
        self._global_lines = global_lines

    def version(self):
        return "HAProxy " + self._ask("-v", r"version (\S+)")

    def command(self, config):
        return [self.program, "-db", "-f", str(config)]

    def words(self, tunnels):
        return {"CONNECTIONS": tunnels + 100, "GLOBAL_LINES": self._global_lines}


def _load_module(name):
    return f'LoadModule {name}_module "@MODULES@/mod_{name}.so"'


_OUR_LINES = ['LoadModule proxy_websocket_module "@OUR_MODULE@"', 'ProxyPass "/" "ws://127.0.0.1:@BACKEND@/"']

# The first is the one that all others are compared with.
PEERS = {
    "ours": Httpd("mod_proxy_websocket", _OUR_LINES, False),
    "wstunnel": Httpd(
        "mod_proxy_wstunnel",
        [_load_module("proxy_wstunnel"), 'ProxyPass "/" "ws://127.0.0.1:@BACKEND@/"'], True),
    "http": Httpd(
        "mod_proxy_http upgrade=",
        [_load_module("proxy_http"), 'ProxyPass "/" "http://127.0.0.1:@BACKEND@/" upgrade=websocket'], True),
    "nginx": Nginx("nginx"),
    "haproxy": Haproxy("HAProxy"),
    # Not run unless asked for: ours with the TLS records of OpenSSL, as all others have them,
    "ours-openssl": Httpd("mod_proxy_websocket, OpenSSL's records", [*_OUR_LINES, "ProxyWebsocketOwnRecords Off"], False),
    # and two with buffers as large as the ones that our pump reads into.
    "nginx-64k": Nginx("nginx, 64 KiB buffers", "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;"),
    "haproxy-64k": Haproxy("HAProxy, 64 KiB buffers", "tune.bufsize 65536"),
}
DEFAULT_PEERS = ("ours", "wstunnel", "http", "nginx", "haproxy")
