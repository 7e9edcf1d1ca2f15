# permessage-deflate between the client and the gateway (RFC 7692), in envelope delivery.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: messages are inflated for the backend, and its replies deflated, with context takeover
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:t;
location / {
    ws_delivery envelope;
    ws_compression on;
    ws_compression_level 6;
    ws_compression_min_length 10;
    ws_compression_window 15;
    ws_pass http://$TEST_BACKEND;
}
--- client
import zlib
c = client("/", cookie="t=abc", headers=["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"])
b = backend.accept()
equal(b.header_all("Sec-WebSocket-Extensions"), [], "the backend is offered nothing")
b.upgrade()
equal(c.status, 101)
equal(c.header("Sec-WebSocket-Extensions"), "permessage-deflate")
b.recv_text()
compressor = zlib.compressobj(wbits=-15)
inflater = zlib.decompressobj(wbits=-15)

def compressed(text):
    return (compressor.compress(text.encode()) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]

sizes = []
for n in range(3):
    text = "The quick brown fox jumps over the lazy dog. " * 5
    c.send_frame(TEXT, compressed(text), rsv=4)
    matches(b.recv_text(), f'"seq":{n + 1},.*"data":"{text}"')
    b.send_text(text)
    fin, rsv, opcode, payload = c.recv_frame()
    equal((fin, rsv, opcode), (True, 4, TEXT))
    sizes.append(len(payload))
    equal(inflater.decompress(payload + b"\x00\x00\xff\xff").decode(), text)
check(sizes[1] < sizes[0] / 2, f"the second refers to the first: {sizes}")
b.send_text("small")
equal(c.recv_frame(), (True, 0, TEXT, b"small"))
c.send_text("not compressed")
matches(b.recv_text(), '"data":"not compressed"')
payload = compressed("in two fragments " * 10)
c.send_frame(TEXT, payload[:5], fin=False, rsv=4)
c.send_ping(b"?")
c.send_frame(CONTINUATION, payload[5:])
c.expect_pong(b"?")
matches(b.recv_text(), '"data":"(in two fragments ){10}"')

=== TEST 2: what is agreed on, and what is not
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:t;
ws_delivery envelope;
location /off { ws_pass http://$TEST_BACKEND; }
location / {
    ws_compression on;
    ws_pass http://$TEST_BACKEND;
}
--- client
def answer(offer, path="/"):
    c = client(path, cookie="t=abc", headers=["Sec-WebSocket-Extensions: " + offer] if offer else [])
    b = backend.accept()
    b.upgrade()
    equal(c.status, 101, offer)
    return c.header("Sec-WebSocket-Extensions")

equal(answer("permessage-deflate", "/off"), None)
equal(answer(None), None)
equal(answer("x-webkit-deflate-frame"), None)
matches(answer("permessage-deflate; server_no_context_takeover"), "permessage-deflate; server_no_context_takeover")
matches(answer("permessage-deflate; server_max_window_bits=10"), "server_max_window_bits=10")
equal(answer("permessage-deflate; unknown=1"), None)
matches(answer("permessage-deflate; server_max_window_bits=99, permessage-deflate"), "^permessage-deflate")
equal(client("/", cookie="t=abc", headers=["Sec-WebSocket-Extensions: permessage-deflate;;"]).status, 400)
backend.no_connection()

=== TEST 3: a bomb stops at the limit, broken data and reserved bits without an agreement fail the connection
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:t;
ws_delivery envelope;
ws_max_message_size 100k;
location /off { ws_pass http://$TEST_BACKEND; }
location / {
    ws_compression on;
    ws_pass http://$TEST_BACKEND;
}
--- client
import zlib
def deflated(data):
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]

for path, payload, code in [
    ("/", deflated(b"x" * 200000), 1009),
    ("/", deflated(b"x" * 100 * 1024), None),
    ("/", b"\xff\xff\xff\xff", 1007),
    ("/", deflated(b"\xff\xfe"), 1007),
    ("/off", deflated(b"hello"), 1002),
]:
    c = client(path, cookie="t=abc", headers=["Sec-WebSocket-Extensions: permessage-deflate"])
    b = backend.accept()
    b.upgrade()
    equal(c.status, 101)
    b.recv_text()
    c.send_frame(TEXT, payload, rsv=4)
    if code is None:
        matches(b.recv_text(), '"data":"x{102400}"')
    else:
        c.expect_close(code)
        matches(b.recv_text(), f'"event":"close",.*"code":{code}')
        b.expect_close(1001)
    c.close()
