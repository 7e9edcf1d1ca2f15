# The error log at info tells a connection's story, in order, under its id; never a token or what a context has.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a whole life: lookup, admission, open, session change, session end, close
--- redis
SET session:TOKEN-7Q {"user":"SECRET-ann"}
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t header:X-Other bearer arg:t;
location /ws { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import json
for n, request in enumerate([{"cookie": "t=TOKEN-7Q"}, {"path": "/ws?t=TOKEN-7Q&x=1"}, {"headers": [("X-Other", "TOKEN-7Q")]},
                             {"headers": [("Authorization", "Bearer TOKEN-7Q")]}]):
    redis("SET", "session:TOKEN-7Q", '{"user":"SECRET-ann"}')
    c, b = tunnel(**{"path": "/ws", **request})
    id = json.loads(b.recv_text())["connection"]
    c.send_text("SECRET-message")
    b.recv_text()
    redis("SET", "session:TOKEN-7Q", '{"user":"SECRET-bob"}')
    equal(json.loads(b.recv_text())["event"], "context")
    redis("DEL", "session:TOKEN-7Q")
    c.expect_close(4401)
    c.send_close(4401)
    b.recv_text()
    b.expect_close(1001)
    b.send_close(1001)
    c.expect_eof()
    nginx.wait_log(f"ws: closed connection={id}")
    story = [line for line in nginx.error_log().splitlines() if id in line]
    for line in story:
        check("[info]" in line, line)
    told = [re.search(rf" ws: (.*?)(?: while [a-z ]+)?, client: 127\.0\.0\.1, server: localhost, request: \"GET /ws", line)[1]
            for line in story]
    equal([re.sub(r"\d+\.\d{6}s", "T", line.replace(id, "ID")) for line in told], [
        "lookup connection=ID", "allowed connection=ID lookup=T", "open connection=ID", "context changed, connection=ID",
        "session ended, connection=ID", "closed connection=ID by=gateway code=4401 messages_in=1 messages_out=0 session ended"])
--- no_error_log
TOKEN-7Q
SECRET

=== TEST 2: a refusal says why
--- redis
SET session:BROKEN-7Q {"user":"SECRET"
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t arg:t;
location /ws { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
for status, reason, request in [(401, "", {"path": "/ws?t=TOKEN-7Q"}), (500, "", {"cookie": "t=BROKEN-7Q"}),
                                (400, "ambiguous token", {"path": "/ws?t=TOKEN-7Q&t=TOKEN-7Q"}), (401, "no token", {})]:
    before = len(nginx.error_log().splitlines())
    equal(client(**{"path": "/ws", **request}).status, status)
    lines = wait_until(lambda: [line for line in nginx.error_log().splitlines()[before:] if "ws: refused" in line], "a line")
    matches(lines[0], rf"ws: refused {status}, connection=[0-9a-f]{{32}}: .*{reason}")
--- no_error_log
TOKEN-7Q
BROKEN-7Q
SECRET

=== TEST 3: nginx's own lines about a backend don't tell a token either
--- redis
SET session:TOKEN-7Q {}
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token arg:t;
location /ws { ws_auth redis; ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
--- client
equal(client("/ws?t=TOKEN-7Q").status, 502)
--- error_log
qr/connect\(\) failed.*client: 127\.0\.0\.1, server: localhost, request: "GET \/ws\?\.\.\.", upstream: "http:\/\/127\.0\.0\.1:\d+", host: "localhost"/
--- no_error_log
TOKEN-7Q

=== TEST 4: what nginx refuses before the hook is asked tells no token either, wherever the request is refused
--- redis
SET session:TOKEN-7Q {}
--- http_config
limit_req_zone $server_name zone=requests:1m rate=1r/m;
limit_conn_zone $server_name zone=sockets:1m;
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:t arg:t;
location /denied { deny all; ws_pass http://$TEST_BACKEND; }
location /requests { limit_req zone=requests; ws_pass http://$TEST_BACKEND; }
location /sockets { limit_conn sockets 1; ws_pass http://$TEST_BACKEND; }
location /password { auth_basic realm; auth_basic_user_file $TEST_DIR/none; ws_pass http://$TEST_BACKEND; }
location /asked { auth_request /no; ws_pass http://$TEST_BACKEND; }
location = /no { internal; proxy_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location /moved { rewrite ^ /denied last; }
location /http { ws_delivery http; proxy_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location /quiet { deny all; ws_auth off; }
--- client
authorization = "Authorization: Basic YTpi"
refer = "Referer: http://localhost/?t=TOKEN-7Q"
for path, status in [("denied", 403), ("moved", 403), ("password", 403), ("asked", 500), ("http", 502)]:
    equal(client(f"/{path}?t=TOKEN-7Q", headers=[authorization, refer]).status, status, path)
for path in "requests", "sockets":
    pair = tunnel(f"/{path}?t=TOKEN-7Q")
    equal(client(f"/{path}?t=TOKEN-7Q", headers=[refer]).status, 503, path)
equal(get("/quiet?x=1").status, 403)
--- error_log
qr/access forbidden by rule, client: 127\.0\.0\.1, server: localhost, request: "GET \/denied\?\.\.\.", host: "localhost"/
limiting requests
limiting connections
qr/access forbidden by rule.*request: "GET \/quiet\?x=1 HTTP\/1\.1"/
--- no_error_log
TOKEN-7Q

=== TEST 5: who isn't let in by the backend, who has no session, and who is told by a close code has a story, too
--- redis
SET session:TOKEN-7Q {"user":"SECRET-ann"}
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:t;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /http { ws_delivery http; ws_pass http://$TEST_BACKEND; }
location /nobody { ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location /guests { ws_auth_optional on; ws_pass http://$TEST_BACKEND; }
location /told { ws_auth_reject close; ws_pass http://$TEST_BACKEND; }
--- client
import contextlib
@contextlib.contextmanager
def story(*expected):
    skip = len(nginx.error_log().splitlines())
    yield
    wait_until(lambda: expected[-1].split("connection=")[0] in "".join(nginx.error_log().splitlines()[skip:]), expected[-1])
    lines = [line for line in nginx.error_log().splitlines()[skip:] if " ws: " in line]
    told = [re.search(r"\] \S+ \*\d+ ws: (.*?)(?: while [a-z ]+)?, client: ", line)[1] for line in lines]
    ids = {id for line in told for id in re.findall(r"connection=(\w+)", line)}
    equal(len(ids), 1, "all lines have the id")
    equal([re.sub(r"\d+\.\d{6}s", "T", line.replace(*ids, "ID")) for line in told], list(expected))
begin = ["lookup connection=ID", "allowed connection=ID lookup=T"]
for path in "/headers", "/envelope", "/http":
    with story(*begin, "refused 403, connection=ID: by the backend"):
        c = client(path, cookie="t=TOKEN-7Q")
        backend.accept().respond("403 Forbidden", body=b"no")
        equal(c.status, 403)
with story(*begin, "refused 502, connection=ID: by the backend"):
    equal(client("/nobody", cookie="t=TOKEN-7Q").status, 502)
with story(*begin, "backend's 101 refused, connection=ID: its Upgrade, Connection or Sec-WebSocket-Accept is wrong",
           "refused 502, connection=ID: by the backend"):
    c = client("/headers", cookie="t=TOKEN-7Q")
    backend.accept().upgrade(accept="x")
    equal(c.status, 502)
end = "closed connection=ID by=client code=1000 messages_in=0 messages_out=0"
for cookie, lookup in (None, []), ("t=nobody-7Q", ["lookup connection=ID"]):
    with story(*lookup, "anonymous connection=ID", "open connection=ID", end):
        c, b = tunnel("/guests", cookie=cookie)
        c.send_close(1000)
        b.expect_close(1000)
        b.send_close(1000)
        c.expect_close(1000)
        c.expect_eof()
with story("lookup connection=ID", "refused 401, connection=ID: no such session"):
    c = client("/told", cookie="t=nobody-7Q")
    equal(c.status, 101)
    c.expect_close(4401)
    c.send_close(4401)
    c.expect_eof()
--- no_error_log
TOKEN-7Q
nobody-7Q
SECRET

=== TEST 6: at `error` there is what is the backend's fault, and nothing of what clients do
--- log_level: error
--- redis
SET session:a {}
--- config
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
def pair(path):
    c, b = tunnel(path)
    if path == "/envelope":
        b.recv_text()
    return c, b
for path in "/headers", "/envelope":
    for fault in BackendConnection.close, lambda b: b.send(b"\x83\x00"):
        c, b = pair(path)
        fault(b)
        c.expect_close(1014)
        c.send_close(1014)
        c.expect_eof()
    c, b = pair(path)
    c.send_frame(3, "x")
    if path == "/envelope":
        b.recv_text()
    b.expect_close(1001)
    b.send_close(1001)
    c.expect_close(1002)
    c.expect_eof()
    c, b = pair(path)
    b.send_close(1002)
    c.expect_close(1002)
    c.send_close(1002)
    c.expect_eof()
def lines():
    return re.findall(r"\[error\].* ws: closed connection=\w+ by=(\w+) code=(\d+) messages_in=0 messages_out=0 (.*?) while", nginx.error_log())
expected = 2 * [("backend", "1014", "backend left without a close frame"), ("backend", "1002", "reserved opcode")]
wait_until(lambda: len(lines()) == len(expected), "both faults in both deliveries are there")
equal(sorted(lines()), sorted(expected))
equal(nginx.error_log().count("ws: "), len(expected))
