# HTTP delivery: a connection's life and its end; sessions, restarts, times.
use lib 't/lib';
use Test::Gateway;

run_tests(
    redis => 'none',
    http_config => 'upstream backend { server $TEST_BACKEND; keepalive 4; }',
    config => 'location / { ws_delivery http; ws_pass http://backend; }',
);

__DATA__

=== TEST 1: the session changes: the next request has the new context; it ends: 4401, and what waited is not delivered
--- redis
SET session:abc '{"name":"ann"}'
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_delivery http;
    ws_pass http://backend;
}
--- client
from http_connection import hear_close

c = client("/", cookie="X-Token=abc")
b = backend.accept()
equal(b.header("X-WS-Context"), '{"name":"ann"}')
b.respond()
equal(c.status, 101)
redis("SET", "session:abc", '{"name":"bob"}')
def context():
    c.send_text("x")
    b.next_body()
    b.respond()
    return b.header("X-WS-Context")
wait_until(lambda: context() == '{"name":"bob"}')
c.send_text("under way")
c.send_text("waits")
equal(b.next_body(), b"under way")
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")
b.respond_text("too late")
hear_close(b, '"code":4401,"reason":"session ended"')
c.send_close(4401)
c.expect_eof()

=== TEST 2: the session ends while the backend thinks about the open: 401
--- redis
SET session:abc '{"name":"ann"}'
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_delivery http;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/", cookie="X-Token=abc")
b = backend.accept()
redis("DEL", "session:abc")
other = client("/", cookie="X-Token=abc")
equal(other.status, 401)
nginx.wait_log("no_such_thing|ws: refused 401")
b.respond()
equal(c.status, 401)

=== TEST 3: without a session, or with one too large for a header, the backend hears nothing
--- redis
SET session:big '{"x":"0123456789012345678901234567890123456789"}'
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_delivery http;
    ws_context_header_max 32;
    ws_pass http://$TEST_BACKEND;
}
--- client
equal(client("/", cookie="X-Token=none").status, 401)
equal(client("/", cookie="X-Token=big").status, 500)
backend.no_connection()
--- error_log
context too large for a header (ws_context_header_max)

=== TEST 4: a patch that makes the context too large for a header is not applied
--- config
location / {
    ws_delivery http;
    ws_context_header_max 32;
    ws_pass http://backend;
}
--- client
c = client("/")
b = backend.accept()
b.respond(headers=['X-WS-Context-Update: {"a":"0123456789012345678901234567890123456789"}'])
c.send_text("x")
equal(b.read_request().header("X-WS-Context"), "{}")
--- error_log
X-WS-Context-Update can't be applied

=== TEST 5: a client that closes gets the answers to what it sent before, then its close frame; the event comes last
--- client
from http_connection import opened

c, b = opened()
c.send(b"".join(frame(TEXT, str(n), mask=b"abcd") for n in range(3)) + frame(CLOSE, b"\x0f\xa1why \xc3\xa4", mask=b"abcd"))
for n in range(3):
    equal(b.next_body(), b"%d" % n)
    b.respond_text("r%d" % n)
    c.expect_text("r%d" % n)
c.expect_close(4001)
b.read_request()
equal(b.header("ce-id").split("/")[1], "4")
matches(b.read_body().decode(), r'"code":4001,"reason":"why \\u00e4"')
b.respond()
c.expect_eof()
--- error_log
by=client code=4001 messages_in=3 messages_out=3

=== TEST 6: a client that leaves while a request is under way: its answer is ignored, the close event comes all the same
--- client
from http_connection import hear_close

for leave in ("close", "reset", "half_close"):
    c = client("/")
    b = b.read_request() if leave != "close" else backend.accept()
    b.respond()
    equal(c.status, 101)
    c.send_text("last words")
    equal(b.next_body(), b"last words")
    getattr(c, leave)()
    nginx.wait_log("no_such|ws: open")
    b.respond_text("who is there?")
    if leave == "half_close":
        c.expect_text("who is there?")
        c.expect_close()
    hear_close(b, r'\{"code":1006,"reason":"","duration_ms":\d+\}')
--- error_log
client left without a close frame

=== TEST 7: a protocol error is answered when what came before it is
--- client
from http_connection import hear_close, opened

c, b = opened()
c.send(frame(TEXT, "fine", mask=b"abcd") + frame(TEXT, b"\xff", mask=b"abcd"))
equal(b.next_body(), b"fine")
c.expect_silence()
b.respond_text("answer")
c.expect_text("answer")
c.expect_close(1007)
hear_close(b, r'"code":1007,')

=== TEST 8: reload: what was accepted is answered, then 1012; the close event too
--- config
location / {
    ws_delivery http;
    ws_drain_timeout 1ms;
    ws_pass http://backend;
}
--- client
from http_connection import opened

c, b = opened()
c.send_text("first")
c.send_text("second")
equal(b.next_body(), b"first")
nginx.reload()
b.respond(headers=["Content-Type: text/plain", "Connection: close"], body="one")
c.expect_text("one")
b = backend.accept()
equal(b.read_body(), b"second")
b.respond_text("two")
c.expect_text("two")
c.expect_close(1012)
b = backend.accept()
matches(b.read_body().decode(), '"code":1012,"reason":"server restart; retry-after=[1-5]"')
b.respond()
c.send_close(1012)
c.expect_eof()

