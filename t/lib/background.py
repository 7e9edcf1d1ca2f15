"""What runs beside a test's script."""

import sys
import threading

failures = []  # as of sys.exc_info()


def note_failure(function, *arguments):
    try:
        function(*arguments)
    except BaseException:
        failures.append(sys.exc_info())


def in_thread(function, *arguments):
    """Runs function beside the script; what it raises fails the test."""
    thread = threading.Thread(target=note_failure, args=(function, *arguments), daemon=True)
    thread.start()
    return thread
