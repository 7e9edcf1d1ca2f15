"""Many sockets on many sessions while everything happens to Redis, and afterwards the count: who was let in, who was closed,
what each backend was told last.

    faults.run(sockets=1000, rate=200)

All of it runs in one thread, so what is known of a session is known at the moment it is asked. No session comes back once it
is gone: a socket closed with 4401 must be one of a session that is not there at the end.
"""

import asyncio
import collections
import ctypes
import json
import os
import random
import signal
import struct
import subprocess
import time

import redis_client
from async_wire import MASK, accept, answer_close, listen, read_frame, upgrade
from environment import TEST_DIR
from expectation import Failure, check, equal, wait_until
from frame import CLOSE, TEXT, frame
from nginx import nginx

SOCKET = os.path.join(TEST_DIR, "faults.sock")
SETTLED_SECONDS = 40
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Redis:
    """A redis-server that forgets nothing it has acknowledged, unless told to."""

    def start(self, empty=False):
        data = os.path.join(TEST_DIR, "redis-data")
        os.makedirs(data, exist_ok=True)
        if empty:
            subprocess.run(["rm", "-rf", os.path.join(data, "appendonlydir")], check=True)
        with open(os.path.join(TEST_DIR, "faults-redis.out"), "ab") as output:
            self.process = subprocess.Popen(
                ["/usr/bin/redis-server", "--port", "0", "--unixsocket", SOCKET, "--dir", data, "--save", "",
                 "--appendonly", "yes", "--appendfsync", "always", "--unixsocketperm", "777"],
                stdout=output, stderr=output, preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.command = None
        wait_until(self._answers, "Redis answers")

    def _answers(self):
        try:
            self.command = redis_client.Redis(SOCKET)
            return self.command("PING") == "PONG"
        except (OSError, Failure):
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()
        os.unlink(SOCKET)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)


class Session:
    def __init__(self, token):
        self.token = token
        self.version = 0
        self.gone_since = None  # Redis has said so

    @property
    def key(self):
        return "session:" + self.token


class Socket:
    """A client's connection that was let in."""

    def __init__(self, session, id, reader, writer):
        self.session = session
        self.id = id
        self.reader = reader
        self.writer = writer
        self.closed = None  # the code, or "cut"

    async def watch(self):
        try:
            while True:
                opcode, payload = await read_frame(self.reader)
                if opcode == CLOSE:
                    self.closed = struct.unpack("!H", payload[:2])[0]
                    await answer_close(self.reader, self.writer, payload, mask=MASK)
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed = self.closed or "cut"
        self.writer.close()

    async def leave(self):
        """Closes from the client's side; watch() sees the answer."""
        self.writer.write(frame(CLOSE, struct.pack("!H", 1000), mask=MASK))


class Backend:
    """What the envelopes of each open connection have said last."""

    def __init__(self):
        self.contexts = {}

    async def serve(self, reader, writer):
        connection = None
        try:
            await accept(reader, writer)
            while True:
                opcode, payload = await read_frame(reader)
                if opcode == TEXT:
                    event = json.loads(payload)
                    connection = event["connection"]
                    if "context" in event:
                        self.contexts[connection] = event["context"]
                elif opcode == CLOSE:
                    await answer_close(reader, writer, payload)
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.contexts.pop(connection, None)
        writer.close()


