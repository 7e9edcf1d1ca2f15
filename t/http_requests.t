# HTTP delivery: what runs for the request of an event and what doesn't, and what its backend may be.
use lib 't/lib';
use Test::Gateway;

run_tests(
    redis => 'none',
    http_config => 'upstream backend { server $TEST_BACKEND; keepalive 4; }',
    config => 'location / { ws_delivery http; ws_pass http://backend; }',
);

__DATA__

=== TEST 1: nothing of the client's own can pass for the gateway's
--- client
c = client("/", headers=["ce-type: websocket.close", "Ce_Id: 1/1", "ce-subject: x", "X-WS-Context: {}", "X_WS_Context: {}",
                         "X-WS-Connection-Id: evil", "X-WS-Close: 1000", "Content-Type: text/evil", "Accept-Encoding: gzip",
                         "TE: trailers", "Range: bytes=0-1", "If-Match: x", "X-Own: 1"])
b = backend.accept()
equal(b.header("ce-type"), "websocket.open")
equal([b.header(n) for n in ("Ce_Id", "ce-subject", "X_WS_Context", "X-WS-Close", "Content-Type", "Accept-Encoding", "TE",
                             "Range", "If-Match")], [None] * 9)
equal(b.header("X-Own"), "1")
equal(b.header("X-WS-Context"), "{}")
check(b.header("X-WS-Connection-Id") != "evil")
b.respond()
c.send_text("x")
b.read_request()
equal((b.header("ce-type"), b.header("X-Own"), b.header("Content-Type")),
      ("websocket.message", "1", "text/plain; charset=utf-8"))

