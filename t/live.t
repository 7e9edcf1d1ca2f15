# A context that lives: the socket ends when its session does, and knows when it changes.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a session that is deleted closes its sockets, in both deliveries
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/headers", cookie="X-Token=abc")
c2, b2 = tunnel("/envelope", cookie="X-Token=abc")
b2.recv_text()
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")
b.expect_close(1001, "session ended")
c2.expect_close(4401, "session ended")
matches(b2.recv_text(), r'"event":"close".*"code":4401,"reason":"session ended"')
b2.expect_close(1001)

=== TEST 2: a session that changes: the backend is told, and the next message has the new context
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", cookie="X-Token=abc")
id = b.header("X-WS-Connection-Id")
matches(b.recv_text(), '"event":"open"')
redis("SET", "session:abc", '{"user":"bob"}')
b.expect_text('{"event":"context","connection":"%s","context":{"user":"bob"}}' % id)
c.send_text("hi")
b.expect_text('{"event":"message","connection":"%s","seq":1,"context":{"user":"bob"},"type":"text","data":"hi"}' % id)

=== TEST 3: a session that is touched, or written again as it was, changes nothing
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", cookie="X-Token=abc")
b.recv_text()
before = redis.calls("get")
redis("EXPIRE", "session:abc", "100")
wait_until(lambda: redis.calls("get") == before + 1, "one read")
redis("SET", "session:abc", '{"user":"ann"}')
wait_until(lambda: redis.calls("get") == before + 2, "another read")
c.send_text("hi")
matches(b.recv_text(), '"event":"message","connection":"[0-9a-f]*","seq":1,"context":{"user":"ann"}')

=== TEST 4: an expired session closes its socket
--- redis
SET session:abc {"user":"ann"} PX 300
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", cookie="X-Token=abc")
c.expect_close(4401, "session ended")

