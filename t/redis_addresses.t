# A host name that has several addresses, of which Redis is at one.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: lookups and reports of changes find it behind an address that leads nowhere
--- redis
SET session:abc {"user":"ann"}
--- hosts
127.0.0.2 redis.test
127.0.0.1 redis.test
--- config
ws_redis redis://redis.test:$TEST_REDIS_PORT;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", cookie="X-Token=abc")
equal(b.header("X-WS-Context"), '{"user":"ann"}')
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")
--- no_error_log
ws: redis

=== TEST 2: so do the questions of ws_control
--- redis
SET session:abc {"user":"ann"}
--- workers: 2
--- hosts
127.0.0.2 redis.test
127.0.0.1 redis.test
--- config
ws_redis redis://redis.test:$TEST_REDIS_PORT;
ws_auth_token cookie:X-Token;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /control { ws_control; }
--- client
import control
control.ready(2)
c, b = tunnel("/", cookie="X-Token=abc")
equal(control.send(b.header("X-WS-Connection-Id"), "hello").status, 202)
c.expect_text("hello")
--- no_error_log
ws: redis

=== TEST 3: it moves from one of its addresses to another: lookups, reports and questions follow
--- redis_own
--- hosts
127.0.0.1 redis.test
127.0.0.2 redis.test
--- config
ws_redis redis://redis.test:$TEST_REDIS_PORT;
ws_auth_token cookie:X-Token;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /control { ws_control; }
--- client
import control
control.ready()
pairs = {}
for name in "abc":
    redis("SET", f"session:{name}", '{"user":"ann"}')
    pairs[name] = tunnel("/", cookie=f"X-Token={name}")
redis("CONFIG", "SET", "bind", "127.0.0.2")
redis("CLIENT", "KILL", "TYPE", "pubsub")
redis("CLIENT", "KILL", "TYPE", "normal")
redis("DEL", "session:a")
pairs["a"][0].expect_close(4401, "session ended")
wait_until(lambda: len(redis("CLIENT", "LIST", "TYPE", "pubsub").splitlines()) == 2, "both connections for what Redis tells")
control.ready()
redis("DEL", "session:b")
pairs["b"][0].expect_close(4401, "session ended")
c, b = pairs["c"]
c.send_text("still here")
b.expect_text("still here")
