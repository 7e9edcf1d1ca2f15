"""What scripts/bench and scripts/bench-counts have in common: parts that are chosen by patterns, and an end that cleans up."""

import re
import signal


def chosen_parts(arguments, patterns, all_parts):
    """Those that match one of the patterns; all without any. A pattern that matches nothing is an error of the command line."""
    for pattern in patterns:
        try:
            found = any(re.search(pattern, name) for name in all_parts)
        except re.error as error:
            arguments.error(f"{pattern}: {error}")
        if not found:
            arguments.error(f"no part is like {pattern}; there are: " + " | ".join(all_parts))
    return {name: part for name, part in all_parts.items()
            if not patterns or any(re.search(pattern, name) for pattern in patterns)}


def end_like_ctrl_c():
    """Also by SIGTERM and SIGHUP, so that nothing is left behind."""
    def interrupt(*_):
        raise KeyboardInterrupt

    for a_signal in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(a_signal, interrupt)
