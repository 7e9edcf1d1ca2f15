# Headers and envelope delivery: nginx frees the client's request while the WebSocket is open, and its upstream with it. Nobody shall
# notice, but the memory.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: the access log has what it would have had
--- redis
SET session:a {"user":"ann"}
--- http_config
limit_conn_zone $server_name zone=keeps_requests:1m;
upstream retried { server 127.0.0.1:$TEST_CLOSED_PORT max_fails=0; server $TEST_BACKEND backup; }
upstream named { server $TEST_BACKEND; }
map $http_x_kind $kind { ~^(?<word>\w+)-(\d) "$word/$2"; }
log_format all escape=json
    '{"line":"$request","uri":"$uri","args":"$args","room":"$room","x":"$x","kind":"$kind","status":"$status","sent":"$bytes_sent","length":"$request_length",'
    '"agent":"$http_user_agent","cookies":"$http_cookie","c":"$cookie_c","one":"$http_x_one","host":"$host","user":"$remote_user","upgrade":"$http_upgrade",'
    '"context":"$http_x_ws_context","id_line":"$sent_http_x_id","id":"$request_id","protocol":"$sent_http_sec_websocket_protocol","link":"$sent_http_link",'
    '"completion":"$request_completion","pipe":"$pipe","auth":"$ws_auth_status","in":"$ws_messages_in","out":"$ws_messages_out","close":"$ws_close_code","by":"$ws_closed_by",'
    '"addr":"$upstream_addr","upstream_status":"$upstream_status","connect":"$upstream_connect_time","header":"$upstream_header_time","response":"$upstream_response_time",'
    '"upstream_length":"$upstream_response_length","received":"$upstream_bytes_received","upstream_sent":"$upstream_bytes_sent","cache":"$upstream_cache_status",'
    '"x_line":"$upstream_http_x_line","none":"$upstream_http_x_none","set":"$upstream_cookie_set","trailer":"$upstream_trailer_x",'
    '"proxy_host":"$proxy_host","proxy_port":"$proxy_port","forwarded":"$proxy_add_x_forwarded_for","time":"$request_time"}';