=== TEST 2: ce-source has no arguments and is encoded as CloudEvents want it
--- config
location / {
    ws_delivery http;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client('/a%20b"c/é?token=secret', host='x"y')
b = backend.accept()
equal(b.header("ce-source"), "http://x%22y/a%2520b%22c/%C3%A9")

=== TEST 3: access rules, limits, mirrors and rewrites concern the client's request alone
--- http_config
limit_req_zone $server_name zone=one:1m rate=1r/m;
limit_conn_zone $server_name zone=two:1m;
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location / {
    if ($http_upgrade != websocket) { return 400; }
    set $kind $http_x_kind;
    rewrite ^/old(.*)$ /new$1 break;
    allow 127.0.0.1;
    deny all;
    limit_req zone=one;
    limit_conn two 1;
    auth_request /auth;
    auth_request_set $who $upstream_http_x_who;
    mirror /mirror;
    ws_delivery http;
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header X-Kind $kind;
    proxy_set_header X-Who $who;
}
location = /auth { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
location = /mirror { internal; return 200; }
--- client
c = client("/old/old/x?a=1", headers=["X-Kind: special"])
b = backend.accept()
equal((b.method, b.uri), ("GET", "/auth"))
b.respond(headers=["X-Who: ann"])
for n in range(4):
    b.next_body()
    equal((b.method, b.uri, b.header("X-Kind"), b.header("X-Who")), ("POST", "/new/old/x?a=1", "special", "ann"))
    b.respond()
    equal(c.status, 101)
    c.send_text(str(n))
backend.no_connection()

=== TEST 4: a reply leads nowhere else: error pages and X-Accel-Redirect are not followed
--- config
error_page 404 500 502 /page;
recursive_error_pages on;
location / {
    ws_delivery http;
    ws_http_error message;
    proxy_intercept_errors on;
    ws_pass http://backend;
}
location = /page { return 200 "page"; }
location = /inside { internal; return 200 "secret"; }
--- client
from http_connection import opened

c, b = opened()
c.send_text("x")
b.next_body()
b.respond("404 Not Found")
c.expect_text('{"event":"error","seq":1,"status":404}')
c.send_text("y")
b.next_body()
b.respond(headers=["X-Accel-Redirect: /inside"])
c.expect_text('{"event":"error","seq":2,"status":500}')
--- error_log
rewrite or internal redirection cycle

=== TEST 5: a location without a content handler answers in its rewrite phase, past access and limits
--- http_config
limit_req_zone $server_name zone=one:1m rate=1r/m;
--- config
location / {
    limit_req zone=one;
    ws_delivery http;
    ws_http_error message;
    default_type text/plain;
    if ($ws_event = message) { return 200 "$ws_event $ws_sequence $ws_connection_id $request_method $request_uri"; }
    if ($ws_event = open) { return 204; }
}
location /static { ws_delivery http; ws_http_error message; }
--- client
c = client("/where?x=1")
equal(c.status, 101)
for n in range(1, 4):
    c.send_text("x")
    matches(c.recv_text(), r"\Amessage %d [0-9a-f]{32} POST /where\?x=1\Z" % n)
c.send_close(1000)
c.expect_close(1000)
c.expect_eof()
equal(client("/static").status, 404)

=== TEST 6: the access log has no line for an event unless asked, and then with id and number
--- http_config
log_format events '$ws_connection_id/$ws_sequence $ws_event "$request" $status $body_bytes_sent $remote_addr $ws_context';
--- config
access_log $TEST_DIR/access.log events;
location /quiet { ws_delivery http; if ($ws_event) { return 200 quiet; } }
location /loud {
    ws_delivery http;
    ws_http_access_log on;
    ws_context_field a b;
    if ($ws_event) { return 200 loud; }
}
--- client
for uri in ["/quiet", "/loud"]:
    c = client(uri)
    equal(c.status, 101)
    equal(c.recv_message()[1], uri[1:].encode())
    c.send_text("x")
    equal(c.recv_message()[1], uri[1:].encode())
    c.send_close(1000)
    c.expect_close(1000)
    c.expect_eof()
wait_until(lambda: nginx.access_log().count("GET") == 2)
equal(nginx.access_log().count("POST"), 3)
matches(nginx.access_log(), r'(?m)^[0-9a-f]{32}/1 message "POST /loud HTTP/1.1" 200 4 127.0.0.1 \{.*b.*\}$')
matches(nginx.access_log(), r'(?m)^[0-9a-f]{32}/- - "GET /loud HTTP/1.1" 101 ')
--- no_access_log
POST /quiet

=== TEST 7: proxy_next_upstream tries the next server where nothing can have happened, and only there
--- http_config
upstream backend { server 127.0.0.1:$TEST_CLOSED_PORT; server $TEST_BACKEND; }
--- config
location / {
    ws_delivery http;
    ws_http_error message;
    ws_pass http://backend;
    proxy_next_upstream error timeout http_500;
}
--- client
from http_connection import opened

c, _ = opened()
for n in range(1, 4):
    c.send_text("x")
    backend.accept().respond(headers=["Content-Type: text/plain"], body="y")
    c.expect_text("y")
c.send_text("x")
b = backend.accept()
b.read_body()
b.close()
c.expect_text('{"event":"error","seq":4,"status":502}')
backend.no_connection()

=== TEST 8: a message as large as the limit arrives whole, and one byte more closes with 1009
--- config
location / {
    ws_delivery http;
    ws_max_message_size 3m;
    client_max_body_size 1k;
    ws_pass http://backend;
}
--- client
from http_connection import opened

import random
c, b = opened()
data = random.Random(1).randbytes(3 * 1024 * 1024)
in_thread(lambda: c.send_binary(data))
equal(b.next_body() == data, True)
in_thread(lambda: b.respond(body=data))
equal(c.recv_message() == (BINARY, data), True)
c.send_frame(BINARY, data[:1000], fin=False)
c.send(frame(CONTINUATION, data[1000:] + b"x", mask=b"abcd")[:20])
c.expect_close(1009)

=== TEST 9: a reply larger than a message may be is a failed request
--- config
location / {
    ws_delivery http;
    ws_http_error message;
    ws_max_message_size 64k;
    ws_pass http://$TEST_BACKEND;
}
--- client
from http_connection import opened

c, _ = opened()
c.send_text("x")
b = backend.accept()
b.read_body()
b.respond(body=b"x" * 65537)
c.expect_text('{"event":"error","seq":1,"status":0}')
c.send_text("y")
b = backend.accept()
b.respond_text(b"x" * 65536)
c.expect_text("x" * 65536)
--- error_log
ws: reply too large (ws_max_message_size)

=== TEST 10: a reply that breaks off is a failed request, none of it reaches the client
--- config
location / {
    ws_delivery http;
    ws_http_error message;
    ws_pass http://$TEST_BACKEND;
}
--- client
from http_connection import opened

c, _ = opened()
c.send_text("x")
b = backend.accept()
b.read_body()
b.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nhalf")
b.close()
c.expect_text('{"event":"error","seq":1,"status":0}')

=== TEST 11: chunked replies, unbuffered replies, replies out of temporary files and of a cache
--- http_config
proxy_cache_path $TEST_DIR/cache keys_zone=replies:1m;
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location /unbuffered { ws_delivery http; ws_pass http://backend; proxy_buffering off; }
location /file { ws_delivery http; ws_pass http://backend; proxy_buffers 2 4k; proxy_buffer_size 4k; proxy_busy_buffers_size 4k; }
location /cache { ws_delivery http; ws_pass http://backend; proxy_cache replies; proxy_cache_methods POST; proxy_cache_valid 1h;
                  proxy_cache_key $request_uri; }
--- client
from http_connection import leave, opened

b = None
for uri in ["/unbuffered", "/file"]:
    c, b = opened(uri, over=b)
    c.send_text("x")
    b.next_body()
    b.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
    for n in range(50):
        b.send("3e8\r\n" + "x" * 1000 + "\r\n")
    b.send("0\r\n\r\n")
    c.expect_text("x" * 50000)
    leave(c, b)
c = client("/cache")
b.read_request()
b.respond_text("z" * 20000)
c.expect_text("z" * 20000)
for n in range(3):
    c.send_text("x")
    c.expect_text("z" * 20000)

=== TEST 12: TLS on both sides; the backend is told of the client's
--- config
listen 127.0.0.1:$TEST_TLS_PORT ssl;
ssl_certificate $TEST_CERT;
ssl_certificate_key $TEST_CERT_KEY;
location / {
    ws_delivery http;
    ws_pass https://$TEST_BACKEND;
    proxy_set_header X-Scheme $scheme;
    proxy_set_header X-Protocol $ssl_protocol;
    proxy_set_header X-Server $server_addr;
}
--- client
c = client("/", tls=True)
b = backend.accept(tls=True)
equal((b.header("X-Scheme"), b.header("X-Server")), ("https", "127.0.0.1"))
matches(b.header("X-Protocol"), r"\ATLSv1")
matches(b.header("ce-source"), r"\Ahttps://localhost/")
b.respond()
for n in range(3):
    c.send_text(str(n))
    b = backend.accept(tls=True)
    equal(b.read_body(), str(n).encode())
    b.respond_text("y")
    c.expect_text("y")

=== TEST 13: ws_http_max_requests bounds what a worker has under way; the others wait for their turn
--- config
location / {
    ws_delivery http;
    ws_http_max_requests 2;
    ws_pass http://$TEST_BACKEND;
}
--- client
clients = [client("/") for _ in range(6)]
for n in range(3):
    two = [backend.accept() for _ in range(2)]
    backend.no_connection()
    for b in two:
        b.respond()
for c in clients:
    equal(c.status, 101)
for c in clients:
    c.send_text("x")
for n in range(3):
    two = [backend.accept() for _ in range(2)]
    backend.no_connection()
    for b in two:
        b.respond_text("y")
for c in clients:
    c.expect_text("y")

=== TEST 14: a client that leaves while it waits for its turn, or for the answer to its open
--- config
location / {
    ws_delivery http;
    ws_http_max_requests 1;
    ws_pass http://$TEST_BACKEND;
}
--- client
first = client("/")
b = backend.accept()
second = client("/")
third = client("/")
second.close()
first.close()
b.expect_eof()
backend.serve(lambda connection: connection.respond())
equal(third.status, 101)

=== TEST 15: worker_connections used up: who is connected goes on
--- events: worker_connections 12;
--- config
location / {
    ws_delivery http;
    ws_http_max_requests 100;
    ws_pass http://$TEST_BACKEND;
}
--- client
from http_connection import opened

c, _ = opened()
waiting = [client("/") for _ in range(6)]
nginx.wait_log("worker_connections are not enough while connecting to upstream|worker_connections are not enough,")
for w in waiting:
    w.close()
c.send_text("x")
while True:
    b = backend.accept()
    if b.header("ce-type") == "websocket.message":
        break
b.respond_text("y")
c.expect_text("y")
--- expect_alert
worker_connections are not enough
--- error_log
worker_connections are not enough

=== TEST 16: plain requests go straight to the backend, with ws_auth_plain, and else get a 426
--- config
location / { ws_delivery http; ws_pass http://$TEST_BACKEND; }
location /plain { ws_delivery http; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
--- client
equal(get("/").status, 426)
c = get("/plain")
b = backend.accept()
equal((b.method, b.header("ce-type"), b.header("X-WS-Context")), ("GET", None, "{}"))
b.respond(body="hello")
equal(c.body, b"hello")

=== TEST 17: a location reached by an internal redirect
--- config
location / { try_files /none @socket; }
location @socket { ws_delivery http; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/chat")
b = backend.accept()
equal((b.method, b.uri), ("POST", "/chat"))
b.respond()
equal(c.status, 101)

=== TEST 18: the reply to the client is compressed, and its messages are
--- config
location / {
    ws_delivery http;
    ws_compression on;
    ws_pass http://backend;
}
--- client
import zlib
c = client("/", headers=["Sec-WebSocket-Extensions: permessage-deflate"])
b = backend.accept()
equal(b.header("Sec-WebSocket-Extensions"), None)
b.respond()
matches(c.header("Sec-WebSocket-Extensions"), "permessage-deflate")
deflate = zlib.compressobj(wbits=-15)
packed = deflate.compress(b"hello" * 1000) + deflate.flush(zlib.Z_SYNC_FLUSH)
c.send_frame(TEXT, packed[:-4], rsv=4)
equal(b.next_body(), b"hello" * 1000)
b.respond_text("world" * 1000)
fin, rsv, opcode, payload = c.recv_frame()
equal((fin, rsv, opcode), (True, 4, TEXT))
equal(zlib.decompressobj(wbits=-15).decompress(payload + b"\x00\x00\xff\xff"), b"world" * 1000)

=== TEST 19: base64url in the context header, another name for it, or none
--- config
location /b64 { ws_delivery http; ws_context_header X-Session base64url; ws_pass http://$TEST_BACKEND; }
location /off { ws_delivery http; ws_context_header off; ws_pass http://$TEST_BACKEND; }
location /var { ws_delivery http; ws_context_header off; ws_context_field a b; ws_pass http://$TEST_BACKEND;
                proxy_set_header X-Who $ws_context_a; }
--- client
c = client("/b64", headers=["X-Session: evil"])
equal(backend.accept().header("X-Session"), "e30")
c2 = client("/off")
b = backend.accept()
equal((b.header("X-WS-Context"), b.header("ce-type")), (None, "websocket.open"))
c3 = client("/var")
equal(backend.accept().header("X-Who"), "b")

=== TEST 20: return 444 and reset_timedout_connection: no socket is touched
--- config
reset_timedout_connection on;
lingering_close always;
location / { ws_delivery http; ws_http_error message; if ($ws_event = message) { return 444; } if ($ws_event) { return 204; } }
--- client
c = client("/")
equal(c.status, 101)
for n in range(1, 4):
    c.send_text("x")
    c.expect_text('{"event":"error","seq":%d,"status":0}' % n)

=== TEST 21: an upgrade on a connection that had other requests, and what the client sends right behind it
--- client
from http_connection import leave

plain = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: " + b"x" * 3000 + b"\r\n\r\n"
c = client(raw=2 * plain + request_bytes("/") + frame(TEXT, "early", mask=b"abcd") + frame(TEXT, "second", mask=b"abcd"))
for _ in range(2):
    matches(c.recv_until(b"\r\n\r\n").decode(), r"\AHTTP/1.1 426 ")
b = backend.accept()
b.respond()
equal(c.status, 101)
for n, text in enumerate(["early", "second", "third"]):
    if text == "third":
        c.send_text(text)
    b.read_request()
    equal((b.read_body().decode(), b.header("ce-id").split("/")[1]), (text, str(n + 1)))
    b.respond_text(text.upper())
    c.expect_text(text.upper())
leave(c, b)