=== TEST 9: reload with a backend that never answers: the client is told in time, the request is cancelled
--- config
location / {
    ws_delivery http;
    ws_drain_timeout 1ms;
    ws_close_timeout 400ms;
    ws_pass http://$TEST_BACKEND;
}
--- client
from http_connection import opened

c, _ = opened()
c.send_text("first")
b = backend.accept()
equal(b.read_body(), b"first")
nginx.reload()
c.expect_close(1012)
end = backend.accept()
matches(end.read_body().decode(), '"code":1012')
b.expect_eof()
end.expect_eof()
c.expect_eof()

=== TEST 10: a worker that is told to end at once, or after worker_shutdown_timeout, leaves nothing behind
--- main_config
worker_shutdown_timeout 300ms;
--- config
location / {
    ws_delivery http;
    ws_drain_timeout 0;
    ws_pass http://$TEST_BACKEND;
}
--- client
from http_connection import opened

c, _ = opened()
c.send_text("first")
b = backend.accept()
equal(b.read_body(), b"first")
waiting = client("/")
opening = backend.accept()
nginx.reload()
b.expect_eof()
opening.expect_eof()
waiting.expect_eof()

=== TEST 11: silence is asked for a sign of life, also while the backend thinks; a client that gives none is gone
--- config
location / {
    ws_delivery http;
    ws_ping_interval 200ms;
    ws_pong_timeout 200ms;
    ws_pass http://backend;
}
--- client
from http_connection import hear_close, opened

c, b = opened()
c.send_text("x")
b.next_body()
c.expect_ping()
c.send_pong()
c.expect_ping()
b.respond()
hear_close(b, '"code":1006')
c.expect_eof()
--- error_log
client does not answer a ping

=== TEST 12: proxy_read_timeout bounds a request; the next one goes out
--- config
location / {
    ws_delivery http;
    ws_http_error message;
    ws_pass http://$TEST_BACKEND;
    proxy_read_timeout 200ms;
}
--- client
from http_connection import opened

c, _ = opened()
c.send_text("x")
c.send_text("y")
b = backend.accept()
c.expect_text('{"event":"error","seq":1,"status":504}')
b.read_body()
b.expect_eof()
b = backend.accept()
equal(b.read_body(), b"y")
b.respond_text("ok")
c.expect_text("ok")

=== TEST 13: a client that does not read the answers is not served further, and closed with 1013 in the end
--- config
location / {
    ws_delivery http;
    send_timeout 500ms;
    ws_close_timeout 500ms;
    ws_pass http://backend;
}
--- backend
served = 0
while True:
    connection.read_body()
    if connection.header("ce-type") == "websocket.message":
        served += 1
        connection.respond(body=b"x" * 500000)
    else:
        connection.respond()
    if served > 100:
        fail("served %d" % served)
    try:
        connection.read_request()
    except Failure:
        return
--- client
c = client("/", receive_buffer=4096)
equal(c.status, 101)
c.send(b"".join(frame(TEXT, "more", mask=b"abcd") for n in range(1000)))
nginx.wait_log("code=1013")
--- error_log
client reads too slowly

=== TEST 14: idle timeout and age, with answers as a sign of activity
--- config
location /idle { ws_delivery http; ws_idle_timeout 300ms; ws_pass http://backend; }
location /age { ws_delivery http; ws_max_age 300ms; ws_pass http://backend; }
--- client
from http_connection import hear_close, opened

b = None
for uri, reason in [("/idle", "idle timeout"), ("/age", "connection too old")]:
    c, b = opened(uri, over=b)
    c.expect_close(1001, reason)
    c.send_close(1001)
    hear_close(b, '"code":1001,"reason":"%s"' % reason)
    c.expect_eof()

=== TEST 15: message rate and limits hold as in the other deliveries
--- config
location / { ws_delivery http; ws_message_rate 1/m burst=2; ws_pass http://backend; }
--- client
from http_connection import opened

c, b = opened()
for n in range(3):
    c.send_text(str(n))
for n in range(2):
    equal(b.next_body(), b"%d" % n)
    b.respond()
c.expect_close(1008, "too many messages")

=== TEST 16: what the client says before the 101 is not lost
--- client
c = client(raw=request_bytes("/") + frame(TEXT, "early", mask=b"abcd"))
b = backend.accept()
c.send_text("later")
b.respond()
for text in (b"early", b"later"):
    equal(b.next_body(), text)
    b.respond()

=== TEST 17: twenty thousand messages leave no memory behind
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; keepalive_requests 1000000; }
--- timeout: 120
--- backend
while True:
    connection.read_body()
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
    try:
        connection.read_request()
    except Failure:
        return
--- client
import os
import re
def resident():
    with open("/proc/%d/status" % nginx.worker_pids()[0]) as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])
c = client("/")
equal(c.status, 101)
c.recv_message()
def send(count):
    for _ in range(count // 50):
        c.send(b"".join(frame(TEXT, "x" * 100, mask=b"abcd") for n in range(50)))
        for _ in range(50):
            c.expect_text("ok")
send(2000)
before = resident()
send(20000)
# The sanitizers keep what is freed for a while.
if "static" not in os.readlink("/proc/%d/exe" % nginx.pid):
    check(resident() - before < 200, "KiB resident: %d, then %d" % (before, resident()))
