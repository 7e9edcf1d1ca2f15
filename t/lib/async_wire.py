"""The wire for scripts with many connections: as little of WebSocket as both ends of a test need, on asyncio."""

import asyncio
import struct

from backend import backend
from environment import PORT
from frame import CLOSE, frame, mask_bytes
from handshake import accept_key, request_bytes
from http_head import parse_head

MASK = b"\x01\x02\x03\x04"


async def read_frame(reader):
    """(opcode, payload unmasked) of a frame that stands alone."""
    first, second = await reader.readexactly(2)
    size = second & 0x7f
    if size >= 126:
        size = struct.unpack("!H" if size == 126 else "!Q", await reader.readexactly(2 if size == 126 else 8))[0]
    key = await reader.readexactly(4) if second & 0x80 else None
    payload = await reader.readexactly(size)
    return first & 0x0f, mask_bytes(payload, key) if key else payload


async def upgrade(path="/", cookie=None):
    """(status, reader, writer)"""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(request_bytes(path, cookie=cookie))
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), reader, writer


async def listen(serve):
    """A server at the backend's address: serve(reader, writer) for each connection of the gateway."""
    backend.sock.setblocking(False)
    return await asyncio.start_server(serve, sock=backend.sock, backlog=1024)


async def accept(reader, writer):
    """A backend's 101; the request's headers, names in lower case."""
    lines = parse_head(await reader.readuntil(b"\r\n\r\n"))[1]
    headers = {name.lower(): value for name, value in lines}
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Accept: " + accept_key(headers["sec-websocket-key"]).encode() + b"\r\n\r\n")
    return headers


async def answer_close(reader, writer, payload, mask=None):
    """Answers a close frame and waits for the end."""
    writer.write(frame(CLOSE, payload[:2], mask=mask))
    await reader.read()
