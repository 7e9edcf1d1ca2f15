"""A connection through the gateway, both ends of it."""

from backend import backend
from client import client
from expectation import equal
from handshake import accept_key


def tunnel(path="/", headers_back=(), **request):
    """(client, backend connection) after a handshake that succeeded."""
    c = client(path, **request)
    b = backend.accept()
    b.upgrade(headers_back)
    equal(c.status, 101, "status of the upgrade")
    equal(c.header("Sec-WebSocket-Accept"), accept_key(c.key), "Sec-WebSocket-Accept")
    return c, b
