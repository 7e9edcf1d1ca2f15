"""What t/examples.t works with: a backend of examples/ behind the gateway, and a client from a library.

    with example("bun/server.ts", "bun/nginx.conf") as shown:
        client = LibraryClient("/chat", Cookie="X-Token=secret")
"""

import asyncio
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request

import websockets

import wire

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODE_MODULES = os.path.join(ROOT, "build/examples/node_modules")
RUNTIMES = {".ts": ["node_modules/.bin/bun"], ".mjs": ["node"], ".py": ["/usr/bin/python3"]}
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class example:
    """Runs the backend, and nginx with its location, as shipped but for the two ports that everybody changes.

    The block's configuration is `include $TEST_DIR/location*.conf;`, which matches nothing until then.
    """

    def __init__(self, backend, location):
        self.backend = backend
        self.location = location

    def __enter__(self):
        wire.check(os.path.isdir(NODE_MODULES), f"{NODE_MODULES} is there (make deps)")
        here = os.path.join(wire.TEST_DIR, "examples")
        shutil.copytree(os.path.join(ROOT, "examples"), here)
        os.symlink(NODE_MODULES, os.path.join(here, "node_modules"))

        runtime = RUNTIMES[os.path.splitext(self.backend)[1]]
        self.output = os.path.join(wire.TEST_DIR, "example.out")
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [*runtime, self.backend], cwd=here, env={**os.environ, "PORT": "0"}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        try:
            self.port = wire.wait_until(self._port, "the example listens")
            self._configure(os.path.join(here, self.location))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _port(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            said = file.read()
        wire.check(self.process.poll() is None, f"the example runs; it said:\n{said}")
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", said)
        return found and int(found[1])

    def _configure(self, location):
        with open(location, encoding="utf-8") as file:
            text = file.read()
        for shipped, ours in (("redis://127.0.0.1:6379", f"redis://127.0.0.1:{os.environ['TEST_REDIS_PORT']}"),
                              ("http://127.0.0.1:3000", f"http://127.0.0.1:{self.port}")):
            wire.equal(text.count(shipped), 1, f"{shipped} in {location}")
            text = text.replace(shipped, ours)
        with open(os.path.join(wire.TEST_DIR, "location.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        wire.nginx.reload()

    def get(self, path):
        """JSON from the backend itself, past the gateway."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=wire.TIMEOUT) as answer:
            return json.load(answer)


class LibraryClient:
    """The client of Python's websockets, made synchronous."""

    def __init__(self, path, **headers):
        self._loop = asyncio.new_event_loop()
        address = f"ws://127.0.0.1:{wire.PORT}{path}"
        self._ws = self._wait_for(websockets.connect(address, extra_headers=headers, open_timeout=None))

    def _wait_for(self, awaitable):
        async def limited():
            return await asyncio.wait_for(awaitable, wire.TIMEOUT)
        return self._loop.run_until_complete(limited())

    def send(self, message):
        self._wait_for(self._ws.send(message))

    def receive(self):
        return self._wait_for(self._ws.recv())

    def close(self):
        """Answers the code the other side closed with."""
        self._wait_for(self._ws.close())
        return self._ws.close_code

    def closed(self):
        """Waits until the other side has closed; answers (code, reason)."""
        self._wait_for(self._ws.wait_closed())
        return self._ws.close_code, self._ws.close_reason
