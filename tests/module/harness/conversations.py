"""What a strict client may say to an echoing backend, right and wrong, over the subjects of RFC 6455 5 to 7 and 8.1. No I/O."""

import io
import struct
from dataclasses import dataclass

from . import frames
from .frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, client_frame

_GOOD_TEXT = "Ünïcödé, κόσμε, 🙂".encode()
# Truncated, overlong, surrogate, too large, lone continuation, impossible byte.
_BAD_TEXTS = [b"\xce\xba\xe1\xbd", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"a\xffb"]
_LENGTHS = [0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 300_000]
_GOOD_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
_BAD_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]
_GOODBYE = client_frame(CLOSE, frames.close_payload(1000, "bye"))


@dataclass(frozen=True)
class Conversation:
    """`goodbye` is sent when as many messages and pongs as `answers` have come. `is_a_race`: how much of what was said is
    answered before the end is chance, for a rule is broken or a Close comes right behind."""

    name: str
    writes: tuple
    answers: int = 0
    goodbye: bytes = b""
    is_a_race: bool = False


def _chopped(data, size):
    return tuple(data[at:at + size] for at in range(0, len(data), size))


def _count_answers(data):
    """An echo answers each whole message and each ping."""
    stream = io.BytesIO(data)
    seen = []
    while stream.tell() < len(data):
        seen.append(frames.read_frame(stream.read, masked=True))
    return sum(frame.fin and frame.opcode in (CONTINUATION, TEXT, BINARY, PING) for frame in seen)


def _right(name, *parts, chop=0):
    data = b"".join(parts)
    return Conversation(name, _chopped(data, chop) if chop else (data,), _count_answers(data), _GOODBYE)


def _wrong(name, *parts):
    """With a message and a goodbye behind what is wrong, which nobody is to answer."""
    return Conversation(name, (b"".join(parts) + client_frame(TEXT, b"after") + _GOODBYE,), is_a_race=True)


def _fragments(opcode, parts, between=b""):
    last = len(parts) - 1
    return between.join(client_frame(opcode if at == 0 else CONTINUATION, part, fin=at == last) for at, part in enumerate(parts))


def _messages():
    for length in _LENGTHS:
        yield _right(f"text of {length}", client_frame(TEXT, b"*" * length))
        yield _right(f"binary of {length}", client_frame(BINARY, b"\xfe" * length))
    yield _right("text in odd writes", client_frame(TEXT, b"*" * 65536), chop=997)
    yield _right("a hundred messages in one write", *[client_frame(TEXT, b"%d" % at) for at in range(100)])
    yield _right("64 KiB in frames of 1300", _fragments(TEXT, _chopped(b"*" * 65536, 1300)))
    yield _right("256 KiB in frames of 4096, binary", _fragments(BINARY, _chopped(b"\xfe" * 262144, 4096)))


def _pings():
    for length in (0, 5, 125):
        yield _right(f"ping of {length}", client_frame(PING, b"\xfe" * length))
    yield _right("ping in single bytes", client_frame(PING, b"slowly"), chop=1)
    yield _right("ten pings", *[client_frame(PING, b"%d" % at) for at in range(10)])
    yield _right("a pong that nobody wants", client_frame(PONG, b"here"))
    yield _right("pong, ping", client_frame(PONG, b"here"), client_frame(PING, b"there"))
    yield _wrong("ping of 126", client_frame(PING, b"*" * 126))
    yield _wrong("ping in fragments", client_frame(PING, b"one", fin=False), client_frame(CONTINUATION, b"two"))
    yield _wrong("pong in fragments", client_frame(PONG, b"one", fin=False), client_frame(CONTINUATION, b"two"))


def _reserved():
    hello = client_frame(TEXT, b"hello")
    for rsv in range(1, 8):
        yield _wrong(f"reserved bits {rsv:03b}", hello, client_frame(TEXT, b"*", rsv=rsv))
        yield _wrong(f"reserved bits {rsv:03b} in a ping", hello, client_frame(PING, b"*", rsv=rsv))
    for opcode in (*range(3, 8), *range(11, 16)):
        yield _wrong(f"opcode {opcode}", hello, client_frame(opcode, b"*"))


def _fragmented():
    first, last = client_frame(TEXT, b"one", fin=False), client_frame(CONTINUATION, b"two")
    yield _right("two fragments", first, last)
    yield _right("two fragments in single bytes", first, last, chop=1)
    yield _right("empty fragments", _fragments(TEXT, [b"", b"", b""]))
    yield _right("a ping between fragments", first, client_frame(PING, b"?"), last)
    yield _right("pings between many fragments", _fragments(BINARY, [b"x"] * 20, client_frame(PING, b"?")))
    yield _wrong("a continuation of nothing", last)
    yield _wrong("an unfinished continuation of nothing", client_frame(CONTINUATION, b"one", fin=False))
    yield _wrong("a continuation behind a whole message", client_frame(TEXT, b"whole"), last)
    yield _wrong("text between fragments", first, client_frame(TEXT, b"two"))
    yield _wrong("binary between fragments", first, client_frame(BINARY, b"two", fin=False))


def _texts():
    yield _right("good UTF-8", client_frame(TEXT, _GOOD_TEXT))
    yield _right("good UTF-8, a byte per frame", _fragments(TEXT, _chopped(_GOOD_TEXT, 1)))
    yield _right("the largest character", client_frame(TEXT, b"\xf4\x8f\xbf\xbf"))
    yield _right("no UTF-8 in a binary message", client_frame(BINARY, b"\xff\xc0\x80"))
    for bad in _BAD_TEXTS:
        yield _wrong(f"bad UTF-8 {bad.hex()}", client_frame(TEXT, bad))
        yield _wrong(f"bad UTF-8 {bad.hex()} in the second fragment", _fragments(TEXT, [b"good", bad]))


def _closes():
    def closing(name, payload, *behind, wrong=False):
        return Conversation(name, (client_frame(CLOSE, payload) + b"".join(behind),), is_a_race=wrong)
    yield closing("close without a code", b"")
    for code in _GOOD_CODES:
        yield closing(f"close {code}", frames.close_payload(code, "reason"))
    for code in _BAD_CODES:
        yield closing(f"close {code}", frames.close_payload(code, "reason"), wrong=True)
    yield closing("close with half a code", b"\x03", wrong=True)
    yield closing("close with a reason of 123", frames.close_payload(1000, "*" * 123))
    yield closing("close of 126", frames.close_payload(1000, "*" * 124), wrong=True)
    yield closing("close with bad UTF-8", struct.pack("!H", 1000) + b"\xff", wrong=True)
    for opcode, name in ((CLOSE, "close"), (PING, "ping"), (PONG, "pong"), (TEXT, "text")):
        payload = frames.close_payload(1000) if opcode == CLOSE else b"late"
        yield closing(f"{name} behind a close", frames.close_payload(1000), client_frame(opcode, payload))
    yield Conversation("close between fragments", (client_frame(TEXT, b"one", fin=False) + _GOODBYE,))
    yield Conversation("messages before a close in one write",
                       (b"".join(client_frame(TEXT, b"%d" % at) for at in range(10)) + _GOODBYE,), is_a_race=True)


CONVERSATIONS = [*_messages(), *_pings(), *_reserved(), *_fragmented(), *_texts(), *_closes()]
