"""What t/examples.t works with: a backend of examples/ behind the gateway, and a client from a library.

    with example("bun/headers.ts", "bun/headers.conf") as shown:
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

from environment import PORT, TEST_DIR, TIMEOUT, TLS_PORT
from expectation import check, wait_until
from nginx import nginx

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODE_MODULES = os.path.join(ROOT, "build/examples/node_modules")
RUNTIMES = {".ts": ["node_modules/.bin/bun"], ".mjs": ["node"], ".py": ["/usr/bin/python3"], ".pl": ["/usr/bin/perl"]}
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def use_location(path, changes, also=()):
    """Gives nginx the locations of examples/PATH, as shipped but for what everybody has to change: where Redis and the backend are
    (`changes` is an address, or what is shipped and what it is here); `also` has more of that.

    The block's configuration is `include $TEST_DIR/location*.conf;`, which matches nothing until then.
    """
    with open(os.path.join(ROOT, "examples", path), encoding="utf-8") as file:
        text = file.read()
    if isinstance(changes, str):
        changes = {"http://127.0.0.1:3000": f"http://{changes}"}
    changes = {"redis://127.0.0.1:6379": f"redis://127.0.0.1:{os.environ['TEST_REDIS_PORT']}", **changes, **dict(also)}
    for shipped, ours in changes.items():
        check(shipped in text, f"{shipped} in {path}")
        text = text.replace(shipped, ours)
    with open(os.path.join(TEST_DIR, "location.conf"), "w", encoding="utf-8") as file:
        file.write(text)
    nginx.reload()


def use_configuration(name, changes={}):
    """Gives nginx a file of examples/nginx, as shipped but for addresses and the names of files: the usual ones, and `changes`.

    The block's http_config is `include $TEST_DIR/configuration*.conf;`, which matches nothing until then.
    """
    with open(os.path.join(ROOT, "examples/nginx", name), encoding="utf-8") as file:
        text = file.read()
    usual = {
        "listen 80;": f"listen 127.0.0.1:{PORT};",
        "listen 443 ssl;": f"listen 127.0.0.1:{TLS_PORT} ssl;",
        "redis://127.0.0.1:6379": f"redis://127.0.0.1:{os.environ.get('TEST_REDIS_PORT')}",
        "127.0.0.1:3000": os.environ["TEST_BACKEND"],
    }
    for shipped, ours in usual.items():
        text = text.replace(shipped, ours)
    for shipped, ours in changes.items():
        check(shipped in text, f"{shipped} in {name}")
        text = text.replace(shipped, ours)
    with open(os.path.join(TEST_DIR, "configuration.conf"), "w", encoding="utf-8") as file:
        file.write(text)
    nginx.reload()


class example:
    """A backend of examples/ that runs behind a location. `environment` is the backend's, `also` is use_location()'s."""

    def __init__(self, backend, location, environment=(), also=()):
        self.backend = backend
        self.location = location
        self.environment = dict(environment)
        self.also = also

    def __enter__(self):
        check(os.path.isdir(NODE_MODULES), f"{NODE_MODULES} is there (make deps)")
        here = os.path.join(TEST_DIR, "examples")
        if not os.path.isdir(here):
            shutil.copytree(os.path.join(ROOT, "examples"), here)
            os.symlink(NODE_MODULES, os.path.join(here, "node_modules"))

        runtime = RUNTIMES[os.path.splitext(self.backend)[1]]
        self.output = os.path.join(TEST_DIR, "example.out")
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [*runtime, self.backend], cwd=here, env={**os.environ, **self.environment, "PORT": "0"}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        try:
            self.port = wait_until(self._port, "the example listens")
            use_location(self.location, f"127.0.0.1:{self.port}", self.also)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def said(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read()

    def _port(self):
        said = self.said()
        check(self.process.poll() is None, f"the example runs; it said:\n{said}")
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", said)
        return found and int(found[1])

    def get(self, path):
        """JSON from the backend itself, past the gateway."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=TIMEOUT) as answer:
            return json.load(answer)


_loop = asyncio.new_event_loop()


def _complete(coroutine):
    return _loop.run_until_complete(asyncio.wait_for(coroutine, TIMEOUT))


class LibraryClient:
    """The client of Python's websockets, made synchronous."""

    def __init__(self, path, **headers):
        async def connect():
            return await websockets.connect(f"ws://127.0.0.1:{PORT}{path}", extra_headers=headers)
        self._ws = _complete(connect())

    def send(self, message):
        _complete(self._ws.send(message))

    def receive(self):
        return _complete(self._ws.recv())

    def close(self):
        """Answers the code that the other side closes with."""
        _complete(self._ws.close())
        return self._ws.close_code

    def closed(self):
        """Waits until the other side has closed; answers (code, reason)."""
        _complete(self._ws.wait_closed())
        return self._ws.close_code, self._ws.close_reason
