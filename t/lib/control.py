"""What ws_control answers, as the tests look at it."""

import hashlib
import json

from wire import Client, dial, equal, wait_until


class Answer:
    def __init__(self, c):
        self.status = c.status
        self.headers = c.headers
        self.header = c.header
        text = c.body
        self.body = json.loads(text) if text else None
        if self.status >= 400:
            equal(c.header("Content-Type"), "application/problem+json")
            equal(self.body["status"], self.status)
        elif text:
            equal(c.header("Content-Type"), "application/json")
        c.close()


def start(method, path, body=b"", type=None, prefix="/control", port=None, headers=()):
    """Sends a request; the answer is read when first asked for."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"{method} {prefix}{path} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += list(headers)
    if type is not None:
        lines.append(f"Content-Type: {type}")
    if body or method in ("POST", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    c = Client(dial(port))
    c.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return c


def call(method, path, body=b"", type=None, **more):
    return Answer(start(method, path, body, type, **more))


def send(id, message, type="text/plain", **more):
    return call("POST", f"/connections/{id}/messages", message, type, **more)


def patch(id, change, **more):
    return call("PATCH", f"/connections/{id}/context", json.dumps(change), "application/merge-patch+json", **more)


def connections(query="", **more):
    """All of them, page by page."""
    found, after = [], ""
    while True:
        answer = call("GET", f"/connections?{query}{after}", **more)
        equal(answer.status, 200, f"{answer.body}")
        found += answer.body["connections"]
        if answer.body["next"] is None:
            return found
        after = f"&after={answer.body['next']}"


def session_name(token):
    return hashlib.sha256(token.encode()).hexdigest()


def ready(workers=1, **more):
    """Waits until so many workers can be asked; the answers of all are complete then."""
    def listening():
        from wire import redis
        return redis("PUBSUB", "NUMSUB", "ws:control")[1] == workers
    wait_until(listening, "workers listen")
    wait_until(lambda: call("GET", "/connections", **more).status == 200, "they answer")
