# The whole protocol against an echo service in envelope delivery: t/lib/conformance.py has the cases.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: sizes; compression that is on, and not asked for, changes nothing
--- redis: none
--- timeout: 120
--- config
ws_delivery envelope;
ws_max_message_size 16m;
location / { ws_pass http://$TEST_BACKEND; }
location /compression { ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import conformance
conformance.serve_echo()
conformance.run("1", "/")
conformance.run("1", "/compression")

=== TEST 2: pings and pongs; compression that is on, and not asked for, changes nothing
--- redis: none
--- timeout: 120
--- config
ws_delivery envelope;
ws_max_message_size 16m;
location / { ws_pass http://$TEST_BACKEND; }
location /compression { ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import conformance
conformance.serve_echo()
conformance.run("2", "/")
conformance.run("2", "/compression")

=== TEST 3: reserved bits; compression that is on, and not asked for, changes nothing
--- redis: none
--- timeout: 120
--- config
ws_delivery envelope;
ws_max_message_size 16m;
location / { ws_pass http://$TEST_BACKEND; }
location /compression { ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import conformance
conformance.serve_echo()
conformance.run("3", "/")
conformance.run("3", "/compression")

=== TEST 4: opcodes; compression that is on, and not asked for, changes nothing
--- redis: none
--- timeout: 120
--- config
ws_delivery envelope;
ws_max_message_size 16m;
location / { ws_pass http://$TEST_BACKEND; }
location /compression { ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import conformance
conformance.serve_echo()
conformance.run("4", "/")
conformance.run("4", "/compression")

=== TEST 5: fragmentation; compression that is on, and not asked for, changes nothing
--- redis: none
--- timeout: 120
--- config
ws_delivery envelope;
ws_max_message_size 16m;
location / { ws_pass http://$TEST_BACKEND; }
location /compression { ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import conformance
conformance.serve_echo()
conformance.run("5", "/")
conformance.run("5", "/compression")

=== TEST 6: UTF-8; compression that is on, and not asked for, changes nothing
--- redis: none
--- timeout: 120
--- config
ws_delivery envelope;
ws_max_message_size 16m;
location / { ws_pass http://$TEST_BACKEND; }
location /compression { ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import conformance
conformance.serve_echo()
conformance.run("6", "/")
conformance.run("6", "/compression")

=== TEST 7: closing; compression that is on, and not asked for, changes nothing
--- redis: none
--- timeout: 120
--- config
ws_delivery envelope;
ws_max_message_size 16m;
location / { ws_pass http://$TEST_BACKEND; }
location /compression { ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import conformance
conformance.serve_echo()
conformance.run("7", "/")
conformance.run("7", "/compression")

=== TEST 8: limits; compression that is on, and not asked for, changes nothing
--- redis: none
--- timeout: 120
--- config
ws_delivery envelope;
ws_max_message_size 16m;
location / { ws_pass http://$TEST_BACKEND; }
location /compression { ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import conformance
conformance.serve_echo()
conformance.run("9", "/")

=== TEST 9: headers delivery: what breaks the protocol is found in the frames, after the answers; the rest passes to ws and back
--- redis: none
--- timeout: 120
--- config
location /headers { ws_pass http://unix:$TEST_DIR/echo.sock:; }
--- client
import clients
import conformance
with clients.echo():
    for group in "1", "2", "3", "4", "5", "7", "9":
        conformance.run(group, "/headers")

=== TEST 10: permessage-deflate as offered
--- redis: none
--- timeout: 120
--- config
location / {
    ws_delivery envelope;
    ws_compression on;
    ws_compression_min_length 1;
    ws_compression_window 15;
    ws_pass http://$TEST_BACKEND;
}
location /defaults { ws_delivery envelope; ws_compression on; ws_pass http://$TEST_BACKEND; }
--- client
import conformance
conformance.serve_echo()
conformance.run_compressed("/defaults", "permessage-deflate; client_max_window_bits", ["server_max_window_bits=12"])
for offer, must_have in [
    ("permessage-deflate", []),
    ("permessage-deflate; client_max_window_bits", []),
    ("permessage-deflate; server_no_context_takeover", ["server_no_context_takeover"]),
    ("permessage-deflate; client_no_context_takeover", []),
    ("permessage-deflate; server_max_window_bits=8", ["server_max_window_bits=8"]),
    ("permessage-deflate; server_max_window_bits=9", ["server_max_window_bits=9"]),
    ("permessage-deflate; server_max_window_bits=15", []),
    ("permessage-deflate; client_max_window_bits=9", ["client_max_window_bits=9"]),
    ("permessage-deflate; server_no_context_takeover; server_max_window_bits=9", ["server_no_context_takeover", "server_max_window_bits=9"]),
    ("permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits", ["server_no_context_takeover"]),
    ("permessage-deflate; server_max_window_bits=9, permessage-deflate; server_no_context_takeover, permessage-deflate", ["server_max_window_bits=9"]),
]:
    conformance.run_compressed("/", offer, must_have)
