# What the backend hears of a session.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: the example that started the project gives exactly its object
--- redis
SET session:abc {"id":"u-1","user":{"id":42,"name":"Ann"},"password":"hush"}
--- config
location /chat {
    ws_redis            $TEST_REDIS;
    ws_auth             redis;
    ws_auth_token       cookie:X-Token;
    ws_context_field    createdAt $ws_time_ms number;
    ws_context_field    token     $ws_token;
    ws_context_field    userId    $ws_session.user.id;
    ws_context_select;
    ws_pass             http://$TEST_BACKEND;
}
--- client
before = int(time.time() * 1000)
c, b = tunnel("/chat", cookie="X-Token=abc")
after = int(time.time() * 1000)
found = re.fullmatch(r'\{"createdAt":([1-9][0-9]{12}),"token":"abc","userId":42\}', b.header("X-WS-Context"))
check(found, b.header("X-WS-Context"))
# nginx looks at the clock once per turn of its event loop.
check(before - 1000 <= int(found.group(1)) <= after, "milliseconds")

=== TEST 2: the session as it is: order, types, numbers, text
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
for session, header in [
    ('{}', '{}'),
    (' {\n\t"z" : 1 ,\r\n "a" : [ ] , "m" : { } } ', '{"z":1,"a":[],"m":{}}'),
    ('{"t":true,"f":false,"n":null,"i":-7,"big":9223372036854775807,"r":0.1,"e":1e2}',
     '{"t":true,"f":false,"n":null,"i":-7,"big":9223372036854775807,"r":0.1,"e":100.0}'),
    ('{"quote\\"":"back\\\\slash \\/ \\n\\r\\t\\b\\f\\u0000\\u001f\\u007f"}',
     '{"quote\\"":"back\\\\slash / \\n\\r\\t\\b\\f\\u0000\\u001f\\u007f"}'),
    ('{"n\u00e4me":"Zo\u00eb \u20ac \U0001f600"}', '{"n\\u00e4me":"Zo\\u00eb \\u20ac \\ud83d\\ude00"}'),
    ('{"\\ud83d\\ude00":"\\u00e9"}', '{"\\ud83d\\ude00":"\\u00e9"}'),
    ('{"":{"":[[],{}]}}', '{"":{"":[[],{}]}}'),
]:
    redis("SET", "session:abc", session)
    c, b = tunnel("/", cookie="sid=abc")
    equal(b.header_all("X-WS-Context"), [header])
    check(all(byte < 127 for byte in b.raw_head), "ASCII")
    c.close()
    b.close()

=== TEST 3: what is no JSON object, or can't be kept as it is, is refused with 500
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
for session in [
    "", " ", "ann", "{", "{}}", "{} {}", "[]", '[{"a":1}]', '"{}"', "null", "true", "7", "{'a':1}", "{a:1}", '{"a":1,}',
    '{"a":01}', '{"a":NaN}', '{"a":+1}', '{"a":1} x', '\ufeff{}', '{"a":"\n"}', '{"a":"\\ud800"}', '{"a":"\\x"}',
    '{"a":1,"a":2}', '{"a":123456789012345678901234567890}', '{"a":1e999}', '{"a\\u0000":1}', '{"a":"\\u00"}',
    b"{}\0", b'{"a":"\xff"}', b'{"a":"\xc0\x80"}', b"\x80\x04\x95pickle", b'\xac\xed\x00\x05sr',
    'a:1:{s:4:"user";s:3:"ann";}',
    '{"a":' * 64 + "1" + "}" * 64,
]:
    redis("SET", "session:abc", session)
    c = client("/", cookie="sid=abc")
    equal(c.status, 500, f"{session!r}"[:60])
backend.no_connection()
--- error_log
session is not JSON
session is not a JSON object
session has a number that can't be kept exactly
session is nested too deeply

