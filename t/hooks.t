# Hooks: which one a location has, and the ones whose answer comes with the question.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: the value of a variable is the session
--- redis: none
--- config
location / {
    ws_auth variable '{"user":{"id":7},"from":"$arg_from"}';
    ws_context_select user from;
    ws_context_field id $ws_session.user.id;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/?from=here")
equal(b.header("X-WS-Context"), '{"user":{"id":7},"from":"here","id":7}')
c.send_text("hi")
b.expect_text("hi")

=== TEST 2: an empty value is no session
--- redis: none
--- config
location / { ws_auth variable $arg_session; ws_pass http://$TEST_BACKEND; }
--- client
equal(client("/").status, 401)
equal(client("/?session=").status, 401)
backend.no_connection()
--- error_log
qr/ws: refused 401, connection=[0-9a-f]{32}: value is empty/

=== TEST 3: a value that is no JSON object is a fault of the configuration, not of the client
--- redis: none
--- config
location / { ws_auth variable $arg_session; ws_pass http://$TEST_BACKEND; }
--- client
for value in "7", '"ann"', "null", "[]", "ann", "{", '{"a":1}x', '{"a":1,"a":2}':
    equal(client("/?session=" + value).status, 500, value)
backend.no_connection()
--- error_log
session is not JSON
session is not a JSON object

=== TEST 4: auth_request decides, and its answer's header is the session
--- redis: none
--- http_config
map $cookie_sid $answer { good '{"user":"ann"}'; default ''; }
server {
    listen 127.0.0.1:$TEST_TLS_PORT;
    if ($answer = '') { return 401; }
    add_header X-Session $answer always;
    location / { return 204; }
}
--- config
location / {
    auth_request /check;
    auth_request_set $session $upstream_http_x_session;
    ws_auth variable $session;
    ws_pass http://$TEST_BACKEND;
}
location /unset {
    set $session '';
    ws_auth variable $session;
    ws_pass http://$TEST_BACKEND;
}
location = /check { internal; proxy_pass http://127.0.0.1:$TEST_TLS_PORT; }
--- client
equal(client("/", cookie="sid=bad").status, 401)
equal(client("/unset", cookie="sid=good").status, 401)
backend.no_connection()
c, b = tunnel("/", cookie="sid=good")
equal(b.header("X-WS-Context"), '{"user":"ann"}')

=== TEST 5: a token is welcome with `variable`, and still must not be ambiguous
--- redis: none
--- config
location / {
    ws_auth variable '{}';
    ws_auth_token cookie:sid;
    ws_context_field token $ws_token;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="sid=abc")
equal(b.header("X-WS-Context"), '{"token":"abc"}')
c, b = tunnel("/")
equal(b.header("X-WS-Context"), '{"token":""}')
equal(client("/", cookie="sid=a; sid=b").status, 400)

=== TEST 6: an inner level has another hook
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location / { ws_pass http://$TEST_BACKEND; }
location /variable { ws_auth variable '{"user":"$arg_user"}'; ws_pass http://$TEST_BACKEND; }
location /off { ws_auth off; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", cookie="sid=abc")
equal(b.header("X-WS-Context"), '{"user":"ann"}')
c, b = tunnel("/variable?user=bob")
equal(b.header("X-WS-Context"), '{"user":"bob"}')
c, b = tunnel("/off")
equal(b.header("X-WS-Context"), '{}')

=== TEST 7: ws_auth variable without a value
--- config
ws_auth variable;
--- must_die
--- error_log
"ws_auth" directive has a wrong number of arguments after "variable": it must be 1
qr/nginx\.conf:\d+/

=== TEST 8: ws_auth redis with an argument
--- config
ws_auth redis session;
--- must_die
--- error_log
"ws_auth" directive has a wrong number of arguments after "redis": it must be 0

=== TEST 9: ws_auth off with an argument
--- config
ws_auth off redis;
--- must_die
--- error_log
"ws_auth" directive has a wrong number of arguments after "off": it must be 0

=== TEST 10: a name that no hook has: the message names those there are
--- config
ws_auth reddis;
--- must_die
--- error_log
qr/"ws_auth" directive has a wrong value "reddis": it must be off or redis or .*variable/

=== TEST 11: ws_auth twice
--- config
ws_auth off;
ws_auth redis;
--- must_die
--- error_log
"ws_auth" directive is duplicate

=== TEST 12: an unknown variable
--- config
ws_auth variable $nothing_of_that_name;
--- must_die
--- error_log
unknown "nothing_of_that_name" variable
