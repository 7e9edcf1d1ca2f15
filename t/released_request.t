# HTTP delivery: nginx frees the client's request after the 101 and makes it again at the end. Nobody shall notice, but the memory.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: the access log has what it would have had
--- redis
SET session:a {"user":"ann"}
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
map $http_x_kind $kind { ~^(?<word>\w+)-(\d) "$word/$2"; }
log_format all 'request="$request" $request_method $scheme $host $server_port uri=$uri args=$args a=$arg_a room=$room x=$x kind=$kind'
               ' status=$status sent=$bytes_sent/$body_bytes_sent length=$request_length $server_protocol $request_uri'
               ' agent="$http_user_agent" cookie="$http_cookie" c=$cookie_c one="$http_x_one" forwarded="$http_x_forwarded_for" user=$remote_user'
               ' upgrade=$http_upgrade protocol=$sent_http_sec_websocket_protocol id=$sent_http_x_id=$request_id conn=$connection_requests'
               ' completed=$request_completion pipe=$pipe cache=$sent_http_cache_control link=$sent_http_link ws=$ws_connection_id auth=$ws_auth_status in=$ws_messages_in out=$ws_messages_out close=$ws_close_code by=$ws_closed_by time=$request_time';
--- config
access_log $TEST_DIR/access.log all;
server_name localhost;
location /before { access_log off; return 200 before; }
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t;
location ~ ^/chat/(?<room>\w+) {
    set $x "set $kind";
    add_header X-Id $request_id always;
    add_header Cache-Control private always;
    add_header Cache-Control no-store always;
    add_header Link <a> always;
    ws_auth redis;
    ws_delivery http;
    proxy_set_header X-Room $room;
    ws_pass http://backend;
}
--- client
request = request_bytes("/chat/room?a=1&b=2", cookie="t=a; c=7", headers=["User-Agent: MSIE 6.0; test", "X-Kind: big-7", "X-One: 1", "X-One: 2", 
                                          "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2", "Authorization: Basic YW5uOnB3",
                                          "Sec-WebSocket-Protocol: v1", "Referer: http://localhost/page", "X-Large: " + "x" * 3000])
c = client(raw=b"GET /before HTTP/1.1\r\nHost: localhost\r\n\r\n" + request)
equal((c.status, c.body), (200, b"before"))
c._head = c._body = None
b = backend.accept()
b.respond(headers=["Sec-WebSocket-Protocol: v1"])
equal(c.status, 101)
for i in range(3):
    c.send_text("hello")
    b.read_request()
    equal((b.read_body(), b.header("Cookie"), b.header("User-Agent"), b.header("X-Room")), (b"hello", "t=a; c=7", "MSIE 6.0; test", "room"))
    b.respond(headers=["Content-Type: text/plain"], body="world")
    c.expect_text("world")
time.sleep(0.3)
c.send_close(4000, "bye")
b.read_request()
equal((b.header("ce-type"), b.read_body().startswith(b'{"code":4000')), ("websocket.close", True))
b.respond()
c.expect_close(4000)
c.expect_eof()
wait_until(lambda: nginx.access_log(), "the line is there")
line = nginx.access_log()
for part in ['request="GET /chat/room?a=1&b=2 HTTP/1.1" GET http ', " uri=/chat/room args=a=1&b=2 a=1 room=room x=set big/7 kind=big/7 ", " status=101 ",
             " HTTP/1.1 /chat/room?a=1&b=2 ", ' agent="MSIE 6.0; test" ', "c=7", " c=7 ", ' one="1', ' forwarded="1.1.1.1, 2.2.2.2" ', " user=ann ",
             " upgrade=websocket protocol=v1 ", " conn=2 completed=OK pipe=p cache=private, no-store link=<a> ", " auth=allowed in=3 out=3 close=4000 by=client "]:
    check(part in line, f"{part!r} in {line}")
matches(line, r" id=([0-9a-f]{32})=\1 ")
sent, length = int(re.search(r" sent=(\d+)/", line)[1]), int(re.search(r" length=(\d+)", line)[1])
check(sent > 100 and length > 3000, line)
check(float(re.search(r" time=([\d.]+)", line)[1]) >= 0.3, line)
equal(len(nginx.access_log().splitlines()), 1)
--- error_log
qr/ws: closed connection=.* client: 127.0.0.1, server: localhost, request: "GET \/chat\/room\?a=1&b=2 HTTP\/1.1", host: "localhost", referrer: "http:\/\/localhost\/page"$/m

