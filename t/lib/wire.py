"""What a functional test's client script works with: raw sockets, deterministic, synchronous.

A script plays the client and the backend of one gateway in one thread:

    c = client("/chat", cookie="X-Token=abc")    # sends the request, reads nothing yet
    b = backend.accept()                         # reads the head of the request to the backend
    b.upgrade()                                  # answers 101
    equal(c.status, 101)                         # now the answer is read
    c.send_text("hello")
    b.expect_text("hello")

or shorter `c, b = tunnel("/chat", cookie="X-Token=abc")`. Every wait ends after TIMEOUT seconds with a
failure. With TRICKLE=1 in the environment every send goes out one byte per write.
"""

import base64
import os
import re
import select
import signal
import socket
import struct
import sys
import threading
import time

TIMEOUT = 10
TRICKLE = os.environ.get("TRICKLE", "") not in ("", "0")
TRICKLE_WINDOW = 4096  # of a longer send only so many bytes at each end go one by one

TEST_DIR = os.environ.get("TEST_DIR", "")
PORT = int(os.environ.get("TEST_PORT", "0"))
TLS_PORT = int(os.environ.get("TEST_TLS_PORT", "0"))
KEY = "dGhlIHNhbXBsZSBub25jZQ=="

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPCODES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


class Failure(AssertionError):
    """What a test expected did not happen."""


def shown(value):
    text = repr(value)
    return text if len(text) <= 600 else f"{text[:400]} ... {text[-100:]} ({len(value)} long)"


def fail(message):
    raise Failure(message)


def check(condition, message="condition"):
    if not condition:
        fail(f"not so: {message}")


def equal(got, expected, message=""):
    if got != expected:
        fail(f"{message or 'not equal'}\n  expected: {shown(expected)}\n  got:      {shown(got)}")


def matches(text, pattern, message=""):
    if not re.search(pattern, text):
        fail(f"{message or 'no match'}\n  expected: /{pattern}/\n  got:      {shown(text)}")


