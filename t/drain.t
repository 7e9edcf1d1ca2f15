# Workers that have to go while many WebSockets are in use.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a reload under traffic: everybody gets a close frame, evenly spread, and nothing is lost
--- workers: 2
--- timeout: 90
--- events
worker_connections 8192;
--- config
ws_drain_timeout 10s;
ws_close_timeout 5s;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import drain
import flow
drain.run(sockets=200 if flow.sanitized() or TRICKLE else 1000, seconds=5, paths=["/headers", "/envelope"])

=== TEST 2: reload after reload under traffic: no worker, socket or memory is left over
--- workers: 2
--- timeout: 120
--- events
worker_connections 1024;
--- config
ws_drain_timeout 600ms;
ws_close_timeout 5s;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import asyncio
import drain
import flow

def children():
    with open(f"/proc/{nginx.pid}/task/{nginx.pid}/children") as file:
        return len(file.read().split())

def settled():
    wait_until(lambda: children() == 2, "two workers, none else")

sanitized = flow.sanitized()
early, late = asyncio.run(drain.reloads(times=30, visitors=40, paths=["/headers", "/envelope"], settled=settled))
equal(late[0], early[0], "descriptors of the master")
check(sanitized or late[1] - early[1] < 512, f"KiB of the master, after 10 and after 30 reloads: {early[1]}, {late[1]}")

=== TEST 3: a worker_shutdown_timeout that is shorter than the drain takes its place: nobody is cut
--- main_config
worker_shutdown_timeout 3s;
--- config
location / { ws_drain_timeout 1h; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
old, = nginx.worker_pids()
pairs = [tunnel("/envelope" if i % 2 else "/") for i in range(20)]
nginx.reload()
for i, (c, b) in enumerate(pairs):
    c.expect_close(1012)
    c.send_close(1012)
    if i % 2:
        matches(b.recv_text(), '"event":"open"')
        matches(b.recv_text(), '"event":"close"')
    b.expect_close(1001)
    b.send_close(1001)
    c.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")

=== TEST 4: a binary upgrade: the old workers' connections go on, and are drained when the old master is told to quit
--- config
location / { ws_drain_timeout 500ms; ws_pass http://$TEST_BACKEND; }
--- client
import drain

def pid_in(name):
    try:
        with open(os.path.join(TEST_DIR, name)) as file:
            return int(file.read() or 0)
    except FileNotFoundError:
        return 0

def workers():
    return len(re.findall(r"start worker process \d+", nginx.error_log()))

# nginx follows USR2 only as a daemon.
before = workers()
drain.start_daemon("upgraded", port=TLS_PORT)
old = wait_until(lambda: workers() > before and pid_in("upgraded.pid"), "it runs")
c = client("/", port=TLS_PORT)
b = backend.accept()
b.upgrade()
equal(c.status, 101)

before = workers()
os.kill(old, signal.SIGUSR2)
new = wait_until(lambda: pid_in("upgraded.pid.oldbin") == old and workers() > before and pid_in("upgraded.pid"),
                 "the new binary runs")
c.send_text("as ever")
b.expect_text("as ever")
os.kill(old, signal.SIGQUIT)
c.expect_close(1012)
b.expect_close(1001)
c.send_close(1012)
b.send_close(1001)
c.expect_eof()
wait_until(lambda: not running(old), "the old one is gone")
c = client("/", port=TLS_PORT)
b = backend.accept()
b.upgrade()
c.send_text("to the new one")
b.expect_text("to the new one")
c.close()
b.expect_eof()
b.close()
os.kill(new, signal.SIGQUIT)
wait_until(lambda: not running(new), "the new one is gone as well")

=== TEST 5: http delivery, a reload under traffic: what was accepted is answered, then everybody gets a close frame, evenly spread
--- workers: 2
--- timeout: 90
--- events
worker_connections 8192;
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 64; keepalive_requests 1000000; }
--- config
ws_drain_timeout 10s;
ws_close_timeout 5s;
location / { ws_delivery http; ws_pass http://backend; }
--- client
import drain
import flow
drain.run(sockets=200 if flow.sanitized() or TRICKLE else 1000, seconds=5, paths=["/"], backend=drain.HttpBackend())

=== TEST 6: http delivery, reload after reload under traffic: no worker, socket or memory is left over
--- workers: 2
--- timeout: 120
--- events
worker_connections 1024;
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 16; keepalive_requests 1000000; }
--- config
ws_drain_timeout 600ms;
ws_close_timeout 5s;
location / { ws_delivery http; ws_pass http://backend; }
--- client
import asyncio
import drain
import flow

def children():
    with open(f"/proc/{nginx.pid}/task/{nginx.pid}/children") as file:
        return len(file.read().split())

def settled():
    wait_until(lambda: children() == 2, "two workers, none else")

sanitized = flow.sanitized()
early, late = asyncio.run(drain.reloads(times=30, visitors=40, paths=["/"], settled=settled, backend=drain.HttpBackend()))
equal(late[0], early[0], "descriptors of the master")
check(sanitized or late[1] - early[1] < 512, f"KiB of the master, after 10 and after 30 reloads: {early[1]}, {late[1]}")
