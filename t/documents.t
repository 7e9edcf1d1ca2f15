# What the documents show of the wire is what a backend gets, byte for byte.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: headers delivery: the upgrade request as the documents show it
--- redis
SET session:secret '{"user":{"id":"42","name":"Zoë"}}'
--- config
location /chat {
    ws_redis       redis://127.0.0.1:$TEST_REDIS_PORT;
    ws_auth        redis;
    ws_auth_token  cookie:X-Token;
    ws_pass        http://$TEST_BACKEND;
}
--- client
from documents import *

c, b = tunnel("/chat?room=1", cookie="X-Token=secret; theme=dark", host="example.com", origin="http://example.com")
got = b.raw_head.decode()
got = got.replace(b.header("X-WS-Connection-Id"), CONNECTION_ID).replace(os.environ["TEST_BACKEND"], "127.0.0.1:3000")
for name in "README.md", "docs/headers-delivery.md":
    equal(got, blocks(name, "http")[0].replace("\n", "\r\n"), name)

=== TEST 2: envelope delivery: the events as the documents show them
--- redis
SET session:secret '{"user":{"id":"42","name":"Zoë"}}'
--- config
location /chat {
    ws_redis       redis://127.0.0.1:$TEST_REDIS_PORT;
    ws_auth        redis;
    ws_auth_token  cookie:X-Token;
    ws_delivery    envelope;
    ws_pass        http://$TEST_BACKEND;
}
--- client
from documents import *

subprotocol = ["Sec-WebSocket-Protocol: chat.v1"]
c, b = tunnel("/chat?room=1", cookie="X-Token=secret", host="example.com", headers=subprotocol, headers_back=subprotocol)
got = [b.recv_text()]
c.send_text("hello")
got.append(b.recv_text())
c.send_binary(b"hello")
got.append(b.recv_text())
redis("SET", "session:secret", '{"user":{"id":"42","name":"Ada"}}')
got.append(b.recv_text())
c.send_close(4000, "bye")
got.append(b.recv_text())
got = [text.replace(b.header("X-WS-Connection-Id"), CONNECTION_ID) for text in got]
for name in "README.md", "docs/envelope-delivery.md":
    equal(got, blocks(name, "json")[0].splitlines(), name)

=== TEST 3: commands as the documents show them
--- redis
SET session:secret '{"user":{"id":"42"},"old":1}'
--- config
location /chat {
    ws_redis             redis://127.0.0.1:$TEST_REDIS_PORT;
    ws_auth              redis;
    ws_auth_token        cookie:X-Token;
    ws_delivery          envelope;
    ws_envelope_replies  on;
    ws_pass              http://$TEST_BACKEND;
}
--- client
from documents import *

text, binary, data, context, close = blocks("docs/envelope-delivery.md", "json")[1].splitlines()
c, b = tunnel("/chat", cookie="X-Token=secret")
b.recv_text()
b.send_text(text)
c.expect_text("hello")
b.send_text(binary)
c.expect_binary(b"hello")
b.send_text(data)
c.expect_text('{"say":"hello"}')
b.send_text(context)
b.send_text(text)
c.expect_text("hello")
c.send_text("what now?")
equal(json.loads(b.recv_text())["context"], {"user": {"id": "42"}, "room": "blue"})
b.send_text(close)
c.expect_close(4000, "bye")

=== TEST 4: HTTP delivery: the request of a message as the documents show it
--- redis
SET session:secret '{"user":{"id":"42","name":"Zoë"}}'
--- config
location /chat {
    ws_redis       redis://127.0.0.1:$TEST_REDIS_PORT;
    ws_auth        redis;
    ws_auth_token  cookie:X-Token;
    ws_delivery    http;
    ws_pass        http://$TEST_BACKEND;
}
--- client
from documents import *

c = client("/chat?room=1", cookie="X-Token=secret; theme=dark", host="example.com", origin="http://example.com")
b = backend.accept()
b.respond("204 No Content")
equal(c.status, 101)
c.send_text("hello")
b = backend.accept()
got = b.raw_head.decode() + b.read_body().decode() + "\n"
got = got.replace(b.header("X-WS-Connection-Id"), CONNECTION_ID).replace(os.environ["TEST_BACKEND"], "127.0.0.1:3000")
got = got.replace(b.header("ce-time"), "2026-01-01T12:00:00.123Z")
b.respond("200 OK", ["Content-Type: text/plain"], "hello yourself")
c.expect_text("hello yourself")
for name, index in ("docs/http-delivery.md", 0), ("README.md", 1):
    equal(got.replace("\r\n", "\n"), blocks(name, "http")[index], name)
