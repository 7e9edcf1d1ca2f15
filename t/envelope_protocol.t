# Envelope delivery ends the WebSocket itself: strict reading, limits, pings, closing, and peers that vanish.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a fragmented message arrives as one envelope, control frames between its fragments are answered at once
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
id = b.header("X-WS-Connection-Id")
b.recv_text()
c.send_frame(TEXT, b"", fin=False)
c.send_frame(CONTINUATION, b"a\xf0\x9f", fin=False)
c.send_ping(b"between")
c.expect_pong(b"between")
c.send_pong(b"unasked")
c.send_frame(CONTINUATION, b"\x98", fin=False, key=b"\xff\0\xff\0")
c.send_frame(CONTINUATION, b"", fin=False, key=b"\0\0\0\0")
c.send_frame(CONTINUATION, b"\x80b", fin=True)
c.send_frame(BINARY, b"1", fin=False)
c.send_frame(CONTINUATION, b"2", fin=True)
b.expect_text('{"event":"message","connection":"%s","seq":1,"context":{},"type":"text","data":"a\U0001f600b"}' % id)
b.expect_text('{"event":"message","connection":"%s","seq":2,"context":{},"type":"binary","data":"MTI="}' % id)

=== TEST 2: each side's pings are answered by the gateway and never passed on
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
for data in b"", b"x", b"\0\xff" * 62 + b"!":
    c.send_ping(data)
    c.expect_pong(data)
    b.send_ping(data)
    b.expect_pong(data)
# Pongs that nobody asked for (RFC 6455 5.5.3) are ignored.
c.send_pong(b"a")
b.send_pong(b"b")
c.send_text("next")
matches(b.recv_text(), '"seq":1,.*"data":"next"')
b.send_text("next")
c.expect_text("next")

=== TEST 3: frames to the backend are masked, each with a key of its own
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
keys = set()
for i in range(150):
    c.send_text("x")
    b.recv_text()
    keys.add(b.last_mask)
    b.send_ping(b"x")
    b.expect_pong(b"x")
    keys.add(b.last_mask)
check(len(keys) >= 299, f"{len(keys)} masking keys for 300 frames")

=== TEST 4: what breaks the protocol closes with its code; the backend hears of it and goes away
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
import json
import struct
M = b"\x01\x02\x03\x04"
def masked(*arguments, **keywords):
    return frame(*arguments, mask=M, **keywords)
def raw(first, second, *rest):
    return bytes([first, second]) + b"".join(rest)
def close_with(code, reason=b""):
    return masked(CLOSE, struct.pack("!H", code) + reason)

