# A wrong directive dies at `nginx -t`, with a message that names it and says what is right.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: the hook needs a server
--- config
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- must_die
--- error_log
"ws_auth redis" needs a server: add "ws_redis redis://HOST:PORT;" at this level or above
qr/nginx\.conf:\d+/

=== TEST 2: the hook needs a token
--- config
ws_redis $TEST_REDIS;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- must_die
--- error_log
"ws_auth redis" needs a token: add "ws_auth_token cookie:NAME;" at this level or above
qr/nginx\.conf:\d+/

=== TEST 3: ws_auth on
--- config
ws_auth on;
--- must_die
--- error_log
"ws_auth" directive has a wrong value "on": it must be off or redis or jwt or variable
qr/nginx\.conf:\d+/

=== TEST 4: ws_delivery header
--- config
ws_delivery header;
--- must_die
--- error_log
"ws_delivery" directive has a wrong value "header": it must be headers or envelope or http
qr/nginx\.conf:\d+/

=== TEST 5: ws_envelope_data text
--- config
ws_envelope_data text;
--- must_die
--- error_log
"ws_envelope_data" directive has a wrong value "text": it must be string or json
qr/nginx\.conf:\d+/

=== TEST 6: ws_envelope_context never
--- config
ws_envelope_context never;
--- must_die
--- error_log
"ws_envelope_context" directive has a wrong value "never": it must be changed or always
qr/nginx\.conf:\d+/

=== TEST 7: ws_auth_plain takes on or off
--- config
ws_auth_plain yes;
--- must_die
--- error_log
invalid value "yes" in "ws_auth_plain" directive, it must be "on" or "off"
qr/nginx\.conf:\d+/

=== TEST 8: ws_auth_strip_cookie takes on or off
--- config
ws_auth_strip_cookie yes;
--- must_die
--- error_log
invalid value "yes" in "ws_auth_strip_cookie" directive, it must be "on" or "off"
qr/nginx\.conf:\d+/

=== TEST 9: ws_envelope_replies takes on or off
--- config
ws_envelope_replies yes;
--- must_die
--- error_log
invalid value "yes" in "ws_envelope_replies" directive, it must be "on" or "off"
qr/nginx\.conf:\d+/

=== TEST 10: ws_max_session_size 0
--- config
ws_max_session_size 0;
--- must_die
--- error_log
"ws_max_session_size" directive has a wrong value "0": it must be a size above 0, such as 64k or 1m
qr/nginx\.conf:\d+/

=== TEST 11: ws_max_session_size -1
--- config
ws_max_session_size -1;
--- must_die
--- error_log
"ws_max_session_size" directive has a wrong value "-1": it must be a size above 0, such as 64k or 1m
qr/nginx\.conf:\d+/

=== TEST 12: ws_context_header_max 0
--- config
ws_context_header_max 0;
--- must_die
--- error_log
"ws_context_header_max" directive has a wrong value "0": it must be a size above 0, such as 64k or 1m
qr/nginx\.conf:\d+/

=== TEST 13: ws_max_message_size 0
--- config
ws_max_message_size 0;
--- must_die
--- error_log
"ws_max_message_size" directive has a wrong value "0": it must be a size above 0, such as 64k or 1m
qr/nginx\.conf:\d+/

=== TEST 14: no session is larger than a reply of Redis may be
--- config
ws_max_session_size 2m;
--- must_die
--- error_log
"ws_max_session_size" directive has a wrong value "2m": it must be at most 1m
qr/nginx\.conf:\d+/

=== TEST 15: ws_max_fragments 0
--- config
ws_max_fragments 0;
--- must_die
--- error_log
"ws_max_fragments" directive has a wrong value "0": it must be a number from 1 to 1000000
qr/nginx\.conf:\d+/

=== TEST 16: ws_max_fragments 1000001
--- config
ws_max_fragments 1000001;
--- must_die
--- error_log
"ws_max_fragments" directive has a wrong value "1000001": it must be a number from 1 to 1000000
qr/nginx\.conf:\d+/

=== TEST 17: ws_max_pending takes a size
--- config
ws_max_pending much;
--- must_die
--- error_log
"ws_max_pending" directive has a wrong value "much": it must be a size such as 64k, or 0
qr/nginx\.conf:\d+/

