# Redis late, gone, back, refusing, or saying what makes no sense; clients and workers that leave meanwhile.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a Redis that is not there when nginx starts: 503, one line in the log; then it comes
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
for _ in range(10):
    equal(client("/", cookie="sid=abc").status, 503)
backend.no_connection()
equal(nginx.error_log().count("unreachable"), 1)
equal(nginx.error_log().count("is back"), 0)

r = FakeRedis("fake.sock")
s = r.accept()  # with nobody waiting: the gateway tries again by itself
nginx.wait_log("is back, 10 requests refused meanwhile")
c = client("/", cookie="sid=abc")
s.expect("GET", "session:abc")
s.bulk('{"user":"ann"}')
b = backend.accept()
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
--- error_log
qr/\[error\] .* ws: redis unix:\S+\/fake\.sock unreachable: connect\(\) failed \(2: No such file or directory\)/
qr/\[notice\] .* ws: redis unix:\S+\/fake\.sock is back/
qr/\[info\] .* ws: refused 503, connection=[0-9a-f]{32}: no connection/

=== TEST 2: a Redis that dies with lookups in flight: each of them is answered 503
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1 timeout=60s;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
clients = [client("/", cookie=f"sid={i}") for i in range(3)]
s = r.accept()
equal(sorted(s.command()[1] for _ in clients), ["session:0", "session:1", "session:2"])
s.send("$2\r\n{")  # half of a reply
s.close()
for c in clients:
    equal(c.status, 503)
backend.no_connection()

s = r.accept()
nginx.wait_log("is back, 3 requests refused meanwhile")
c = client("/", cookie="sid=abc")
s.expect("GET", "session:abc")
s.bulk("{}")
backend.accept().upgrade()
equal(c.status, 101)
equal(nginx.error_log().count("unreachable"), 1)
--- error_log
qr/unreachable: (closed by the server|recv\(\) failed)/

