# Redis by TLS: what it takes to be believed, and what happens otherwise.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: sessions are read by TLS, and live: the server's certificate is verified, for its name or its address
--- redis_tls: --tls-auth-clients no
--- redis
SET session:abc {"user":"ann"}
SET session:b {"user":"bob"}
--- config
ws_auth_token cookie:sid;
location /name {
    ws_auth redis;
    ws_redis rediss://localhost:$TEST_REDIS_TLS_PORT ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
    ws_pass http://$TEST_BACKEND;
}
location /address {
    ws_auth redis;
    ws_redis rediss://127.0.0.1:$TEST_REDIS_TLS_PORT ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
    ws_pass http://$TEST_BACKEND;
}
location /named {
    ws_auth redis;
    ws_redis rediss://127.0.0.1:$TEST_REDIS_TLS_PORT ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem ssl_name=redis.test;
    ws_pass http://$TEST_BACKEND;
}
--- client
pairs = [tunnel(path, cookie="sid=abc") for path in ("/name", "/address", "/named")]
for c, b in pairs:
    equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
other, _ = tunnel("/name", cookie="sid=b")
equal(client("/name", cookie="sid=unknown").status, 401)
redis("DEL", "session:abc")
for c, b in pairs:
    c.expect_close(4401, "session ended")
redis("DEL", "session:b")
other.expect_close(4401, "session ended")
--- no_error_log
ws: redis

=== TEST 2: a server that a stranger vouches for: refused before anything is said to it
--- redis_tls: --tls-auth-clients no
--- config
ws_auth_token cookie:sid;
location / {
    ws_auth redis;
    ws_redis rediss://:hush@localhost:$TEST_REDIS_TLS_PORT connections=1 ssl_trusted_certificate=$TEST_CERTIFICATES/stranger.pem;
    ws_pass http://$TEST_BACKEND;
}
--- client
for _ in range(5):
    equal(client("/", cookie="sid=abc").status, 503)
equal(redis.calls("auth"), 0)
equal(redis.calls("ping"), 0)
equal(nginx.error_log().count("unreachable"), 1)
--- error_log
qr/\[error\] .* ws: redis localhost:\d+ unreachable: certificate refused \(localhost\): /
--- no_error_log
hush

=== TEST 3: without a file the system's authorities count
--- redis_tls: --tls-auth-clients no
--- config
ws_auth_token cookie:sid;
location / {
    ws_auth redis;
    ws_redis rediss://localhost:$TEST_REDIS_TLS_PORT;
    ws_pass http://$TEST_BACKEND;
}
--- client
equal(client("/", cookie="sid=abc").status, 503)
--- error_log
certificate refused (localhost)

=== TEST 4: a certificate for another name, or another address
--- redis_tls: --tls-auth-clients no
--- config
ws_auth_token cookie:sid;
location /name {
    ws_auth redis;
    ws_redis rediss://127.0.0.1:$TEST_REDIS_TLS_PORT ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem ssl_name=redis.example;
    ws_pass http://$TEST_BACKEND;
}
location /address {
    ws_auth redis;
    ws_redis rediss://127.0.0.1:$TEST_REDIS_TLS_PORT ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem ssl_name=127.0.0.2;
    ws_pass http://$TEST_BACKEND;
}
--- client
equal(client("/name", cookie="sid=abc").status, 503)
equal(client("/address", cookie="sid=abc").status, 503)
--- error_log
certificate refused (redis.example): it is for another name
certificate refused (127.0.0.2): it is for another name

=== TEST 5: a certificate whose time is over, or has not come, or that its server has signed itself
--- redis_tls: --tls-auth-clients no
--- config
ws_auth_token cookie:sid;
location / {
    ws_auth redis;
    ws_redis rediss://localhost:$TEST_REDIS_TLS_PORT ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
    ws_pass http://$TEST_BACKEND;
}
--- client
import os
from certificates import sign
redis("SET", "session:abc", '{"user":"ann"}')
directory = os.environ["TEST_CERTIFICATES"]
sign(directory, "over", -30, -1)
sign(directory, "early", 1, 30)

