"""What ws_control answers, as the tests look at it."""

import hashlib
import json
import time

from client import Client, dial
from environment import TIMEOUT, TLS_PORT
from expectation import check, equal, wait_until
from redis_client import redis


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
        return redis("PUBSUB", "NUMSUB", "ws:control")[1] == workers
    wait_until(listening, "workers listen")
    wait_until(lambda: call("GET", "/connections", **more).status == 200, "they answer")


def heard(redis, channel, workers):
    """Waits until so many workers listen to the channel at that Redis: a function, since a connection to it may have to be made anew."""
    wait_until(lambda: redis()("PUBSUB", "NUMSUB", channel)[1] == workers, f"{workers} workers listen")


class Consulted:
    """Connections of several workers, any of which is asked: by port TLS_PORT, where each worker listens."""

    def __init__(self, pairs):
        self.pairs = {b.header("X-WS-Connection-Id"): (c, b) for c, b in pairs}

    def ask(self):
        """The statuses of answers about each, one that isn't there, and all. What is said is right: no connection is unknown, or missing."""
        statuses = set()
        for id in self.pairs:
            answer = call("GET", f"/connections/{id}", port=TLS_PORT)
            check(answer.status in (200, 503, 504), f"{id} is there: {answer.status}")
            statuses.add(answer.status)
        for _ in range(5):
            answer = call("GET", "/connections?limit=1000", port=TLS_PORT)
            if answer.status == 200:
                equal([one["id"] for one in answer.body["connections"]], sorted(self.pairs))
            else:
                check(answer.status in (503, 504), f"of all: {answer.status}")
            statuses.add(answer.status)
            statuses.add(call("GET", "/connections/" + "0" * 32, port=TLS_PORT).status)
        return statuses

    def until(self, status):
        """Asks until that is answered; says how often."""
        deadline = time.monotonic() + TIMEOUT
        asked = 1
        while status not in self.ask():
            check(time.monotonic() < deadline, f"{status} is answered")
            asked += 1
        return asked

    def until_whole(self, seconds=3 * TIMEOUT):
        """Asks until everything is answered."""
        deadline = time.monotonic() + seconds
        while (statuses := self.ask()) != {200, 404}:
            check(time.monotonic() < deadline, f"all is answered: {statuses}")
            time.sleep(0.05)

    def say_something(self):
        """Each is reached."""
        for id, (c, b) in self.pairs.items():
            equal(send(id, id, port=TLS_PORT).status, 202)
            c.expect_text(id)
