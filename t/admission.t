# Who gets in: the checks of the request, the Origin, requests without an upgrade, and every way that nginx leads a
# request into a location and out of it again.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: header names and tokens of an upgrade are read in any case and out of lists
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_pass http://$TEST_BACKEND;
}
--- client
cases = [
    dict(upgrade="WebSocket"),
    dict(upgrade="WEBSOCKET", connection="keep-alive, UPGRADE"),
    dict(connection=" keep-alive ,\tUpgrade,"),
    dict(connection=None, headers=["Connection: keep-alive", "CONNECTION: upgrade"]),
    dict(upgrade=None, version=None, key=None, headers=[
        "uPGRADE: websocket", "sec-websocket-version: 13", "SEC-WEBSOCKET-KEY: " + KEY]),
    dict(headers=["Content-Length: 0"]),
    dict(key=None, headers=["Sec-WebSocket-Key:\t" + KEY + " \t"]),
]
for case in cases:
    c = client("/", cookie="X-Token=abc", **case)
    b = backend.accept()
    equal((b.method, b.protocol), ("GET", "HTTP/1.1"), str(case))
    equal(b.header_all("Upgrade"), ["websocket"], str(case))
    equal(b.header_all("Connection"), ["Upgrade"], str(case))
    equal(b.header_all("Sec-WebSocket-Version"), ["13"], str(case))
    equal(b.header_all("Sec-WebSocket-Key"), [KEY], str(case))
    b.upgrade()
    equal(c.status, 101, str(case))
    c.send_text("in")
    b.expect_text("in")
    c.close()

=== TEST 2: a request without an upgrade is answered 426 and told what would be right
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("CONFIG", "RESETSTAT")
token = "Cookie: X-Token=abc\r\n"
requests = [
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + token + "\r\n",
    "GET / HTTP/1.0\r\n" + token + "\r\n",
    "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + token + "\r\n",
    "DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + token + "\r\n",
    "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 5\r\n" + token + "\r\nhello",
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n" + token + "\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websockets\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + "\r\n" + token + "\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: web socket\r\n" + token + "\r\n",
]
for request in requests:
    c = client(raw=request)
    equal(c.status, 426, request)
    equal(c.header("Upgrade"), "websocket", request)
    check("upgrade" in c.header_all("Connection"), request)
    equal(c.header("Sec-WebSocket-Version"), "13", request)
    c.body
    c.expect_eof()

