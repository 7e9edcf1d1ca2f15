# What is known of a WebSocket at its end, in the access log: in each delivery, however it ends.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: headers delivery: counts, close code, who closed
--- redis
SET session:a {"user":"ann"}
--- http_config
log_format ws '$uri $status in=$ws_messages_in/$ws_bytes_in out=$ws_messages_out/$ws_bytes_out close=$ws_close_code by=$ws_closed_by'
              ' auth=$ws_auth_status $ws_auth_time $ws_auth_cached pongs=$ws_pongs_missed contexts=$ws_context_refreshes';
--- config
access_log $TEST_DIR/access.log ws;
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t;
location /ws { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/ws", cookie="t=a")
for _ in range(3):
    c.send_text("abc")
    b.expect_text("abc")
b.send_text("x" * 1000)
c.expect_text("x" * 1000)
c.send_close(4000, "bye")
b.expect_close(4000)
b.send_close(4000)
c.expect_close(4000)
c.expect_eof()
wait_until(lambda: nginx.access_log(), "the line is there")
--- access_log
qr/^\/ws 101 in=3\/38 out=1\/1008 close=4000 by=client auth=allowed \d+\.\d\d\d miss pongs=0 contexts=0$/

=== TEST 2: envelope delivery: the backend closes, the session has changed twice
--- redis
SET session:a {"user":"ann"}
--- http_config
log_format ws '$uri $status in=$ws_messages_in/$ws_bytes_in out=$ws_messages_out/$ws_bytes_out close=$ws_close_code by=$ws_closed_by'
              ' auth=$ws_auth_status $ws_auth_time $ws_auth_cached pongs=$ws_pongs_missed contexts=$ws_context_refreshes';
--- config
access_log $TEST_DIR/access.log ws;
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t;
location /ws { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import json
c, b = tunnel("/ws", cookie="t=a")
b.recv_text()
for user in "bob", "cid":
    redis("SET", "session:a", json.dumps({"user": user}))
    equal(json.loads(b.recv_text())["context"], {"user": user})
c.send_binary(b"12")
b.recv_text()
b.send_text("abcd")
c.expect_text("abcd")
b.send_close(1001, "bye")
c.expect_close(1001)
c.send_close(1001)
c.expect_eof()
wait_until(lambda: nginx.access_log(), "the line is there")
--- access_log
qr/^\/ws 101 in=1\/16 out=1\/13 close=1001 by=backend auth=allowed \d+\.\d\d\d miss pongs=0 contexts=2$/

=== TEST 3: the gateway closes: the session has ended; a session that was known is a hit
--- redis
SET session:a {"user":"ann"}
--- http_config
log_format ws '$arg_n close=$ws_close_code by=$ws_closed_by $ws_auth_cached';
--- config
access_log $TEST_DIR/access.log ws;
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t;
ws_auth_cache 1h;
location /ws { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
pairs = [tunnel(f"/ws?n={n}", cookie="t=a") for n in "12"]
redis("DEL", "session:a")
for c, b in pairs:
    c.expect_close(4401)
    b.expect_close(1001)
    c.send_close(4401)
    b.send_close(1001)
    c.expect_eof()
wait_until(lambda: nginx.access_log().count("\n") == 2, "both lines are there")
--- access_log
qr/^1 close=4401 by=gateway miss$/m
qr/^2 close=4401 by=gateway hit$/m

=== TEST 4: a client that is gone: no close frame, an unanswered ping, a backend that is gone
--- http_config
log_format ws '$uri close=$ws_close_code by=$ws_closed_by pongs=$ws_pongs_missed $ws_auth_time $ws_auth_cached';
--- config
access_log $TEST_DIR/access.log ws;
location /reset { ws_pass http://$TEST_BACKEND; }
location /none { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /backend { ws_pass http://$TEST_BACKEND; }
location /silent { ws_ping_interval 50ms; ws_pong_timeout 100ms; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/reset")
c.reset()
b.expect_eof()
c, b = tunnel("/none")
b.recv_text()
c.send_close()
b.recv_text()
b.expect_close()
b.send_close()
c.expect_close()
c.expect_eof()
c, b = tunnel("/backend")
b.close()
c.expect_close(1014)
c.send_close(1014)
c.expect_eof()
c, b = tunnel("/silent")
b.expect_eof()
b.close()
wait_until(lambda: nginx.access_log().count("\n") == 4, "all lines are there")
--- access_log
qr/^\/reset close=1006 by=client pongs=0 - -$/m
qr/^\/none close=1005 by=client pongs=0 - -$/m
qr/^\/backend close=1014 by=backend pongs=0 - -$/m
qr/^\/silent close=1006 by=client pongs=1 - -$/m
--- error_log
backend left without a close frame

=== TEST 5: nginx ends by itself; without a WebSocket there are no figures
--- main_config
worker_shutdown_timeout 100ms;
--- redis
--- http_config
log_format ws '$uri $status in=$ws_messages_in/$ws_bytes_in out=$ws_messages_out/$ws_bytes_out close=$ws_close_code by=$ws_closed_by'
              ' auth=$ws_auth_status $ws_auth_cached pongs=$ws_pongs_missed contexts=$ws_context_refreshes';
--- config
access_log $TEST_DIR/access.log ws;
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth_token cookie:t;
location /auth { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /ws { ws_drain_timeout 0; ws_pass http://$TEST_BACKEND; }
location /plain { return 204; }
--- client
equal(client("/auth", cookie="t=nobody").status, 401)
equal(get("/plain").status, 204)
c, b = tunnel("/ws")
c.send_text("x")
b.expect_text("x")
nginx.reload()
c.expect_eof()
wait_until(lambda: nginx.access_log().count("\n") == 3, "all lines are there")
--- access_log
qr/^\/auth 401 in=-\/- out=-\/- close=- by=- auth=denied miss pongs=- contexts=-$/m
qr/^\/plain 204 in=-\/- out=-\/- close=- by=- auth=off - pongs=- contexts=-$/m
qr/^\/ws 101 in=1\/7 out=0\/0 close=1006 by=gateway auth=off - pongs=0 contexts=0$/m

=== TEST 6: the documented format is one that nginx takes
--- http_config
log_format websocket '$remote_addr $time_iso8601 "$uri" $status $request_time s '
                     'connection=$ws_connection_id auth=$ws_auth_status lookup=$ws_auth_time cache=$ws_auth_cached '
                     'in=$ws_messages_in/$ws_bytes_in out=$ws_messages_out/$ws_bytes_out '
                     'close=$ws_close_code by=$ws_closed_by pongs_missed=$ws_pongs_missed '
                     'context_refreshes=$ws_context_refreshes';
--- config
access_log $TEST_DIR/access.log websocket;
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
with open("docs/directives/variables.md", encoding="utf-8") as docs, open(os.path.join(TEST_DIR, "nginx.conf"), encoding="utf-8") as conf:
    squeeze = lambda text: " ".join(text.split())
    documented = re.search(r"log_format websocket .*?;", docs.read(), re.S)[0]
    check(squeeze(documented) in squeeze(conf.read()), "this test has the documented format")
c, b = tunnel("/ws")
c.send_close(1000)
b.expect_close(1000)
b.send_close(1000)
c.expect_close(1000)
c.expect_eof()
wait_until(lambda: nginx.access_log(), "the line is there")
--- access_log
qr/^127\.0\.0\.1 \S+ "\/ws" 101 [\d.]+ s connection=[0-9a-f]{32} auth=off lookup=- cache=- in=0\/8 out=0\/4 close=1000 by=client pongs_missed=0 context_refreshes=0$/

=== TEST 7: a client that is refused by a close code: which one, beside the reason
--- redis
--- http_config
log_format ws '$status in=$ws_messages_in/$ws_bytes_in out=$ws_messages_out/$ws_bytes_out close=$ws_close_code by=$ws_closed_by auth=$ws_auth_status';
--- config
access_log $TEST_DIR/access.log ws;
ws_redis $TEST_REDIS timeout=10s connect_timeout=10s;
ws_auth redis;
ws_auth_token cookie:t;
ws_auth_reject close;
location /ws { ws_pass http://$TEST_BACKEND; }
location /status { ws_status; }
--- client
import status
for code, request in (4401, {"cookie": "t=nobody"}), (4403, {"origin": "http://elsewhere.example"}):
    c = client("/ws", **request)
    c.expect_close(code)
    c.send_close(code)
    c.expect_eof()
early = frame(CLOSE, struct.pack("!H", 1000), mask=b"abcd")
c = client(raw=request_bytes("/ws") + early)
c.expect_close(4401)
c.expect_eof()
wait_until(lambda: nginx.access_log().count("\n") == 3, "all lines are there")
# There was no connection to a backend.
equal((status.figures()["connections"]["opened"], status.figures()["closes"]), (0, []))
--- access_log
qr/^101 in=0\/8 out=0\/16 close=4401 by=gateway auth=denied$/m
qr/^101 in=0\/8 out=0\/13 close=4403 by=gateway auth=origin$/m
qr/^101 in=0\/8 out=0\/16 close=4401 by=gateway auth=no_token$/m

=== TEST 8: a worker that is told to end at once writes no line
--- config
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/ws")
nginx.signal(signal.SIGTERM)
c.expect_eof()
wait_until(lambda: not running(nginx.pid), "nginx is gone")
equal(nginx.access_log(), "")
