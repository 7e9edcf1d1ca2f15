"""A backend that sends messages back, however they are delivered to it. Clients may leave it at any time."""

import json

from backend import backend
from frame import CLOSE, TEXT


def _message(data):
    """What a client has said; None for other events."""
    if not data.startswith(b'{"event":'):
        return data
    event = json.loads(data)
    return event["data"] if event["event"] == "message" else None


def _answer_requests(connection):
    """Until there is one for an upgrade."""
    while kind := connection.header("ce-type"):
        body = connection.read_body()
        connection.respond(headers=["Content-Type: text/plain"], body=body if kind == "websocket.message" else b"")
        connection.read_request()


def _answer_messages(connection):
    connection.upgrade()
    opcode = None
    while opcode != CLOSE:
        opcode, data = connection.recv_message()
        said = _message(data) if opcode == TEXT else data
        if said is not None:
            connection.send_frame(opcode, said)


def _answer(connection):
    connection.sock.settimeout(None)  # idle as long as the gateway likes
    _answer_requests(connection)
    _answer_messages(connection)


def serve():
    backend.serve(_answer, may_leave=True)
