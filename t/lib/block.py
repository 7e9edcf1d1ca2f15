"""Runs one block of a test: block.py FILE SECTION=LINE:PATH ...

The sections are Redis commands, a backend function's body and the client script. Code is compiled with the
name and the line numbers of the test file, so that a traceback points there.
"""

import faulthandler
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import wire


def show(failure):
    kind, error, trace = failure
    if issubclass(kind, wire.Failure):
        own = [entry for entry in traceback.extract_tb(trace) if not entry.filename.endswith("wire.py")]
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

    names = {name: value for name, value in vars(wire).items() if not name.startswith("_")}
    failures = wire.thread_failures
    try:
        wire.nginx.wait_started(int(os.environ["TEST_WORKERS"]))
        if wire.redis.path:
            wire.redis("FLUSHALL")
            wire.redis.load(sections.get("redis", (0, ""))[1])
        if "backend" in sections:
            # The body becomes a function; its header stands on the line of the section's name.
            line, source = sections["backend"]
            body = "".join(f"    {text}" for text in source.splitlines(keepends=True))
            exec(compile("\n" * (line - 2) + "def serve(connection):\n" + body, file, "exec"), names)
            wire.backend.serve(names["serve"])
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
