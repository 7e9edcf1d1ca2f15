# The life of a relay: what was said early, who is slow, who leaves and how, and what nginx sees of it.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: messages both ways
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
import flow
flow.messages_both_ways()

=== TEST 2: frames glued to the request and frames glued to the 101 arrive, one or hundreds
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
import flow
flow.early_bytes_of_both_sides()

=== TEST 3: 30 KB of frames behind the request, while the backend takes its time with the 101
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
payload = os.urandom(100)
count = 300
c = client(raw=request_bytes("/") + b"".join(frame(BINARY, payload, mask=b"1234") for _ in range(count)))
b = backend.accept()
b.expect_silence()
b.upgrade()
for _ in range(count):
    b.expect_binary(payload)
equal(c.status, 101)

=== TEST 4: a backend that says all it has to say with its 101, the FIN with it
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
for size in 5, 100000:
    c = client("/")
    b = backend.accept()
    b.upgrade(then=frame(BINARY, b"x" * size) + frame(CLOSE, struct.pack("!H", 4000)))
    b.half_close()
    equal(c.status, 101)
    c.expect_binary(b"x" * size)
    c.expect_close(4000)
    c.send_close(4000)
    b.expect_close(4000)
    b.expect_eof()
    c.expect_eof()

    c = client("/")
    b = backend.accept()
    b.upgrade(then=frame(BINARY, b"x" * size))
    b.close()
    c.expect_binary(b"x" * size)
    c.expect_close(1014, "backend gone")
    c.send_close(1014)
    c.expect_eof()

=== TEST 5: a client that half-closes after its frames gets its answers
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
c.send_text("question")
c.half_close()
b.expect_text("question")
b.expect_eof()
for i in range(100):
    b.send_text(f"answer {i}")
b.send_binary(b"x" * 1000000)
b.send_close(1000)
b.close()
for i in range(100):
    c.expect_text(f"answer {i}")
c.expect_binary(b"x" * 1000000)
c.expect_close(1000)
c.expect_eof()

