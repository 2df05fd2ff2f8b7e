"""Runs the recipes: backends that tell what reached them, one stock httpd with all sites as they stand, and one with our
module and all sites as scripts/migrate --write has left them."""

import base64
import contextlib
import hashlib
import os
import pathlib
import pwd
import re
import socket
import ssl
import subprocess
import threading
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MODULES = ("mpm_event", "authz_core", "alias", "dir", "env", "headers", "rewrite", "setenvif", "slotmem_shm", "socache_shmcb", "ssl",
           "proxy", "proxy_http", "proxy_balancer", "lbmethod_byrequests", "macro", "proxy_wstunnel")
PATIENCE = 20  # seconds; nothing takes nearly as long
MAIN = """\
Define LIBRARIES {libraries}
ServerRoot {root}
ServerName localhost
PidFile httpd.pid
ErrorLog error.log
DefaultRuntimeDir .
Listen 127.0.0.1:${{PORT}}
{modules}
{user}
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
LogLevel crit
SSLProxyVerify none
SSLProxyCheckPeerName off
SSLProxyCheckPeerExpire off
DocumentRoot {root}/htdocs
<Directory {root}/htdocs>
    Require all granted
</Directory>
IncludeOptional sites/*.conf
"""


def user_lines():
    if os.geteuid() != 0:
        return ""
    user = next(name for name in ("www-data", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})
    return f"User {user}\nGroup {'www-data' if user == 'www-data' else 'nogroup'}"


class Backend:
    """Answers every request with its name and the target that it was asked for, a handshake with a 101 that says so."""

    def __init__(self, name, tls=None, path=None):
        self.name, self.tls = name, tls
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen(64)
        self.address = path or f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(peer,), daemon=True).start()

    def answer(self, peer):
        with contextlib.suppress(OSError), contextlib.closing(peer):
            peer.settimeout(PATIENCE)
            peer = self.tls.wrap_socket(peer, server_side=True) if self.tls else peer
            head = read_head(peer)
            target = head.split(" ")[1]
            key = re.search(r"(?im)^sec-websocket-key: *(\S+)", head)
            if key and re.search(r"(?im)^upgrade: *websocket", head):
                accept = base64.b64encode(hashlib.sha1(key[1].encode() + GUID).digest()).decode()
                peer.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Accept: {accept}\r\nX-Seen: {self.name} {target}\r\n\r\n".encode())
                peer.recv(1)  # the client leaves first
            else:
                peer.sendall(f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\nX-Seen: {self.name} {target}\r\n\r\n".encode())

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def read_head(peer):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = peer.recv(4096)
        if not piece:
            break
        data += piece
    return data.decode("latin-1")


def ask(port, request):
    """What httpd makes of a samples.Request: "app /x", "app /x tunnel", "302 http://..." or a status."""
    headers = {"Host": request.host, **{name: value for name, value in request.headers.items() if name != "host"}}
    if not request.is_handshake:
        headers["Connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as peer:
        peer.sendall(f"GET {request.target} HTTP/1.1\r\n{lines}\r\n".encode())
        head = read_head(peer)
    status = head.split(" ")[1] if head else "nothing"
    seen = re.search(r"(?im)^x-seen: *(.*\S)", head)
    if seen:
        return seen[1] + (" tunnel" if status == "101" else "")
    location = re.search(r"(?im)^location: *(.*\S)", head)
    return f"{status} {location[1]}" if location else status


class Httpd:
    """A private server."""

    def __init__(self, folder):
        self.folder = folder
        for _ in range(3):  # somebody else may take a free port first
            self.start(free_port())
            if self.listens():
                return
        raise AssertionError(f"httpd has not started: {self.said}{self.log()}")

    def start(self, port):
        self.port = port
        binary = next(path for path in ("/usr/sbin/apache2", "/usr/sbin/httpd", "/usr/local/apache2/bin/httpd") if os.path.exists(path))
        self.process = subprocess.Popen([binary, "-DFOREGROUND", "-d", self.folder, "-f", self.folder / "httpd.conf",
                                         "-C", f"Define PORT {port}"], stderr=subprocess.PIPE, text=True)

    def listens(self):
        """Whether it does, before it ends or patience does; else `said` has what it has said."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            if (self.folder / "httpd.pid").exists():  # written behind listen()
                return True
            time.sleep(0.02)
        self.process.terminate()
        self.said = self.process.communicate(timeout=PATIENCE)[1]
        return False

    def log(self):
        path = pathlib.Path(self.folder) / "error.log"
        return path.read_text() if path.exists() else ""

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stderr.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder):
    """A TLS context for backends."""
    file = folder / "backend.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file,
                    "-out", folder / "backend.crt", "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True, timeout=120)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "backend.crt", file)
    return context


def filled_in(text, addresses):
    for name, address in addresses.items():
        text = text.replace("{%s}" % name, address)
    return text


def write_sites(folder, libraries, sites):
    """The folder of a server with all sites; `sites` are texts by name."""
    (folder / "sites").mkdir(parents=True)
    (folder / "htdocs").mkdir()
    loads = "\n".join(f"LoadModule {name}_module ${{LIBRARIES}}/mod_{name}.so" for name in MODULES)
    (folder / "httpd.conf").write_text(MAIN.format(libraries=libraries, root=folder, modules=loads, user=user_lines()))
    for name, text in sites.items():
        (folder / f"sites/{name}.conf").write_text(text)


def vhost(recipe):
    return f"<VirtualHost *>\nServerName {recipe.name}.test\n{recipe.body.strip()}\n</VirtualHost>\n"
