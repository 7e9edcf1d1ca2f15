"""The cases of the Autobahn test suite's list, from what RFC 6455 and RFC 7692 say about them, against an echo service
behind the gateway: each must end exactly as the RFC wants it, never just well enough.

    conformance.serve_echo()
    conformance.run("5", "/")       # all cases of group 5

A case is what the client sends, in pieces, and what it must get: messages, then how the connection ends.
"""

import base64
import json
import os
import struct
import zlib

from backend import backend
from client import client
from expectation import check, equal, fail, matches
from frame import BINARY, CLOSE, CONTINUATION, OPCODES, PING, PONG, TEXT, frame

MASK = b"\x12\x34\x56\x78"


def serve_echo():
    """Takes envelopes, sends their data back."""
    def answer(connection):
        connection.upgrade()
        while True:
            opcode, payload = connection.recv_message()
            if opcode == CLOSE:
                connection.send_frame(CLOSE, payload)
                return connection.expect_eof()
            if opcode != TEXT:
                continue
            event = json.loads(payload)
            if event["event"] != "message":
                continue
            if event["type"] == "binary":
                connection.send_binary(base64.b64decode(event["data"]))
            else:
                connection.send_text(event["data"])
    backend.serve(answer)


# What a client sends

def f(opcode, payload=b"", fin=True, rsv=0):
    return frame(opcode, payload, fin, MASK, rsv)


