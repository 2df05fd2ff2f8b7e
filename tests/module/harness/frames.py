"""WebSocket frames (RFC 6455 5.2) built as a test wants them, and read as the RFC demands. No I/O."""

import os
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_KNOWN = {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}
# One payload length per encoding, and both sides of every border between encodings.
LENGTH_CLASSES = [0, 1, 125, 126, 127, 65535, 65536, 200_000]

NO_MASK = None
ZERO_KEY = b"\0\0\0\0"   # masked, yet the payload looks the same on both sides: for bulk


class FrameError(AssertionError):
    """A frame that its receiver must refuse."""


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes
    fin: bool = True


def apply_mask(payload, key):
    if key == ZERO_KEY:
        return payload
    pad = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(payload), "big")


def frame_header(opcode, length, fin=True, rsv=0, key=NO_MASK):
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    mask_bit = 0 if key is NO_MASK else 0x80
    if length < 126:
        head = struct.pack("!BB", first, mask_bit | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, mask_bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, length)
    return head + (key or b"")


def build_frame(opcode, payload=b"", fin=True, rsv=0, key=NO_MASK):
    body = payload if key is NO_MASK else apply_mask(payload, key)
    return frame_header(opcode, len(payload), fin, rsv, key) + body


def client_frame(opcode, payload=b"", fin=True, rsv=0):
    return build_frame(opcode, payload, fin, rsv, key=os.urandom(4))


def server_frame(opcode, payload=b"", fin=True, rsv=0):
    return build_frame(opcode, payload, fin, rsv)


def close_payload(code=None, reason=""):
    return b"" if code is None else struct.pack("!H", code) + reason.encode()


def read_frame(read_exactly, masked):
    """One frame through read_exactly(n); FrameError where RFC 6455 5 is broken. `masked`: as it must be."""
    first, second = read_exactly(2)
    opcode, length = first & 0x0F, second & 0x7F
    length = _extended_length(read_exactly, length)
    _check_header(first, opcode, length, bool(second & 0x80), masked)
    key = read_exactly(4) if masked else ZERO_KEY
    return Frame(opcode, apply_mask(read_exactly(length), key), bool(first & 0x80))


def _extended_length(read_exactly, short):
    if short < 126:
        return short
    size, least = (2, 126) if short == 126 else (8, 65536)
    length = int.from_bytes(read_exactly(size), "big")
    if length < least or length >> 63:
        raise FrameError(f"length {length} in {size} bytes")
    return length


def _check_header(first, opcode, length, is_masked, must_be_masked):
    if first & 0x70:
        raise FrameError(f"reserved bits in {first:#04x}")
    if opcode not in _KNOWN:
        raise FrameError(f"reserved opcode {opcode:#x}")
    if is_masked != must_be_masked:
        raise FrameError(f"mask bit is {is_masked}")
    if opcode & 0x8 and (length > 125 or not first & 0x80):
        raise FrameError(f"control frame {opcode:#x} of {length} bytes, fin {bool(first & 0x80)}")
