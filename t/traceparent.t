# W3C Trace Context: the backend hears which trace a connection belongs to, by header and by envelope.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: by default nothing is made, and what the client sends is passed on untouched
--- redis: none
--- http_config
log_format trace 'trace=$ws_traceparent';
--- config
access_log $TEST_DIR/access.log trace;
location / { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
equal(b.header("traceparent"), None)
c.close()
b.close()
wrong = "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"
c, b = tunnel("/", headers=["traceparent: " + wrong, "tracestate: a=1"])
equal(b.header("traceparent"), wrong)
equal(b.header("tracestate"), "a=1")
c.close()
b.close()
wait_until(lambda: nginx.access_log().count("\n") == 2, "all lines are there")
--- access_log
trace=-
--- no_access_log
qr/trace=\w/

=== TEST 2: a valid traceparent is passed on as it is, with its tracestate
--- redis: none
--- http_config
log_format trace 'trace=$ws_traceparent';
--- config
access_log $TEST_DIR/access.log trace;
ws_traceparent on;
location / { ws_pass http://$TEST_BACKEND; }
--- client
for trace in ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"):
    for name in ("traceparent", "TraceParent"):
        c, b = tunnel("/", headers=[name + ": " + trace, "tracestate: a=1,b=2", "tracestate: c=3"])
        equal(b.header("traceparent"), trace)
        equal(b.header_all("tracestate"), ["a=1,b=2", "c=3"])
        c.close()
        b.close()
wait_until(lambda: nginx.access_log().count("\n") == 6, "all lines are there")
--- access_log
trace=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
trace=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03

=== TEST 3: one of a later version goes on in version 00
--- redis: none
--- config
ws_traceparent on;
location / { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
ids = "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
for sent, known in (("01" + ids + "01", "00" + ids + "01"), ("fe" + ids + "ff-more-" + "x" * 900, "00" + ids + "01"),
                    ("01" + ids + "06-", "00" + ids + "00")):
    c, b = tunnel("/", headers=["Traceparent: " + sent, "tracestate: a=1"])
    equal(b.header("traceparent"), known)
    equal(b.header("tracestate"), "a=1")
    matches(b.recv_text(), r'\A\{"event":"open","connection":"[0-9a-f]{32}","traceparent":"' + known + '",')
    c.close()

=== TEST 4: where there is none, an invalid one or two of them, a new trace begins, without a tracestate
--- redis: none
--- config
ws_traceparent on;
location / { ws_pass http://$TEST_BACKEND; }
location /sampled { ws_traceparent on sampled; ws_pass http://$TEST_BACKEND; }
location /again { ws_traceparent on; ws_pass http://$TEST_BACKEND; }
--- client
good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
sent = [
    [],
    [""],
    ["x"],
    [good[:-1]],
    [good + "0"],
    [good + "-00"],
    [good.upper()],
    [good.replace("-", "_")],
    ["ff" + good[2:]],
    ["01" + good[2:] + "x"],
    ["00-" + "0" * 32 + good[35:]],
    [good[:36] + "0" * 16 + "-01"],
    [good + ", " + good],
    [good, good],
    [good, "x"],
]
made = []
for path, flags in (("/", "00"), ("/sampled", "01"), ("/again", "00")):
    for values in sent:
        c, b = tunnel(path, headers=["tracestate: a=1"] + ["traceparent: " + value for value in values] + ["TraceState: b=2"])
        trace = b.header("traceparent")
        matches(trace, r"\A00-[0-9a-f]{32}-[0-9a-f]{16}-" + flags + r"\Z", f"for {values}")
        check("0af7651916cd43dd" not in trace and "0" * 16 not in trace, trace)
        equal(b.header("tracestate"), None)
        made.append(trace)
        c.close()
equal(len({trace.split("-")[1] for trace in made}), len(made), "each has a trace of its own")
equal(len({trace.split("-")[2] for trace in made}), len(made), "and a parent")

=== TEST 5: `on`: the open envelope has it, the others don't
--- redis
SET session:abc {"n":1}
--- http_config
log_format trace 'trace=$ws_traceparent';
--- config
access_log $TEST_DIR/access.log trace;
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:t;
    ws_traceparent on;
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="t=abc")
id, trace = b.header("X-WS-Connection-Id"), b.header("traceparent")
b.expect_text('{"event":"open","connection":"' + id + '","traceparent":"' + trace + '","context":{"n":1},'
              '"request":{"uri":"/","host":"localhost","remote_addr":"127.0.0.1"}}')
c.send_text("x")
b.expect_text('{"event":"message","connection":"' + id + '","seq":1,"context":{"n":1},"type":"text","data":"x"}')
redis("SET", "session:abc", '{"n":2}')
b.expect_text('{"event":"context","connection":"' + id + '","context":{"n":2}}')
c.send_close(1000)
b.expect_text('{"event":"close","connection":"' + id + '","code":1000,"reason":""}')
b.expect_close(1000)
b.send_close(1000)
c.expect_close(1000)
c.expect_eof()
equal(wait_until(nginx.access_log, "the line is there"), "trace=" + trace + "\n")

=== TEST 6: `messages`: each envelope has it
--- redis
SET session:abc {"n":1}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:t;
    ws_traceparent messages;
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
c, b = tunnel("/", cookie="t=abc", headers=["traceparent: " + trace])
equal(b.header("traceparent"), trace)
head = '"connection":"' + b.header("X-WS-Connection-Id") + '","traceparent":"' + trace + '",'
b.expect_text('{"event":"open",' + head + '"context":{"n":1},'
              '"request":{"uri":"/","host":"localhost","remote_addr":"127.0.0.1"}}')
for seq in (1, 2):
    c.send_binary("hello")
    b.expect_text('{"event":"message",' + head + '"seq":' + str(seq) + ',"context":{"n":1},"type":"binary","data":"aGVsbG8="}')
redis("SET", "session:abc", '{"n":2}')
b.expect_text('{"event":"context",' + head + '"context":{"n":2}}')
c.send_close(1000)
b.expect_text('{"event":"close",' + head + '"code":1000,"reason":""}')

=== TEST 7: off in an envelope: no member, whatever the client sends
--- redis: none
--- config
ws_traceparent messages;
location / { ws_traceparent off; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
c, b = tunnel("/", headers=["traceparent: " + trace])
equal(b.header("traceparent"), trace)
check("traceparent" not in b.recv_text(), "no member")
c.send_text("x")
check("traceparent" not in b.recv_text(), "no member")

=== TEST 8: ordinary requests of the location have it, too
--- redis: none
--- config
ws_traceparent on;
ws_auth variable '{}';
ws_auth_plain on;
location / { ws_pass http://$TEST_BACKEND; }
--- client
c = get("/")
b = backend.accept()
matches(b.header("traceparent"), r"\A00-[0-9a-f]{32}-[0-9a-f]{16}-00\Z")
b.respond()
equal(c.status, 200)

=== TEST 9: $ws_traceparent and $http_traceparent are what the backend gets, for where proxy_pass passes no headers
--- redis: none
--- config
ws_traceparent on;
location / {
    proxy_pass_request_headers off;
    proxy_set_header traceparent $ws_traceparent;
    proxy_set_header X-Same      $http_traceparent;
    proxy_set_header Sec-WebSocket-Key $http_sec_websocket_key;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", headers=["traceparent: wrong"])
matches(b.header("traceparent"), r"\A00-[0-9a-f]{32}-[0-9a-f]{16}-00\Z")
equal(b.header("X-Same"), b.header("traceparent"))

=== TEST 10: a request that nginx sends on inside stays in its trace
--- redis: none
--- config
ws_traceparent on;
location / { try_files /none @a; }
location @a { ws_auth variable '{"by":"a"}'; error_page 502 = @b; ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location @b { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /c { error_page 502 = @d; ws_auth variable '{"by":"c"}'; ws_traceparent on; ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location @d { ws_auth variable '{"by":"d"}'; ws_traceparent messages sampled; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
for path, by in (("/", "a"), ("/c", "d")):
    c, b = tunnel(path)
    trace = b.header("traceparent")
    matches(trace, r"\A00-[0-9a-f]{32}-[0-9a-f]{16}-00\Z")
    matches(b.recv_text(), '"traceparent":"' + trace + r'","context":\{"by":"' + by + '"')
    c.close()
--- error_log
connect() failed

=== TEST 11: HTTP delivery: with `on` the request for `open` has it, those that follow don't
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
ws_delivery http;
ws_traceparent on;
location / { ws_pass http://backend; }
--- client
good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
for sent in ([], ["traceparent: " + good] + [f"tracestate: v{i}=1" for i in range(20)]):
    c = client("/", headers=sent + ["X-Other: here"])
    b = backend.accept()
    matches(b.header("traceparent"), r"\A" + good if sent else r"\A00-[0-9a-f]{32}-[0-9a-f]{16}-00\Z")
    equal(len(b.header_all("tracestate")), 20 if sent else 0)
    b.respond("204 No Content")
    equal(c.status, 101)
    c.send_text("x")
    b.read_request()
    equal(b.read_body(), b"x")
    equal((b.header("traceparent"), b.header("tracestate"), b.header("X-Other")), (None, None, "here"))
    b.respond("204 No Content")
    c.send_close(1000)
    c.expect_close(1000)
    b.read_request()
    equal((b.header("ce-type"), b.header("traceparent")), ("websocket.close", None))
    b.respond("204 No Content")
    c.expect_eof()
    b.close()

=== TEST 12: HTTP delivery: with `messages` each request has it
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
ws_delivery http;
ws_traceparent messages sampled;
location / { proxy_set_header X-Same $ws_traceparent; ws_pass http://backend; }
--- client
c = client("/", headers=["traceparent: wrong", "tracestate: a=1"])
b = backend.accept()
trace = b.header("traceparent")
matches(trace, r"\A00-[0-9a-f]{32}-[0-9a-f]{16}-01\Z")
b.respond("204 No Content")
equal(c.status, 101)
for event in ("message", "close"):
    if event == "message":
        c.send_text("x")
    else:
        c.send_close(1000)
        c.expect_close(1000)
    b.read_request()
    b.read_body()
    equal((b.header("ce-type"), b.header("traceparent"), b.header("tracestate"), b.header("X-Same")),
          ("websocket." + event, trace, None, trace))
    b.respond("204 No Content")
c.expect_eof()

=== TEST 13: ws_traceparent yes
--- config
ws_traceparent yes;
--- must_die
--- error_log
"ws_traceparent" directive has a wrong value "yes": it must be off or on or messages
qr/nginx\.conf:\d+/

=== TEST 14: ws_traceparent on always
--- config
ws_traceparent on always;
--- must_die
--- error_log
"ws_traceparent" directive has a wrong value "always": it must be sampled, after on or messages
qr/nginx\.conf:\d+/

=== TEST 15: ws_traceparent off sampled
--- config
ws_traceparent off sampled;
--- must_die
--- error_log
"ws_traceparent" directive has a wrong value "sampled": it must be sampled, after on or messages
qr/nginx\.conf:\d+/

=== TEST 16: ws_traceparent twice
--- config
ws_traceparent on;
ws_traceparent messages;
--- must_die
--- error_log
"ws_traceparent" directive is duplicate
qr/nginx\.conf:\d+/