broken = [
    # 5.1: unmasked
    (frame(TEXT, "x"), 1002), (frame(PING), 1002), (frame(CLOSE, b"\x03\xe8"), 1002),
    # 5.2: reserved bits and opcodes
    (masked(TEXT, "x", rsv=4), 1002), (masked(TEXT, "x", rsv=2), 1002), (masked(BINARY, "x", rsv=1), 1002),
    (masked(PING, rsv=4), 1002), (masked(TEXT, "x", fin=False) + masked(CONTINUATION, "x", rsv=4), 1002),
] + [(masked(opcode, "x"), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)] + [
    # 5.2: lengths that are not in their shortest form, or have the top bit
    (raw(0x81, 0xfe, struct.pack("!H", 125), M, b"x" * 125), 1002),
    (raw(0x82, 0xff, struct.pack("!Q", 65535), M), 1002), (raw(0x82, 0xff, struct.pack("!Q", 1), M, b"x"), 1002),
    (raw(0x82, 0xff, struct.pack("!Q", 1 << 63), M), 1002), (raw(0x82, 0xff, b"\xff" * 8, M), 1002),
    # 5.5: control frames are short and whole
    (masked(PING, "x" * 126), 1002), (masked(CLOSE, b"\x03\xe8" + b"x" * 124), 1002), (masked(PONG, "x" * 70000), 1002),
    (masked(PING, "x", fin=False), 1002), (masked(CLOSE, fin=False), 1002),
    # 5.4: the order of fragments
    (masked(CONTINUATION, "x"), 1002), (masked(CONTINUATION, "x", fin=False), 1002),
    (masked(TEXT, "a", fin=False) + masked(TEXT, "b"), 1002), (masked(TEXT, "a", fin=False) + masked(BINARY, "b"), 1002),
    # 5.5.1 and 7.4: close frames
    (masked(CLOSE, b"\x03"), 1002), (close_with(1000, b"\xff"), 1007), (close_with(1000, b"\xe2\x82"), 1007),
] + [(close_with(code), 1002) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)] + [
    # 8.1: UTF-8
    (masked(TEXT, b"\xff"), 1007), (masked(TEXT, b"ok\xc0\xaf"), 1007), (masked(TEXT, b"\xed\xa0\x80"), 1007),
    (masked(TEXT, b"\xf4\x90\x80\x80"), 1007), (masked(TEXT, b"\xf8\x88\x80\x80\x80"), 1007), (masked(TEXT, b"\x80"), 1007),
    (masked(TEXT, b"cut \xe2\x82"), 1007), (masked(TEXT, b"\xe2\x82", fin=False) + masked(CONTINUATION, b""), 1007),
    (masked(TEXT, b"\xe2", fin=False) + masked(PING) + masked(CONTINUATION, b"\x28\xa1"), 1007),
]
for data, code in broken:
    c, b = tunnel("/")
    id = b.header("X-WS-Connection-Id")
    b.recv_text()
    # A sound message before it is delivered, whatever comes after it is not.
    c.send(masked(TEXT, "before") + data + masked(TEXT, "after"))
    matches(b.recv_text(), '"data":"before"')
    event = json.loads(b.recv_text())
    reason = event.pop("reason")
    check(reason, "a reason")
    equal(event, {"event": "close", "connection": id, "code": code}, f"close event after {shown(data)}")
    b.expect_close(1001, reason)
    b.send_close(1001)
    b.expect_eof()
    opcode, payload = c.recv_message()
    if opcode == PONG:
        opcode, payload = c.recv_message()
    equal((opcode, payload), (CLOSE, struct.pack("!H", code) + reason.encode()), f"close of the client after {shown(data)}")
    c.expect_eof()

=== TEST 5: invalid UTF-8 closes before the message is whole
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
c.send(frame(TEXT, b"\xff" + b"x" * 999, mask=b"abcd")[:20])
matches(b.recv_text(), '"event":"close".*"code":1007')
b.expect_close(1001)
b.send_close(1001)
c.expect_close(1007)

c, b = tunnel("/")
b.recv_text()
c.send(frame(TEXT, b"\xe2\x82", fin=False, mask=b"abcd") + frame(CONTINUATION, b"\xff" + b"x" * 999, mask=b"abcd")[:20])
matches(b.recv_text(), '"event":"close".*"code":1007')
b.expect_close(1001)
b.send_close(1001)
c.expect_close(1007)

=== TEST 6: a close frame that is refused arrives even when the client goes on sending
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
c.send(frame(TEXT, b"\xff", mask=b"abcd"))
c.send(b"\xff" * 300000)
matches(b.recv_text(), '"event":"close".*"code":1007')
b.expect_close(1001)
b.send_close(1001)
b.expect_eof()
c.expect_close(1007)
c.expect_eof()

=== TEST 7: ws_max_message_size holds by declared length and over the sum of fragments, and its last byte fits
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_max_message_size 1000;
    ws_pass http://$TEST_BACKEND;
}
--- client
import struct
M = b"abcd"
def refused(data):
    c, b = tunnel("/")
    id = b.header("X-WS-Connection-Id")
    b.recv_text()
    c.send(data)
    b.expect_text('{"event":"close","connection":"%s","code":1009,"reason":"message too big"}' % id)
    b.expect_close(1001, "message too big")
    b.send_close(1001)
    c.expect_close(1009, "message too big")
    c.expect_eof()

