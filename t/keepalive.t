# The gateway asks quiet clients for a sign of life.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: envelope delivery: a quiet client is pinged, and its answer is nobody's business
--- config
location / {
    ws_ping_interval 100ms;
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
for _ in range(3):
    c.expect_ping(b"")
    c.send_pong(b"")
c.send_text("after the pings")
matches(b.recv_text(), '"seq":1,.*"data":"after the pings"')

=== TEST 2: headers delivery: the ping has a payload of its own, and its answer is taken out of the stream
--- config
location / {
    ws_ping_interval 100ms;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
seen = set()
for n in range(3):
    fin, rsv, opcode, payload = c.recv_frame()
    equal((fin, rsv, opcode, len(payload)), (True, 0, PING, 8))
    seen.add(payload)
    # glued to other frames, the backend's own pong among them
    c.send(frame(TEXT, b"a", mask=b"abcd") + frame(PONG, payload, mask=b"efgh") + frame(PONG, b"backends", mask=b"ijkl"))
    b.expect_text("a")
    b.expect_pong(b"backends")
equal(len(seen), 3)
b.send_text("text")
while True:
    fin, rsv, opcode, payload = c.recv_frame()
    if opcode == TEXT:
        break
c.send_close(1000)
b.expect_close(1000)

=== TEST 3: an answer that comes in pieces, and one that only begins like it
--- config
location / {
    ws_ping_interval 100ms;
    ws_pong_timeout 10s;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
fin, rsv, opcode, payload = c.recv_frame()
other = bytes(7) + bytes([payload[7] ^ 1])
for pong in frame(PONG, payload[:7] + other[7:], mask=b"wxyz"), frame(PONG, payload, mask=b"abcd"):
    for byte in pong:
        c.send(bytes([byte]))
c.send_text("end")
b.expect_pong(payload[:7] + other[7:])
b.expect_text("end")

=== TEST 4: a client that gives no sign of life is gone
--- config
ws_ping_interval 100ms;
ws_pong_timeout 100ms;
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /headers { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/envelope")
matches(b.recv_text(), '"event":"open"')
matches(b.recv_text(), '"event":"close",.*"code":1006')
b.expect_close(1001)
b.send_close(1001)
c.expect_ping(b"")
c.expect_eof()
c, b = tunnel("/headers")
b.expect_eof()
b.close()
equal(c.recv_frame()[2], PING)
c.expect_eof()
--- error_log
client does not answer a ping

=== TEST 5: whatever a client sends is a sign of life
--- config
location / {
    ws_ping_interval 100ms;
    ws_pong_timeout 300ms;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
for n in range(4):
    equal(c.recv_frame()[2], PING)
    c.send_text(str(n))
    b.expect_text(str(n))

=== TEST 6: no ping goes into the middle of a frame
--- config
location / {
    ws_ping_interval 100ms;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
whole = frame(BINARY, b"x" * 1000)
b.send(whole[:500])
c.expect_bytes(whole[:500])
other, b2 = tunnel("/")
equal(other.recv_frame()[2], PING, "an interval has passed")
b.send(whole[500:])
c.expect_bytes(whole[500:])
equal(c.recv_frame()[2], PING, "the next one goes in behind it")

=== TEST 7: ws_ping_interval 0 asks for nothing; answers to pings don't keep an idle connection
--- config
location /off {
    ws_ping_interval 0;
    ws_idle_timeout 400ms;
    ws_pass http://$TEST_BACKEND;
}
location /idle {
    ws_ping_interval 100ms;
    ws_idle_timeout 400ms;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/off")
c.expect_close(1001, "idle timeout")
c, b = tunnel("/idle")
pings = 0
while True:
    fin, rsv, opcode, payload = c.recv_frame()
    if opcode == CLOSE:
        break
    equal(opcode, PING)
    pings += 1
    c.send_pong(payload)
check(pings >= 2, "pings")
b.expect_close(1001, "idle timeout")

=== TEST 8: quiet connections of every kind live on, however long
--- redis: none
--- timeout: 60
--- config
ws_ping_interval 2s;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /compressed { ws_delivery envelope; ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
offer = ["Sec-WebSocket-Extensions: permessage-deflate"]
pairs = [tunnel("/headers"), tunnel("/envelope"), tunnel("/compressed"), tunnel("/compressed", headers=offer)]
for c, b in pairs[1:]:
    b.recv_text()
# Longer than anything is kept for a connection to come back to.
for _ in range(7):
    for c, b in pairs:
        opcode, payload = c.recv_message()
        equal(opcode, PING)
        c.send_pong(payload)
for c, b in pairs:
    c.send_text("still here")
    check("still here" in b.recv_text())
    b.send_text("as ever")
    if c is not pairs[3][0]:
        c.expect_text("as ever")

=== TEST 9: a client that isn't read, because its backend reads nothing, is not taken for gone
--- redis: none
--- config
ws_ping_interval 100ms;
ws_pong_timeout 100ms;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import flow
count = 20000
data = memoryview(b"".join(frame(TEXT, f"{n}.".ljust(1000, "x"), mask=b"mask") for n in range(count)))
for path in "/headers", "/envelope":
    c, b = tunnel(path)
    if path == "/envelope":
        b.recv_text()
    taken = flow.fill(c, data)
    check(taken < len(data), "the client has to wait")
    other, its_backend = tunnel(path)
    for _ in range(6):
        fin, rsv, opcode, payload = other.recv_frame()
        equal(opcode, PING, "an interval has passed")
        other.send_pong(payload)
    sending = in_thread(c.sock.sendall, data[taken:])
    for n in range(count):
        matches(b.recv_text(), f'(^|"data":"){n}[.]')
    sending.join()
