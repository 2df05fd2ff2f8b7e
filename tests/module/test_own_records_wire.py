"""What a TLS 1.3 peer can put into records while a tunnel is open, right and wrong, from either side. With own records and with OpenSSL:
what one of them refuses the other refuses as well, and says why with an alert."""

import os
import socket
import struct

import pytest

from harness import frames, own_records
from harness.backend import Listener
from harness.client import finish_handshake
from harness.exchange import SIZES, carry, converse
from harness.http1 import handshake_request
from harness.pair import Pair, open_pair
from harness.peer import connect
from harness.processes import unread_bytes
from harness.tls_records import (ALERT, BAD_RECORD_MAC, CERTIFICATE_REQUEST, CHANGE_CIPHER_SPEC, CLIENT_HELLO, CLOSE_NOTIFY, DATA,
                                 DECODE_ERROR, FATAL, HANDSHAKE, ILLEGAL_PARAMETER, INTERNAL_ERROR, KEY_UPDATE, MAX_PLAIN,
                                 RECORD_OVERFLOW, UNEXPECTED_MESSAGE, USER_CANCELED, WARNING, RecordContext, alert_of,
                                 handshake_message, new_session_ticket)
from harness.waiting import wait_until

RUNS_ON = ["event"]   # the streams are the same on all


class Site:
    """One side of a tunnel speaks records by hand, the other is plain."""

    def __init__(self, start, certificates, mode):
        self.own = mode == "On"
        self.certificates = certificates
        self._client = RecordContext(certificates.client_context())
        self._listeners = {"client": Listener(), "backend": Listener(RecordContext(certificates.server_context()))}
        self.server = start("\n".join([
            own_records.LOG_LINE, f"ProxyWebsocketOwnRecords {mode}",
            *(f"ProxyPass /{side} {listener.url}/" for side, listener in self._listeners.items())]))

    def open(self, side):
        """(pair, the end on `side`, the other one), when the side has left OpenSSL, or has said that it stays."""
        pair = open_pair(self.server, f"/{side}", self._listeners[side], self._client if side == "client" else None)
        converse(pair)
        self._await_settled()
        return pair, *pair.ends(side)

    def accept(self, side):
        return self._listeners[side].accept()

    def _await_settled(self):
        if self.own:
            own_records.await_left(self.server)
        else:
            own_records.await_stayed(self.server, "ProxyWebsocketOwnRecords is Off")

    def close(self):
        for listener in self._listeners.values():
            listener.close()


@pytest.fixture(scope="module", params=["On", "Off"], ids=["own", "openssl"])
def site(request, start_shared, certificates):
    site = Site(start_shared, certificates, request.param)
    yield site
    site.close()


@pytest.fixture(params=["client", "backend"])
def ends(request, site):
    """(end that speaks records by hand, other end) of an open tunnel; the other goes unharmed by whatever the first one says."""
    pair, speaker, other = site.open(request.param)
    with pair:
        yield speaker, other


# --- what is allowed ---

def test_records_of_any_size_and_with_any_padding_are_taken(ends):
    speaker, other = ends
    message = speaker.frame(frames.BINARY, os.urandom(30_000))
    for size, padding in ((1, 0), (2, 1), (100, 1000), (MAX_PLAIN, 0), (MAX_PLAIN - 200, 200)):
        piece = message[:200] if size < 3 else message
        speaker.sock.sendall(piece, size, padding)
        assert other.read_exactly(len(piece)) == piece
        if size < 3:
            speaker.sock.sendall(message[200:])
            assert other.read_exactly(len(message) - 200) == message[200:]


def test_empty_records_carry_nothing(ends):
    """Not too many in a row: OpenSSL gives up behind 32 (MAX_EMPTY_RECORDS, ssl/record/record_local.h)."""
    speaker, other = ends
    message = speaker.frame(frames.TEXT, b"in two halves")
    for byte in message:
        speaker.sock.raw.sendall(b"".join(speaker.sock.writing.seal(DATA, b"", padding) for padding in [0] * 30 + [500]))
        speaker.sock.sendall(bytes([byte]))
    assert other.read_message() == b"in two halves"