refused(frame(TEXT, "x" * 1001, mask=M)[:8])                      # by the header alone
refused(bytes([0x82, 0xff]) + struct.pack("!Q", 1 << 62) + M)
refused(frame(TEXT, "x" * 999, fin=False, mask=M) + frame(CONTINUATION, "xx", fin=False, mask=M)[:6])
refused(frame(BINARY, "x" * 1000, fin=False, mask=M) + frame(CONTINUATION, "x", mask=M))

c, b = tunnel("/")
b.recv_text()
c.send_text("é" * 500)
matches(b.recv_text(), '"data":"é{500}"')
c.send_frame(TEXT, "x" * 400, fin=False)
c.send_ping("p" * 125)  # counts for no message
c.send_frame(CONTINUATION, "y" * 600, fin=False)
c.send_frame(CONTINUATION, "")
c.expect_pong("p" * 125)
matches(b.recv_text(), '"data":"x{400}y{600}"')
c.send_binary(b"z" * 1000)
matches(b.recv_text(), '"seq":3,')

=== TEST 8: ws_max_fragments
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_max_fragments 3;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
id = b.header("X-WS-Connection-Id")
b.recv_text()
for seq in 1, 2:
    c.send_frame(TEXT, "a", fin=False)
    c.send_frame(CONTINUATION, "b", fin=False)
    c.send_ping()
    c.send_frame(CONTINUATION, "c")
    c.expect_pong()
    matches(b.recv_text(), '"seq":%d,.*"data":"abc"' % seq)
c.send_frame(TEXT, "a", fin=False)
c.send_frame(CONTINUATION, "", fin=False)
c.send_frame(CONTINUATION, "", fin=False)
c.send_frame(CONTINUATION, "")
b.expect_text('{"event":"close","connection":"%s","code":1008,"reason":"message in too many fragments"}' % id)
b.expect_close(1001)
b.send_close(1001)
c.expect_close(1008, "message in too many fragments")

=== TEST 9: the client closes: every code that may be sent crosses, with its reason
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
import json
for code in 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999:
    reason = 'bye "é"' if code % 2 else "r" * 123
    c, b = tunnel("/")
    id = b.header("X-WS-Connection-Id")
    b.recv_text()
    c.send_close(code, reason)
    b.expect_text('{"event":"close","connection":"%s","code":%d,"reason":%s}' % (id, code, json.dumps(reason)))
    b.expect_close(code, reason)
    b.send_close(code)
    b.expect_eof()
    c.expect_close(code, "")
    c.expect_eof()

c, b = tunnel("/")
id = b.header("X-WS-Connection-Id")
b.recv_text()
c.send_close()
b.expect_text('{"event":"close","connection":"%s","code":1005,"reason":""}' % id)
b.expect_close()
b.send_close()
b.expect_eof()
c.expect_close()
c.expect_eof()

=== TEST 10: the backend closes: every code that may be sent crosses, and it is told nothing that it knows
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
for code in 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999, None:
    c, b = tunnel("/")
    b.recv_text()
    b.send_text("last")
    b.send_close(code, "" if code is None else "bye é")
    b.expect_close(code, "")
    c.expect_text("last")
    c.expect_close(code, "" if code is None else "bye é")
    c.send_text("too late")
    c.send_close(code)
    c.expect_eof()
    b.expect_eof()

=== TEST 11: both close at once
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
for i in range(20):
    c, b = tunnel("/")
    b.recv_text()
    c.send_close(4001, "c")
    b.send_close(4002, "b")
    opcode, payload = c.recv_message()
    equal(opcode, CLOSE)
    check(payload in (b"\x0f\xa1", b"\x0f\xa2b"), f"a close with either code, got {payload}")
    got = b.recv_message()
    if got[0] == TEXT:
        matches(got[1].decode(), '"event":"close".*"code":4001,"reason":"c"')
        got = b.recv_message()
    check(got in ((CLOSE, b"\x0f\xa1c"), (CLOSE, b"\x0f\xa2")), f"a close with either code, got {got}")
    c.expect_eof()
    b.expect_eof()

