"""A client of Redis: the test's own Redis above all."""

import os
import re
import signal
import socket

from environment import TIMEOUT
from expectation import check, fail, wait_until
from octets import to_bytes
from process import running
from stream import Stream


class Redis:
    """The test's Redis: redis("SET", "session:abc", "{}") answers str, int, list or None."""

    def __init__(self, path):
        self.path = path
        self.stream = None
        self.pid = int(os.environ.get("TEST_REDIS_PID") or 0)

    def __call__(self, *words):
        if self.stream is None:
            check(self.path, "this block has a Redis")
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(TIMEOUT)
            sock.connect(self.path)
            self.stream = Stream(sock)
        parts = [word.encode("utf-8", "surrogateescape") if isinstance(word, str) else to_bytes(str(word).encode()
                 if isinstance(word, (int, float)) else word) for word in words]
        self.stream.sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return self._reply(words)

    def _reply(self, words):
        line = self.stream.recv_until(b"\r\n")[:-2]
        kind, rest = line[:1], line[1:].decode()
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == "-1":
                return None
            return self.stream.recv_exact(int(rest) + 2)[:-2].decode("utf-8", "surrogateescape")
        if kind == b"*":
            return None if rest == "-1" else [self._reply(words) for _ in range(int(rest))]
        return fail(f"Redis answered {words!r} with {line!r}")

    def calls(self, command):
        """How often that command has run, whoever sent it."""
        found = re.search(rf"^cmdstat_{command}:calls=(\d+),", self("INFO", "commandstats"), re.M)
        return int(found[1]) if found else 0

    def stop(self):
        """Redis hangs: it accepts and never answers. Wants a block with `--- redis_own`."""
        self._own()
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def kill(self):
        """Redis is gone, its connections with it."""
        self._own()
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not running(self.pid), "Redis is gone")

    def _own(self):
        check(os.environ.get("TEST_REDIS_OWN"), "the block says --- redis_own")

    def load(self, text):
        """Lines of commands. Words are parted by blanks; 'a word in quotes' may hold some."""
        for line in text.splitlines():
            words = [quoted or plain for quoted, plain in re.findall(r"'([^']*)'(?=\s|$)|(\S+)", line)]
            if words and not words[0].startswith("#"):
                self(*words)


redis = Redis(os.environ.get("TEST_REDIS_SOCKET", ""))