=== TEST 4: a session larger than ws_max_session_size is refused with 500, however large
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_context_select;
    ws_max_session_size 1k;
    ws_pass http://$TEST_BACKEND;
}
location /default {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_context_select;
    ws_pass http://$TEST_BACKEND;
}
location /hash {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_auth_redis_command HGETALL $ws_token;
    ws_max_session_size 1k;
    ws_pass http://$TEST_BACKEND;
}
--- client
def session(size):
    return '{"a":"' + "x" * (size - 8) + '"}'

for path, limit in ("/", 1024), ("/default", 65536):
    redis("SET", "session:abc", session(limit))
    c, b = tunnel(path, cookie="sid=abc")
    c.close()
    b.close()
    # Beyond a reply's own limit too, and the connection to Redis serves the next one.
    for size in limit + 1, 900000, 3000000:
        redis("SET", "session:abc", session(size))
        equal(client(path, cookie="sid=abc").status, 500, f"{path} {size}")
redis("SET", "session:abc", "{}")
c, b = tunnel("/", cookie="sid=abc")

# A hash counts as the object that it becomes.
redis("HSET", "h1", "a", "x" * (1024 - len('{"a":""}')))
c, b = tunnel("/hash", cookie="sid=h1")
redis("HSET", "h1", "b", "")
equal(client("/hash", cookie="sid=h1").status, 500)
backend.no_connection()
--- error_log
session too large
--- no_error_log
ws: redis

