"""Runs one block of a test: block.py FILE SECTION=LINE:PATH ...

The sections are Redis commands, a backend function's body and the client script. Code is compiled with the
name and the line numbers of the test file, so that a traceback points there.
"""

import faulthandler
import os
import sys
import traceback

LIB = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, LIB)

import background
from backend import backend
from expectation import Failure
from nginx import nginx
from redis_client import redis
from script import NAMES

# What fails in one of these was told what to expect: the line that told it is to be shown.
HARNESS = {module.__file__ for module in list(sys.modules.values()) if (getattr(module, "__file__", None) or "").startswith(LIB)}


def show(failure):
    kind, error, trace = failure
    if issubclass(kind, Failure):
        own = [entry for entry in traceback.extract_tb(trace) if entry.filename not in HARNESS]
        where = f"{own[-1].filename} line {own[-1].lineno}: {own[-1].line}\n" if own else ""
        print(f"{where}{error}", file=sys.stderr)
    else:
        traceback.print_exception(kind, error, trace)


def main(file, *arguments):
    faulthandler.dump_traceback_later(float(os.environ.get("TEST_TIMEOUT", "30")), exit=True)
    sections = {}
    for argument in arguments:
        name, _, place = argument.partition("=")
        line, _, path = place.partition(":")
        with open(path, encoding="utf-8") as source:
            sections[name] = (int(line), source.read())

    names = dict(NAMES)
    failures = background.failures
    try:
        nginx.wait_started(int(os.environ["TEST_WORKERS"]))
        if redis.path:
            redis("FLUSHALL")
            redis.load(sections.get("redis", (0, ""))[1])
        if "backend" in sections:
            # The body becomes a function; its header stands on the line of the section's name.
            line, source = sections["backend"]
            body = "".join(f"    {text}" for text in source.splitlines(keepends=True))
            exec(compile("\n" * (line - 2) + "def serve(connection):\n" + body, file, "exec"), names)
            backend.serve(names["serve"])
        line, source = sections["client"]
        exec(compile("\n" * (line - 1) + source, file, "exec"), names)
    except BaseException:
        failures.insert(0, sys.exc_info())

    for failure in failures:
        show(failure)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads may still wait for somebody: the sockets end with the process.
    os._exit(1 if failures else 0)


main(*sys.argv[1:])
