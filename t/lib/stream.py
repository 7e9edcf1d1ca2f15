"""One end of a connection: bytes. Every wait ends after TIMEOUT seconds with a failure.

With TRICKLE=1 in the environment every send goes out one byte per write.
"""

import os
import select
import socket
import struct

from environment import TIMEOUT
from expectation import equal, fail, shown
from octets import to_bytes

TRICKLE = os.environ.get("TRICKLE", "") not in ("", "0")
TRICKLE_WINDOW = 4096  # of a longer send only so many bytes at each end go one by one


class Stream:
    """A socket with a read buffer. `sock` is the socket itself."""

    name = "peer"

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        self.ended = False
        self.was_reset = False
        sock.settimeout(TIMEOUT)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        data = to_bytes(data)
        if not TRICKLE:
            self.sock.sendall(data)
            return
        edge = TRICKLE_WINDOW
        middle = range(edge, max(edge, len(data) - edge))
        for at in range(0, min(edge, len(data))):
            self.sock.sendall(data[at:at + 1])
        self.sock.sendall(data[middle.start:middle.stop])
        for at in range(middle.stop, len(data)):
            self.sock.sendall(data[at:at + 1])

    def _fill(self):
        """Reads more; False at the end of the stream."""
        if self.ended:
            return False
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            self.was_reset = True
            data = b""
        except (socket.timeout, TimeoutError):
            fail(f"{self.name}: nothing came within {TIMEOUT} s; unread: {shown(bytes(self.buffer))}")
        self.buffer += data
        self.ended = not data
        return not self.ended

    def recv_exact(self, size):
        while len(self.buffer) < size:
            if not self._fill():
                fail(f"{self.name}: the connection ended; expected {size} bytes, got {shown(bytes(self.buffer))}")
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def recv_until(self, mark):
        while mark not in self.buffer:
            if not self._fill():
                fail(f"{self.name}: the connection ended; expected {mark!r}, got {shown(bytes(self.buffer))}")
        return self.recv_exact(self.buffer.index(mark) + len(mark))

    def recv_all(self):
        """Everything until the end of the stream."""
        while self._fill():
            pass
        return self.recv_exact(len(self.buffer))

    def expect_bytes(self, data):
        equal(self.recv_exact(len(data)), to_bytes(data), f"{self.name}: bytes")

    def expect_eof(self):
        """The other side ends the stream (or resets it: see was_reset) without another byte."""
        equal(self.recv_all(), b"", f"{self.name}: expected the end of the connection")

    def expect_silence(self):
        """Nothing waits to be read now. Only after something that proves all was delivered."""
        if select.select([self.sock], [], [], 0)[0] and self._fill() or self.buffer:
            fail(f"{self.name}: expected silence, got {shown(bytes(self.buffer))}")

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        """Closes with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