=== TEST 2: what counts with a request goes on counting: limit_conn, and stub_status
--- redis: none
--- http_config
limit_conn_zone $server_name zone=one:1m;
--- config
location /limited { limit_conn one 1; limit_conn_status 429; ws_delivery http; ws_pass http://$TEST_BACKEND; }
location /ws { ws_delivery http; ws_pass http://$TEST_BACKEND; }
location /stub { stub_status; }
--- client
def open(path):
    c = client(path)
    backend.accept().respond()
    equal(c.status, 101)
    return c
def stub():
    body = get("/stub", headers=["Connection: close"]).body.decode()
    return [int(n) for n in re.search(r"Active connections: (\d+).*\s(\d+) \nReading: (\d+) Writing: (\d+)", body, re.S).groups()]
active, requests, reading, writing = stub()
c = open("/limited")
equal(client("/limited").status, 429)
others = [open("/ws") for _ in range(5)]
wait_until(lambda: stub()[3] == writing + 6, "six more are written to")
now = stub()
equal((now[0], now[2]), (active + 6, reading))
for c in [c, *others]:
    c.send_close(1000)
    backend.accept().respond()
    c.expect_close(1000)
    c.expect_eof()
wait_until(lambda: stub()[0] == active and stub()[3] == writing, "as before")
open("/limited")

=== TEST 3: the worker's time is up, or it is told to be quick
--- main_config
worker_shutdown_timeout 300ms;
--- redis: none
--- http_config
log_format ws '$uri $status close=$ws_close_code by=$ws_closed_by';
--- config
access_log $TEST_DIR/access.log ws;
location / { ws_drain_timeout 0; ws_delivery http; ws_pass http://$TEST_BACKEND; }
--- client
old, = nginx.worker_pids()
clients = [client("/a") for _ in range(3)]
answered = [backend.accept() for _ in clients]
for b in answered: b.respond()
equal([c.status for c in clients], [101] * 3)
clients[0].send_text("under way")
b = backend.accept()
equal(b.read_body(), b"under way")
nginx.reload()
for c in clients: c.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")
equal(sorted(nginx.access_log().splitlines()), ["/a 101 close=1006 by=gateway"] * 3)

=== TEST 4: TLS, large headers, a location come to by an internal redirect
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
log_format ws '$request_uri $uri $scheme $ssl_protocol $status $http_x_last close=$ws_close_code in=$ws_messages_in';
--- config
listen 127.0.0.1:$TEST_TLS_PORT ssl;
ssl_certificate $TEST_CERT;
ssl_certificate_key $TEST_CERT_KEY;
access_log $TEST_DIR/access.log ws;
location /redirected { try_files /nothing @ws; }
location @ws { ws_delivery http; ws_pass http://backend; }
location ~ ^/(ws)$ { proxy_set_header X-Which $1; ws_delivery http; ws_pass http://backend; }
--- client
large = [f"X-{i}: " + "x" * 3000 for i in range(7)] + ["X-Last: last"]
b = None
for path in "/ws", "/redirected":
    c = client(path, tls=True, headers=large)
    b = b or backend.accept()
    if path != "/ws": b.read_request()
    b.respond()
    equal(c.status, 101)
    for size in 1, 70000:
        c.send_text("x" * size)
        b.read_request()
        equal((len(b.read_body()), b.header("X-6"), b.header("X-Last")), (size, "x" * 3000, "last"))
        equal(b.header("X-Which"), "ws" if path == "/ws" else None)
        b.respond(headers=["Content-Type: text/plain"], body="y" * size)
        c.expect_text("y" * size)
    c.send_close(1000)
    b.read_request()
    b.respond()
    c.expect_close(1000)
wait_until(lambda: nginx.access_log().count("\n") == 2, "both lines are there")
--- access_log
qr/^\/ws \/ws https TLSv1\.\d 101 last close=1000 in=2$/m
qr/^\/redirected \/redirected https TLSv1\.\d 101 last close=1000 in=2$/m

=== TEST 5: an idle connection takes less than 6 KiB of its worker
--- redis
SET session:a {"user":"ann"}
--- main_config
worker_rlimit_nofile 5000;
--- events
worker_connections 4000;
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; keepalive_requests 10000; }
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
location / { ws_auth redis; ws_auth_token cookie:t; ws_delivery http; ws_pass http://backend; }
--- client
from flow import resident, sanitized
first = client("/", cookie="t=a")
b = backend.accept()
b.respond()
equal(first.status, 101)
def open(n):
    clients = []
    for _ in range(n):
        clients.append(client("/", cookie="t=a", headers=["User-Agent: " + "x" * 500]))
        b.read_request()
        b.respond()
        equal(clients[-1].status, 101)
    return clients
some = open(100)
before = resident()
more = open(1500)
each = (resident() - before) / len(more)
check(sanitized() or each < 6 * 1024, f"{each:.0f} bytes for an idle connection")

=== TEST 6: a connection for which memory runs short is closed, and no other
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
ws_max_message_size 64m;
location / { ws_delivery http; ws_pass http://backend; }
--- client
import os, resource
from flow import sanitized
def open_one(b):
    c = client("/")
    b = b.read_request() if b else backend.accept()
    b.respond()
    equal(c.status, 101)
    return c, b
def send_until_it_ends(stream, data):
    try: stream.send_binary(data)
    except OSError: pass
first, b = open_one(None)
second, b = open_one(b)
pid, = nginx.worker_pids()
if not sanitized():  # which keeps memory of its own
    pages = int(open(f"/proc/{pid}/statm").read().split()[0])
    _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (pages * resource.getpagesize() + (4 << 20), hard))
    in_thread(send_until_it_ends, first, bytes(32 << 20))
    first.expect_eof()
    resource.prlimit(pid, resource.RLIMIT_AS, (hard, hard))
    nginx.wait_log("ws: out of memory, connection=[0-9a-f]+ closed")
    nginx.wait_log("ws: closed connection=[0-9a-f]+ by=gateway")
second.send_text("hello")
b.read_request()
equal(b.read_body(), b"hello")
b.respond()

=== TEST 7: nothing that is sent to a client waits for what it acknowledges, unless tcp_nodelay is off
--- redis: none
--- config
location / { ws_delivery http; ws_pass http://$TEST_BACKEND; }
location /off { tcp_nodelay off; ws_delivery http; ws_pass http://$TEST_BACKEND; }
--- client
import ctypes, os
pid, = nginx.worker_pids()
def option_of_the_other_end(c):
    """TCP_NODELAY of the worker's socket: pidfd_getfd(2) of each descriptor that is connected to this end."""
    call, pidfd = ctypes.CDLL(None, use_errno=True).syscall, os.pidfd_open(pid)
    for fd in map(int, os.listdir(f"/proc/{pid}/fd")):
        if not os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"): continue
        got = call(438, pidfd, fd, 0)
        check(got >= 0, f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
        with socket.socket(fileno=got) as theirs:
            if theirs.family != socket.AF_INET: continue
            try: peer = theirs.getpeername()
            except OSError: continue
            if peer == c.sock.getsockname(): return theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    fail("the worker has no such connection")
clients = [client("/"), client("/off")]
for _ in clients: backend.accept().respond()
equal([c.status for c in clients], [101, 101])
equal([option_of_the_other_end(c) for c in clients], [1, 0])

=== TEST 8: post_action is for the upgrade, once, and not for messages
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
log_format done '$request_completion $ws_event';
--- config
access_log $TEST_DIR/access.log done;
location / { post_action /after; ws_http_access_log on; ws_delivery http; ws_pass http://backend; }
location = /after { internal; proxy_pass http://backend; }
--- client
c = client("/")
b = backend.accept()
b.respond()
equal(c.status, 101)
for text in "one", "two":
    c.send_text(text)
    equal(b.read_request().read_body(), text.encode())
    b.respond(headers=["Content-Type: text/plain"], body=text)
    c.expect_text(text)
c.send_close(1000)
equal(b.read_request().header("ce-type"), "websocket.close")
b.read_body()
b.respond()
c.expect_close(1000)
equal((b.read_request().method, b.header("ce-type")), ("GET", None))
b.respond()
c.expect_eof()
wait_until(lambda: nginx.access_log().count("\n") == 5, "all lines are there")
equal(nginx.access_log().splitlines(), ["OK open", "OK message", "OK message", "OK close", "OK -"])
--- no_error_log
[error]
