# Where the token comes from, and what is none.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a cookie is found by its literal name, on whatever line and however it is quoted
--- redis
SET session:abc {}
SET session:a=b==&c/d+e%20 {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_pass http://$TEST_BACKEND;
}
--- client
for lines in [
    ["Cookie: X-Token=abc"],
    ["cookie: X-Token=abc"],
    ['Cookie: X-Token="abc"'],
    ["Cookie: a=b; X-Token=abc; c=d"],
    ["Cookie: a=b;X-Token=abc;c=d"],
    ["Cookie:X-Token=abc"],
    ["Cookie: \t a=b ;\t X-Token = abc \t"],
    ["Cookie: a; ; =b; X-Token=abc;"],
    ["Cookie: a=b", "Cookie: X-Token=abc", "Cookie: c=d"],
    ["Cookie: ", "Cookie: X-Token=abc"],
    ["Cookie: x-token=other; X-TOKEN=other; X_Token=other; X-Token=abc"],
    ["Cookie: XX-Token=other; X-Token-2=other; X-Token.=other; X-Token=abc"],
    ["Cookie: a=X-Token=other; X-Token=abc"],
    ['Cookie: a="b, c"; X-Token=abc'],
    ["Cookie: X-Token=a=b==&c/d+e%20"],
]:
    c, b = tunnel("/", headers=lines)
    equal(b.header_all("Cookie"), [line.partition(":")[2].strip() for line in lines], "passed on as they were")
    c.close()
    b.close()

=== TEST 2: what only looks like the cookie, and what can't be a token, is no token: 401, no lookup
--- redis
SET session: {}
SET session:other {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("CONFIG", "RESETSTAT")
for cookie in [
    None, "", "X-Token", "X-Token=", 'X-Token=""', "X-Token=;a=b",
    "x-token=other", "X_Token=other", "XToken=other", "X-Tokens=other", "AX-Token=other", "$X-Token=other",
    "a=X-Token=other", "X-Token=oth er", "X-Token=oth\u00e9r", 'X-Token=" other"',
    "X-Token=" + 4097 * "x",
]:
    equal(client("/", cookie=cookie).status, 401, f"{cookie!r}"[:60])
equal(client("/?X-Token=other", headers=["X-Token: other", "Authorization: Bearer other"]).status, 401)
backend.no_connection()
check("cmdstat_get" not in redis("INFO", "commandstats"), "no lookup")
--- error_log
qr/\[info\] .* ws: refused 401, connection=[0-9a-f]{32}: no token/

=== TEST 3: a session cookie that occurs twice, or is quoted by half, is ambiguous: 400, no lookup
--- redis
SET session:abc {}
SET session:def {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token bearer;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("CONFIG", "RESETSTAT")
for lines in [
    ["Cookie: X-Token=abc; X-Token=def"],
    ["Cookie: X-Token=abc; X-Token=abc"],
    ["Cookie: X-Token=abc; a=b; X-Token="],
    ["Cookie: X-Token=abc", "Cookie: X-Token=def"],
    ["Cookie: X-Token=abc", "Cookie: a=b;X-Token=def"],
    ['Cookie: X-Token="abc'],
    ['Cookie: X-Token=abc"'],
    ['Cookie: X-Token="a;bc"'],
    ['Cookie: X-Token="'],
    ["Cookie: X-Token=a\tbc"],
    # A good token from the next source does not help.
    ["Cookie: X-Token=abc; X-Token=def", "Authorization: Bearer abc"],
]:
    c = client("/", headers=lines)
    equal(c.status, 400, f"{lines}")
    c.body
    c.expect_eof()
backend.no_connection()
check("cmdstat_get" not in redis("INFO", "commandstats"), "no lookup")
--- error_log
qr/\[info\] .* ws: refused 400, connection=[0-9a-f]{32}: ambiguous token/

=== TEST 4: the longest token is one of 4096 characters
--- config
large_client_header_buffers 4 16k;
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid arg:sid header:sid;
    ws_context_header off;
    ws_pass http://$TEST_BACKEND;
}
--- client
longest = 4096 * "x"
redis("SET", "session:" + longest, "{}")
for request in [dict(cookie="sid=" + longest), dict(path="/?sid=" + longest), dict(headers=["sid: " + longest])]:
    c, b = tunnel(**request)
    c.close()
    b.close()
redis("SET", "session:" + longest + "x", "{}")
for request in [dict(cookie="sid=x" + longest), dict(path="/?sid=x" + longest), dict(headers=["sid: x" + longest])]:
    equal(client(**request).status, 401)
backend.no_connection()

=== TEST 5: an argument is percent-decoded, whatever stands around it
--- redis
SET session:abc {}
SET 'session:a&b=c+d' {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token arg:tok-en;
    ws_pass http://$TEST_BACKEND;
}
--- client
for query in ["tok-en=abc", "a=b&tok-en=abc&c", "&&tok-en=abc&", "tok-en=%61%62%63", "%74ok-en=abc", "Tok-en=x&tok-en=abc",
              "tok-en=a%26b%3dc%2Bd", "tok-en=a%26b=c+d", "xtok-en=x&tok-en=abc&tok-enx=x"]:
    c, b = tunnel("/?" + query)
    equal(b.uri, "/?" + query)
    c.close()
    b.close()
for query, status in [("", 401), ("tok-en", 401), ("tok-en=", 401), ("token=abc", 401), ("tok-en=ab%20c", 401),
                      ("tok-en=abc%00", 401), ("tok-en=abc%0d%0a", 401), ("tok-en=%e2%82%ac", 401), ("tok-en=abc;a=b", 401),
                      ("tok-en=abc&tok-en=abc", 400), ("tok-en=abc&%74ok-en=x", 400), ("tok-en=abc&tok-en", 400),
                      ("tok-en=abc%", 400), ("tok-en=abc%4", 400), ("tok-en=abc%zz", 400)]:
    equal(client("/?" + query).status, status, query)
backend.no_connection()

=== TEST 6: Authorization: Bearer, in any case
--- redis
SET session:abc-._~+/09AZ== {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token bearer;
    ws_pass http://$TEST_BACKEND;
}
--- client
token = "abc-._~+/09AZ=="
for value in ["Bearer " + token, "bearer " + token, "BEARER   " + token]:
    c, b = tunnel("/", headers=["authorization: " + value])
    equal(b.header_all("Authorization"), [value], "passed on")
    c.close()
    b.close()
for value in ["", "Bearer", "Bearer ", "Basic " + token, token, "Bearer" + token, "Bearer x " + token, f'Bearer "{token}"',
              "Bearer a=b", "Bearer =", "Bearer " + token + ",", "Basic x, Bearer " + token]:
    equal(client("/", headers=["Authorization: " + value]).status, 401, value)
equal(client("/", headers=["Authorization: Bearer " + token, "Authorization: Basic x"]).status, 400)
equal(client("/", headers=["Authorization: Bearer " + token, "Authorization: Bearer " + token]).status, 400)
backend.no_connection()

=== TEST 7: a header of any name
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token header:X-Api-Key;
    ws_pass http://$TEST_BACKEND;
}
--- client
for line in ["X-Api-Key: abc", "x-api-key:abc", "X-API-KEY:  abc  "]:
    c, b = tunnel("/", headers=[line])
    c.close()
    b.close()
