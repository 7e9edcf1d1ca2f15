"""Servers that t/http_examples.t runs behind the gateway: PHP-FPM and uWSGI, as Debian has them."""

import ctypes
import glob
import os
import signal
import socket
import subprocess

from environment import TEST_DIR
from expectation import check, wait_until

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Server:
    """A server in the foreground that listens at `path`."""

    def __init__(self, command, path):
        self.command = command
        self.path = path
        self.output = path + ".out"

    def __enter__(self):
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        try:
            wait_until(self._listens, f"{self.command[0]} listens")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            # uWSGI has been seen to go on after a signal under load; the examples are what is tested, not how it ends.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _listens(self):
        check(self.process.poll() is None, f"{self.command[0]} runs; it said:\n{self.log()}")
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.path) == 0

    def log(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read()


def php_fpm():
    binary, = glob.glob("/usr/sbin/php-fpm[0-9]*")
    path = os.path.join(TEST_DIR, "fpm.sock")
    configuration = os.path.join(TEST_DIR, "fpm.conf")
    owner = "user = root\ngroup = root\n" if os.geteuid() == 0 else ""
    with open(configuration, "w", encoding="utf-8") as file:
        file.write(f"[global]\nerror_log = /proc/self/fd/2\ndaemonize = no\n[chat]\n{owner}listen = {path}\npm = static\n"
                   f"pm.max_children = 2\ncatch_workers_output = yes\n")
    return Server([binary, "--nodaemonize", "--allow-to-run-as-root", "--fpm-config", configuration], path)


def uwsgi(script):
    path = os.path.join(TEST_DIR, "uwsgi.sock")
    return Server(["/usr/bin/uwsgi-core", "--plugin", "python3", "--socket", path, "--wsgi-file", script, "--callable", "app",
                   "--master", "--die-on-term", "--processes", "2"], path)
