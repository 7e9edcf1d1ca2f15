# A token among the subprotocols, from clients that can set no other header.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: the token is taken out of the offer, and a real subprotocol is agreed on all the same
--- redis
SET session:tok.en-1 {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token subprotocol:bearer.;
location / { ws_pass http://$TEST_BACKEND; }
location /off { ws_auth off; ws_pass http://$TEST_BACKEND; }
location /variable { ws_pass http://$TEST_BACKEND; proxy_set_header X-Copy $http_sec_websocket_protocol; }
location /picked { ws_subprotocol chat; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_subprotocol chat; ws_pass http://$TEST_BACKEND; }
--- client
token = "bearer.tok.en-1"
for lines, left in [
    (["chat, " + token], ["chat"]), ([token + ",chat"], ["chat"]), (["a, " + token + " , b"], ["a, b"]), (["a", token, "b"], ["a, b"]),
    (["bearer, Bearer.x, xbearer.y, " + token], ["bearer, Bearer.x, xbearer.y"]), ([token], []),
]:
    c = client("/", headers=["Sec-WebSocket-Protocol: " + line for line in lines])
    b = backend.accept()
    equal(b.header_all("Sec-WebSocket-Protocol"), left, f"{lines}")
    equal(b.header("X-WS-Context"), '{"user":"ann"}')
    check(b"tok.en" not in b.raw_head, "the token")
    answer = left[0].split(",")[0] if left else None
    b.upgrade(["Sec-WebSocket-Protocol: " + answer] if answer else [])
    equal(c.status, 101)
    equal(c.header_all("Sec-WebSocket-Protocol"), [answer] if answer else [])
    c.close()
    b.close()

for path in "/picked", "/envelope":
    c, b = tunnel(path, headers=["Sec-WebSocket-Protocol: " + token + ", other, chat"])
    equal((b.header_all("Sec-WebSocket-Protocol"), c.header_all("Sec-WebSocket-Protocol")), (["chat"], ["chat"]))
    c, b = tunnel(path, headers=["Sec-WebSocket-Protocol: " + token])
    equal((b.header_all("Sec-WebSocket-Protocol"), c.header_all("Sec-WebSocket-Protocol")), ([], []))
c, b = tunnel("/off", headers=["Sec-WebSocket-Protocol: chat, bearer.x"])
equal(b.header("Sec-WebSocket-Protocol"), "chat, bearer.x")
c, b = tunnel("/variable", headers=["Sec-WebSocket-Protocol: chat, " + token])
equal(b.header("X-Copy"), "chat")

=== TEST 2: a backend that knows the token can't answer with it
--- redis
SET session:tok {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token subprotocol:bearer.;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/", headers=["Sec-WebSocket-Protocol: chat, bearer.tok"])
backend.accept().upgrade(["Sec-WebSocket-Protocol: bearer.tok"])
equal(c.status, 502)
check("bearer.tok" not in str(c.header_all("Sec-WebSocket-Protocol")))
--- error_log
it has a subprotocol that was not offered

=== TEST 3: no token, an unknown one, two of them, a broken offer
--- redis
SET session:tok {}
SET session: {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token subprotocol:bearer. subprotocol:auth- cookie:sid;
location / { ws_pass http://$TEST_BACKEND; }
location /close { ws_auth_reject close; ws_pass http://$TEST_BACKEND; }
--- client
for offer, status in [("chat", 401), ("bearer.", 401), ("bearer.nobody, chat", 401), ("Bearer.tok", 401), ("bearer.tok, bearer.tok2", 400), ("bearer.tok, bearer.", 400),
                      ("bearer.tok, bearer.tok", 400), ("bearer.tok x", 400), ("bearer.tok/x", 400), ('"bearer.tok"', 400), ("bearer.tok\"", 400), ("bearer.t\u00f6k", 400)]:
    equal(client("/", headers=["Sec-WebSocket-Protocol: " + offer]).status, status, offer)
backend.no_connection()
c, b = tunnel("/", headers=["Sec-WebSocket-Protocol: auth-tok"])
equal(b.header_all("Sec-WebSocket-Protocol"), [])
c, b = tunnel("/", headers=["Sec-WebSocket-Protocol: a"], cookie="sid=tok")
equal(b.header_all("Sec-WebSocket-Protocol"), ["a"])

# A refusal that is a WebSocket doesn't answer with it either.
for headers, code in [(["Sec-WebSocket-Protocol: bearer.nobody, chat"], 4401), (["Sec-WebSocket-Protocol: bearer.tok, chat", "Origin: http://elsewhere"], 4403)]:
    c = client("/close", headers=headers)
    equal(c.status, 101)
    equal(c.header_all("Sec-WebSocket-Protocol"), ["chat"])
    c.expect_close(code)
backend.no_connection()
--- no_access_log
bearer.

=== TEST 4: npm ws and Chromium: with a real subprotocol the socket opens, and nobody is told the token
--- redis
SET session:abc.def {"user":"ann"}
--- timeout: 60
--- config
location = /page { default_type text/html; return 200 "<!doctype html><title>client</title>"; }
location /chat {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token subprotocol:bearer.;
    ws_subprotocol chat;
    ws_pass http://unix:$TEST_DIR/echo.sock:;
}
--- client
import clients
with clients.echo():
    clients.run("subprotocol.mjs", f"127.0.0.1:{PORT}")
