# ws_control: connections are listed, looked at, closed, sent messages and given other contexts, wherever they are.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: one worker: a connection is listed and looked at; no token is shown
--- redis
SET session:secret {"user":{"id":"42","name":"ann"},"age":7}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location /control/ { ws_control; }
location /ws { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready()
equal(control.call("GET", "/connections").body, {"connections": [], "next": None})
c, b = tunnel("/ws?t=secret", cookie="t=secret")
id = b.header("X-WS-Connection-Id")
c.send_text("abc")
b.expect_text("abc")
answer = control.call("GET", f"/connections/{id}")
equal(answer.status, 200)
age = answer.body.pop("age_ms")
check(0 <= age < 60000, "an age")
equal(answer.body, {"id": id, "session": control.session_name("secret"), "delivery": "headers", "path": "/ws", "client": "127.0.0.1",
    "messages_in": 1, "messages_out": 0, "bytes_in": 9, "bytes_out": 0,
    "context": {"user": {"id": "42", "name": "ann"}, "age": 7}})
e, eb = tunnel("/envelope", cookie="t=secret")
listed = control.call("GET", "/connections").body
equal(len(listed["connections"]), 2)
equal(sorted(one["delivery"] for one in listed["connections"]), ["envelope", "headers"])
equal(listed["next"], None)
head = control.start("HEAD", f"/connections/{id}")
equal(head.status, 200)
head.expect_eof()
equal(control.call("GET", "/connections").header("Cache-Control"), "no-store")
check("secret" not in str(listed), "no token")

=== TEST 2: a message for the client, text and binary, in both deliveries
--- config
ws_redis $TEST_REDIS;
location /control { ws_control; }
location /ws { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import control
for path in ["/ws", "/envelope"]:
    c, b = tunnel(path)
    id = b.header("X-WS-Connection-Id")
    equal(control.send(id, "grüß dich").status, 202)
    c.expect_text("grüß dich")
    equal(control.send(id, b"\x00\xff", "application/octet-stream").status, 202)
    c.expect_binary(b"\x00\xff")
    equal(control.send(id, '{"a":1}', "application/json; charset=utf-8").status, 202)
    c.expect_text('{"a":1}')
    equal(control.send(id, "").status, 202)
    c.expect_text("")
    large = "x" * 100000
    equal(control.send(id, large).status, 202)
    c.expect_text(large)
    b.send_text("of the backend")
    c.expect_text("of the backend")
    equal(control.call("GET", f"/connections/{id}").body["messages_out"], 6)

=== TEST 3: headers delivery: a message waits for the end of the backend's message under way, and of its fragments
--- config
ws_redis $TEST_REDIS;
location /control { ws_control; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
c, b = tunnel("/ws")
id = b.header("X-WS-Connection-Id")
b.send_frame(TEXT, "one ", fin=False)
equal(c.recv_frame(), (False, 0, TEXT, b"one "))
equal(control.send(id, "pushed").status, 202)
equal(control.send(id, "too").status, 202)
b.send_ping(b"p")
equal(c.recv_frame(), (True, 0, PING, b"p"))
last = frame(CONTINUATION, "message")
b.send(last[:3])
c.expect_bytes(last[:3])
b.send(last[3:] + frame(TEXT, "next"))
c.expect_bytes(last[3:])
c.expect_text("pushed")
c.expect_text("too")
c.expect_text("next")
b.send_text("and on")
c.expect_text("and on")
# So much may wait, not more.
b.send_frame(TEXT, "open", fin=False)
c.recv_frame()
equal(control.send(id, "y" * 60000).status, 202)
answer = control.send(id, "z" * 6000)
equal(answer.status, 503)
equal(answer.header("Retry-After"), "1")
b.send_frame(CONTINUATION, "end")
equal(c.recv_frame(), (True, 0, CONTINUATION, b"end"))
c.expect_text("y" * 60000)

=== TEST 4: headers delivery with an extension between the ends: a message without it
--- config
ws_redis $TEST_REDIS;
location /control { ws_control; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
c, b = tunnel("/ws", headers=[("Sec-WebSocket-Extensions", "permessage-deflate")],
              headers_back=[("Sec-WebSocket-Extensions", "permessage-deflate")])
id = b.header("X-WS-Connection-Id")
b.send_frame(TEXT, b"\xca\x48\x04\x00", rsv=4)
equal(c.recv_frame(), (True, 4, TEXT, b"\xca\x48\x04\x00"))
equal(control.send(id, "plain").status, 202)
equal(c.recv_frame(), (True, 0, TEXT, b"plain"))

=== TEST 5: the context of a connection is patched, in envelope delivery; the backend is told
--- redis
SET session:a {"user":{"id":"42"},"old":1}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location /control { ws_control; }
location /ws { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_max_session_size 200; ws_pass http://$TEST_BACKEND; }
--- client
import control, json
c, b = tunnel("/envelope", cookie="t=a")
id = b.header("X-WS-Connection-Id")
b.recv_text()
equal(control.patch(id, {"room": "blue", "old": None}).status, 204)
new = {"user": {"id": "42"}, "room": "blue"}
equal(json.loads(b.recv_text()), {"event": "context", "connection": id, "context": new})
c.send_text("x")
equal(json.loads(b.recv_text())["context"], new)
equal(control.call("GET", f"/connections/{id}").body["context"], new)
equal(len(control.connections("context.room=blue")), 1)
equal(len(control.connections("context.room=red")), 0)
equal(control.patch(id, {"large": "x" * 300}).status, 413)
equal(control.patch(id, []).status, 400)
equal(control.call("PATCH", f"/connections/{id}/context", '{"a":', "application/merge-patch+json").status, 400)
equal(control.call("GET", f"/connections/{id}").body["context"], new)
d, db = tunnel("/ws", cookie="t=a")
equal(control.patch(db.header("X-WS-Connection-Id"), {"a": 1}).status, 409)
--- error_log
qr/\[info\].* ws: ws_control context, connection=[0-9a-f]{32}/

=== TEST 6: a connection is closed with code and reason; afterwards it is gone
--- config
ws_redis $TEST_REDIS;
location /control { ws_control; }
location /ws { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import control, json
for path in ["/ws", "/envelope"]:
    c, b = tunnel(path)
    id = b.header("X-WS-Connection-Id")
    if path == "/envelope":
        b.recv_text()
    equal(control.call("DELETE", f"/connections/{id}?code=4000&reason=bye%20now").status, 204)
    c.expect_close(4000, "bye now")
    if path == "/envelope":
        equal(json.loads(b.recv_text()), {"event": "close", "connection": id, "code": 4000, "reason": "bye now"})
    b.expect_close(1001)
    # It is ending, and then it has ended.
    equal(control.send(id, "late").status, 410)
    equal(control.call("DELETE", f"/connections/{id}").status, 410)
    c.send_close(4000)
    b.send_close(1001)
    c.expect_eof()
    equal(control.send(id, "late").status, 410)
    equal(control.call("GET", f"/connections/{id}").status, 410)
c, b = tunnel("/ws")
equal(control.call("DELETE", "/connections/" + b.header("X-WS-Connection-Id")).status, 204)
c.expect_close(1000, "")
--- error_log
as the operator wished
qr/\[info\].* ws: ws_control close, connection=[0-9a-f]{32}/
qr/\[info\].* ws: ws_control message, connection=[0-9a-f]{32}/

=== TEST 7: many are closed by session, and by fields of the context
--- redis
SET session:a {"user":{"id":42},"room":"blue"}
SET session:b {"user":{"id":"42"},"room":"blue"}
SET session:c {"user":{"id":"43"},"room":"red"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:t;
location /control { ws_control; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready()
pairs = {t: [tunnel("/ws", cookie="t=" + t) for _ in range(3)] for t in "abc"}
equal(control.call("DELETE", "/connections?code=4001&reason=out&session=" + control.session_name("a")).body, {"closed": 3})
for c, b in pairs["a"]:
    c.expect_close(4001, "out")
equal(control.call("DELETE", "/connections?session=" + control.session_name("nobody")).body, {"closed": 0})
equal(control.call("DELETE", "/connections?context.room=blue&context.user.id=43").body, {"closed": 0})
equal(control.call("DELETE", "/connections?context.user.id=42&context.room=blue").body, {"closed": 3})
for c, b in pairs["b"]:
    c.expect_close(1000)
for c, b in pairs["c"]:
    c.send_text("still here")
    b.expect_text("still here")
equal(len(control.connections("context.room=red")), 3)

=== TEST 8: wrong requests of every kind
--- config
ws_redis $TEST_REDIS;
client_max_body_size 2m;
location /control { ws_control; }
location /ws { ws_max_message_size 1k; ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready()
c, b = tunnel("/ws")
id = b.header("X-WS-Connection-Id")
one = f"/connections/{id}"
nobody = "/connections/" + "0" * 32
call = control.call
for path in ["", "/", "/connection", "/connectionsx", f"{one}/", f"{one}/other", f"{one}/messages/1", "/connections/", "/connections/xyz",
             f"/connections/{id.upper()}" if id.upper() != id else "/connections/x"]:
    equal(call("GET", path).status, 404, path)
equal(call("GET", nobody).status, 404)
equal(call("DELETE", nobody).status, 404)
equal(control.send("0" * 32, "x").status, 404)
equal(control.patch("0" * 32, {}).status, 404)
for method, path, allow in [("POST", "/connections", "GET, HEAD, DELETE"), ("PUT", one, "GET, HEAD, DELETE"),
                            ("GET", f"{one}/messages", "POST"), ("POST", f"{one}/context", "PATCH")]:
    answer = call(method, path)
    equal((answer.status, answer.header("Allow")), (405, allow))
equal(call("DELETE", "/connections").status, 400)
equal(call("DELETE", "/connections?code=4000").status, 400)
for query in ["limit=0", "limit=1001", "limit=x", "limit=-1", "limit=1&limit=2", "after=x", "session=secret", "session=" + "0" * 32, "context.=1", "x=1", "limit=%zz",
              "code=4000", "&".join(f"context.a{n}=1" for n in range(9))]:
    equal(call("GET", f"/connections?{query}").status, 400, query)
for query in ["code=999", "code=1004", "code=1005", "code=1006", "code=1015", "code=2000", "code=5000", "code=99999", "code=x", "code=",
              "reason=%ff", "reason=" + "x" * 124, "limit=1", "session=" + "0" * 64]:
    equal(call("DELETE", f"{one}?{query}").status, 400, query)
for type in [None, "text/html", "multipart/form-data", "application/xml"]:
    equal(control.send(id, "x", type).status, 415)
    equal(call("PATCH", f"{one}/context", "{}", type).status, 415)
equal(control.send(id, b"\xff").status, 400)
equal(call("POST", f"{one}/messages?code=1", "x", "text/plain").status, 400)
equal(control.send(id, "x" * 1025).status, 413)
equal(control.send(id, "x" * 1024).status, 202)
c.expect_text("x" * 1024)
equal(control.start("POST", f"{one}/messages", b"x" * 2097153, "text/plain").status, 413)
equal(call("GET", "/connections?limit=1000").body["connections"][0]["messages_out"], 1)
equal(call("DELETE", f"{one}?code=4999&reason=" + "x" * 123).status, 204)
c.expect_close(4999, "x" * 123)

=== TEST 9: a client that doesn't read: what waits for it is bounded
--- timeout: 60
--- config
ws_redis $TEST_REDIS;
client_max_body_size 2m;
location /control { ws_control; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
c, b = tunnel("/ws", receive_buffer=4096)
id = b.header("X-WS-Connection-Id")
large = "x" * 1000000
taken = 0
while (answer := control.send(id, large)).status == 202:
    taken += 1
    check(taken < 50, "there is a bound")
equal(answer.status, 503)
check(taken > 0, "something was taken")
for n in range(taken):
    c.expect_text(large)
equal(control.send(id, "again").status, 202)
c.expect_text("again")

=== TEST 10: four workers: whoever is asked knows all
--- workers: 4
--- events
accept_mutex off;
--- redis
SET session:a {"user":"ann"}
SET session:b {"user":"bob"}
--- config
listen 127.0.0.1:$TEST_TLS_PORT reuseport;
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:t;
location /control { ws_control; }
location /ws { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready(4, port=TLS_PORT)
pairs = [tunnel("/ws", cookie="t=" + "ab"[n % 2], port=TLS_PORT) for n in range(40)]
by_id = {b.header("X-WS-Connection-Id"): (c, b) for c, b in pairs}
for c, b in pairs:
    b.recv_text()
equal([one["id"] for one in control.connections("limit=7", port=TLS_PORT)], sorted(by_id))
equal(len(control.connections("context.user=ann&limit=1000", port=TLS_PORT)), 20)
for id, (c, b) in by_id.items():
    equal(control.call("GET", f"/connections/{id}", port=TLS_PORT).body["id"], id)
    equal(control.send(id, id, port=TLS_PORT).status, 202)
    c.expect_text(id)
    equal(control.patch(id, {"id": id}, port=TLS_PORT).status, 204)
    matches(b.recv_text(), f'"context":{{"user":"...","id":"{id}"}}')
equal(control.call("GET", "/connections/" + "f" * 32, port=TLS_PORT).status, 404)
equal(control.call("DELETE", "/connections?context.user=ann&code=4000", port=TLS_PORT).body, {"closed": 20})
for n, (c, b) in enumerate(pairs):
    if n % 2 == 0:
        c.expect_close(4000)
for c, b in pairs[1::2]:
    id = b.header("X-WS-Connection-Id")
    equal(control.call("DELETE", f"/connections/{id}?code=4002", port=TLS_PORT).status, 204)
    c.expect_close(4002)
    equal(control.send(id, "late", port=TLS_PORT).status, 410)

=== TEST 11: a worker that hangs: who asks about what nobody else has is told so
--- workers: 2
--- timeout: 60
--- events
accept_mutex off;
--- config
listen 127.0.0.1:$TEST_TLS_PORT reuseport;
ws_redis $TEST_REDIS;
location /control { ws_control timeout=300ms; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready(2, port=TLS_PORT)
pairs = [tunnel("/ws", port=TLS_PORT) for _ in range(30)]
first, second = nginx.worker_pids()
os.kill(first, signal.SIGSTOP)
try:
    def ask(path):
        # A request that the stopped worker has got is never answered: another one is sent meanwhile.
        for _ in range(60):
            c = control.start("GET", path, port=TLS_PORT)
            if select.select([c.sock], [], [], 1.5)[0]:
                return control.Answer(c)
        fail("nobody answers")
    listed = ask("/connections")
    equal(listed.status, 504)
    matches(listed.body["detail"], "1 of 2 workers")
    equal(ask("/connections/" + "0" * 32).status, 504)
    statuses = {ask("/connections/" + b.header("X-WS-Connection-Id")).status for c, b in pairs[:8]}
    check(statuses <= {200, 504} and 200 in statuses, f"what the other one has is answered: {statuses}")
finally:
    os.kill(first, signal.SIGCONT)
wait_until(lambda: control.call("GET", "/connections?limit=1000", port=TLS_PORT).status == 200, "all answer again")
equal(len(control.connections(port=TLS_PORT)), 30)

=== TEST 12: two machines on one Redis
--- config
ws_redis $TEST_REDIS;
location /control { ws_control; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control, subprocess
port = socket.create_server(("127.0.0.1", 0))
number = port.getsockname()[1]
port.close()
with open(os.path.join(TEST_DIR, "nginx.conf"), encoding="utf-8") as file:
    conf = file.read()
conf = conf.replace(f"listen 127.0.0.1:{PORT};", f"listen 127.0.0.1:{number};").replace(TEST_DIR + "/nginx.pid", TEST_DIR + "/second.pid")
conf = conf.replace(TEST_DIR + "/error.log", TEST_DIR + "/second.log").replace(TEST_DIR + "/nginx.lock", TEST_DIR + "/second.lock")
with open(os.path.join(TEST_DIR, "second.conf"), "w", encoding="utf-8") as file:
    file.write(conf)
binary = os.readlink(f"/proc/{nginx.pid}/exe")
environment = {name: value for name, value in os.environ.items() if name != "NGINX"}
second = subprocess.Popen([binary, "-p", TEST_DIR, "-e", f"{TEST_DIR}/second.log", "-c", f"{TEST_DIR}/second.conf"], env=environment)
try:
    control.ready(2)
    c, b = tunnel("/ws")
    d, db = tunnel("/ws", port=number)
    here, there = b.header("X-WS-Connection-Id"), db.header("X-WS-Connection-Id")
    for ask in [PORT, number]:
        equal([one["id"] for one in control.connections(port=ask)], sorted([here, there]))
        for id, client_ in [(here, c), (there, d)]:
            equal(control.send(id, f"by {ask}", port=ask).status, 202)
            client_.expect_text(f"by {ask}")
    equal(control.call("DELETE", f"/connections/{there}?code=4000").status, 204)
    d.expect_close(4000)
    db.expect_close(1001)
    d.send_close(4000)
    db.send_close(1001)
    d.expect_eof()
    # Closed there not long ago.
    equal(control.call("GET", f"/connections/{there}").status, 410)
finally:
    second.terminate()
    equal(second.wait(), 0)
# Without it, all the others are there.
wait_until(lambda: control.call("GET", "/connections").status == 200, "one worker is left")
equal(control.call("GET", f"/connections/{there}").status, 404)

=== TEST 13: Redis is gone: what this worker has is reached all the same, anything else is a 503; and it comes back
--- redis_own
--- timeout: 60
--- config
ws_redis $TEST_REDIS;
location /control { ws_control timeout=500ms; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready()
c, b = tunnel("/ws")
id = b.header("X-WS-Connection-Id")
redis.stop()
equal(control.call("GET", "/connections").status, 504)
redis.resume()
wait_until(lambda: control.call("GET", "/connections").status == 200, "Redis answers again")
redis.kill()
wait_until(lambda: control.call("GET", "/connections").status == 503, "Redis is gone")
nginx.wait_log("brings no messages")
answer = control.call("GET", "/connections/" + "0" * 32)
equal((answer.status, answer.header("Retry-After")), (503, "1"))
equal(control.send(id, "here").status, 202)
c.expect_text("here")
equal(control.call("DELETE", f"/connections/{id}").status, 204)
c.expect_close(1000)
--- error_log
brings no messages

=== TEST 14: what is no message in the channel is dropped
--- config
ws_redis $TEST_REDIS;
location /control { ws_control; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control, json
control.ready()
channels = redis("PUBSUB", "CHANNELS", "{ws:control}:reply:*")
equal(len(channels), 1)
for text in ["", "x", '{"v":1,"answer":"1"}\n', '{"v":1,"answer":"1","status":200,"closed":0}\nx\n']:
    redis("PUBLISH", channels[0], text)
c, b = tunnel("/ws")
id = b.header("X-WS-Connection-Id")
def question(reply_to="{ws:control}:reply:x", body="", v=1, **request):
    return json.dumps({"v": v, "question": "1", "reply_to": reply_to, **request}) + "\n" + body
look = {"look": {"connection": id}}
bad = ["", "x", "{}", "{}\n", "\n", "[]\n", "{\n", '{"v":1}\n', question(**look)[:-1], question(v=2, **look), question(**look, body="x"),
       question(reply_to="other", **look), question(), question(look={"connection": "x"}), question(look=[]), question(look={"connection": id[:-1] + "G"}),
       question(act={"connection": id}), question(act={"connection": id, "event": "message", "type": "x"}),
       question(act={"connection": id, "event": "close", "code": 1005, "reason": ""}),
       question(act={"connection": id, "event": "close", "code": 1000, "reason": "x" * 124}),
       question(act={"connection": id, "event": "context"}, body="[]"),
       question(list={"limit": 0, "after": "", "session": "", "filters": []}), question(list={"limit": 1, "after": "", "session": "", "filters": [["a"]]}),
       question(close_all={"code": 1000, "reason": "", "session": "", "filters": []}), "{" * 20000 + "\n", "x" * 100000,
       b'{"v":1,"question":"1","reply_to":"{ws:control}:reply:x","act":{"connection":"' + id.encode() + b'","event":"message","type":"text"}}\n\xff']
for text in bad:
    redis("PUBLISH", "ws:control", text)
equal(control.send(id, "sound").status, 202)
c.expect_text("sound")
redis("PUBLISH", "ws:control", question(act={"connection": id, "event": "message", "type": "text"}, body="by hand"))
c.expect_text("by hand")
equal(len(control.connections()), 1)
--- error_log
ws_control drops a question that is none
ws_control drops a reply that is none

=== TEST 15: a thousand connections: pages, filters, and the end of half of them
--- timeout: 120
--- redis
SET session:even {"kind":"even"}
SET session:odd {"kind":"odd"}
--- main_config
worker_rlimit_nofile 10000;
--- events
worker_connections 8000;
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:t;
location /control { ws_control timeout=20s; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (10000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
control.ready()
pairs = [tunnel("/ws", cookie="t=" + ("odd" if n % 2 else "even")) for n in range(1000)]
ids = sorted(b.header("X-WS-Connection-Id") for c, b in pairs)
equal([one["id"] for one in control.connections()], ids)
equal([one["id"] for one in control.connections("limit=1000")], ids)
equal(len(control.connections("context.kind=odd&limit=77")), 500)
equal(len(control.connections("session=" + control.session_name("even"))), 500)
equal(control.call("DELETE", "/connections?context.kind=odd&code=4001").body, {"closed": 500})
for c, b in pairs[1::2]:
    c.expect_close(4001)
for c, b in pairs[::100]:
    c.send_text("still here")
    b.expect_text("still here")

=== TEST 16: a worker on its way out answers, too
--- config
ws_redis $TEST_REDIS;
ws_drain_timeout 0;
location /control { ws_control; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready()
c, b = tunnel("/ws")
id = b.header("X-WS-Connection-Id")
nginx.reload()
control.ready(2)
equal(len(control.connections()), 1)
equal(control.send(id, "still there").status, 202)
c.expect_text("still there")
equal(control.call("DELETE", f"/connections/{id}").status, 204)
c.expect_close(1000)
b.expect_close(1001)
c.send_close(1000)
b.send_close(1001)
c.expect_eof()

=== TEST 17: who asks and leaves is forgotten; in `if` the handler stays
--- redis_own
--- config
ws_redis $TEST_REDIS;
location /control { ws_control timeout=10s; if ($arg_x) { set $y 1; } }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready()
redis.stop()
for n in range(20):
    control.start("GET", "/connections").reset()
c = control.start("GET", "/connections")
redis.resume()
equal(control.Answer(c).status, 200)
equal(control.call("GET", "/connections?x=1").status, 400)

=== TEST 18: other locations guard it
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:t;
location /control { ws_control; }
location /closed { ws_control; deny all; }
--- client
import control
control.ready()
equal(get("/closed/connections").status, 403)
equal(control.call("GET", "/connections").status, 200)

=== TEST 19: without ws_redis it dies
--- config
location /control { ws_control; }
--- must_die
--- error_log
"ws_control" in location "/control" needs a server by which the workers reach each other: add "ws_redis redis://HOST:PORT;"

=== TEST 20: a location that is no prefix
--- config
ws_redis $TEST_REDIS;
location = /control { ws_control; }
--- must_die
--- error_log
"ws_control" needs a location that is a prefix, such as "location /ws-control/", not "/control"

=== TEST 21: a hook doesn't guard it
--- config
ws_redis $TEST_REDIS;
location /control { ws_control; ws_auth redis; ws_auth_token cookie:t; }
--- must_die
--- error_log
"ws_auth" doesn't guard "ws_control" in location "/control"

=== TEST 22: another handler
--- config
ws_redis $TEST_REDIS;
location /control { ws_control; ws_status; }
--- must_die
--- error_log
can't share location "/control" with another directive that answers its requests

=== TEST 23: a wrong parameter
--- config
ws_redis $TEST_REDIS;
location /control { ws_control "channel={a}"; }
--- must_die
--- error_log
has a wrong value "channel={a}": it must be channel=NAME, at most 128 visible ASCII characters without braces

=== TEST 24: a wrong time
--- config
ws_redis $TEST_REDIS;
location /control { ws_control timeout=0; }
--- must_die
--- error_log
has a wrong value "timeout=0": it must be timeout=TIME, above 0, such as timeout=2s

=== TEST 25: two channels with one server
--- config
ws_redis $TEST_REDIS;
location /a { ws_control channel=a; }
location /b { ws_control channel=b; }
--- must_die
--- error_log
has another channel than others with this ws_redis

=== TEST 26: twice
--- config
ws_redis $TEST_REDIS;
location /a { ws_control; ws_control; }
--- must_die
--- error_log
"ws_control" directive is duplicate

=== TEST 27: http delivery: a message, a patch that the next request has, and an end after the answers
--- redis
SET session:a {"user":{"id":"42"}}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location /control { ws_control; }
location /http { ws_auth redis; ws_delivery http; ws_max_session_size 200; ws_close_timeout 60s; proxy_pass http://$TEST_BACKEND; }
--- client
import control, json
def request():
    b = backend.accept()
    return b, b.read_body().decode()
c = client("/http", cookie="t=a")
b, _ = request()
id = b.header("X-WS-Connection-Id")
b.respond("204 No Content")
equal(c.status, 101)
listed = control.connections()
equal([(one["id"], one["delivery"], one["context"]) for one in listed], [(id, "http", {"user": {"id": "42"}})])
equal(control.send(id, "grüß dich").status, 202)
c.expect_text("grüß dich")
equal(control.send(id, b"\x00\xff", "application/octet-stream").status, 202)
c.expect_binary(b"\x00\xff")
equal(control.patch(id, {"room": "blue"}).status, 204)
equal(control.patch(id, {"large": "x" * 300}).status, 413)
new = {"user": {"id": "42"}, "room": "blue"}
c.send_text("x")
b, body = request()
equal((body, json.loads(b.header("X-WS-Context"))), ("x", new))
equal(control.call("GET", f"/connections/{id}").body["context"], new)
equal(len(control.connections("context.room=blue")), 1)
# What was accepted is answered first.
equal(control.call("DELETE", f"/connections/{id}?code=4000&reason=bye").status, 204)
equal(control.send(id, "late").status, 410)
equal(control.patch(id, {"late": 1}).status, 410)
equal(control.call("DELETE", f"/connections/{id}").status, 410)
b.respond(headers=["Content-Type: text/plain"], body="answer")
c.expect_text("answer")
c.expect_close(4000, "bye")
b, body = request()
equal(b.header("ce-type"), "websocket.close")
equal(json.loads(body)["code"], 4000)
equal(json.loads(body)["reason"], "bye")
b.respond("204 No Content")
c.send_close(4000)
c.expect_eof()
wait_until(lambda: control.connections() == [], "it is gone")
equal(control.send(id, "late").status, 410)

=== TEST 28: large contexts are looked through in small pieces: between them other events have their turn
--- log_level: debug
--- redis
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location /control { ws_control timeout=20s; }
location /ws { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import control, json
control.ready()
redis("SET", "session:a", json.dumps({"numbers": list(range(10000))}))
pairs = [tunnel("/ws", cookie="t=a") for _ in range(40)]
def turns(method, query):
    before = nginx.error_log().count("worker cycle")
    answer = control.call(method, f"/connections?{query}")
    equal(answer.status, 200)
    return nginx.error_log().count("worker cycle") - before
# Two of them are too many for one turn.
for method in "GET", "DELETE":
    check(turns(method, "context.user=nobody") >= len(pairs) / 2, method)

=== TEST 29: who listens in the channel and is no worker counts as one that doesn't answer
--- config
ws_redis $TEST_REDIS;
location /control { ws_control timeout=300ms; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready()
c, b = tunnel("/ws")
id = b.header("X-WS-Connection-Id")
for listen in b"PSUBSCRIBE *\r\n", b"SUBSCRIBE ws:control\r\n":
    stranger = Stream(socket.socket(socket.AF_UNIX))
    stranger.sock.connect(redis.path)
    stranger.send(listen)
    stranger.recv_until(b":1\r\n")
    listed = control.call("GET", "/connections")
    equal((listed.status, listed.body["detail"]), (504, "1 of 2 workers have answered in time"))
    equal(control.call("GET", "/connections/" + "0" * 32).status, 504)
    equal(control.send(id, "here").status, 202)
    c.expect_text("here")
    stranger.close()
    wait_until(lambda: control.call("GET", "/connections").status == 200, "without it all have answered")