=== TEST 18: ws_idle_timeout takes a time
--- config
ws_idle_timeout soon;
--- must_die
--- error_log
"ws_idle_timeout" directive has a wrong value "soon": it must be a time such as 30s or 1h, or 0
qr/nginx\.conf:\d+/

=== TEST 19: ws_drain_timeout takes a time
--- config
ws_drain_timeout soon;
--- must_die
--- error_log
"ws_drain_timeout" directive has a wrong value "soon": it must be a time such as 30s or 1h, or 0
qr/nginx\.conf:\d+/

=== TEST 20: ws_close_timeout 0
--- config
ws_close_timeout 0;
--- must_die
--- error_log
"ws_close_timeout" directive has a wrong value "0": it must be a time above 0, such as 10s
qr/nginx\.conf:\d+/

=== TEST 21: ws_close_timeout -1s
--- config
ws_close_timeout -1s;
--- must_die
--- error_log
"ws_close_timeout" directive has a wrong value "-1s": it must be a time above 0, such as 10s
qr/nginx\.conf:\d+/

=== TEST 22: ws_auth_token sid is no source
--- config
ws_auth_token bearer sid;
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "sid": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 23: ws_auth_token cookie: is no source
--- config
ws_auth_token bearer cookie:;
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "cookie:": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 24: ws_auth_token cookie:a;b is no source
--- config
ws_auth_token bearer "cookie:a;b";
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "cookie:a;b": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 25: ws_auth_token cookie:a b is no source
--- config
ws_auth_token bearer "cookie:a b";
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "cookie:a b": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 26: ws_auth_token header:X:Y is no source
--- config
ws_auth_token bearer header:X:Y;
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "header:X:Y": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 27: ws_auth_token arg: is no source
--- config
ws_auth_token bearer arg:;
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "arg:": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 28: ws_auth_token bearer: is no source
--- config
ws_auth_token bearer bearer:;
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "bearer:": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 29: ws_auth_token $cookie_sid is no source
--- config
ws_auth_token bearer $cookie_sid;
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "$cookie_sid": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 30: ws_auth_token Cookie:sid is no source
--- config
ws_auth_token bearer Cookie:sid;
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "Cookie:sid": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 31: ws_auth_token subprotocol: is no source
--- config
ws_auth_token bearer subprotocol:;
--- must_die
--- error_log
"ws_auth_token" directive has a wrong source "subprotocol:": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, subprotocol:PREFIX or bearer
qr/nginx\.conf:\d+/

=== TEST 32: a key that is the same for everybody
--- config
ws_auth_key session:all;
--- must_die
--- error_log
"ws_auth_key" directive names one key for everybody: put $ws_token (or another variable) in it
qr/nginx\.conf:\d+/

=== TEST 33: a command's key that is the same for everybody
--- config
ws_auth_redis_command HGETALL session;
--- must_die
--- error_log
"ws_auth_redis_command" directive names one key for everybody: put $ws_token
qr/nginx\.conf:\d+/

=== TEST 34: a command that reads no session
--- config
ws_auth_redis_command DEL session:$ws_token;
--- must_die
--- error_log
"ws_auth_redis_command" directive has a wrong command "DEL": it must be one that reads, such as GET, HGETALL, HMGET, EVALSHA
qr/nginx\.conf:\d+/

=== TEST 35: a key with an unknown variable
--- config
ws_auth_key session:$ws_tokn;
--- must_die
--- error_log
unknown "ws_tokn" variable

=== TEST 36: a key and a command at one level
--- config
ws_auth_key s:$ws_token;
ws_auth_redis_command HGETALL s:$ws_token;
--- must_die
--- error_log
"ws_auth_redis_command" directive is duplicate: one ws_auth_key or ws_auth_redis_command a level
qr/nginx\.conf:\d+/