def wait_until(condition, message="condition"):
    """For what no socket can tell, such as a line in the log: polls until it holds."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            fail(f"not within {TIMEOUT} s: {message}")
        time.sleep(0.002)


def to_bytes(data):
    return data.encode() if isinstance(data, str) else bytes(data)


def accept_key(key):
    import hashlib  # here because it takes as long to load as all the rest
    digest = hashlib.sha1(to_bytes(key) + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest).decode()


def mask_bytes(payload, key):
    size = len(payload)
    if not size:
        return b""
    repeated = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def frame(opcode, payload=b"", fin=True, mask=None, rsv=0):
    """The bytes of one frame; mask is None or the four bytes of the key."""
    payload = to_bytes(payload)
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask is not None else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    return head + payload if mask is None else head + mask + mask_bytes(payload, mask)


class Stream:
    """A socket with a read buffer. `sock` is the socket itself."""

    name = "peer"

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        self.ended = False
        self.was_reset = False
        sock.settimeout(TIMEOUT)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        data = to_bytes(data)
        if not TRICKLE:
            self.sock.sendall(data)
            return
        edge = TRICKLE_WINDOW
        middle = range(edge, max(edge, len(data) - edge))
        for at in range(0, min(edge, len(data))):
            self.sock.sendall(data[at:at + 1])
        self.sock.sendall(data[middle.start:middle.stop])
        for at in range(middle.stop, len(data)):
            self.sock.sendall(data[at:at + 1])

    def _fill(self):
        """Reads more; False at the end of the stream."""
        if self.ended:
            return False
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            self.was_reset = True
            data = b""
        except (socket.timeout, TimeoutError):
            fail(f"{self.name}: nothing came within {TIMEOUT} s; unread: {shown(bytes(self.buffer))}")
        self.buffer += data
        self.ended = not data
        return not self.ended

    def recv_exact(self, size):
        while len(self.buffer) < size:
            if not self._fill():
                fail(f"{self.name}: the connection ended; expected {size} bytes, got {shown(bytes(self.buffer))}")
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def recv_until(self, mark):
        while mark not in self.buffer:
            if not self._fill():
                fail(f"{self.name}: the connection ended; expected {mark!r}, got {shown(bytes(self.buffer))}")
        return self.recv_exact(self.buffer.index(mark) + len(mark))

    def recv_all(self):
        """Everything until the end of the stream."""
        while self._fill():
            pass
        return self.recv_exact(len(self.buffer))

    def expect_bytes(self, data):
        equal(self.recv_exact(len(data)), to_bytes(data), f"{self.name}: bytes")

    def expect_eof(self):
        """The other side ends the stream (or resets it: see was_reset) without another byte."""
        equal(self.recv_all(), b"", f"{self.name}: expected the end of the connection")

    def expect_silence(self):
        """Nothing waits to be read now. Only after something that proves all was delivered."""
        if select.select([self.sock], [], [], 0)[0] and self._fill() or self.buffer:
            fail(f"{self.name}: expected silence, got {shown(bytes(self.buffer))}")

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        """Closes with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class WebSocket(Stream):
    """Frames over a stream. `masks`: whether this end masks what it sends."""

    masks = False
    last_mask = None

    def send_frame(self, opcode, payload=b"", fin=True, mask=None, rsv=0, key=b"\x12\x34\x56\x78"):
        """mask: None is what this end has to do, True or False break the rule."""
        masked = self.masks if mask is None else mask
        self.send(frame(opcode, payload, fin, key if masked else None, rsv))

    def send_text(self, text):
        self.send_frame(TEXT, text)

    def send_binary(self, data):
        self.send_frame(BINARY, data)

    def send_ping(self, data=b""):
        self.send_frame(PING, data)

    def send_pong(self, data=b""):
        self.send_frame(PONG, data)

    def send_close(self, code=None, reason=""):
        self.send_frame(CLOSE, b"" if code is None else struct.pack("!H", code) + to_bytes(reason))

    def recv_frame(self):
        """(fin, rsv, opcode, payload); fails when the other end's masking is wrong."""
        self._before_frames()
        first, second = self.recv_exact(2)
        masked, size = bool(second & 0x80), second & 0x7f
        equal(masked, not self.masks, f"{self.name}: mask bit of a received frame")
        if size == 126:
            size, = struct.unpack("!H", self.recv_exact(2))
            check(size > 125, "shortest length encoding")
        elif size == 127:
            size, = struct.unpack("!Q", self.recv_exact(8))
            check(size > 65535, "shortest length encoding")
        self.last_mask = self.recv_exact(4) if masked else None
        payload = self.recv_exact(size)
        if masked:
            payload = mask_bytes(payload, self.last_mask)
        return bool(first & 0x80), first >> 4 & 7, first & 15, payload

    def _before_frames(self):
        pass

    def recv_message(self):
        """(opcode, payload) of a whole message; a control frame counts as one."""
        fin, rsv, opcode, payload = self.recv_frame()
        equal(rsv, 0, f"{self.name}: reserved bits")
        while not fin:
            fin, rsv, following, more = self.recv_frame()
            equal((rsv, following), (0, CONTINUATION), f"{self.name}: (reserved bits, opcode) within a message")
            payload += more
        return opcode, payload

    def _expect(self, opcode, payload):
        got, data = self.recv_message()
        equal((OPCODES.get(got, got), data), (OPCODES[opcode], to_bytes(payload)), f"{self.name}: message")

    def expect_text(self, text):
        self._expect(TEXT, text)

    def expect_binary(self, data):
        self._expect(BINARY, data)

    def expect_ping(self, data=b""):
        self._expect(PING, data)

    def expect_pong(self, data=b""):
        self._expect(PONG, data)

    def recv_text(self):
        opcode, data = self.recv_message()
        equal(OPCODES.get(opcode, opcode), "text", f"{self.name}: kind of message, with {shown(data)}")
        return data.decode()

    def recv_close(self):
        """(code, reason) of a close frame; (None, "") for one without a code."""
        opcode, data = self.recv_message()
        equal(OPCODES.get(opcode, opcode), "close", f"{self.name}: with {shown(data)}")
        return (struct.unpack("!H", data[:2])[0] if len(data) >= 2 else None), data[2:].decode()

    def expect_close(self, code=None, reason=None):
        """A close frame; code None is one without a code, reason None is any reason."""
        got_code, got_reason = self.recv_close()
        equal(got_code, code, f"{self.name}: with {shown(got_reason)}")
        if reason is not None:
            equal(got_reason, reason, f"{self.name}: close reason")