for lines, status in [([], 401), (["X-Api-Key:"], 401), (["X-Api-Key: a bc"], 401), (["X-Api-Key: nobody"], 401),
                      (["X_Api_Key: abc"], 401), (["X-Api-Keys: abc"], 401),
                      (["X-Api-Key: abc", "X-Api-Key: abc"], 400), (["X-Api-Key: abc", "x-api-key: def"], 400)]:
    equal(client("/", headers=lines).status, status, f"{lines}")
backend.no_connection()

=== TEST 8: the first source that has a token decides, a good session further on is of no use
--- redis
SET session:cookie {"by":"cookie"}
SET session:bearer {"by":"bearer"}
SET session:arg {"by":"arg"}
--- config
location /1 {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid bearer arg:sid;
    ws_pass http://$TEST_BACKEND;
}
location /2 {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token arg:sid bearer cookie:sid;
    ws_pass http://$TEST_BACKEND;
}
--- client
cookie, bearer = "Cookie: sid=cookie", "Authorization: Bearer bearer"
for path, lines, by in [
    ("/1?sid=arg", [cookie, bearer], "cookie"),
    ("/1?sid=arg", [bearer], "bearer"),
    ("/1?sid=arg", [], "arg"),
    ("/2?sid=arg", [cookie, bearer], "arg"),
    ("/2", [cookie, bearer], "bearer"),
    ("/2", [cookie], "cookie"),
    # What can't be a token is none, and the next source has its turn.
    ("/1?sid=arg", ["Cookie: sid=", "Authorization: Basic x"], "arg"),
    ("/2?sid=%20", [cookie], "cookie"),
]:
    c, b = tunnel(path, headers=lines)
    equal(b.header_all("X-WS-Context"), ['{"by":"%s"}' % by], f"{path} {lines}")
    c.close()
    b.close()