c = client(raw="HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + token + "\r\n")
equal(c.status, 426)
c.expect_eof()
backend.no_connection()
check("cmdstat_get" not in redis("INFO", "commandstats"), "no session was looked up")

=== TEST 3: after a 426 the connection stays usable, for an upgrade too
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client(raw="POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
equal(c.status, 426)
c.request(request_bytes("/", cookie="X-Token=abc"))
b = backend.accept().upgrade()
equal(c.status, 101)
c.send_text("in")
b.expect_text("in")

=== TEST 4: any version but 13 is answered 426 with the version that would do
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_auth_plain on;
    ws_pass http://$TEST_BACKEND;
}
--- client
for version in ["12", "14", "8", "013", "13.0", "+13", "", "13, 8", None]:
    c = client("/", cookie="X-Token=abc", version=version)
    equal(c.status, 426, f"version {version!r}")
    equal(c.header("Sec-WebSocket-Version"), "13", f"version {version!r}")
c = client("/", cookie="X-Token=abc", headers=["Sec-WebSocket-Version: 13"])
equal(c.status, 426, "version twice")
backend.no_connection()
--- error_log
ws: refused 426
wrong WebSocket version

=== TEST 5: a malformed upgrade is answered 400, never passed on and never looked up
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_auth_plain on;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("CONFIG", "RESETSTAT")
cases = [
    dict(method="POST"),
    dict(method="HEAD"),
    dict(method="get"),
    dict(method="CONNECT"),
    dict(http="HTTP/1.0"),
    dict(connection=None),
    dict(connection="close"),
    dict(connection="Upgraded"),
    dict(upgrade="websocket, h2c"),
    dict(upgrade="h2c, websocket"),
    dict(upgrade="websocket/13"),
    dict(upgrade="h2c", headers=["Upgrade: websocket"]),
    dict(headers=["Upgrade: websocket"]),
    dict(key=None),
    dict(key=""),
    dict(key="dGhlIHNhbXBsZSBub25jZQ"),
    dict(key="dGhlIHNhbXBsZSBub25j"),
    dict(key="dGhlIHNhbXBsZSBub25jZTE="),
    dict(key="dGhlIHNhbXBsZSBub25jZR=="),
    dict(key="dGhlIHNhbXBsZSBub25j*Q=="),
    dict(headers=["Sec-WebSocket-Key: " + KEY]),
    dict(headers=["Content-Length: 5"]),
    dict(headers=["Transfer-Encoding: chunked"]),
]
for case in cases:
    c = client("/", cookie="X-Token=abc", **case)
    if case.get("method") in ("get", "CONNECT"):
        check(c.status in (400, 405), f"{case}: {c.status}")  # by nginx itself
    else:
        equal(c.status, 400, str(case))
    if case.get("method") != "HEAD":
        c.body
    c.expect_eof()
backend.no_connection()
check("cmdstat_get" not in redis("INFO", "commandstats"), "no session was looked up")

=== TEST 6: no error_page makes a malformed upgrade a good one
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
recursive_error_pages on;
location / {
    ws_auth redis;
    error_page 400 426 = /again;
    ws_pass http://$TEST_BACKEND;
}
location /again {
    ws_auth redis;
    ws_pass http://$TEST_BACKEND;
}
--- client
# nginx redirects with GET and drops the body: what is left would look like an upgrade.
c = client("/", cookie="X-Token=abc", method="POST", headers=["Content-Length: 5"])
c.send("hello")
equal(c.status, 400)
c = client("/", cookie="X-Token=abc", method="POST")
equal(c.status, 400)
c = client("/", cookie="X-Token=abc", headers=["Content-Length: 5"])
c.send("hello")
equal(c.status, 400)
backend.no_connection()

=== TEST 7: an Origin has to be the request's own host
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_pass http://$TEST_BACKEND;
}
--- client
for host, origin in [
    ("example.com", None),
    ("example.com", "http://example.com"),
    ("example.com", "https://example.com"),
    ("example.com", "https://EXAMPLE.com:443"),
    ("EXAMPLE.COM", "http://example.com:80"),
    ("example.com:80", "http://example.com"),
    ("example.com:443", "https://example.com"),
    ("example.com:8080", "http://example.com:8080"),
    ("127.0.0.1:8080", "http://127.0.0.1:8080"),
    ("[::1]:8080", "http://[::1]:8080"),
]:
    c, b = tunnel("/", cookie="X-Token=abc", host=host, origin=origin)
    c.close()
    b.close()

for host, origin in [
    ("example.com", "http://evil.com"),
    ("example.com", "http://example.com.evil.com"),
    ("example.com", "http://evilexample.com"),
    ("example.com", "http://evil-example.com"),
    ("example.com", "http://www.example.com"),
    ("www.example.com", "http://example.com"),
    ("example.com", "http://example.com@evil.com"),
    ("example.com", "http://example.com:80@evil.com"),
    ("example.com", "http://user@example.com"),
    ("example.com", "http://user:password@example.com"),
    ("example.com@evil.com", "http://evil.com"),
    ("example.com", "http://example.com:evil.com"),
    ("example.com", "http://evil.com#example.com"),
    ("example.com", "http://evil.com/example.com"),
    ("example.com", "http://evil.com?example.com"),
    ("example.com", "http://example.com/"),
    ("example.com", "http://example.com."),
    ("example.com", "http://example.com:8080"),
    ("example.com:8080", "http://example.com"),
    ("example.com:8080", "http://example.com:80801"),
    ("example.com", "ftp://example.com"),
    ("example.com", "chrome-extension://example.com"),
    ("example.com", "example.com"),
    ("example.com", "//example.com"),
    ("example.com", "null"),
    ("example.com", ""),
    ("example.com", "http://"),
    ("example.com", "http://example.com http://evil.com"),
    ("example.com", "http://example.com, http://evil.com"),
    ("example.com", "http://ex\u00e4mple.com"),
    ("example.com", "http://exa\tmple.com"),
]:
    c = client("/", cookie="X-Token=abc", host=host, origin=origin)
    equal(c.status, 403, f"{host!r} {origin!r}")

