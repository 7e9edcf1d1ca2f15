# ws_status: what is counted, in each format, over all workers, reloads and deaths.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: connections, messages, bytes and closes are counted, in both deliveries
--- config
location /status { ws_status; }
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import status
now = status.figures()
equal(now["version"], 1)
equal(now["workers"], {"running": 1, "lost": 0})
equal((now["connections"]["open"], now["connections"]["opened"], now["closes"]), (0, 0, []))
h, hb = tunnel("/headers")
e, eb = tunnel("/envelope")
eb.recv_text()
h.send_text("abc")
hb.expect_text("abc")
for _ in range(3):
    e.send_text("12345")
    eb.recv_text()
    eb.send_binary(b"xy")
    e.expect_binary(b"xy")
now = status.figures()
equal(now["connections"]["open_by_delivery"], {"headers": 1, "envelope": 1, "http": 0, "multiplex": 0})
equal(now["messages"], {"in": 4, "out": 3})
# Frames: 2 bytes of header, 4 of mask from clients.
equal(now["bytes"], {"in": 9 + 3 * 11, "out": 3 * 4})
h.send_close(1000)
hb.expect_close(1000)
hb.send_close(1000)
h.expect_close(1000)
h.expect_eof()
eb.send_close(4001, "bye")
e.expect_close(4001)
e.send_close(4001)
e.expect_eof()
now = status.until(lambda now: now["connections"]["open"] == 0, "none is open")
equal(now["connections"]["opened_by_delivery"], {"headers": 1, "envelope": 1, "http": 0, "multiplex": 0})
equal(status.closes(now), {("1000", "client"): 1, ("4xxx", "backend"): 1})
equal(now["connections"]["lost"], 0)

