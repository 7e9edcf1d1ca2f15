"""A client's upgrade request, and what answers its key."""

import base64

from octets import to_bytes

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def accept_key(key):
    import hashlib  # here because it takes as long to load as all the rest
    digest = hashlib.sha1(to_bytes(key) + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest).decode()


def request_bytes(path="/", cookie=None, headers=(), key=KEY, method="GET", version="13", upgrade="websocket",
                  connection="Upgrade", host="localhost", origin=None, http="HTTP/1.1"):
    """The bytes of an upgrade request; an argument that is None leaves its line out."""
    pairs = [("Host", host), ("Upgrade", upgrade), ("Connection", connection),
             ("Sec-WebSocket-Version", version), ("Sec-WebSocket-Key", key), ("Origin", origin), ("Cookie", cookie)]
    lines = [f"{method} {path} {http}"] + [f"{name}: {value}" for name, value in pairs if value is not None]
    for entry in headers:
        lines.append(entry if isinstance(entry, str) else f"{entry[0]}: {entry[1]}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"
