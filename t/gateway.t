# The gateway end to end: a session becomes the context of a WebSocket.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: headers delivery: the backend gets the session and the connection id
--- redis
SET session:abc {"user":{"id":"u1","name":"Ann"},"admin":true}
--- config
location /chat {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/chat?room=1", cookie="X-Token=abc")
b = backend.accept()
equal((b.method, b.uri, b.protocol), ("GET", "/chat?room=1", "HTTP/1.1"))
equal(b.header_all("X-WS-Context"), ['{"user":{"id":"u1","name":"Ann"},"admin":true}'])
matches(b.header("X-WS-Connection-Id"), r"\A[0-9a-f]{32}\Z")
equal(b.header_all("Upgrade"), ["websocket"])
equal(b.header_all("Connection"), ["Upgrade"])
b.upgrade()
equal(c.status, 101)
for text in "", "a", "é" * 100, "x" * 70000:
    c.send_text(text)
    b.expect_text(text)
    b.send_text(text)
    c.expect_text(text)
c.send_close(1000, "bye")
b.expect_close(1000, "bye")
b.send_close(1000, "bye")
c.expect_close(1000, "bye")
c.expect_eof()

=== TEST 2: envelope delivery
--- redis
SET session:abc {"user":{"id":"u1"}}
--- config
location /chat {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/chat?room=1", cookie="X-Token=abc")
b = backend.accept()
equal(b.header("X-WS-Context"), None)
id = b.header("X-WS-Connection-Id")
b.upgrade()
equal(c.status, 101)
b.expect_text('{"event":"open","connection":"%s","context":{"user":{"id":"u1"}},"request":{"uri":"/chat?room=1","host":"%s","remote_addr":"127.0.0.1"}}' % (id, "localhost"))
c.send_text('hello "you"')
b.expect_text('{"event":"message","connection":"%s","seq":1,"context":{"user":{"id":"u1"}},"type":"text","data":"hello \\"you\\""}' % id)
c.send_binary(b"hello")
b.expect_text('{"event":"message","connection":"%s","seq":2,"context":{"user":{"id":"u1"}},"type":"binary","data":"aGVsbG8="}' % id)
b.send_text("raw reply")
c.expect_text("raw reply")
c.send_ping(b"?")
c.expect_pong(b"?")
c.send_close(4000, "bye")
b.expect_text('{"event":"close","connection":"%s","code":4000,"reason":"bye"}' % id)
b.expect_close(4000, "bye")
c.expect_close(4000)
b.send_close(4000)
c.expect_eof()