def test_a_record_that_is_cut_anywhere_is_put_together_again(site, ends):
    """The second piece comes when the first has been read."""
    speaker, other = ends
    for cut in range(1, len(speaker.frame(frames.TEXT, b"cut")) + 22):
        frame = speaker.frame(frames.TEXT, b"cut")
        record = speaker.sock.writing.seal(DATA, frame)
        speaker.sock.raw.sendall(record[:cut])
        wait_until(lambda: not unread_bytes(speaker.sock.raw), "the first piece has been read", step=0.0005)
        speaker.sock.raw.sendall(record[cut:])
        assert other.read_exactly(len(frame)) == frame
    carry(other, speaker, b"and the way back")


def test_records_whose_pieces_end_anywhere_carry_a_mebibyte(ends):
    speaker, other = ends
    frame = speaker.frame(frames.BINARY, os.urandom(1 << 20))
    records = b"".join(speaker.sock.writing.seal(DATA, frame[start: start + 1500]) for start in range(0, len(frame), 1500))
    view, step = memoryview(records), 977
    received = b""
    for start in range(0, len(records), 50 * step):
        for place in range(start, min(start + 50 * step, len(records)), step):
            speaker.sock.raw.sendall(view[place: place + step])
        whole = min(start + 50 * step, len(records)) // (1500 + 22) * 1500
        received += other.read_exactly(max(0, min(whole, len(frame)) - len(received)))
    received += other.read_exactly(len(frame) - len(received))
    assert received == frame


@pytest.mark.parametrize("ask", [False, True], ids=["", "asking"])
def test_fifty_key_updates_in_the_middle_of_messages_are_followed(ends, ask):
    speaker, other = ends
    for number in range(50):
        frame = speaker.frame(frames.BINARY, b"update %d" % number)
        speaker.sock.sendall(frame[:5])
        speaker.sock.update_keys(ask)
        speaker.sock.sendall(frame[5:])
        assert other.read_message() == b"update %d" % number
        carry(other, speaker, b"answer %d" % number)
    assert speaker.sock.key_updates == 50 * ask   # one answer to each, since data came back in between


def test_key_updates_in_a_row_that_ask_are_answered_at_least_once(ends):
    """RFC 8446 4.6.3: one answer may do for many."""
    speaker, other = ends
    for _ in range(50):
        speaker.sock.update_keys(ask=True)
    carry(speaker, other, b"behind them")
    carry(other, speaker, b"under new keys")
    assert 1 <= speaker.sock.key_updates <= 50


def test_both_sides_may_change_keys_while_a_mebibyte_goes_each_way(ends):
    speaker, other = ends
    for _ in range(3):
        speaker.sock.update_keys(ask=True)
        carry(speaker, other, os.urandom(1 << 20))
        carry(other, speaker, os.urandom(1 << 20))


def test_a_warning_that_somebody_has_canceled_changes_nothing(ends):
    speaker, other = ends
    speaker.sock.send_alert(USER_CANCELED, WARNING)
    carry(speaker, other, b"still there?")


TICKET_SIZES = (1, 200, 16_300, 16_384, 40_000, 65_535)


def test_tickets_of_any_size_and_split_between_messages_are_skipped(site):
    """Only a backend may send them."""
    pair, speaker, other = site.open("backend")
    with pair:
        for size in TICKET_SIZES:
            for record_size in (MAX_PLAIN, 1000) if size > 1000 else (MAX_PLAIN, 1, 7):
                frame = speaker.frame(frames.TEXT, b"around a ticket")
                speaker.sock.sendall(frame[:6])
                speaker.sock.send_handshake(new_session_ticket(size), record_size)
                speaker.sock.sendall(frame[6:])
                assert other.read_message() == b"around a ticket"
        several = new_session_ticket(100) * 3
        speaker.sock.send_handshake(several)           # three messages in one record,
        speaker.sock.send_handshake(several, 150)      # and with borders in the middle of records
        speaker.sock.send_handshake(new_session_ticket(10) + handshake_message(KEY_UPDATE, b"\1"))
        speaker.sock.writing.update()
        carry(speaker, other, b"under new keys")
        carry(other, speaker, b"behind a KeyUpdate")
        assert speaker.sock.key_updates == 1


