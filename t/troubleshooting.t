# docs/troubleshooting.md: each symptom is made to happen, and the log says what the document says.
use lib 't/lib';
use File::Temp qw(tempdir);
use Test::Gateway;

my $keys = tempdir('keys.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $keys;
system($ENV{GATEWAY_PYTHON} || '/usr/bin/python3', 't/lib/jwt_keys.py', $keys) == 0 or die "no keys\n";

run_tests(TEST_KEYS => $keys);

__DATA__

=== TEST 1: 401: no token, no such session, a cookie of another name or with a blank
--- config
location /chat {
    ws_redis       redis://127.0.0.1:$TEST_REDIS_PORT;
    ws_auth        redis;
    ws_auth_token  cookie:sid;
    ws_pass        http://$TEST_BACKEND;
}
--- redis
SET session:secret {"user":"ada"}
--- client
for cookie in None, "SID=secret", 'sid="se cret"', "sid=sécret", "sid=wrong":
    equal(client("/chat", cookie=cookie).status, 401, cookie)
equal(nginx.error_log().count("no token"), 4)
backend.no_connection()
--- error_log
ws: lookup
qr/ws: refused 401, connection=\w+: no token/
qr/ws: refused 401, connection=\w+: no such session/
--- no_error_log
secret

=== TEST 2: 403: a page of another host; a proxy in front with a Host of its own; allow and deny
--- config
location /same { ws_pass http://$TEST_BACKEND; }
location /named { ws_origin example.com; ws_pass http://$TEST_BACKEND; }
location /denied { deny all; ws_pass http://$TEST_BACKEND; }
--- client
equal(client("/same", host="example.com", origin="http://other.example").status, 403)
equal(client("/same", host="10.0.0.7", origin="https://example.com").status, 403)
tunnel("/same", host="example.com", origin="https://example.com")
tunnel("/named", host="10.0.0.7", origin="https://example.com")
equal(client("/denied").status, 403)
--- error_log
qr/ws: refused 403, connection=\w+: foreign Origin/
access forbidden by rule

=== TEST 3: 400: malformed, ambiguous, too large
--- config
location /chat {
    ws_auth        variable '{}';
    ws_auth_token  cookie:sid;
    ws_pass        http://$TEST_BACKEND;
}
--- client
equal(client("/chat", cookie="sid=a", key="short").status, 400)
equal(client("/chat", cookie="sid=a", method="POST").status, 400)
equal(client("/chat", cookie="sid=a; sid=b").status, 400)
equal(client("/chat", cookie="sid=a", headers=["Sec-WebSocket-Protocol: a, a"]).status, 400)
equal(client("/chat", cookie="sid=" + 9000 * "a").status, 400)
--- error_log
qr/ws: refused 400, connection=\w+: malformed upgrade/
qr/ws: refused 400, connection=\w+: ambiguous token/
qr/ws: refused 400, connection=\w+: malformed subprotocols/
client sent too long header line

=== TEST 4: 426: an ordinary request, also one that lost its lines on the way; a wrong version
--- config
location /chat { ws_pass http://$TEST_BACKEND; }
location /front { proxy_pass http://127.0.0.1:$TEST_PORT/chat; }
--- client
equal(get("/chat").status, 426)
equal(client("/front").status, 426)
equal(client("/chat", version="8").status, 426)
backend.no_connection()
--- error_log
qr/ws: refused 426, connection=\w+: no WebSocket upgrade/
qr/ws: refused 426, connection=\w+: wrong WebSocket version/

=== TEST 5: 500: sessions that are no JSON object, of another kind, too large, for a header too large, a field that doesn't fit
--- config
ws_redis       redis://127.0.0.1:$TEST_REDIS_PORT;
ws_auth_token  cookie:sid;
location /string { ws_auth redis; ws_max_session_size 8k; ws_pass http://$TEST_BACKEND; }
location /hash { ws_auth redis; ws_auth_redis_command HGETALL session:$ws_token; ws_pass http://$TEST_BACKEND; }
location /field { ws_auth redis; ws_context_field age $arg_age number; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- redis
SET session:php 'a:1:{s:4:"user";i:42;}'
SET session:list [1]
SET session:ada {"user":"ada"}
HSET session:hash user ada
--- client
redis("SET", "session:big", '{"a":"%s"}' % (5000 * "a"))
redis("SET", "session:huge", '{"a":"%s"}' % (9000 * "a"))
for path, token in ("/string", "php"), ("/string", "list"), ("/string", "hash"), ("/hash", "ada"), ("/string", "huge"), ("/string", "big"), ("/field?age=x", "ada"):
    equal(client(path, cookie=f"sid={token}").status, 500, f"{path} {token}")
tunnel("/envelope", cookie="sid=big")
--- error_log
qr/ws: refused 500, connection=\w+: session is not JSON/
qr/ws: refused 500, connection=\w+: session is not a JSON object/
qr/ws: refused 500, connection=\w+: WRONGTYPE/
qr/ws: refused 500, connection=\w+: session too large \(ws_max_session_size\)/
qr/ws: refused 500, connection=\w+: context too large for a header \(ws_context_header_max\)/
qr/ws: refused 500, connection=\w+: ws_context_field "age" does not fit its type/

=== TEST 6: 502: a wrong 101, a subprotocol and an extension that nobody asked for, no backend
--- config
location /chat { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /gone { ws_pass http://127.0.0.1:$TEST_CLOSED_PORT; }
--- client
for path, answer in ("/chat", {"accept": "wrong"}), ("/chat", {"headers": ["Sec-WebSocket-Protocol: chat.v1"]}), \
        ("/envelope", {"headers": ["Sec-WebSocket-Extensions: permessage-deflate"]}):
    c = client(path)
    backend.accept().upgrade(**answer)
    equal(c.status, 502)
equal(client("/gone").status, 502)
--- error_log
qr/ws: backend's 101 refused, connection=\w+: its Upgrade, Connection or Sec-WebSocket-Accept is wrong/
qr/ws: backend's 101 refused, connection=\w+: it has a subprotocol that was not offered/
qr/ws: backend's 101 refused, connection=\w+: it has an extension that was not offered/
connect() failed (111: Connection refused) while connecting to upstream

=== TEST 7: 503: no Redis, a silent one, one that wants a password; and limit_req
--- redis_own
--- http_config
limit_req_zone $server_name zone=attempts:64k rate=1r/m;
limit_conn_zone $server_name zone=clients:64k;
--- config
ws_auth_token  cookie:sid;
location /chat { ws_auth redis; ws_redis unix:$TEST_DIR/nowhere.sock; ws_pass http://$TEST_BACKEND; }
location /silent { ws_auth redis; ws_redis $TEST_REDIS timeout=100ms; ws_pass http://$TEST_BACKEND; }
location /password { ws_auth redis; ws_redis redis://127.0.0.1:$TEST_REDIS_PORT; ws_pass http://$TEST_BACKEND; }
location /limited { limit_req zone=attempts; ws_pass http://$TEST_BACKEND; }
location /one { limit_conn clients 1; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/chat", cookie="sid=a")
equal(c.status, 503)
check(c.header("Retry-After"), "Retry-After")
equal(client("/silent", cookie="sid=a").status, 401)
redis.stop()
equal(client("/silent", cookie="sid=a").status, 503)
redis.resume()
redis("CONFIG", "SET", "requirepass", "hush")
equal(client("/password", cookie="sid=a").status, 503)
tunnel("/limited")
equal(client("/limited").status, 503)
one = tunnel("/one")
equal(client("/one").status, 503)
--- error_log
qr/ws: redis \S+ unreachable: connect\(\) failed/
qr/ws: refused 503, connection=\w+: no connection/
qr/ws: refused 503, connection=\w+: no reply in time/
NOAUTH
limiting requests
limiting connections

=== TEST 8: what the backend refuses with reaches the client; the context is too large for it
--- config
include $TEST_DIR/location*.conf;
--- client
from examples import *

redis("SET", "session:big", '{"user":{"name":"%s"}}' % (20000 * "a"))
with example("node/headers.mjs", "node/headers.conf"):
    equal(client("/chat", cookie="X-Token=big").status, 500)
    path = f"{TEST_DIR}/location.conf"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("ws_pass", "ws_context_header_max 32k; ws_pass"))
    nginx.reload()
    equal(client("/chat", cookie="X-Token=big").status, 431)

=== TEST 9: plain proxy_pass without the upgrade lines is no upgrade for the backend
--- config
location /chat { ws_auth variable '{}'; proxy_pass http://$TEST_BACKEND; }
--- client
c = client("/chat")
b = backend.accept()
equal((b.protocol, b.header("Upgrade")), ("HTTP/1.0", None))
b.respond("426 Upgrade Required")
equal(c.status, 426)

=== TEST 10: 1006: a client that leaves, one that answers no ping
--- config
location /chat { ws_pass http://$TEST_BACKEND; }
location /pinged { ws_ping_interval 100ms; ws_pong_timeout 100ms; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/chat")
c.close()
b.expect_eof()
b.close()
c, b = tunnel("/pinged")
equal(c.recv_message()[0], PING)
b.expect_eof()
b.close()
c.expect_eof()
--- error_log
qr/ws: closed connection=\w+ by=client code=1006 .* client left without a close frame/
qr/ws: closed connection=\w+ by=client code=1006 .* client does not answer a ping/

=== TEST 11: proxy_read_timeout ends nginx's own tunnel, and no connection of the module's
--- config
proxy_read_timeout 300ms;
location /stock {
    proxy_http_version  1.1;
    proxy_set_header    Upgrade $http_upgrade;
    proxy_set_header    Connection upgrade;
    proxy_pass          http://$TEST_BACKEND;
}
location /chat { ws_pass http://$TEST_BACKEND; }
--- client
ours, b = tunnel("/chat")
stock, _ = tunnel("/stock")
stock.expect_eof()
time.sleep(0.5)
ours.send_text("still here")
b.expect_text("still here")

=== TEST 12: 1001: idle, or too old
--- config
location /idle { ws_idle_timeout 200ms; ws_pass http://$TEST_BACKEND; }
location /old { ws_max_age 200ms; ws_pass http://$TEST_BACKEND; }
--- client
for path in "/idle", "/old":
    c, b = tunnel(path)
    c.expect_close(1001)
    b.expect_close(1001)
    c.send_close(1001)
    b.send_close(1001)
    c.expect_eof()
--- error_log
qr/ws: closed .* idle timeout/
qr/ws: closed .* connection too old/

=== TEST 13: 1008, 1009, 1002 and 1007: what a client may not do
--- config
ws_delivery envelope;
location /rate { ws_message_rate 1/m burst=1; ws_pass http://$TEST_BACKEND; }
location /controls { ws_control_frame_rate 1/m burst=1; ws_pass http://$TEST_BACKEND; }
location /fragments { ws_max_fragments 2; ws_pass http://$TEST_BACKEND; }
location /slow { ws_message_timeout 200ms; ws_pass http://$TEST_BACKEND; }
location /size { ws_max_message_size 10; ws_pass http://$TEST_BACKEND; }
location /protocol { ws_pass http://$TEST_BACKEND; }
--- client
def closed(path, code, *frames):
    c, b = tunnel(path)
    for arguments in frames:
        c.send_frame(*arguments)
    while b.recv_message()[0] != CLOSE:
        pass
    b.send_close(1000)
    while (message := c.recv_message())[0] != CLOSE:
        pass
    equal(struct.unpack("!H", message[1][:2]), (code,), path)

closed("/rate", 1008, (TEXT, "a"), (TEXT, "b"))
closed("/controls", 1008, (PING, "a"), (PING, "b"))
closed("/fragments", 1008, (TEXT, "a", False), (CONTINUATION, "b", False), (CONTINUATION, "c", False))
closed("/slow", 1008, (TEXT, "a", False))
closed("/size", 1009, (TEXT, "more than ten"))
closed("/protocol", 1002, (3, "reserved"))
closed("/protocol", 1007, (TEXT, b"\xff"))
--- error_log
qr/ws: closed .* too many messages/
qr/ws: closed .* too many control frames/
qr/ws: closed .* message in too many fragments/
qr/ws: closed .* message takes too long/
qr/ws: closed .* message too big/

=== TEST 14: 1012: a reload; 1014: a backend that goes, or breaks the protocol
--- config
location /chat { ws_drain_timeout 1s; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/chat")
b.close()
c.expect_close(1014, "backend gone")
c.send_close(1000)
c, b = tunnel("/envelope")
b.recv_text()
b.send_frame(3, "reserved")
c.expect_close(1014)
b.expect_close(1002)
c.send_close(1000)
c, b = tunnel("/chat")
nginx.reload()
opcode, reason = c.recv_message()
matches(reason[2:].decode(), r"\Aserver restart; retry-after=\d\Z")
equal(struct.unpack("!H", reason[:2]), (1012,))
--- error_log
qr/ws: closed .* backend left without a close frame/
server restart

=== TEST 15: 1013: a client that takes nothing
--- config
location /chat { send_timeout 300ms; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/chat", receive_buffer=4096)
b = backend.accept().upgrade()
equal(c.status, 101)
b.sock.settimeout(1)
try:
    for _ in range(1000):
        b.send_binary(bytes(65536))
except (socket.timeout, TimeoutError, ConnectionError):
    pass
nginx.wait_log("client reads too slowly")
c.close()
--- error_log
qr/ws: closed .* client reads too slowly/

=== TEST 16: 4401, 4409; a logout that deletes nothing is a change
--- config
ws_redis       redis://127.0.0.1:$TEST_REDIS_PORT;
ws_auth_token  cookie:sid;
location /chat { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /back { ws_auth redis; ws_auth_live_headers close; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- redis
SET session:a {"user":"ada"}
--- client
chat, chat_backend = tunnel("/chat", cookie="sid=a")
back, back_backend = tunnel("/back", cookie="sid=a")
envelope, b = tunnel("/envelope", cookie="sid=a")
b.recv_text()
redis("SET", "session:a", '{"user":null}')
back.expect_close(4409, "session changed")
matches(b.recv_text(), r'"context":\{"user":null\}')
chat.expect_silence()
redis("DEL", "session:a")
chat.expect_close(4401, "session ended")
envelope.expect_close(4401, "session ended")
--- error_log
ws: session ended

=== TEST 17: Redis reports no changes to a user who may not track: the log says so, and sockets close at the next read
--- redis_own
--- config
location /chat {
    ws_redis         redis://reader:hush@127.0.0.1:$TEST_REDIS_PORT;
    ws_auth          redis;
    ws_auth_token    cookie:sid;
    ws_auth_recheck  200ms;
    ws_pass          http://$TEST_BACKEND;
}
--- client
redis("ACL", "SETUSER", "reader", "on", ">hush", "~session:*", "+get", "+ping")
redis("SET", "session:a", '{"user":"ada"}')
c, b = tunnel("/chat", cookie="sid=a")
redis("DEL", "session:a")
c.expect_close(4401, "session ended")
--- error_log
qr/ws: redis \S+ reports no changes \(.*\): sessions are read again every ws_auth_recheck/

=== TEST 18: no context: header off, another name, none passed on, no hook; and what an outer level selects
--- config
ws_auth variable '{"user":"ada","role":"admin"}';
location /off { ws_context_header off; ws_pass http://$TEST_BACKEND; }
location /named { ws_context_header X-User; ws_pass http://$TEST_BACKEND; }
location /dropped { proxy_pass_request_headers off; ws_pass http://$TEST_BACKEND; }
location /set { proxy_pass_request_headers off; proxy_set_header X-WS-Context $ws_context; ws_pass http://$TEST_BACKEND; }
location /without { ws_auth off; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /selected { ws_context_select role; ws_pass http://$TEST_BACKEND; }
location /nothing { ws_context_select; ws_pass http://$TEST_BACKEND; }
--- client
whole = '{"user":"ada","role":"admin"}'
def got(path, name="X-WS-Context"):
    c = client(path)
    b = backend.accept()
    b.respond()
    equal(c.status, 200)
    return b.header(name)

equal(got("/off"), None)
equal(got("/named"), None)
equal(got("/named", "X-User"), whole)
equal(got("/dropped"), None)
equal(got("/set"), whole)
equal(got("/without"), "{}")
equal(got("/envelope"), None)
equal(got("/selected"), '{"role":"admin"}')
equal(got("/nothing"), "{}")

=== TEST 19: commands that reach the client as they are, and messages that are no commands
--- config
ws_delivery envelope;
location /raw { ws_pass http://$TEST_BACKEND; }
location /commands { ws_envelope_replies on; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/raw")
b.send_text('{"event":"message","data":"hello"}')
c.expect_text('{"event":"message","data":"hello"}')
c, b = tunnel("/commands")
b.send_text("hello")
b.send_text('{"event":"message","data":"hello"}')
c.expect_text("hello")
--- error_log
qr/ws: backend message dropped, connection=\w+: not JSON/

=== TEST 20: 401 of a JSON Web Token
--- redis: none
--- config
location /chat {
    ws_auth          jwt;
    ws_auth_token    bearer;
    ws_jwt_key_file  $TEST_KEYS/rsa.pem;
    ws_jwt_issuer    us;
    ws_jwt_audience  chat;
    ws_pass          http://$TEST_BACKEND;
}
--- client
from jwt_keys import sign
claims = {"iss": "us", "aud": "chat"}
good = sign(claims)
tunnel("/chat", headers=[f"Authorization: Bearer {good}"])
for token in sign({**claims, "exp": 1}), sign(claims, "rsa_other"), sign(claims, "ec"), sign({**claims, "iss": "them"}), \
        sign({**claims, "aud": "shop"}):
    equal(client("/chat", headers=[f"Authorization: Bearer {token}"]).status, 401)
--- error_log
qr/ws: refused 401, connection=\w+: token has expired/
qr/ws: refused 401, connection=\w+: signature is wrong/
qr/ws: refused 401, connection=\w+: no key for this token/
qr/ws: refused 401, connection=\w+: wrong issuer/
qr/ws: refused 401, connection=\w+: wrong audience/

=== TEST 21: a page can be told, and nobody has the context null
--- config
ws_redis       redis://127.0.0.1:$TEST_REDIS_PORT;
ws_auth_token  cookie:sid;
location /told { ws_auth redis; ws_auth_reject close; ws_pass http://$TEST_BACKEND; }
location /nobody { ws_auth redis; ws_auth_optional on; ws_pass http://$TEST_BACKEND; }
--- client
c = client("/told")
c.expect_close(4401)
c.send_close(4401)
c, b = tunnel("/nobody")
equal(b.header("X-WS-Context"), "null")

=== TEST 22: 1006: a worker that is killed
--- config
location /chat { ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/chat")
os.kill(nginx.worker_pids()[0], signal.SIGKILL)
c.expect_eof()
--- expect_alert
qr/worker process \d+ exited on signal 9/

=== TEST 23: 1013: a backend that takes nothing
--- config
location /chat { proxy_send_timeout 300ms; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/chat")
c.sock.settimeout(1)
try:
    for _ in range(1000):
        c.send_binary(bytes(65536))
except (socket.timeout, TimeoutError, ConnectionError):
    pass
nginx.wait_log("backend reads too slowly")
b.close()
--- error_log
qr/ws: closed .* backend reads too slowly/

=== TEST 24: HTTP delivery: a message without an answer
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location /chat { ws_delivery http; ws_max_message_size 100; ws_pass http://backend; }
location /late { ws_delivery http; proxy_read_timeout 200ms; ws_pass http://$TEST_BACKEND; }
--- client
def failed(**answer):
    """On a connection of its own, since the log has the 1st, 2nd, 4th ... of each."""
    c = client("/chat")
    b = backend.accept()
    b.respond("204 No Content")
    equal(c.status, 101)
    c.send_text("x")
    b.read_request()
    b.read_body()
    b.respond(**answer)
    c.send_text("y")
    b.read_request()
    b.read_body()
    b.respond(headers=["Content-Type: text/plain", "Connection: close"], body="still here")
    equal(c.recv_text(), "still here")
    return c

kept = [failed(status=f"{status} Status") for status in (302, 403, 413, 419)]
kept.append(failed(headers=["Content-Type: text/plain"], body=b"\xff"))
kept.append(failed(headers=["Content-Type: multipart/mixed; boundary=x"], body=b"--x\r\n\r\nopen"))
kept.append(failed(headers=["X-WS-Close: 1006"]))
kept.append(failed(headers=["X-WS-Context-Update: []"]))

c = client("/chat")
b = backend.accept()
b.respond("204 No Content")
equal(c.status, 101)
c.send_text("x")
b.read_request()
b.read_body()
b.respond(body=b"x" * 101)
nginx.wait_log("reply too large")
late = client("/late")
backend.accept().respond("204 No Content")
equal(late.status, 101)
late.send_text("x")
b = backend.accept()
nginx.wait_log("status 504")
gone = client("/chat")
b = backend.accept()
b.respond("204 No Content")
equal(gone.status, 101)
gone.send_text("x")
b.read_request()
backend.close()
b.close()
nginx.wait_log("status 502")
--- error_log
qr/ws: request failed, connection=\w+ seq=1: status 302/
qr/ws: request failed, connection=\w+ seq=1: status 403/
qr/ws: request failed, connection=\w+ seq=1: status 413/
qr/ws: request failed, connection=\w+ seq=1: status 419/
qr/ws: request failed, connection=\w+ seq=1: body is not what its type says/
qr/ws: request failed, connection=\w+ seq=1: X-WS-Close is wrong/
qr/ws: request failed, connection=\w+ seq=1: X-WS-Context-Update can't be applied/
ws: reply too large (ws_max_message_size)