c = client("/", cookie="X-Token=abc", host="example.com", origin="http://example.com", headers=["Origin: http://example.com"])
equal(c.status, 403, "two Origins")
backend.no_connection()
--- error_log
qr/\[warn\] .* ws: refused 403, connection=[0-9a-f]{32}: foreign Origin/

=== TEST 8: a list of origins means those and no look-alikes
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_origin example.com *.example.com https://admin.example.net:8443;
    ws_pass http://$TEST_BACKEND;
}
--- client
for origin in [None, "http://example.com", "https://example.com", "https://example.com:443", "https://a.example.com",
               "http://a.b.EXAMPLE.com", "https://admin.example.net:8443"]:
    c, b = tunnel("/", cookie="X-Token=abc", origin=origin)
    c.close()
    b.close()
for origin in ["http://localhost", "http://example.com:8080", "https://a.example.com:444", "https://evilexample.com",
               "https://.example.com", "https://example.com.evil.org", "http://admin.example.net:8443",
               "https://admin.example.net", "https://example.com\\.evil.org", "wss://example.com", "null", "",
               "https://example.com@evil.org", "https://user@example.com", "https://evil.org/.example.com", "https://evil.org?.example.com",
               "NULL", "https://example.com https://evil.org"]:
    c = client("/", cookie="X-Token=abc", origin=origin)
    equal(c.status, 403, f"{origin!r}")
backend.no_connection()

=== TEST 9: any origin, where that is wanted
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_origin any;
    ws_pass http://$TEST_BACKEND;
}
--- client
for origin in [None, "null", "https://evil.org"]:
    c, b = tunnel("/", cookie="X-Token=abc", origin=origin)
    equal(b.header("Origin"), origin)
    c.close()
    b.close()

=== TEST 10: by TLS the page has to be one by https
--- redis
SET session:abc {}
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / {
        ws_redis $TEST_REDIS;
        ws_auth redis;
        ws_auth_token cookie:X-Token;
        ws_pass http://$TEST_BACKEND;
    }
}
--- config
--- client
c, b = tunnel("/", cookie="X-Token=abc", host="example.com", origin="https://example.com", tls=True)
c.send_text("in")
b.expect_text("in")
equal(client("/", cookie="X-Token=abc", host="example.com", origin="http://example.com", tls=True).status, 403)
backend.no_connection()

=== TEST 11: the Origin counts before the session, which is not even looked up
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("CONFIG", "RESETSTAT")
equal(client("/", cookie="X-Token=abc", origin="http://evil.org").status, 403)
check("cmdstat_get" not in redis("INFO", "commandstats"), "no session was looked up")

=== TEST 12: with ws_auth_plain, requests without an upgrade go through the hook and carry the context
--- redis
SET session:abc {"user":"ann"}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_auth_plain on;
    ws_pass http://$TEST_BACKEND;
}
--- backend
body = connection.read_body()
connection.respond("200 OK", [
    "X-Method: " + connection.method, "X-Uri: " + connection.uri,
    "X-Context: " + " and ".join(connection.header_all("X-WS-Context")),
    "X-Id: " + " and ".join(connection.header_all("X-WS-Connection-Id")),
    "X-Length: " + str(len(body))], b"" if connection.method == "HEAD" else body)
--- client
def expect(c, method, body=b""):
    equal(c.status, 200, method)
    equal(c.header("X-Method"), method)
    equal(c.header("X-Context"), '{"user":"ann"}', method)
    matches(c.header("X-Id"), r"\A[0-9a-f]{32}\Z", method)
    equal(c.header("X-Length"), str(len(body)), method)
    if method != "HEAD":
        equal(c.body, body, method)

for method in "GET", "HEAD", "DELETE", "OPTIONS":
    expect(get("/a?b=c", cookie="X-Token=abc", method=method), method)
