# HTTP delivery: the gateway ends the WebSocket, the backend gets a request for each event and answers with replies.
use lib 't/lib';
use Test::Gateway;

run_tests(
    redis => 'none',
    http_config => 'upstream backend { server $TEST_BACKEND; keepalive 4; }',
    config => 'location / { ws_delivery http; ws_pass http://backend; }',
);

__DATA__

=== TEST 1: open, a message and close are requests, and a reply is a message to the client
--- redis
SET session:abc '{"user": {"id": "u1", "name": "Zoë"}}'
--- config
location /chat {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_delivery http;
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
}
--- client
c = client("/chat?room=1", cookie="X-Token=abc; theme=dark", headers=["User-Agent: test"])
b = backend.accept()
equal((b.method, b.uri, b.protocol), ("POST", "/chat?room=1", "HTTP/1.1"))
id = b.header("X-WS-Connection-Id")
matches(id, r"\A[0-9a-f]{32}\Z")
equal(b.header("ce-type"), "websocket.open")
equal(b.header("ce-id"), id + "/0")
equal(b.header("ce-specversion"), "1.0")
equal(b.header("ce-source"), "http://localhost/chat")
equal(b.header("ce-connectionid"), id)
matches(b.header("ce-time"), r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
equal(b.header("X-WS-Context"), '{"user":{"id":"u1","name":"Zo\\u00eb"}}')
equal(b.header("Cookie"), "X-Token=abc; theme=dark")
equal(b.header("User-Agent"), "test")
equal(b.header("Content-Length"), "0")
equal([b.header(name) for name in ("Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Content-Type")], [None] * 4)
b.respond("204 No Content")
equal(c.status, 101)
equal(c.header("Sec-WebSocket-Accept"), accept_key(KEY))
equal((c.header("Upgrade"), c.header("Connection")), ("websocket", "upgrade"))

c.send_text("hällo")
b.read_request()
equal((b.method, b.uri), ("POST", "/chat?room=1"))
equal((b.header("ce-type"), b.header("ce-id")), ("websocket.message", id + "/1"))
equal(b.header("Content-Type"), "text/plain; charset=utf-8")
equal(b.read_body().decode(), "hällo")
b.respond_text("welcome")
c.expect_text("welcome")

c.send_binary(b"\x00\xff")
b.read_request()
equal(b.header("Content-Type"), "application/octet-stream")
equal(b.read_body(), b"\x00\xff")
b.respond(headers=["Content-Type: image/png"], body=b"\xff\x00")
c.expect_binary(b"\xff\x00")

c.send_close(4001, "bye")
c.expect_close(4001)
b.read_request()
equal((b.header("ce-type"), b.header("ce-id")), ("websocket.close", id + "/3"))
equal(b.header("Content-Type"), "application/json")
matches(b.read_body().decode(), r'\A\{"code":4001,"reason":"bye","duration_ms":\d+\}\Z')
b.respond("204 No Content")
c.expect_eof()

=== TEST 2: an open that is not answered with 2xx refuses the upgrade with its status
--- config
location / {
    ws_delivery http;
    ws_pass http://$TEST_BACKEND;
}
--- client
for status, seen in [("403 Forbidden", 403), ("401 Unauthorized", 401), ("302 Found", 302), ("500 Oops", 500), ("599 Odd", 599)]:
    c = client("/")
    b = backend.accept()
    b.respond(status, body="no")
    equal(c.status, seen)
    b.close()
c = client("/")
backend.accept().close()
equal(c.status, 502)
--- error_log
ws: refused 403
by the backend

=== TEST 3: the open's reply picks a subprotocol, patches the context and is a first message
--- config
location / {
    ws_delivery http;
    ws_context_field user ann;
    ws_pass http://backend;
}
--- client
c = client("/", headers=["Sec-WebSocket-Protocol: chat.v2, chat.v1"])
b = backend.accept()
equal(b.header("Sec-WebSocket-Protocol"), "chat.v2, chat.v1")
equal(b.header("X-WS-Context"), '{"user":"ann"}')
b.respond(headers=["Sec-WebSocket-Protocol: chat.v1", 'X-WS-Context-Update: {"room":"blue"}', "Content-Type: application/json"],
          body='{"hello":1}')
equal(c.status, 101)
equal(c.header("Sec-WebSocket-Protocol"), "chat.v1")
c.expect_text('{"hello":1}')
c.send_text("x")
b.read_request()
equal(b.header("Sec-WebSocket-Protocol"), None)
equal(b.header("X-WS-Context"), '{"user":"ann","room":"blue"}')
b.read_body()
b.respond(headers=['X-WS-Context-Update: {"user":null,"room":{"id":7}}'])
c.send_text("y")
b.read_request()
equal(b.header("X-WS-Context"), '{"room":{"id":7}}')
b.read_body()
b.respond(headers=["X-WS-Context-Update: nonsense"])
c.send_text("z")
b.read_request()
equal(b.header("X-WS-Context"), '{"room":{"id":7}}')
--- error_log
X-WS-Context-Update can't be applied

=== TEST 4: a subprotocol that was not offered refuses the upgrade
--- config
location / {
    ws_delivery http;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/", headers=["Sec-WebSocket-Protocol: chat.v2"])
backend.accept().respond(headers=["Sec-WebSocket-Protocol: chat.v1"])
equal(c.status, 502)

=== TEST 5: ws_subprotocol offers the backend one, and answers with it where the backend says nothing
--- config
location / {
    ws_delivery http;
    ws_subprotocol chat.v1;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/", headers=["Sec-WebSocket-Protocol: chat.v2, chat.v1"])
b = backend.accept()
equal(b.header("Sec-WebSocket-Protocol"), "chat.v1")
b.respond()
equal(c.status, 101)
equal(c.header("Sec-WebSocket-Protocol"), "chat.v1")

=== TEST 6: replies: text and JSON are text, all else is binary, an empty body is nothing
--- client
from http_connection import opened

c, b = opened()
for kind in ["text/plain", "text/html; charset=utf-8", "application/json", "Application/LD+JSON; x=y"]:
    c.send_text(kind)
    b.next_body()
    b.respond(headers=["Content-Type: " + kind], body="é")
    c.expect_text("é")
for kind in ["application/octet-stream", "image/png", "application/jsonx"]:
    c.send_text(kind)
    b.next_body()
    b.respond(headers=["Content-Type: " + kind], body="é")
    c.expect_binary("é")
for status in ["200 OK", "201 Created", "202 Accepted", "204 No Content"]:
    c.send_text("quiet")
    b.next_body()
    b.respond(status)
c.send_text("typeless")
b.next_body()
b.respond(body="x")
c.expect_binary("x")

=== TEST 7: multipart/mixed is any number of messages
--- config
location / {
    ws_delivery http;
    ws_http_error message;
    ws_pass http://backend;
}
--- client
from http_connection import hear_close, opened

c, b = opened()
c.send_text("x")
b.next_body()
b.respond(headers=["Content-Type: multipart/mixed; boundary=zig", "X-WS-Close: 4000 enough"],
          body="--zig\r\n\r\none\r\n--zig\r\nContent-Type: image/png\r\n\r\n\xff\r\n\r\n--zig\r\n"
               "Content-Type: application/json\r\n\r\n{}\r\n--zig--\r\n".encode("latin-1"))
c.expect_text("one")
c.expect_binary(b"\xff\r\n")
c.expect_text("{}")
c.expect_close(4000, "enough")
c.send_close(4000)
hear_close(b, '"code":4000,"reason":"enough"')
c.expect_eof()

=== TEST 8: a reply that makes no sense is a failed request
--- config
location / {
    ws_delivery http;
    ws_http_error message;
    ws_pass http://backend;
}
--- client
from http_connection import opened

c, b = opened()
wrong = [("text/plain", b"\xff"), ("multipart/mixed; boundary=x", b"--x\r\n\r\nopen"), ("multipart/mixed", b"--x--")]
for seq, (kind, body) in enumerate(wrong, 1):
    c.send_text("x")
    b.next_body()
    b.respond(headers=["Content-Type: " + kind], body=body)
    c.expect_text('{"event":"error","seq":%d,"status":200}' % seq)
--- error_log
body is not what its type says

=== TEST 9: X-WS-Close: a code and a reason; a wrong one closes nothing
--- client
from http_connection import opened

c, b = opened()
for value in ["1006 no", "bye", "99999", "4000bye", "1005"]:
    c.send_text("x")
    b.next_body()
    b.respond(headers=["X-WS-Close: " + value, "Content-Type: text/plain"], body="still here")
    c.expect_text("still here")
c.send_text("x")
b.next_body()
b.respond(headers=["X-WS-Close: 1000"])
c.expect_close(1000, "")
c.send_close(1000)
b.read_request()
b.respond()
c.expect_eof()
--- error_log
X-WS-Close is wrong
by=backend code=1000 messages_in=6 messages_out=5

=== TEST 10: ws_http_error ignore: a failed request is logged, the connection stays
--- client
from http_connection import opened

c, b = opened()
for status in ["500 Oops", "404 Not Found", "302 Found"]:
    c.send_text("x")
    b.next_body()
    b.respond(status, headers=["X-WS-Close: 4000", "Content-Type: text/plain"], body="error page")
    c.send_text("y")
    equal(b.next_body(), b"y")
    b.respond_text("fine")
    c.expect_text("fine")
--- error_log
ws: request failed
seq=1: status 500 (1 so far)

=== TEST 11: ws_http_error message: the client is told which message has failed
--- config
location / {
    ws_delivery http;
    ws_http_error message;
    ws_pass http://backend;
}
--- client
from http_connection import opened

c, b = opened()
c.send_text("x")
b.next_body()
b.respond("500 Oops")
c.expect_text('{"event":"error","seq":1,"status":500}')
c.send_text("y")
b.read_request()
b.close()
c.expect_text('{"event":"error","seq":2,"status":502}')

=== TEST 12: ws_http_error close: the connection ends with 1011, or 1014 where the backend can't be reached
--- config
location / {
    ws_delivery http;
    ws_http_error close;
    ws_pass http://backend;
}
--- client
from http_connection import opened

b = None
for answer, code in [("500 Oops", 1011), ("422 Odd", 1011), (None, 1014)]:
    c, b = opened("/", over=b)
    c.send_text("x")
    b.next_body()
    if answer:
        b.respond(answer)
    else:
        b.close()
        b = None
    c.expect_close(code, "backend error")
    c.send_close(code)
    b = b.read_request() if b else backend.accept()
    matches(b.read_body().decode(), '"code":%d,' % code)
    b.respond()
    c.expect_eof()

=== TEST 13: one request at a time, in order, whatever the client sends at once
--- client
from http_connection import opened

c, b = opened()
c.send(b"".join(frame(TEXT, str(n), mask=b"abcd") for n in range(200)))
for n in range(200):
    b.read_request()
    equal(b.header("ce-id").split("/")[1], str(n + 1))
    equal(b.read_body(), str(n).encode())
    b.expect_silence()
    b.respond_text("r%d" % n)
    c.expect_text("r%d" % n)
backend.no_connection()

=== TEST 14: ws_http_concurrency: so many requests at a time
--- config
location / {
    ws_delivery http;
    ws_http_concurrency 3;
    ws_pass http://backend;
}
--- client
from http_connection import opened

c, b = opened()
for n in range(5):
    c.send_text(str(n))
three = [b.read_request(), backend.accept(), backend.accept()]
equal([b.read_body() for b in three], [b"0", b"1", b"2"])
c.send_ping(b"!")
c.expect_pong(b"!")
backend.no_connection()
three[2].respond(headers=["Content-Type: text/plain"], body="late first")
c.expect_text("late first")
equal(three[2].read_request().read_body(), b"3")
--- error_log
messages_in=5

=== TEST 15: a client that sends faster than its backend answers is not read: nothing is lost, the queue is bounded
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; keepalive_requests 10000; }
--- config
location / {
    ws_delivery http;
    ws_http_queue 8 64k;
    ws_pass http://backend;
}
--- client
from http_connection import opened

c, b = opened()
total = 300 if TRICKLE else 3000
block = b"x" * 4000
def flood():
    for n in range(total):
        c.send_frame(BINARY, b"%08d" % n + block)
in_thread(flood)
for n in range(total):
    b.read_request()
    body = b.read_body()
    equal((body[:8], len(body)), (b"%08d" % n, 4008))
    b.respond()

=== TEST 16: JSON is checked, and called so, with ws_http_data json
--- config
location / {
    ws_delivery http;
    ws_http_data json;
    ws_pass http://backend;
}
--- client
from http_connection import opened

c, b = opened()
for text, kind in [('{"a":1}', "application/json"), ("[1", "text/plain; charset=utf-8"), ("7", "application/json")]:
    c.send_text(text)
    b.read_request()
    equal(b.header("Content-Type"), kind)
    equal(b.read_body().decode(), text)
    b.respond()

=== TEST 17: ws_http_concurrency with a slow backend: so many at a time, never more, each message once
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 8; }
--- config
location / { ws_delivery http; ws_http_concurrency 5; ws_http_queue 4; ws_pass http://backend; }
--- client
import threading

now, most, bodies = set(), [], []
lock = threading.Lock()
def serve(connection):
    while True:
        body = connection.read_body().decode()
        if connection.header("ce-type") == "websocket.message":
            with lock:
                now.add(body)
                bodies.append(body)
                most.append(len(now))
            time.sleep(0.02)
            with lock:
                now.remove(body)
            connection.respond(headers=["Content-Type: text/plain"], body=body)
        else:
            connection.respond("204 No Content")
        try:
            connection.read_request()
        except Failure:
            return
backend.serve(serve)
c = client("/")
equal(c.status, 101)
texts = [f"{n} " + "x" * 2000 for n in range(200)]
sending = in_thread(lambda: [c.send_text(text) for text in texts])
equal(sorted(c.recv_text() for _ in texts), sorted(texts))
equal(sorted(bodies), sorted(texts))
equal(max(most), 5)
c.send_close(1000)
c.expect_close(1000)
c.expect_eof()

=== TEST 18: filters that change answers change no message, and keep no 101 to themselves
--- config
ws_delivery http;
location /ssi { ssi on; ssi_types *; ws_pass http://backend; }
location /gzip { gzip on; gzip_types *; gzip_min_length 0; ws_pass http://backend; }
--- client
from http_connection import opened

b = None
text = '<!--# echo var="uri" -->' * 100
for path in "/ssi", "/gzip":
    c, b = opened(path, headers=["Accept-Encoding: gzip"], over=b)
    c.send_text(text)
    equal(b.next_body(), text.encode())
    b.respond(headers=["Content-Type: text/html"], body=text)
    c.expect_text(text)
    c.send_close(1000)
    b.next_body()
    b.respond()
    c.expect_close(1000)
    c.expect_eof()
