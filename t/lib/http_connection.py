"""A connection in HTTP delivery, as its client and its backend see it come and go."""

from backend import backend
from client import client
from expectation import equal, matches


def opened(path="/", over=None, **request):
    """(client, backend connection) after an open that the backend has let in; `over`: the connection that it comes over."""
    c = client(path, **request)
    b = over.read_request() if over else backend.accept()
    equal(b.header("ce-type"), "websocket.open")
    b.respond()
    equal(c.status, 101)
    return c, b


def hear_close(b, pattern=""):
    """The backend is told of the end, in words that match."""
    body = b.next_body()
    equal(b.header("ce-type"), "websocket.close")
    matches(body.decode(), pattern)
    b.respond()


def leave(c, b):
    """The client closes."""
    c.send_close(1000)
    c.expect_close(1000)
    hear_close(b, '"code":1000,')
    c.expect_eof()