def show(name):
    redis("CONFIG", "SET", "tls-cert-file", f"{directory}/{name}.pem", "tls-key-file", f"{directory}/{name}.key")
    redis("CLIENT", "KILL", "TYPE", "normal")
    redis("CLIENT", "KILL", "TYPE", "pubsub")

for name in "over", "early", "stranger":
    show(name)
    wait_until(lambda: client("/", cookie="sid=abc").status == 503, name)
    show("server")
    wait_until(lambda: client("/", cookie="sid=unknown").status == 401, "it is back")
equal(nginx.error_log().count("unreachable"), 3)
--- error_log
certificate refused (localhost): certificate has expired
certificate refused (localhost): certificate is not yet valid
certificate refused (localhost): self-signed certificate

=== TEST 6: ssl_verify=off takes any
--- redis_tls: --tls-auth-clients no
--- redis
SET session:abc {"user":"ann"}
--- config
ws_auth_token cookie:sid;
location / {
    ws_auth redis;
    ws_redis rediss://127.0.0.1:$TEST_REDIS_TLS_PORT ssl_verify=off ssl_name=redis.example;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="sid=abc")
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])

=== TEST 7: a server that wants to see a certificate
--- redis_tls: --tls-auth-clients yes
--- redis
SET session:abc {"user":"ann"}
--- config
ws_auth_token cookie:sid;
location /with {
    ws_auth redis;
    ws_redis rediss://localhost:$TEST_REDIS_TLS_PORT ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem
        ssl_certificate=$TEST_CERTIFICATES/client.pem ssl_certificate_key=$TEST_CERTIFICATES/client.key;
    ws_pass http://$TEST_BACKEND;
}
location /without {
    ws_auth redis;
    ws_redis rediss://127.0.0.1:$TEST_REDIS_TLS_PORT ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/with", cookie="sid=abc")
equal(client("/without", cookie="sid=abc").status, 503)
c.send_text("still here")
b.expect_text("still here")
--- error_log
qr/ws: redis 127\.0\.0\.1:\d+ unreachable: (recv|send)\(\) failed \(SSL: .*certificate required/

=== TEST 8: an ACL user by TLS, in another database
--- redis_tls: --tls-auth-clients no
--- redis
ACL SETUSER gateway on >s3cret ~session:* &* +get +select +ping +client|tracking +client|id +subscribe
SELECT 3
SET session:abc {"user":"ann"}
--- config
ws_auth_token cookie:sid;
location / {
    ws_auth redis;
    ws_redis rediss://gateway:s3cret@localhost:$TEST_REDIS_TLS_PORT/3 ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="sid=abc")
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")
--- no_error_log
ws: redis

=== TEST 9: large sessions, many at a time: more than a TLS record, more than a socket takes
--- redis_tls: --tls-auth-clients no
--- config
ws_auth_token cookie:sid;
ws_context_select user;
ws_redis rediss://localhost:$TEST_REDIS_TLS_PORT connections=1 ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
location / {
    ws_auth redis;
    ws_max_session_size 1m;
    ws_pass http://$TEST_BACKEND;
}
--- client
for i in range(40):
    redis("SET", f"session:{i}", '{"user":%d,"filling":"%s"}' % (i, "x" * 900000))
clients = [client("/", cookie=f"sid={i}") for i in range(40)]
seen = []
for _ in clients:
    b = backend.accept()
    seen.append(b.header("X-WS-Context"))
    b.upgrade()
equal(sorted(seen), sorted('{"user":%d}' % i for i in range(40)))
for c in clients:
    equal(c.status, 101)

=== TEST 10: the name goes into the handshake (SNI), an address doesn't
--- redis: none
--- config
ws_auth_live off;
ws_auth_token cookie:sid;
location /name {
    ws_auth redis;
    ws_redis rediss://$TEST_BACKEND connections=1 ssl_name=redis.test ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
}
location /address {
    ws_auth redis;
    ws_redis rediss://$TEST_BACKEND connections=1 ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
}
--- client
import os
import ssl
from fake_redis import Session
names = []
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.environ["TEST_CERTIFICATES"] + "/server.pem", os.environ["TEST_CERTIFICATES"] + "/server.key")
context.sni_callback = lambda sock, name, own: names.append(name)
for path in ("/name", "/address"):
    c = client(path, cookie="sid=abc")
    s = Session(context.wrap_socket(backend.accept_stream().sock, server_side=True)).login()
    s.expect("GET", "session:abc")
    s.send("$-1\r\n")
    equal(c.status, 401)
equal(names, ["redis.test", None])

=== TEST 11: who speaks no TLS
--- redis: none
--- config
ws_auth_token cookie:sid;
location / {
    ws_auth redis;
    ws_auth_live off;
    ws_redis rediss://$TEST_BACKEND connections=1 ssl_verify=off;
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
}
--- client
c = client("/", cookie="sid=abc")
s = backend.accept_stream()
s.send("-ERR what?\r\n")
equal(c.status, 503)
--- error_log
qr/unreachable: TLS handshake failed \(SSL: .*wrong version number/

=== TEST 12: a handshake has as long as connect_timeout allows, and holds up nobody
--- redis
SET session:abc {"user":"ann"}
--- config
ws_auth_token cookie:sid;
location / {
    ws_auth redis;
    ws_redis rediss://$TEST_BACKEND connections=1 connect_timeout=300ms ssl_verify=off;
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
}
location /other {
    ws_auth redis;
    ws_redis $TEST_REDIS;
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
}
--- client
c = client("/", cookie="sid=abc")
s = backend.accept_stream()
equal(client("/other", cookie="sid=abc").status, 502)
equal(c.status, 503)
--- error_log
unreachable: TLS handshake timed out

=== TEST 13: a server that goes and comes back: one line each
--- redis_tls: --tls-auth-clients no
--- redis
SET session:abc {"user":"ann"}
--- config
ws_auth_token cookie:sid;
location / {
    ws_auth redis;
    ws_redis rediss://localhost:$TEST_REDIS_TLS_PORT timeout=300ms connect_timeout=300ms ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="sid=abc")
redis.stop()
for _ in range(5):
    equal(client("/", cookie="sid=abc").status, 503)
redis.resume()
nginx.wait_log("is back, [0-9]+ requests refused meanwhile")
tunnel("/", cookie="sid=abc")
redis("DEL", "session:abc")
c.expect_close(4401, "session ended")
equal(nginx.error_log().count("unreachable"), 1)

=== TEST 14: a worker that goes in the middle of a handshake
--- redis: none
--- config
ws_auth_token cookie:sid;
location / {
    ws_auth redis;
    ws_redis rediss://$TEST_BACKEND connections=1 connect_timeout=30s ssl_verify=off;
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
}
--- client
c = client("/", cookie="sid=abc")
s = backend.accept_stream()
c.close()
nginx.quit()

=== TEST 15: a file of authorities that isn't there
--- config
ws_redis rediss://127.0.0.1 ssl_trusted_certificate=$TEST_DIR/no.pem;
--- must_die
--- error_log
no.pem
qr/"ws_redis" directive can't use TLS as configured \(see the line above\) in .*nginx\.conf:\d+/

=== TEST 16: a certificate without its key
--- config
ws_redis rediss://127.0.0.1 ssl_certificate=$TEST_CERTIFICATES/client.pem;
--- must_die
--- error_log
"ws_redis" directive needs both ssl_certificate= and ssl_certificate_key=

=== TEST 17: a key that belongs to another certificate
--- config
ws_redis rediss://127.0.0.1 ssl_certificate=$TEST_CERTIFICATES/client.pem ssl_certificate_key=$TEST_CERTIFICATES/server.key;
--- must_die
--- error_log
key values mismatch

=== TEST 18: parameters of TLS without TLS
--- config
ws_redis redis://127.0.0.1 ssl_verify=on;
--- must_die
--- error_log
"ws_redis" directive has ssl_ parameters, which need rediss://

=== TEST 19: ssl_verify is on or off
--- config
ws_redis rediss://127.0.0.1 ssl_verify=maybe;
--- must_die
--- error_log
"ws_redis" directive ssl_verify must be on or off

=== TEST 20: a parameter without a value
--- config
ws_redis rediss://127.0.0.1 ssl_name=;
--- must_die
--- error_log
"ws_redis" directive has a parameter ssl_name= without a value
