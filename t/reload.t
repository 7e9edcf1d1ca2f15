# nginx is told to reload or to quit while WebSockets are open.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: after a reload clients are told 1012 and backends 1001, then the old worker is gone
--- config
location / { ws_drain_timeout 500ms; ws_pass http://$TEST_BACKEND; }
--- client
old, = nginx.worker_pids()
pairs = [tunnel("/") for _ in range(20)]
nginx.reload()
for c, b in pairs:
    code, reason = c.recv_close()
    equal(code, 1012)
    matches(reason, r"\Aserver restart; retry-after=[1-5]\Z")
    b.expect_close(1001, "server restart")
    check(running(old), "the old worker is there until all are closed")
    c.send_close(1012)
    b.send_close(1001)
    c.expect_eof()
    b.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")
c, b = tunnel("/")
c.send_text("new")
b.expect_text("new")
--- error_log
qr/\[notice\].* ws: closed connection=[0-9a-f]{32} by=gateway code=1012 messages_in=0 messages_out=0 server restart/

=== TEST 2: ws_drain_timeout spreads the closes
--- config
location / { ws_drain_timeout 30s; ws_pass http://$TEST_BACKEND; }
--- client
pairs = [tunnel("/") for _ in range(100)]
nginx.reload()
first = select.select([c.sock for c, b in pairs], [], [], TIMEOUT)[0]
check(first, "one has been closed")
check(len(first) < len(pairs), "not all at once")
c, b = next(pair for pair in pairs if pair[0].sock in first)
c.expect_close(1012)
for c, b in pairs:
    b.close()
    c.close()

=== TEST 3: a close waits for the end of the frame under way
--- config
location / { ws_drain_timeout 1ms; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/")
up, down = frame(BINARY, "u" * 1000, mask=b"1234"), frame(BINARY, "d" * 1000)
c.send(up[:500])
b.send(down[:500])
c.expect_bytes(down[:500])
b.expect_bytes(up[:500])
other, other_backend = tunnel("/other")
nginx.reload()
other.expect_close(1012)
c.send(up[500:])
b.send(down[500:])
b.expect_bytes(up[500:])
c.expect_bytes(down[500:])
c.expect_close(1012)
b.expect_close(1001)
c.send_close(1012)
b.send_close(1001)
other.send_close(1012)
other_backend.close()
c.expect_eof()

=== TEST 4: ws_drain_timeout 0 keeps connections until they end, and the old worker with them
--- config
location / { ws_drain_timeout 0; ws_pass http://$TEST_BACKEND; }
--- client
old, = nginx.worker_pids()
pairs = [tunnel("/") for _ in range(3)]
nginx.reload()
other, other_backend = tunnel("/new")
for c, b in pairs:
    c.send_text("still here")
    b.expect_text("still here")
    b.send_text("yes")
    c.expect_text("yes")
for c, b in pairs:
    check(running(old), "the old worker is there")
    c.send_close(1000)
    b.expect_close(1000)
    b.send_close(1000)
    c.expect_close(1000)
    c.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")

=== TEST 5: a handshake that ends after the reload is closed as well
--- config
location / { ws_drain_timeout 300ms; ws_pass http://$TEST_BACKEND; }
--- client
old, = nginx.worker_pids()
c = client("/")
b = backend.accept()
nginx.reload()
b.upgrade()
equal(c.status, 101)
c.expect_close(1012)
b.expect_close(1001)
c.send_close(1012)
b.send_close(1001)
c.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")

=== TEST 6: peers that do not answer are cut after ws_close_timeout
--- config
location / { ws_drain_timeout 1ms; ws_close_timeout 200ms; ws_pass http://$TEST_BACKEND; }
--- client
old, = nginx.worker_pids()
c, b = tunnel("/")
half, b_half = tunnel("/")
half.send(frame(BINARY, "x" * 100, mask=b"1234")[:50])
b_half.send(frame(BINARY, "x" * 100)[:50])
half.recv_exact(50)
b_half.recv_exact(50)
nginx.reload()
c.expect_close(1012)
b.expect_close(1001)
c.expect_eof()
b.expect_eof()
half.expect_eof()
b_half.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")

=== TEST 7: quit closes in the same way
--- config
location / { ws_drain_timeout 100ms; ws_pass http://$TEST_BACKEND; }
--- client
pairs = [tunnel("/") for _ in range(5)]
nginx.quit()
for c, b in pairs:
    c.expect_close(1012)
    b.expect_close(1001)
    c.send_close(1012)
    b.send_close(1001)
    c.expect_eof()
    b.expect_eof()
wait_until(lambda: not running(nginx.pid), "nginx is gone")

=== TEST 8: worker_shutdown_timeout ends what is still open
--- main_config
worker_shutdown_timeout 500ms;
--- config
location / { ws_drain_timeout 0; ws_pass http://$TEST_BACKEND; }
--- client
old, = nginx.worker_pids()
pairs = [tunnel("/") for _ in range(3)]
nginx.reload()
for c, b in pairs:
    c.expect_eof()
    b.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")

=== TEST 9: a fast shutdown leaves nothing behind
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
pairs = [tunnel("/") for _ in range(3)]
nginx.signal(signal.SIGTERM)
for c, b in pairs:
    c.expect_eof()
    b.expect_eof()
wait_until(lambda: not running(nginx.pid), "nginx is gone")

=== TEST 10: reload after reload, each with an open connection
--- config
location / { ws_drain_timeout 100ms; ws_pass http://$TEST_BACKEND; }
--- client
for _ in range(4):
    c, b = tunnel("/")
    nginx.reload()
    c.expect_close(1012)
    b.expect_close(1001)
    c.send_close(1012)
    b.send_close(1001)
    c.expect_eof()
wait_until(lambda: len(nginx.worker_pids()) == 1, "one worker")

=== TEST 11: two workers, and envelope delivery as well
--- workers: 2
--- config
location / { ws_drain_timeout 200ms; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_drain_timeout 200ms; ws_pass http://$TEST_BACKEND; }
--- client
old = nginx.worker_pids()
pairs = [tunnel("/envelope" if i % 2 else "/") for i in range(16)]
nginx.reload()
for i, (c, b) in enumerate(pairs):
    c.expect_close(1012)
    if i % 2:
        matches(b.recv_text(), '"event":"open"')
        matches(b.recv_text(), '"event":"close"')
    b.expect_close(1001)
    c.send_close(1012)
    b.send_close(1001)
    c.expect_eof()
wait_until(lambda: not any(running(pid) for pid in old), "the old workers are gone")

=== TEST 12: a configuration without `http`: workers live, and a reload brings one with it, and takes it away again
--- config
location /status { ws_status; }
--- client
import subprocess
path, log = os.path.join(TEST_DIR, "bare.conf"), os.path.join(TEST_DIR, "bare.log")
with open(os.path.join(TEST_DIR, "nginx.conf"), encoding="utf-8") as file:
    whole = file.read().replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{TLS_PORT}")
for shipped, ours in ("error.log", "bare.log"), ("nginx.pid", "bare.pid"), ("nginx.lock", "bare.lock"):
    equal(whole.count(shipped), 1, f"{shipped} in nginx.conf")
    whole = whole.replace(shipped, ours)
bare = whole[:whole.index("http {")]
def configure(text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
def started():
    with open(log, encoding="utf-8") as file:
        return file.read().count("start worker process ")
def serves():
    try:
        return get("/status", port=TLS_PORT).status == 200
    except ConnectionRefusedError:
        return False
configure(bare)
binary = os.readlink(f"/proc/{nginx.pid}/exe")
environment = {name: value for name, value in os.environ.items() if name != "NGINX"}
other = subprocess.Popen([binary, "-p", TEST_DIR, "-e", log, "-c", path], env=environment)
try:
    wait_until(lambda: os.path.exists(log) and started(), "it runs")
    for text in whole, bare, whole:
        before = started()
        configure(text)
        other.send_signal(signal.SIGHUP)
        wait_until(lambda: started() > before, "another worker has been started")
        wait_until(lambda: serves() == (text == whole), "it serves what is configured")
finally:
    other.terminate()
    equal(other.wait(), 0)
with open(log, encoding="utf-8") as file:
    equal([line for line in file if "exited on signal" in line], [])

=== TEST 13: the old worker is gone when ws_drain_timeout is over, though nobody answers and ws_close_timeout is longer
--- config
ws_drain_timeout 4s;
ws_close_timeout 1h;
location / { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /http { ws_delivery http; ws_pass http://$TEST_BACKEND; }
--- client
old, = nginx.worker_pids()
pairs = [tunnel("/"), tunnel("/envelope")]
for _ in range(2):
    c = client("/http")
    b = backend.accept()
    b.respond("204 No Content")
    equal(c.status, 101)
    pairs.append((c, b))
# One has a request under way.
c.send_text("think")
asked = backend.accept()
nginx.reload()
for c, b in pairs:
    c.expect_close(1012)
wait_until(lambda: not running(old), "the old worker is gone")
for c, b in pairs:
    c.expect_eof()
