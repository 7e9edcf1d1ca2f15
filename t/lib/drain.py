"""Many sockets with traffic on them while their workers have to go, and afterwards the count.

    drain.run(sockets=1000, seconds=4, paths=["/headers", "/envelope"])
    drain.run(sockets=1000, seconds=4, paths=["/http"], backend=drain.HttpBackend())
"""

import asyncio
import json
import os
import random
import re
import struct
import subprocess
import time

from async_wire import MASK, accept, answer_close, listen, read_frame, upgrade
from environment import PORT, TEST_DIR
from expectation import check, equal, matches, wait_until
from frame import CLOSE, TEXT, frame
from http_head import parse_head
from nginx import nginx
from process import running


class Client:
    """Says something now and then, and hears it again, until it is closed."""

    greetings = 0  # messages that come before

    def __init__(self, path):
        self.path = path
        self.heard = 0
        self.closed = None  # (time, code, reason)

    async def open(self):
        status, self.reader, self.writer = await upgrade(self.path)
        equal(status, 101)

    async def live(self):
        talk = asyncio.ensure_future(self.talk())
        while True:
            opcode, payload = await read_frame(self.reader)
            if opcode == CLOSE:
                break
            equal((opcode, payload), (TEXT, f"message {self.heard}".encode()))
            self.heard += 1
        self.closed = time.monotonic(), struct.unpack("!H", payload[:2])[0], payload[2:].decode()
        talk.cancel()
        await answer_close(self.reader, self.writer, payload, mask=MASK)
        self.writer.close()

    async def talk(self):
        said = 0
        while True:
            await asyncio.sleep(random.random() * 0.5)
            self.writer.write(frame(TEXT, f"message {said}", mask=MASK))
            said += 1


class NamedClient(Client):
    """Is told its connection's id first."""

    greetings = 1

    async def open(self):
        await super().open()
        self.id = (await read_frame(self.reader))[1].decode()


class Backend:
    """An echo service that knows what it was told on which connection."""

    client = Client
    end = 1001  # the code by which it hears of a restart

    def __init__(self):
        self.told = {}
        self.closes = {}

    async def serve(self, reader, writer):
        id = (await accept(reader, writer))["x-ws-connection-id"]
        self.told[id] = 0
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == CLOSE:
                break
            equal(opcode, TEXT)
            if payload.startswith(b"{"):
                event = json.loads(payload)
                if event["event"] != "message":
                    continue
                payload = event["data"].encode()
            writer.write(frame(TEXT, payload))
            self.told[id] += 1
        self.closes[id] = struct.unpack("!H", payload[:2])[0]
        await answer_close(reader, writer, payload)
        writer.close()

    def check(self, clients):
        """What else has to be so at the end."""


class HttpBackend(Backend):
    """The same for ws_delivery http. It takes its time, so that something waits for its turn whenever the end comes."""

    client = NamedClient
    end = 1012

    async def serve(self, reader, writer):
        try:
            while True:
                _, headers = parse_head(await reader.readuntil(b"\r\n\r\n"))
                headers = {name.lower(): value for name, value in headers}
                answer = await self.answer(headers, await reader.readexactly(int(headers["content-length"])))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(self, headers, body):
        id, number = headers["ce-id"].split("/")
        if headers["ce-type"] == "websocket.open":
            self.told[id] = 0
            return id.encode()
        if headers["ce-type"] == "websocket.close":
            self.closes[id] = json.loads(body)["code"]
            return b""
        # In order, each once.
        equal(int(number), self.told[id] + 1, id)
        self.told[id] += 1
        await asyncio.sleep(random.random() * 0.3)
        return body

    def check(self, clients):
        """All that was accepted was answered, before the end."""
        equal({client.id: client.heard for client in clients}, self.told)


def check_spread(times, seconds):
    """Evenly: no fifth of the time has twice its share of the closes. (On a busy machine some are seen late.)"""
    times = sorted(times)
    for first, at in enumerate(times):
        part = sum(at <= other < at + seconds / 5 for other in times[first:])
        check(part <= len(times) / 5 * 2, f"{part} of {len(times)} closes in a fifth of the time")


