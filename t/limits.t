# What a client may do, how fast, how long, and what the gateway keeps of it meanwhile.
use lib 't/lib';
use Test::Gateway;
run_tests();
__DATA__

=== TEST 1: ws_message_rate: the first message that is too many closes with 1008, in both deliveries
--- redis: none
--- config
ws_message_rate 1/m burst=3;
location / { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
c.send(b"".join(frame(TEXT, f"{n}", mask=b"mask") for n in range(10)))
for n in range(3):
    b.expect_text(f"{n}")
b.expect_close(1001, "too many messages")
c.expect_close(1008, "too many messages")
c.send_close(1008)
b.send_close(1001)
c.expect_eof()

c, b = tunnel("/envelope")
b.recv_text()
c.send(b"".join(frame(TEXT, f"{n}", mask=b"mask") for n in range(10)))
for n in range(3):
    matches(b.recv_text(), f'"seq":{n + 1},.*"data":"{n}"')
matches(b.recv_text(), '"event":"close","connection":"[0-9a-f]*","code":1008,"reason":"too many messages"')
b.expect_close(1001, "too many messages")
c.expect_close(1008, "too many messages")
--- error_log
qr/by=client code=1008 .* too many messages/

=== TEST 2: ws_message_rate delay: too many messages are read later, none is lost, in both deliveries
--- redis: none
--- config
ws_message_rate 100/s burst=3 delay;
location / { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /compressed { ws_delivery envelope; ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import time
for path in "/", "/envelope", "/compressed":
    c, b = tunnel(path)
    if path != "/":
        b.recv_text()
    began = time.monotonic()
    c.send(b"".join(frame(TEXT, f"{n}.", mask=b"mask") for n in range(23)) + frame(PING, "at last", mask=b"mask"))
    for n in range(23):
        matches(b.recv_text(), f'(^|"data":"){n}[.]')
    # Twenty of them had to wait for their turn, a hundredth of a second each: never earlier than that.
    check(time.monotonic() - began > 0.19, "messages are delayed")
    if path == "/":
        b.expect_ping(b"at last")
    else:
        c.expect_pong(b"at last")
    b.send_text("the other way is free")
    c.expect_text("the other way is free")
    c.send_close(1000)
    b.recv_text() if path != "/" else None
    b.expect_close(1000)
    c.close(), b.close()

=== TEST 3: ws_message_rate delay: a client that isn't read counts as alive, and is closed like any other
--- redis: none
--- config
ws_message_rate 1/m burst=1 delay;
ws_ping_interval 100ms;
ws_pong_timeout 100ms;
ws_idle_timeout 600ms;
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
c.send(frame(TEXT, "1", mask=b"mask") + frame(TEXT, "2", mask=b"mask"))
b.expect_text("1")
c.expect_close(1001, "idle timeout")
b.expect_close(1001, "idle timeout")
c.send_close(1001)
b.send_close(1001)
c.expect_eof()
b.expect_eof()

=== TEST 4: a flood of control frames closes with 1008: 100 a second, or ws_control_frame_rate
--- redis: none
--- config
location / { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /few { ws_control_frame_rate 1/m burst=2; ws_pass http://$TEST_BACKEND; }
location /off { ws_control_frame_rate off; ws_pass http://$TEST_BACKEND; }
--- client
flood = frame(PING, "x", mask=b"mask") * 5000
for path, least, most in ("/", 100, 200), ("/envelope", 100, 200), ("/few", 2, 2), ("/off", 5000, 5000):
    c, b = tunnel(path)
    if path == "/envelope":
        b.recv_text()
    sending = in_thread(c.send, flood)
    side = c if path == "/envelope" else b
    count = 0
    while count < 5000:
        fin, rsv, opcode, payload = side.recv_frame()
        if opcode == CLOSE:
            break
        equal(opcode, PONG if path == "/envelope" else PING)
        count += 1
    check(least <= count <= most, f"{path}: {count} pings")
    sending.join()
    if path == "/few":
        equal(payload, b"\x03\xe9too many control frames")
        c.expect_close(1008, "too many control frames")
    if path == "/envelope":
        equal(payload, b"\x03\xf0too many control frames")
    c.close(), b.close()
--- error_log
qr/by=client code=1008 .* too many control frames/

=== TEST 5: tiny frames: a message in too many fragments closes with 1008, empty ones count
--- redis: none
--- config
location / { ws_delivery envelope; ws_max_fragments 1024; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
b.recv_text()
c.send(frame(TEXT, "", fin=False, mask=b"mask") + frame(0, "", fin=False, mask=b"mask") * 1022 + frame(0, "x", mask=b"mask"))
matches(b.recv_text(), '"data":"x"')
c.send(frame(TEXT, "", fin=False, mask=b"mask") + frame(0, "", fin=False, mask=b"mask") * 2000)
c.expect_close(1008, "message in too many fragments")

=== TEST 6: ws_max_age: a connection ends with 1001 however busy it is, at nine tenths of it at the earliest
--- redis: none
--- config
ws_max_age 1s;
location / { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import time
for path in "/", "/envelope":
    began = time.monotonic()
    c, b = tunnel(path)
    while True:
        c.send_ping(b"busy")
        fin, rsv, opcode, payload = (b if path == "/" else c).recv_frame()
        if opcode == CLOSE:
            break
        if opcode == PING:
            b.send_pong(payload)
            # The time may be up while the answer is on its way.
            fin, rsv, opcode, payload = c.recv_frame()
            if opcode == CLOSE:
                break
        time.sleep(0.02)
    check(time.monotonic() - began > 0.85, "not earlier")
    equal(payload, b"\x03\xe9connection too old")
    c.close(), b.close()
--- error_log
qr/by=gateway code=1001 .* connection too old/

=== TEST 7: ws_message_timeout: a message that never ends closes with 1008; one that makes its way does not, nor silence
--- redis: none
--- config
ws_message_timeout 400ms;
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /headers { ws_pass http://$TEST_BACKEND; }
--- client
h, bh = tunnel("/headers")
h.send(frame(TEXT, "half a frame", mask=b"mask")[:8])
quiet, bq = tunnel("/")
for begun in frame(TEXT, "half a frame", mask=b"mask")[:8], frame(TEXT, "a fragment", fin=False, mask=b"mask"):
    c, b = tunnel("/")
    b.recv_text()
    c.send(begun)
    # Signs of life are none.
    c.expect_close(1008, "message takes too long")
    matches(b.recv_text(), '"event":"close".*"code":1008')
    b.expect_close(1001, "message takes too long")
# Many messages one after the other, each of them begun when the one before ended.
c, b = tunnel("/")
b.recv_text()
data = b"".join(frame(TEXT, f"{n}", mask=b"mask") for n in range(40))
import time
for at in range(0, len(data), 10):
    c.send(data[at:at + 10])
    time.sleep(0.02)
for n in range(40):
    matches(b.recv_text(), f'"data":"{n}"')
quiet.send_text("still here")
bq.recv_text()
matches(bq.recv_text(), "still here")
h.send(frame(TEXT, "half a frame", mask=b"mask")[8:])
bh.expect_text("half a frame")
--- error_log
qr/by=client code=1008 .* message takes too long/

=== TEST 8: a side that takes nothing for too long: the other is told, and it, if it wakes up, gets 1013
--- redis: none
--- config
send_timeout 300ms;
proxy_send_timeout 300ms;
ws_close_timeout 20s;
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import flow
c, b = flow.open_tunnel(receive_buffer=4096)
b.recv_text()
taken = flow.fill(b, memoryview(frame(TEXT, "x" * 1000) * 20000))
matches(b.recv_text(), '"event":"close".*"code":1013,"reason":"client reads too slowly"')
b.expect_close(1001, "client reads too slowly")
last = None
while (got := c.recv_frame())[2] != CLOSE:
    last = got[3]
equal(last, b"x" * 1000)
equal(got[3], b"\x03\xf5client reads too slowly")

c, b = flow.open_tunnel()
b.recv_text()
flow.fill(c, memoryview(frame(TEXT, "x" * 1000, mask=b"mask") * 20000))
c.expect_close(1013, "backend reads too slowly")
--- error_log
qr/by=gateway code=1013 .* client reads too slowly/
qr/by=gateway code=1013 .* backend reads too slowly/

=== TEST 9: ws_max_pending: so much waits for a side that doesn't read until the other isn't read
--- redis: none
--- config
location / { ws_pass http://$TEST_BACKEND; }
location /more { ws_max_pending 48m; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_max_pending 48m; ws_pass http://$TEST_BACKEND; }
--- client
def taken(path):
    """Bytes that a backend gets rid of while the client reads nothing."""
    c, b = tunnel(path)
    data = frame(BINARY, bytes(100000)) * 10
    b.sock.setblocking(False)
    sent = refusals = 0
    while refusals < 5:
        check(sent < 256 << 20, "the backend has to wait")
        try:
            sent += b.sock.send(data[sent % len(data):])
            refusals = 0
        except BlockingIOError:
            refusals += 1
            get("/nowhere", http="HTTP/1.0").status  # the gateway has had its turn
    b.sock.setblocking(True)
    # Nothing is lost.
    whole = frame(BINARY, bytes(100000))
    rest = -sent % len(whole)
    sending = in_thread(b.send, whole[len(whole) - rest:] if rest else b"")
    for _ in range((sent + rest) // len(whole)):
        c.expect_bytes(whole)
    sending.join()
    c.close(), b.close()
    return sent

least = taken("/")
for path in "/more", "/envelope":
    more = taken(path)
    # What the kernel's buffers take varies, by 16 MiB at most.
    check(more - least > 24 << 20, f"{path}: {more} bytes, without it {least}")

=== TEST 10: what forty peers that never read cost, in both deliveries and both directions
--- redis: none
--- config
# However long it takes.
ws_ping_interval 0;
send_timeout 10m;
proxy_send_timeout 10m;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /compressed { ws_delivery envelope; ws_compression on; ws_pass http://$TEST_BACKEND; }
--- timeout: 180
--- client
import flow
import os
count = 5 if flow.sanitized() else 40
# docs/design.md, Memory: unread input and one step's output, each with room to grow by half again; a decompressor and a
# compressor.
bound = {"/headers": 64 + 64, "/envelope": 64 + 64 + 16, "/compressed": 64 + 64 + 16 + 50}
offer = ["Sec-WebSocket-Extensions: permessage-deflate"]
for path in bound:
    for direction in "to the client", "to the backend":
        tunnels = [tunnel(path, headers=offer if path == "/compressed" else []) for _ in range(count)]
        for c, b in tunnels if path != "/headers" else []:
            b.recv_text()
        mask = None if direction == "to the client" else b"mask"
        data = memoryview(b"".join(frame(BINARY, os.urandom(500), mask=mask) for _ in range(2000)))
        # Sockets take what they take; after that it is the gateway's memory.
        before = flow.resident()
        for c, b in tunnels:
            source = b if direction == "to the client" else c
            source.sock.setblocking(False)
            sent = refusals = 0
            while refusals < 3:
                check(sent < 256 << 20, f"{path} {direction}: the sender has to wait")
                try:
                    at = sent % len(data)
                    sent += source.sock.send(data[at:at + 262144])
                    refusals = 0
                except BlockingIOError:
                    refusals += 1
                    get("/nowhere", http="HTTP/1.0").status  # the gateway has had its turn
        if not flow.sanitized():
            grown = (flow.resident() - before) // count // 1024
            check(grown <= bound[path], f"{path} {direction}: {grown} KiB a connection, {bound[path]} at most")
        for c, b in tunnels:
            c.close(), b.close()

=== TEST 11: where nothing is configured: 1 MiB and 100,000 frames a message
--- redis: none
--- config
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /compressed { ws_delivery envelope; ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import zlib
most = 1 << 20
empty = frame(CONTINUATION, "", fin=False, mask=b"mask")
c, b = tunnel("/")
b.recv_text()
c.send_text("x" * most)
check(b.recv_text().endswith('"data":"' + "x" * most + '"}'), "it has come whole")
c.send(frame(TEXT, "", fin=False, mask=b"mask") + empty * 99998 + frame(CONTINUATION, "last", mask=b"mask"))
matches(b.recv_text(), '"seq":2,.*"data":"last"')
c.send(frame(TEXT, "", fin=False, mask=b"mask") + empty * 100000)
c.expect_close(1008, "message in too many fragments")

# Its header is enough.
c, b = tunnel("/")
c.send(frame(TEXT, "x" * (most + 1), mask=b"mask")[:14])
c.expect_close(1009, "message too big")

for size, code in (most, None), (most + 1, 1009):
    c, b = tunnel("/compressed", headers=["Sec-WebSocket-Extensions: permessage-deflate"])
    b.recv_text()
    deflate = zlib.compressobj(wbits=-15)
    c.send_frame(TEXT, (deflate.compress(b"x" * size) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4], rsv=4)
    if code:
        c.expect_close(code, "message too big")
    else:
        check(len(b.recv_text()) > most)