=== TEST 2: what the client sent with its request, and what waits for a slow one, counts as well
--- config
location /status { ws_status; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import status
early = frame(TEXT, "early", mask=b"abcd")
c = client(raw=request_bytes("/ws") + early)
b = backend.accept()
large = "x" * 3000000
b.upgrade(then=frame(TEXT, large))
equal(c.status, 101)
b.expect_text("early")
c.expect_text(large)
equal(status.figures()["bytes"], {"in": len(early), "out": len(frame(TEXT, large))})
equal(status.figures()["messages"], {"in": 1, "out": 1})

=== TEST 3: close codes of clients and backends are counted under few labels
--- config
location /status { ws_status; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import status
def closed(code):
    c, b = tunnel("/ws")
    c.send_close(code)
    b.expect_close(code)
    b.send_close(code)
    c.expect_close(code)
    c.expect_eof()
for code in [1000, 1001, 1003, 3000, 3999, 4000, 4401, 4999]:
    closed(code)
closed(None)
c, b = tunnel("/ws")
c.send_frame(TEXT, "unmasked", mask=False)
c.expect_close(1002)
b.expect_close(1001)
b.send_close(1001)
c.expect_eof()
c, b = tunnel("/ws")
c.reset()
b.expect_eof()
b.close()
now = status.until(lambda now: now["connections"]["open"] == 0, "none is open")
equal(status.closes(now), {("1000", "client"): 1, ("1001", "client"): 1, ("1002", "client"): 1, ("1003", "client"): 1,
    ("1005", "client"): 1, ("1006", "client"): 1, ("3xxx", "client"): 2, ("4xxx", "client"): 2, ("4401", "client"): 1})

=== TEST 4: the results of the hook, how long it took, and what it asked Redis
--- redis
SET session:a {"user":"ann"}
SET session:broken {"user"
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t;
location /status { ws_status; }
location /ws { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /cached { ws_auth redis; ws_auth_cache 1h; ws_pass http://$TEST_BACKEND; }
location /open { ws_pass http://$TEST_BACKEND; }
--- client
import status
for wanted, request in [(401, {}), (401, {"cookie": "t=nobody"}), (500, {"cookie": "t=broken"}), (400, {"cookie": "t=a; t=a"}),
                        (403, {"cookie": "t=a", "origin": "http://elsewhere.example"}), (426, {"version": "12"})]:
    equal(client("/ws", **request).status, wanted)
pairs = [tunnel("/cached", cookie="t=a") for _ in range(3)]
pairs.append(tunnel("/open"))
now = status.figures()
equal(now["auth"]["results"], {"allowed": 3, "anonymous": 0, "unchecked": 0, "no_token": 1, "denied": 1, "unavailable": 0, "invalid": 1, "origin": 1, "malformed": 2})
equal(now["auth"]["duration"]["count"], 5)
equal(sum(bucket["count"] for bucket in now["auth"]["duration"]["buckets"]), 5)
check(now["auth"]["duration"]["sum_us"] > 0, "it took some time")
server, = now["redis"]
equal(server["server"], redis_name := server["server"])
matches(redis_name, r"^unix:/")
equal({name: server[name] for name in ["workers_up", "workers_down", "lookups", "cached", "reads", "outages"]},
      {"workers_up": 1, "workers_down": 0, "lookups": 5, "cached": 2, "reads": 3, "outages": 0})
check(server["connects"] >= 2, "a reader and the one for reports")

=== TEST 5: sessions that end or change
--- redis
SET session:a {"user":"ann"}
SET session:b {"user":"bob"}
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t;
location /status { ws_status; }
location /ws { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import json, status
pairs = [tunnel("/ws", cookie="t=a"), tunnel("/ws", cookie="t=a"), tunnel("/ws", cookie="t=b")]
for c, b in pairs:
    b.recv_text()
redis("SET", "session:a", '{"user":"eve"}')
for c, b in pairs[:2]:
    equal(json.loads(b.recv_text())["event"], "context")
redis("DEL", "session:b")
pairs[2][0].expect_close(4401)
now = status.figures()
equal((now["context_changes"], now["revocations"]), (2, 1))

=== TEST 6: pings, those without an answer, and commands that are none
--- config
location /status { ws_status; }
location /ws { ws_ping_interval 50ms; ws_pong_timeout 100ms; ws_pass http://$TEST_BACKEND; }
location /commands { ws_delivery envelope; ws_envelope_replies on; ws_pass http://$TEST_BACKEND; }
--- client
import status
c, b = tunnel("/ws")
b.expect_eof()
b.close()
now = status.until(lambda now: now["connections"]["open"] == 0, "it was given up")
equal((now["pings"], now["pongs_missed"]), (1, 1))
equal(status.closes(now), {("1006", "client"): 1})
c, b = tunnel("/commands")
for _ in range(5):
    b.send_text("no command")
b.send_text('{"message":"m","type":"text","data":"x"}')
b.send_text('{"event":"message","type":"text","data":"x"}')
c.recv_frame()
check(status.figures()["commands_dropped"] >= 5, "each is counted")

=== TEST 7: Redis goes and comes back
--- redis_own
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t;
location /status { ws_status; }
location /ws { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
import status
redis("SET", "session:a", "{}")
tunnel("/ws", cookie="t=a")
equal(status.Metrics().value("ws_redis_up", server=status.figures()["redis"][0]["server"]), 1)
redis.kill()
now = status.until(lambda now: client("/ws", cookie="t=a").status == 503 and now["redis"][0]["workers_down"] == 1, "Redis is down")
equal((now["redis"][0]["outages"], now["redis"][0]["workers_up"]), (1, 0))
check(status.figures()["auth"]["results"]["unavailable"] >= 1, "503 is counted")
equal(status.Metrics().value("ws_redis_up", server=now["redis"][0]["server"]), 0)
--- error_log
unreachable

=== TEST 8: Prometheus' own library reads the text, and finds the same
--- redis
SET session:a {"user":"ann"}
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t;
location /status { ws_status; }
location /ws { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
import status
c, b = tunnel("/ws", cookie="t=a")
c.send_text("abc")
b.expect_text("abc")
d, db = tunnel("/ws", cookie="t=a")
d.send_close(1000)
db.expect_close(1000)
db.send_close(1000)
d.expect_close(1000)
d.expect_eof()
status.until(lambda now: now["connections"]["open"] == 1, "one is left")
m = status.Metrics()
equal(m.type, "text/plain; version=0.0.4; charset=utf-8")
equal(m.value("ws_connections", delivery="headers"), 1)
equal(m.value("ws_connections_opened_total", delivery="headers"), 2)
equal(m.value("ws_messages_total", direction="in"), 1)
equal(m.value("ws_transferred_bytes_total", direction="in"), 9 + 8)
equal(m.value("ws_close_total", code="1000", by="client"), 1)
equal(m.value("ws_auth_total", result="allowed"), 2)
equal(m.value("ws_auth_duration_seconds_count"), 2)
equal(m.value("ws_auth_duration_seconds_bucket", le="+Inf"), 2)
check(0 < m.value("ws_auth_duration_seconds_sum") < 60, "seconds")
server = status.figures()["redis"][0]["server"]
equal(m.value("ws_redis_up", server=server), 1)
equal(m.value("ws_redis_workers", server=server, state="up"), 1)
buckets = [value for (name, labels), value in m.samples.items() if name == "ws_auth_duration_seconds_bucket"]
equal(buckets, sorted(buckets), "buckets are cumulative")
equal(len(buckets), 13)
equal([family.type for family in m.families.values() if family.type not in ("gauge", "counter", "histogram")], [])
for name, family in m.families.items():
    check(family.documentation, f"HELP of {name}")
    check(name.startswith("ws_"), f"prefix of {name}")
    # The library takes _total off a counter's name.
    equal(f"# TYPE {name}_total counter" in m.text, family.type == "counter", f"only counters end in _total: {name}")
equal(len(m.samples), sum(len(family.samples) for family in m.families.values()), "each series once")
check(len(m.samples) < 120, "few series")
with open("docs/status.md", encoding="utf-8") as file:
    documented = set(re.findall(r"`(ws_\w+)`", "".join(line.split("|")[1] for line in file if line.startswith("| `ws_"))))
equal({name + ("_total" if family.type == "counter" else "") for name, family in m.families.items()}, documented)

=== TEST 9: the format is the argument's, the directive's, or what Accept names
--- config
location /status { ws_status; }
location /metrics { ws_status prometheus; }
location /page { ws_status html; }
location /json { ws_status json; }
--- client
def kind(path, accept=None):
    c = get(path, headers=[("Accept", accept)] if accept else [])
    equal(c.status, 200)
    equal(c.header("Cache-Control"), "no-store")
    return c.header("Content-Type").split(";")[0]
browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
scraper = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
equal(kind("/status"), "application/json")
equal(kind("/status", "*/*"), "application/json")
equal(kind("/status", browser), "text/html")
equal(kind("/status", scraper), "text/plain")
equal(kind("/metrics", browser), "text/plain")
equal(kind("/page"), "text/html")
equal(kind("/json", browser), "application/json")
equal(kind("/metrics?format=json", browser), "application/json")
equal(kind("/json?format=prometheus"), "text/plain")
equal(kind("/json?format=html"), "text/html")
equal(kind("/json?format=icon"), "image/svg+xml")
equal(kind("/json?format=css"), "text/css")
equal(kind("/json?format=js"), "text/javascript")
equal(get("/status?format=xml").status, 400)
c = get("/status", method="HEAD")
equal(c.status, 200)
c.expect_eof()
equal(get("/status", method="POST", headers=[("Content-Length", "0")]).status, 405)

=== TEST 10: a hook above doesn't guard it, allow and deny do; in `if` it stays
--- redis
--- config
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:t;
location /status { ws_status; }
location /closed { ws_status; deny all; }
location /with_if { ws_status prometheus; if ($arg_x) { set $y 1; } }
location /status/nested { ws_pass http://$TEST_BACKEND; }
--- client
equal(get("/status").status, 200)
equal(get("/closed").status, 403)
equal(get("/with_if?x=1").header("Content-Type").split(";")[0], "text/plain")
equal(get("/status/nested").status, 426)
equal(client("/status/nested").status, 401)

=== TEST 11: workers count together
--- workers: 2
--- events
accept_mutex off;
--- config
listen 127.0.0.1:$TEST_TLS_PORT reuseport;
location /status { ws_status; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import status
# Until each worker has one.
pairs = [tunnel("/ws", port=TLS_PORT) for _ in range(40)]
now = status.until(lambda now: now["workers"]["running"] == 2, "both workers run")
equal(now["connections"]["open"], 40)
for c, b in pairs:
    c.send_text("x")
    b.expect_text("x")
equal(status.figures()["messages"]["in"], 40)

=== TEST 12: a reload loses no count, and connections of the old worker are open until they end
--- config
location /status { ws_status; }
location /ws { ws_drain_timeout 0; ws_pass http://$TEST_BACKEND; }
--- client
import status
old, = nginx.worker_pids()
pairs = [tunnel("/ws") for _ in range(3)]
for c, b in pairs:
    c.send_text("before")
    b.expect_text("before")
nginx.reload()
now = status.figures()
equal(now["workers"], {"running": 2, "lost": 0})
equal((now["connections"]["open"], now["messages"]["in"]), (3, 3))
pairs.append(tunnel("/ws"))
equal(status.figures()["connections"]["open"], 4)
for c, b in pairs:
    c.send_text("after")
    b.expect_text("after")
for c, b in pairs:
    c.send_close(1000)
    b.expect_close(1000)
    b.send_close(1000)
    c.expect_close(1000)
    c.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")
now = status.until(lambda now: now["connections"]["open"] == 0, "none is open")
equal(now["workers"], {"running": 1, "lost": 0})
equal((now["connections"]["opened"], now["connections"]["lost"], now["messages"]["in"]), (4, 0, 7))
equal(status.closes(now), {("1000", "client"): 4})

=== TEST 13: twenty reloads leave one worker's figures
--- config
location /status { ws_status; }
location /ws { ws_drain_timeout 1ms; ws_pass http://$TEST_BACKEND; }
--- client
import status
for n in range(20):
    c, b = tunnel("/ws")
    nginx.reload()
    c.expect_close(1012)
    b.expect_close(1001)
    c.send_close(1012)
    b.send_close(1001)
    c.expect_eof()
now = status.until(lambda now: now["workers"]["running"] == 1, "one worker is left")
equal((now["connections"]["open"], now["connections"]["opened"], now["connections"]["lost"]), (0, 20, 0))
equal(status.closes(now), {("1012", "gateway"): 20})
equal(now["workers"]["lost"], 0)

=== TEST 14: what a killed worker had open is open no more
--- workers: 2
--- config
location /status { ws_status; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import status
pairs = [tunnel("/ws") for _ in range(20)]
for c, b in pairs:
    c.send_text("x")
    b.expect_text("x")
# They are counted at the end of the event that has passed them on.
status.until(lambda now: now["messages"]["in"] == 20, "all are counted")
before = nginx.worker_pids()
for victim in before:
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(nginx.worker_pids()) == 2 and victim not in nginx.worker_pids(), "another worker is there")
for c, b in pairs:
    c.expect_eof()
# A worker counts from its first turn on, a moment after its process is there.
wait_until(lambda: status.figures()["workers"] == {"running": 2, "lost": 2}, "two workers run, two were lost")
now = status.figures()
equal((now["connections"]["open"], now["connections"]["lost"], now["connections"]["opened"]), (0, 20, 20))
equal(now["messages"]["in"], 20)
pair = tunnel("/ws")
now = status.figures()
equal((now["connections"]["open"], now["connections"]["opened"]), (1, 21))
equal(status.Metrics().value("ws_connections_lost_total"), 20)
--- expect_alert
qr/worker process \d+ exited on signal 9/

=== TEST 15: a draining worker that is killed takes its connections with it
--- config
location /status { ws_status; }
location /ws { ws_drain_timeout 0; ws_pass http://$TEST_BACKEND; }
--- client
import status
old, = nginx.worker_pids()
c, b = tunnel("/ws")
nginx.reload()
d, db = tunnel("/ws")
equal(status.figures()["connections"]["open"], 2)
os.kill(old, signal.SIGKILL)
c.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")
now = status.figures()
equal((now["connections"]["open"], now["connections"]["lost"], now["workers"]), (1, 1, {"running": 1, "lost": 1}))
--- expect_alert
qr/worker process \d+ exited on signal 9/

=== TEST 16: what nginx ends by itself is closed by the gateway
--- main_config
worker_shutdown_timeout 100ms;
--- config
location /status { ws_status; }
location /ws { ws_drain_timeout 0; ws_pass http://$TEST_BACKEND; }
--- client
import status
c, b = tunnel("/ws")
nginx.reload()
c.expect_eof()
now = status.until(lambda now: now["connections"]["open"] == 0, "none is open")
equal(status.closes(now), {("1006", "gateway"): 1})
--- error_log
qr/\[info\].* ws: closed connection=[0-9a-f]{32} by=gateway code=1006 messages_in=0 messages_out=0 by nginx/

=== TEST 17: ws_status has one of three formats
--- config
location /status { ws_status xml; }
--- must_die
--- error_log
"ws_status" directive has a wrong value "xml": it must be json or prometheus or html

=== TEST 18: it stands in a location
--- config
ws_status;
--- must_die
--- error_log
"ws_status" directive is not allowed here

=== TEST 19: once
--- config
location /status { ws_status; ws_status; }
--- must_die
--- error_log
"ws_status" directive is duplicate

=== TEST 20: its location has no other answer
--- config
location /status { ws_status; proxy_pass http://127.0.0.1:1; }
--- must_die
--- error_log
"ws_status" can't share location "/status" with another directive that answers its requests

=== TEST 21: nor ws_pass
--- config
location /status { ws_pass http://127.0.0.1:1; ws_status; }
--- must_die
--- error_log
can't share location "/status" with another directive that answers its requests

=== TEST 22: no session guards it
--- config
location /status { ws_redis redis://127.0.0.1; ws_auth_token cookie:t; ws_auth redis; ws_status; }
--- must_die
--- error_log
"ws_auth" doesn't guard "ws_status" in location "/status": use allow, deny, auth_basic or auth_request

=== TEST 23: a binary upgrade: each binary shows its own workers
--- config
location /status { ws_status; }
location / { ws_drain_timeout 1ms; ws_pass http://$TEST_BACKEND; }
--- client
import drain, json, status

def pid_in(name):
    try:
        with open(os.path.join(TEST_DIR, name)) as file:
            return int(file.read() or 0)
    except FileNotFoundError:
        return 0

def workers():
    return len(re.findall(r"start worker process \d+", nginx.error_log()))

def figures():
    return json.loads(get("/status", port=TLS_PORT).body)

before = workers()
drain.start_daemon("upgraded", port=TLS_PORT)
old = wait_until(lambda: workers() > before and pid_in("upgraded.pid"), "it runs")
c, b = tunnel("/", port=TLS_PORT)
c.send_text("x")
b.expect_text("x")
equal((figures()["connections"]["open"], figures()["messages"]["in"]), (1, 1))
before = workers()
os.kill(old, signal.SIGUSR2)
new = wait_until(lambda: pid_in("upgraded.pid.oldbin") == old and workers() > before and pid_in("upgraded.pid"),
                 "the new binary runs")
os.kill(old, signal.SIGQUIT)
c.expect_close(1012)
b.expect_close(1001)
c.send_close(1012)
b.send_close(1001)
c.expect_eof()
wait_until(lambda: not running(old), "the old one is gone")
now = figures()
equal((now["workers"], now["connections"]["opened"], now["messages"]["in"], now["closes"]), ({"running": 1, "lost": 0}, 0, 0, []))
c, b = tunnel("/", port=TLS_PORT)
equal(figures()["connections"]["opened"], 1)
c.close()
b.expect_eof()
b.close()
os.kill(new, signal.SIGQUIT)
wait_until(lambda: not running(new), "the new one is gone as well")