def parse_head(raw):
    """First line and (name, value) pairs of an HTTP head."""
    lines = raw.decode("latin-1").split("\r\n")
    pairs = []
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            pairs.append((name, value.strip()))
    return lines[0], pairs


class Head:
    """The headers of a request or a response: `headers` are pairs as sent, `raw_head` the bytes."""

    headers = ()

    def header_all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        """The value of a header, None without it; fails when it is there twice."""
        values = self.header_all(name)
        check(len(values) < 2, f"one {name} header, got {values!r}")
        return values[0] if values else None

    def _read_body(self):
        length = self.header("Content-Length")
        if length is not None:
            return self.recv_exact(int(length))
        if (self.header("Transfer-Encoding") or "").lower() == "chunked":
            body = b""
            while True:
                size = int(self.recv_until(b"\r\n").split(b";")[0], 16)
                body += self.recv_exact(size)
                self.recv_exact(2)
                if not size:
                    return body
        return self.recv_all() if self.ends_at_eof else b""


class Client(WebSocket, Head):
    """A connection to the gateway whose request has been sent. The answer is read when first asked for."""

    name = "client"
    masks = True
    ends_at_eof = True
    _head = None
    _body = None

    def read_head(self):
        if self._head is None:
            self.raw_head = self.recv_until(b"\r\n\r\n")
            self._head, self.headers = parse_head(self.raw_head)
        return self._head

    _before_frames = read_head

    @property
    def status(self):
        words = self.read_head().split(" ", 2)
        check(len(words) > 1 and words[0].startswith("HTTP/1."), f"a status line, got {self._head!r}")
        return int(words[1])

    @property
    def body(self):
        self.read_head()
        if self._body is None:
            self._body = self._read_body()
        return self._body

    def header(self, name):
        self.read_head()
        return super().header(name)

    def request(self, data):
        """One more request on this connection."""
        self.body
        self._head = self._body = None
        self.send(data)


