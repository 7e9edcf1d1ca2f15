"""How bytes have to flow through a tunnel, whatever moves them: each event method, TLS or not.

The options are those of client(), and tls_backend when the backend's side is TLS.
"""

import os
import select
import ssl
import struct

from backend import backend
from background import in_thread
from client import client
from environment import TIMEOUT
from expectation import check, equal
from frame import TEXT, frame
from handshake import request_bytes
from nginx import nginx

MASK = b"mask"


def open_tunnel(tls_backend=False, then=b"", early=b"", **client_options):
    """`early` follows the request, and `then` the 101, in the same write."""
    c = client(raw=request_bytes("/") + early, **client_options)
    b = backend.accept(tls=tls_backend)
    b.upgrade(then=then)
    equal(c.status, 101)
    return c, b


def close_both(c, b):
    c.send_close(1000)
    b.expect_close(1000)
    b.send_close(1000)
    c.expect_close(1000)
    c.expect_eof()
    b.expect_eof()


def messages_both_ways(**options):
    c, b = open_tunnel(**options)
    for size in 0, 1, 125, 126, 16384, 16385, 65535, 65536, 1 << 20:
        data = os.urandom(size)
        for source, sink in (c, b), (b, c):
            sending = in_thread(source.send_binary, data)
            sink.expect_binary(data)
            sending.join()
    close_both(c, b)


def early_bytes_of_both_sides(**options):
    """Frames behind the request, and behind the 101: fewer and more than a buffer of nginx holds."""
    for count in 1, 50, 300:
        texts = [f"{i} " * 20 for i in range(count)]
        c, b = open_tunnel(early=b"".join(frame(TEXT, text, mask=MASK) for text in texts),
                           then=b"".join(frame(TEXT, text) for text in texts), **options)
        for text in texts:
            b.expect_text(text)
            c.expect_text(text)
        close_both(c, b)


def fill(stream, data):
    """Sends until the socket takes no more; returns how much it took."""
    stream.sock.setblocking(False)
    sent = 0
    while sent < len(data):
        try:
            sent += stream.sock.send(data[sent:sent + 65536])
        except (BlockingIOError, ssl.SSLWantWriteError):
            # Too short a wait makes it look full too early, which no check minds.
            if not select.select([], [stream.sock], [], 0.5)[1]:
                break
    stream.sock.settimeout(TIMEOUT)
    return sent


def resident():
    """Bytes of memory that the worker holds."""
    pid, = nginx.worker_pids()
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmRSS:"))


def sanitized():
    """The address sanitizer keeps what has been freed: its memory says nothing."""
    pid = nginx.worker_pids()[0]
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        return "libasan" in file.read()


def large_frame(size, mask):
    """As received, so a masked payload may be any bytes."""
    return memoryview(bytes([0x82, 127 | (0x80 if mask else 0)]) + struct.pack("!Q", size) + mask + os.urandom(size))


def back_pressure(size=48 << 20, **options):
    """A side that reads nothing stops the other from sending, costs next to no memory, and loses nothing."""
    c, b = open_tunnel(**options)
    for source, sink, mask in (c, b, MASK), (b, c, b""):
        data = large_frame(size, mask)
        before = resident()
        taken = fill(source, data)
        check(taken < len(data), "the sender is stopped")
        if not sanitized():
            grown = resident() - before
            check(grown < 2 << 20, f"the worker keeps little of it: {grown} bytes")
        # The other way is free.
        sink.send_text("meanwhile")
        source.expect_text("meanwhile")

        sending = in_thread(source.sock.sendall, data[taken:])
        equal(sink.recv_exact(len(data)) == data, True, "received as sent")
        sending.join()
    close_both(c, b)


def ends(**options):
    """A half-close gets its answers; a side that leaves, or breaks the protocol, ends the other."""
    c, b = open_tunnel(**options)
    c.send_text("question")
    c.half_close()
    b.expect_text("question")
    b.expect_eof()
    b.send_text("answer")
    b.send_close(1000)
    b.close()
    c.expect_text("answer")
    c.expect_close(1000)
    c.expect_eof()

    c, b = open_tunnel(**options)
    c.reset()
    b.expect_eof()
    b.close()

    c, b = open_tunnel(**options)
    b.reset()
    c.expect_close(1014, "backend gone")
    c.send_close(1014)
    c.expect_eof()

    c, b = open_tunnel(**options)
    c.send(frame(3, mask=MASK))
    b.expect_close(1001)
    b.send_close(1001)
    c.expect_close(1002)
    c.expect_eof()
    b.expect_eof()


def http_delivery():
    """Three connections over one to the backend: messages, and an end of each kind."""
    def answer(**reply):
        body = b.read_body()
        b.respond(headers=["Content-Type: text/plain"], **reply)
        return body
    clients, b = [], None
    for _ in range(3):
        clients.append(client("/"))
        b = b.read_request() if b else backend.accept()
        answer()
        equal(clients[-1].status, 101)
    for text in "one", "x" * 300000, "three":
        for c in clients:
            c.send_text(text)
            equal(b.read_request() and answer(body=text), text.encode())
            c.expect_text(text)
    clients[0].send_close(1000)
    b.read_request()
    answer()
    clients[0].expect_close(1000)
    clients[0].expect_eof()
    clients[1].half_close()
    b.read_request()
    answer()
    clients[1].expect_close()
    clients[1].expect_eof()
    clients[2].reset()
    equal(b.read_request().header("ce-type"), "websocket.close")
    answer()
