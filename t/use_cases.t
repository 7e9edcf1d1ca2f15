# Each configuration of examples/nginx, as shipped but for addresses and file names: nginx takes it, and it does what it says.
use lib 't/lib';
use File::Temp qw(tempdir);
use Test::Gateway;

my $keys = tempdir('keys.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $keys;
system($ENV{GATEWAY_PYTHON} || '/usr/bin/python3', 't/lib/jwt_keys.py', $keys) == 0 or die "no keys\n";

run_tests(TEST_KEYS => $keys);

__DATA__

=== TEST 1: cookie-session.conf: the backend gets the user, and not the cookie
--- redis
SET session:secret '{"user":{"id":"42","name":"Ada"},"role":"admin","csrf":"hidden"}'
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
use_configuration("cookie-session.conf")

c, b = tunnel("/chat", cookie="sid=secret; theme=dark", host="example.com", origin="http://example.com")
equal(b.header("X-WS-Context"), '{"user":{"id":"42","name":"Ada"},"role":"admin"}')
equal(b.header("Cookie"), "theme=dark")
equal(client("/chat", cookie="sid=wrong", host="example.com").status, 401)
redis("DEL", "session:secret")
c.expect_close(4401, "session ended")
b.expect_close(1001)

=== TEST 2: bearer-token.conf: tokens in a header, or in the query, and in no access log
--- redis
HSET api-token:secret owner ada plan free
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
use_configuration("bearer-token.conf", {"logs/access.log": f"{TEST_DIR}/stream.log"})

for c, b in (tunnel("/stream", host="api.example.com", headers=["Authorization: Bearer secret"]),
             tunnel("/stream?token=secret", host="api.example.com", origin="https://anywhere.example")):
    equal(json.loads(b.header("X-WS-Context")), {"owner": "ada", "plan": "free"})
    c.send_close(1000)
    b.expect_close(1000)
    b.send_close(1000)
    c.expect_close(1000)
    c.expect_eof()
equal(client("/stream", host="api.example.com").status, 401)

def logged():
    with open(f"{TEST_DIR}/stream.log", encoding="utf-8") as file:
        return file.read()
wait_until(lambda: logged().count('"GET /stream" 101') == 2, "both are in the access log")
check("secret" not in logged(), "no token is")

=== TEST 3: socket-io.conf: polling and the upgrade bring the same context
--- redis
SET session:secret '{"user":{"id":"42"}}'
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
use_configuration("socket-io.conf")

poll = get("/socket.io/?EIO=4&transport=polling", host="example.com", cookie="sid=secret")
b = backend.accept()
equal((b.uri, b.header("X-WS-Context")), ("/socket.io/?EIO=4&transport=polling", '{"user":{"id":"42"}}'))
b.respond(body="0{}")
equal((poll.status, poll.body), (200, b"0{}"))
equal(get("/socket.io/?EIO=4&transport=polling", host="example.com").status, 401)

c, b = tunnel("/socket.io/?EIO=4&transport=websocket", host="example.com", cookie="sid=secret")
equal(b.header("X-WS-Context"), '{"user":{"id":"42"}}')

=== TEST 4: several-origins.conf: the pages that are named, and no others
--- redis
SET session:secret '{"user":{"id":"42"}}'
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
use_configuration("several-origins.conf")

for origin in "http://example.com", "https://app.example.com", "https://admin.example.net:8443", None:
    tunnel("/chat", host="ws.example.com", cookie="sid=secret", origin=origin)
for origin in "https://example.net", "https://admin.example.net", "https://example.com.evil.test", "null":
    equal(client("/chat", host="ws.example.com", cookie="sid=secret", origin=origin).status, 403, origin)

=== TEST 5: auth-request.conf: a service decides, and its session is the context
--- http_config
include $TEST_DIR/configuration*.conf;
--- backend
if connection.uri == "/session":
    known = connection.header("Cookie") == "sid=secret"
    connection.respond("200 OK" if known else "401 Unauthorized", [("X-Session", '{"user":"ada"}')] if known else [])
else:
    connection.upgrade()
    connection.send_text(connection.header("X-WS-Context"))
    connection.recv_message()
--- client
from examples import *
use_configuration("auth-request.conf", {"127.0.0.1:4000": os.environ["TEST_BACKEND"]})

c = client("/chat", host="example.com", cookie="sid=secret")
c.expect_text('{"user":"ada"}')
c.send_close(1000)
equal(client("/chat", host="example.com", cookie="sid=wrong").status, 401)
equal(get("/check", host="example.com").status, 404)

=== TEST 6: redis-tls.conf: the certificate is checked, then user, password and database are used
--- redis_tls: --tls-auth-clients no
--- http_config
include $TEST_DIR/configuration*.conf;
--- config
# $TEST_CERTIFICATES
--- client
from examples import *

redis("ACL", "SETUSER", "gateway", "on", ">SECRET", "~session:*", "resetchannels", "&__redis__:invalidate",
      "+get", "+select", "+ping", "+client|tracking", "+client|id", "+subscribe")
redis("SELECT", "2")
redis("SET", "session:secret", '{"user":{"id":"42"}}')
use_configuration("redis-tls.conf", {
    "127.0.0.1:6380": f"127.0.0.1:{os.environ['TEST_REDIS_TLS_PORT']}",
    "redis-ca.pem": f"{os.environ['TEST_CERTIFICATES']}/ca.pem",
    "redis.internal": "redis.test"})

c, b = tunnel("/chat", host="example.com", cookie="sid=secret")
equal(b.header("X-WS-Context"), '{"user":{"id":"42"}}')
redis("DEL", "session:secret")
c.expect_close(4401, "session ended")
--- no_error_log
ws: redis

=== TEST 7: tls.conf: TLS on both sides, the backend's certificate checked
--- redis
SET session:secret '{"user":{"id":"42"}}'
--- http_config
include $TEST_DIR/configuration*.conf;
--- config
listen 127.0.0.1:$TEST_TLS_PORT;
# $TEST_CERT
--- client
from examples import *
use_configuration("tls.conf", {
    "127.0.0.1:3001": os.environ["TEST_BACKEND"],
    "example.com.pem": os.environ["TEST_CERT"],
    "example.com.key": os.environ["TEST_CERT_KEY"],
    "backend-ca.pem": os.environ["TEST_CERT"],
    "backend.internal": "localhost"})

c = client("/chat", tls=True, host="example.com", origin="https://example.com", cookie="sid=secret")
b = backend.accept(tls=True)
equal(b.header("X-WS-Context"), '{"user":{"id":"42"}}')
b.upgrade()
equal(c.status, 101)
c.send_text("hello")
b.expect_text("hello")
equal(client("/chat", tls=True, host="example.com", origin="http://example.com", cookie="sid=secret").status, 403)

=== TEST 8: upstream-group.conf: a backend that can't be reached is passed over
--- redis
SET session:secret '{"user":{"id":"42"}}'
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
gone = f"127.0.0.1:{os.environ['TEST_CLOSED_PORT']}"
use_configuration("upstream-group.conf", {"127.0.0.1:3001": gone, "127.0.0.1:3002": gone})

for _ in range(4):
    c, b = tunnel("/chat", host="example.com", cookie="sid=secret")
    equal(b.header("X-WS-Context"), '{"user":{"id":"42"}}')
--- error_log
connect() failed (111: Connection refused) while connecting to upstream

=== TEST 9: status.conf: the figures, for Prometheus, for people and for programs
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
use_configuration("status.conf", {"listen 127.0.0.1:9145;": f"listen 127.0.0.1:{PORT};"})

status = get("/ws-status?format=prometheus", host="figures")
equal(status.status, 200)
matches(status.body.decode(), r'(?m)^ws_connections\{delivery="headers"\} 0')
check("connections" in json.loads(get("/ws-status", host="figures").body), "JSON")
matches(get("/ws-status", host="figures", headers=["Accept: text/html"]).body.decode(), "(?i)<!doctype html>")

=== TEST 10: limits.conf: the fifty-first message at once is one too many, and so is a large one
--- redis
SET session:secret '{"user":{"id":"42"}}'
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
use_configuration("limits.conf")

c, b = tunnel("/chat", host="example.com", cookie="sid=secret")
c.send(b"".join(frame(TEXT, "hello", mask=b"abcd") for _ in range(500)))
b.recv_text()
for _ in range(50):
    equal(json.loads(b.recv_text())["event"], "message")
b.send_close(1000)
c.expect_close(1008)

c, b = tunnel("/chat", host="example.com", cookie="sid=secret")
c.send_text("." * (65 << 10))
b.recv_text()
b.send_close(1000)
c.expect_close(1009)

attempts = [client("/chat", host="example.com") for _ in range(60)]
answers = [attempt.status for attempt in attempts]
check(401 in answers and 503 in answers, f"some attempts, then no more: {answers}")

=== TEST 11: jwt.conf: the claims are the context, and nobody else's token will do
--- redis: none
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
from jwt_keys import sign
use_configuration("jwt.conf", {"jwks.json": f"{os.environ['TEST_KEYS']}/jwks.json"})

claims = {"iss": "https://login.example.com/", "aud": "chat", "sub": "7", "name": "Ada", "exp": int(time.time()) + 600}
c, b = tunnel("/chat", host="example.com", cookie=f"jwt={sign(claims)}")
equal(b.header("X-WS-Context"), '{"sub":"7","name":"Ada"}')
tunnel("/chat", host="example.com", headers=[f"Authorization: Bearer {sign(claims)}"])
for wrong in {"iss": "https://other.example/"}, {"aud": "shop"}, {"exp": int(time.time()) - 1}:
    equal(client("/chat", host="example.com", cookie=f"jwt={sign({**claims, **wrong})}").status, 401, str(wrong))
c, b = tunnel("/chat", host="example.com", cookie=f"jwt={sign({**claims, 'exp': int(time.time()) + 2})}")
c.expect_close(4401, "session ended")

=== TEST 12: optional-login.conf: a guest has no context, and becomes one when his session ends
--- redis
SET session:secret {"user":"ada"}
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
use_configuration("optional-login.conf")

for cookie, context in (None, None), ("sid=unknown", None), ("sid=secret", {"user": "ada"}):
    c, b = tunnel("/chat", host="example.com", cookie=cookie)
    equal(json.loads(b.recv_text())["context"], context)
redis("DEL", "session:secret")
c.expect_close(4401, "session ended")

=== TEST 13: readable-refusal.conf: a close code instead of a status
--- redis
SET session:secret {"user":"ada"}
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
use_configuration("readable-refusal.conf")

for code, request in (4401, {"cookie": "sid=unknown"}), (4403, {"cookie": "sid=secret", "origin": "http://other.example"}):
    c = client("/chat", host="example.com", **request)
    equal(c.status, 101)
    c.expect_close(code)
    c.send_close(code)
    c.expect_eof()
backend.no_connection()
tunnel("/chat", host="example.com", cookie="sid=secret")

=== TEST 14: redis-sentinel.conf: the master is found
--- redis_sentinels
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
from redis_group import nodes
sentinels = [node for name, node in nodes.items() if name.startswith("sentinel")]
use_configuration("redis-sentinel.conf", {
    f"127.0.0.1:{shipped}": f"127.0.0.1:{node.port}" for shipped, node in zip((26379, 26380, 26381), sentinels)})

nodes["master"]("SET", "session:secret", '{"user":"ada"}')
c, b = tunnel("/chat", host="example.com", cookie="sid=secret")
equal(b.header("X-WS-Context"), '{"user":"ada"}')
nodes["master"]("DEL", "session:secret")
c.expect_close(4401, "session ended")

=== TEST 15: http-php.conf: PHP answers
--- redis
SET session:secret '{"user":{"id":"42","name":"Ada"}}'
--- http_config
include $TEST_DIR/configuration*.conf;
--- client
from examples import *
from http_examples import *

with php_fpm() as fpm:
    use_configuration("http-php.conf", {
        "/srv/chat/chat.php": os.path.join(ROOT, "examples/php/echo.php"), "unix:/run/php/php-fpm.sock": "unix:" + fpm.path,
        "include        fastcgi_params;": "include /etc/nginx/fastcgi_params;"})
    c = client("/chat", host="example.com", cookie="PHPSESSID=secret")
    equal(c.status, 101)
    c.expect_text("Welcome, Ada")
    c.send_text("hello ☂")
    c.expect_text("Ada: hello ☂")
    c.send_close(1000)
    c.expect_close(1000)
    equal(client("/chat", host="example.com", cookie="PHPSESSID=wrong").status, 401)

=== TEST 16: control.conf: one user's connection is closed
--- http_config
include $TEST_DIR/configuration*.conf;
--- config
location /chat { ws_auth variable '{"user":{"id":"$arg_id"}}'; ws_pass http://$TEST_BACKEND; }
--- client
from examples import *
use_configuration("control.conf", {"listen 127.0.0.1:9146;": f"listen 127.0.0.1:{PORT};"})

banned, _ = tunnel("/chat?id=42")
other, b = tunnel("/chat?id=43")
answer = get("/ws-control/connections?context.user.id=42&code=4001&reason=banned", method="DELETE", host="control")
equal((answer.status, json.loads(answer.body)), (200, {"closed": 1}))
banned.expect_close(4001, "banned")
other.send_text("still here")
b.expect_text("still here")