class World:
    def __init__(self, sockets, rate):
        self.random = random.Random(1)
        self.redis = Redis()
        self.backend = Backend()
        self.sessions = []
        self.sockets = []
        self.size = sockets
        self.rate = rate
        self.answers = collections.Counter()
        self.wrong = []
        self.watching = set()
        self.reachable = True
        self.over = False

    # Sessions

    def new_session(self):
        session = Session(f"{len(self.sessions)}-{self.random.getrandbits(64):x}")
        self.sessions.append(session)
        self.write(session)
        return session

    def write(self, session):
        session.version += 1
        value = json.dumps({"user": session.token, "version": session.version})
        words = ["SET", session.key, value]
        # XX: an expired one doesn't come back.
        if session.version > 1 and self.redis.command(*words, "XX", "KEEPTTL") is None:
            session.gone_since = time.monotonic()
        elif session.version == 1:
            self.redis.command(*words)

    def change_one(self):
        session = self.random.choice(self.sessions)
        if session.gone_since is not None:
            return
        what = self.random.random()
        if what < 0.10:
            self.redis.command("DEL", session.key)
            session.gone_since = time.monotonic()
        elif what < 0.15:
            self.redis.command("PEXPIRE", session.key, 50)
        elif what < 0.35:
            self.redis.command("EXPIRE", session.key, 10000, "GT")
        else:
            self.write(session)

    # Sockets

    async def upgrade(self, session, path):
        """(status, Socket or None)"""
        asked = time.monotonic()
        try:
            status, reader, writer = await upgrade(path, cookie="t=" + session.token)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.wrong.append(f"no answer to an upgrade of {session.token}")
            return 0, None
        self.answers[status] += 1
        if status != 101:
            if status not in (401, 503):
                self.wrong.append(f"an upgrade was answered {status}")
            if status == 401 and session.gone_since is None and self.redis_has(session):
                self.wrong.append(f"{session.token} is there, and was refused")
            writer.close()
            return status, None
        if session.gone_since is not None and session.gone_since < asked:
            self.wrong.append(f"{session.token} was gone, and was let in")
        socket = Socket(session, None, reader, writer)
        task = asyncio.ensure_future(socket.watch())
        self.watching.add(task)
        task.add_done_callback(self.watching.discard)
        return status, socket

    def redis_has(self, session):
        """False when that can't be asked now."""
        return self.reachable and self.redis.command("EXISTS", session.key) == 1

    async def open_all(self):
        gate = asyncio.Semaphore(50)

        async def one(index):
            async with gate:
                status, socket = await self.upgrade(self.sessions[index // 2], "/envelope" if index % 2 else "/headers")
                equal(status, 101)
                self.sockets.append(socket)
        await asyncio.gather(*(one(index) for index in range(self.size)))

    async def visit(self):
        """Somebody connects, of a session that may be gone or never was, stays a little and leaves."""
        session = self.random.choice(self.sessions) if self.random.random() < 0.9 else Session("nobody's")
        if session.version == 0:
            session.gone_since = 0
        _, socket = await self.upgrade(session, self.random.choice(["/envelope", "/headers"]))
        if socket is not None:
            await asyncio.sleep(self.random.random())
            if socket.closed is not None and session.gone_since is None and self.redis_has(session):
                self.wrong.append(f"{session.token} is there, and a visitor of it was closed: {socket.closed}")
            await socket.leave()

    async def visits(self):
        tasks = []
        start = time.monotonic()
        while not self.over:
            while len(tasks) < (time.monotonic() - start) * self.rate:
                tasks.append(asyncio.ensure_future(self.visit()))
            await asyncio.sleep(0.005)
        await asyncio.gather(*tasks)

    async def changes(self):
        while not self.over:
            if self.reachable:
                self.change_one()
            await asyncio.sleep(0.005)

    # What happens to Redis

    async def faults(self):
        command = lambda *words: self.redis.command(*words)
        for _ in range(2):
            await asyncio.sleep(0.5)
            command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            await asyncio.sleep(0.5)
            command("CLIENT", "KILL", "TYPE", "pubsub")
            await asyncio.sleep(0.5)
            self.reachable = False
            self.redis.pause()
            await asyncio.sleep(1.5)
            self.redis.resume()
            self.reachable = True
            await asyncio.sleep(0.5)
            self.reachable = False
            self.redis.kill()
            await asyncio.sleep(0.7)
            self.redis.start()
            self.reachable = True
            await asyncio.sleep(1)
        self.over = True

    # The count

    def unsettled(self):
        """What is not as it has to be, yet."""
        there = {session: json.loads(text) for session, text in
                 ((session, self.redis.command("GET", session.key)) for session in self.sessions) if text is not None}
        for index, socket in enumerate(self.sockets):
            if socket.session not in there:
                if socket.closed != 4401:
                    return f"a socket of {socket.session.token}, which is gone: {socket.closed}"
            elif socket.closed is not None:
                return f"a socket of {socket.session.token}, which is there, was closed: {socket.closed}"
        told = collections.defaultdict(list)
        for context in self.backend.contexts.values():
            told[context["user"]].append(context)
        for session, value in there.items():
            # Of each two sockets of a session, one is in envelope delivery.
            if told[session.token] != [value]:
                return f"the one socket was not told {value}, but {told[session.token]}"
        return None

    async def settle(self, what):
        end = time.monotonic() + SETTLED_SECONDS
        while (why := what()) is not None:
            check(time.monotonic() < end, why)
            await asyncio.sleep(0.05)


def descriptors(redis):
    """Of the worker, without its connections to Redis: those come and go."""
    pid, = nginx.worker_pids()
    return len(os.listdir(f"/proc/{pid}/fd")) - (len(redis.command("CLIENT", "LIST").splitlines()) - 1)


async def story(sockets, rate):
    world = World(sockets, rate)
    world.redis.start()
    server = await listen(world.backend.serve)

    # The gateway's own connections first.
    _, first = await world.upgrade(world.new_session(), "/envelope")
    await first.leave()
    await world.settle(lambda: "open" if world.watching else None)
    before = descriptors(world.redis)

    for _ in range(sockets // 2 - 1):
        world.new_session()
    await world.open_all()
    await asyncio.gather(world.visits(), world.changes(), world.faults())
    await world.settle(world.unsettled)
    equal(world.wrong, [])
    check(world.answers[101] > sockets and world.answers[401] > 50, f"upgrades of both kinds: {world.answers}")

    # Redis comes back without any session: everybody is closed.
    gone = sum(socket.closed is not None for socket in world.sockets)
    check(0 < gone < len(world.sockets), f"{gone} of {len(world.sockets)} are gone by now")
    world.redis.kill()
    world.redis.start(empty=True)
    await world.settle(world.unsettled)
    await world.settle(lambda: "open" if world.watching else None)
    await world.settle(lambda: None if descriptors(world.redis) <= before else "descriptors are left over")
    equal(world.wrong, [])
    server.close()


def run(sockets, rate):
    asyncio.run(story(sockets, rate))
