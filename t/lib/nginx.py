"""The gateway's nginx."""

import os
import re
import signal

from environment import TEST_DIR
from expectation import check, wait_until
from process import running


class Nginx:
    """The gateway's processes."""

    pid = int(os.environ.get("TEST_NGINX_PID") or 0)

    def wait_started(self, workers):
        """Until then connections wait in the queue, but a signal would end nginx."""
        wait_until(lambda: not running(self.pid) or len(self.worker_pids()) == workers, "workers have started")
        check(running(self.pid), "nginx has started")

    def worker_pids(self):
        """Workers that take connections."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            children = [int(pid) for pid in file.read().split()]
        return [pid for pid in children if self._title(pid) == "nginx: worker process"]

    def _title(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="latin-1") as file:
                return file.read().rstrip("\0 ").split("\0")[0]
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def signal(self, number):
        os.kill(self.pid, number)

    def reload(self):
        """Returns when new workers are there and the old ones take no more connections."""
        before = set(self.worker_pids())
        self.signal(signal.SIGHUP)
        wait_until(lambda: (now := set(self.worker_pids())) and not now & before, "new workers only")

    def quit(self):
        """Tells nginx to finish gracefully; does not wait."""
        self.signal(signal.SIGQUIT)

    def error_log(self):
        with open(os.path.join(TEST_DIR, "error.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def access_log(self):
        with open(os.path.join(TEST_DIR, "access.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, pattern):
        """Waits for a line of the error log that matches."""
        wait_until(lambda: re.search(pattern, self.error_log()), f"error log: {pattern}")


nginx = Nginx()