def close(code=None, reason=b""):
    return f(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def chops(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def octets(*frames):
    return chops(b"".join(frames), 1)


def fragments(opcode, payload, size):
    pieces = chops(payload, size) or [b""]
    return [f(opcode if at == 0 else CONTINUATION, piece, at == len(pieces) - 1) for at, piece in enumerate(pieces)]


class Case:
    """`gets`: messages, in order. `ends`: the code of the close frame that ends it, None for one without a code, or
    "clean" when the client may go on talking and close itself. `early`: the end must come before the last piece is sent."""

    def __init__(self, name, pieces, gets=(), ends="clean", early=False):
        self.name, self.pieces, self.gets, self.ends, self.early = name, pieces, list(gets), ends, early

    def run(self, path):
        try:
            self._run(path)
        except AssertionError as problem:
            fail(f"case {self.name}: {problem}")

    def _run(self, path):
        c = client(path)
        equal(c.status, 101)
        last = self.pieces[-1:] if self.early else []
        for piece in self.pieces[:-1] if self.early else self.pieces:
            try:
                c.send(piece)
            except OSError:  # the gateway has ended it: what it said is still to be read
                break
        for opcode, payload in self.gets:
            got, data = c.recv_message()
            equal((OPCODES.get(got, got), data), (OPCODES[opcode], payload))
        if self.ends == "clean":
            c.send(close(1000) + f(TEXT, b"too late"))
            self._expect_end(c, 1000)
        else:
            self._expect_end(c, self.ends)
        del last  # never sent: the end came without it
        c.close()

    def _expect_end(self, c, code):
        """The close frame, and after the client's the server ends the connection (RFC 6455 7.1.1)."""
        opcode, data = c.recv_message()
        got = struct.unpack("!H", data[:2])[0] if len(data) >= 2 else None
        equal((OPCODES.get(opcode, opcode), got), ("close", code), f"with {data!r}")
        if code != 1000:
            try:
                c.send(close(code))
            except OSError:
                pass
        c.expect_eof()


# The groups

def sizes():
    for kind, octet in (TEXT, b"*"), (BINARY, b"\xfe"):
        for size in 0, 125, 126, 127, 128, 65535, 65536:
            yield Case(f"1 {OPCODES[kind]} {size}", [f(kind, octet * size)], [(kind, octet * size)])
        yield Case(f"1 {OPCODES[kind]} 65536 in chops of 997", chops(f(kind, octet * 65536), 997), [(kind, octet * 65536)])


def pings():
    for payload in b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125:
        yield Case(f"2 ping of {len(payload)}", [f(PING, payload)], [(PONG, payload)])
    yield Case("2 ping of 125 octet by octet", octets(f(PING, b"\xfe" * 125)), [(PONG, b"\xfe" * 125)])
    yield Case("2 ping of 126", [f(PING, b"\xfe" * 126)], ends=1002)
    for payload in b"", b"unsolicited pong":
        yield Case(f"2 unsolicited pong of {len(payload)}", [f(PONG, payload)])
    yield Case("2 unsolicited pong, then a ping", [f(PONG, b"unsolicited"), f(PING, b"ping")], [(PONG, b"ping")])
    ten = [f(PING, f"payload-{n}".encode()) for n in range(10)]
    pongs = [(PONG, f"payload-{n}".encode()) for n in range(10)]
    yield Case("2 ten pings", ten, pongs)
    yield Case("2 ten pings at once", [b"".join(ten)], pongs)
    yield Case("2 ten pings octet by octet", octets(*ten), pongs)


def reserved_bits():
    hello = b"Hello, world!"
    yield Case("3 RSV 1", [f(TEXT, hello, rsv=1)], ends=1002)
    for how in ("at once", "frame by frame", "octet by octet"):
        sent = [f(TEXT, hello), f(TEXT, hello, rsv=2), f(PING)]
        pieces = {"at once": [b"".join(sent)], "frame by frame": sent, "octet by octet": octets(*sent)}[how]
        yield Case(f"3 text, RSV 2, ping, {how}", pieces, [(TEXT, hello)], ends=1002)
    for rsv in 3, 4, 5:
        yield Case(f"3 RSV {rsv} on binary", [f(BINARY, b"\x00\xff\xfe", rsv=rsv)], ends=1002)
    yield Case("3 RSV 6 on a ping", [f(PING, hello, rsv=6)], ends=1002)
    yield Case("3 RSV 7 on a close", [f(CLOSE, b"\x03\xe8", rsv=7)], ends=1002)


def opcodes():
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield Case(f"4 opcode {opcode}", [f(opcode)], ends=1002)
        yield Case(f"4 opcode {opcode} with a payload", [f(opcode, b"reserved opcode payload")], ends=1002)
        sent = [f(TEXT, b"Hello, world!"), f(opcode, b"reserved"), f(PING)]
        yield Case(f"4 text, opcode {opcode}, ping", sent, [(TEXT, b"Hello, world!")], ends=1002)
        yield Case(f"4 the same, octet by octet, {opcode}", octets(*sent), [(TEXT, b"Hello, world!")], ends=1002)


def fragmentation():
    for opcode in PING, PONG:
        yield Case(f"5 {OPCODES[opcode]} in two fragments",
                   [f(opcode, b"one", fin=False), f(CONTINUATION, b"two")], ends=1002)
    one, two = f(TEXT, b"fragment1", fin=False), f(CONTINUATION, b"fragment2")
    whole = [(TEXT, b"fragment1fragment2")]
    ping = f(PING, b"ping payload")
    pong = [(PONG, b"ping payload")]

    def ways(name, sent, *rest, **more):
        yield Case(f"5 {name}, at once", [b"".join(sent)], *rest, **more)
        yield Case(f"5 {name}, frame by frame", sent, *rest, **more)
        yield Case(f"5 {name}, octet by octet", octets(*sent), *rest, **more)

    yield from ways("text in two fragments", [one, two], whole)
    yield from ways("a ping between the fragments", [one, ping, two], pong + whole)
    for fin in True, False:
        yield from ways(f"a continuation of nothing, fin {fin}, then text",
                        [f(CONTINUATION, b"non-continuation payload", fin=fin), f(TEXT, b"Hello, world!")], ends=1002)
    yield from ways("a continuation after a whole message", [one, two, f(CONTINUATION, b"fragment3", fin=False),
                                                             f(TEXT, b"fragment4")], whole, ends=1002)
    for fin in False, True:
        yield from ways(f"continuation fin {fin}, then fragments",
                        [f(CONTINUATION, b"fragment1", fin=fin), f(TEXT, b"fragment2", fin=False),
                         f(CONTINUATION, b"fragment3")], ends=1002)
    yield from ways("two fragments that both say text", [one, f(TEXT, b"fragment2")], ends=1002)
    five = [f(TEXT, b"fragment1", fin=False), f(CONTINUATION, b"fragment2", fin=False), f(PING, b"pongme 1!"),
            f(CONTINUATION, b"fragment3", fin=False), f(CONTINUATION, b"fragment4", fin=False), f(PING, b"pongme 2!"),
            f(CONTINUATION, b"fragment5")]
    yield from ways("five fragments and two pings", five,
                    [(PONG, b"pongme 1!"), (PONG, b"pongme 2!"), (TEXT, b"".join(b"fragment%d" % n for n in range(1, 6)))])


# Sequences of one kind each (after Markus Kuhn's decoder stress test).
VALID = [
    "", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\x00", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd",
    "\uffff", "\U00010000", "\U0010ffff", "\ufdd0\ufdef\ufffe\uffff", "\U0001fffe\U0001ffff\U0010fffe", "\ufeff", "\u200b",
]
INVALID = [
    b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80\xbf\x80\xbf\x80", bytes(range(0x80, 0xc0)),       # continuation octets alone
    b" ".join(bytes([n]) for n in range(0xc0, 0xe0)), b" ".join(bytes([n]) for n in range(0xe0, 0xf0)),  # first octets alone
    b" ".join(bytes([n]) for n in range(0xf0, 0xf8)), b"\xf8 \xf9 \xfa \xfb ", b"\xfc \xfd ",
    b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80",               # the last octet missing
    b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf",
    b"\xfe", b"\xff", b"\xfe\xfe\xff\xff",                                                             # never in UTF-8
    b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf",  # overlong
    b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80",
    b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbe\x80", b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf",                                           # surrogates
    b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80",    # above U+10FFFF
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
]


def utf8():
    yield Case("6 three empty fragments", [f(TEXT, fin=False), f(CONTINUATION, fin=False), f(CONTINUATION)], [(TEXT, b"")])
    yield Case("6 an empty fragment, text, an empty one",
               [f(TEXT, fin=False), f(CONTINUATION, b"middle", fin=False), f(CONTINUATION)], [(TEXT, b"middle")])
    for text in VALID:
        data = text.encode()
        yield Case(f"6 valid {data!r}", [f(TEXT, data)], [(TEXT, data)])
        yield Case(f"6 valid {data!r} in fragments of an octet", fragments(TEXT, data, 1), [(TEXT, data)])
        yield Case(f"6 valid {data!r} octet by octet", octets(f(TEXT, data)), [(TEXT, data)])
    for data in INVALID:
        yield Case(f"6 invalid {data!r}", [f(TEXT, data)], ends=1007)
        yield Case(f"6 invalid {data!r} in fragments of an octet", fragments(TEXT, data, 1), ends=1007)
        yield Case(f"6 invalid {data!r} octet by octet", octets(f(TEXT, data)), ends=1007)
        yield Case(f"6 invalid {data!r} in binary", [f(BINARY, data)], [(BINARY, data)])
    # As early as the first octet that can't be, before the rest of fragment or message has come.
    good, rest = "κόσμε".encode(), b"edited"
    for bad in b"\xf4\x90", b"\xed\xa0", b"\xc0", b"\xff", b"\xf0\x8f", b"\xe0\x9f":
        yield Case(f"6 {bad!r} in the second of three fragments",
                   [f(TEXT, good, fin=False), f(CONTINUATION, bad, fin=False), f(CONTINUATION, rest)], ends=1007, early=True)
        whole = f(TEXT, good + bad + rest)
        at = len(whole) - len(rest)
        yield Case(f"6 {bad!r} in the middle of a frame", [whole[:at], whole[at:]], ends=1007, early=True)


def closing():
    hello = (TEXT, b"Hello World!")
    yield Case("7 a message, then close", [f(*hello), close(1000)], [hello], ends=1000)
    yield Case("7 two closes", [close(1000) + close(1000)], ends=1000)
    yield Case("7 a ping after close", [close(1000) + f(PING, b"?")], ends=1000)
    yield Case("7 text after close", [close(1000) + f(TEXT, b"no")], ends=1000)
    yield Case("7 close in the middle of a message",
               [f(TEXT, b"fragment1", fin=False) + close(1000) + f(CONTINUATION, b"fragment2")], ends=1000)
    big = b"BAsd7&jh23" * 26214
    yield Case("7 256K, close, ping", [f(TEXT, big), close(1000), f(PING)], [(TEXT, big)], ends=1000)
    yield Case("7 no payload", [close()], ends=None)
    yield Case("7 half a code", [f(CLOSE, b"\x03")], ends=1002)
    yield Case("7 a code and a reason", [close(1000, b"Hello World!")], ends=1000)
    yield Case("7 a reason of 123", [close(1000, b"*" * 123)], ends=1000)
    yield Case("7 a reason of 124", [close(1000, b"*" * 124)], ends=1002)
    yield Case("7 a reason that is no UTF-8", [close(1000, b"\xce\xba\xed\xa0\x80edited")], ends=1007)
    yield Case("7 in two fragments", [f(CLOSE, b"\x03\xe8", fin=False), f(CONTINUATION, b"bye")], ends=1002)
    for code in 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999:
        yield Case(f"7 code {code}", [close(code)], ends=code)
    for code in 0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535:
        yield Case(f"7 code {code}", [close(code)], ends=1002)
        yield Case(f"7 code {code} with a reason", [close(code, b"Lorem ipsum")], ends=1002)


def limits():
    big = os.urandom(1 << 18).hex().encode() * 32  # 16 MiB of text
    for size in 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 23, 1 << 24:
        for kind in TEXT, BINARY:
            yield Case(f"9 {OPCODES[kind]} of {size}", [f(kind, big[:size])], [(kind, big[:size])])
    data = big[:1 << 22]
    for piece in 64, 256, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22:
        for kind in TEXT, BINARY:
            yield Case(f"9 {OPCODES[kind]} of 4M in fragments of {piece}", [b"".join(fragments(kind, data, piece))],
                       [(kind, data)])
    for size in 64, 128, 256, 512, 1024, 2048:
        yield Case(f"9 1M in chops of {size}", chops(f(TEXT, big[:1 << 20]), size), [(TEXT, big[:1 << 20])])
    for size in 0, 16, 64, 256, 1024, 4096:
        yield Case(f"9 a thousand messages of {size}", [f(BINARY, big[:size]) * 1000], [(BINARY, big[:size])] * 1000)
    yield Case("10 64K in fragments of 1300", [b"".join(fragments(TEXT, big[:65536], 1300))], [(TEXT, big[:65536])])


GROUPS = {"1": sizes, "2": pings, "3": reserved_bits, "4": opcodes, "5": fragmentation, "6": utf8, "7": closing, "9": limits}


def run(group, path):
    count = 0
    for case in GROUPS[group]():
        case.run(path)
        count += 1
    check(count > 5, f"{count} cases")


# 12 and 13: permessage-deflate

SAMPLES = {
    "json": json.dumps([{"id": n, "name": f"somebody {n % 7}", "text": "the quick brown fox " * (n % 5)} for n in range(2000)]).encode(),
    "noise": os.urandom(1 << 17).hex().encode(),
}


class Deflate:
    """One end of permessage-deflate (RFC 7692 7.2), with zlib."""

    def __init__(self, answer):
        self.parameters = dict((part.strip() + "=").split("=")[:2] for part in answer.split(";")[1:])
        self.out_bits = int(self.parameters.get("client_max_window_bits") or 15)
        self.in_bits = int(self.parameters.get("server_max_window_bits") or 15)
        self.compressor = self.inflater = None

    def deflate(self, data):
        if self.compressor is None or "client_no_context_takeover" in self.parameters:
            self.compressor = zlib.compressobj(wbits=-self.out_bits)
        return (self.compressor.compress(data) + self.compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def inflate(self, data):
        if self.inflater is None or "server_no_context_takeover" in self.parameters:
            self.inflater = zlib.decompressobj(wbits=-self.in_bits)
        return self.inflater.decompress(data + b"\x00\x00\xff\xff")


def run_compressed(path, offer, must_have, count=40):
    c = client(path, headers=["Sec-WebSocket-Extensions: " + offer])
    equal(c.status, 101, offer)
    answer = c.header("Sec-WebSocket-Extensions") or ""
    for part in must_have:
        check(part in answer, f"{offer}: {part} in the answer {answer!r}")
    matches(answer, "^permessage-deflate(;|$)")
    deflate = Deflate(answer)
    for name, sample in SAMPLES.items():
        for size in 0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072:
            for kind, piece in (TEXT, None), (BINARY, None), (TEXT, max(size // 40, 8)):
                data = sample[:size]
                payload = deflate.deflate(data)
                pieces = [payload] if piece is None else chops(payload, piece) or [b""]
                for at, part in enumerate(pieces):
                    c.send(f(kind if at == 0 else CONTINUATION, part, at == len(pieces) - 1, 4 if at == 0 else 0))
                fin, rsv, opcode, got = c.recv_frame()
                check(fin and rsv in (0, 4), "one frame, RSV1 or nothing")
                equal((opcode, deflate.inflate(got) if rsv else got), (kind, data), f"{offer}: {name} of {size}")
    for n in range(count):
        c.send(f(TEXT, deflate.deflate(SAMPLES["json"][n:n + 500]), rsv=4))
    for n in range(count):
        fin, rsv, opcode, got = c.recv_frame()
        equal(deflate.inflate(got) if rsv else got, SAMPLES["json"][n:n + 500])
    c.send(close(1000))
    c.expect_close(1000)
    c.expect_eof()