=== TEST 3: a Redis that hangs: 503 after timeout=, at once from then on, until it is back
--- redis_own
--- config
location / {
    ws_redis $TEST_REDIS timeout=300ms connect_timeout=200ms connections=1;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("SET", "session:abc", '{"user":"ann"}')
redis("SET", "session:other", "{}")
c, b = tunnel("/", cookie="sid=other")
redis.stop()
equal(client("/", cookie="sid=abc").status, 503)
nginx.wait_log("unreachable: no reply in time")
for _ in range(20):
    equal(client("/", cookie="sid=abc").status, 503)
c.send_text("the tunnel needs no Redis")
b.expect_text("the tunnel needs no Redis")
equal(nginx.error_log().count("unreachable"), 1)
redis.resume()
nginx.wait_log("is back, [0-9]+ requests refused meanwhile")
c, b = tunnel("/", cookie="sid=abc")
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
--- error_log
qr/refused 503, connection=[0-9a-f]{32}: no reply in time/

=== TEST 4: a real Redis that dies while a client waits, and an outage that says so once
--- redis_own
--- config
location / {
    ws_redis $TEST_REDIS timeout=60s;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("SET", "session:abc", "{}")
redis("SET", "session:other", "{}")
c, b = tunnel("/", cookie="sid=other")
redis.stop()
waiting = [client("/", cookie="sid=abc") for _ in range(5)]
redis.kill()
for c in waiting:
    equal(c.status, 503)
for _ in range(5):
    equal(client("/", cookie="sid=abc").status, 503)
equal(nginx.error_log().count("unreachable"), 1)

=== TEST 5: connections that Redis closes while nobody waits are opened again without a word
--- redis_own
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("SET", "session:abc", "{}")
for number in range(3):
    c, b = tunnel("/", cookie="sid=abc")
    wait_until(lambda: redis.calls("pttl") > number, "the last command that follows a lookup")
    c.close()
    b.close()
    check(redis("CLIENT", "KILL", "TYPE", "normal") > 0, "the gateway's connections")
--- no_error_log
ws: redis

=== TEST 6: what is no reply of Redis breaks the connection, and refuses who waits for it
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
answers = ["HTTP/1.1 400 Bad Request\r\n\r\n", "$x\r\n", "$-5\r\n", "*2\r\n$2\r\n{}\r\n!\r\n"]
for number, answer in enumerate(answers):
    c = client("/", cookie="sid=abc") if number == 0 else None
    s = r.accept()
    if c is None:
        wait_until(lambda: nginx.error_log().count("is back") == number, "the gateway is back")
        c = client("/", cookie="sid=abc")
    s.expect("GET", "session:abc")
    s.sock.sendall(answer.encode())  # in one piece: the gateway closes
    equal(c.status, 503, answer)
    s.expect_eof()
backend.no_connection()

=== TEST 7: a reply that nobody has asked for is not taken for the next client's
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
c = client("/", cookie="sid=abc")
s = r.accept()
s.expect("GET", "session:abc")
s.sock.sendall(b'$-1\r\n$15\r\n{"user":"evil"}\r\n')
equal(c.status, 401)
s.expect_eof()

=== TEST 8: error replies refuse with 503, a key of the wrong type with 500, and only their code is logged
--- redis
SET session:string {}
LPUSH session:list-sEcReT x
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location / { ws_pass http://$TEST_BACKEND; }
location /hash {
    ws_auth_redis_command HGETALL session:$ws_token;
    ws_pass http://$TEST_BACKEND;
}
location /fake {
    ws_redis unix:$TEST_DIR/fake.sock connections=1;
    ws_auth_live off;
    ws_pass http://$TEST_BACKEND;
}
--- client
equal(client("/", cookie="sid=list-sEcReT").status, 500)
equal(client("/hash", cookie="sid=string").status, 500)

from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
c = client("/fake", cookie="sid=abc")
s = r.accept()
for answer, status in [
    ("-ERR no sEcReT like session:abc\r\n", 503),
    ("-LOADING Redis is loading the dataset in memory\r\n", 503),
    ("-MOVED 1234 127.0.0.1:7000\r\n", 503),
    ("-sEcReT\r\n", 503),
    (":1\r\n", 500),
    ("+OK\r\n", 500),
    ("*1\r\n$2\r\n{}\r\n", 500),
    ("*2\r\n$1\r\na\r\n:1\r\n", 500),
    ("*2\r\n$1\r\na\r\n$-1\r\n", 500),
    ("$-1\r\n", 401),
    ("*-1\r\n", 401),
    ("*0\r\n", 401),
]:
    s.expect("GET", "session:abc")
    s.send(answer)
    equal(c.status, status, answer)
    c = client("/fake", cookie="sid=abc")
s.expect("GET", "session:abc")
s.bulk("{}")
backend.accept().upgrade()
equal(c.status, 101, "on the same connection to Redis")
backend.no_connection()
--- error_log
qr/\[error\] .* ws: refused 500, connection=[0-9a-f]{32}: WRONGTYPE,/
qr/: LOADING,/
--- no_error_log
sEcReT
unreachable

=== TEST 9: a password: the right one opens, the others refuse with 503, none is logged
--- redis_own
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location /right { ws_redis redis://:p%40ss%2Fw%25rd%20sEcReT@127.0.0.1:$TEST_REDIS_PORT; ws_pass http://$TEST_BACKEND; }
location /unix { ws_redis $TEST_REDIS?password=p%40ss%2Fw%25rd%20sEcReT; ws_pass http://$TEST_BACKEND; }
location /wrong { ws_redis redis://:other-sEcReT@127.0.0.1:$TEST_REDIS_PORT; ws_pass http://$TEST_BACKEND; }
location /none { ws_redis redis://127.0.0.1:$TEST_REDIS_PORT; ws_pass http://$TEST_BACKEND; }
--- client
redis("SET", "session:abc", "{}")
redis("CONFIG", "SET", "requirepass", "p@ss/w%rd sEcReT")
for path in "/right", "/unix":
    c, b = tunnel(path, cookie="sid=abc")
    equal(client(path, cookie="sid=nobody").status, 401)
for path in "/wrong", "/none":
    equal(client(path, cookie="sid=abc").status, 503, path)
    equal(client(path, cookie="sid=abc").status, 503, path)
backend.no_connection()
--- error_log
WRONGPASS
NOAUTH
--- no_error_log
sEcReT

=== TEST 10: an ACL user, and what it may not read
--- redis_own
--- config
ws_redis redis://gate%3Akeeper:sEcReT@127.0.0.1:$TEST_REDIS_PORT;
ws_auth redis;
ws_auth_token cookie:sid;
location / { ws_pass http://$TEST_BACKEND; }
location /other { ws_auth_key other:$ws_token; ws_pass http://$TEST_BACKEND; }
location /hash { ws_auth_redis_command HGETALL session:$ws_token; ws_pass http://$TEST_BACKEND; }
location /unknown { ws_redis redis://nobody:sEcReT@127.0.0.1:$TEST_REDIS_PORT; ws_pass http://$TEST_BACKEND; }
--- client
redis("ACL", "SETUSER", "gate:keeper", "on", ">sEcReT", "~session:*", "-@all", "+get", "+ping")
redis("SET", "session:abc", "{}")
redis("SET", "other:abc", "{}")
c, b = tunnel("/", cookie="sid=abc")
for path in "/other", "/hash", "/unknown":
    equal(client(path, cookie="sid=abc").status, 503, path)
backend.no_connection()
--- error_log
: NOPERM,
WRONGPASS
--- no_error_log
sEcReT

=== TEST 11: a database number
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location /0 { ws_redis redis://127.0.0.1:$TEST_REDIS_PORT; ws_pass http://$TEST_BACKEND; }
location /3 { ws_redis redis://127.0.0.1:$TEST_REDIS_PORT/3; ws_pass http://$TEST_BACKEND; }
location /4 { ws_redis $TEST_REDIS?db=4; ws_pass http://$TEST_BACKEND; }
location /99 { ws_redis $TEST_REDIS?db=99; ws_pass http://$TEST_BACKEND; }
--- client
for number in 0, 3, 4:
    redis("SELECT", number)
    redis("SET", "session:abc", '{"db":%d}' % number)
for number in 0, 3, 4:
    c, b = tunnel(f"/{number}", cookie="sid=abc")
    equal(b.header_all("X-WS-Context"), ['{"db":%d}' % number])
equal(client("/99", cookie="sid=abc").status, 503)
backend.no_connection()
--- error_log
unreachable: SELECT refused: ERR DB index is out of range

=== TEST 12: a host by name: each of its addresses is tried
--- redis
SET session:abc {}
--- config
location / {
    ws_redis redis://localhost:$TEST_REDIS_PORT;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="sid=abc")
equal(client("/", cookie="sid=nobody").status, 401)
--- no_error_log
unreachable

=== TEST 13: a client that leaves while its lookup is in flight takes nothing from the others
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
first = client("/", cookie="sid=first")
s = r.accept()
s.expect("GET", "session:first")
second = client("/", cookie="sid=second")
s.expect("GET", "session:second")
third = client("/", cookie="sid=third")
s.expect("GET", "session:third")

first.close()
wait_until(lambda: nginx.access_log().count(" 499 ") == 1, "the first client is seen to leave")
third.reset()
wait_until(lambda: nginx.access_log().count(" 499 ") == 2, "the third client is seen to leave")
s.bulk('{"user":"first"}')
s.bulk('{"user":"second"}')
b = backend.accept()
equal(b.header_all("X-WS-Context"), ['{"user":"second"}'])
b.upgrade()
equal(second.status, 101)
s.bulk('{"user":"third"}')

fourth = client("/", cookie="sid=fourth")
s.expect("GET", "session:fourth")
s.bulk('{"user":"fourth"}')
equal(backend.accept().header_all("X-WS-Context"), ['{"user":"fourth"}'])
backend.no_connection()
--- no_error_log
unreachable

=== TEST 14: a client that leaves before there is a connection to Redis
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1 connect_timeout=10s;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
first = client("/", cookie="sid=first")
s = r.connection()
second = client("/", cookie="sid=second")
first.close()
wait_until(lambda: " 499 " in nginx.access_log(), "the first client is seen to leave")
third = client("/", cookie="sid=third")
s.login()
contexts = []
while "third" not in contexts:
    name = s.command()[1].partition(":")[2]
    contexts.append(name)
    s.bulk('{"user":"%s"}' % name)
equal(sorted(backend.accept().header("X-WS-Context") for _ in range(2)), ['{"user":"second"}', '{"user":"third"}'])
backend.no_connection()

=== TEST 15: bytes that a client sends while its lookup is in flight reach the backend after the upgrade
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_auth_plain on;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
c = client("/", cookie="sid=abc")
s = r.accept()
s.expect("GET", "session:abc")
c.send_text("early")
c.send_text("birds " * 1000)
s.bulk("{}")
b = backend.accept().upgrade()
equal(c.status, 101)
b.expect_text("early")
b.expect_text("birds " * 1000)
c.send_text("late")
b.expect_text("late")

c = client(raw="POST / HTTP/1.1\r\nHost: localhost\r\nCookie: sid=abc\r\nContent-Length: 10\r\n\r\n01234")
s.expect("GET", "session:abc")
c.send("56789")
s.bulk("{}")
b = backend.accept()
equal(b.read_body(), b"0123456789")
b.respond("200 OK", ["Connection: close"], b"fine")
equal((c.status, c.body), (200, b"fine"))

=== TEST 16: replies that come a byte at a time, and many in one piece
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
c = client("/", cookie="sid=abc")
s = r.accept()
s.expect("GET", "session:abc")
for byte in b'$14\r\n{"user":"ann"}\r\n':
    s.send(bytes([byte]))
equal(backend.accept().header_all("X-WS-Context"), ['{"user":"ann"}'])

clients = {f"session:{i}": client(f"/{i}", cookie=f"sid={i}") for i in range(8)}
replies = b""
for _ in clients:
    key = s.command()[1]
    replies += b"$9\r\n{\"n\":\"%s\"}\r\n" % key[-1].encode()
s.send(replies)
for _ in clients:
    b = backend.accept()
    equal(b.header("X-WS-Context"), '{"n":"%s"}' % b.uri[1:])
backend.no_connection()

=== TEST 17: two hundred clients at once, each with its own session
--- workers: 2
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- backend
connection.upgrade()
connection.send_text(connection.header("X-WS-Context") + connection.uri)
opcode, payload = connection.recv_message()
equal(opcode, CLOSE)
connection.send_close(1000)
connection.expect_eof()
--- client
for i in range(0, 200, 2):
    redis("SET", f"session:{i}", '{"n":%d}' % i)
clients = [client(f"/{i}", cookie=f"sid={i}") for i in range(200)]
for i, c in enumerate(clients):
    equal(c.status, 401 if i % 2 else 101, str(i))
    if i % 2 == 0:
        c.expect_text('{"n":%d}/%d' % (i, i))
for c in clients[::2]:
    c.send_close(1000)
    c.expect_close(1000)
    c.expect_eof()
--- no_error_log
unreachable

=== TEST 18: a reload with lookups in flight: the old worker answers them, the new one has connections of its own
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1 timeout=60s;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
before = client("/", cookie="sid=before")
old = r.accept()
old.expect("GET", "session:before")
nginx.reload()
after = client("/", cookie="sid=after")
new = r.accept()
new.expect("GET", "session:after")
old.bulk('{"of":"old"}')
b = backend.accept()
equal(b.header("X-WS-Context"), '{"of":"old"}')
b.respond("404 Not Found", ["Connection: close"])
b.close()
equal(before.status, 404)
before.body
before.expect_eof()
old.expect_eof()
new.bulk('{"of":"new"}')
b = backend.accept()
equal(b.header("X-WS-Context"), '{"of":"new"}')
b.upgrade()
equal(after.status, 101)
--- no_error_log
unreachable

=== TEST 19: a reload closes idle connections to Redis
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=2;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
first = client("/", cookie="sid=nobody1")
s = r.accept()
s.expect("GET", "session:nobody1")
second = client("/", cookie="sid=nobody2")
t = r.accept()  # for those who come next, since the other is busy
s.expect("GET", "session:nobody2")
s.send("$-1\r\n$-1\r\n")
for c in first, second:
    equal(c.status, 401)
    c.close()
nginx.reload()
s.expect_eof()
t.expect_eof()
--- no_error_log
unreachable

=== TEST 20: told to quit with a lookup in flight, nginx answers it and goes
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=2 timeout=60s;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
c = client("/", cookie="sid=nobody")
s = r.accept()
s.expect("GET", "session:nobody")
nginx.quit()
nginx.wait_log("gracefully shutting down")
s.send("$-1\r\n")
equal(c.status, 401)
c.body
c.expect_eof()
s.expect_eof()

=== TEST 21: told to quit during an outage, nginx does not wait for Redis
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
equal(client("/", cookie="sid=abc").status, 503)

=== TEST 22: told to quit while Redis has not even answered the login, nginx refuses and goes
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock connections=1 connect_timeout=300ms;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
from fake_redis import FakeRedis
r = FakeRedis("fake.sock")
c = client("/", cookie="sid=abc")
s = r.connection()
s.expect("PING")
nginx.quit()
equal(c.status, 503)
--- error_log
no reply to the login in time

=== TEST 23: one server's outage is not another's
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location /up { ws_redis $TEST_REDIS; ws_pass http://$TEST_BACKEND; }
location /down { ws_redis redis://127.0.0.1:$TEST_CLOSED_PORT; ws_pass http://$TEST_BACKEND; }
--- client
for _ in range(3):
    equal(client("/down", cookie="sid=abc").status, 503)
    c, b = tunnel("/up", cookie="sid=abc")
backend.no_connection()

=== TEST 24: without ws_auth_plain or an upgrade, an outage is not even noticed
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
equal(get("/", cookie="sid=abc").status, 426)
equal(client("/").status, 401)
equal(client("/", cookie="sid=abc", key="x").status, 400)
--- no_error_log
unreachable

=== TEST 25: a POST that an outage refuses leaves its connection in order
--- redis: none
--- config
location / {
    ws_redis unix:$TEST_DIR/fake.sock;
    ws_auth_live off;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_auth_plain on;
    ws_pass http://$TEST_BACKEND;
}
location /free { return 200 "free"; }
--- client
c = client(raw="POST / HTTP/1.1\r\nHost: localhost\r\nCookie: sid=abc\r\nContent-Length: 5\r\n\r\nhello")
equal(c.status, 503)
c.request("GET /free HTTP/1.1\r\nHost: localhost\r\n\r\n")
equal((c.status, c.body), (200, b"free"))
backend.no_connection()

=== TEST 26: answers that have come while the worker was away are not late
--- redis_own
--- config
ws_redis $TEST_REDIS connections=1 timeout=2s;
ws_auth redis;
ws_auth_token cookie:sid;
ws_context_select;
location / { ws_delivery http; if ($ws_event) { return 204; } }
--- client
import time
for n in range(20):
    redis("SET", f"session:{n}", '{"a":"' + "x" * 60000 + '"}')
first = client("/", cookie="sid=0")
equal(first.status, 101)
redis.stop()
clients = [client("/", cookie=f"sid={n}") for n in range(1, 20)]
equal(get("/").status, 426)  # answered by the same worker, later
[worker] = nginx.worker_pids()
os.kill(worker, signal.SIGSTOP)
redis.resume()
wait_until(lambda: redis.calls("get") == 20, "Redis has answered")
time.sleep(2.1)  # longer than timeout=
os.kill(worker, signal.SIGCONT)
for c in clients:
    equal(c.status, 101)
--- no_error_log
ws: redis