=== TEST 12: nothing of a client is read after its close frame
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
c.send(frame(CLOSE, b"\x03\xe8", mask=b"abcd") + frame(TEXT, "late", mask=b"abcd") + frame(PING, "late", mask=b"abcd"))
matches(b.recv_text(), '"event":"close".*"code":1000')
b.expect_close(1000)
b.send_close(1000)
b.send_text("late as well")
b.expect_eof()
c.expect_close(1000)
c.expect_eof()

=== TEST 13: a client that vanishes: FIN or reset, between messages, inside a frame, inside a message
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
for leave in Client.half_close, Client.close, Client.reset:
    for last in (b"", frame(TEXT, "half", mask=b"abcd")[:8], frame(TEXT, "half", mask=b"abcd")[:1],
                 frame(TEXT, "first", fin=False, mask=b"abcd")):
        c, b = tunnel("/")
        id = b.header("X-WS-Connection-Id")
        b.recv_text()
        c.send(frame(TEXT, "whole", mask=b"abcd") + last)
        matches(b.recv_text(), '"data":"whole"')
        leave(c)
        b.expect_text('{"event":"close","connection":"%s","code":1006,"reason":""}' % id)
        b.expect_close(1001, "")
        b.send_close(1001)
        b.expect_eof()
        if leave == Client.half_close:
            c.expect_close(1001)
            c.expect_eof()

=== TEST 14: a backend that vanishes: the client gets 1014, whatever it was doing
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
for leave in BackendConnection.half_close, BackendConnection.close, BackendConnection.reset:
    for last in (b"", frame(TEXT, "half")[:3], frame(TEXT, "half")[:1], frame(TEXT, "first", fin=False)):
        c, b = tunnel("/")
        b.recv_text()
        b.send(frame(TEXT, "whole") + last)
        c.expect_text("whole")
        leave(b)
        c.expect_close(1014, "backend gone")
        c.send_close(1014)
        c.expect_eof()
--- error_log
qr/\[error\] .* ws: closed connection=[0-9a-f]{32} by=backend code=1014 /

=== TEST 15: a backend that breaks the protocol: 1014 for the client, the code of the fault for the backend
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_max_message_size 1000;
    ws_pass http://$TEST_BACKEND;
}
--- client
for data, code in [(frame(TEXT, "x", mask=b"abcd"), 1002), (frame(TEXT, "x", rsv=4), 1002), (frame(3), 1002),
                   (frame(CONTINUATION, "x"), 1002), (frame(TEXT, "a", fin=False) + frame(TEXT, "b"), 1002),
                   (frame(PING, "x" * 126), 1002), (frame(TEXT, b"\xff"), 1007), (frame(CLOSE, b"\x03\xed"), 1002),
                   (frame(TEXT, "x" * 1001), 1009), (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", 1002)]:
    c, b = tunnel("/")
    b.recv_text()
    b.send(frame(TEXT, "before") + data + frame(TEXT, "after"))
    c.expect_text("before")
    c.expect_close(1014, "backend broke the protocol")
    b.expect_close(code)
    c.send_close(1014)
    c.expect_eof()
    b.expect_eof()

=== TEST 16: permessage-deflate is declined: the offer doesn't reach the backend, and nothing says that it was accepted
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", headers=["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
                            "Sec-WebSocket-Extensions: x-other"])
equal(b.header_all("Sec-WebSocket-Extensions"), [])
equal(c.header("Sec-WebSocket-Extensions"), None)
matches(b.recv_text(), '"event":"open"')