=== TEST 5: a hash is an object of strings
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_auth_redis_command HGETALL sess:$ws_token;
    ws_pass http://$TEST_BACKEND;
}
location /typed {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_auth_redis_command HGETALL sess:$ws_token;
    ws_context_select name;
    ws_context_field level $ws_session.level number;
    ws_context_field admin $ws_session.admin boolean;
    ws_context_field roles $ws_session.roles json;
    ws_context_field role  $ws_session.roles.0;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("HSET", "sess:abc", "name", "Zo\u00eb", "level", "7", "admin", "1", "roles", '["a","b"]', "", "")
c, b = tunnel("/", cookie="sid=abc")
equal(b.header("X-WS-Context"), '{"name":"Zo\\u00eb","level":"7","admin":"1","roles":"[\\"a\\",\\"b\\"]","":""}')
c, b = tunnel("/typed", cookie="sid=abc")
equal(b.header("X-WS-Context"), '{"name":"Zo\\u00eb","level":7,"admin":true,"roles":["a","b"],"role":null}')
redis("HSET", "sess:abc", "level", "seven")
equal(client("/typed", cookie="sid=abc").status, 500)
redis("HSET", "sess:def", "name", b"\xff")
equal(client("/", cookie="sid=def").status, 500)
redis("HSET", "sess:ghi", b"na\0me", "x")
equal(client("/", cookie="sid=ghi").status, 500)
equal(client("/", cookie="sid=nobody").status, 401)
backend.no_connection()

=== TEST 6: selected members only, in the order of the list
--- redis
SET session:abc {"a.b":"dotted","a":{"b":1,"c":2,"d":{"e":3,"f":4}},"password":"hush","roles":["r0",{"x":1,"y":2}],"null":null}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location /none { ws_context_select; ws_pass http://$TEST_BACKEND; }
location /one { ws_context_select a.c; ws_pass http://$TEST_BACKEND; }
location /more { ws_context_select roles.1.y a.d.e a.c nobody a.nobody a.c.nobody null; ws_pass http://$TEST_BACKEND; }
location /dotted { ws_context_select a.b; ws_pass http://$TEST_BACKEND; }
location /whole { ws_context_select a.d a.d.e a.d; ws_pass http://$TEST_BACKEND; }
location /bad { ws_context_select roles.01 roles.x roles.2 roles.-1 Password password. .password; ws_pass http://$TEST_BACKEND; }
--- client
for path, context in [
    ("/none", "{}"),
    ("/one", '{"a":{"c":2}}'),
    ("/more", '{"roles":[null,{"y":2}],"a":{"d":{"e":3},"c":2},"null":null}'),
    ("/dotted", '{"a.b":"dotted"}'),
    ("/whole", '{"a":{"d":{"e":3,"f":4}}}'),
    ("/bad", "{}"),
]:
    c, b = tunnel(path, cookie="sid=abc")
    equal(b.header_all("X-WS-Context"), [context], path)
    check(b"hush" not in b.raw_head, "what was not selected")
    c.close()
    b.close()

=== TEST 7: added fields, each with its type, from variables and from the session
--- redis
SET session:abc {"user":{"id":"007","n":1.5},"on":"on","list":[1],"text":"{\"a\":[1]}","same":"session","null":null}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_context_select same;
    ws_context_field path    $uri;
    ws_context_field both    "$request_method $arg_s";
    ws_context_field fixed   "a \"b\" ü";
    ws_context_field number  $arg_n number;
    ws_context_field boolean $arg_b boolean;
    ws_context_field json    $arg_j json;
    ws_context_field same    $arg_s;
    ws_context_field id      $ws_session.user.id;
    ws_context_field asnum   $ws_session.user.n string;
    ws_context_field flag    $ws_session.on boolean;
    ws_context_field list    $ws_session.list;
    ws_context_field parsed  $ws_session.text json;
    ws_context_field null    $ws_session.null string;
    ws_context_field absent  $ws_session.user.nobody.x number;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel('/p?s="x\\&n=-1.50&b=off&j={"k":[true,null]}', cookie="sid=abc")
equal(b.header("X-WS-Context"),
      '{"same":"\\"x\\\\","path":"/p","both":"GET \\"x\\\\","fixed":"a \\"b\\" \\u00fc","number":-1.5,"boolean":false,'
      '"json":{"k":[true,null]},"id":"007","asnum":"1.5","flag":true,"list":[1],"parsed":{"a":[1]},"null":null,"absent":null}')

good = "/?n=1&b=1&j=1&s="
for bad in ["n=", "n=x", "n=0x1", "n=1+", "n=1e999", "n=true", 'n="1"', "b=2", "b=yes", "b=TRUE", "j=", "j={", "j={}{}", "j='x'"]:
    name = bad[:1]
    equal(client(good.replace(name + "=1", bad), cookie="sid=abc").status, 500, bad)
# What a client sends can't be more than one value.
c, b = tunnel(good + '","admin":true,"x":"', cookie="sid=abc")
matches(b.header("X-WS-Context"), r'"same":"\\",\\"admin\\":true,\\"x\\":\\""')
check('"admin"' not in b.header("X-WS-Context"), "one value")
--- error_log
ws_context_field "number" does not fit its type
ws_context_field "boolean" does not fit its type
ws_context_field "json" does not fit its type

=== TEST 8: a header of another name, in another encoding, or none
--- redis
SET session:abc {"user":"ann?>~"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location /named { ws_context_header X-User; ws_pass http://$TEST_BACKEND; }
location /encoded { ws_context_header X-User_2 base64url; ws_pass http://$TEST_BACKEND; }
location /off { ws_context_header off; ws_pass http://$TEST_BACKEND; }
--- client
forged = ["X-WS-Context: forged", "X-User: forged", "x-user: forged", "X-User-2: forged"]
c, b = tunnel("/named", cookie="sid=abc", headers=forged)
equal(b.header_all("X-User"), ['{"user":"ann?>~"}'])
equal(b.header_all("X-WS-Context"), [])
equal(b.header_all("X-User-2"), ["forged"], "not ours here")
c, b = tunnel("/encoded", cookie="sid=abc", headers=forged)
equal(b.header_all("X-User_2"), ["eyJ1c2VyIjoiYW5uPz5-In0"])
equal(base64.urlsafe_b64decode(b.header("X-User_2") + "="), b'{"user":"ann?>~"}')
equal(b.header_all("X-User-2"), [])
equal(b.header_all("X-WS-Context"), [])
c, b = tunnel("/off", cookie="sid=abc", headers=forged)
equal(b.header_all("X-WS-Context"), [])
matches(b.header("X-WS-Connection-Id"), r"\A[0-9a-f]{32}\Z")

=== TEST 9: a context too large for its header is refused with 500, in envelopes it has room
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location /default { ws_pass http://$TEST_BACKEND; }
location /small { ws_context_header_max 100; ws_pass http://$TEST_BACKEND; }
location /encoded { ws_context_header_max 100; ws_context_header X-U base64url; ws_pass http://$TEST_BACKEND; }
location /off { ws_context_header_max 100; ws_context_header off; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_context_header_max 100; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
def session(size):
    return '{"a":"' + "x" * (size - 8) + '"}'

for path, limit in ("/default", 4096), ("/small", 100), ("/encoded", 75):
    redis("SET", "session:abc", session(limit))
    c, b = tunnel(path, cookie="sid=abc")
    equal(len(b.header("X-U" if path == "/encoded" else "X-WS-Context")), 100 if path == "/encoded" else limit)
    redis("SET", "session:abc", session(limit + 1))
    equal(client(path, cookie="sid=abc").status, 500, path)
# As it stands in the header: escaped.
redis("SET", "session:abc", '{"a":"' + "\u00e9" * 16 + '"}')
equal(client("/small", cookie="sid=abc").status, 500)
backend.no_connection()
redis("SET", "session:abc", session(2000))
for path in "/off", "/envelope":
    c, b = tunnel(path, cookie="sid=abc")
    equal(b.header_all("X-WS-Context"), [], path)
    if path == "/envelope":
        matches(b.recv_text(), session(2000))
--- error_log
qr/\[error\] .* ws: refused 500, connection=[0-9a-f]{32}: context too large for a header \(ws_context_header_max\)/

=== TEST 10: no header that looks like ours reaches the backend, with underscores allowed and invalid names let through
--- redis
SET session:abc {"user":"ann"}
--- config
underscores_in_headers on;
ignore_invalid_headers off;
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_plain on;
location /headers { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /off { ws_context_header off; ws_pass http://$TEST_BACKEND; }
location /none { ws_auth off; ws_pass http://$TEST_BACKEND; }
location /proxy { proxy_pass http://$TEST_BACKEND; }
--- client
forged = [f"{name}: forged" for name in [
    "X-WS-Context", "x-ws-context", "X_WS_Context", "X-WS_Context", "x_ws-context", "X.WS.Context", "X-WS+Context",
    "X-WS-Connection-Id", "x-ws-connection-id", "X_WS_Connection_Id", "X-WS-Connection_Id", "X.WS.CONNECTION.ID"]]
ours = '{"user":"ann"}'
for path, context in [("/headers", [ours]), ("/off", []), ("/none", ["{}"]), ("/envelope", []), ("/proxy", [ours])]:
    for send in client, get:
        c = send(path, cookie="sid=abc", headers=["X-Kept: 1"] + forged + ["X-WS: kept", "X-WS-Contexts: kept"])
        b = backend.accept()
        if path == "/envelope" and send is get:
            context = [ours]
        check(b"forged" not in b.raw_head, b.raw_head)
        equal(b.header_all("X-WS-Context"), context, path)
        equal(len(b.header_all("X-WS-Connection-Id")), 1, path)
        equal((b.header("X-Kept"), b.header("X-WS"), b.header("X-WS-Contexts")), ("1", "kept", "kept"))
        check("Keep-Alive" not in [name for name, value in b.headers], "no trace of the hidden lines")
        c.close()
        b.close()

=== TEST 11: forged headers among very many others
--- redis
SET session:abc {"user":"ann"}
--- config
large_client_header_buffers 8 16k;
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
lines = []
for i in range(100):
    lines += [f"X-Number-{i}: {i}", "X-WS-Context: forged"]
c, b = tunnel("/", cookie="sid=abc", headers=lines)
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
equal([value for name, value in b.headers if name.startswith("X-Number")], [str(i) for i in range(100)])

=== TEST 12: variables for proxy_set_header and log_format; the path of a nested member goes by two underscores
--- redis
SET session:abc '{"user":{"id":7,"na__me":"Zoë","roles":["a"]},"user__id":"flat","userId":"camel","a.b":"dot","a":{"b":{"c":"deep"}},"null":null,"empty":"","lines":"a\r\nX-Injected: 1"}'
--- http_config
log_format contexts escape=none '$request_uri [$ws_auth_status] [$ws_connection_id] [$ws_context_user__roles] [$ws_context_a__b__c] [$ws_context_nobody]';
--- config
access_log $TEST_DIR/access.log contexts;
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_context_header off;
    ws_pass http://$TEST_BACKEND;
    proxy_set_header X-1 $ws_context_user__id;
    proxy_set_header X-2 $ws_context_user__na__me;
    proxy_set_header X-3 $ws_context_user__roles__0;
    proxy_set_header X-4 $ws_context_userId;
    proxy_set_header X-5 $ws_context_a__b__c;
    proxy_set_header X-6 $ws_context_user;
    proxy_set_header X-7 "<$ws_context_null|$ws_context_nobody|$ws_context_empty|$ws_context_user__nobody__x>";
    proxy_set_header X-8 "<$ws_context_lines>";
    proxy_set_header X-9 "$ws_token $ws_auth_status $ws_connection_id";
    proxy_set_header X-10 $ws_context;
}
--- client
c, b = tunnel("/chat?a=b", cookie="sid=abc")
id = b.header("X-WS-Connection-Id")
equal(b.header("X-1"), "flat", "a member of that very name comes first")
equal(b.header_all("X-2"), [], "na__me can't be told from na.me")
equal(b.header("X-3"), "a")
equal(b.header("X-4"), "camel", "nginx has lost the case of the name")
equal(b.header("X-5"), "deep")
equal(b.header("X-6"), '{"id":7,"na__me":"Zo\\u00eb","roles":["a"]}')
equal(b.header("X-7"), "<|||>")
equal(b.header("X-8"), "<>", "what would be a line of its own is left out")
equal(b.header_all("X-Injected"), [])
equal(b.header("X-9"), f"abc allowed {id}")
equal(b.header("X-10")[:24], '{"user":{"id":7,"na__me"')
c.close()
b.close()
nginx.wait_log("ws: closed connection=" + id)
equal(client("/?refused", cookie="sid=nobody").status, 401)
wait_until(lambda: "refused" in nginx.access_log(), "access log")
lines = nginx.access_log().splitlines()
equal(lines[0], f'/chat?a=b [allowed] [{id}] [["a"]] [deep] []')
matches(lines[1], r"\A/\?refused \[denied\] \[[0-9a-f]{32}\] \[\] \[\] \[\]\Z")

=== TEST 13: $ws_auth_status says how each request fared
--- redis
SET session:abc {"user":"ann"}
SET session:bad []
--- http_config
log_format statuses '$uri $status $ws_auth_status';
--- config
access_log $TEST_DIR/access.log statuses;
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location / { ws_pass http://$TEST_BACKEND; }
location /off { ws_auth off; ws_pass http://$TEST_BACKEND; }
location /elsewhere { ws_auth off; return 204; }
location /down { ws_redis redis://127.0.0.1:$TEST_CLOSED_PORT; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/1", cookie="sid=abc")
c.close(), b.close()
c, b = tunnel("/off")
c.close(), b.close()
client("/2").status
client("/3", cookie="sid=nobody").status
client("/4", cookie="sid=bad").status
client("/5", cookie="sid=abc", origin="http://evil.org").status
client("/6", cookie="sid=abc", key="x").status
client("/7", cookie="sid=a; sid=b").status
get("/8").status
get("/elsewhere").status
client("/down", cookie="sid=abc").status
wait_until(lambda: len(nginx.access_log().splitlines()) == 11, "eleven lines")
equal(sorted(nginx.access_log().splitlines()), sorted([
    "/1 101 allowed", "/off 101 off", "/2 401 no_token", "/3 401 denied", "/4 500 invalid", "/5 403 origin",
    "/6 400 malformed", "/7 400 malformed", "/8 426 malformed", "/elsewhere 204 off", "/down 503 unavailable"]))

=== TEST 14: proxy_pass_request_headers off drops our headers; proxy_set_header brings them
--- redis
SET session:abc {"user":"ann"}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_pass http://$TEST_BACKEND;
    proxy_pass_request_headers off;
    proxy_set_header Sec-WebSocket-Key $http_sec_websocket_key;
    proxy_set_header Sec-WebSocket-Version 13;
    proxy_set_header X-WS-Context $ws_context;
}
--- client
c, b = tunnel("/", cookie="sid=abc", headers=["X-WS-Context: forged"])
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
equal(b.header_all("Cookie"), [])

=== TEST 15: every directive is inherited from http to server to location, and each level may have its own
--- redis
SET session:abc {"user":{"id":1},"b":2}
HSET h:abc user hash
--- http_config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_plain on;
ws_auth_strip_cookie on;
ws_origin example.com;
ws_max_session_size 30;
ws_context_select user;
ws_context_field at http;
ws_context_header X-Http;
ws_context_header_max 50;
server {
    listen 127.0.0.1:$TEST_TLS_PORT;
    ws_auth_token arg:sid;
    ws_origin any;
    ws_context_field at server;
    ws_context_header X-Server base64url;
    location / { ws_pass http://$TEST_BACKEND; }
    location /location {
        ws_auth_redis_command HGETALL h:$ws_token;
        ws_auth_strip_cookie off;
        ws_auth_plain off;
        ws_context_select;
        ws_context_field at location;
        ws_context_header X-Location;
        ws_delivery headers;
        ws_pass http://$TEST_BACKEND;
        location /location/inner { ws_pass http://$TEST_BACKEND; }
    }
    location /off { ws_auth off; ws_pass http://$TEST_BACKEND; }
    ws_delivery envelope;
}
--- config
location / { ws_pass http://$TEST_BACKEND; }
location /long { ws_context_field more 0123456789; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", cookie="sid=abc; a=b", origin="http://example.com")
equal(b.header_all("X-Http"), ['{"user":{"id":1},"at":"http"}'])
equal(b.header_all("Cookie"), ["a=b"])
equal(client("/", cookie="sid=abc", origin="http://localhost").status, 403)
equal(get("/", cookie="sid=nobody").status, 401)
c, b = tunnel("/long", cookie="sid=abc")
equal(b.header_all("X-Http"), ['{"user":{"id":1},"more":"0123456789"}'], "lists are replaced as a whole")

c, b = tunnel("/?sid=abc", port=TLS_PORT, origin="http://anywhere.org", cookie="sid=kept")
equal(b.header_all("X-Server"), [])
matches(b.recv_text(), r'"context":\{"user":\{"id":1\},"at":"server"\}')
for path in "/location", "/location/inner":
    c, b = tunnel(path + "?sid=abc", port=TLS_PORT, cookie="sid=kept")
    equal(b.header_all("X-Location"), ['{"at":"location"}'], path)
    equal(b.header_all("Cookie"), ["sid=kept"])
    equal(get(path + "?sid=abc", port=TLS_PORT).status, 426, path)
c = client("/off", port=TLS_PORT)
b = backend.accept().upgrade()
equal(c.status, 101)
matches(b.recv_text(), r'"context":\{"at":"server"\}')

redis("SET", "session:abc", '{"user":{"id":1},"b":"too long for it"}')
equal(client("/", cookie="sid=abc").status, 500, "ws_max_session_size")
equal(client("/long", cookie="sid=abc").status, 500)

=== TEST 16: connection ids are all different
--- config
location / {
    ws_pass http://$TEST_BACKEND;
}
--- client
ids = set()
for _ in range(50):
    c, b = tunnel("/")
    ids.add(b.header("X-WS-Connection-Id"))
    c.close()
    b.close()
equal(len(ids), 50)
