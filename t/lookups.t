# How often Redis is asked, and what an answer is good for.
use lib 't/lib';
use Test::Gateway;
run_tests();
__DATA__

=== TEST 1: many clients with one session that come at once share their lookups
--- redis_own
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", '{"user":"ann"}')
redis.stop()
clients = [Client(dial()) for _ in range(100)]
for c in clients:
    c.send(request_bytes("/", cookie="X-Token=abc"))
equal(get("/").status, 426)  # answered by the same worker, later
redis.resume()
backend.echo()
for c in clients:
    equal(c.status, 101)
# One for the first, one for all who came while that was under way.
check(redis.calls("get") <= 2, redis.calls("get"))
redis("DEL", "session:abc")
for c in clients:
    c.expect_close(4401)

=== TEST 2: an upgrade that begins after the session has ended is refused, with sockets of that session open
--- redis
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
for n in range(200):
    key = f"session:{n}"
    redis("SET", key, '{"user":"ann"}')
    c, b = tunnel("/", cookie=f"X-Token={n}")
    redis("DEL", key)
    equal(client("/", cookie=f"X-Token={n}").status, 401, n)
    c.close(), b.close()

=== TEST 3: an upgrade that begins after the session has changed has the new context
--- redis
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", '{"n":0}')
first, _ = tunnel("/", cookie="X-Token=abc")
for n in range(200):
    redis("SET", "session:abc", '{"n":%d}' % n)
    c, b = tunnel("/", cookie="X-Token=abc")
    equal(b.header("X-WS-Context"), '{"n":%d}' % n)
    c.close(), b.close()