def request_bytes(path="/", cookie=None, headers=(), key=KEY, method="GET", version="13", upgrade="websocket",
                  connection="Upgrade", host="localhost", origin=None, http="HTTP/1.1"):
    """The bytes of an upgrade request; an argument that is None leaves its line out."""
    pairs = [("Host", host), ("Upgrade", upgrade), ("Connection", connection),
             ("Sec-WebSocket-Version", version), ("Sec-WebSocket-Key", key), ("Origin", origin), ("Cookie", cookie)]
    lines = [f"{method} {path} {http}"] + [f"{name}: {value}" for name, value in pairs if value is not None]
    for entry in headers:
        lines.append(entry if isinstance(entry, str) else f"{entry[0]}: {entry[1]}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"


def dial(port=None, tls=False, receive_buffer=None):
    """A socket connected to the gateway."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(TIMEOUT)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.connect(("127.0.0.1", port or (TLS_PORT if tls else PORT)))
    if tls:
        import ssl
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        sock = context.wrap_socket(sock, server_hostname="localhost")
    return sock


def client(path="/", *, raw=None, tls=False, port=None, receive_buffer=None, **request):
    """Sends an upgrade request (see request_bytes), or the bytes `raw` as they are."""
    c = Client(dial(port, tls, receive_buffer))
    c.key = request.get("key", KEY)
    c.send(request_bytes(path, **request) if raw is None else raw)
    return c


def get(path="/", headers=(), **request):
    """An ordinary request without an upgrade."""
    return client(path, headers=headers, key=None, version=None, upgrade=None, connection="close", **request)


class BackendConnection(WebSocket, Head):
    """A connection from the gateway, its request's head read: method, uri, headers, raw_head."""

    name = "backend"
    ends_at_eof = False

    def read_request(self):
        self.raw_head = self.recv_until(b"\r\n\r\n")
        line, self.headers = parse_head(self.raw_head)
        self.method, self.uri, self.protocol = line.split(" ")
        return self

    def read_body(self):
        return self._read_body()

    def upgrade(self, headers=(), accept=None, status="101 Switching Protocols", then=b""):
        """Answers the upgrade; `then` goes out in the same write as the head."""
        accept = accept_key(self.header("Sec-WebSocket-Key") or "") if accept is None else accept
        lines = [f"HTTP/1.1 {status}", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]
        lines += [entry if isinstance(entry, str) else f"{entry[0]}: {entry[1]}" for entry in headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + then)
        return self

    def respond(self, status="200 OK", headers=(), body=b""):
        """Answers as an ordinary HTTP server."""
        body = to_bytes(body)
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [entry if isinstance(entry, str) else f"{entry[0]}: {entry[1]}" for entry in headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return self


threads = []
thread_failures = []


def note_failure(function, *arguments):
    try:
        function(*arguments)
    except BaseException:
        thread_failures.append(sys.exc_info())


def in_thread(function, *arguments):
    """Runs function beside the script; what it raises fails the test."""
    thread = threading.Thread(target=note_failure, args=(function, *arguments), daemon=True)
    threads.append(thread)
    thread.start()
    return thread


class Listener:
    """A listening socket."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(TIMEOUT)

    def accept_stream(self):
        """The next connection, nothing read."""
        try:
            return Stream(self.sock.accept()[0])
        except (socket.timeout, TimeoutError):
            fail(f"no connection came within {TIMEOUT} s")

    def no_connection(self):
        """Nobody has connected. Only after what proves that nobody will, such as the final answer."""
        if select.select([self.sock], [], [], 0)[0]:
            connection = self.sock.accept()[0]
            connection.settimeout(1)
            fail(f"expected no connection; got one with {shown(connection.recv(65536))}")

    def close(self):
        """From here on connections are refused."""
        self.sock.close()


class Backend(Listener):
    """The backend's listener, $TEST_BACKEND."""

    def accept(self, tls=False):
        stream = self.accept_stream()
        sock = stream.sock
        if tls:
            import ssl
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.environ["TEST_CERT"], os.environ["TEST_CERT_KEY"])
            sock = context.wrap_socket(sock, server_side=True)
        return BackendConnection(sock).read_request()

    def serve(self, function):
        """From here on function(connection) runs in a thread for each connection, which its end closes."""
        self.sock.settimeout(None)

        def run(connection):
            # Noted before the connection ends: the script may be waiting for that only.
            note_failure(lambda: function(connection.read_request()))
            connection.close()

        def loop():
            while True:
                try:
                    sock = self.sock.accept()[0]
                except OSError:
                    return  # closed
                in_thread(run, BackendConnection(sock))
        in_thread(loop)

    def echo(self):
        """Accepts every upgrade and sends each message back, a close frame included."""
        def answer(connection):
            connection.upgrade()
            while True:
                opcode, payload = connection.recv_message()
                connection.send_frame(PONG if opcode == PING else opcode, payload)
                if opcode == CLOSE:
                    return connection.expect_eof()
        self.serve(answer)


def listen_unix(name):
    """A listener at $TEST_DIR/name, for what plays a broken Redis."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(os.path.join(TEST_DIR, name))
    sock.listen(64)
    return Listener(sock)


def tunnel(path="/", headers_back=(), **request):
    """(client, backend connection) after a handshake that succeeded."""
    c = client(path, **request)
    b = backend.accept()
    b.upgrade(headers_back)
    equal(c.status, 101, "status of the upgrade")
    equal(c.header("Sec-WebSocket-Accept"), accept_key(c.key), "Sec-WebSocket-Accept")
    return c, b


class Redis:
    """The test's Redis: redis("SET", "session:abc", "{}") answers str, int, list or None."""

    def __init__(self, path):
        self.path = path
        self.stream = None
        self.pid = int(os.environ.get("TEST_REDIS_PID") or 0)

    def __call__(self, *words):
        if self.stream is None:
            check(self.path, "this block has a Redis")
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(TIMEOUT)
            sock.connect(self.path)
            self.stream = Stream(sock)
        parts = [word.encode("utf-8", "surrogateescape") if isinstance(word, str) else to_bytes(str(word).encode()
                 if isinstance(word, (int, float)) else word) for word in words]
        self.stream.sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return self._reply(words)

    def _reply(self, words):
        line = self.stream.recv_until(b"\r\n")[:-2]
        kind, rest = line[:1], line[1:].decode()
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == "-1":
                return None
            return self.stream.recv_exact(int(rest) + 2)[:-2].decode("utf-8", "surrogateescape")
        if kind == b"*":
            return None if rest == "-1" else [self._reply(words) for _ in range(int(rest))]
        return fail(f"Redis answered {words!r} with {line!r}")

    def calls(self, command):
        """How often that command has run, whoever sent it."""
        found = re.search(rf"^cmdstat_{command}:calls=(\d+),", self("INFO", "commandstats"), re.M)
        return int(found[1]) if found else 0

    def stop(self):
        """Redis hangs: it accepts and never answers. Wants a block with `--- redis_own`."""
        self._own()
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def kill(self):
        """Redis is gone, its connections with it."""
        self._own()
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not running(self.pid), "Redis is gone")

    def _own(self):
        check(os.environ.get("TEST_REDIS_OWN"), "the block says --- redis_own")

    def load(self, text):
        """Lines of commands. Words are parted by blanks; 'a word in quotes' may hold some."""
        for line in text.splitlines():
            words = [quoted or plain for quoted, plain in re.findall(r"'([^']*)'(?=\s|$)|(\S+)", line)]
            if words and not words[0].startswith("#"):
                self(*words)


