# ws_pass and stock proxy_pass: which request reaches which backend, with the proxy module's own directives in force.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: stock proxy_pass with the upgrade lines everybody writes
--- redis
SET session:abc {"user":"ann"}
--- config
location /chat {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
--- client
c, b = tunnel("/chat?room=1", cookie="X-Token=abc")
equal((b.method, b.uri, b.protocol), ("GET", "/chat?room=1", "HTTP/1.1"))
equal(b.header("X-WS-Context"), '{"user":"ann"}')
equal(b.header("Host"), os.environ["TEST_BACKEND"])
c.send_text("hello")
b.expect_text("hello")
# A violation shows that it is the relay that moves the bytes.
c.send_frame(3, "")
b.expect_close(1001)
b.send_close(1001)
c.expect_close(1002)

=== TEST 2: ws_pass in its place, with the proxy_set_header lines of the server still inherited
--- config
proxy_set_header Host $host;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Line "from the server";
proxy_hide_header X-Secret;
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", ["X-Secret: hidden", "X-Open: shown"], headers=["X-Own: client"], host="Example.org")
equal(b.protocol, "HTTP/1.1")
equal(b.header("Host"), "example.org")
equal(b.header("X-Real-IP"), "127.0.0.1")
equal(b.header("X-Line"), "from the server")
equal(b.header("X-Own"), "client")
equal(b.header_all("Upgrade"), ["websocket"])
equal(b.header_all("Connection"), ["Upgrade"])
equal(b.header("Sec-WebSocket-Version"), "13")
equal(b.header("Sec-WebSocket-Key"), c.key)
equal(c.header("X-Secret"), None)
equal(c.header("X-Open"), "shown")
c.send_text("hello")
b.expect_text("hello")

=== TEST 3: ws_pass overrules upgrade lines and versions that say otherwise
--- config
location / {
    proxy_http_version 1.0;
    proxy_set_header Connection "";
    proxy_set_header Upgrade "h2c";
    proxy_set_header X-After "kept";
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", upgrade="WebSocket", connection="keep-alive, Upgrade", headers=["Keep-Alive: 300"])
equal(b.protocol, "HTTP/1.1")
equal(b.header_all("Upgrade"), ["websocket"])
equal(b.header_all("Connection"), ["Upgrade"])
equal(b.header("Keep-Alive"), None)
equal(b.header("X-After"), "kept")

=== TEST 4: Host, a URI part, and a body of headers as large as nginx takes
--- config
location /chat/ {
    proxy_set_header Host backend.example;
    ws_pass http://$TEST_BACKEND/internal/ws/;
}
--- client
long = "x" * 7000
c, b = tunnel("/chat/room%201?a=b", headers=["X-Long: " + long])
equal(b.uri, "/internal/ws/room%201?a=b")
equal(b.header("Host"), "backend.example")
equal(b.header("X-Long"), long)
c.send_text("hello")
b.expect_text("hello")

=== TEST 5: variables in ws_pass, an address and an upstream's name, without a resolver
--- http_config
upstream chat { server $TEST_BACKEND; }
map $arg_to $target { address $TEST_BACKEND; group chat; }
--- config
location / { ws_pass http://$target$request_uri; }
--- client
for to in "address", "group":
    c, b = tunnel("/x?to=" + to)
    equal(b.uri, "/x?to=" + to)
    c.send_text(to)
    b.expect_text(to)
    b.send_close(1000)
    c.expect_close(1000)
    c.send_close(1000)
    b.expect_close(1000)
    b.expect_eof()

=== TEST 6: an upstream group with a dead server: the next one gets the same whole request
--- http_config
upstream chat {
    server 127.0.0.1:$TEST_CLOSED_PORT max_fails=0;
    server $TEST_BACKEND max_fails=0;
}
--- config
location / {
    proxy_connect_timeout 5s;
    proxy_next_upstream error timeout http_503;
    ws_pass http://chat;
}
--- client
for i in range(4):
    c, b = tunnel(f"/{i}", headers=["X-Number: %d" % i])
    equal((b.uri, b.header("X-Number"), b.header("Upgrade")), (f"/{i}", str(i), "websocket"))
    c.send_text("hello")
    b.expect_text("hello")
--- error_log
Connection refused

=== TEST 7: a server that answers 503 is passed over, and the request is the same for the next
--- http_config
upstream chat { server $TEST_BACKEND max_fails=0; server $TEST_BACKEND max_fails=0; }
--- config
location / {
    proxy_next_upstream http_503;
    ws_pass http://chat;
}
--- client
c = client("/", headers=["X-A: b"])
first = backend.accept()
first.respond("503 Service Unavailable")
second = backend.accept()
equal(second.raw_head, first.raw_head)
second.upgrade()
equal(c.status, 101)
c.send_text("hello")
second.expect_text("hello")

=== TEST 8: without another server the client gets 502, or the backend's own refusal
--- config
location /dead { ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location / { ws_pass http://$TEST_BACKEND; }
--- client
c = client("/dead")
equal(c.status, 502)
c = client("/")
b = backend.accept()
b.respond("403 Forbidden", ["X-Why: full"], "no room")
equal(c.status, 403)
equal(c.header("X-Why"), "full")
equal(c.body, b"no room")
b.close()
c = client("/")
b = backend.accept()
b.close()
equal(c.status, 502)
--- error_log
Connection refused

=== TEST 9: proxy_bind, proxy_connect_timeout and proxy_read_timeout before the 101
--- config
location / {
    proxy_bind 127.0.0.2;
    proxy_read_timeout 100ms;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/")
b = backend.accept()
equal(b.sock.getpeername()[0], "127.0.0.2")
equal(c.status, 504)
b.expect_eof()

=== TEST 10: proxy_read_timeout and proxy_send_timeout do not cut the tunnel
--- config
location / {
    proxy_read_timeout 200ms;
    proxy_send_timeout 200ms;
    ws_idle_timeout 700ms;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
# Nobody speaks: what comes first is the relay's idle timeout, not nginx's read timeout.
c.expect_close(1001, "idle timeout")
b.expect_close(1001, "idle timeout")
c.send_close(1001)
b.send_close(1001)
c.expect_eof()
b.expect_eof()
--- error_log
qr/by=gateway code=1001 .* idle timeout/
--- no_error_log
timed out

=== TEST 11: a keepalive group: a refused upgrade's connection is used again, a WebSocket's never
--- http_config
upstream chat { server $TEST_BACKEND; keepalive 4; }
--- config
location / { ws_pass http://chat; }
--- client
c = client("/1")
b = backend.accept()
b.respond("404 Not Found", ["Connection: keep-alive"], "no")
equal(c.status, 404)
c2 = client("/2")
equal(b.read_request().uri, "/2")
b.upgrade()
equal(c2.status, 101)
c2.send_close(1000)
b.expect_close(1000)
b.send_close(1000)
c2.expect_close(1000)
b.expect_eof()
c2.expect_eof()
backend.no_connection()

=== TEST 12: a request that is no upgrade passes ws_pass as proxy_pass would send it
--- config
location / {
    ws_auth_plain on;
    proxy_set_header X-A b;
    ws_pass http://$TEST_BACKEND;
}
--- backend
equal(connection.protocol, "HTTP/1.0")
equal(connection.header("Connection"), "close")
equal(connection.header("Upgrade"), None)
connection.respond("200 OK", ["X-A: " + connection.header("X-A")], "plain")
connection.close()
--- client
c = get("/")
equal((c.status, c.header("X-A"), c.body), (200, "b", b"plain"))

=== TEST 13: an error page may try another ws_pass
--- config
location / {
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
    error_page 502 = @spare;
}
location @spare {
    proxy_set_header X-Spare yes;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/chat?x=y")
equal((b.uri, b.header("X-Spare")), ("/chat?x=y", "yes"))
c.send_text("hello")
b.expect_text("hello")
--- error_log
Connection refused

=== TEST 14: a backend behind a unix socket
--- config
location / { ws_pass http://unix:$TEST_DIR/backend.sock; }
--- client
unix = listen_unix("backend.sock")
c = client("/chat")
b = BackendConnection(unix.accept_stream().sock).read_request()
equal(b.uri, "/chat")
b.upgrade(then=frame(TEXT, "early"))
equal(c.status, 101)
c.expect_text("early")
c.send_text("hello")
b.expect_text("hello")
c.half_close()
b.send_text("answer")
c.expect_text("answer")

=== TEST 15: ws_pass dies at nginx -t where proxy_pass would
--- config
location / { ws_pass ftp://$TEST_BACKEND; }
--- must_die
--- error_log
"ws_pass" directive has a wrong URL: it must begin with http:// or https://

=== TEST 16: ws_pass with proxy_pass beside it
--- config
location / { proxy_pass http://$TEST_BACKEND; ws_pass http://$TEST_BACKEND; }
--- must_die
--- error_log
"ws_pass" directive stands for proxy_pass, and can't share a location with it or its like

=== TEST 17: an unknown name without a resolver
--- config
location / { ws_pass http://no-such-host.invalid; }
--- must_die
--- error_log
host not found in upstream "no-such-host.invalid"

=== TEST 18: proxy_set_body gives an upgrade no body, for a backend would take the client's frames for it
--- config
proxy_set_body hello;
location / { ws_pass http://$TEST_BACKEND; }
--- client
c = client("/")
b = backend.accept()
equal((b.header_all("Content-Length"), b.header_all("Transfer-Encoding")), ([], []))
b.upgrade()
c.send_text("first")
b.expect_text("first")

=== TEST 19: proxy_cache answers no upgrade and keeps no refusal of one, and still serves the other requests
--- http_config
proxy_cache_path $TEST_DIR/cache keys_zone=pages:1m;
--- config
proxy_cache pages;
proxy_cache_valid any 1h;
ws_auth_plain on;
location / { ws_pass http://$TEST_BACKEND; }
--- client
def ask(send, status):
    c = send("/chat")
    b = backend.accept()
    b.respond(status, ["Connection: close"])
    b.close()
    equal(c.status, int(status[:3]))
    equal(c.body, b"")

ask(client, "403 Forbidden")
ask(client, "404 Not Found")
ask(get, "200 OK")
ask(client, "403 Forbidden")
c, b = tunnel("/chat")
c.send_text("hello")
b.expect_text("hello")
equal(get("/chat").status, 200, "from the cache")
backend.no_connection()
