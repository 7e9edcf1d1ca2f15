# What Redis reports, what it does not, and what keeps the reports from coming.
use lib 't/lib';
use Test::Gateway;

run_tests(config => <<'END');
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
END

__DATA__

=== TEST 1: whatever ends a session, or makes it something else
--- redis
--- client
key = "session:abc"
def transaction(*commands):
    redis("MULTI")
    for words in commands:
        equal(redis(*words), "QUEUED")
    redis("EXEC")
ends = [
    lambda: redis("DEL", key),
    lambda: redis("UNLINK", key),
    lambda: redis("GETDEL", key),
    lambda: redis("EXPIRE", key, 0),
    lambda: redis("PEXPIREAT", key, 1),
    lambda: redis("PEXPIRE", key, 1),
    lambda: redis("SET", key, '{"user":"ann"}', "PX", 50),
    lambda: redis("GETEX", key, "PX", 50),
    lambda: redis("RENAME", key, "elsewhere"),
    lambda: redis("MOVE", key, 1),
    lambda: redis("FLUSHDB"),
    lambda: redis("FLUSHDB", "ASYNC"),
    lambda: redis("FLUSHALL", "ASYNC"),
    lambda: redis("EVAL", "redis.call('DEL', KEYS[1])", 1, key),
    lambda: transaction(["SET", key, '{"user":"bob"}'], ["DEL", key]),
    lambda: transaction(["FLUSHDB"]),
    # No session any more.
    lambda: redis("SET", key, "[]"),
    lambda: redis("APPEND", key, "}"),
    lambda: redis("SETRANGE", key, 0, "?"),
    lambda: transaction(["DEL", key], ["HSET", key, "user", "ann"]),
    lambda: transaction(["DEL", key], ["LPUSH", key, "ann"]),
]
for number, end in enumerate(ends):
    redis("FLUSHALL")
    redis("SET", key, '{"user":"ann"}')
    c, b = tunnel("/", cookie="X-Token=abc")
    end()
    try:
        c.expect_close(4401, "session ended")
    except Failure as failure:
        fail(f"number {number}: {failure}")
    c.close(), b.close()