expect(client(raw="GET / HTTP/1.0\r\nCookie: X-Token=abc\r\n\r\n"), "GET")

body = bytes(range(256)) * 1000
head = "POST /poll HTTP/1.1\r\nHost: localhost\r\nCookie: X-Token=abc\r\nConnection: close\r\n"
expect(client(raw=(head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body), "POST", body)
c = client(raw=head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
expect(c, "POST", b"hello")
c = client(raw=head + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
equal(c.recv_until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n")
c.send("hello")
expect(c, "POST", b"hello")

=== TEST 13: with ws_auth_plain, a request without a session is refused as an upgrade is
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_auth_plain on;
    ws_pass http://$TEST_BACKEND;
}
--- client
for cookie in None, "X-Token=unknown":
    equal(get("/", cookie=cookie).status, 401)
    equal(client("/", cookie=cookie).status, 401)
    lines = f"Cookie: {cookie}\r\n" if cookie else ""
    c = client(raw=f"POST / HTTP/1.1\r\nHost: localhost\r\n{lines}Content-Length: 5\r\n\r\nhello")
    equal(c.status, 401)
    c.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    equal(c.status, 401)
backend.no_connection()

=== TEST 14: Socket.IO: polling and the WebSocket share a location, and a connection
--- redis
SET session:abc {"user":"ann"}
--- config
location /socket.io/ {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_auth_plain on;
    ws_pass http://$TEST_BACKEND;
}
--- client
head = "HTTP/1.1\r\nHost: localhost\r\nCookie: io=1; sid=abc\r\nOrigin: http://localhost\r\n"
ids = []

def answered(b, body):
    equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
    ids.append(b.header("X-WS-Connection-Id"))
    b.respond("200 OK", ["Connection: close"], body)
    b.close()
    equal(c.status, 200)
    equal(c.body, body)

c = client(raw="GET /socket.io/?EIO=4&transport=polling " + head + "\r\n")
b = backend.accept()
equal((b.method, b.uri), ("GET", "/socket.io/?EIO=4&transport=polling"))
answered(b, b'0{"sid":"x1","upgrades":["websocket"]}')
c.request("POST /socket.io/?EIO=4&transport=polling&sid=x1 " + head + "Content-Length: 2\r\n\r\n40")
b = backend.accept()
equal((b.method, b.read_body()), ("POST", b"40"))
answered(b, b"ok")
c.request("GET /socket.io/?EIO=4&transport=websocket&sid=x1 " + head +
          f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n")
b = backend.accept()
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
ids.append(b.header("X-WS-Connection-Id"))
b.upgrade()
equal(c.status, 101)
c.send_text("2probe")
b.expect_text("2probe")
equal(len(set(ids)), 3, "each request has an id of its own")

=== TEST 15: a request that is let through without an upgrade can't become another upgrade
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
ws_auth_plain on;
location /pass { ws_pass http://$TEST_BACKEND; }
location /proxy {
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
--- client
for path in "/pass", "/proxy":
    for upgrade in "h2c", "websockets", "TLS/1.0":
        c = client(path, cookie="X-Token=abc", upgrade=upgrade, connection="Upgrade, HTTP2-Settings",
                   headers=["HTTP2-Settings: AAMAAABkAAQAAP__"])
        b = backend.accept()
        equal(b.header_all("Upgrade"), [], path)
        equal(b.header_all("HTTP2-Settings"), [], path)
        b.upgrade()
        equal(c.status, 502, path)
        c.body
        b.expect_eof()
--- error_log
ws: backend's 101 refused

=== TEST 16: a request by HTTP/2 goes through the hook; an upgrade can't come that way
--- redis
SET session:abc {"user":"ann"}
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT http2;
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    location / { ws_pass http://$TEST_BACKEND; }
    location /plain { ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
}
--- config
--- client
# RFC 9113 4.1, RFC 7541 6.2.2: frames by hand, header fields as literals.
def h2_frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload

def field(name, value):
    return bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()

c = Stream(dial(TLS_PORT))
c.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2_frame(4, 0, 0))

def ask(stream, path, *fields, method="GET", body=b""):
    block = field(":method", method) + field(":scheme", "http") + field(":path", path) + field(":authority", "localhost")
    block += b"".join(field(*pair) for pair in fields)
    c.send(h2_frame(1, 4 if body else 5, stream, block) + (h2_frame(0, 1, stream, body) if body else b""))

def answer(stream):
    """The first bytes of the header block: :status, indexed or as a literal."""
    while True:
        head = c.recv_exact(9)
        payload = c.recv_exact(int.from_bytes(head[:3], "big"))
        if head[3] == 1 and int.from_bytes(head[5:9], "big") == stream:
            return payload[:5]

ask(1, "/", ("cookie", "X-Token=abc"))
equal(answer(1)[1:], b"\x03426")
ask(3, "/plain", ("cookie", "X-Token=unknown"))
equal(answer(3)[1:], b"\x03401")
ask(5, "/plain", ("cookie", "a=b"), ("cookie", "X-Token=abc"), ("x-ws-context", "{}"), method="POST", body=b"hello")
b = backend.accept()
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
equal((b.method, b.read_body()), ("POST", b"hello"))
b.respond("200 OK", ["Connection: close"], b"fine")
equal(answer(5)[:1], b"\x88")

# RFC 8441, which this nginx does not know.
ask(7, "/plain", ("cookie", "X-Token=abc"), (":protocol", "websocket"), method="CONNECT")
check(answer(7)[:1] != b"\x88", "no extended CONNECT")
backend.no_connection()

=== TEST 17: refused requests go where error_page says, and no further than that
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
location / {
    ws_auth redis;
    error_page 401 = @login;
    error_page 426 =200 /page;
    error_page 403 /denied;
    ws_pass http://$TEST_BACKEND;
}
location @login { return 303 /login; }
location = /page { return 200 "the page"; }
location = /denied { internal; return 403 "wrong page"; }
--- client
c = client("/chat", cookie="X-Token=unknown")
equal(c.status, 303)
matches(c.header("Location"), r"/login\Z")
c = client("/chat")
equal(c.status, 303)
c = get("/chat")
equal((c.status, c.body), (200, b"the page"))
c = client("/chat", cookie="X-Token=abc", origin="http://evil.org")
equal((c.status, c.body), (403, b"wrong page"))
backend.no_connection()

=== TEST 18: a refused request that error_page hands to a backend brings no context, not its own either
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
location / {
    ws_auth redis;
    error_page 401 = @login;
    ws_pass http://$TEST_BACKEND;
}
location @login { proxy_pass http://$TEST_BACKEND; }
--- client
c = client("/chat", cookie="X-Token=unknown", headers=["X-WS-Context: {}", "X-WS-Connection-Id: 1"])
b = backend.accept()
equal(b.protocol, "HTTP/1.0")
for name in "X-WS-Context", "X-WS-Connection-Id", "Upgrade":
    equal(b.header_all(name), [], name)
b.respond("200 OK", ["Connection: close"], b"log in")
b.close()
equal((c.status, c.body), (200, b"log in"))

=== TEST 19: try_files leads out of a protected location with its context, after one lookup
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
root $TEST_DIR;
location /chat {
    ws_auth redis;
    ws_auth_plain on;
    try_files $uri @backend;
}
location @backend { ws_pass http://$TEST_BACKEND; }
--- client
def lookups():
    found = re.search(r"cmdstat_get:calls=(\d+)", redis("INFO", "commandstats"))
    return int(found.group(1)) if found else 0

redis("CONFIG", "RESETSTAT")
c = client("/chat", cookie="X-Token=abc", headers=["X-WS-Context: {}"])
b = backend.accept()
equal(b.header_all("Upgrade"), ["websocket"])
equal(len(b.header_all("X-WS-Connection-Id")), 1)
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
b.upgrade()
equal(c.status, 101)
c.send_text("in")
b.expect_text("in")
equal(lookups(), 1)
equal(client("/chat").status, 401)

=== TEST 20: a file of a protected location is served with a session only
--- redis
SET session:abc {}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_auth_plain on;
    root $TEST_DIR;
    index nginx.conf;
}
--- client
def lookups():
    found = re.search(r"cmdstat_get:calls=(\d+)", redis("INFO", "commandstats"))
    return int(found.group(1)) if found else 0

redis("CONFIG", "RESETSTAT")
equal(get("/nginx.conf").status, 401)
equal(get("/").status, 401)
equal(get("/", cookie="X-Token=abc").status, 200)
equal(lookups(), 1, "the redirect to the index stays in the location")
equal(client("/nginx.conf", cookie="X-Token=abc").status, 200)

=== TEST 21: from one protected location into another: each looks once, the last one's context counts
--- redis
SET a:abc {"of":"a"}
SET b:abc {"of":"b"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
ws_auth redis;
ws_auth_strip_cookie on;
location = /start {
    ws_auth_key a:$ws_token;
    ws_context_header X-A;
    error_page 502 = /end;
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
}
location = /end {
    ws_auth_key b:$ws_token;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("CONFIG", "RESETSTAT")
c = client("/start", cookie="X-Token=abc; other=1")
b = backend.accept()
equal(b.uri, "/end")
equal(b.header_all("X-WS-Context"), ['{"of":"b"}'])
equal(b.header_all("X-A"), [], "the context of another location")
equal(len(b.header_all("X-WS-Connection-Id")), 1)
equal(b.header_all("Cookie"), ["other=1"])
b.upgrade()
equal(c.status, 101)
c.send_text("in")
b.expect_text("in")
matches(redis("INFO", "commandstats"), "cmdstat_get:calls=2,")

redis("DEL", "b:abc")
equal(client("/start", cookie="X-Token=abc").status, 401)
backend.no_connection()
--- access_log
"GET /start HTTP/1.1" 101
"GET /start HTTP/1.1" 401

=== TEST 22: a backend's X-Accel-Redirect into a protected location goes through its hook
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
location /out { proxy_pass http://$TEST_BACKEND; }
location /in {
    internal;
    ws_auth redis;
    ws_auth_plain on;
    ws_pass http://$TEST_BACKEND;
}
--- client
for cookie, status in (None, 401), ("X-Token=abc", 200):
    c = get("/out", cookie=cookie, headers=["X-WS-Context: {}"])
    b = backend.accept()
    b.respond("200 OK", ["X-Accel-Redirect: /in", "Connection: close"])
    b.close()
    if status == 200:
        b = backend.accept()
        equal((b.uri, b.header_all("X-WS-Context")), ("/in", ['{"user":"ann"}']))
        b.respond("200 OK", ["Connection: close"], b"inside")
        b.close()
        equal(c.body, b"inside")
    equal(c.status, status)
backend.no_connection()

=== TEST 23: satisfy any does not overrule the hook, and what denies before it spares the lookup
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location /any {
    satisfy any;
    allow all;
    deny all;
    ws_pass http://$TEST_BACKEND;
}
location /denied {
    deny all;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("CONFIG", "RESETSTAT")
equal(client("/denied", cookie="X-Token=abc").status, 403)
check("cmdstat_get" not in redis("INFO", "commandstats"), "no session was looked up")
equal(client("/any").status, 401)
equal(client("/any", cookie="X-Token=unknown").status, 401)
backend.no_connection()
c, b = tunnel("/any", cookie="X-Token=abc")

=== TEST 24: auth_request decides before the hook
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
location /chat {
    auth_request /allowed;
    ws_auth redis;
    ws_pass http://$TEST_BACKEND;
}
location = /allowed {
    internal;
    proxy_pass http://$TEST_BACKEND;
}
--- client
redis("CONFIG", "RESETSTAT")
c = client("/chat", cookie="X-Token=abc")
b = backend.accept()
equal(b.uri, "/allowed")
b.respond("403 Forbidden", ["Connection: close"])
b.close()
equal(c.status, 403)
check("cmdstat_get" not in redis("INFO", "commandstats"), "no session was looked up")

c = client("/chat", cookie="X-Token=abc")
b = backend.accept()
equal((b.uri, b.header_all("X-WS-Context")), ("/allowed", []))
b.respond("204 No Content", ["Connection: close"])
b.close()
b = backend.accept()
equal((b.uri, b.header_all("X-WS-Context")), ("/chat", ['{"user":"ann"}']))
b.upgrade()
equal(c.status, 101)
c.send_text("in")
b.expect_text("in")

=== TEST 25: auth_request into a protected location: its answer counts, its context stays there
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
location /open {
    auth_request /check;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
location = /check {
    internal;
    ws_auth redis;
    ws_auth_plain on;
    ws_auth_strip_cookie on;
    ws_pass http://$TEST_BACKEND;
}
--- client
equal(client("/open").status, 401)
equal(client("/open", cookie="X-Token=unknown").status, 401)
backend.no_connection()

c = client("/open", cookie="X-Token=abc; a=b", headers=["X-Own: 1"])
b = backend.accept()
equal((b.method, b.uri, b.header_all("X-WS-Context")), ("GET", "/check", ['{"user":"ann"}']))
equal(b.header_all("Upgrade"), [], "a subrequest is no upgrade")
equal(b.header_all("Cookie"), ["a=b"])
equal(len(b.header_all("X-WS-Connection-Id")), 1)
b.respond("204 No Content", ["Connection: close"])
b.close()
b = backend.accept()
equal((b.uri, b.header("X-Own")), ("/open", "1"))
for name in "X-WS-Context", "X-WS-Connection-Id":
    equal(b.header_all(name), [], name)
equal(b.header_all("Cookie"), ["X-Token=abc; a=b"])
equal(b.header_all("Upgrade"), ["websocket"])
b.upgrade()
equal(c.status, 101)

=== TEST 26: without ws_auth_plain a protected location has no answer for a subrequest
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
location /open {
    auth_request /check;
    proxy_pass http://$TEST_BACKEND;
}
location = /check {
    ws_auth redis;
    ws_pass http://$TEST_BACKEND;
}
--- client
equal(client("/open", cookie="X-Token=abc").status, 500)
equal(get("/open", cookie="X-Token=abc").status, 500)
backend.no_connection()
--- error_log
auth request unexpected status: 426

=== TEST 27: included parts of a page have their own lookups and keep their contexts to themselves
--- redis
SET a:abc {"of":"a"}
SET b:abc {"of":"b"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
location /page {
    ssi on;
    proxy_pass http://$TEST_BACKEND;
    proxy_set_header Accept-Encoding "";
}
location /a {
    ws_auth redis;
    ws_auth_plain on;
    ws_auth_key a:$ws_token;
    ws_context_header X-A;
    proxy_pass http://$TEST_BACKEND;
}
location /b {
    ws_auth redis;
    ws_auth_plain on;
    ws_auth_key b:$ws_token;
    ws_context_header X-B;
    proxy_pass http://$TEST_BACKEND;
}
--- backend
contexts = f"{connection.header_all('X-A')} {connection.header_all('X-B')} {len(connection.header_all('X-WS-Connection-Id'))}"
body = {"/page": "".join(f'<!--# include virtual="/{part}" -->;' for part in "abab"),
        "/a": "a " + contexts, "/b": "b " + contexts}[connection.uri]
connection.respond("200 OK", ["Content-Type: text/html", "Connection: close"], body)
--- client
a, b = "a ['{\"of\":\"a\"}'] [] 1;", "b [] ['{\"of\":\"b\"}'] 1;"
c = get("/page", cookie="X-Token=abc")
equal((c.status, c.body.decode()), (200, (a + b) * 2))

redis("DEL", "b:abc")
c = get("/page", cookie="X-Token=abc")
check(c.body.decode().startswith(a) and "b [" not in c.body.decode(), "only what the session may see")

=== TEST 28: a mirrored request leaves the request that it mirrors as it is
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
location / {
    ws_auth redis;
    ws_auth_plain on;
    ws_pass http://$TEST_BACKEND;
    mirror /mirror;
    mirror_request_body off;
}
location = /mirror {
    internal;
    ws_auth redis;
    ws_auth_plain on;
    ws_context_header X-Mirrored;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/chat", cookie="X-Token=abc")
by_uri = {b.uri: b for b in (backend.accept(), backend.accept())}
equal(sorted(by_uri), ["/chat", "/mirror"])
main, mirror = by_uri["/chat"], by_uri["/mirror"]
equal(mirror.header_all("X-Mirrored"), ['{"user":"ann"}'])
equal(mirror.header_all("Upgrade"), [])
equal(main.header_all("X-WS-Context"), ['{"user":"ann"}'])
equal(main.header_all("X-Mirrored"), [])
equal(main.header_all("Upgrade"), ["websocket"])
equal(len(main.header_all("X-WS-Connection-Id")), 1)
mirror.respond("200 OK", ["Connection: close"])
mirror.close()
main.upgrade()
equal(c.status, 101)
c.send_text("in")
main.expect_text("in")

=== TEST 29: return answers before the hook, rewrite chooses the location whose hook runs
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:X-Token;
location /return {
    return 200 "no session needed";
}
location /old {
    ws_auth_key nothing:$ws_token;
    rewrite ^/old/(.*) /new/$1 last;
    ws_pass http://127.0.0.1:$TEST_CLOSED_PORT;
}
location /new {
    rewrite ^/new/(.*) /$1?by=rewrite break;
    ws_pass http://$TEST_BACKEND;
}
--- client
redis("CONFIG", "RESETSTAT")
equal(get("/return").body, b"no session needed")
equal(client("/old/chat").status, 401)
c = client("/old/chat?a=b", cookie="X-Token=abc")
b = backend.accept()
equal((b.uri, b.header_all("X-WS-Context")), ("/chat?by=rewrite&a=b", ['{"user":"ann"}']))
b.upgrade()
equal(c.status, 101)
matches(redis("INFO", "commandstats"), "cmdstat_get:calls=1,")

=== TEST 30: if and limit_except change nothing about who gets in, and how
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:X-Token;
location /if {
    ws_auth redis;
    ws_pass http://$TEST_BACKEND;
    if ($arg_x) { set $y 1; }
}
location /except {
    ws_auth redis;
    ws_pass http://$TEST_BACKEND;
    limit_except POST { allow all; }
}
location /no-hook {
    ws_pass http://$TEST_BACKEND;
    limit_except POST { allow all; }
    if ($arg_x) { set $y 1; }
}
--- client
for path in "/if", "/if?x=1", "/except", "/no-hook", "/no-hook?x=1":
    context = "{}" if path.startswith("/no-hook") else '{"user":"ann"}'
    c, b = tunnel(path, cookie="X-Token=abc", headers=["X-WS-Context: forged"])
    equal(b.header_all("X-WS-Context"), [context], path)
    equal(b.header_all("Upgrade"), ["websocket"], path)
    c.send_text("in")
    b.expect_text("in")
    c.close()
    b.close()
    if not path.startswith("/no-hook"):
        equal(client(path).status, 401, path)
    equal(get(path, cookie="X-Token=abc").status, 426, path)
backend.no_connection()

=== TEST 31: a location without a hook and with ws_pass lets every upgrade through, and no forged context
--- config
location / {
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", headers=["X-WS-Context: forged", "X-WS-Connection-Id: forged"])
equal(b.header_all("X-WS-Context"), ["{}"])
matches(b.header("X-WS-Connection-Id"), r"\A[0-9a-f]{32}\Z")
equal(client("/", version="8").status, 426)
equal(client("/", key="short").status, 400)
equal(client("/", origin="http://evil.org").status, 403)
backend.no_connection()
--- access_log
"GET / HTTP/1.1" 101

=== TEST 32: the connection id is in the log line of a refusal, and no refusal says why in its answer
--- redis
SET session:list x
SET session:broken {"user":
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_pass http://$TEST_BACKEND;
}
--- client
for token, status in ("unknown-0123456789", 401), ("broken", 500):
    c = client("/", cookie="X-Token=" + token)
    equal(c.status, status)
    check(token.encode() not in c.body and b"session" not in c.body, "nothing of the reason")
--- error_log
qr/\[info\] .* ws: refused 401, connection=[0-9a-f]{32}: no such session/
qr/\[error\] .* ws: refused 500, connection=[0-9a-f]{32}: session is not JSON/
--- no_error_log
unknown-0123456789
