"""What t/demo.t works with: scripts/run at a terminal of its own, and what is left of it.

    demo = Demo()
    demo.wait_ready()
    demo.type("\\x03")
    demo.wait_gone()
"""

import os
import pty
import re
import select
import subprocess

from environment import TEST_DIR
from expectation import check, fail, shown, wait_until
from octets import to_bytes
from process import running

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUN = os.path.join(ROOT, "scripts/run")
# As make does: it waits for what it has started, whatever happens to the terminal.
WAITS = ["/bin/sh", "-c", "trap : HUP; \"$0\"; exit $?", RUN]


class Demo:
    """One run. Its temporary directory is in one of its own, where nothing may stay."""

    count = 0

    def __init__(self, command=(RUN,)):
        Demo.count += 1
        self.home = os.path.join(TEST_DIR, f"demo{Demo.count}")
        os.mkdir(self.home)
        self.terminal, end = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=end, stdout=end, stderr=end, close_fds=True, env={**os.environ, "TMPDIR": self.home},
            preexec_fn=lambda: (os.setsid(), os.close(os.open(os.ttyname(0), os.O_RDWR))))  # now it is its terminal
        os.close(end)
        self.output = b""

    def read_until(self, mark):
        while mark not in self.output:
            data = self._read()
            check(data, f"the demo says {mark!r}; it said {shown(self.output)}")
            self.output += data

    def _read(self):
        if not select.select([self.terminal], [], [], 60)[0]:
            fail(f"the demo is silent; it said {shown(self.output)}")
        try:
            return os.read(self.terminal, 65536)
        except OSError:  # nobody has it open any more
            return b""

    def wait_ready(self):
        self.read_until(b"Ctrl-C stops everything.")
        self.port = int(re.search(rb"http://127\.0\.0\.1:(\d+)/", self.output)[1])

    def type(self, text):
        os.write(self.terminal, to_bytes(text))

    def close_terminal(self):
        os.close(self.terminal)

    def signal(self, number):
        self.process.send_signal(number)

    def pids(self):
        """All processes that work in its directory, also after that is gone."""
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd").startswith(self.home + "/"):
                    found.append(int(entry))
            except OSError:
                pass
        return [pid for pid in found if running(pid)]

    def wait_gone(self):
        """Its processes, and all that it had in its directory."""
        wait_until(lambda: not self.pids(), "no process is left")
        wait_until(lambda: not os.listdir(self.home), "no directory is left")

    def status(self):
        return self.process.wait(30)
