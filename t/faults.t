# Everything that can happen to Redis, under many sockets and many upgrades, and then the count.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: none is let in without a session, none of the living is closed, all of the dead are, everybody knows the last context
--- redis: none
--- timeout: 150
--- events
worker_connections 8192;
--- config
ws_redis unix:$TEST_DIR/faults.sock;
ws_auth redis;
ws_auth_token cookie:t;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import faults
import flow
if flow.sanitized():
    faults.run(sockets=300, rate=60)
else:
    faults.run(sockets=1000, rate=200)
--- error_log
qr/redis unix:.* unreachable/