def running(pid):
    """Whether the process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Nginx:
    """The gateway's processes."""

    pid = int(os.environ.get("TEST_NGINX_PID") or 0)

    def wait_started(self, workers):
        """Until then connections wait in the queue, but a signal would end nginx."""
        wait_until(lambda: not running(self.pid) or len(self.worker_pids()) == workers, "workers have started")
        check(running(self.pid), "nginx has started")

    def worker_pids(self):
        """Workers that take connections."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            children = [int(pid) for pid in file.read().split()]
        return [pid for pid in children if self._title(pid) == "nginx: worker process"]

    def _title(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="latin-1") as file:
                return file.read().rstrip("\0 ").split("\0")[0]
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def signal(self, number):
        os.kill(self.pid, number)

    def reload(self):
        """Returns when new workers are there and the old ones take no more connections."""
        before = set(self.worker_pids())
        self.signal(signal.SIGHUP)
        wait_until(lambda: (now := set(self.worker_pids())) and not now & before, "new workers only")

    def quit(self):
        """Tells nginx to finish gracefully; does not wait."""
        self.signal(signal.SIGQUIT)

    def error_log(self):
        with open(os.path.join(TEST_DIR, "error.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def access_log(self):
        with open(os.path.join(TEST_DIR, "access.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, pattern):
        """Waits for a line of the error log that matches."""
        wait_until(lambda: re.search(pattern, self.error_log()), f"error log: {pattern}")


nginx = Nginx()
redis = Redis(os.environ.get("TEST_REDIS_SOCKET", ""))
backend = Backend(socket.socket(fileno=int(os.environ["TEST_BACKEND_FD"]))) if "TEST_BACKEND_FD" in os.environ else None