def check_log(backend, clients):
    """What the gateway says that it took is what the backend was told, and what it says it passed on was heard."""
    log = nginx.error_log()
    ends = dict((id, (int(taken), int(given))) for id, taken, given in re.findall(
        r"ws: closed connection=(\w+) by=gateway code=1012 messages_in=(\d+) messages_out=(\d+)", log))
    equal(len(ends), len(clients))
    equal({id: taken for id, (taken, _) in ends.items()}, backend.told)
    equal(sum(given for _, given in ends.values()), sum(client.heard + client.greetings for client in clients))


async def story(sockets, seconds, paths, leave, backend):
    server = await listen(backend.serve)
    clients = [backend.client(paths[i % len(paths)]) for i in range(sockets)]
    for first in range(0, sockets, 50):
        await asyncio.gather(*(client.open() for client in clients[first:first + 50]))
    lives = [asyncio.ensure_future(client.live()) for client in clients]
    old = nginx.worker_pids()
    while min(client.heard for client in clients) == 0:
        await asyncio.sleep(0.05)

    await asyncio.get_running_loop().run_in_executor(None, leave)
    await asyncio.wait_for(asyncio.gather(*lives), 10 * seconds + 60)
    for client in clients:
        equal(client.closed[1], 1012)
        matches(client.closed[2], r"\Aserver restart; retry-after=[1-5]\Z")
    wait_until(lambda: not any(running(pid) for pid in old), "the old workers are gone")
    while len(backend.closes) < sockets:
        await asyncio.sleep(0.05)
    equal(set(backend.closes.values()), {backend.end})
    check_spread([client.closed[0] for client in clients], seconds)
    check_log(backend, clients)
    backend.check(clients)
    server.close()


def run(sockets, seconds, paths, leave=nginx.reload, backend=None):
    """`seconds`: the part of ws_drain_timeout in which connections are closed."""
    asyncio.run(story(sockets, seconds, paths, leave, backend or Backend()))


class Visitor:
    """Comes back whenever it is closed."""

    def __init__(self, path, client):
        self.path = path
        self.client = client
        self.closes = []

    async def live(self):
        while True:
            client = self.client(self.path)
            await client.open()
            await client.live()
            self.closes.append(client.closed[1])


def master():
    """What would grow: (descriptors, KiB of memory)."""
    with open(f"/proc/{nginx.pid}/status", encoding="ascii") as file:
        memory = next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
    return len(os.listdir(f"/proc/{nginx.pid}/fd")), memory


async def reloads(times, visitors, paths, settled, backend=None):
    """Reloads in a row while clients come back; answers master() early and at the end, when the old workers are gone (`settled`)."""
    backend = backend or Backend()
    server = await listen(backend.serve)
    all_of_them = [Visitor(paths[i % len(paths)], backend.client) for i in range(visitors)]
    lives = [asyncio.ensure_future(visitor.live()) for visitor in all_of_them]
    loop = asyncio.get_running_loop()
    seen = []
    for number in range(times):
        await loop.run_in_executor(None, nginx.reload)
        if number in (times // 3, times - 1):
            # A master has descriptors for each worker that it still has.
            await loop.run_in_executor(None, settled)
            seen.append(master())
        await asyncio.sleep(0.1)
    for life in lives:
        check(not life.done(), f"a client goes on: {life}")
        life.cancel()
    server.close()
    for visitor in all_of_them:
        check(len(visitor.closes) >= 2, "each was closed more than once")
        equal(set(visitor.closes), {1012})
    return seen


def start_daemon(name, port):
    """A second nginx with the block's configuration on another port, as a daemon."""
    with open(os.path.join(TEST_DIR, "nginx.conf"), encoding="utf-8") as file:
        text = file.read()
    for shipped, ours in ((f"127.0.0.1:{PORT}", f"127.0.0.1:{port}"), ("nginx.pid", f"{name}.pid"),
                          ("nginx.lock", f"{name}.lock"), ("daemon off", "daemon on")):
        equal(text.count(shipped), 1, f"{shipped} in nginx.conf")
        text = text.replace(shipped, ours)
    path = os.path.join(TEST_DIR, f"{name}.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    binary = os.environ.get("GATEWAY_NGINX", "/usr/sbin/nginx")
    environment = {key: value for key, value in os.environ.items() if key != "NGINX"}
    subprocess.run([binary, "-p", TEST_DIR, "-e", os.path.join(TEST_DIR, "error.log"), "-c", path],
                   env=environment, check=True)