=== TEST 5: FLUSHALL closes all
--- redis
SET session:a {"user":"ann"}
SET session:b {"user":"bob"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
pairs = [tunnel("/", cookie="X-Token=" + name) for name in ("a", "b", "a")]
redis("FLUSHALL")
for c, b in pairs:
    c.expect_close(4401, "session ended")

=== TEST 6: what changed while the reports were cut off is found when they are back
--- redis
SET session:a {"user":"ann"}
SET session:b {"user":"bob"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
a, ba = tunnel("/", cookie="X-Token=a")
b, bb = tunnel("/", cookie="X-Token=b")
ba.recv_text(), bb.recv_text()
redis("CLIENT", "KILL", "TYPE", "pubsub")
redis("DEL", "session:a")
a.expect_close(4401, "session ended")
wait_until(lambda: "sub=1" in redis("CLIENT", "LIST", "TYPE", "pubsub"), "subscribed again")
redis("SET", "session:b", '{"user":"bea"}')
matches(bb.recv_text(), '"event":"context".*"bea"')

=== TEST 7: a reader that is cut off has its sessions tracked again
--- redis
SET session:a {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
a, b = tunnel("/", cookie="X-Token=a")
redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
redis("DEL", "session:a")
a.expect_close(4401, "session ended")

=== TEST 8: while Redis is away, nobody is closed
--- redis_own
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:a", '{"user":"ann"}')
a, b = tunnel("/", cookie="X-Token=a")
redis.kill()
nginx.wait_log("redis unix:.* unreachable")
a.send_text("still here")
b.expect_text("still here")

=== TEST 9: without tracking, sessions are read again at intervals
--- redis
ACL SETUSER notrack on >pw ~* &* +@all -client|tracking
SET session:a {"user":"ann"}
--- config
ws_redis $TEST_REDIS?user=notrack&password=pw;
ws_auth redis;
ws_auth_recheck 100ms;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
a, b = tunnel("/", cookie="X-Token=a")
redis("DEL", "session:a")
a.expect_close(4401, "session ended")
redis("ACL", "DELUSER", "notrack")
--- error_log
reports no changes (CLIENT TRACKING refused): sessions are read again every ws_auth_recheck

=== TEST 10: ws_auth_live off: the session is read once
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location /live { ws_pass http://$TEST_BACKEND; }
location / {
    ws_auth_live off;
    ws_pass http://$TEST_BACKEND;
}
--- client
live, _ = tunnel("/live", cookie="X-Token=abc")
c, b = tunnel("/", cookie="X-Token=abc")
redis("DEL", "session:abc")
live.expect_close(4401)
c.send_text("still here")
b.expect_text("still here")

=== TEST 11: ws_auth_live_headers close: a changed session closes sockets in headers delivery
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location /close {
    ws_auth_live_headers close;
    ws_pass http://$TEST_BACKEND;
}
location /keep { ws_pass http://$TEST_BACKEND; }
--- client
keep, bk = tunnel("/keep", cookie="X-Token=abc")
c, b = tunnel("/close", cookie="X-Token=abc")
redis("SET", "session:abc", '{"user":"bob"}')
c.expect_close(4409, "session changed")
b.expect_close(1001, "session changed")
keep.send_text("still here")
bk.expect_text("still here")

=== TEST 12: a session that changes while the backend is still answering: the headers it has got are old
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location /close {
    ws_auth_live_headers close;
    ws_pass http://$TEST_BACKEND;
}
location /keep { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
clients = {}
backends = {}
for path in "/close", "/keep", "/envelope":
    clients[path] = client(path, cookie="X-Token=abc")
    backends[path] = backend.accept()
reads = redis.calls("get")
redis("SET", "session:abc", '{"user":"bob"}')
wait_until(lambda: redis.calls("get") > reads, "it is read again")
equal(get("/keep").status, 426)  # answered by the same worker, later
for path in clients:
    backends[path].upgrade()
    equal(clients[path].status, 101, path)
clients["/close"].expect_close(4409, "session changed")
backends["/close"].expect_close(1001, "session changed")
matches(backends["/envelope"].recv_text(), '"event":"open".*"context":{"user":"bob"}')
clients["/envelope"].send_text("hi")
matches(backends["/envelope"].recv_text(), '"event":"message".*"context":{"user":"bob"}')
clients["/keep"].send_text("still here")
backends["/keep"].expect_text("still here")

=== TEST 13: the connections of a worker that has to go are as alive as ever
--- redis
SET session:a {"user":"ann"}
SET session:b {"user":"bob"}
SET session:c {"user":"cid"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
ws_drain_timeout 0;
ws_delivery envelope;
location / { ws_pass http://$TEST_BACKEND; }
--- client
old, = nginx.worker_pids()
a, ba = tunnel("/", cookie="X-Token=a")
b, bb = tunnel("/", cookie="X-Token=b")
c, bc = tunnel("/", cookie="X-Token=c")
ba.recv_text(), bb.recv_text(), bc.recv_text()
nginx.reload()
new, bn = tunnel("/", cookie="X-Token=b")
bn.recv_text()
redis("DEL", "session:a")
a.expect_close(4401, "session ended")
redis("SET", "session:b", '{"user":"bea"}')
for one in bb, bn:
    matches(one.recv_text(), '"event":"context".*"bea"')
# Whatever it loses, it gets back.
redis("CLIENT", "KILL", "TYPE", "pubsub")
redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
redis("DEL", "session:c")
c.expect_close(4401, "session ended")
check(running(old), "the old worker")
for one in a, b, c, ba, bb, bc:
    one.close()
wait_until(lambda: not running(old), "the old worker is gone")

=== TEST 14: locations make what they want of one session, and hear of what they have made
--- redis
SET session:abc {"user":{"id":1,"name":"ann"},"cart":[]}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
ws_delivery envelope;
location /id { ws_context_select user.id; ws_pass http://$TEST_BACKEND; }
location /cart {
    ws_context_select;
    ws_context_field items $ws_session.cart;
    ws_pass http://$TEST_BACKEND;
}
--- client
before = redis.calls("get")
c, b = tunnel("/id", cookie="X-Token=abc")
d, e = tunnel("/cart", cookie="X-Token=abc")
matches(b.recv_text(), '"context":{"user":{"id":1}}')
matches(e.recv_text(), r'"context":{"items":\[\]}')
redis("SET", "session:abc", '{"user":{"id":1,"name":"ann"},"cart":["tea"]}')
matches(e.recv_text(), r'"event":"context".*"context":{"items":\["tea"\]}')
equal(redis.calls("get"), before + 3)  # each of the upgrades, and once for both
c.send_text("hi")
matches(b.recv_text(), '"event":"message".*"seq":1,"context":{"user":{"id":1}}')
redis("SET", "session:abc", '{"user":{"id":2},"cart":["tea"]}')
matches(b.recv_text(), '"event":"context".*"context":{"user":{"id":2}}')
d.send_text("hi")
matches(e.recv_text(), r'"event":"message".*"seq":1,"context":{"items":\["tea"\]}')
redis("SET", "session:abc", "no session any more")
for one in c, d:
    one.expect_close(4401, "session ended")
