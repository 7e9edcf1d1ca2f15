# Redis by its sentinels: the master is found by its name, and followed when it is another.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: the master dies: its replica takes over, sessions stay live, one line in the log each
--- redis_sentinels
--- config
ws_redis redis+sentinel://$TEST_REDIS_SENTINELS/main timeout=300ms connect_timeout=300ms;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
from redis_group import again, copied, kill, nodes, replicated
nodes["master"]("SET", "session:a", '{"user":"ann"}')
nodes["master"]("SET", "session:b", '{"user":"bob"}')
a, ba = tunnel("/", cookie="sid=a")
b, bb = tunnel("/", cookie="sid=b")
ba.recv_text(), bb.recv_text()
nodes["master"]("SET", "session:a", '{"user":"amy"}')
matches(ba.recv_text(), '"event":"context".*"amy"')
replicated()
copied()

kill(nodes["master"])
nginx.wait_log(r"redis main is 127\.0\.0\.1:%d now" % nodes["replica"].port)
new = again(nodes["replica"])
wait_until(lambda: "role:master" in new("INFO", "replication"), "the replica is the master")
wait_until(lambda: client("/", cookie="sid=unknown").status == 401, "sessions are read from it")
new("DEL", "session:a")
a.expect_close(4401, "session ended")
new("SET", "session:b", '{"user":"bea"}')
matches(bb.recv_text(), '"event":"context".*"bea"')
equal(nginx.error_log().count("unreachable"), 1)
--- error_log
qr/\[error\] .* ws: redis main 127\.0\.0\.1:\d+ unreachable: /

=== TEST 2: the master steps down, and lives on as a replica
--- redis_sentinels
--- config
ws_redis redis+sentinel://$TEST_REDIS_SENTINELS/main;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_auth_touch 60s interval=100ms; ws_pass http://$TEST_BACKEND; }
--- client
from redis_group import again, copied, nodes, replicated
nodes["master"]("SET", "session:a", '{"user":"ann"}', "PX", 30000)
a, ba = tunnel("/", cookie="sid=a")
replicated()
copied()
new = nodes["replica"]
nodes["sentinel1"]("SENTINEL", "FAILOVER", "main")
nginx.wait_log(r"redis main is 127\.0\.0\.1:%d now" % new.port)
tunnel("/", cookie="sid=a")
new = again(new)
new("PEXPIRE", "session:a", 30000)
wait_until(lambda: new("PTTL", "session:a") > 50000, "the session is renewed at the new master")
new("DEL", "session:a")
a.expect_close(4401, "session ended")
--- no_error_log
renews no sessions

=== TEST 3: sentinels are asked in turn
--- redis_sentinels
--- config
ws_redis redis+sentinel://127.0.0.1:$TEST_CLOSED_PORT,$TEST_REDIS_SENTINELS/main;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /unknown {
    ws_redis redis+sentinel://$TEST_REDIS_SENTINELS/other;
    ws_auth redis;
    ws_pass http://$TEST_BACKEND;
}
--- client
from redis_group import nodes
nodes["master"]("SET", "session:a", '{"user":"ann"}')
tunnel("/", cookie="sid=a")
equal(nginx.error_log().count("unreachable"), 1)
for _ in range(3):
    equal(client("/unknown", cookie="sid=a").status, 503)
equal(nginx.error_log().count("no sentinel knows the master"), 1)
--- error_log
qr/\[error\] .* ws: redis sentinel 127\.0\.0\.1:\d+ unreachable: connect\(\) failed/
qr/\[error\] .* ws: redis other: no sentinel knows the master/

=== TEST 4: sentinels and Redis with passwords of their own, and another database
--- redis_sentinels
requirepass watch
--- config
ws_redis redis+sentinel://gateway:s3cret@$TEST_REDIS_SENTINELS/main/3 sentinel_password=watch;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
from redis_group import nodes
redis = nodes["master"]
redis("ACL", "SETUSER", "gateway", "on", ">s3cret", "~session:*", "&*", "+get", "+select", "+ping", "+role",
      "+client|tracking", "+client|id", "+subscribe")
redis("SELECT", 3)
redis("SET", "session:a", '{"user":"ann"}')
c, b = tunnel("/", cookie="sid=a")
redis("DEL", "session:a")
c.expect_close(4401, "session ended")
--- no_error_log
s3cret
watch

=== TEST 5: who is announced as the master has to be one
--- redis_sentinels
--- config
ws_redis redis+sentinel://$TEST_BACKEND/main;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
--- client
from fake_redis import Session
from redis_group import nodes
nodes["master"]("SET", "session:a", '{"user":"ann"}')
c = client("/", cookie="sid=a")
s = Session(backend.accept_stream().sock).login()
def answer(host, port):
    s.expect("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")
    s.send("*2\r\n$%d\r\n%s\r\n$%d\r\n%d\r\n" % (len(host), host, len(str(port)), port))
