# nginx's other event methods: readiness that is told again and again instead of once.
use lib 't/lib';
use Test::Gateway;

my $nginx = $ENV{GATEWAY_NGINX} || '/usr/sbin/nginx';
if (`$nginx -V 2>&1` !~ /--with-poll_module/) {
    print "1..0 # SKIP this nginx was built with epoll only\n";
    exit;
}
run_tests();

__DATA__

=== TEST 1: poll: messages and early bytes
--- events
use poll;
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
import flow
flow.messages_both_ways()
flow.early_bytes_of_both_sides()

=== TEST 2: poll: slow readers
--- events
use poll;
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- timeout: 90
--- client
import flow
flow.back_pressure()

=== TEST 3: poll: half-closes, resets and faults
--- events
use poll;
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
import flow
flow.ends()

=== TEST 4: poll: TLS on both sides
--- events
use poll;
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
flow.messages_both_ways(tls=True, tls_backend=True)
flow.early_bytes_of_both_sides(tls=True, tls_backend=True)
flow.back_pressure(size=32 << 20, tls=True, tls_backend=True)

=== TEST 5: poll: a reload
--- events
use poll;
--- config
location / { ws_drain_timeout 100ms; ws_pass http://$TEST_BACKEND; }
--- client
import flow
old, = nginx.worker_pids()
c, b = flow.open_tunnel()
nginx.reload()
c.expect_close(1012)
b.expect_close(1001)
c.send_close(1012)
b.send_close(1001)
c.expect_eof()
wait_until(lambda: not running(old), "the old worker is gone")

=== TEST 6: select: messages and early bytes
--- events
use select;
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
import flow
flow.messages_both_ways()
flow.early_bytes_of_both_sides()

=== TEST 7: select: slow readers
--- events
use select;
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- timeout: 90
--- client
import flow
flow.back_pressure()

=== TEST 8: select: half-closes, resets and faults
--- events
use select;
--- config
location / { ws_pass http://$TEST_BACKEND; }
--- client
import flow
flow.ends()

=== TEST 9: poll: http delivery
--- events
use poll;
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location / { ws_delivery http; ws_pass http://backend; }
--- client
import flow
flow.http_delivery()

=== TEST 10: select: http delivery
--- events
use select;
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location / { ws_delivery http; ws_pass http://backend; }
--- client
import flow
flow.http_delivery()

=== TEST 11: poll: post_action with a subrequest, whoever ends the connection
--- redis: none
--- events
use poll;
--- config
location /ws { post_action /after; ws_pass http://$TEST_BACKEND; }
location = /after { internal; auth_request /auth; proxy_pass http://$TEST_BACKEND; }
location = /auth { internal; proxy_pass http://$TEST_BACKEND; }
--- client
def end(first, last):
    first.send_close(1000)
    last.expect_close(1000)
    last.send_close(1000)
    first.expect_close(1000)
for by_client in False, True:
    c, b = tunnel("/ws")
    time.sleep(0.3)  # its request is released
    end(*((c, b) if by_client else (b, c)))
    for uri in "/auth", "/after":
        request = backend.accept()
        equal(request.uri, uri)
        request.respond()