equal(client("/1?sid=arg", headers=["Cookie: sid=nobody", bearer]).status, 401)
equal(client("/2?sid=nobody", headers=[cookie]).status, 401)
equal(client("/2?sid=%", headers=[cookie]).status, 400)
backend.no_connection()

=== TEST 9: a token is one word of the Redis command, whatever is in it
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token arg:t;
    ws_pass http://$TEST_BACKEND;
}
--- client
import urllib.parse
redis("SET", "victim", "1")
for token in ["abc%0d%0aDEL%20victim", "abc%0aDEL+victim", "*1%0d%0a$8%0d%0aFLUSHALL", "abc%00", "abc'%22", "*", "$ws_token", "..", "abc\\r\\nDEL"]:
    equal(client("/?t=" + token).status, 401, token)
equal(redis("GET", "victim"), "1")
equal(redis("DBSIZE"), 2)
# Where it can't be written without being quoted, Redis isn't asked.
for text in 'a"b', "a'b", "a\\b", 'a\nb':
    redis("SET", "session:" + text, "{}")
    before = redis.calls("get")
    equal(client("/?t=" + urllib.parse.quote(text)).status, 401, text)
    equal(redis.calls("get"), before, text)

=== TEST 10: the key is a template
--- redis
SET localhost:/a:abc-v2 {"a":1}
HSET '{abc}:hash' name ann level 7
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location /a {
    ws_auth_key $host:$uri:$ws_token-v2;
    ws_pass http://$TEST_BACKEND;
}
location /hash {
    ws_auth_redis_command HGETALL "{$ws_token}:hash";
    ws_pass http://$TEST_BACKEND;
}
location /get {
    ws_auth_redis_command GET localhost:/a:$ws_token-v2;
    ws_pass http://$TEST_BACKEND;
}
--- client
for path, context in [("/a", '{"a":1}'), ("/hash", '{"name":"ann","level":"7"}'), ("/get", '{"a":1}')]:
    c, b = tunnel(path, cookie="sid=abc")
    equal(b.header_all("X-WS-Context"), [context])
    equal(client(path, cookie="sid=nobody").status, 401)
    c.close()
    b.close()

