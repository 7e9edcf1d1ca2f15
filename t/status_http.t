# ws_status: what has become of the requests of http delivery.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: requests are counted by event and by what has become of them, and no failure costs a connection
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location /status { ws_status; }
location / { ws_delivery http; ws_pass http://backend; }
--- client
import status
def counts(event):
    return status.figures()["http"]["requests"][event]
nothing = {"answered": 0, "refused": 0, "failed": 0, "cancelled": 0}
equal(status.figures()["http"], {"requests": {"open": nothing, "message": nothing, "close": nothing}, "in_flight": 0})
c = client("/")
b = backend.accept()
equal(status.figures()["http"]["in_flight"], 1)
b.respond("403 Forbidden")
equal(c.status, 403)
equal(counts("open"), {**nothing, "refused": 1})

c = client("/")
b.read_request()
b.respond("204 No Content")
equal(c.status, 101)
for answer in ["200 OK", "204 No Content", "302 Found", "404 Not Found", "500 Oops", "502 Bad Gateway", "503 Busy", "504 Late", None]:
    c.send_text("x")
    b.read_request()
    b.read_body()
    equal(status.figures()["http"]["in_flight"], 1)
    if answer:
        b.respond(answer)
    else:
        b.close()
c.send_text("last")
b = backend.accept()
b.read_body()
b.respond(headers=["Content-Type: text/plain"], body="and it is open")
c.expect_text("and it is open")
now = status.figures()
equal(now["http"], {"requests": {"open": {**nothing, "answered": 1, "refused": 1},
                                 "message": {"answered": 3, "refused": 3, "failed": 4, "cancelled": 0}, "close": nothing}, "in_flight": 0})
equal((now["connections"]["open_by_delivery"]["http"], now["commands_dropped"]), (1, 0))

c.send_close(1000)
c.expect_close(1000)
b.read_request()
b.read_body()
b.respond("500 Oops")
c.expect_eof()
equal(counts("close"), {**nothing, "refused": 1})
m = status.Metrics()
equal(m.value("ws_http_requests_total", event="message", result="failed"), 4)
equal(m.value("ws_http_requests_total", event="message", result="answered"), 3)
equal(m.value("ws_http_requests_total", event="open", result="refused"), 1)
equal(m.value("ws_http_requests_in_flight"), 0)
equal(len([name for name, labels in m.samples if name == "ws_http_requests_total"]), 12)

=== TEST 2: a backend that is not there, that takes too long, or breaks off
--- redis: none
--- config
location /status { ws_status; }
location /gone { ws_delivery http; ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
location /late { ws_delivery http; ws_http_error message; proxy_read_timeout 200ms; ws_pass http://$TEST_BACKEND; }
location /short { ws_delivery http; ws_http_error message; ws_max_message_size 10; ws_pass http://$TEST_BACKEND; }
--- client
import status
def failed(event):
    return status.figures()["http"]["requests"][event]["failed"]
equal(client("/gone").status, 502)
equal(failed("open"), 1)
c = client("/late")
backend.accept().respond()
equal(c.status, 101)
c.send_text("x")
b = backend.accept()
c.expect_text('{"event":"error","seq":1,"status":504}')
equal(failed("message"), 1)
late, c = c, client("/short")
backend.accept().respond()
equal(c.status, 101)
c.send_text("x")
b = backend.accept()
b.read_body()
b.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
b.close()
c.expect_text('{"event":"error","seq":1,"status":0}')
c.send_text("y")
b = backend.accept()
b.read_body()
b.respond(body=b"more than ten")
c.expect_text('{"event":"error","seq":2,"status":0}')
equal(failed("message"), 3)

=== TEST 3: what the gateway cancels: its client has left, its session or its time is over
--- redis: none
--- config
location /status { ws_status; }
location / { ws_delivery http; ws_drain_timeout 1ms; ws_close_timeout 200ms; ws_pass http://$TEST_BACKEND; }
--- client
import status
def requests():
    return status.figures()["http"]["requests"]
c = client("/")
b = backend.accept()
c.close()
b.expect_eof()
equal(requests()["open"], {"answered": 0, "refused": 0, "failed": 0, "cancelled": 1})
c = client("/")
backend.accept().respond()
equal(c.status, 101)
c.send_text("x")
b = backend.accept()
b.read_body()
nginx.reload()
c.expect_close(1012)
end = backend.accept()
end.read_body()
b.expect_eof()
end.expect_eof()
c.expect_eof()
now = status.until(lambda now: now["connections"]["open"] == 0, "none is open")
equal(now["http"]["requests"]["message"]["cancelled"], 1)
equal(now["http"]["requests"]["close"]["cancelled"], 1)
equal(now["http"]["in_flight"], 0)

=== TEST 4: replies that make no sense were answered, and count as commands that were dropped
--- redis: none
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location /status { ws_status; }
location / { ws_delivery http; ws_pass http://backend; }
--- client
import status
c = client("/")
b = backend.accept()
b.respond()
equal(c.status, 101)
for headers, body in [(["Content-Type: text/plain"], b"\xff"), (["X-WS-Close: soon"], b""), (["X-WS-Context-Update: ["], b"")]:
    c.send_text("x")
    b.read_request()
    b.read_body()
    b.respond(headers=headers, body=body)
c.send_text("x")
b.read_request()
b.read_body()
b.respond(headers=["Content-Type: text/plain"], body="fine")
c.expect_text("fine")
now = status.figures()
equal((now["commands_dropped"], now["http"]["requests"]["message"]["answered"]), (3, 4))

=== TEST 5: what a killed worker had under way is under way no more
--- redis: none
--- config
location /status { ws_status; }
location / { ws_delivery http; ws_pass http://$TEST_BACKEND; }
--- client
import status
clients = [client("/") for _ in range(5)]
opening = [backend.accept() for _ in range(5)]
equal(status.figures()["http"]["in_flight"], 5)
victim, = nginx.worker_pids()
os.kill(victim, signal.SIGKILL)
wait_until(lambda: nginx.worker_pids() not in ([], [victim]), "another worker is there")
wait_until(lambda: status.figures()["workers"] == {"running": 1, "lost": 1}, "it counts")
equal(status.figures()["http"]["in_flight"], 0)
--- expect_alert
qr/worker process \d+ exited on signal 9/