=== TEST 37: ws_origin *.
--- config
ws_origin *.;
--- must_die
--- error_log
"ws_origin" directive has a wrong origin "*.": it must be same, any, or a list of [http[s]://]HOST[:PORT], where HOST may begin with "*."
qr/nginx\.conf:\d+/

=== TEST 38: ws_origin ftp://example.com
--- config
ws_origin ftp://example.com;
--- must_die
--- error_log
"ws_origin" directive has a wrong origin "ftp://example.com": it must be same, any, or a list of [http[s]://]HOST[:PORT], where HOST may begin with "*."
qr/nginx\.conf:\d+/

=== TEST 39: ws_origin http://example.com/
--- config
ws_origin http://example.com/;
--- must_die
--- error_log
"ws_origin" directive has a wrong origin "http://example.com/": it must be same, any, or a list of [http[s]://]HOST[:PORT], where HOST may begin with "*."
qr/nginx\.conf:\d+/

=== TEST 40: ws_origin example.com:port
--- config
ws_origin example.com:port;
--- must_die
--- error_log
"ws_origin" directive has a wrong origin "example.com:port": it must be same, any, or a list of [http[s]://]HOST[:PORT], where HOST may begin with "*."
qr/nginx\.conf:\d+/

=== TEST 41: ws_origin example.com same
--- config
ws_origin example.com same;
--- must_die
--- error_log
"ws_origin" directive has a wrong origin "same": it must be same, any, or a list of [http[s]://]HOST[:PORT], where HOST may begin with "*."
qr/nginx\.conf:\d+/

=== TEST 42: ws_origin any example.com
--- config
ws_origin any example.com;
--- must_die
--- error_log
"ws_origin" directive has a wrong origin "any": it must be same, any, or a list of [http[s]://]HOST[:PORT], where HOST may begin with "*."
qr/nginx\.conf:\d+/

=== TEST 43: ws_origin exa$mple.com
--- config
ws_origin exa$mple.com;
--- must_die
--- error_log
"ws_origin" directive has a wrong origin "exa$mple.com": it must be same, any, or a list of [http[s]://]HOST[:PORT], where HOST may begin with "*."
qr/nginx\.conf:\d+/

=== TEST 44: ws_context_select with an empty path
--- config
ws_context_select user "";
--- must_die
--- error_log
"ws_context_select" directive has a wrong value "": it must be paths in the session, such as user.id
qr/nginx\.conf:\d+/

=== TEST 45: ws_context_select with a variable
--- config
ws_context_select $ws_session.user;
--- must_die
--- error_log
"ws_context_select" directive has a wrong value "$ws_session.user": it must be paths in the session, such as user.id
qr/nginx\.conf:\d+/

=== TEST 46: ws_context_field with an unknown type
--- config
ws_context_field a b text;
--- must_die
--- error_log
"ws_context_field" directive has a wrong type "text": it must be string, number, boolean or json
qr/nginx\.conf:\d+/

=== TEST 47: ws_context_field with a value that is no number: abc
--- config
ws_context_field a "abc" number;
--- must_die
--- error_log
"ws_context_field" directive can't be built: NAME must be a member's name in UTF-8, and VALUE must fit its type
qr/nginx\.conf:\d+/

=== TEST 48: ws_context_field with a value that is no number: 1x
--- config
ws_context_field a "1x" number;
--- must_die
--- error_log
"ws_context_field" directive can't be built: NAME must be a member's name in UTF-8, and VALUE must fit its type
qr/nginx\.conf:\d+/

=== TEST 49: ws_context_field with a value that is no boolean: yes
--- config
ws_context_field a "yes" boolean;
--- must_die
--- error_log
"ws_context_field" directive can't be built: NAME must be a member's name in UTF-8, and VALUE must fit its type
qr/nginx\.conf:\d+/

=== TEST 50: ws_context_field with a value that is no json: {
--- config
ws_context_field a "{" json;
--- must_die
--- error_log
"ws_context_field" directive can't be built: NAME must be a member's name in UTF-8, and VALUE must fit its type
qr/nginx\.conf:\d+/

=== TEST 51: ws_context_field without a name
--- config
ws_context_field "" $uri;
--- must_die
--- error_log
"ws_context_field" directive can't be built: NAME must be
qr/nginx\.conf:\d+/

=== TEST 52: ws_context_field sets a name twice
--- config
ws_context_field a b;
ws_context_field a c;
--- must_die
--- error_log
"ws_context_field" directive sets "a" twice
qr/nginx\.conf:\d+/

=== TEST 53: ws_context_field with $ws_session
--- config
ws_context_field a "$ws_session";
--- must_die
--- error_log
"ws_context_field" directive has a wrong value: $ws_session.PATH must be the whole of it
qr/nginx\.conf:\d+/

=== TEST 54: ws_context_field with x$ws_session.id
--- config
ws_context_field a "x$ws_session.id";
--- must_die
--- error_log
"ws_context_field" directive has a wrong value: $ws_session.PATH must be the whole of it
qr/nginx\.conf:\d+/

=== TEST 55: ws_context_field with ${ws_session}.id
--- config
ws_context_field a "${ws_session}.id";
--- must_die
--- error_log
"ws_context_field" directive has a wrong value: $ws_session.PATH must be the whole of it
qr/nginx\.conf:\d+/

=== TEST 56: ws_context_field with $ws_session.
--- config
ws_context_field a $ws_session.;
--- must_die
--- error_log
"ws_context_field" directive has a wrong path: it must be like $ws_session.user.id, with nothing else in the value
qr/nginx\.conf:\d+/

=== TEST 57: ws_context_field with $ws_session.$uri
--- config
ws_context_field a $ws_session.$uri;
--- must_die
--- error_log
"ws_context_field" directive has a wrong path: it must be like $ws_session.user.id, with nothing else in the value
qr/nginx\.conf:\d+/

=== TEST 58: ws_context_field with an unknown variable
--- config
ws_context_field a $nobody;
--- must_die
--- error_log
unknown "nobody" variable

=== TEST 59: ws_context_header "X Y" is no name for it
--- config
ws_context_header "X Y";
--- must_die
--- error_log
"ws_context_header" directive has a wrong value "X Y": it must be off, or the name of a header that has no other meaning
qr/nginx\.conf:\d+/

=== TEST 60: ws_context_header "" is no name for it
--- config
ws_context_header "";
--- must_die
--- error_log
"ws_context_header" directive has a wrong value "": it must be off, or the name of a header that has no other meaning
qr/nginx\.conf:\d+/

=== TEST 61: ws_context_header Host is no name for it
--- config
ws_context_header Host;
--- must_die
--- error_log
"ws_context_header" directive has a wrong value "Host": it must be off, or the name of a header that has no other meaning
qr/nginx\.conf:\d+/

=== TEST 62: ws_context_header connection is no name for it
--- config
ws_context_header connection;
--- must_die
--- error_log
"ws_context_header" directive has a wrong value "connection": it must be off, or the name of a header that has no other meaning
qr/nginx\.conf:\d+/

=== TEST 63: ws_context_header Cookie is no name for it
--- config
ws_context_header Cookie;
--- must_die
--- error_log
"ws_context_header" directive has a wrong value "Cookie": it must be off, or the name of a header that has no other meaning
qr/nginx\.conf:\d+/

=== TEST 64: ws_context_header Sec-WebSocket-Protocol is no name for it
--- config
ws_context_header Sec-WebSocket-Protocol;
--- must_die
--- error_log
"ws_context_header" directive has a wrong value "Sec-WebSocket-Protocol": it must be off, or the name of a header that has no other meaning
qr/nginx\.conf:\d+/

=== TEST 65: ws_context_header x-ws-connection-id is no name for it
--- config
ws_context_header x-ws-connection-id;
--- must_die
--- error_log
"ws_context_header" directive has a wrong value "x-ws-connection-id": it must be off, or the name of a header that has no other meaning
qr/nginx\.conf:\d+/

=== TEST 66: ws_context_header with an unknown encoding
--- config
ws_context_header X-User base64;
--- must_die
--- error_log
"ws_context_header" directive has a wrong encoding "base64": it must be json or base64url
qr/nginx\.conf:\d+/

=== TEST 67: ws_redis 127.0.0.1:6379
--- config
ws_redis 127.0.0.1:6379;
--- must_die
--- error_log
"ws_redis" directive
unix:
qr/nginx\.conf:\d+/

=== TEST 68: ws_redis http://127.0.0.1:6379
--- config
ws_redis http://127.0.0.1:6379;
--- must_die
--- error_log
"ws_redis" directive
redis://
qr/nginx\.conf:\d+/

=== TEST 69: ws_redis redis+http://127.0.0.1
--- config
ws_redis redis+http://127.0.0.1;
--- must_die
--- error_log
"ws_redis" directive
redis://
qr/nginx\.conf:\d+/

=== TEST 70: ws_redis redis://
--- config
ws_redis redis://;
--- must_die
--- error_log
"ws_redis" directive
the host is missing: redis://host:port
qr/nginx\.conf:\d+/

=== TEST 71: ws_redis redis://127.0.0.1:0
--- config
ws_redis redis://127.0.0.1:0;
--- must_die
--- error_log
"ws_redis" directive
the port must be a number from 1 to 65535
qr/nginx\.conf:\d+/

=== TEST 72: ws_redis redis://127.0.0.1:6379/one
--- config
ws_redis redis://127.0.0.1:6379/one;
--- must_die
--- error_log
"ws_redis" directive
the database must be a number from 0 to 2147483647
qr/nginx\.conf:\d+/

=== TEST 73: ws_redis unix:redis.sock
--- config
ws_redis unix:redis.sock;
--- must_die
--- error_log
"ws_redis" directive
the path of a unix socket is absolute: unix:/path/redis.sock
qr/nginx\.conf:\d+/

=== TEST 74: ws_redis redis://no-such-host.invalid
--- config
ws_redis redis://no-such-host.invalid;
--- must_die
--- error_log
"ws_redis" directive
no-such-host.invalid
qr/nginx\.conf:\d+/

=== TEST 75: ws_redis with an unknown parameter
--- config
ws_redis redis://127.0.0.1 password=hush;
--- must_die
--- error_log
"ws_redis" directive
unknown parameter "password"
qr/nginx\.conf:\d+/
--- no_error_log
hush

=== TEST 76: ws_redis with a password that can't be
--- config
ws_redis redis://user:hu%zzsh@127.0.0.1;
--- must_die
--- error_log
"ws_redis" directive
"%" must be followed by two hexadecimal digits
qr/nginx\.conf:\d+/
--- no_error_log
hu%zzsh

=== TEST 77: ws_redis with a wrong timeout
--- config
ws_redis redis://127.0.0.1 timeout=0;
--- must_die
--- error_log
"ws_redis" directive
timeout must be a time above 0, such as timeout=1s
qr/nginx\.conf:\d+/

=== TEST 78: ws_redis with a wrong connect_timeout
--- config
ws_redis redis://127.0.0.1 connect_timeout=x;
--- must_die
--- error_log
"ws_redis" directive
connect_timeout must be a time above 0, such as connect_timeout=500ms
qr/nginx\.conf:\d+/

=== TEST 79: ws_redis with too many connections
--- config
ws_redis redis://127.0.0.1 connections=65;
--- must_die
--- error_log
"ws_redis" directive
connections must be a number from 1 to 64
qr/nginx\.conf:\d+/

=== TEST 80: ws_pass ws://127.0.0.1:3000
--- config
location / { ws_pass ws://127.0.0.1:3000; }
--- must_die
--- error_log
"ws_pass" directive has a wrong URL: it must begin with http:// or https://, or be a variable
qr/nginx\.conf:\d+/

=== TEST 81: ws_pass 127.0.0.1:3000
--- config
location / { ws_pass 127.0.0.1:3000; }
--- must_die
--- error_log
"ws_pass" directive has a wrong URL: it must begin with http:// or https://, or be a variable
qr/nginx\.conf:\d+/

=== TEST 82: ws_pass unix:/x
--- config
location / { ws_pass unix:/x; }
--- must_die
--- error_log
"ws_pass" directive has a wrong URL: it must begin with http:// or https://, or be a variable
qr/nginx\.conf:\d+/

=== TEST 83: ws_pass outside of a location
--- config
ws_pass http://$TEST_BACKEND;
--- must_die
--- error_log
"ws_pass" directive is not allowed here
qr/nginx\.conf:\d+/

=== TEST 84: ws_pass in if
--- config
location / { if ($arg_x) { ws_pass http://$TEST_BACKEND; } }
--- must_die
--- error_log
"ws_pass" directive is not allowed here
qr/nginx\.conf:\d+/

=== TEST 85: ws_pass twice
--- config
location / { ws_pass http://$TEST_BACKEND; ws_pass http://$TEST_BACKEND; }
--- must_die
--- error_log
"ws_pass" directive is duplicate
qr/nginx\.conf:\d+/

=== TEST 86: ws_pass after proxy_pass
--- config
location / { proxy_pass http://$TEST_BACKEND; ws_pass http://$TEST_BACKEND; }
--- must_die
--- error_log
"ws_pass" directive stands for proxy_pass, and can't share a location with it or its like
qr/nginx\.conf:\d+/

=== TEST 87: proxy_pass after ws_pass
--- config
location / { ws_pass http://$TEST_BACKEND; proxy_pass http://$TEST_BACKEND; }
--- must_die
--- error_log
"proxy_pass" directive is duplicate
qr/nginx\.conf:\d+/

=== TEST 88: another handler after ws_pass
--- config
location /x/ { ws_pass http://$TEST_BACKEND; fastcgi_pass $TEST_BACKEND; }
--- must_die
--- error_log
"ws_pass" can't share location "/x/" with another directive that answers its requests
qr/nginx\.conf:\d+/

=== TEST 89: the hook in if
--- config
location / { if ($arg_x) { ws_auth off; } }
--- must_die
--- error_log
"ws_auth" directive is not allowed here
qr/nginx\.conf:\d+/

=== TEST 90: ws_redis twice at one level
--- config
ws_redis redis://127.0.0.1;
ws_redis redis://127.0.0.1;
--- must_die
--- error_log
"ws_redis" directive is duplicate

=== TEST 91: ws_auth twice at one level
--- config
ws_auth off;
ws_auth off;
--- must_die
--- error_log
"ws_auth" directive is duplicate

=== TEST 92: ws_auth_token twice at one level
--- config
ws_auth_token bearer;
ws_auth_token bearer;
--- must_die
--- error_log
"ws_auth_token" directive is duplicate

=== TEST 93: ws_auth_plain twice at one level
--- config
ws_auth_plain on;
ws_auth_plain on;
--- must_die
--- error_log
"ws_auth_plain" directive is duplicate

=== TEST 94: ws_auth_strip_cookie twice at one level
--- config
ws_auth_strip_cookie on;
ws_auth_strip_cookie on;
--- must_die
--- error_log
"ws_auth_strip_cookie" directive is duplicate

=== TEST 95: ws_origin twice at one level
--- config
ws_origin any;
ws_origin any;
--- must_die
--- error_log
"ws_origin" directive is duplicate

=== TEST 96: ws_max_session_size twice at one level
--- config
ws_max_session_size 1k;
ws_max_session_size 1k;
--- must_die
--- error_log
"ws_max_session_size" directive is duplicate

=== TEST 97: ws_context_select twice at one level
--- config
ws_context_select user;
ws_context_select user;
--- must_die
--- error_log
"ws_context_select" directive is duplicate

=== TEST 98: ws_context_header twice at one level
--- config
ws_context_header off;
ws_context_header off;
--- must_die
--- error_log
"ws_context_header" directive is duplicate

=== TEST 99: ws_context_header_max twice at one level
--- config
ws_context_header_max 1k;
ws_context_header_max 1k;
--- must_die
--- error_log
"ws_context_header_max" directive is duplicate

=== TEST 100: ws_delivery twice at one level
--- config
ws_delivery envelope;
ws_delivery envelope;
--- must_die
--- error_log
"ws_delivery" directive is duplicate

=== TEST 101: ws_envelope_data twice at one level
--- config
ws_envelope_data json;
ws_envelope_data json;
--- must_die
--- error_log
"ws_envelope_data" directive is duplicate

=== TEST 102: ws_envelope_context twice at one level
--- config
ws_envelope_context changed;
ws_envelope_context changed;
--- must_die
--- error_log
"ws_envelope_context" directive is duplicate

=== TEST 103: ws_envelope_replies twice at one level
--- config
ws_envelope_replies on;
ws_envelope_replies on;
--- must_die
--- error_log
"ws_envelope_replies" directive is duplicate

=== TEST 104: ws_max_message_size twice at one level
--- config
ws_max_message_size 1k;
ws_max_message_size 1k;
--- must_die
--- error_log
"ws_max_message_size" directive is duplicate

=== TEST 105: ws_max_fragments twice at one level
--- config
ws_max_fragments 8;
ws_max_fragments 8;
--- must_die
--- error_log
"ws_max_fragments" directive is duplicate

=== TEST 106: ws_idle_timeout twice at one level
--- config
ws_idle_timeout 1s;
ws_idle_timeout 1s;
--- must_die
--- error_log
"ws_idle_timeout" directive is duplicate

=== TEST 107: ws_max_pending twice at one level
--- config
ws_max_pending 1k;
ws_max_pending 1k;
--- must_die
--- error_log
"ws_max_pending" directive is duplicate

=== TEST 108: ws_close_timeout twice at one level
--- config
ws_close_timeout 1s;
ws_close_timeout 1s;
--- must_die
--- error_log
"ws_close_timeout" directive is duplicate

=== TEST 109: ws_drain_timeout twice at one level
--- config
ws_drain_timeout 1s;
ws_drain_timeout 1s;
--- must_die
--- error_log
"ws_drain_timeout" directive is duplicate

=== TEST 110: ws_auth_key twice at one level
--- config
ws_auth_key $ws_token;
ws_auth_key $ws_token;
--- must_die
--- error_log
"ws_auth_key" directive is duplicate

=== TEST 111: ws_redis without a parameter
--- config
ws_redis;
--- must_die
--- error_log
invalid number of arguments in "ws_redis" directive

=== TEST 112: ws_auth without a parameter
--- config
ws_auth;
--- must_die
--- error_log
invalid number of arguments in "ws_auth" directive

=== TEST 113: ws_auth_token without a parameter
--- config
ws_auth_token;
--- must_die
--- error_log
invalid number of arguments in "ws_auth_token" directive

=== TEST 114: ws_auth_key without a parameter
--- config
ws_auth_key;
--- must_die
--- error_log
invalid number of arguments in "ws_auth_key" directive

=== TEST 115: ws_origin without a parameter
--- config
ws_origin;
--- must_die
--- error_log
invalid number of arguments in "ws_origin" directive

=== TEST 116: ws_pass without a parameter
--- config
location / { ws_pass; }
--- must_die
--- error_log
invalid number of arguments in "ws_pass" directive

=== TEST 117: ws_redis with no lookups
--- config
ws_redis redis://127.0.0.1 lookups=0;
--- must_die
--- error_log
"ws_redis" directive
lookups must be a number from 1 to 10000
qr/nginx\.conf:\d+/

=== TEST 118: ws_redis with a queue of words
--- config
ws_redis redis://127.0.0.1 queue=many;
--- must_die
--- error_log
"ws_redis" directive
queue must be a number from 1 to 1000000
qr/nginx\.conf:\d+/

=== TEST 119: ws_auth_cache soon
--- config
ws_auth_cache soon;
--- must_die
--- error_log
"ws_auth_cache" directive has a wrong value "soon": it must be a time such as 30s or 1h, or 0
qr/nginx\.conf:\d+/

=== TEST 120: ws_auth_touch on
--- config
ws_auth_touch on;
--- must_die
--- error_log
"ws_auth_touch" directive has a wrong value "on": it must be off, or a time of at least 2s
qr/nginx\.conf:\d+/

=== TEST 121: ws_auth_touch with an interval longer than half of the time to live
--- config
ws_auth_touch 10s interval=6s;
--- must_die
--- error_log
"ws_auth_touch" directive has a wrong value "interval=6s": it must be interval=TIME, from 100ms to half of the time to live
qr/nginx\.conf:\d+/

=== TEST 122: ws_auth_touch with an unknown parameter
--- config
ws_auth_touch 10s every=1s;
--- must_die
--- error_log
"ws_auth_touch" directive has a wrong value "every=1s": it must be interval=TIME
qr/nginx\.conf:\d+/

=== TEST 123: ws_auth_touch twice
--- config
ws_auth_touch 10s;
ws_auth_touch off;
--- must_die
--- error_log
"ws_auth_touch" directive is duplicate
qr/nginx\.conf:\d+/

=== TEST 124: ws_auth_touch without ws_auth_live
--- config
ws_redis redis://127.0.0.1;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_touch 10s;
location / { ws_auth_live off; ws_pass http://127.0.0.1:1; }
--- must_die
--- error_log
"ws_auth_touch" needs "ws_auth_live on": add "ws_auth_touch off;" where it is off

=== TEST 125: ws_message_rate fast;
--- config
ws_message_rate fast;
--- must_die
--- error_log
"ws_message_rate" directive has a wrong value "fast": it must be off, or a rate such as 10/s or 90/m

=== TEST 126: ws_message_rate 0/s;
--- config
ws_message_rate 0/s;
--- must_die
--- error_log
"ws_message_rate" directive has a wrong value "0/s": it must be off, or a rate such as 10/s or 90/m

=== TEST 127: ws_message_rate 10/s burst=0;
--- config
ws_message_rate 10/s burst=0;
--- must_die
--- error_log
"ws_message_rate" directive has a wrong value "burst=0": it must be burst=NUMBER, from 1 to 1000000

=== TEST 128: ws_message_rate 10/s burst=5 nodelay;
--- config
ws_message_rate 10/s burst=5 nodelay;
--- must_die
--- error_log
"ws_message_rate" directive has a wrong value "nodelay": it must be burst=NUMBER

=== TEST 129: ws_control_frame_rate 10r/s;
--- config
ws_control_frame_rate 10r/s;
--- must_die
--- error_log
"ws_control_frame_rate" directive has a wrong value "10r/s": it must be off, or a rate

=== TEST 130: ws_control_frame_rate 10/s delay;
--- config
ws_control_frame_rate 10/s delay;
--- must_die
--- error_log
"ws_control_frame_rate" directive has a wrong value "delay": it must be burst=NUMBER

=== TEST 131: ws_max_age forever;
--- config
ws_max_age forever;
--- must_die
--- error_log
"ws_max_age" directive has a wrong value "forever": it must be a time such as 30s or 1h, or 0

=== TEST 132: ws_message_timeout never;
--- config
ws_message_timeout never;
--- must_die
--- error_log
"ws_message_timeout" directive has a wrong value "never": it must be a time such as 30s or 1h, or 0

=== TEST 133: ws_message_rate off; ws_message_rate 1/s;
--- config
ws_message_rate off; ws_message_rate 1/s;
--- must_die
--- error_log
"ws_message_rate" directive is duplicate

=== TEST 134: ws_control_frame_rate off; ws_control_frame_rate 1/s;
--- config
ws_control_frame_rate off; ws_control_frame_rate 1/s;
--- must_die
--- error_log
"ws_control_frame_rate" directive is duplicate

=== TEST 135: ws_subprotocol chat,v2
--- config
ws_subprotocol chat,v2;
--- must_die
--- error_log
"ws_subprotocol" directive has a wrong value "chat,v2": it must be off, or names of subprotocols, each once
qr/nginx\.conf:\d+/

=== TEST 136: ws_subprotocol chat chat
--- config
ws_subprotocol chat chat;
--- must_die
--- error_log
"ws_subprotocol" directive has a wrong value "chat": it must be off, or names of subprotocols, each once
qr/nginx\.conf:\d+/

=== TEST 137: ws_subprotocol without a name
--- config
ws_subprotocol;
--- must_die
--- error_log
invalid number of arguments in "ws_subprotocol" directive
qr/nginx\.conf:\d+/

=== TEST 138: ws_subprotocol a; ws_subprotocol b;
--- config
ws_subprotocol a; ws_subprotocol b;
--- must_die
--- error_log
"ws_subprotocol" directive is duplicate
qr/nginx\.conf:\d+/

=== TEST 139: what is right passes, at every level
--- http_config
ws_redis redis://user:p%20w@127.0.0.1:1/15 timeout=2s connect_timeout=1s connections=64 lookups=1 queue=1000000;
ws_auth redis;
ws_auth_token cookie:X-Token cookie:__Host-sid arg:token bearer header:X-Api-Key;
ws_auth_key $remote_addr:$ws_token;
ws_auth_plain on;
ws_message_rate 1/m burst=1000000 delay;
ws_control_frame_rate 1000000/s;
ws_max_age 1h;
ws_message_timeout 0;
ws_auth_cache 1s;
ws_auth_touch 2s interval=1s;
ws_auth_strip_cookie on;
ws_origin example.com:8080 *.example.com https://[::1]:8443;
ws_max_session_size 1m;
ws_context_header_max 1;
ws_max_message_size 16m;
ws_max_fragments 1;
ws_idle_timeout 0;
ws_max_pending 0;
ws_close_timeout 1ms;
ws_drain_timeout 0;
ws_subprotocol v2.chat v1.chat;
--- config
set $ws_session_name x;
ws_redis unix:/run/redis.sock?db=1&user=u&password=p;
ws_auth off;
ws_auth_token bearer;
ws_auth_redis_command HGETALL $host:$ws_token;
ws_origin same;
ws_context_select;
ws_context_field name $ws_session_name;
ws_context_field user.id $ws_session.user.id string;
ws_context_field level 7 number;
ws_context_field nothing "" boolean;
ws_context_field list "[1,{}]" json;
ws_context_header off;
ws_delivery envelope;
location / {
    ws_auth redis;
    ws_origin any;
    ws_context_select user.id roles.0;
    ws_context_header X-User base64url;
    ws_subprotocol off;
    ws_envelope_data json;
    ws_envelope_context changed;
    ws_envelope_replies on;
    ws_pass http://$host:1;
    limit_except GET { deny all; }
    if ($arg_x) { set $y 1; }
}
location /tls { ws_pass https://$TEST_BACKEND/path; }
location /upstream { ws_pass $arg_to; }
--- client
backend.no_connection()
