# Headers delivery: what passes untouched, and what happens when a side breaks the protocol or leaves.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: messages of any size pass byte for byte, both ways
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- timeout: 60
--- client
def random_bytes(size):
    return os.urandom(size)

c, b = tunnel("/")
for size in 0, 1, 125, 126, 127, 65535, 65536, 1 << 20:
    data = random_bytes(size)
    sending = in_thread(c.send_binary, data)
    b.expect_binary(data)
    equal(b.last_mask, b"\x12\x34\x56\x78", "the client's own mask")
    sending.join()
    sending = in_thread(b.send_binary, data)
    c.expect_binary(data)
    sending.join()
c.send_close(1000)
b.expect_close(1000)
b.send_close(1000)
c.expect_close(1000)
c.expect_eof()
b.expect_eof()
--- error_log
qr/ws: closed connection=[0-9a-f]{32} by=client code=1000 messages_in=8 messages_out=8/

=== TEST 2: a message of 8 MiB and one of 64 MiB pass whole
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- timeout: 120
--- client
import hashlib

def send_large(stream, size, mask):
    head = bytes([0x82, (0x80 if mask else 0) | 127]) + struct.pack("!Q", size) + (mask or b"")
    sent = hashlib.sha1(head)
    stream.sock.sendall(head)
    block = os.urandom(1 << 20)
    for _ in range(size >> 20):
        stream.sock.sendall(block)
        sent.update(block)
    digests.append(sent.hexdigest())

def received(stream, size, head):
    got, left = hashlib.sha1(), size + head
    got.update(stream.buffer)
    left -= len(stream.buffer)
    stream.buffer.clear()
    while left > 0:
        data = stream.sock.recv(min(left, 1 << 20))
        check(data, "the stream goes on")
        got.update(data)
        left -= len(data)
    return got.hexdigest()

c, b = tunnel("/")
for size in 8 << 20, 64 << 20:
    for source, sink, mask in (c, b, b"abcd"), (b, c, None):
        digests = []
        sending = in_thread(send_large, source, size, mask)
        digest = received(sink, size, 14 if mask else 10)
        sending.join()
        equal([digest], digests)
c.send_text("and on")
b.expect_text("and on")

=== TEST 3: fragments and control frames between them pass as they are
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
frames = [(TEXT, b"one ", False), (PING, b"?", True), (CONTINUATION, b"", False), (PONG, b"unasked", True),
          (CONTINUATION, b"two", True), (PING, b"x" * 125, True), (BINARY, b"", True)]
for opcode, payload, fin in frames:
    c.send_frame(opcode, payload, fin=fin)
    b.send_frame(opcode, payload, fin=fin)
for opcode, payload, fin in frames:
    equal(b.recv_frame(), (fin, 0, opcode, payload))
    equal(c.recv_frame(), (fin, 0, opcode, payload))
c.send_close(1000)
b.expect_close(1000)
b.send_close(1000)
c.expect_close(1000)
--- error_log
messages_in=2 messages_out=2

