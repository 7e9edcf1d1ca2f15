# What a backend may answer to an upgrade: a real 101 and it is relayed, a false one is a 502, anything else an ordinary answer.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a 101 whose Upgrade, Connection or Sec-WebSocket-Accept is wrong is a 502 without a trace of it
--- redis: none
--- config
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
accept = accept_key(KEY)
U, C, A = "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: " + accept
false = [
    [], [U], [C], [A], [U, C], [U, A], [C, A],
    ["Upgrade: h2c", C, A], ["Upgrade: websocket, h2c", C, A], ["Upgrade: websocketx", C, A], ["Upgrade:", C, A], [U, U, C, A],
    [U, "Upgrade: h2c", C, A], [U, "Connection: close", A], [U, "Connection: keep-alive", A], [U, "Connection: upgrades", A],
    [U, C, "Sec-WebSocket-Accept: " + KEY], [U, C, "Sec-WebSocket-Accept:"], [U, C, A.lower()], [U, C, A + "x"],
    [U, C, "Sec-WebSocket-Accept: " + accept_key("AAAAAAAAAAAAAAAAAAAAAA==")], [U, C, A, A],
    [U, C, A, "Transfer-Encoding: chunked"], [U, C, A, "Content-Length: 5"],
]
for place in "/headers", "/envelope":
    for lines in false:
        c = client(place)
        b = backend.accept()
        lines = ["HTTP/1.1 101 Switching Protocols"] + lines + ["X-Secret: 1", "Set-Cookie: secret=1", "", "secret"]
        b.sock.sendall("\r\n".join(lines).encode())  # in one write, or the gateway may close in between
        equal(c.status, 502, shown(lines))
        for name in "Upgrade", "Sec-WebSocket-Accept", "X-Secret", "Set-Cookie", "Transfer-Encoding":
            equal(c.header_all(name), [], name)
        equal(c.header("Connection"), "keep-alive")
        check(b"secret" not in c.body, "an error page of nginx's own")
        b.expect_eof()
        # The client's connection is an ordinary one; what it sends now is a request.
        c.request(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        equal(c.status, 404)
        c.expect_eof() if c.body else None
--- error_log
qr/\[error\] .* ws: backend's 101 refused, connection=[0-9a-f]{32}: its Upgrade, Connection or Sec-WebSocket-Accept is wrong/
--- no_error_log
ws: open

=== TEST 2: what a 101 may look like otherwise
--- redis: none
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
accept = accept_key(KEY)
for lines in (["upgrade: WebSocket", "connection: keep-alive, upgrade", "sec-websocket-accept:" + accept + " "],
              ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: " + accept, "Content-Length: 0"],
              ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: " + accept, "X-More: 1"]):
    c = client("/")
    b = backend.accept()
    b.send("\r\n".join(["HTTP/1.1 101 Any Words"] + lines) + "\r\n\r\n")
    equal(c.status, 101)
    equal(c.header("Sec-WebSocket-Accept"), accept)
    equal(c.header("Connection"), "upgrade")
    c.send_text("x")
    b.expect_text("x")
    c.close()

=== TEST 3: what the client sent early with its request goes nowhere when the 101 is false
--- redis: none
--- config
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
for place in "/headers", "/envelope":
    c = client(raw=request_bytes(place) + frame(TEXT, "early", mask=b"abcd"))
    b = backend.accept()
    b.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Accept: wrong\r\n\r\n" + frame(TEXT, "secret"))
    equal(c.status, 502)
    b.expect_eof()
    check(b"secret" not in c.body + c.recv_all(), "nothing of the backend's")

=== TEST 4: any other answer to an upgrade passes as it is, and the connection stays an ordinary one
--- redis: none
--- config
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_delivery envelope;
    ws_auth off;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
location = /other { return 200 "other"; }
--- client
for place in "/headers", "/envelope", "/hand":
    c = None
    for status, lines, body in [("200 OK", ["X-Reply: 1"], "fine"), ("204 No Content", [], ""),
                                ("302 Found", ["Location: /login"], "go"), ("401 Unauthorized", ["WWW-Authenticate: Bearer"], "no"),
                                ("403 Forbidden", [], "no"), ("404 Not Found", [], ""),
                                ("426 Upgrade Required", ["Sec-WebSocket-Version: 13"], "old"), ("500 Internal Server Error", [], "oh"),
                                ("503 Service Unavailable", ["Retry-After: 1"], "later")]:
        if c is None:
            c = client(place)
        else:
            c.request(request_bytes(place))
        b = backend.accept()
        b.respond(status, lines, body)
        equal(c.status, int(status[:3]))
        for line in lines:
            name, value = line.split(": ")
            matches(c.header(name), value + "$")
        if status[:3] != "204":
            equal(c.body, body.encode())
    c._body = b""
    c.request(b"GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n")
    equal((c.status, c.body), (200, b"other"))
--- no_error_log
ws: open

=== TEST 5: a backend that answers an upgrade with its own bytes and a chunked body
--- redis: none
--- config
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/")
b = backend.accept()
b.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nUpgrade: websocket\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
equal((c.status, c.body), (200, b"hello"))
b.expect_eof()

=== TEST 6: a 101 to an ordinary request is a 502, where ordinary requests are let through
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
ws_auth_plain on;
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade websocket;
    proxy_set_header Connection upgrade;
}
--- client
for place in "/pass", "/envelope", "/hand":
    for headers in [], ["Sec-WebSocket-Key: " + KEY, "Sec-WebSocket-Version: 13"], ["Upgrade: h2c"]:
        c = get(place, cookie="t=abc", headers=headers)
        b = backend.accept()
        b.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: " + accept_key(KEY).encode() + b"\r\n\r\n" + frame(TEXT, "secret"))
        equal(c.status, 502)
        check(b"secret" not in c.body, "nothing of the backend's")
        b.expect_eof()
--- error_log
qr/ws: backend's 101 refused, connection=[0-9a-f]{32}: the request asked for no upgrade/

=== TEST 7: an interim 100 Continue for an upgrade comes from nginx; the backend hears of no expectation
--- redis: none
--- config
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/", headers=["Expect: 100-continue"])
b = backend.accept()
equal(b.header("Expect"), None)
b.upgrade()
equal(c.recv_until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n")
equal(c.status, 101)
matches(b.recv_text(), '"event":"open"')
b.send_text("hello")
c.expect_text("hello")

=== TEST 8: a 101 in pieces, with messages right behind it
--- redis: none
--- config
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
for place in "/headers", "/envelope":
    c = client(place)
    b = backend.accept()
    answer = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
              + accept_key(KEY) + "\r\n\r\n").encode() + frame(TEXT, "first") + frame(BINARY, b"x" * 300)
    for at in range(0, len(answer), 7):
        b.send(answer[at:at + 7])
    equal(c.status, 101)
    c.expect_text("first")
    c.expect_binary(b"x" * 300)

=== TEST 9: a backend that refuses, closes without an answer or talks no HTTP is a 502
--- redis: none
--- config
location /refused { ws_delivery envelope; ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
equal(client("/refused").status, 502)
for words in b"", b"HTTP/1.1 101", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n":
    c = client("/")
    b = backend.accept()
    b.send(words)
    b.close()
    equal(c.status, 502)
--- error_log
Connection refused
prematurely closed connection

=== TEST 10: after a false 101 the next server of the upstream is not asked: the request may have been understood
--- redis: none
--- http_config
upstream backends { server $TEST_BACKEND; server 127.0.0.1:$TEST_CLOSED_PORT backup; }
--- config
location / { ws_pass http://backends; }
error_page 502 = @sorry;
location @sorry { return 503 "sorry"; }
--- client
c = client("/")
b = backend.accept()
b.upgrade(accept="wrong")
equal((c.status, c.body), (503, b"sorry"))
b.expect_eof()
backend.no_connection()

=== TEST 11: a refused client that error_page sends to another backend: a real 101 is tunnelled by nginx, a false one isn't
--- redis: none
--- config
ws_redis unix:$TEST_DIR/none.sock;
ws_auth_token cookie:t;
location /headers { ws_auth redis; error_page 401 = @guests; ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location /envelope { ws_auth redis; ws_delivery envelope; error_page 401 = @guests; ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location @guests {
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
--- client
for place in "/headers", "/envelope":
    c, b = tunnel(place)
    equal(b.header_all("X-WS-Context") + b.header_all("X-WS-Connection-Id"), [])
    c.send_text("hello, no envelope")
    b.expect_text("hello, no envelope")
    b.send_text("guest")
    c.expect_text("guest")
    b.close()
    c.expect_eof()

    c = client(place, headers=['X-WS-Context: {"user":"root"}'])
    b = backend.accept()
    equal(b.header_all("X-WS-Context"), [])
    b.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Accept: wrong\r\n\r\n" + frame(TEXT, "secret"))
    equal(c.status, 502)
    b.expect_eof()

=== TEST 12: an interim answer of the backend is no answer: a client would take what follows for the real one
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
ws_auth_plain on;
location /headers { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
for place in "/headers", "/envelope":
    for status in "100 Continue", "102 Processing", "103 Early Hints", "199 Other", "099 Less":
        for lines in "", "Content-Length: 0\r\n":
            for send in client, get:
                c = send(place, cookie="t=abc")
                b = backend.accept()
                b.send(f"HTTP/1.1 {status}\r\n{lines}Link: secret\r\n\r\n")
                equal(c.status, 502, status)
                check(b"secret" not in c.raw_head + c.body, "nothing of the backend's")
                b.expect_eof()
--- error_log
qr/\[error\] .* ws: backend's 100 refused, connection=[0-9a-f]{32}: it is an interim answer/

=== TEST 13: the connection of an interim answer goes into no keepalive group: its real answer would be the next client's
--- redis
SET session:abc {}
--- http_config
upstream group { server $TEST_BACKEND; keepalive 4; }
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:t;
ws_auth_plain on;
proxy_http_version 1.1;
proxy_set_header Connection "";
location / { ws_pass http://group; }
--- client
for send in client, get:
    c = send("/", cookie="t=abc")
    b = backend.accept()
    b.send("HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n")
    equal(c.status, 502)
    b.expect_eof()
--- error_log
it is an interim answer

=== TEST 14: filters for pages leave a 101 and its messages alone
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:t;
charset utf-8;
expires 1d;
limit_rate 1;
location /ssi { ssi on; ws_pass http://$TEST_BACKEND; }
location /gzip { gzip on; gzip_min_length 0; ws_pass http://$TEST_BACKEND; }
location /envelope { ssi on; gzip on; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
for path in "/ssi", "/gzip", "/envelope":
    c = client(path, cookie="t=abc", headers=["Accept-Encoding: gzip", "Range: bytes=0-1",
                                              "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT"])
    b = backend.accept()
    b.upgrade(["Content-Type: text/html", "Last-Modified: Sat, 01 Jan 2000 00:00:00 GMT"])
    equal(c.status, 101, path)
    text = '<!--# include virtual="/ssi" -->' * 100
    b.send_text(text)
    c.expect_text(text)
    if path != "/envelope":
        c.send_text(text)
        b.expect_text(text)

=== TEST 15: an extension that the client didn't offer is a 502, one that it did is not
--- redis: none
--- config
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /hidden { ws_delivery envelope; ws_pass http://$TEST_BACKEND; proxy_hide_header Sec-WebSocket-Extensions; }
--- client
def status(path, offer, *answer):
    c = client(path, headers=["Sec-WebSocket-Extensions: " + line for line in offer])
    b = backend.accept()
    b.send("\r\n".join(["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                        "Sec-WebSocket-Accept: " + accept_key(KEY),
                        *("Sec-WebSocket-Extensions: " + line for line in answer)]) + "\r\n\r\n")
    if c.status == 101:
        equal(c.header_all("Sec-WebSocket-Extensions"), list(answer))
    c.close()
    return c.status

deflate = "permessage-deflate"
offer = [deflate + "; client_max_window_bits", "x-other; a=\"b\""]
for answer in [], [deflate], [deflate + "; server_no_context_takeover"], ["x-other, " + deflate], ["x-other", deflate]:
    equal(status("/headers", offer, *answer), 101, shown(answer))
for answer in ["x-third"], [deflate + ", x-third"], [deflate + ";"], [","], ["PERMESSAGE DEFLATE"]:
    equal(status("/headers", offer, *answer), 502, shown(answer))
equal(status("/headers", [], deflate), 502)
equal(status("/envelope", offer, deflate), 502)
equal(status("/hidden", offer, deflate), 502)
--- error_log
qr/\[error\] .* ws: backend's 101 refused, connection=[0-9a-f]{32}: it has an extension that was not offered/
