"""An attacker who wants /forbidden, which nginx refuses and the backend would serve.

The backend here is as careless as they come: it answers one request after the other on a connection, whatever it has
answered before, serves every path, takes a status from the query (?status=101), and believes in h2c.
"""

import re

from client import dial
from expectation import Failure, check, equal, shown
from frame import CLOSE
from handshake import request_bytes
from stream import Stream

SECRET = b"what nginx forbids"
FORBIDDEN = b"GET /forbidden HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

reached = []  # the addresses that the backend was asked for


def careless_backend(connection):
    while True:
        reached.append(connection.uri)
        if "/forbidden" in connection.uri:
            connection.respond("200 OK", body=SECRET)
            return
        answer(connection)
        if connection.header("Sec-WebSocket-Key") and "status=" not in connection.uri \
                and connection.header("Sec-WebSocket-Version") == "13":
            return serve_frames(connection)
        try:
            connection.read_request()
        except (Failure, ValueError):
            return  # no more requests


def answer(connection):
    status = re.search(r"status=(\d+)", connection.uri)
    if status:
        connection.send(f"HTTP/1.1 {status[1]} As Told\r\n" + ("\r\n" if status[1] == "101" else "Content-Length: 0\r\n\r\n"))
    elif connection.header("Upgrade") == "h2c":
        connection.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
    elif connection.header("Sec-WebSocket-Key") is None:
        connection.respond("200 OK")
    elif connection.header("Sec-WebSocket-Version") != "13":
        connection.respond("426 Upgrade Required", ["Sec-WebSocket-Version: 13"])
    else:
        connection.upgrade()


def serve_frames(connection):
    """A real WebSocket: anything but sound frames fails the test."""
    while connection.recv_message()[0] != CLOSE:
        pass
    connection.send_close(1000)


def smuggle(request, then=FORBIDDEN, glued=True):
    """Sends `request` and behind it `then`, at once or after the first answer; reads to the end. Returns the statuses
    that came, and fails when the forbidden page did, or when the backend was asked for it."""
    stream = Stream(dial())
    head = b""
    try:
        stream.send(request + then if glued else request)
        if not glued:
            head = stream.recv_until(b"\r\n\r\n")
            stream.send(then)
    except OSError:
        pass  # nginx has had enough
    got = head + stream.recv_all()
    stream.close()
    check(SECRET not in got, f"the forbidden page is out of reach of {shown(request)}, got {shown(got)}")
    check(not [uri for uri in reached if "/forbidden" in uri], f"the backend isn't asked for it by {shown(request)}")
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", got)]


def attack(places, expected, change="", **request):
    """Each place, glued and not: a valid upgrade request of a session that exists, with `change` behind the address and
    the rest as request_bytes() has it. The statuses must be those expected."""
    for place in places:
        for glued in True, False:
            data = request_bytes(place + change, **{"cookie": "t=abc", **request})
            equal(smuggle(data, glued=glued), expected, f"{place}, {'glued' if glued else 'in turn'}: {shown(data)}")