=== TEST 4: permessage-deflate is agreed end to end, offer, answer and compressed payloads untouched
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
import zlib
offer = "permessage-deflate; client_max_window_bits, x-other; a=b"
answer = "permessage-deflate; client_no_context_takeover"
c = client("/", headers=["Sec-WebSocket-Extensions: " + offer, "Sec-WebSocket-Protocol: one, two"])
b = backend.accept()
equal(b.header_all("Sec-WebSocket-Extensions"), [offer])
equal(b.header_all("Sec-WebSocket-Protocol"), ["one, two"])
b.upgrade(["Sec-WebSocket-Extensions: " + answer, "Sec-WebSocket-Protocol: two"])
equal(c.status, 101)
equal(c.header("Sec-WebSocket-Extensions"), answer)
equal(c.header("Sec-WebSocket-Protocol"), "two")
deflate = zlib.compressobj(wbits=-15)
payload = (deflate.compress(b"hello " * 1000) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
c.send_frame(TEXT, payload, rsv=4)
equal(b.recv_frame(), (True, 4, TEXT, payload))
b.send_frame(TEXT, payload, rsv=4, fin=False)
b.send_frame(CONTINUATION, b"\x00", rsv=0)
equal(c.recv_frame(), (False, 4, TEXT, payload))
equal(c.recv_frame(), (True, 0, CONTINUATION, b"\x00"))
# A control frame may not have them even so (RFC 7692 6.1).
c.sock.sendall(frame(PING, b"", rsv=4, mask=b"1234"))
b.expect_close(1001)
b.send_close(1001)
c.expect_close(1002)

=== TEST 5: a reserved bit without an extension is the client's fault
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", headers=["Sec-WebSocket-Extensions: permessage-deflate"])
c.send_text("before")
c.sock.sendall(frame(TEXT, "compressed?", rsv=4, mask=b"1234"))
b.expect_text("before")
b.expect_close(1001)
b.send_text("answer")
b.send_close(1001)
b.close()
c.expect_text("answer")
c.expect_close(1002, "reserved bit set")
c.expect_eof()
--- error_log
qr/by=client code=1002 messages_in=1 messages_out=1 reserved bit set/

=== TEST 6: a frame header of the client that breaks the protocol: 1002 to it, 1001 to the backend, nothing of it passed on
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
faults = {
    "unmasked frame from a client": frame(TEXT, "hello"),
    "reserved opcode": frame(3, "hello", mask=b"1234"),
    "control frame too long": frame(PING, "x" * 126, mask=b"1234"),
    "fragmented control frame": frame(PING, "x", fin=False, mask=b"1234"),
    "continuation of nothing": frame(CONTINUATION, "x", mask=b"1234"),
    "message inside a fragmented message": frame(TEXT, "x", fin=False, mask=b"1234") + frame(TEXT, "y", mask=b"1234"),
    "frame length not in its shortest form": b"\x82\xfe\x00\x05" + b"1234" + b"hello",
    "frame length out of range": b"\x82\xff" + b"\xff" * 8 + b"1234" + b"hello",
}
for why, bytes_ in faults.items():
    c, b = tunnel("/")
    c.sock.sendall(frame(TEXT, "before", mask=b"1234") + bytes_ + frame(TEXT, "after", mask=b"1234"))
    b.expect_text("before")
    if why.startswith("message inside"):
        equal(b.recv_frame(), (False, 0, TEXT, b"x"))
    b.expect_close(1001, "")
    b.send_close(1001)
    b.close()
    c.expect_close(1002, why)
    c.expect_eof()

=== TEST 7: a client that floods after its fault still reads the close frame and the end
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
c.sock.sendall(frame(3, "", mask=b"1234"))
for _ in range(64):
    c.sock.sendall(b"x" * 65536)
b.expect_close(1001)
b.send_close(1001)
b.expect_eof()
c.expect_close(1002)
c.expect_eof()

=== TEST 8: a frame header of the backend that breaks the protocol: 1002 to it, 1014 to the client
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
faults = {
    "masked frame from a server": frame(TEXT, "hello", mask=b"1234"),
    "reserved opcode": frame(11, "hello"),
    "reserved bit set": frame(TEXT, "hello", rsv=1),
    "control frame too long": frame(PONG, "x" * 126),
}
for why, bytes_ in faults.items():
    c, b = tunnel("/")
    b.sock.sendall(frame(TEXT, "before") + bytes_ + frame(TEXT, "after"))
    c.expect_text("before")
    c.expect_close(1014)
    b.expect_close(1002, why)
    c.send_close(1014)
    b.expect_eof()
    c.expect_eof()
--- error_log
qr/by=backend code=1002 messages_in=0 messages_out=1 masked frame from a server/

=== TEST 9: a fault found after a part of its header went on cuts the other side off
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
c.send(b"\x81")
b.expect_bytes(b"\x81")
c.send(b"\x05Hello")
c.expect_close(1002, "unmasked frame from a client")
b.expect_eof()
b.close()
c.expect_eof()

=== TEST 10: close codes and reasons pass both ways, and a close without a code too
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
for code, reason in (1000, "bye"), (1001, ""), (3000, "x" * 123), (4999, "é"), (None, ""):
    c, b = tunnel("/")
    c.send_close(code, reason)
    b.expect_close(code, reason)
    b.send_close(code)
    c.expect_close(code)
    c.expect_eof()
    b.expect_eof()

    c, b = tunnel("/")
    b.send_close(code, reason)
    c.expect_close(code, reason)
    c.send_close(code)
    b.expect_close(code)
    c.expect_eof()
    b.expect_eof()

=== TEST 11: nothing that follows a close frame reaches the backend
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
c.send(frame(CLOSE, struct.pack("!H", 1000), mask=b"1234") + b"GET /forbidden HTTP/1.1\r\nHost: x\r\n\r\n")
b.expect_close(1000)
c.send(frame(TEXT, "late", mask=b"1234"))
b.send_text("the last word")
c.expect_text("the last word")
b.expect_silence()
b.send_close(1000)
c.expect_close(1000)
b.expect_eof()

=== TEST 12: a backend that dies between two frames: the client is told 1014
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
for end in "close", "reset":
    c, b = tunnel("/")
    b.send_frame(TEXT, "first of two", fin=False)
    equal(c.recv_frame(), (False, 0, TEXT, b"first of two"))
    getattr(b, end)()
    c.expect_close(1014, "backend gone")
    c.send_close(1014)
    c.expect_eof()
--- error_log
qr/\[error\].* ws: closed connection=[0-9a-f]{32} by=backend code=1014 .* backend left without a close frame/

=== TEST 13: a backend that dies within a frame: the client is cut off without a made-up frame
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
for end in "close", "reset":
    c, b = tunnel("/")
    half = frame(BINARY, "x" * 1000)[:500]
    b.send(half)
    c.read_head()
    c.expect_bytes(half)
    getattr(b, end)()
    c.expect_eof()

=== TEST 14: a client that resets: between frames and within one, the backend's connection ends
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
for size in None, 1, 5, 500:
    c, b = tunnel("/")
    text = frame(TEXT, "x" * 1000, mask=b"1234")
    c.send(text[:size])
    b.expect_bytes(text[:size])
    c.reset()
    b.expect_eof()
    b.close()
--- error_log
qr/by=client code=1006 messages_in=1 messages_out=0 client left without a close frame/
qr/by=client code=1006 messages_in=0 messages_out=0 client left without a close frame/

=== TEST 15: a client that resets while the backend talks: the backend's connection ends
--- config
location / { ws_pass http://$TEST_BACKEND; ws_close_timeout 300ms; }
--- client
c, b = tunnel("/")
c.reset()
def talk():
    try:
        while True:
            b.sock.sendall(frame(BINARY, b"x" * 10000))
    except OSError:
        pass
in_thread(talk).join()

=== TEST 16: reserved bits of the backend without an extension do not reach the client
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", headers=["Sec-WebSocket-Extensions: permessage-deflate"])
b.send_frame(TEXT, "compressed?", rsv=4)
c.expect_close(1014)
b.expect_close(1002, "reserved bit set")
c.send_close(1014)
c.expect_eof()
