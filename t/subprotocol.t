# Subprotocols: between client and backend, or picked by the location.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a location picks: its own first that the client offers, for a backend that knows nothing of subprotocols
--- redis: none
--- config
ws_subprotocol chat.v3 chat.v2 chat.v1;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
for path in "/headers", "/envelope":
    for lines in ["Sec-WebSocket-Protocol: chat.v1, other, chat.v2"], ["sec-websocket-protocol:chat.v1,,", "Sec-WebSocket-Protocol: chat.v2"]:
        c, b = tunnel(path, headers=lines)
        equal(b.header_all("Sec-WebSocket-Protocol"), ["chat.v2"])
        equal(c.header_all("Sec-WebSocket-Protocol"), ["chat.v2"])
        if path == "/envelope":
            matches(b.recv_text(), '"event":"open".*"protocol":"chat.v2"}}$')

=== TEST 2: a backend that answers with what was picked is not answered over; a client that offers none of them gets none
--- redis: none
--- config
location / { ws_subprotocol a; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/", headers=["Sec-WebSocket-Protocol: b, a"])
b = backend.accept()
b.upgrade(["Sec-WebSocket-Protocol: a"])
equal(c.status, 101)
equal(c.header_all("Sec-WebSocket-Protocol"), ["a"])
matches(b.recv_text(), '"protocol":"a"')

for headers in [], ["Sec-WebSocket-Protocol: A, b"], ["Sec-WebSocket-Protocol:"]:
    c, b = tunnel("/", headers=headers)
    equal(b.header_all("Sec-WebSocket-Protocol"), [])
    equal(c.header_all("Sec-WebSocket-Protocol"), [])
    check('"protocol"' not in b.recv_text())

=== TEST 3: a subprotocol that was not offered, or two, is no answer
--- redis: none
--- config
location / { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /picked { ws_subprotocol a; ws_pass http://$TEST_BACKEND; }
location /off { ws_subprotocol off; ws_pass http://$TEST_BACKEND; }
--- client
def refused(path, offer, *answer):
    c = client(path, headers=[f"Sec-WebSocket-Protocol: {offer}"] if offer else [])
    b = backend.accept()
    b.upgrade([f"Sec-WebSocket-Protocol: {name}" for name in answer])
    equal(c.status, 502)
    check(c.header("Sec-WebSocket-Protocol") is None and b"secret" not in c.body)
    b.expect_eof()

for path in "/", "/envelope", "/off":
    refused(path, "a, b", "secret")
    refused(path, "a, b", "A")
    refused(path, "a, b", "a, b")
    refused(path, "a, b", "a", "b")
    refused(path, "a, b", "a", "a")
    refused(path, "a, b", "")
    refused(path, None, "secret")
refused("/picked", "a, b", "b")   # it was not offered this
refused("/picked", "b", "b")
--- error_log
qr/\[error\] .* ws: backend's 101 refused, connection=[0-9a-f]{32}: it has a subprotocol that was not offered/

=== TEST 4: proxy_hide_header and proxy_set_header still make their own arrangement with the backend
--- redis: none
--- config
location / {
    ws_pass http://$TEST_BACKEND;
    proxy_set_header Sec-WebSocket-Protocol internal;
    proxy_hide_header Sec-WebSocket-Protocol;
}
--- client
c = client("/")
b = backend.accept()
equal(b.header_all("Sec-WebSocket-Protocol"), ["internal"])
b.upgrade(["Sec-WebSocket-Protocol: internal"])
equal(c.status, 101)
equal(c.header("Sec-WebSocket-Protocol"), None)

=== TEST 5: an offer that breaks the grammar, or has a name twice, is refused before anybody is asked
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
before = redis.calls("get")
for lines in (["a b"], ["a, a"], ["a", "a"], ["a/b"], ['"a"'], ["\xe9"], ["a;b"]):
    c = client("/", cookie="t=abc", headers=[f"Sec-WebSocket-Protocol: {line}" for line in lines])
    equal(c.status, 400)
equal(redis.calls("get"), before)
backend.no_connection()
