# A balancer knows how many WebSockets a backend has, though nginx has freed the requests that it chose the backend for.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a balancer's counts are exact: a backend that is full is so for as long as the WebSocket lives, and no longer
--- redis: none
--- http_config
upstream one { server $TEST_BACKEND max_conns=1; }
upstream one_least { least_conn; server $TEST_BACKEND max_conns=1; server 127.0.0.1:$TEST_CLOSED_PORT down; }
upstream one_zone { zone one 256k; server $TEST_BACKEND max_conns=1; }
upstream one_hash { zone hash 256k; hash $uri consistent; server $TEST_BACKEND max_conns=1; server 127.0.0.1:$TEST_CLOSED_PORT down; }
upstream one_random { random two least_conn; server $TEST_BACKEND max_conns=1; server 127.0.0.1:$TEST_CLOSED_PORT down; }
upstream one_keepalive { server $TEST_BACKEND max_conns=1; keepalive 4; }
upstream one_zone_keepalive { zone keepalive 256k; least_conn; server $TEST_BACKEND max_conns=1; server 127.0.0.1:$TEST_CLOSED_PORT down; keepalive 4; }
upstream one_backup_keepalive { server 127.0.0.1:$TEST_CLOSED_PORT down; server $TEST_BACKEND max_conns=1 backup; keepalive 4; }
--- config
set $upstream one;
if ($arg_u) { set $upstream $arg_u; }
location / { ws_pass http://$upstream; }
location /envelope { ws_delivery envelope; ws_pass http://$upstream; }
location /one { ws_pass http://one; }
--- client
def by_client(c, b):
    c.send_close(1000)
    b.recv_close()
    b.send_close(1000)
    c.expect_close(1000)
def gone_backend(c, b):
    b.reset()
    c.expect_close(1014)
    c.send_close(1014)
    c.expect_eof()
def gone_client(c, b):
    c.reset()
    if "envelope" in b.uri:
        matches(b.recv_text(), '"event":"close"')
        b.recv_close()
    else:
        b.expect_eof()
    b.close()
def violation(c, b):
    c.send(frame(3, mask=b"mask"))
    b.expect_close(1001)
    b.send_close(1001)
    c.expect_close(1002)
def open_at_last(path):
    """The end of the connection before is the gateway's own business: it may be a moment later."""
    for _ in range(200):
        c = client(path)
        wait_until(lambda: select.select([c.sock, backend.sock], [], [], 0.1)[0], "an answer, or the backend is asked")
        if select.select([backend.sock], [], [], 0)[0]:
            b = backend.accept().upgrade()
            equal(c.status, 101)
            return c, b
        equal(c.status, 502)
        time.sleep(0.02)
    fail("still full")
paths = ["/?u=one", "/?u=one_least", "/?u=one_zone", "/?u=one_hash", "/?u=one_random", "/?u=one_keepalive", "/?u=one_zone_keepalive",
         "/?u=one_backup_keepalive", "/envelope?u=one", "/envelope?u=one_zone", "/envelope?u=one_keepalive", "/one"]
for path in paths:
    for end in by_client, gone_backend, gone_client, violation:
        c, b = open_at_last(path)
        if "envelope" in path: b.recv_text()
        for wait in 0, 0.3:
            time.sleep(wait)
            equal(client(path).status, 502, f"{path} is full")
        if "envelope" in path and end is by_client:
            c.send_close(1000)
            b.recv_text()
            b.recv_close()
            b.send_close(1000)
            c.expect_close(1000)
        elif "envelope" in path and end is violation:
            c.send(frame(3, mask=b"mask"))
            b.recv_text()
            b.expect_close(1001)
            b.send_close(1001)
            c.expect_close(1002)
        else:
            end(c, b)
    c, b = open_at_last(path)
    c.close()
    b.close()
--- error_log
no live upstreams

=== TEST 2: least_conn sends new ones to where the fewest are
--- redis: none
--- http_config
upstream two { zone two 256k; least_conn; server $TEST_BACKEND; server unix:$TEST_DIR/other.sock; }
--- config
location / { ws_pass http://two; }
--- client
other = listen_unix("other.sock")
opened = []
def open_one():
    """Whether it is the other one."""
    c = client("/")
    ready = select.select([backend.sock, other.sock], [], [], TIMEOUT)[0][0]
    b = BackendConnection(ready.accept()[0]).read_request().upgrade()
    equal(c.status, 101)
    opened.append((c, b, ready is other.sock))
    return ready is other.sock
equal(sum(open_one() for _ in range(6)), 3)
time.sleep(0.3)
first = list(opened)
for c, b, _ in (pair for pair in first if pair[2]):
    c.send_close(1000)
    b.expect_close(1000)
    b.send_close(1000)
    c.expect_close(1000)
    c.expect_eof()
    b.expect_eof()
equal([open_one() for _ in range(3)], [True] * 3)
time.sleep(0.3)
equal(sum(open_one() for _ in range(4)), 2)
c, b, _ = next(pair for pair in first if not pair[2])
b.reset()
c.expect_close(1014)
--- error_log
qr/\[error\] .*ws: closed connection=.*, upstream: "http:\/\/127.0.0.1:\d+\/", host: "localhost"$/m

=== TEST 3: a WebSocket on a connection that `keepalive` has kept
--- redis: none
--- http_config
upstream one { server $TEST_BACKEND max_conns=1; keepalive 4; }
--- config
location /plain { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://one; }
location / { ws_pass http://one; }
--- client
b = None
for _ in range(3):
    answered = client(raw=b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n")
    b = backend.accept()
    b.respond(body="plain")
    equal((answered.status, answered.body), (200, b"plain"))
    answered.close()
    c = client("/")
    b.read_request().upgrade()
    equal(c.status, 101)
    time.sleep(0.3)
    equal(client("/").status, 502)
    c.send_text("hello")
    b.expect_text("hello")
    c.send_close(1000)
    b.expect_close(1000)
    b.send_close(1000)
    c.expect_close(1000)
    c.expect_eof()
    b.expect_eof()
