# Who is let in without a session, and how a refusal is told.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: optional: a client without a token, or whose token is unknown, has the context null
--- redis
SET session:abc {"user":"ann"}
--- http_config
log_format status "status=$ws_auth_status context=$ws_context";
--- config
access_log $TEST_DIR/access.log status;
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_optional on;
location / { ws_context_field extra 1 number; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /closed { ws_auth_optional off; ws_pass http://$TEST_BACKEND; }
--- client
for cookie in None, "sid=unknown", "sid=no token":
    c, b = tunnel("/", cookie=cookie)
    equal(b.header_all("X-WS-Context"), ["null"], cookie)
    c.send_text("hi")
    b.expect_text("hi")
    c.send_close(1000)
    b.expect_close(1000)
c, b = tunnel("/envelope")
id = b.header("X-WS-Connection-Id")
matches(b.recv_text(), r'^{"event":"open","connection":"%s","context":null,"request":' % id)
c.send_text("hi")
b.expect_text('{"event":"message","connection":"%s","seq":1,"context":null,"type":"text","data":"hi"}' % id)
c, b = tunnel("/", cookie="sid=abc")
equal(b.header("X-WS-Context"), '{"user":"ann","extra":1}')
# One who had a session is closed with it: what he is afterwards he has to come back for.
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")
b.expect_close(1001)
equal(client("/", cookie="sid=a; sid=b").status, 400)
equal(client("/", cookie='sid="ab').status, 400)
equal(client("/closed").status, 401)
equal(client("/closed", cookie="sid=unknown").status, 401)
--- access_log
status=anonymous context=null
status=allowed

=== TEST 2: optional: a null context takes what the backend adds to it
--- redis: none
--- config
location / {
    ws_auth variable '';
    ws_auth_optional on;
    ws_delivery envelope;
    ws_envelope_replies on;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
id = b.header("X-WS-Connection-Id")
b.recv_text()
b.send_text('{"event":"context","context":{"name":"guest"}}')
b.send_text('{"event":"message","data":"hello"}')
c.expect_text("hello")
c.send_text("hi")
b.expect_text('{"event":"message","connection":"%s","seq":1,"context":{"name":"guest"},"type":"text","data":"hi"}' % id)

=== TEST 3: optional: a store that can't be asked is another matter
--- redis: none
--- config
location / {
    ws_redis redis://127.0.0.1:$TEST_CLOSED_PORT;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_auth_optional on;
    ws_pass http://$TEST_BACKEND;
}
--- client
equal(client("/", cookie="sid=abc").status, 503)
c, b = tunnel("/")
equal(b.header("X-WS-Context"), "null")

=== TEST 4: fail open: a store that can't be asked lets in, with an empty context, and the log says so
--- redis: none
--- http_config
log_format status "status=$ws_auth_status context=$ws_context";
--- config
access_log $TEST_DIR/access.log status;
ws_redis redis://127.0.0.1:$TEST_CLOSED_PORT;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_fail open;
location / { ws_context_field user $ws_session.user; ws_pass http://$TEST_BACKEND; }
location /closed { ws_auth_fail closed; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", cookie="sid=abc")
equal(b.header("X-WS-Context"), "{}")
c.send_text("hi")
b.expect_text("hi")
equal(client("/").status, 401)
equal(client("/closed", cookie="sid=abc").status, 503)
--- error_log
qr/\[warn\] .* ws: let in unchecked \(ws_auth_fail open\), connection=[0-9a-f]{32}: no connection/
--- access_log
status=unchecked context={}

=== TEST 5: fail open: a store that answers is believed
--- redis
SET session:broken [
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_fail open;
location / { ws_pass http://$TEST_BACKEND; }
--- client
equal(client("/", cookie="sid=unknown").status, 401)
equal(client("/", cookie="sid=broken").status, 500)
backend.no_connection()

=== TEST 6: fail open: who was let in unchecked stays so when the store is back; who comes then is checked, and live
--- redis_own
--- config
ws_redis $TEST_REDIS timeout=300ms connect_timeout=300ms;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_fail open;
ws_delivery envelope;
location / { ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", '{"user":"ann"}')
redis.stop()
unchecked = [tunnel("/", cookie=cookie) for cookie in ("sid=abc", "sid=unknown")]
redis.resume()
nginx.wait_log("is back")
equal(client("/", cookie="sid=unknown").status, 401)
a, ba = tunnel("/", cookie="sid=abc")
matches(ba.recv_text(), '"event":"open".*"ann"')
redis("DEL", "session:abc")
a.expect_close(4401, "session ended")
for c, b in unchecked:
    matches(b.recv_text(), '"event":"open".*"context":{}')
    c.send_text("hi")
    matches(b.recv_text(), '"event":"message".*"context":{}')

=== TEST 7: reject close: a right 101, then the close code that says why
--- redis
SET session:broken [
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT;
    ws_redis redis://127.0.0.1:$TEST_CLOSED_PORT;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_auth_reject close;
    location / { ws_pass http://$TEST_BACKEND; }
}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_reject close;
location / { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_compression on; ws_pass http://$TEST_BACKEND; }
location /http { ws_auth_reject http; ws_pass http://$TEST_BACKEND; }
--- client
def refused(path, code, reason, port=None, **request):
    c = client(path, port=port, **request)
    equal(c.status, 101, path)
    equal(c.header_all("Upgrade"), ["websocket"])
    equal([value.lower() for value in c.header_all("Connection")], ["upgrade"])
    equal(c.header_all("Sec-WebSocket-Accept"), [accept_key(KEY)])
    equal(c.header_all("Sec-WebSocket-Extensions"), [])
    for name in "Transfer-Encoding", "Content-Length", "Content-Type", "Retry-After", "WWW-Authenticate":
        equal(c.header_all(name), [], name)
    c.expect_close(code, reason)
    c.send_close(code)
    c.expect_eof()

refused("/", 4401, "unauthorized")
refused("/", 4401, "unauthorized", cookie="sid=unknown")
refused("/envelope", 4401, "unauthorized", headers=["Sec-WebSocket-Extensions: permessage-deflate"])
refused("/", 4403, "forbidden", headers=["Origin: http://evil.example"])
refused("/", 1011, "internal error", cookie="sid=broken")
refused("/", 1013, "try again later", port=int(os.environ["TEST_TLS_PORT"]), cookie="sid=abc")
# No handshake, no WebSocket.
equal(client("/", version="8").status, 426)
equal(client("/", cookie="sid=a; sid=b").status, 400)
equal(get("/").status, 426)
equal(client("/http").status, 401)
backend.no_connection()
--- error_log
ws: refused 401
ws: refused 403
ws: refused 500
ws: refused 503
--- access_log
qr/" 101 /

=== TEST 8: reject close: a client that offers subprotocols is answered one, or a browser would show no close code
--- redis: none
--- config
location / { ws_auth variable ''; ws_auth_reject close; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/", headers=["Sec-WebSocket-Protocol: chat.v2, chat.v1"])
equal(c.status, 101)
equal(c.header_all("Sec-WebSocket-Protocol"), ["chat.v2"])
c.expect_close(4401, "unauthorized")
c.send_close(4401)
c.expect_eof()

=== TEST 9: reject close: what the client sends before its close frame is read and forgotten
--- redis: none
--- config
location / { ws_auth variable ''; ws_auth_reject close; ws_close_timeout 20s; ws_pass http://$TEST_BACKEND; }
--- client
c = client(raw=request_bytes("/") + frame(1, b"early", mask=b"abcd"))
c.expect_close(4401)
for n in range(2000):
    c.send_binary(bytes(1000))
c.send_close(1000)
c.expect_eof()
# A frame that breaks the protocol ends the wait, a client that just leaves too.
c = client("/")
c.expect_close(4401)
c.send_frame(1, b"unmasked", mask=False)
c.expect_eof()
client("/").close()
client("/").reset()

=== TEST 10: reject close: a client that never answers is waited for, but not for long
--- redis: none
--- config
location / { ws_auth variable ''; ws_auth_reject close; ws_close_timeout 300ms; ws_pass http://$TEST_BACKEND; }
--- client
import time
began = time.monotonic()
c = client("/")
c.expect_close(4401)
c.expect_eof()
check(time.monotonic() - began >= 0.29)

=== TEST 11: reject close: error_page has no say, and neither has a location that ends by HTTP
--- redis: none
--- config
error_page 401 /denied;
location / { ws_auth variable ''; ws_auth_reject close; ws_pass http://$TEST_BACKEND; }
location = /denied { return 200 "page"; }
location /plain { ws_auth variable ''; ws_auth_reject close; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/")
c.expect_close(4401)
c.send_close()
equal(get("/plain").body, b"page")
c.expect_eof()

=== TEST 12: reject close: over TLS
--- redis: none
--- config
listen 127.0.0.1:$TEST_TLS_PORT ssl;
ssl_certificate $TEST_CERT;
ssl_certificate_key $TEST_CERT_KEY;
location / { ws_auth variable ''; ws_auth_reject close; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/", tls=True)
c.expect_close(4401, "unauthorized")
c.send_close(4401)
c.expect_eof()

=== TEST 13: reject close: what npm ws and a page in Chromium see of it
--- redis: none
--- timeout: 120
--- config
ws_auth_token cookie:sid;
location /page { default_type text/html; return 200 "<!doctype html><title>client</title>"; }
location /http { ws_auth variable ''; ws_pass http://$TEST_BACKEND; }
location /unauthorized { ws_auth variable ''; ws_auth_reject close; ws_pass http://$TEST_BACKEND; }
location /unavailable {
    ws_auth redis;
    ws_auth_token header:Host;
    ws_redis redis://127.0.0.1:$TEST_CLOSED_PORT;
    ws_auth_reject close;
    ws_pass http://$TEST_BACKEND;
}
--- client
import clients
clients.run("refused.mjs", f"127.0.0.1:{PORT}")
backend.no_connection()

=== TEST 14: ws_auth_fail maybe
--- config
ws_auth_fail maybe;
--- must_die
--- error_log
"ws_auth_fail" directive has a wrong value "maybe": it must be closed or open

=== TEST 15: ws_auth_reject 4401
--- config
ws_auth_reject 4401;
--- must_die
--- error_log
"ws_auth_reject" directive has a wrong value "4401": it must be http or close

=== TEST 16: ws_auth_optional null
--- config
ws_auth_optional null;
--- must_die
--- error_log
invalid value "null" in "ws_auth_optional" directive, it must be "on" or "off"