def test_a_client_that_has_changed_keys_before_its_request_stays_with_openssl(site):
    """Which secret is in force is then known to OpenSSL alone."""
    reason = "its keys have been updated already" if site.own else "ProxyWebsocketOwnRecords is Off"
    for ask in (False, True):
        client = connect(site.server.tls_port, RecordContext(site.certificates.client_context()))
        client.sock.update_keys(ask)
        client.send(handshake_request("/client"))
        session = site.accept("client")
        session.accept_handshake()
        with Pair(finish_handshake(client), session) as pair:
            converse(pair)
            own_records.await_stayed(site.server, reason, sides=1 + ask)
            assert own_records.left(site.server) == 0
            converse(pair)


# --- what is not ---

def tampered(tls):
    record = bytearray(tls.writing.seal(DATA, b"\x81\x01x"))
    record[9] ^= 1
    tls.raw.sendall(record)


def repeated(tls):
    record = tls.writing.seal(DATA, b"")
    tls.raw.sendall(record + record)


def left_out(tls):
    tls.writing.seal(DATA, b"")
    tls.sendall(b"\x81\x01x")


def raw(data):
    return lambda tls: tls.raw.sendall(data)


def record(kind, content, padding=0):
    return lambda tls: tls.send_record(kind, content, padding)


def message(kind, body=b"", times=1):
    return lambda tls: tls.send_handshake(handshake_message(kind, body) * times)


def half_a_message(tls):
    tls.send_handshake(handshake_message(KEY_UPDATE, b"\0")[:4])
    tls.sendall(b"\x81\x01x")


def old_key(tls):
    """A KeyUpdate, and then a record under the key before it."""
    tls.send_handshake(handshake_message(KEY_UPDATE, b"\0"))
    tls.sendall(b"\x81\x01x")


