"""Allocations of a worker that fail: t/memory/failing_allocations.cpp does as this says, in a block with `--- failing_allocations`."""

import mmap
import os
import struct

from environment import TEST_DIR
from expectation import Failure, check, equal
from nginx import nginx

with open(os.path.join(TEST_DIR, "orders"), "r+b") as file:
    _orders = mmap.mmap(file.fileno(), 4096)


def fail(after, count=1):
    """`after` allocations of the only worker succeed, then so many fail."""
    worker, = nginx.worker_pids()
    _orders[8:32] = struct.pack("=3q", after, count, 0)
    _orders[:8] = struct.pack("=q", worker)


def enough():
    """None fails any more; how many have failed since fail()."""
    _orders[:8] = struct.pack("=q", 0)
    return struct.unpack("=q", _orders[24:32])[0]


def short_of(episode, well, count=1, step=1):
    """Runs what stands behind the yield of episode() while its first `count` allocations fail, then those after one, after two, until
    it needs no more; well() in between, with memory. How many it needs. `step`: only each of so many.
    """
    worker = nginx.worker_pids()
    after, failed = 0, True
    while failed:
        steps = episode()
        next(steps)
        fail(after, count)
        try:
            next(steps, None)
            failed = enough()
            well()
        except BaseException as failure:
            failure.add_note(f"after {after} allocations {enough() or failed} failed")
            raise
        equal(nginx.worker_pids(), worker, f"the worker, without what comes after {after} allocations")
        after += step
    return after - step


def or_ends(talk, c):
    """talk(c), which may find the connection ended, but not one that has been forgotten."""
    try:
        talk(c)
    except Failure as failure:
        check(c.ended, failure)
    except OSError:
        pass  # ended, before something was sent