=== TEST 6: a client that half-closes before the 101 gets its answers where nginx may ignore it
--- config
location / {
    proxy_ignore_client_abort on;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client(raw=request_bytes("/") + frame(TEXT, "question", mask=b"1234"))
c.half_close()
b = backend.accept()
b.upgrade()
b.expect_text("question")
b.expect_eof()
b.send_text("answer")
b.close()
equal(c.status, 101)
c.expect_text("answer")
c.expect_close(1014, "backend gone")
c.expect_eof()

=== TEST 7: a backend that half-closes after its frames is gone for the client, but hears its close
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
b.send_text("last")
b.half_close()
c.expect_text("last")
c.expect_close(1014, "backend gone")
c.send_text("still on its way")
c.send_close(1014)
b.expect_text("still on its way")
b.expect_close(1014)
b.expect_eof()
c.expect_eof()

=== TEST 8: slow readers on either side: the sender stops, memory stays, nothing is lost
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- timeout: 90
--- client
import flow
flow.back_pressure()

=== TEST 9: many slow readers of small messages
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- timeout: 90
--- client
import flow
tunnels = []
for i in range(8):
    tunnels.append(flow.open_tunnel(receive_buffer=4096))
data = memoryview(b"".join(frame(TEXT, str(i)) for i in range(400000)))
before = flow.resident()
taken = [flow.fill(b, data) for c, b in tunnels]
if not flow.sanitized():
    check(flow.resident() - before < 4 << 20, f"the worker grew by {flow.resident() - before}")
for (c, b), sent in zip(tunnels, taken):
    sending = in_thread(b.sock.sendall, data[sent:])
    equal(c.recv_exact(len(data)) == data, True, "received as sent")
    sending.join()

=== TEST 10: send_timeout, then ws_close_timeout, cut a client that takes nothing in the middle of a frame
--- config
location / { send_timeout 300ms; ws_close_timeout 300ms; ws_pass http://$TEST_BACKEND; }
--- client
import flow
c, b = flow.open_tunnel()
data = flow.large_frame(48 << 20, b"")
def send_all():
    try:
        b.sock.sendall(data)
    except OSError:
        return
    fail("all was taken")
in_thread(send_all).join()
nginx.wait_log("client reads too slowly")
check(len(c.recv_all()) < len(data), "the client was cut")
--- error_log
qr/by=gateway code=1013 .* client reads too slowly/

=== TEST 11: proxy_send_timeout, then ws_close_timeout, cut a backend that takes nothing in the middle of a frame
--- config
location / { proxy_send_timeout 300ms; ws_close_timeout 300ms; ws_pass http://$TEST_BACKEND; }
--- client
import flow
c, b = flow.open_tunnel()
data = flow.large_frame(48 << 20, b"mask")
def send_all():
    try:
        c.sock.sendall(data)
    except OSError:
        return
    fail("all was taken")
in_thread(send_all).join()
nginx.wait_log("backend reads too slowly")
check(len(b.recv_all()) < len(data), "the backend was cut")
--- error_log
qr/by=gateway code=1013 .* backend reads too slowly/

=== TEST 12: ws_idle_timeout: both sides get 1001
--- config
location / { ws_idle_timeout 500ms; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
c.expect_close(1001, "idle timeout")
b.expect_close(1001, "idle timeout")
c.send_close(1001)
b.send_close(1001)
c.expect_eof()
b.expect_eof()
--- error_log
qr/\[info\].* ws: closed connection=[0-9a-f]{32} by=gateway code=1001 messages_in=0 messages_out=0 idle timeout/

=== TEST 13: an idle timeout within two frames ends in a cut, without spinning
--- config
location / { ws_idle_timeout 200ms; ws_close_timeout 300ms; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
up, down = frame(BINARY, "x" * 100, mask=b"1234")[:50], frame(BINARY, "x" * 100)[:50]
c.send(up)
b.send(down)
b.expect_bytes(up)
c.expect_bytes(down)
c.expect_eof()
b.expect_eof()

=== TEST 14: ws_close_timeout cuts a peer that never answers a close
--- config
location / { ws_close_timeout 200ms; ws_pass http://$TEST_BACKEND; }
--- client
for closing, silent in "cb", "bc":
    c, b = tunnel("/")
    side = {"c": c, "b": b}
    side[closing].send_close(1000)
    side[silent].expect_close(1000)
    side[silent].expect_eof()
    side[closing].expect_eof()

=== TEST 15: a half-closed client does not hold a backend that never ends
--- config
location / { ws_close_timeout 300ms; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
c.half_close()
b.expect_eof()
c.expect_eof()

=== TEST 16: the access log: status 101, and every byte counted
--- http_config
log_format ws 'ws $status $bytes_sent $upstream_bytes_received $upstream_bytes_sent $ws_connection_id';
--- config
access_log $TEST_DIR/access.log ws;
location / { ws_pass http://$TEST_BACKEND; }
--- client
c = client("/")
b = backend.accept()
head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
head += b"Sec-WebSocket-Accept: " + accept_key(c.key).encode() + b"\r\n\r\n"
b.send(head + frame(TEXT, "early"))
c.expect_text("early")
id = b.header("X-WS-Connection-Id")
b.send_text("x" * 1000)
c.expect_text("x" * 1000)
b.send_close(1000)
c.expect_close(1000)
c.send_close(1000)
c.expect_eof()
b.expect_close(1000)
frames = 2 + 5 + 4 + 1000 + 4
down, received, up = len(c.raw_head) + frames, len(head) + frames, len(b.raw_head) + 8
wait_until(lambda: " 101 " in nginx.access_log(), "the line is there")
equal(nginx.access_log(), f"ws 101 {down} {received} {up} {id}\n")

=== TEST 17: limit_conn counts a WebSocket as long as it is open
--- http_config
limit_conn_zone $server_name zone=one:1m;
--- config
limit_conn one 1;
location / { ws_pass http://$TEST_BACKEND; }
--- client
def closed(c, b):
    c.send_close(1000)
    b.expect_close(1000)

def reset(c, b):
    c.reset()
    b.expect_eof()

def broken(c, b):
    c.send_frame(3, "")
    b.expect_close(1001)

for count, end in enumerate([closed, reset, broken], 1):
    c, b = tunnel("/")
    equal(client("/").status, 503)
    end(c, b)
    b.close()
    wait_until(lambda: nginx.access_log().count('" 101 ') == count, "the connection has been logged")
backend.no_connection()
--- error_log
limiting connections by zone "one"

=== TEST 18: 500 connections at once
--- events
worker_connections 2048;
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- timeout: 90
--- client
count = 500
clients = {f"/{i}": client(f"/{i}") for i in range(count)}
pairs = []
for _ in range(count):
    b = backend.accept()
    b.upgrade(then=frame(TEXT, "welcome " + b.uri))
    pairs.append((clients[b.uri], b))
for c, b in pairs:
    c.expect_text("welcome " + b.uri)
    c.send_text(b.uri * 100)
for c, b in pairs:
    b.send_text("answer " + b.uri)
for c, b in pairs:
    b.expect_text(b.uri * 100)
    c.expect_text("answer " + b.uri)
for i, (c, b) in enumerate(pairs):
    (c if i % 2 else b).close()
for i, (c, b) in enumerate(pairs):
    if i % 2:
        b.expect_eof()
        b.close()
    else:
        c.expect_close(1014)
        c.close()

=== TEST 19: two workers
--- workers: 2
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
import flow
for _ in range(10):
    flow.close_both(*tunnel("/"))
flow.messages_both_ways()