--- config
access_log $TEST_DIR/access.log all;
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:t;
set $x "set $kind";
set $address $TEST_BACKEND;
set $name named;
add_header X-Id $request_id always;
add_header Link <a> always;
add_header X-Line "saw $upstream_http_x_line" always;
location ~ ^/headers/address/kept/(?<room>\w+) { limit_conn keeps_requests 9; ws_pass http://$address; }
location ~ ^/headers/address/free/(?<room>\w+) { ws_pass http://$address; }
location ~ ^/headers/name/kept/(?<room>\w+) { limit_conn keeps_requests 9; ws_pass http://$name; }
location ~ ^/headers/name/free/(?<room>\w+) { ws_pass http://$name; }
location ~ ^/headers/retried/kept/(?<room>\w+) { limit_conn keeps_requests 9; ws_pass http://retried; }
location ~ ^/headers/retried/free/(?<room>\w+) { ws_pass http://retried; }
location ~ ^/envelope/kept/(?<room>\w+) { limit_conn keeps_requests 9; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location ~ ^/envelope/free/(?<room>\w+) { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location ~ ^/stripped/kept/(?<room>\w+) { limit_conn keeps_requests 9; ws_auth_strip_cookie on; ws_pass http://$TEST_BACKEND; }
location ~ ^/stripped/free/(?<room>\w+) { ws_auth_strip_cookie on; ws_pass http://$TEST_BACKEND; }
--- client
import json
def logged(path, cookie, end):
    before = nginx.access_log()
    c, b = tunnel(path, cookie=cookie, headers_back=["X-Line: line", "Set-Cookie: set=1; Path=/", "Sec-WebSocket-Protocol: v1"],
                  headers=["User-Agent: MSIE 6.0; test", "X-Kind: big-7", "X-One: 1", "X-One: 2", "Authorization: Basic YW5uOnB3",
                           "Sec-WebSocket-Protocol: v1", "Referer: http://localhost/page", "X-Large: " + "x" * 3000])
    envelope = "/envelope" in path
    if envelope: b.recv_text()
    time.sleep(0.3)
    for _ in range(3):
        c.send_text("hello")
        equal(json.loads(b.recv_text())["data"] if envelope else b.recv_text(), "hello")
        b.send_text("world")
        c.expect_text("world")
    end(c, b)
    wait_until(lambda: nginx.access_log() != before, "the line is there")
    return json.loads(nginx.access_log()[len(before):])
def close(c, b):
    c.send_close(4000, "bye")
    if "address" not in b.uri and "headers" not in b.uri and "stripped" not in b.uri: b.recv_text()
    b.recv_close()
    b.send_close(4000)
    c.expect_close(4000)
    c.expect_eof()
def reset(c, b):
    b.reset()
    c.expect_close(1014)
    c.send_close(1014)
    c.expect_eof()
for path in "/headers/address/{}/a?q=1", "/headers/name/{}/a?q=1", "/headers/retried/{}/a?q=1", "/envelope/{}/a", "/stripped/{}/a?q=1":
    for cookie in "t=a; c=7", "t=a":
        for end in close, reset:
            kept, free = (logged(path.format(how), cookie, end) for how in ("kept", "free"))
            for line in kept, free:
                equal(line["id"], line["id_line"], path)
                check(float(line["time"]) >= 0.3 and float(line["response"].split(", ")[-1]) >= 0.3, f"{path}: {line}")
            for name in kept:
                if name in ("id", "id_line", "time", "response", "connect", "header"):
                    equal(re.sub(r"\d", "", free[name]) if name not in ("id", "id_line") else "", re.sub(r"\d", "", kept[name]) if name not in ("id", "id_line") else "", f"{path} {name}")
                else:
                    equal(free[name].replace("free", "kept"), kept[name], f"{path} {name}")
            equal((free["status"], free["x_line"], free["set"], free["in"], free["completion"], free["upstream_status"][-3:]), ("101", "line", "1", "3", "OK", "101"))
            check(int(free["received"].split(", ")[-1]) > 150 and int(free["upstream_sent"].split(", ")[-1]) > 3000, f"{path}: {free}")
--- error_log
qr/Connection refused\) while connecting to upstream/
qr/\[error\] .*ws: closed connection=.* while proxying upgraded connection, client: 127.0.0.1, server: [^,]*, request: "GET \/headers\/name\/free\/a\?q=1 HTTP\/1.1", upstream: "http:\/\/127.0.0.1:\d+\/headers\/name\/free\/a\?q=1", host: "localhost", referrer: "http:\/\/localhost\/page"$/m

=== TEST 2: TLS on both sides, and on neither: messages, slow readers and ends of all kinds
--- http_config
upstream backend { zone backend 256k; server $TEST_BACKEND; }
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / { ws_pass https://backend; }
}
--- config
location / { ws_pass http://backend; }
--- timeout: 90
--- client
import flow
at_once = flow.open_tunnel
def open_tunnel(**options):
    pair = at_once(**options)
    time.sleep(0.3)
    return pair
flow.open_tunnel = open_tunnel
for options in {}, {"tls": True, "tls_backend": True}:
    flow.messages_both_ways(**options)
    flow.back_pressure(size=24 << 20, **options)
flow.ends()
c, b = open_tunnel(tls=True, tls_backend=True)
c.reset()
b.recv_close()
b.close()
c, b = open_tunnel(tls=True, tls_backend=True)
b.reset()
c.expect_close(1014)
c.send_close(1014)

=== TEST 3: the worker's time is up, or it is told to be quick
--- main_config
worker_shutdown_timeout 300ms;
--- redis: none
--- http_config
upstream backend { zone backend 256k; server $TEST_BACKEND; }
log_format ws '$uri $status close=$ws_close_code by=$ws_closed_by upstream=$upstream_status $upstream_bytes_received';
--- config
access_log $TEST_DIR/access.log ws;
ws_drain_timeout 0;
location /headers { ws_pass http://backend; }
location /envelope { ws_delivery envelope; ws_pass http://backend; }
--- client
old, = nginx.worker_pids()
pairs = [tunnel(path) for path in ("/headers", "/envelope") for _ in range(3)]
time.sleep(0.3)
for c, b in pairs:
    b.send_text("hello")
    c.expect_text("hello")
nginx.reload()
for c, b in pairs:
    c.expect_eof()
    b.recv_all()
wait_until(lambda: not running(old), "the old worker is gone")
lines = sorted(nginx.access_log().splitlines())
equal(len(lines), 6)
for line, uri in zip(lines, ["/envelope"] * 3 + ["/headers"] * 3):
    matches(line, rf"\A{uri} 101 close=1006 by=gateway upstream=101 1[0-9][0-9]\Z")

=== TEST 4: a reload, the end of a session, and ws_control
--- redis
SET session:a {"user":"ann"}
SET session:b {"user":"bob"}
--- http_config
log_format ws '$uri $status close=$ws_close_code by=$ws_closed_by';
--- config
access_log $TEST_DIR/access.log ws;
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
location /control { ws_control; }
location /headers { ws_auth redis; ws_auth_token cookie:t; ws_drain_timeout 100ms; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_auth_token cookie:t; ws_drain_timeout 100ms; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready()
def open_one(path, cookie):
    c, b = tunnel(path, cookie=cookie)
    if path == "/envelope": b.recv_text()
    return c, b
pairs = {(path, cookie): open_one(path, cookie) for path in ("/headers", "/envelope") for cookie in ("t=a", "t=b")}
time.sleep(0.3)
equal(sorted(c["path"] for c in control.connections()), ["/envelope", "/envelope", "/headers", "/headers"])
redis("DEL", "session:a")
for path in "/headers", "/envelope":
    pairs[path, "t=a"][0].expect_close(4401, "session ended")
redis("SET", "session:b", '{"user":"bea"}')
matches(pairs["/envelope", "t=b"][1].recv_text(), '"event":"context".*"bea"')
nginx.reload()
for path in "/headers", "/envelope":
    equal(pairs[path, "t=b"][0].recv_close()[0], 1012)
for c, b in pairs.values():
    c.close()
    b.close()
wait_until(lambda: nginx.access_log().count(" 101 ") == 4, "all lines are there")

=== TEST 5: an idle connection takes less than 8 KiB of its worker
--- redis
SET session:a {"user":"ann"}
--- main_config
worker_rlimit_nofile 5000;
--- events
worker_connections 4000;
--- http_config
upstream kept { server $TEST_BACKEND; keepalive 4; }
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:t;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /keepalive { ws_pass http://kept; }
--- client
from flow import resident, sanitized
def open_some(path, n):
    pairs = []
    for i in range(n):
        pairs.append(tunnel(path, cookie="t=a", headers=["User-Agent: " + "x" * 500]))
        if i % 50 == 0: time.sleep(0.2)
    time.sleep(0.3)
    return pairs
for path in "/headers", "/envelope", "/keepalive":
    some = open_some(path, 50)
    before = resident()
    more = open_some(path, 500)
    each = (resident() - before) / len(more)
    check(sanitized() or each < 8 * 1024, f"{path}: {each:.0f} bytes for an idle connection")

=== TEST 6: a connection for which memory runs short is closed, and its backend is free again
--- redis: none
--- http_config
upstream one { server $TEST_BACKEND max_conns=1; }
--- config
ws_max_message_size 64m;
location / { ws_delivery envelope; ws_pass http://one; }
location /other { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import os, resource
from flow import sanitized
def send_until_it_ends(stream, data):
    try: stream.send_binary(data)
    except OSError: pass
first, b = tunnel("/")
second, other = tunnel("/other")
b.recv_text()
other.recv_text()
time.sleep(0.3)
pid, = nginx.worker_pids()
if not sanitized():  # which keeps memory of its own
    pages = int(open(f"/proc/{pid}/statm").read().split()[0])
    _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (pages * resource.getpagesize() + (4 << 20), hard))
    in_thread(send_until_it_ends, first, bytes(32 << 20))
    first.expect_eof()
    resource.prlimit(pid, resource.RLIMIT_AS, (hard, hard))
    nginx.wait_log("ws: out of memory, connection=[0-9a-f]+ closed")
    b.recv_all()
    third, third_backend = tunnel("/")
second.send_text("hello")
matches(other.recv_text(), '"data":"hello"')

=== TEST 7: what counts with a request goes on counting, and post_action follows
--- redis: none
--- http_config
log_format done '$request_completion $upstream_status';
--- config
access_log $TEST_DIR/access.log done;
location /ws { post_action /after; ws_pass http://$TEST_BACKEND; }
location = /after { internal; proxy_pass http://$TEST_BACKEND; }
location /stub { access_log off; stub_status; }
--- client
def stub():
    body = get("/stub", headers=["Connection: close"]).body.decode()
    return [int(n) for n in re.search(r"Active connections: (\d+).*\s(\d+) \nReading: (\d+) Writing: (\d+)", body, re.S).groups()]
active, requests, reading, writing = stub()
c, b = tunnel("/ws")
time.sleep(0.3)
now = stub()
equal((now[0], now[2], now[3]), (active + 1, reading, writing + 1))
c.send_close(1000)
b.expect_close(1000)
b.send_close(1000)
c.expect_close(1000)
after = backend.accept()
equal((after.method, after.uri), ("GET", "/after"))
after.respond()
c.expect_eof()
wait_until(lambda: stub()[0] == active and stub()[3] == writing, "as before")
wait_until(lambda: nginx.access_log(), "the line is there")
equal(nginx.access_log(), "OK 101 : 200\n")
