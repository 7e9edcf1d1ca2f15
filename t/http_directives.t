# HTTP delivery: a wrong directive dies at `nginx -t`, with a message that names it and says what is right.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: ws_http_data text
--- config
ws_http_data text;
--- must_die
--- error_log
"ws_http_data" directive has a wrong value "text": it must be string or json

=== TEST 2: ws_http_error retry
--- config
ws_http_error retry;
--- must_die
--- error_log
"ws_http_error" directive has a wrong value "retry": it must be ignore or message or close

=== TEST 3: ws_http_concurrency 0
--- config
ws_http_concurrency 0;
--- must_die
--- error_log
"ws_http_concurrency" directive has a wrong value "0": it must be a number from 1 to 1000

=== TEST 4: ws_http_queue many
--- config
ws_http_queue many;
--- must_die
--- error_log
"ws_http_queue" directive has a wrong value "many": it must be a number of messages from 1 to 1000000, and a size

=== TEST 5: ws_http_queue 10 0
--- config
ws_http_queue 10 0;
--- must_die
--- error_log
"ws_http_queue" directive has a wrong value "0": it must be a size above 0, such as 64k or 1m

=== TEST 6: ws_http_queue twice
--- config
ws_http_queue 10;
ws_http_queue 20;
--- must_die
--- error_log
"ws_http_queue" directive is duplicate

=== TEST 7: ws_http_max_requests 0
--- config
ws_http_max_requests 0;
--- must_die
--- error_log
"ws_http_max_requests" directive has a wrong value "0": it must be a number from 1 to 1000000

=== TEST 8: ws_http_access_log takes on or off
--- config
ws_http_access_log yes;
--- must_die
--- error_log
invalid value "yes" in "ws_http_access_log" directive, it must be "on" or "off"
