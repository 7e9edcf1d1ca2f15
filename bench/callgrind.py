"""What callgrind writes: instructions by object and function."""

import re

OPTIONS = ["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]


def costs(profile):
    """(object, function, instructions of its own) again and again. Lines are `ob=OBJECT`, `fn=FUNCTION`, `LINE COST`; the one
    after `calls=` is what a callee costs."""
    where, function, callee = "", "", False
    for line in profile.splitlines():
        if line.startswith("ob="):
            where = line[3:]
        elif line.startswith("fn="):
            function = line[3:]
        elif line.startswith("calls="):
            callee = True
        elif re.match(r"[0-9+*-]", line):
            if not callee:
                yield where, function, int(line.split()[1])
            callee = False
