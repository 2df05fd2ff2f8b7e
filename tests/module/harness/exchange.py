"""A conversation of whole messages between the two ends of a tunnel: every size, both ways, with fragments and Pings."""

import os

from . import frames
from .background import Background

SIZES = (1, 125, 126, 1000, 16_383, 16_384, 16_385, 70_000, 1 << 20)
SMALL = (1, 126, 16_384)


def carry(sender, receiver, payload):
    """One message. The sender has a thread of its own: a tunnel holds less than the longest one."""
    sending = Background("a message is sent", sender.send_frame, frames.BINARY, payload)
    assert receiver.read_message() == payload
    sending.result()


def carry_fragmented(sender, receiver):
    """A message in three frames, with a Ping between them."""
    sent = [frames.Frame(frames.BINARY, os.urandom(3000), False), frames.Frame(frames.PING, b"between"),
            frames.Frame(frames.CONTINUATION, b"", False), frames.Frame(frames.CONTINUATION, os.urandom(20_000))]
    for frame in sent:
        sender.send_frame(frame.opcode, frame.payload, frame.fin)
    assert [receiver.read_frame() for _ in sent] == sent


def converse(pair, sizes=SMALL):
    for sender, receiver in (pair.ends("client"), pair.ends("backend")):
        for size in sizes:
            carry(sender, receiver, os.urandom(size))
        carry_fragmented(sender, receiver)