# What is said, and the alert that answers it; None where nothing needs an answer.
VIOLATIONS = {
    "a record that nobody made": (raw(b"\x17\x03\x03\x00\x30" + b"x" * 48), BAD_RECORD_MAC),
    "a record that was changed": (tampered, BAD_RECORD_MAC),
    "a record twice": (repeated, BAD_RECORD_MAC),
    "a record left out": (left_out, BAD_RECORD_MAC),
    "the key before the KeyUpdate": (old_key, BAD_RECORD_MAC),
    "a record too short for a tag": (raw(b"\x17\x03\x03\x00\x08" + b"x" * 8), BAD_RECORD_MAC),
    "a record too long": (raw(b"\x17\x03\x03\x41\x01" + bytes(0x4101)), RECORD_OVERFLOW),
    "too much in a record": (record(DATA, bytes(MAX_PLAIN + 1)), RECORD_OVERFLOW),
    "a record without a type": (record(None, bytes(20)), UNEXPECTED_MESSAGE),
    "an unknown type": (record(99, b"x"), UNEXPECTED_MESSAGE),
    "a plain alert": (raw(b"\x15\x03\x03\x00\x02\x02\x28"), UNEXPECTED_MESSAGE),
    "plain data": (raw(b"\x17\x03\x03\x00\x03\x81\x01x"), BAD_RECORD_MAC),
    "a plain ChangeCipherSpec": (raw(b"\x14\x03\x03\x00\x01\x01"), UNEXPECTED_MESSAGE),
    "a sealed ChangeCipherSpec": (record(CHANGE_CIPHER_SPEC, b"\1"), UNEXPECTED_MESSAGE),
    "a plain ClientHello": (raw(b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"), UNEXPECTED_MESSAGE),
    "another ClientHello": (message(CLIENT_HELLO, bytes(40)), UNEXPECTED_MESSAGE),
    "an unknown message": (message(99), UNEXPECTED_MESSAGE),
    "an empty handshake record": (record(HANDSHAKE, b""), UNEXPECTED_MESSAGE),
    "half a message, then data": (half_a_message, UNEXPECTED_MESSAGE),
    "a KeyUpdate of 2": (message(KEY_UPDATE, b"\2"), ILLEGAL_PARAMETER),
    "a KeyUpdate of no length": (message(KEY_UPDATE), DECODE_ERROR),
    "a KeyUpdate too long": (message(KEY_UPDATE, b"\0\0"), DECODE_ERROR),
    "two KeyUpdates in a record": (message(KEY_UPDATE, b"\0", times=2), UNEXPECTED_MESSAGE),
    "an alert of one byte": (record(ALERT, b"\2"), DECODE_ERROR),
    "an alert of four bytes": (record(ALERT, b"\1\0\1\0"), DECODE_ERROR),
    "an empty alert": (record(ALERT, b""), UNEXPECTED_MESSAGE),
    "a fatal alert": (record(ALERT, bytes([FATAL, INTERNAL_ERROR])), None),
    "an unknown warning": (record(ALERT, bytes([WARNING, 200])), None),
}
# Where OpenSSL 3.0 has another one.
OPENSSL_SAYS = {"a KeyUpdate too long": ILLEGAL_PARAMETER, "an alert of one byte": UNEXPECTED_MESSAGE,
                "an alert of four bytes": UNEXPECTED_MESSAGE}


@pytest.mark.parametrize("said", VIOLATIONS)
def test_a_violation_is_answered_with_its_alert_and_ends_the_tunnel(site, ends, said):
    speaker, other = ends
    say, alert = VIOLATIONS[said]
    say(speaker.sock)
    if alert is not None:
        assert alert_of(speaker.sock) == (alert if site.own else OPENSSL_SAYS.get(said, alert))
    other.expect_end()


def test_what_came_before_a_violation_still_arrives(ends):
    speaker, other = ends
    speaker.sock.raw.sendall(b"".join(speaker.sock.writing.seal(DATA, speaker.frame(frames.TEXT, b"%d" % number))
                                      for number in range(20)) + b"\x17\x03\x03\x00\x20" + bytes(32))
    for number in range(20):
        assert other.read_message() == b"%d" % number
    other.expect_end()
    assert alert_of(speaker.sock) == BAD_RECORD_MAC


def test_a_ticket_from_a_client_is_unexpected(site):
    pair, speaker, other = site.open("client")
    with pair:
        speaker.sock.send_handshake(new_session_ticket(100))
        assert alert_of(speaker.sock) == UNEXPECTED_MESSAGE
        other.expect_end()


def test_a_backend_that_asks_for_a_certificate_late_is_refused_by_own_records_and_answered_by_openssl(site):
    pair, speaker, other = site.open("backend")
    with pair:
        algorithms = struct.pack("!HHHH", 13, 4, 2, 0x0403)
        speaker.sock.send_handshake(handshake_message(CERTIFICATE_REQUEST, b"\1c" + struct.pack("!H", 8) + algorithms))
        if site.own:
            assert alert_of(speaker.sock) == UNEXPECTED_MESSAGE
            other.expect_end()
        else:
            carry(speaker, other, b"still there?")


# --- ends ---

def test_behind_a_close_notify_the_other_way_still_carries_a_mebibyte(ends):
    speaker, other = ends
    speaker.send_text("that was all")
    speaker.sock.shutdown(socket.SHUT_WR)
    assert other.read_message() == b"that was all"
    other.expect_end()
    for size in SIZES:
        carry(other, speaker, os.urandom(size))
    other.close()
    assert alert_of(speaker.sock) == CLOSE_NOTIFY


def test_data_behind_a_close_notify_is_ignored(ends):
    speaker, other = ends
    speaker.sock.shutdown(socket.SHUT_WR)
    other.expect_end()
    speaker.send_text("too late")
    speaker.sock.raw.sendall(b"not even a record")
    carry(other, speaker, b"the other way goes on")


def test_an_end_of_tcp_without_a_close_notify_is_the_end_of_the_other_side(ends):
    speaker, other = ends
    speaker.send_text("last words")
    speaker.close()
    assert other.read_message() == b"last words"
    other.expect_end()


def test_an_end_of_tcp_in_the_middle_of_a_record_is_the_end_of_the_other_side(ends):
    speaker, other = ends
    speaker.sock.raw.sendall(speaker.sock.writing.seal(DATA, speaker.frame(frames.TEXT, b"cut off"))[:-3])
    speaker.close()
    other.expect_end()


def test_a_reset_is_the_end_of_the_other_side(ends):
    speaker, other = ends
    speaker.reset()
    other.expect_end()


@pytest.mark.parametrize("side", ["client", "backend"])
def test_the_end_in_order_is_a_close_notify_on_either_side(site, side):
    """httpd's on the client's side is the first, on the backend's the second."""
    pair, speaker, other = site.open(side)
    with pair:
        other.send_close(1000)
        assert speaker.read_close() == (1000, "")
        speaker.send_close(1000)
        assert other.read_close() == (1000, "")
        if side == "backend":
            speaker.sock.shutdown(socket.SHUT_WR)
        other.close()
        assert alert_of(speaker.sock) == CLOSE_NOTIFY
