# The harness itself, with nginx's own directives only.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: nginx answers an ordinary request
--- config
location / { return 200 "fine\n"; }
--- client
c = get("/")
equal(c.status, 200)
equal(c.header("Content-Length"), "5")
equal(c.body, b"fine\n")
c.expect_eof()
backend.no_connection()
--- access_log
qr/"GET \/ HTTP\/1\.1" 200 5 /
--- no_access_log
HTTP/1.0

=== TEST 2: an upgrade goes through to the backend and frames go both ways
--- config
location /chat {
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
--- client
c = client("/chat?room=1", cookie="X-Token=abc", headers=["X-Colour: red"])
b = backend.accept()
equal((b.method, b.uri), ("GET", "/chat?room=1"))
equal(b.header("Cookie"), "X-Token=abc")
equal(b.header("X-Colour"), "red")
b.upgrade(["Sec-WebSocket-Protocol: chat"])
equal(c.status, 101)
equal(c.header("Sec-WebSocket-Protocol"), "chat")
equal(c.header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")

for text in "", "a", "é" * 100, "x" * 70000:
    c.send_text(text)
    b.expect_text(text)
    b.send_text(text)
    c.expect_text(text)

c.send_frame(TEXT, b"one ", fin=False)
equal(b.recv_frame(), (False, 0, TEXT, b"one "))
c.send_frame(CONTINUATION, b"two", fin=True)
equal(b.recv_frame(), (True, 0, CONTINUATION, b"two"))

b.send_ping(b"?")
c.expect_ping(b"?")
c.send_close(1000, "bye")
b.expect_close(1000, "bye")
b.send_close()
c.expect_close()
b.close()
c.expect_eof()

=== TEST 3: the backend section serves each connection
--- config
location / {
    proxy_pass http://$TEST_BACKEND;
}
--- backend
equal(connection.protocol, "HTTP/1.0")
connection.respond("418 I'm a teapot", ["X-Uri: " + connection.uri], "short and stout")
connection.close()
--- client
for path in "/a", "/b":
    c = get(path)
    equal(c.status, 418)
    equal(c.header("X-Uri"), path)
    equal(c.body, b"short and stout")

=== TEST 4: Redis has what the section says, and nothing of the block before
--- redis
# words are parted by blanks
SET session:abc {"user":"ann"}
SET session:def '{"user": "bob"}'
HSET hash field value
--- config
--- client
equal(redis("GET", "session:abc"), '{"user":"ann"}')
equal(redis("GET", "session:def"), '{"user": "bob"}')
equal(redis("HGETALL", "hash"), ["field", "value"])
redis("SET", "left", b"over")

=== TEST 5: Redis is flushed for each block
--- config
--- client
equal(redis("DBSIZE"), 0)

=== TEST 6: a Redis of the block's own can hang and die
--- redis_own
--- config
--- client
redis("SET", "key", "value")
redis.stop()
redis.resume()
equal(redis("GET", "key"), "value")
redis.kill()

=== TEST 7: a reload gives new workers and keeps the old connection
--- config
location / {
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
--- workers: 2
--- client
c, b = tunnel("/")
old = nginx.worker_pids()
equal(len(old), 2)
nginx.reload()
check(not set(old) & set(nginx.worker_pids()), "new workers")
c.send_text("still here")
b.expect_text("still here")
other, b2 = tunnel("/other")
equal(b2.uri, "/other")
--- error_log
signal 1 (SIGHUP) received

=== TEST 8: a wrong configuration dies with its reason
--- config
no_such_directive on;
--- must_die
--- error_log
unknown directive "no_such_directive"
qr/nginx\.conf:\d+/

=== TEST 9: a client by TLS and a backend by TLS
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / {
        proxy_pass https://$TEST_BACKEND;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
    }
}
--- config
--- client
c = client("/", tls=True)
b = backend.accept(tls=True)
b.upgrade()
equal(c.status, 101)
c.send_text("secret")
b.expect_text("secret")
b.send_text("kept")
c.expect_text("kept")

=== TEST 10: a port that refuses, and an alert that is allowed
--- redis: none
--- config
location /refused { proxy_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location /missing { proxy_pass http://unix:$TEST_DIR/missing.sock; }
--- client
equal(get("/refused").status, 502)
equal(get("/missing").status, 502)
backend.no_connection()
--- error_log
Connection refused
--- expect_alert
missing.sock failed (2: No such file or directory)

=== TEST 11: the echo backend echoes messages and the close
--- config
location / {
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
--- client
backend.echo()
c = client("/")
equal(c.status, 101)
c.send_binary(bytes(range(256)))
c.expect_binary(bytes(range(256)))
c.send_ping(b"1")
c.expect_pong(b"1")
c.send_close(1000)
c.expect_close(1000)
c.close()
