"""TLS 1.3 peers that make every record themselves, so that a test can send what no library sends: RFC 8446 5 and 7 by hand.

OpenSSL does the handshake, from and to memory; then its two traffic secrets are taken out of its key log, and every record from
there on is read and written here."""

import select
import socket
import ssl
import struct
import tempfile

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

# Content types (RFC 8446 5.1) and types of handshake messages (4).
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
CLIENT_HELLO, NEW_SESSION_TICKET, CERTIFICATE_REQUEST, KEY_UPDATE = 1, 4, 13, 24
# Alerts (6).
CLOSE_NOTIFY, UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW = 0, 10, 20, 22
ILLEGAL_PARAMETER, DECODE_ERROR, INTERNAL_ERROR, USER_CANCELED = 47, 50, 80, 90
WARNING, FATAL = 1, 2

MAX_PLAIN = 16384
_SUITES = {"TLS_AES_128_GCM_SHA256": (AESGCM, 16, hashes.SHA256), "TLS_AES_256_GCM_SHA384": (AESGCM, 32, hashes.SHA384),
           "TLS_CHACHA20_POLY1305_SHA256": (ChaCha20Poly1305, 32, hashes.SHA256)}
SUITES = tuple(_SUITES)


class AlertReceived(ConnectionError):
    """The peer has ended the connection with an alert, which is `code`."""

    def __init__(self, code):
        super().__init__(f"TLS alert {code}")
        self.code = code


def handshake_message(kind, body=b""):
    return struct.pack("!B", kind) + len(body).to_bytes(3, "big") + body


def new_session_ticket(size):
    """A NewSessionTicket (4.6.1) with a ticket of `size` bytes that nobody can use."""
    ticket = bytes(index % 251 for index in range(size))
    return handshake_message(NEW_SESSION_TICKET, struct.pack("!IIB", 7200, 1, 8) + bytes(8) + struct.pack("!H", size)
                             + ticket + struct.pack("!H", 0))


