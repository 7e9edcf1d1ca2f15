# A worker for which one allocation after another fails, wherever it is made: what can't go on ends, all else goes on, and nothing hangs.
use lib 't/lib';
use Test::Gateway;

run_tests(
    redis => <<'END',
SET session:a '{"user":"ann"}'
SET session:b '{"user":"bob"}'
END
    http_config => 'upstream backend { server $TEST_BACKEND; keepalive 4; keepalive_requests 1000000; }',
    config => <<'END',
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
keepalive_timeout 0;
location /headers { ws_pass http://backend; }
location /envelope { ws_delivery envelope; ws_compression on; ws_pass http://backend; }
location /http { ws_delivery http; ws_http_error message; ws_pass http://backend; }
END
    error_log => 'Cannot allocate memory',
    expect_alert => "Cannot allocate memory\nws: out of memory",
    failing_allocations => '',
    timeout => 240,
);

__DATA__

=== TEST 1: an upgrade, messages and the end, in each delivery
--- client
import echo
import flow
import memory
from bystanders import Bystanders

echo.serve()
others = Bystanders()

def talk(c):
    if c.status == 101:
        for text in "hello", "a longer one " * 10000:
            c.send_text(text)
            if c.recv_frame()[2] != TEXT:
                break
        else:
            c.send_close(1000)
    else:
        check(c.status in (500, 502, 503), f"the status is {c.status}")
    c.recv_all()

def episode():
    yield
    deflate = ["Sec-WebSocket-Extensions: permessage-deflate"] * (path == "/envelope")
    memory.or_ends(talk, client(path, cookie="X-Token=a", headers=deflate))

# Without memory for the length of a body, nginx's proxy sends the body without it. In a sanitized nginx that takes a malloc().
for path in others.paths[:2] if flow.sanitized() else others.paths:
    for count in 1, 5:
        needed = memory.short_of(episode, others.well, count)
        check(needed > 20, f"{path} takes memory {needed} times")

=== TEST 2: a session that ends, in each delivery
--- client
import echo
import flow
import memory
from bystanders import Bystanders

echo.serve()
others = Bystanders()

def hear_the_end(c):
    c.expect_close(4401)
    c.send_close(4401)
    c.recv_all()

def episode():
    redis("SET", "session:a", '{"user":"ann"}')
    c = client(path, cookie="X-Token=a")
    c.send_text("hello")
    c.expect_text("hello")
    yield
    redis("DEL", "session:a")
    memory.or_ends(hear_the_end, c)

# Without memory for the length of a body, nginx's proxy sends the body without it. In a sanitized nginx that takes a malloc().
for path in others.paths[:2] if flow.sanitized() else others.paths:
    needed = memory.short_of(episode, others.well)
    check(needed > 20, f"the end in {path} takes memory {needed} times")

=== TEST 3: connections to Redis that break
--- client
import echo
import memory
from bystanders import Bystanders

echo.serve()
others = Bystanders()

def ends_are_told():
    others.well()
    redis("SET", "session:a", '{"user":"ann"}')
    c = client("/headers", cookie="X-Token=a")
    equal(c.status, 101)
    redis("DEL", "session:a")
    c.expect_close(4401)

def episode():
    yield
    redis("CLIENT", "KILL", "SKIPME", "yes", "TYPE", "pubsub")
    redis("CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal")
    others.let_in()

needed = memory.short_of(episode, ends_are_told, step=3)
check(needed > 30, f"new connections take memory {needed} times")