=== TEST 11: a control byte in any header is answered 400: a bare line feed must not become a line for the backend
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location / { ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
--- client
for byte in [1, 7, 8, 11, 12, 27, 31, 127]:
    for line in ("X-Other: a%cb", "Cookie: X-Token=abc; a=b%cc", "X-Other: %c", "User-Agent: %c1"):
        text = line % byte
        equal(client("/", cookie=None if "Cookie" in line else "X-Token=abc", headers=[text]).status, 400, repr(text))
        equal(get("/plain", cookie=None if "Cookie" in line else "X-Token=abc", headers=[text]).status, 400, repr(text))
for text in "X-Other: a\0b", "X-Other: a\rb":
    equal(client("/", cookie="X-Token=abc", headers=[text]).status, 400, repr(text))  # by nginx itself
backend.no_connection()

# A tab is white space, bytes above 127 are text. A bare line feed ends the line for nginx as well: both see two lines.
c, b = tunnel("/", cookie="X-Token=abc", headers=["X-Other: a\tb", "X-Name: \u00e9", "X-Line: a\nX-WS-Context: forged"])
equal(b.header("X-Other"), "a\tb")
equal(b.header("X-Name").encode("latin-1").decode(), "\u00e9")
equal(b.header("X-Line"), "a")
equal(b.header_all("X-WS-Context"), ["{}"])

=== TEST 12: ws_auth_strip_cookie takes the token out of Cookie and leaves everything else
--- redis
SET session:my-token {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token cookie:sid bearer;
ws_auth_strip_cookie on;
location / { ws_pass http://$TEST_BACKEND; }
location /variable {
    ws_pass http://$TEST_BACKEND;
    proxy_set_header Cookie $http_cookie;
    proxy_set_header X-Copy $http_cookie;
}
--- client
for lines, kept in [
    (["X-Token=my-token"], []),
    (["X-Token=my-token; a=b"], ["a=b"]),
    (["a=b; X-Token=my-token"], ["a=b"]),
    (["a=b; X-Token=\"my-token\"; c=\"d e\""], ['a=b; c="d e"']),
    (["a=b;X-Token = my-token ;c=d; e"], ["a=b; c=d; e"]),
    (["a=b; c=d", "X-Token=my-token", "e=f"], ["a=b; c=d", "e=f"]),
    (["x-token=1; X-Tokens=2; X-Token=my-token; X_Token=3; a=X-Token=4"], ["x-token=1; X-Tokens=2; X_Token=3; a=X-Token=4"]),
    (["X-Token=my-token; sid=def; a=b"], ["a=b"]),
    (["X-Token; X-Token=my-token"], []),
    (["sid=my-token; X-Token=", "a=b"], ["a=b"]),
]:
    c, b = tunnel("/", headers=["Cookie: " + line for line in lines])
    equal(b.header_all("Cookie"), kept, f"{lines}")
    check(b"my-token" not in b.raw_head, "the token")
    c.close()
    b.close()
for lines, kept in [(["X-Token=my-token"], []), (["X-Token=my-token; a=b"], ["a=b"])]:
    c, b = tunnel("/variable", headers=["Cookie: " + line for line in lines])
    equal((b.header_all("Cookie"), b.header_all("X-Copy")), (kept, kept))
    check(b"my-token" not in b.raw_head, "the token")
    c.close()
    b.close()
c, b = tunnel("/", headers=["Authorization: Bearer my-token"], cookie="a=b")
equal(b.header_all("Cookie"), ["a=b"])
equal(b.header_all("Authorization"), ["Bearer my-token"], "it is the cookie that is stripped")

=== TEST 13: a stripped cookie still serves the subrequests of a page
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_plain on;
ws_auth_strip_cookie on;
location /page {
    ssi on;
    proxy_pass http://$TEST_BACKEND;
    proxy_set_header Accept-Encoding "";
}
location /part { proxy_pass http://$TEST_BACKEND; }
--- backend
body = {"/page": '<!--# include virtual="/part" -->;<!--# include virtual="/part" -->',
        "/part": f"{connection.header_all('Cookie')} {connection.header_all('X-WS-Context')}"}[connection.uri]
connection.respond("200 OK", ["Content-Type: text/html", "Connection: close"], body)
--- client
c = get("/page", cookie="sid=abc; a=b")
equal(c.body.decode(), "['a=b'] ['{\"user\":\"ann\"}'];['a=b'] ['{\"user\":\"ann\"}']")

=== TEST 14: no token in any log
--- redis
SET session:sEcReT-1 {"password":"hUsH"}
SET session:sEcReT-3 not-json-hUsH
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid bearer header:X-Key;
location / { ws_pass http://$TEST_BACKEND; }
location /small { ws_context_header_max 10; ws_pass http://$TEST_BACKEND; }
location /field { ws_context_field n $ws_token number; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", cookie="sid=sEcReT-1")
c.close()
b.close()
for lines, status in [(["Cookie: sid=sEcReT-2"], 401), (["Authorization: Bearer sEcReT-2"], 401), (["X-Key: sEcReT-2"], 401),
                      (["Cookie: sid=sEcReT-3"], 500), (["Cookie: sid=sEcReT-1; sid=sEcReT-2"], 400)]:
    equal(client("/", headers=lines).status, status)
equal(client("/small", cookie="sid=sEcReT-1").status, 500)
equal(client("/field", cookie="sid=sEcReT-1").status, 500)
--- error_log
context too large for a header (ws_context_header_max)
ws_context_field "n" does not fit its type
--- no_error_log
qr/sEcReT|hUsH/
--- no_access_log
qr/sEcReT|hUsH/

=== TEST 15: $ws_request is the request line, without the tokens, wherever a request ends
--- redis
SET session:sEcReT-1 {"user":"ann"}
--- http_config
log_format line '$ws_request';
--- config
access_log $TEST_DIR/access.log line;
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token arg:t cookie:sid arg:other;
location / { ws_pass http://$TEST_BACKEND; }
location /denied { deny all; ws_pass http://$TEST_BACKEND; }
location /page { error_page 401 = /refused; ws_pass http://$TEST_BACKEND; }
location = /refused { internal; ws_auth off; ws_auth_token bearer; return 403; }
location /plain { ws_auth off; return 204; }
--- client
c, b = tunnel("/?a=1&t=sEcReT-1&b=2")
equal(b.uri, "/?a=1&t=sEcReT-1&b=2")
c.close()
b.close()
for path, status in [("/?t=sEcReT-2", 401), ("/denied?t=sEcReT-2", 403), ("/page?%74=sEcReT-2&other=sEcReT-3", 403), ("/plain?t=sEcReT-2", 204),
                     ("/?t=sEcReT-2&t=sEcReT-3", 400), ("/plain", 204), ("/x?a=b&u=t", 401)]:
    equal(client(path).status, status, path)
--- access_log
GET /?a=1&t=-&b=2 HTTP/1.1
GET /denied?t=- HTTP/1.1
GET /page?%74=-&other=- HTTP/1.1
GET /plain?t=- HTTP/1.1
GET /?t=-&t=- HTTP/1.1
GET /plain HTTP/1.1
GET /x?a=b&u=t HTTP/1.1
--- no_access_log
sEcReT