class Way:
    """One direction: key, iv and counter. Sealing and opening count."""

    def __init__(self, suite, secret):
        self._aead, self._key_size, self._hash = _SUITES[suite]
        self._take(secret)

    def _take(self, secret):
        self._secret, self.sequence = secret, 0
        self._cipher = self._aead(self._expand(b"key", self._key_size))
        self._iv = int.from_bytes(self._expand(b"iv", 12), "big")

    def _expand(self, label, size):
        """HKDF-Expand-Label (7.1) with an empty context."""
        label = b"tls13 " + label
        info = struct.pack("!HB", size, len(label)) + label + b"\0"
        return HKDFExpand(self._hash(), size, info).derive(self._secret)

    def update(self):
        """The next key (7.2)."""
        self._take(self._expand(b"traffic upd", self._hash.digest_size))

    def _next_nonce(self):
        nonce = (self._iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return nonce

    def seal(self, kind, data, padding=0):
        """A record; a `kind` of None leaves out the byte that says what is in it."""
        inner = data + (b"" if kind is None else bytes([kind])) + bytes(padding)
        head = struct.pack("!BHH", DATA, 0x0303, len(inner) + 16)
        return head + self._cipher.encrypt(self._next_nonce(), inner, head)

    def open(self, record):
        """(content type, content)."""
        try:
            inner = self._cipher.decrypt(self._next_nonce(), record[5:], record[:5]).rstrip(b"\0")
        except InvalidTag:
            raise AssertionError(f"record {self.sequence - 1} under this key cannot be opened") from None
        assert record[0] == DATA and inner, record[:5]
        return inner[-1], inner[:-1]


class CountedSocket:
    """A TCP socket that counts the bytes it carries."""

    def __init__(self, sock):
        self._sock = sock
        self.sent = self.received = 0

    def sendall(self, data):
        self._sock.sendall(data)
        self.sent += len(data)

    def recv(self, limit):
        data = self._sock.recv(limit)
        self.received += len(data)
        return data

    def __getattr__(self, name):
        return getattr(self._sock, name)


class RecordContext:
    """Wraps sockets as an SSLContext does; `context` is the one that is used for the handshake."""

    def __init__(self, context):
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if context.protocol == ssl.PROTOCOL_TLS_SERVER:
            context.num_tickets = 0
        self._log = tempfile.NamedTemporaryFile(prefix="wsp-keys-")
        context.keylog_filename = self._log.name
        self._context = context

    def wrap_socket(self, sock, server_side=False, server_hostname=None, suppress_ragged_eofs=False):
        """Shakes hands. An end without close_notify is always an error."""
        sock = CountedSocket(sock)
        records_in, records_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(records_in, records_out, server_side, server_hostname)
        hello = b""   # the ClientHello, by which the key log names the connection
        while True:
            try:
                tls.do_handshake()
                wants_more = False
            except ssl.SSLWantReadError:
                wants_more = True
            if out := records_out.read():
                hello = hello or out
                sock.sendall(out)
            if not wants_more:
                secrets = self._secrets_of(hello[11:43])
                return RecordSocket(sock, server_side, tls.cipher()[0], *secrets)
            record = _read_record(sock)
            if server_side:
                hello = hello or record
            records_in.write(record)

    def _secrets_of(self, client_random):
        """(client's, server's), of application data."""
        lines = map(str.split, self.key_log_lines())
        found = {label: bytes.fromhex(secret) for label, random, secret in lines if random == client_random.hex()}
        return found["CLIENT_TRAFFIC_SECRET_0"], found["SERVER_TRAFFIC_SECRET_0"]

    def key_log_lines(self):
        """As SSLKEYLOGFILE has them, of all connections so far."""
        with open(self._log.name, encoding="ascii") as log:
            return [line.strip() for line in log if not line.startswith("#")]


def _read_record(sock):
    head = _read_exactly(sock, 5)
    return head + _read_exactly(sock, int.from_bytes(head[3:], "big"))


def _read_exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ssl.SSLEOFError(f"TCP ended without a close_notify, behind {data!r}")
        data += more
    return data


class RecordSocket:
    """A socket as Peer uses it, and what else a test may want to say. What it reads is judged as RFC 8446 demands."""

    def __init__(self, sock, is_server, suite, client_secret, server_secret):
        self.raw = sock
        self.suite = suite
        self.tickets = self.key_updates = self.data_records = 0   # of the peer's
        self.answers_key_updates = True
        ways = Way(suite, client_secret), Way(suite, server_secret)
        self.reading, self.writing = ways if is_server else ways[::-1]
        self._unopened = b""    # records, the last one perhaps not whole
        self._data = b""
        self._handshake = b""   # a message that has begun
        self._is_over = False

    # --- what the peer says ---
    def recv(self, limit):
        while not self._data and not self._is_over:
            if not self._take_whole_record():
                self._receive()
        data, self._data = self._data[:limit], self._data[limit:]
        return data

    def recv_now(self):
        """What has come in whole records, which may be nothing."""
        if select.select([self.raw], [], [], 0)[0]:
            self._receive()
        while not self._is_over and self._take_whole_record():
            pass
        data, self._data = self._data, b""
        return data

    def _receive(self):
        more = self.raw.recv(1 << 17)
        if not more:
            raise ssl.SSLEOFError(f"TCP ended without a close_notify, behind {self._unopened[:100]!r}")
        self._unopened += more

    def _take_whole_record(self):
        """False when there is none."""
        end = 5 + int.from_bytes(self._unopened[3:5], "big")
        if len(self._unopened) < max(end, 6):
            return False
        record, self._unopened = self._unopened[:end], self._unopened[end:]
        self._take_record(record)
        return True

    def _take_record(self, record):
        kind, content = self.reading.open(record)
        assert len(content) <= MAX_PLAIN, len(content)
        assert kind == HANDSHAKE or not self._handshake, "a handshake message is interrupted"
        if kind == DATA:
            self.data_records += 1
            self._data += content
        elif kind == ALERT:
            self._is_over = True
            if content[1] != CLOSE_NOTIFY:
                raise AlertReceived(content[1])
        else:
            assert kind == HANDSHAKE and content, (kind, content)
            self._handshake += content
            while len(self._handshake) >= 4 + int.from_bytes(self._handshake[1:4], "big"):
                self._take_message()

    def _take_message(self):
        end = 4 + int.from_bytes(self._handshake[1:4], "big")
        kind, body, self._handshake = self._handshake[0], self._handshake[4:end], self._handshake[end:]
        if kind == NEW_SESSION_TICKET:
            self.tickets += 1
            return
        assert kind == KEY_UPDATE and body in (b"\0", b"\1") and not self._handshake, (kind, body)
        self.key_updates += 1
        self.reading.update()
        if body == b"\1" and self.answers_key_updates:
            self.update_keys()

    # --- what it is told ---
    def sendall(self, data, record_size=MAX_PLAIN, padding=0):
        self.raw.sendall(b"".join(self.writing.seal(DATA, data[start: start + record_size], padding)
                                  for start in range(0, len(data), record_size)))

    def send_record(self, kind, content, padding=0):
        self.raw.sendall(self.writing.seal(kind, content, padding))

    def send_handshake(self, message, record_size=MAX_PLAIN):
        """In records of that size."""
        self.raw.sendall(b"".join(self.writing.seal(HANDSHAKE, message[start: start + record_size])
                                  for start in range(0, len(message), record_size)))

    def update_keys(self, ask=False):
        self.send_record(HANDSHAKE, handshake_message(KEY_UPDATE, b"\1" if ask else b"\0"))
        self.writing.update()

    def send_alert(self, code, level=FATAL):
        self.send_record(ALERT, bytes([level, code]))

    def shutdown(self, how):
        """With SHUT_WR a close_notify; TCP stays open."""
        assert how == socket.SHUT_WR
        self.send_alert(CLOSE_NOTIFY, WARNING)

    # --- the rest of a socket ---
    @property
    def family(self):
        return self.raw.family

    def fileno(self):
        return self.raw.fileno()

    def pending(self):
        return len(self._data)

    def settimeout(self, seconds):
        self.raw.settimeout(seconds)

    def setsockopt(self, *arguments):
        self.raw.setsockopt(*arguments)

    def detach(self):
        return self.raw.detach()

    def close(self):
        """Without a close_notify, as any TLS library does."""
        self.raw.close()


def alert_of(tls):
    """The alert that ends the connection; None where TCP alone ends it."""
    try:
        while tls.recv(65536):
            pass
        return CLOSE_NOTIFY
    except AlertReceived as alert:
        return alert.code
    except ssl.SSLEOFError:
        return None
