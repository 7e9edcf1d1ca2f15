# TLS on either side, and on both: the same flow as without.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: TLS clients
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / { ws_pass http://$TEST_BACKEND; }
}
--- config
--- timeout: 90
--- client
import flow
flow.messages_both_ways(tls=True)
flow.early_bytes_of_both_sides(tls=True)

=== TEST 2: TLS backends
--- config
location / { ws_pass https://$TEST_BACKEND; }
# $TEST_CERT
--- timeout: 90
--- client
import flow
flow.messages_both_ways(tls_backend=True)
flow.early_bytes_of_both_sides(tls_backend=True)

=== TEST 3: TLS on both sides
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / {
        proxy_ssl_verify on;
        proxy_ssl_name localhost;
        proxy_ssl_trusted_certificate $TEST_CERT;
        ws_pass https://$TEST_BACKEND;
    }
}
--- config
--- timeout: 90
--- client
import flow
flow.messages_both_ways(tls=True, tls_backend=True)
flow.early_bytes_of_both_sides(tls=True, tls_backend=True)

=== TEST 4: slow readers behind TLS: the sender stops, memory stays, nothing is lost
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / { ws_pass https://$TEST_BACKEND; }
}
--- config
--- timeout: 90
--- client
import flow
flow.back_pressure(size=32 << 20, tls=True, tls_backend=True)

=== TEST 5: a half-closed client before a TLS backend gets its answers; the backend is told by a close frame
--- config
location / { ws_pass https://$TEST_BACKEND; }
# $TEST_CERT
--- client
import flow
c, b = flow.open_tunnel(tls_backend=True)
c.send_text("question")
c.half_close()
b.expect_text("question")
b.expect_close(1001)
b.send_text("answer")
b.send_close(1001)
c.expect_text("answer")
c.expect_close(1001)
c.expect_eof()

=== TEST 6: a TLS client that is cut off within a frame ends its TLS backend's connection
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / { ws_pass https://$TEST_BACKEND; }
}
--- config
--- client
import flow
for end in "close", "reset":
    c, b = flow.open_tunnel(tls=True, tls_backend=True)
    half = frame(BINARY, "x" * 1000, mask=b"1234")[:500]
    c.send(half)
    b.expect_bytes(half)
    getattr(c, end)()
    b.expect_eof()

=== TEST 7: a TLS backend that dies: the TLS client is told, or cut off within a frame
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / { ws_pass https://$TEST_BACKEND; }
}
--- config
--- client
import flow
for end in "close", "reset":
    c, b = flow.open_tunnel(tls=True, tls_backend=True)
    b.send_text("last")
    c.expect_text("last")
    getattr(b, end)()
    c.expect_close(1014, "backend gone")
    c.send_close(1014)
    c.expect_eof()

    c, b = flow.open_tunnel(tls=True, tls_backend=True)
    half = frame(BINARY, "x" * 1000)[:500]
    b.send(half)
    c.expect_bytes(half)
    getattr(b, end)()
    c.expect_eof()

=== TEST 8: a TLS client that breaks the protocol
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / { ws_pass https://$TEST_BACKEND; }
}
--- config
--- client
import flow
c, b = flow.open_tunnel(tls=True, tls_backend=True)
c.send(frame(3, "", mask=b"1234"))
b.expect_close(1001)
b.send_close(1001)
c.expect_close(1002)
c.expect_eof()
b.expect_eof()

=== TEST 9: a page of https on a TLS server is the same origin, one of http is not
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / { ws_pass http://$TEST_BACKEND; }
}
--- config
--- client
equal(client("/", tls=True, host="chat.example", origin="http://chat.example").status, 403)
c, b = tunnel("/", tls=True, host="chat.example", origin="https://chat.example")
c.send_text("hello")
b.expect_text("hello")