=== TEST 4: ws_auth_cache: upgrades of a session ask Redis once, and again after a change
--- redis
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_cache 60s;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
location /strict { ws_auth_cache 0; ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", '{"user":"ann"}')
before = redis.calls("get")
for n in range(20):
    c, b = tunnel("/", cookie="X-Token=abc")
    c.send_close(1000)
    b.expect_close(1000)
    c.close(), b.close()
equal(redis.calls("get"), before + 1)
redis("SET", "session:abc", '{"user":"bob"}')
def context():
    c, b = tunnel("/", cookie="X-Token=abc")
    c.close(), b.close()
    return b.header("X-WS-Context")
wait_until(lambda: context() == '{"user":"bob"}', "the report of the change")
equal(redis.calls("get"), before + 2)
c, b = tunnel("/strict", cookie="X-Token=abc")
equal(redis.calls("get"), before + 3)
redis("DEL", "session:abc")
c.expect_close(4401)
equal(client("/", cookie="X-Token=abc").status, 401)

=== TEST 5: ws_auth_cache: plain requests, too, and no longer than its time
--- redis
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_plain on;
ws_auth_token cookie:X-Token;
location / { ws_auth_cache 60s; proxy_pass http://$TEST_BACKEND; }
location /short { ws_auth_cache 1ms; proxy_pass http://$TEST_BACKEND; }
--- backend
connection.respond("200 OK", ["Connection: close"], connection.header("X-WS-Context"))
--- client
redis("SET", "session:abc", '{"user":"ann"}')
redis("SET", "session:short", '{"user":"bob"}')
before = redis.calls("get")
for n in range(10):
    equal(get("/", cookie="X-Token=abc").body, b'{"user":"ann"}')
equal(redis.calls("get"), before + 1)
def asked_again():
    equal(get("/short", cookie="X-Token=short").body, b'{"user":"bob"}')
    return redis.calls("get") >= before + 3
wait_until(asked_again, "a second lookup")

=== TEST 6: ws_auth_cache without reports of changes asks each time, and says so
--- redis
ACL SETUSER nocache on >pw ~* &* +@all -client|tracking
--- config
ws_redis $TEST_REDIS?user=nocache&password=pw;
ws_auth redis;
ws_auth_cache 60s;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", '{"user":"ann"}')
before = redis.calls("get")
for n in range(5):
    c, b = tunnel("/", cookie="X-Token=abc")
    c.close(), b.close()
check(redis.calls("get") >= before + 5, "five lookups")
redis("ACL", "DELUSER", "nocache")
--- error_log
reports no changes (CLIENT TRACKING refused)

=== TEST 7: lookups under way and waiting are bounded; who finds no place gets 503 and Retry-After
--- redis_own
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s lookups=2 queue=3;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
for n in range(10):
    redis("SET", f"session:{n}", '{"user":"ann"}')
c, b = tunnel("/", cookie="X-Token=0")
redis.stop()
clients = [Client(dial()) for _ in range(10)]
# One after the other: two are asked about, three wait, five are too many.
for n in range(10):
    clients[n].send(request_bytes("/", cookie=f"X-Token={n}"))
    if n >= 5:
        equal(clients[n].status, 503, n)
        matches(clients[n].header("Retry-After"), "^[1-5]$")
    elif n < 4:
        equal(get("/").status, 426)  # answered by the same worker, later
redis.resume()
backend.echo()
for n in range(5):
    equal(clients[n].status, 101, n)
--- error_log
too many lookups

=== TEST 8: who has waited too long for his turn gets 503, and the others are served
--- redis_own
--- config
ws_redis $TEST_REDIS timeout=1500ms lookups=1;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:a", '{"user":"ann"}')
c, b = tunnel("/", cookie="X-Token=a")
redis.stop()
one, two = Client(dial()), Client(dial())
one.send(request_bytes("/", cookie="X-Token=x"))
two.send(request_bytes("/", cookie="X-Token=y"))
equal(one.status, 503)
equal(two.status, 503)
matches(two.header("Retry-After"), "^[1-5]$")
redis.resume()
wait_until(lambda: client("/", cookie="X-Token=x").status == 401, "Redis to be back")
c.send_text("still here")
b.expect_text("still here")

=== TEST 9: ws_auth_touch: the session of an open socket does not expire, that of a closed one does
--- redis
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_auth_touch 60s; ws_pass http://$TEST_BACKEND; }
location /untouched { ws_pass http://$TEST_BACKEND; }
location /often { ws_auth_touch 2s interval=100ms; ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", '{"user":"ann"}', "PX", "5000")
u, bu = tunnel("/untouched", cookie="X-Token=abc")
check(int(redis("PTTL", "session:abc")) <= 5000)
c, b = tunnel("/", cookie="X-Token=abc")
wait_until(lambda: int(redis("PTTL", "session:abc")) > 50000, "touched")
# Not again before its time, by more sockets neither.
evals = redis.calls("eval")
more = [tunnel("/", cookie="X-Token=abc") for _ in range(5)]
equal(redis.calls("eval"), evals)

redis("SET", "session:often", '{"user":"bob"}', "PX", "1500")
o, bo = tunnel("/often", cookie="X-Token=often")
before = redis.calls("eval")
wait_until(lambda: redis.calls("eval") >= before + 30, "three seconds of renewals")
o.send_text("still here")
bo.expect_text("still here")
o.close(), bo.close()
wait_until(lambda: redis("EXISTS", "session:often") == 0, "expired once its socket is closed")

=== TEST 10: ws_auth_touch gives no time to live to a session without one, and none back to one that is gone
--- redis
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_auth_touch 2s interval=100ms; ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", '{"user":"ann"}')
before = redis.calls("eval")
c, b = tunnel("/", cookie="X-Token=abc")
wait_until(lambda: redis.calls("eval") >= before + 3, "some looks")
equal(redis("TTL", "session:abc"), -1)
# What the application has given is not taken away either.
redis("EXPIRE", "session:abc", "1000")
wait_until(lambda: redis.calls("eval") >= before + 6, "more looks")
check(int(redis("TTL", "session:abc")) > 990)
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")
equal(redis("EXISTS", "session:abc"), 0)

=== TEST 11: ws_auth_touch: a Redis that refuses is told about once, and the sockets stay
--- redis
ACL SETUSER notouch on >pw ~* &* +@all -eval
--- config
ws_redis $TEST_REDIS?user=notouch&password=pw;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_auth_touch 2s interval=100ms; ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", '{"user":"ann"}')
c, b = tunnel("/", cookie="X-Token=abc")
nginx.wait_log("renews no sessions .NOPERM.: ws_auth_touch needs EVAL, PTTL and PEXPIRE")
d, e = tunnel("/", cookie="X-Token=abc")
c.send_text("still here")
b.expect_text("still here")
equal(len([line for line in nginx.error_log().splitlines() if "renews no sessions" in line]), 1)
redis("ACL", "DELUSER", "notouch")

=== TEST 12: ws_auth_touch: a session that is kept from expiring ends with a logout all the same
--- redis
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_auth_touch 60s; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /often { ws_auth_touch 2s interval=100ms; ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", '{"user":"ann"}', "PX", "5000")
c, b = tunnel("/", cookie="X-Token=abc")
b.recv_text()
wait_until(lambda: int(redis("PTTL", "session:abc")) > 50000, "touched")
redis("SET", "session:abc", '{"user":"bob"}', "KEEPTTL")
matches(b.recv_text(), '"event":"context".*"bob"')
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")

# However often: each renewal costs a read at most.
redis("SET", "session:often", '{"user":"ann"}', "PX", "1500")
o, bo = tunnel("/often", cookie="X-Token=often")
evals, reads = redis.calls("eval"), redis.calls("get")
wait_until(lambda: redis.calls("eval") >= evals + 20, "two seconds of renewals")
check(redis.calls("get") - reads <= redis.calls("eval") - evals + 1, "a read for each at most")
redis("DEL", "session:often")
o.expect_close(4401, "session ended")

=== TEST 13: many clients of several sessions that come at once share their lookups, each with those of its session
--- redis_own
--- events
worker_connections 2048;
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:X-Token;
default_type text/plain;
location / { ws_delivery http; if ($ws_event) { return 200 $ws_context; } }
--- client
sessions = range(20)
for n in sessions:
    redis("SET", f"session:{n}", '{"user":%d}' % n)
monitor = Redis(redis.path)
equal(monitor("MONITOR"), "OK")
redis.stop()
clients = [(n, Client(dial())) for _ in range(50) for n in sessions]
for n, c in clients:
    c.send(request_bytes("/", cookie=f"X-Token={n}"))
equal(get("/").status, 426)  # answered by the same worker, later
redis.resume()
for n, c in clients:
    equal(c.status, 101)
    c.expect_text('{"user":%d}' % n)
redis("ECHO", "that's all")
reads = []
while b'"ECHO"' not in (line := monitor.stream.recv_until(b"\r\n")):
    if found := re.search(rb'"GET" "session:(\d+)"', line):
        reads.append(int(found[1]))
# One for the first, one for all who came while that was under way.
for n in sessions:
    check(1 <= reads.count(n) <= 2, f"session {n}: {reads.count(n)} reads")
redis("DEL", *(f"session:{n}" for n in sessions))
for n, c in clients:
    c.expect_close(4401)
