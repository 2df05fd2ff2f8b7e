"""Waiting for facts: polls a condition until it holds. Knows how patient to be; knows nothing of httpd."""

import asyncio
import os
import time

SANITIZED = bool(os.environ.get("WSP_PRELOAD"))
PATIENCE = 4 if SANITIZED else 1

# How long a peer or a process may take before the test calls it hung.
BOUND = 10 * PATIENCE

# Seconds for a command that ends by itself, which may be a compiler or npm on a busy machine; less than what a test may take
# (scripts/test.d/pytest-mpms).
COMMAND_BOUND = 200


def wait_until(condition, what, seconds=BOUND, step=0.01):
    """The first true value of condition(), asked every `step` seconds; fails naming `what` when there is none within
    `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(step)


async def in_time(awaitable, what, seconds=BOUND):
    """What is awaited; fails naming `what` when it does not come within `seconds`."""
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        raise AssertionError(f"waited {seconds} s in vain: {what}") from None


def wait_until_steady(read, what, calm=0.3, seconds=BOUND):
    """The value of read() once it has not changed for `calm` seconds."""
    deadline = time.monotonic() + seconds
    value, since = read(), time.monotonic()
    while time.monotonic() - since < calm:
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for it to be steady: {what}, last {value}")
        time.sleep(0.02)
        now = read()
        if now != value:
            value, since = now, time.monotonic()
    return value
