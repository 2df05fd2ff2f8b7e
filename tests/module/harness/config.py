"""httpd.conf for a private server: what every test needs, tuned to be small. No process knowledge."""

import functools
import os
import pathlib
import pwd
import subprocess

from . import crashes
from .access_log import FORMAT
from .waiting import COMMAND_BOUND, PATIENCE

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
MODULE = pathlib.Path(os.environ.get("WSP_MODULE") or REPOSITORY / "build/mod_proxy_websocket.so").resolve()
MPMS = ("event", "worker", "prefork")

_MODULES = ("authz_core", "authz_host", "authz_user", "authn_core", "authn_file", "auth_basic", "alias", "dir", "env",
            "headers", "mime", "reqtimeout", "rewrite", "setenvif", "status", "socache_shmcb", "slotmem_shm", "ssl",
            "proxy", "proxy_http", "proxy_balancer", "lbmethod_byrequests")

# Few processes, all there from the start, none stopped for being idle: what a test counts stays put.
_MPM_SIZES = {
    "event": "StartServers 1\nServerLimit 8\nThreadsPerChild 16\nMaxRequestWorkers 128\n"
             "MinSpareThreads 1\nMaxSpareThreads 128",
    "worker": "StartServers 1\nServerLimit 8\nThreadsPerChild 16\nMaxRequestWorkers 128\n"
              "MinSpareThreads 1\nMaxSpareThreads 128",
    "prefork": "StartServers 4\nServerLimit 64\nMaxRequestWorkers 64\nMinSpareServers 1\nMaxSpareServers 64",
}

# What an MPM says when every worker is busy: for tests with more handshakes at once than workers.
MPM_IS_FULL = "AH00484:|AH00286:|AH00287:|AH00161:|AH10159:"

# httpd's own, with or without modules: the parent of worker reads the generation of the child whose slot is taken over
# after the fork (make_child, server/mpm/worker/worker.c), where the new child's first thread may have written its own
# already (update_child_status_internal, server/scoreboard.c). The old child's exit is then counted to the wrong generation.
# Seen with no module of ours where fork() returns to the parent late; no other MPM takes slots over.
WORKER_MISCOUNTS = "AH00546: no record of generation"

# Says something about the machine only: mod_ssl's minor version of OpenSSL is newer than the libssl3 that is installed
# (modules/ssl/ssl_engine_init.c ssl_init_Module). scripts/install-deps brings libssl3 up to date where it may.
OPENSSL_IS_OLDER = "AH01882:"

# Of a child that ends: how many warnings beyond a few a minute it has left out. Each of them was its test's to announce.
LEFT_OUT = "WSP0141:"

ONE_CHILD = {
    "event": "StartServers 1\nServerLimit 1\nThreadsPerChild 16\nMaxRequestWorkers 16\n"
             "MinSpareThreads 1\nMaxSpareThreads 16",
    "worker": "StartServers 1\nServerLimit 1\nThreadsPerChild 16\nMaxRequestWorkers 16\n"
             "MinSpareThreads 1\nMaxSpareThreads 16",
    "prefork": "StartServers 1\nServerLimit 1\nMaxRequestWorkers 1\nMinSpareServers 1\nMaxSpareServers 2",
}


@functools.cache
def library_folder():
    return subprocess.run(["apxs", "-q", "LIBEXECDIR"], check=True, capture_output=True, text=True,
                          timeout=COMMAND_BOUND).stdout.strip()


def _load_lines(mpm, folder, extra, stock, ours_early, without, module):
    extra = [*extra, "proxy_wstunnel"] if stock else extra
    names = [f"mpm_{mpm}", *(name for name in _MODULES if name not in without), *extra]
    if ours_early:   # our module uses functions of mod_proxy
        names.remove("proxy")
        names.insert(0, "proxy")
    lines = [f"LoadModule {name}_module {folder}/mod_{name}.so" for name in names]
    if not stock:
        name = MODULE.stem.removeprefix("mod_")
        lines.insert(1 if ours_early else len(lines), f"LoadModule {name}_module {module}")
    return lines


def _user_lines():
    """httpd started by root must be told whom its children run as."""
    if os.geteuid() != 0:
        return []
    user = next(name for name in ("www-data", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})
    return [f"User {user}", f"Group {'www-data' if user == 'www-data' else 'nogroup'}"]


def build_config(root, port, tls_port, certificates, mpm, lines, mpm_lines=None, modules=(), stock=False,
                 ours_early=False, without=(), module=MODULE):
    """The whole file; `lines` are the test's own, seen by both the plain and the TLS port. `stock`: mod_proxy_wstunnel
    in our module's place. `ours_early`: our module is loaded before all others but mod_proxy, and not behind them.
    `without`: modules that are there otherwise. `module`: the file of ours."""
    return "\n".join([
        f"ServerRoot {root}", "ServerName localhost", "PidFile httpd.pid", "DefaultRuntimeDir run", crashes.DIRECTIVE,
        f"Listen 127.0.0.1:{port}", f"Listen 127.0.0.1:{tls_port}",
        *_load_lines(mpm, library_folder(), modules, stock, ours_early, without, module), *_user_lines(),
        mpm_lines or _MPM_SIZES[mpm],
        "ErrorLog error.log", "LogLevel info", "LogLevel proxy:info",
        f'LogFormat "{FORMAT}" wsp', "CustomLog access.log wsp",
        f"DocumentRoot {root}/htdocs", "ExtendedStatus On", "<Location /server-status>\nSetHandler server-status\n</Location>",
        f"Timeout {15 * PATIENCE}", "KeepAliveTimeout 5", "TypesConfig /dev/null",
        "SSLSessionCache shmcb:run/ssl_cache(512000)", f"SSLProxyCACertificateFile {certificates.ca}", "SSLProxyEngine on",
        lines,
        f"<VirtualHost 127.0.0.1:{tls_port}>", "SSLEngine on", f"SSLCertificateFile {certificates.certificate}",
        f"SSLCertificateKeyFile {certificates.key}", "RewriteEngine On", "RewriteOptions Inherit", "</VirtualHost>", ""])
