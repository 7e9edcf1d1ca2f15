"""Clients of the gateway."""

import socket

from environment import PORT, TIMEOUT, TLS_PORT
from expectation import check
from handshake import KEY, request_bytes
from http_head import Head, parse_head
from websocket import WebSocket


class Client(WebSocket, Head):
    """A connection to the gateway whose request has been sent. The answer is read when first asked for."""

    name = "client"
    masks = True
    ends_at_eof = True
    _head = None
    _body = None

    def read_head(self):
        if self._head is None:
            self.raw_head = self.recv_until(b"\r\n\r\n")
            self._head, self.headers = parse_head(self.raw_head)
        return self._head

    _before_frames = read_head

    @property
    def status(self):
        words = self.read_head().split(" ", 2)
        check(len(words) > 1 and words[0].startswith("HTTP/1."), f"a status line, got {self._head!r}")
        return int(words[1])

    @property
    def body(self):
        self.read_head()
        if self._body is None:
            self._body = self._read_body()
        return self._body

    def header(self, name):
        self.read_head()
        return super().header(name)

    def request(self, data):
        """One more request on this connection."""
        self.body
        self._head = self._body = None
        self.send(data)


def dial(port=None, tls=False, receive_buffer=None):
    """A socket connected to the gateway."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(TIMEOUT)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.connect(("127.0.0.1", port or (TLS_PORT if tls else PORT)))
    if tls:
        import ssl
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        sock = context.wrap_socket(sock, server_hostname="localhost")
    return sock


def client(path="/", *, raw=None, tls=False, port=None, receive_buffer=None, **request):
    """Sends an upgrade request (see request_bytes), or the bytes `raw` as they are."""
    c = Client(dial(port, tls, receive_buffer))
    c.key = request.get("key", KEY)
    c.send(request_bytes(path, **request) if raw is None else raw)
    return c


def get(path="/", headers=(), **request):
    """An ordinary request without an upgrade."""
    return client(path, headers=headers, key=None, version=None, upgrade=None, connection="close", **request)