answer("127.0.0.1", nodes["replica"].port)
equal(c.status, 503)
nginx.wait_log("unreachable: it is no master")
answer("redis.invalid", nodes["master"].port)
nginx.wait_log('redis main is announced as "redis.invalid": an address is needed')
answer("127.0.0.1", nodes["master"].port)
nginx.wait_log("redis main is 127.0.0.1:%d now" % nodes["master"].port)
wait_until(lambda: client("/", cookie="sid=a").status == 502, "let in, to a backend that isn't there")

=== TEST 6: a master that has become a replica, and cuts nobody off, answers READONLY to a lookup that writes: sentinels are asked
--- redis_sentinels
--- config
ws_redis redis+sentinel://$TEST_BACKEND/main connections=1 timeout=20s;
ws_auth_token cookie:sid;
ws_auth_live off;
location / {
    ws_auth redis;
    ws_auth_redis_command EVALSHA a173de851124de261924a3ae91a330f0cb14be7d 1 session:$ws_token;
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
}
--- client
from fake_redis import Session
from redis_group import kill, nodes
for name, node in nodes.items():
    if name.startswith("sentinel"):
        kill(node)
master, replica = nodes["master"], nodes["replica"]
for node in master, replica:
    equal(node("SCRIPT", "LOAD", "redis.call('EXPIRE', KEYS[1], 1000) return redis.call('GET', KEYS[1])"),
          "a173de851124de261924a3ae91a330f0cb14be7d")
master("SET", "session:a", '{"user":"ann"}')
equal(master("WAIT", 1, 10000), 1)
c = client("/", cookie="sid=a")
s = Session(backend.accept_stream().sock).login()
def announce(node):
    s.expect("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")
    s.send("*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%d\r\n" % (len(str(node.port)), node.port))
announce(master)
equal(c.status, 502)
replica("REPLICAOF", "NO", "ONE")
master("REPLICAOF", "127.0.0.1", replica.port)
equal(client("/", cookie="sid=a").status, 503)
announce(replica)
nginx.wait_log("redis main is 127.0.0.1:%d now" % replica.port)
equal(client("/", cookie="sid=a").status, 502)
--- no_error_log
unreachable

=== TEST 7: by TLS: sentinels, the master, and who takes over
--- redis_sentinels
--- redis_tls: --tls-auth-clients no
--- config
ws_redis rediss+sentinel://$TEST_REDIS_SENTINELS/main ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
from redis_group import again, copied, nodes, replicated
nodes["master"]("SET", "session:a", '{"user":"ann"}')
a, ba = tunnel("/", cookie="sid=a")
replicated()
copied()
nodes["sentinel1"]("SENTINEL", "FAILOVER", "main")
nginx.wait_log(r"redis main is 127\.0\.0\.1:[0-9]+ now")
new = again(nodes["replica"])
wait_until(lambda: client("/", cookie="sid=unknown").status == 401, "sessions are read from it")
new("DEL", "session:a")
a.expect_close(4401, "session ended")

=== TEST 8: no sentinel answers at first: 503, one line in the log for each and one for all; then they do, and go again
--- redis_sentinels
--- config
ws_redis redis+sentinel://$TEST_REDIS_SENTINELS/main timeout=300ms connect_timeout=300ms;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
import os, signal
from redis_group import kill, nodes
sentinels = [node for name, node in nodes.items() if name.startswith("sentinel")]
nodes["master"]("SET", "session:a", '{"user":"ann"}')
for sentinel in sentinels:
    os.kill(sentinel.pid, signal.SIGSTOP)
for _ in range(5):
    equal(client("/", cookie="sid=a").status, 503)
equal(nginx.error_log().count("unreachable: no reply to the login in time"), 3)
equal(nginx.error_log().count("no sentinel knows the master"), 1)
for sentinel in sentinels:
    os.kill(sentinel.pid, signal.SIGCONT)
nginx.wait_log("redis main is back, [0-9]+ requests refused meanwhile")
a, ba = tunnel("/", cookie="sid=a")
for sentinel in sentinels:
    kill(sentinel)
nginx.wait_log("no sentinel knows the master(.|\n)*no sentinel knows the master")
tunnel("/", cookie="sid=a")
nodes["master"]("DEL", "session:a")
a.expect_close(4401, "session ended")

=== TEST 9: a name is needed
--- config
ws_redis redis+sentinel://127.0.0.1,127.0.0.2:26380;
--- must_die
--- error_log
"ws_redis" directive the master's name is missing: redis+sentinel://host:port,host:port/name

=== TEST 10: a sentinel's password without a sentinel
--- config
ws_redis redis://127.0.0.1 sentinel_password=hush;
--- must_die
--- error_log
"ws_redis" directive has a sentinel_ parameter, which needs redis+sentinel://
--- no_error_log
hush

=== TEST 11: a sentinel's host that can't be found
--- config
ws_redis redis+sentinel://127.0.0.1,no-such-host.invalid/main;
--- must_die
--- error_log
"ws_redis" directive "no-such-host.invalid:26379": host not found
