"""What a test expects, and how it says what came instead."""

import re
import time

from environment import TIMEOUT


class Failure(AssertionError):
    """What a test expected did not happen."""


def shown(value):
    text = repr(value)
    return text if len(text) <= 600 else f"{text[:400]} ... {text[-100:]} ({len(value)} long)"


def fail(message):
    raise Failure(message)


def check(condition, message="condition"):
    if not condition:
        fail(f"not so: {message}")


def equal(got, expected, message=""):
    if got != expected:
        fail(f"{message or 'not equal'}\n  expected: {shown(expected)}\n  got:      {shown(got)}")


def matches(text, pattern, message=""):
    if not re.search(pattern, text):
        fail(f"{message or 'no match'}\n  expected: /{pattern}/\n  got:      {shown(text)}")


def wait_until(condition, message="condition"):
    """For what no socket can tell, such as a line in the log: polls until it holds."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            fail(f"not within {TIMEOUT} s: {message}")
        time.sleep(0.002)