=== TEST 17: a backend that accepts an extension nobody offered gets no connection
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
for line in "Sec-WebSocket-Extensions: permessage-deflate", "sec-websocket-extensions: x":
    c = client("/", headers=["Sec-WebSocket-Extensions: permessage-deflate"])
    b = backend.accept()
    b.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                   + f"{accept_key(KEY)}\r\n{line}\r\n\r\n".encode() + frame(TEXT, "secret"))
    equal(c.status, 502)
    check(b"secret" not in c.body and b"permessage" not in c.raw_head, "an error page without the backend's words")
    b.expect_eof()
--- error_log
qr/\[error\] .* ws: backend's 101 refused, connection=[0-9a-f]{32}: it has an extension that was not offered/

=== TEST 18: 16 KiB of six-byte frames in one write: every message arrives
--- redis
SET session:abc {"padding":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:t;
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="t=abc")
b.recv_text()
count = 16 * 1024 // 6
c.send(frame(TEXT, "", mask=b"\0\0\0\0") * count)
for seq in range(1, count + 1):
    text = b.recv_text()
    check(f'"seq":{seq},' in text and '"data":""}' in text, f"message {seq}: {text}")
c.send_ping("still there")
c.expect_pong("still there")

=== TEST 19: 1 MiB both ways, and text that grows sixfold as JSON
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
size = 1024 * 1024
c, b = tunnel("/")
b.recv_text()
in_thread(c.send_text, "x" * size)
check(b.recv_text().endswith('"type":"text","data":"' + "x" * size + '"}'), "1 MiB of text")
in_thread(c.send_binary, b"\0" * size)
check('"data":"' + "AAAA" * 1000 in b.recv_text(), "1 MiB of bytes")
in_thread(c.send_text, "\1" * size)
check(b.recv_text().endswith('"data":"' + "\\u0001" * size + '"}'), "1 MiB of control characters")
in_thread(b.send_text, "y" * size)
c.expect_text("y" * size)
half = "é" * (size // 4)
in_thread(lambda: (b.send_frame(TEXT, half, fin=False), b.send_frame(CONTINUATION, half)))
c.expect_text(half * 2)

=== TEST 20: a backend that doesn't read: the client is made to wait, memory stays bounded, nothing is lost
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
import select
from flow import resident, sanitized

c, b = tunnel("/")
b.recv_text()
before = resident()
message = frame(TEXT, "x" * 1000, mask=b"\0\0\0\0")
total = 40000
sent = 0
c.sock.setblocking(False)
def push():
    """Sends until the socket takes no more."""
    global sent
    while sent < total * len(message):
        at = sent % len(message)
        try:
            sent += c.sock.send((message * 66)[at:min(len(message) * 65, total * len(message) - sent + at)])
        except BlockingIOError:
            return
push()
# What fits into the sockets is in them when the client can't write, and the gateway, asked by a second client, is idle.
while select.select([], [c.sock], [], 0)[1] and sent < total * len(message):
    push()
    get("/nowhere", http="HTTP/1.0").status
check(sent < total * len(message), "the client has to wait")
check(sanitized() or resident() - before < 16 * 1024 * 1024, "bounded memory")
seq = 0
while seq < total:
    push()
    seq += 1
    text = b.recv_text()
    check(f'"seq":{seq},' in text and len(text) > 1000, f"message {seq}")

=== TEST 21: a client that doesn't read: the backend is made to wait, and nothing is lost
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
from flow import resident, sanitized

c, b = tunnel("/")
b.recv_text()
before = resident()
piece = b"".join(frame(TEXT, "%09d" % n + "x" * 1000) for n in range(40000))
sent = 0
b.sock.setblocking(False)
def push():
    global sent
    while sent < len(piece):
        try:
            sent += b.sock.send(piece[sent:sent + 65536])
        except BlockingIOError:
            return
push()
for n in range(40000):
    push()
    c.expect_text("%09d" % n + "x" * 1000)
    if n == 10:
        check(sent < len(piece), "the backend has to wait")
        check(sanitized() or resident() - before < 16 * 1024 * 1024, "bounded memory")

=== TEST 22: a client that sends pings and reads nothing is not buffered for without end
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_control_frame_rate off;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
ping = frame(PING, "p" * 125, mask=b"\0\0\0\0") * 500
c.sock.setblocking(False)
sent = 0
refusals = 0
while refusals < 3 and sent < 64 * 1024 * 1024:
    at = sent % len(ping)
    try:
        sent += c.sock.send(ping[at:])
        refusals = 0
    except BlockingIOError:
        refusals += 1
        get("/other", http="HTTP/1.0").status  # the gateway has had its turn
check(sent < 64 * 1024 * 1024, "the client has to wait")
c.sock.settimeout(TIMEOUT)
b.send_text("behind the pongs")
seen = 0
while True:
    opcode, payload = c.recv_message()
    if opcode == TEXT:
        break
    equal((opcode, payload), (PONG, b"p" * 125))
    seen += 1
check(seen > 1000, "pongs")

=== TEST 23: a closing handshake that one side breaks off, or floods, still ends for the other with its code
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_envelope_replies on;
    ws_pass http://$TEST_BACKEND;
}
--- client
def opened():
    c, b = tunnel("/")
    b.recv_text()
    return c, b

