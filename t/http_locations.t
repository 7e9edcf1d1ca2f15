# HTTP delivery: what a location says besides, as people have it for other requests, holds for events or for the upgrade.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: captures of a regex location, by number and by name, and of a rewrite, are there for each message
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location ~ ^/number/(\w+)/(\w+)$ { ws_delivery http; ws_pass http://backend/rooms/$1?seat=$2; }
location ~ ^/name/(?<room>\w+)$ { ws_delivery http; ws_pass http://backend/rooms/$room; proxy_set_header X-Room $room; }
location /rewritten/ { rewrite ^/rewritten/(\w+)$ /other/$1?own=1 break; ws_delivery http; ws_pass http://backend; }
location /prefix/ { ws_delivery http; ws_pass http://backend/app/; }
--- client
wanted = {"/number/blue/7": "/rooms/blue?seat=7", "/name/blue": "/rooms/blue", "/rewritten/blue?a=1": "/other/blue?own=1&a=1", "/prefix/x/y?a=1": "/app/x/y?a=1"}
b = None
for path, uri in wanted.items():
    c = client(path)
    for n in range(3):
        b = b.read_request() if b else backend.accept()
        b.read_body()
        equal(b.uri, uri, f"{path}, event {n}")
        equal(b.header("X-Room"), "blue" if "name" in path else None)
        b.respond("204 No Content")
        equal(c.status, 101)
        if n < 2:
            c.send_text("x")
    c.send_close(1000)
    b.read_request()
    equal((b.uri, b.header("ce-type")), (uri, "websocket.close"))
    b.read_body()
    b.respond()
    c.expect_close(1000)
    c.expect_eof()

=== TEST 2: variables in proxy_set_header are those of the event: number, kind, context with its patches, time, body
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location / {
    ws_delivery http;
    ws_context_field room lobby;
    ws_pass http://backend;
    proxy_set_header X-Event $ws_event;
    proxy_set_header X-Sequence $ws_sequence;
    proxy_set_header X-Room $ws_context_room;
    proxy_set_header X-Context $ws_context;
    proxy_set_header X-Id $ws_connection_id;
    proxy_set_header X-Length $content_length;
    proxy_set_header X-Type $content_type;
    proxy_set_header X-Body $request_body;
    proxy_set_header X-Method $request_method;
    proxy_set_header X-Arg $arg_a;
    proxy_set_header X-Cookie $cookie_theme;
    proxy_set_header X-Uri $request_uri;
    proxy_set_header X-Request-Id $request_id;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
}
--- client
c = client("/p?a=1", cookie="theme=dark", headers=["X-Forwarded-For: 192.0.2.1"])
b = backend.accept()
def seen(*names):
    return tuple(b.header(name) for name in names)
ids = set()
def common():
    equal(seen("X-Id", "X-Method", "X-Arg", "X-Cookie", "X-Uri", "X-Forwarded-For"), (b.header("X-WS-Connection-Id"), "POST", "1", "dark", "/p?a=1", "192.0.2.1, 127.0.0.1"))
    ids.add(b.header("X-Request-Id"))
equal(seen("X-Event", "X-Sequence", "X-Room", "X-Context", "X-Length"), ("open", "0", "lobby", '{"room":"lobby"}', "0"))
common()
b.respond(headers=['X-WS-Context-Update: {"room":"blue"}'])
equal(c.status, 101)
c.send_text("hello")
b.read_request()
equal(seen("X-Event", "X-Sequence", "X-Room", "X-Context", "X-Length", "X-Type", "X-Body"),
      ("message", "1", "blue", '{"room":"blue"}', "5", "text/plain; charset=utf-8", "hello"))
common()
b.read_body()
b.respond(headers=['X-WS-Context-Update: {"room":"red"}'])
c.send_text("again")
b.read_request()
equal(seen("X-Event", "X-Sequence", "X-Room", "X-Body"), ("message", "2", "red", "again"))
common()
b.read_body()
b.respond()
c.send_close(1000)
b.read_request()
equal(seen("X-Event", "X-Sequence", "X-Room"), ("close", "3", "red"))
common()
b.read_body()
b.respond()
c.expect_close(1000)
c.expect_eof()
equal(len(ids), 4, "each request has an id of its own")

=== TEST 3: satisfy, auth_basic, allow and deny judge the upgrade, and nothing else
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location / {
    satisfy any;
    deny all;
    auth_basic "private";
    auth_basic_user_file $TEST_DIR/users;
    ws_delivery http;
    ws_pass http://backend;
}
--- client
with open(f"{TEST_DIR}/users", "w") as file:
    file.write("ann:{PLAIN}secret\n")
import base64
equal(client("/").status, 401)
c = client("/", headers=["Authorization: Basic " + base64.b64encode(b"ann:secret").decode()])
b = backend.accept()
b.respond()
equal(c.status, 101)
os.unlink(f"{TEST_DIR}/users")
for n in range(3):
    c.send_text("x")
    b.read_request()
    b.read_body()
    b.respond(headers=["Content-Type: text/plain"], body="y")
    c.expect_text("y")
--- error_log
no user/password was provided

=== TEST 4: limit_conn counts the connection as long as it is open, and no message
--- redis: none
--- http_config
limit_conn_zone $server_name zone=one:64k;
limit_req_zone $server_name zone=two:64k rate=1r/m;
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location /conn { limit_conn one 1; ws_delivery http; ws_pass http://backend; }
location /req { limit_req zone=two; ws_delivery http; ws_pass http://backend; }
--- client
b = None
for path in "/conn", "/req":
    c = client(path)
    b = b.read_request() if b else backend.accept()
    b.respond()
    equal(c.status, 101)
    for n in range(3):
        c.send_text("x")
        b.read_request()
        b.read_body()
        b.respond(headers=["Content-Type: text/plain"], body="y")
        c.expect_text("y")
    equal(client(path).status, 503)
    c.send_close(1000)
    b.read_request()
    b.read_body()
    b.respond()
    c.expect_close(1000)
    c.expect_eof()
c = client("/conn")
b.read_request()
b.respond()
equal(c.status, 101)

=== TEST 5: error_page is for a refused upgrade
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
error_page 403 /denied;
error_page 404 =410 /gone;
error_page 502 = @down;
location / { ws_delivery http; ws_http_error message; ws_pass http://backend; }
location /nobody { ws_delivery http; ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location = /denied { return 403 "not for you"; }
location = /gone { internal; return 410 "gone"; }
location @down { return 503 "later"; }
--- client
c = client("/")
b = backend.accept()
b.respond("403 Forbidden", body="of the backend")
equal((c.status, c.body), (403, b"not for you"))
c = client("/")
b.read_request()
b.respond("404 Not Found")
equal((c.status, c.body), (410, b"gone"))
c = client("/nobody")
equal((c.status, c.body), (503, b"later"))
c = client("/")
b.read_request()
b.respond()
equal(c.status, 101)
c.send_text("x")
b.read_request()
b.read_body()
b.respond("403 Forbidden")
c.expect_text('{"event":"error","seq":1,"status":403}')

=== TEST 6: each status that a backend may refuse with reaches the client
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location / { ws_delivery http; ws_pass http://backend; }
--- client
b = None
wrong = []
for status in [300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 413, 415, 418, 421, 422, 425, 426,
               428, 429, 431, 444, 451, 494, 495, 496, 497, 498, 499, 500, 501, 502, 503, 504, 505, 507, 511, 520, 599]:
    c = client("/")
    b = b.read_request() if b else backend.accept()
    b.respond(f"{status} Status", headers=["Location: /elsewhere", "WWW-Authenticate: Basic", "Retry-After: 3"])
    try:
        got = c.status
    except Failure:
        got = None
    if got != status:
        wrong.append((status, got))
    c.close()
equal(wrong, [])

=== TEST 7: a POST is tried again only where it is asked for
--- redis: none
--- http_config
upstream once { server $TEST_BACKEND max_fails=0; server $TEST_BACKEND max_fails=0; }
--- config
location /once { ws_delivery http; ws_http_error message; ws_pass http://once; proxy_next_upstream error timeout http_503; }
location /again { ws_delivery http; ws_http_error message; ws_pass http://once; proxy_next_upstream error timeout http_503 non_idempotent; }
--- client
for path in "/once", "/again":
    c = client(path)
    backend.accept().respond()
    equal(c.status, 101)
    for n, answer in enumerate([None, "503 Busy"], 1):
        c.send_text("x")
        b = backend.accept()
        b.read_body()
        b.close() if answer is None else b.respond(answer)
        if path == "/again":
            b = backend.accept()
            equal((b.read_body(), b.header("ce-id").split("/")[1]), (b"x", str(n)))
            b.respond(headers=["Content-Type: text/plain"], body="second try")
            c.expect_text("second try")
        else:
            c.expect_text('{"event":"error","seq":%d,"status":%d}' % (n, 503 if answer else 502))
    c.close()
    b = backend.accept()
    equal(b.header("ce-type"), "websocket.close")
    b.read_body()
    b.respond()

=== TEST 8: proxy_pass in `if`, and the rest of what a location may say about its proxy
--- redis: none
--- http_config
map $http_x_kind $target { special /special; default /plain; }
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location /if { ws_delivery http; proxy_http_version 1.1; proxy_set_header Connection ""; if ($arg_x) { proxy_pass http://backend; } proxy_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location /map { ws_delivery http; ws_pass http://backend$target; }
location /method { ws_delivery http; proxy_method PUT; proxy_set_body "[$request_body]"; proxy_pass_request_headers off; proxy_hide_header X; ws_pass http://backend; }
location /action { ws_delivery http; post_action /after; proxy_request_buffering off; client_body_in_file_only on; limit_rate 1; ws_pass http://backend; }
location = /after { return 200; }
--- client
c = client("/if?x=1")
b = backend.accept()
equal((b.method, b.uri), ("POST", "/if?x=1"))
b.respond()
equal(c.status, 101)
c.send_text("x")
equal(b.read_request().uri, "/if?x=1")
b.read_body()
b.respond()
m = client("/map", headers=["X-Kind: special"])
equal(b.read_request().uri, "/special")
b.respond()
equal(m.status, 101)
m.send_text("x")
equal(b.read_request().uri, "/special")
b.read_body()
b.respond()
p = client("/method")
b.read_request()
equal((b.method, b.header("X-WS-Connection-Id")), ("PUT", None))
b.read_body()
b.respond()
equal(p.status, 101)
p.send_text("x")
b.read_request()
equal((b.method, b.read_body()), ("PUT", b"[x]"))
b.respond()
a = client("/action")
b.read_request()
b.respond()
equal(a.status, 101)
for n in range(3):
    a.send_text("x" * 100000)
    b.read_request()
    equal(len(b.read_body()), 100000)
    b.respond(headers=["Content-Type: text/plain"], body="y" * 10000)
    a.expect_text("y" * 10000)

=== TEST 9: limit_rate is for responses: neither the 101 nor what comes behind it waits
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
limit_rate 1;
location /http { ws_delivery http; ws_pass http://backend; }
location /headers { ws_pass http://backend; }
location /envelope { ws_delivery envelope; ws_pass http://backend; }
location /refused { ws_auth variable ''; ws_auth_reject close; ws_pass http://backend; }
--- client
c = client("/refused")
equal(c.status, 101)
c.expect_close(4401)
c.send_close(4401)
for path in "/headers", "/envelope":
    c, b = tunnel(path)
    b.send_text("x" * 100000)
    c.expect_text("x" * 100000)
c = client("/http")
b = backend.accept()
b.respond()
equal(c.status, 101)
for n in range(3):
    c.send_text("x")
    b.read_request()
    b.read_body()
    b.respond(headers=["Content-Type: text/plain"], body="y" * 100000)
    c.expect_text("y" * 100000)

=== TEST 10: realip: the client's address is what it was for the upgrade, for each message and in the access log at the end
--- redis: none
--- http_config
log_format ends '$remote_addr $status $ws_event';
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
access_log $TEST_DIR/access.log ends;
set_real_ip_from 127.0.0.1;
real_ip_header X-Real-IP;
location / {
    allow 192.0.2.7;
    deny all;
    ws_delivery http;
    ws_http_access_log on;
    ws_pass http://backend;
    proxy_set_header X-Seen $remote_addr;
}
--- client
equal(client("/").status, 403)
c = client("/", headers=["X-Real-IP: 192.0.2.7"])
b = backend.accept()
for n in range(3):
    equal((b.header("X-Seen"), b.header("X-Real-IP")), ("192.0.2.7", "192.0.2.7"))
    b.read_body()
    b.respond()
    equal(c.status, 101)
    if n < 2:
        c.send_text("x")
        b.read_request()
c.send_close(1000)
b.read_request()
equal(b.header("X-Seen"), "192.0.2.7")
b.read_body()
b.respond()
c.expect_close(1000)
c.expect_eof()
wait_until(lambda: nginx.access_log().count("\n") == 6)
equal(sorted(nginx.access_log().splitlines()),
      ["127.0.0.1 403 -", "192.0.2.7 101 -", "192.0.2.7 200 close", "192.0.2.7 200 message", "192.0.2.7 200 message", "192.0.2.7 200 open"])

=== TEST 11: an upstream that is named by a variable, and one that is chosen by the connection, or by its context
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
upstream by_connection { hash $ws_connection_id consistent; server unix:$TEST_DIR/a.sock; server unix:$TEST_DIR/b.sock; }
upstream by_user { hash $ws_context_user; server unix:$TEST_DIR/a.sock; server unix:$TEST_DIR/b.sock; }
--- config
set $name backend;
location /variable { ws_delivery http; ws_pass http://$name; }
location /connection { ws_delivery http; ws_pass http://by_connection; }
location /user { ws_delivery http; ws_context_field user $arg_user; ws_pass http://by_user; }
--- client
import threading
c = client("/variable?x=1")
b = backend.accept()
equal(b.uri, "/variable?x=1")
b.respond()
equal(c.status, 101)
c.send_text("x")
equal(b.read_request().uri, "/variable?x=1")
b.respond()

served = {}
lock = threading.Lock()
def serve(name):
    listener = listen_unix(name)
    def loop():
        while True:
            connection = BackendConnection(listener.sock.accept()[0]).read_request()
            connection.read_body()
            with lock:
                served.setdefault(connection.header("X-WS-Connection-Id"), []).append((name, connection.header("X-WS-Context")))
            try:
                connection.respond(headers=["Content-Type: text/plain", "Connection: close"], body=name)
            except ConnectionError:
                pass  # closed with its last byte
            connection.close()
    listener.sock.settimeout(None)
    threading.Thread(target=loop, daemon=True).start()
serve("a.sock")
serve("b.sock")
seen = set()
for n in range(40):  # of twenty ids, all come to the same one once in a million times
    c = client("/connection" if n % 2 else f"/user?user={n % 4}")
    equal(c.status, 101)
    first = c.recv_text()
    for _ in range(3):
        c.send_text("x")
        equal(c.recv_text(), first)
    seen.add(first)
    c.send_close(1000)
    c.expect_close(1000)
    c.expect_eof()
equal(seen, {"a.sock", "b.sock"})
# The close event comes last.
wait_until(lambda: sum(map(len, served.values())) == 200, "all have come")
for events in served.values():
    equal((len(events), len({name for name, _ in events})), (5, 1))

=== TEST 12: the reply to `open` is several messages, or closes at once
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location / { ws_delivery http; ws_pass http://backend; }
--- client
c = client("/")
b = backend.accept()
b.respond(headers=["Content-Type: multipart/mixed; boundary=x", 'X-WS-Context-Update: {"a":1}'], body="--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n--x--")
equal(c.status, 101)
c.expect_text("one")
c.expect_text("two")
c.send_text("x")
equal(b.read_request().header("X-WS-Context"), '{"a":1}')
b.read_body()
b.respond()
d = client("/")
b.read_request()
b.respond("201 Created", headers=["Content-Type: text/plain", "X-WS-Close: 4003 full"], body="sorry")
equal(d.status, 101)
d.expect_text("sorry")
d.expect_close(4003, "full")
d.send_close(4003)
b.read_request()
equal(b.header("ce-type"), "websocket.close")
matches(b.read_body().decode(), '"code":4003,"reason":"full"')
b.respond()
d.expect_eof()

=== TEST 13: limits of a reply: a thousand messages, none, one too many; what a backend must not say
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location / { ws_delivery http; ws_http_error message; ws_pass http://backend; }
--- client
c = client("/")
b = backend.accept()
b.respond()
equal(c.status, 101)
def say(count):
    b.read_request()
    b.read_body()
    b.respond(headers=["Content-Type: multipart/mixed; boundary=x"], body="".join(f"--x\r\n\r\n{n}\r\n" for n in range(count)) + "--x--")
c.send_text("1")
say(1000)
for n in range(1000):
    c.expect_text(str(n))
c.send_text("2")
say(1001)
c.expect_text('{"event":"error","seq":2,"status":200}')
for n in range(2):
    c.send_text("a list")
    equal(b.read_request().header("X-WS-Context"), "{}")
    b.read_body()
    b.respond(headers=['X-WS-Context-Update: {"a":1}', 'X-WS-Context-Update: {"b":2}', "X-WS-Close: 4000", "X-WS-Close: 4001"])
d = client("/", headers=["Sec-WebSocket-Protocol: a, b"])
b.read_request()
b.respond(headers=["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"])
equal(d.status, 502)
c.send_text("5")
b.read_request()
b.read_body()
b.respond("101 Switching Protocols", headers=["Upgrade: websocket", "Connection: upgrade"])
matches(c.recv_text(), '"seq":5,"status":(101|502)')
--- error_log
X-WS-Context-Update can't be applied
