"""Programs of t/clients, and an echo service of real libraries behind the gateway, on $TEST_DIR/echo.sock."""

import ctypes
import os
import signal
import socket
import subprocess

from environment import TEST_DIR
from expectation import check, equal, wait_until

CLIENTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "clients")
SIZES = 0, 125, 126, 65535, 65536, 8 << 20
PATHS = "headers/plain", "headers/deflate", "envelope/plain", "envelope/deflate"
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def _start(program, *arguments, **options):
    # Chromium keeps its own things there.
    home = {name: TEST_DIR for name in ("TMPDIR", "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    return subprocess.Popen(["node", os.path.join(CLIENTS, program), *arguments], env={**os.environ, **home},
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), **options)


def _listens(path):
    """The name is there a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


class echo:
    """The service; what it says is shown when it fails."""

    def __enter__(self):
        path = os.path.join(TEST_DIR, "echo.sock")
        self.process = _start("echo.mjs", path)
        wait_until(lambda: self.process.poll() is not None or _listens(path), "the service listens")
        equal(self.process.poll(), None)
        os.chmod(path, 0o777)  # nginx's workers may run as another user

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def converse(program, address):
    """Has a client send messages of all sizes."""
    run(program, address, *map(str, SIZES))


def run(program, *arguments):
    """Runs a client to its end."""
    process = _start(program, *arguments)
    said, _ = process.communicate()
    check(process.returncode == 0, f"{program}: {said}")
