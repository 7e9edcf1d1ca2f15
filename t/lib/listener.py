"""A listening socket, for what plays a server."""

import os
import select
import socket

from environment import TEST_DIR, TIMEOUT
from expectation import fail, shown
from stream import Stream


class Listener:
    """A listening socket."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(TIMEOUT)

    def accept_stream(self):
        """The next connection, nothing read."""
        try:
            return Stream(self.sock.accept()[0])
        except (socket.timeout, TimeoutError):
            fail(f"no connection came within {TIMEOUT} s")

    def no_connection(self):
        """Nobody has connected. Only after what proves that nobody will, such as the final answer."""
        if select.select([self.sock], [], [], 0)[0]:
            connection = self.sock.accept()[0]
            connection.settimeout(1)
            fail(f"expected no connection; got one with {shown(connection.recv(65536))}")

    def close(self):
        """From here on connections are refused."""
        self.sock.close()


def listen_unix(name):
    """A listener at $TEST_DIR/name, for what plays a broken Redis."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(os.path.join(TEST_DIR, name))
    sock.listen(64)
    return Listener(sock)