=== TEST 2: whatever changes a session
--- redis
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
ws_delivery envelope;
location / { ws_pass http://$TEST_BACKEND; }
location /hash { ws_auth_redis_command HGETALL session:$ws_token; ws_pass http://$TEST_BACKEND; }
--- client
key = "session:abc"
redis("SET", "other", '{"user":"other"}')
dump = b"\x00\x0f" + b'{"user":"dump"}'
changes = [
    ("set", lambda: redis("SET", key, '{"user":"set"}')),
    ("other", lambda: redis("COPY", "other", key, "REPLACE")),
    ("other", lambda: redis("RENAME", "other", key)),
    ("multi", lambda: (redis("MULTI"), redis("DEL", key), redis("SET", key, '{"user":"multi"}'), redis("EXEC"))),
    ("eval", lambda: redis("EVAL", "redis.call('SET', KEYS[1], ARGV[1])", 1, key, '{"user":"eval"}')),
    ("range", lambda: redis("SETRANGE", key, 0, '{"user":"range"}')),
]
for user, change in changes:
    redis("SET", key, '{"user":"ann"}')
    c, b = tunnel("/", cookie="X-Token=abc")
    b.recv_text()
    change()
    matches(b.recv_text(), '"event":"context".*"user":"%s"' % user)
    c.close(), b.close()

redis("DEL", key)
redis("HSET", key, "user", "ann", "n", "1")
c, b = tunnel("/hash", cookie="X-Token=abc")
matches(b.recv_text(), '"event":"open".*{"user":"ann","n":"1"}')
redis("HINCRBY", key, "n", 1)
matches(b.recv_text(), '"event":"context".*{"user":"ann","n":"2"}')
redis("HDEL", key, "n")
matches(b.recv_text(), '"event":"context".*{"user":"ann"}')
redis("HDEL", key, "user")
c.expect_close(4401, "session ended")

=== TEST 3: a key of the same name in another database is another key
--- redis
SET session:abc {"user":"ann"}
SELECT 1
SET session:abc {"user":"other"}
SELECT 0
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
ws_delivery envelope;
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", cookie="X-Token=abc")
b.recv_text()
reads = redis.calls("get")
redis("SELECT", 1)
redis("SET", "session:abc", '{"user":"bob"}')
redis("DEL", "session:abc")
redis("FLUSHDB")
redis("SELECT", 0)
wait_until(lambda: redis.calls("get") > reads, "Redis reports them by name")
c.send_text("hi")
matches(b.recv_text(), '"event":"message".*{"user":"ann"}')
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")

=== TEST 4: a session that Redis evicts for want of memory is gone
--- redis_own
--- client
redis("SET", "session:abc", '{"user":"ann"}')
c, b = tunnel("/", cookie="X-Token=abc")
redis("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
redis("CONFIG", "SET", "maxmemory", "1")
c.expect_close(4401, "session ended")
redis("CONFIG", "SET", "maxmemory", "0")

=== TEST 5: Redis tracks fewer keys than there are sessions: nobody is closed, all of the dead are
--- redis_own
--- client
redis("CONFIG", "SET", "tracking-table-max-keys", 2)
pairs = []
for n in range(6):
    redis("SET", f"session:{n}", '{"user":"ann"}')
    pairs.append(tunnel("/", cookie=f"X-Token={n}"))
reads = redis.calls("get")
wait_until(lambda: redis.calls("get") > reads + 12, "what Redis forgets is read again")
for n in range(0, 6, 2):
    redis("DEL", f"session:{n}")
    pairs[n][0].expect_close(4401, "session ended")
for n in range(1, 6, 2):
    pairs[n][0].send_text("still here")
    pairs[n][1].expect_text("still here")

=== TEST 6: reports that Redis can't get rid of fast enough: it cuts the connection, and nothing is lost
--- redis_own
--- client
redis("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1000 1 1")
tokens = [f"{n}".rjust(500, "x") for n in range(100)]
pairs = []
for token in tokens:
    redis("SET", "session:" + token, '{"user":"ann"}')
    pairs.append(tunnel("/", cookie="X-Token=" + token))
receiver = re.search(r"id=(\d+)", redis("CLIENT", "LIST", "TYPE", "pubsub"))[1]
redis("DEL", *("session:" + token for token in tokens[:99]))
wait_until(lambda: f"id={receiver} " not in redis("CLIENT", "LIST", "TYPE", "pubsub"), "it has been cut")
for c, b in pairs[:99]:
    c.expect_close(4401, "session ended")
c, b = pairs[99]
c.send_text("still here")
b.expect_text("still here")

=== TEST 7: Redis has no room for the connection of the reports for a while
--- redis_own
--- client
redis("SET", "session:abc", '{"user":"ann"}')
c, b = tunnel("/", cookie="X-Token=abc")
redis("CONFIG", "SET", "maxclients", 1)
redis("CLIENT", "KILL", "TYPE", "pubsub")
nginx.wait_log("reports no changes .*: sessions are read again every ws_auth_recheck")
redis("CONFIG", "SET", "maxclients", 1000)
nginx.wait_log("reports changes again")
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")

=== TEST 8: a proxy that cuts connections for commands it doesn't know: sessions are read again at intervals
--- redis: none
--- config
ws_redis unix:$TEST_DIR/fake.sock connections=1 timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_recheck 100ms;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
c = client("/", cookie="X-Token=abc")
s = None
gets = 0
over = False
while not over:
    waiting = [] if s and s.buffer else select.select([r.listener.sock] + ([s.sock] if s else []), [], [])[0]
    t = r.connection() if r.listener.sock in waiting else None
    words = t.command() if t else s.command()
    if words[0] == "CLIENT":
        t.close()
    elif words[0] == "PING":
        s = t or s
        s.send("+PONG\r\n")
    elif words[0] == "PTTL":
        s.send(":-1\r\n")
    else:
        equal(words, ["GET", "session:abc"])
        gets += 1
        over = gets >= 3 and "reports no changes" in nginx.error_log()
        s.send("$-1\r\n" if over else '$14\r\n{"user":"ann"}\r\n')
        if gets == 1:
            b = backend.accept()
            b.upgrade()
            equal(c.status, 101)
c.expect_close(4401, "session ended")
--- error_log
qr/reports no changes \(.*\): sessions are read again every ws_auth_recheck/

=== TEST 9: reads that waited for a login begun without reports are done again with them
--- redis: none
--- config
ws_redis unix:$TEST_DIR/fake.sock connections=1 timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
c = client("/", cookie="X-Token=abc")
receiver = r.receiver(7)
s = r.connection().tracked_login(7)
s.live_session("session:abc", '{"user":"ann"}')
b = backend.accept()
b.upgrade()
equal(c.status, 101)
receiver.close()
s.live_session("session:abc", '{"user":"ann"}')
s.close()
# Both are tried again. The receiver waits for its answer until the reader's login is under way.
first = r.connection()
first.expect("CLIENT", "ID")
second = r.connection()
second.expect("PING")
first.answer_receiver(8)
equal(get("/").status, 426)  # answered by the same worker, later
second.send("+PONG\r\n")
second.live_session("session:abc", '{"user":"ann"}')
second.expect("CLIENT", "TRACKING", "ON", "REDIRECT", "8")
second.send("+OK\r\n")
second.expect("GET", "session:abc")
second.send("$-1\r\n")
c.expect_close(4401, "session ended")

=== TEST 10: a receiver that Redis doesn't know any more is replaced, and its readers told
--- redis: none
--- config
ws_redis unix:$TEST_DIR/fake.sock connections=1 timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
from fake_redis import FakeRedis
gone = "-ERR The client ID you want redirect to does not exist\r\n"
r = FakeRedis("fake.sock")
c = client("/", cookie="X-Token=abc")
receiver = r.receiver(7)
s = r.connection()
s.expect("CLIENT", "TRACKING", "ON", "REDIRECT", "7")
s.expect("PING")
s.send(gone + "+PONG\r\n")
s.live_session("session:abc", '{"user":"ann"}')
s.expect("CLIENT", "TRACKING", "ON", "REDIRECT", "7")
s.send(gone)
receiver.expect_eof()
s.live_session("session:abc", '{"user":"ann"}')
b = backend.accept()
b.upgrade()
equal(c.status, 101)
r.receiver(8)
while (words := s.command())[0] != "CLIENT":
    s.send('$14\r\n{"user":"ann"}\r\n' if words[0] == "GET" else ":-1\r\n")
equal(words, ["CLIENT", "TRACKING", "ON", "REDIRECT", "8"])
s.send("+OK\r\n")
s.expect("GET", "session:abc")
s.send("$-1\r\n")
c.expect_close(4401, "session ended")

=== TEST 11: a session that has expired is gone, even if Redis takes long to notice
--- redis_own
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
location /cached { ws_auth_cache 60s; ws_pass http://$TEST_BACKEND; }
location /touched { ws_auth_touch 2s interval=100ms; ws_pass http://$TEST_BACKEND; }
location /hash { ws_auth_redis_command HGETALL hash:$ws_token; ws_pass http://$TEST_BACKEND; }
--- client
redis("DEBUG", "SET-ACTIVE-EXPIRE", 0)
redis("SET", "session:a", '{"user":"ann"}', "PX", 700)
redis("SET", "session:b", '{"user":"bob"}', "PX", 700)
redis("SET", "session:c", '{"user":"cid"}', "PX", 700)
redis("SET", "session:t", '{"user":"tom"}', "PX", 700)
redis("HSET", "hash:a", "user", "ann")
redis("PEXPIRE", "hash:a", 700)
a, ba = tunnel("/", cookie="X-Token=a")
b, bb = tunnel("/", cookie="X-Token=b")
c, bc = tunnel("/cached", cookie="X-Token=c")
t, bt = tunnel("/touched", cookie="X-Token=t")
h, bh = tunnel("/hash", cookie="X-Token=a")
redis("PEXPIRE", "session:b", 3600 * 1000)
for one in a, c, h:
    one.expect_close(4401, "session ended")
equal(client("/cached", cookie="X-Token=c").status, 401)
for one, other in (b, bb), (t, bt):
    one.send_text("still here")
    other.expect_text("still here")
# The time that it has got is over as well, one day.
redis("PEXPIRE", "session:b", 300)
b.expect_close(4401, "session ended")

=== TEST 12: who may not ask for the time to live hears of the end when Redis removes the key
--- redis
ACL SETUSER nottl on >pw ~* &* +@all -pttl
--- config
ws_redis $TEST_REDIS?user=nottl&password=pw;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:a", '{"user":"ann"}', "PX", 300)
a, ba = tunnel("/", cookie="X-Token=a")
a.expect_close(4401, "session ended")
redis("ACL", "DELUSER", "nottl")
