"""Waiting for facts: polls a condition until it holds. Knows how patient to be; knows nothing of httpd."""

import os
import time

SANITIZED = bool(os.environ.get("WSP_PRELOAD"))
PATIENCE = 4 if SANITIZED else 1

# How long a peer or a process may take before the test calls it hung.
BOUND = 10 * PATIENCE


def wait_until(condition, what, seconds=BOUND):
    """The first true value of condition(); fails naming `what` when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.01)


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
