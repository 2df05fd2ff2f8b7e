"""GnuTLS (libgnutls.so.30, which apt needs) as the TLS of either end: a second implementation of TLS 1.3, with KeyUpdate, padding and
late tickets, which Python's ssl has not."""

import ctypes
import socket
import ssl
import struct
import time

from .waiting import BOUND

_SERVER, _CLIENT = 1, 2
_CERTIFICATES, _DNS = 1, 1
_PEM = 1
_AGAIN, _INTERRUPTED = -28, -52
_WARNING_ALERT, _FATAL_ALERT = -16, -12
_SHUT_WR = 1
_PEER_TOO = 1


class _Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]


def _library():
    library = ctypes.CDLL("libgnutls.so.30")
    library.gnutls_record_send2.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_uint]
    library.gnutls_record_send2.restype = library.gnutls_record_recv.restype = ctypes.c_ssize_t
    library.gnutls_record_recv.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    library.gnutls_strerror.restype = library.gnutls_ciphersuite_get.restype = ctypes.c_char_p
    return library


class GnutlsError(ssl.SSLError):
    """What GnuTLS says; `alert` is what the peer said, or None."""

    def __init__(self, library, session, code):
        super().__init__(library.gnutls_strerror(code).decode())
        self.alert = library.gnutls_alert_get(session) if code in (_WARNING_ALERT, _FATAL_ALERT) else None


class GnutlsContext:
    """Wraps sockets as an SSLContext does. TLS 1.3 alone, with one cipher, by GnuTLS's name."""

    def __init__(self, certificates, cipher="AES-256-GCM"):
        self._library = _library()
        self._priority = f"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{cipher}".encode()
        self._credentials = ctypes.c_void_p()
        self._ticket_key = _Datum()
        self._names = []
        self._call("certificate_allocate_credentials", ctypes.byref(self._credentials))
        self._call("certificate_set_x509_trust_file", self._credentials, str(certificates.ca).encode(), _PEM)
        self._call("certificate_set_x509_key_file", self._credentials, str(certificates.certificate).encode(),
                   str(certificates.key).encode(), _PEM)
        self._call("session_ticket_key_generate", ctypes.byref(self._ticket_key))

    def _call(self, name, *arguments):
        code = getattr(self._library, f"gnutls_{name}")(*arguments)
        if code < 0:
            raise GnutlsError(self._library, None, code)
        return code

    def wrap_socket(self, sock, server_side=False, server_hostname=None, suppress_ragged_eofs=False):
        session = ctypes.c_void_p()
        self._call("init", ctypes.byref(session), _SERVER if server_side else _CLIENT)
        self._call("priority_set_direct", session, self._priority, None)
        self._call("credentials_set", session, _CERTIFICATES, self._credentials)
        if server_side:
            self._call("session_ticket_enable_server", session, ctypes.byref(self._ticket_key))
        else:
            name = ctypes.create_string_buffer(server_hostname.encode())
            self._names.append(name)   # GnuTLS keeps the address
            self._call("server_name_set", session, _DNS, name, len(name) - 1)
            self._library.gnutls_session_set_verify_cert(session, name, 0)
        return GnutlsSocket(self._library, session, sock)


class GnutlsSocket:
    """A socket as Peer uses it, in one thread at a time."""

    def __init__(self, library, session, sock):
        self._library, self._session, self._sock = library, session, sock
        self._seconds = BOUND
        self.settimeout(BOUND)
        library.gnutls_transport_set_int2(session, sock.fileno(), sock.fileno())
        self._until_done("handshake")
        self.suite = library.gnutls_ciphersuite_get(session).decode()

    def _until_done(self, name, *arguments):
        """GnuTLS asks to be called again behind a ticket or a KeyUpdate, too."""
        function, deadline = getattr(self._library, f"gnutls_{name}"), time.monotonic() + self._seconds
        while (code := function(self._session, *arguments)) < 0:
            if code not in (_AGAIN, _INTERRUPTED):
                raise GnutlsError(self._library, self._session, code)
            if time.monotonic() >= deadline:
                raise TimeoutError(f"gnutls_{name}: nothing came in time")
        return code

    def sendall(self, data, padding=0):
        for start in range(0, len(data), 16384 - padding):
            piece = data[start: start + 16384 - padding]
            self._until_done("record_send2", piece, len(piece), padding, 0)

    def recv(self, limit):
        buffer = ctypes.create_string_buffer(min(limit, 1 << 16))
        count = self._until_done("record_recv", buffer, len(buffer))
        return buffer.raw[:count]

    def update_keys(self, ask=False):
        self._until_done("session_key_update", _PEER_TOO if ask else 0)

    def send_tickets(self, count):
        """A server's, behind the handshake."""
        self._until_done("session_ticket_send", count, 0)

    def shutdown(self, how):
        """With SHUT_WR a close_notify; TCP stays open."""
        assert how == socket.SHUT_WR
        self._until_done("bye", _SHUT_WR)

    @property
    def family(self):
        return self._sock.family

    def fileno(self):
        return self._sock.fileno()

    def settimeout(self, seconds):
        """The kernel's, below GnuTLS; the descriptor blocks."""
        self._seconds = seconds
        self._sock.setblocking(True)
        for which in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._sock.setsockopt(socket.SOL_SOCKET, which, struct.pack("ll", int(seconds), 0))

    def setsockopt(self, *arguments):
        self._sock.setsockopt(*arguments)

    def detach(self):
        return self._sock.detach()

    def close(self):
        self._sock.close()
        if self._session:
            self._library.gnutls_deinit(self._session)
            self._session = None