# The backend leaves behind its close command, without a close frame.
c, b = opened()
b.send_text('{"event":"close","code":4001,"reason":"x"}')
b.close()
c.expect_close(4001, "x")
c.send_close(4001)
c.expect_eof()

# Its close frame comes behind its close command: the command counts for the client.
c, b = opened()
b.send_text('{"event":"close","code":4001,"reason":"x"}')
b.send_close(4002)
c.expect_close(4001, "x")
b.expect_close(4002)
c.send_close(4001)
c.expect_eof()
b.expect_eof()

# The backend answers the close frame by leaving.
for leave in BackendConnection.close, BackendConnection.reset:
    c, b = opened()
    c.send_close(1000)
    b.recv_text()
    b.expect_close(1000)
    leave(b)
    c.expect_close(1000)
    c.expect_eof()

# The client doesn't wait for the answer to its close frame.
c, b = opened()
c.send_close(1000)
c.reset()
matches(b.recv_text(), '"event":"close".*"code":1000')
b.expect_close(1000)
b.send_close(1000)
b.expect_eof()

# What the backend says before its answer to the client's close frame still arrives.
c, b = opened()
c.send_close(1000)
b.recv_text()
for i in range(100):
    b.send_text('{"event":"message","data":"late"}')
b.expect_close(1000)
b.send_close(1000)
b.expect_eof()
for i in range(100):
    c.expect_text("late")
c.expect_close(1000)
c.expect_eof()

# Its own idea of a code comes too late for the client, which has closed with one.
c, b = opened()
c.send_close(4001)
b.recv_text()
b.expect_close(4001)
b.send_text('{"event":"close","code":4002,"reason":"x"}')
b.send_close(4003)
c.expect_close(4001, "")
c.expect_eof()

c, b = opened()
b.send_close(4000)
c.expect_close(4000)
c.send(frame(TEXT, "late" * 250, mask=b"abcd") * 1000)
c.send_close(4000)
c.expect_eof()
b.expect_close(4000)
b.expect_eof()

=== TEST 24: a backend that doesn't answer the client's close frame: the client has its answer after half of ws_close_timeout
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_close_timeout 600ms;
    ws_pass http://$TEST_BACKEND;
}
--- client
for broken in False, True:
    c, b = tunnel("/")
    b.recv_text()
    if broken:
        c.send_frame(3, "x")
    else:
        c.send_close(4001, "bye")
    matches(b.recv_text(), '"event":"close".*"code":%d' % (1002 if broken else 4001))
    b.expect_close(1001 if broken else 4001)
    b.send_text("on and on")
    c.expect_text("on and on")
    c.expect_close(1002 if broken else 4001)
    b.send_text("late")  # goes nowhere
    b.expect_eof()
    c.expect_eof()
