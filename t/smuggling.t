# The public tricks of smuggling requests past a reverse proxy by way of an upgrade. Each tries to reach /forbidden, which
# nginx refuses and the backend would serve; t/lib/smuggling.py has the attacker and the careless backend.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a wrong Sec-WebSocket-Version with a request behind it: 426, and nginx answers the rest itself
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
for version in "1337", "12", "013", "13.0", "13, 8", "", None:
    attack(ALL, [426, 403], version=version)
attack(ALL, [426, 403], headers=["Sec-WebSocket-Version: 8"])
attack(ALL, [426, 403], headers=["Sec-WebSocket-Version: 13"])
equal(reached, [])

=== TEST 2: a backend that is talked into a 101 doesn't open a tunnel
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
attack(ALL, [502, 403], "?status=101")
attack(ALL, [502, 403], "?status=100")
attack(ALL, [502, 403], "?status=103")
check(reached, "the backend answered 101")
reached.clear()
attack(ALL, [426, 403], "?status=101", version="777")
attack(ALL, [400], "?status=101", key=None)
attack(ALL, [400], "?status=101", method="POST")
equal(reached, [])
for place in "/plain", "/open":
    attack([place], [502, 403], "?status=101", upgrade=None, connection="keep-alive", key=None, version=None)
--- error_log
qr/ws: backend's 101 refused, connection=[0-9a-f]{32}: its Upgrade, Connection or Sec-WebSocket-Accept is wrong/
qr/ws: backend's 101 refused, connection=[0-9a-f]{32}: the request asked for no upgrade/

=== TEST 3: other statuses that a backend is talked into are answers like any other
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
for status in 200, 204, 301, 404, 426, 500:
    attack(ALL, [status, 403], f"?status={status}")

=== TEST 4: Upgrade: h2c is no WebSocket, and is not passed on with an ordinary request either
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
h2c = dict(upgrade="h2c", headers=["HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"])
for connection in "Upgrade, HTTP2-Settings", "Upgrade", "HTTP2-Settings":
    attack(["/pass", "/envelope", "/hand"], [426, 403], connection=connection, key=None, version=None, **h2c)
    attack(["/pass", "/envelope", "/hand"], [426, 403], connection=connection, **h2c)
    equal(reached, [])
    attack(["/plain", "/open"], [200, 403], connection=connection, key=None, version=None, **h2c)
    check(reached, "a request without the upgrade arrived")
    reached.clear()
for token in "h2", "TLS/1.0", "websocketx", "web socket", "":
    attack(["/pass", "/envelope", "/hand"], [426, 403], upgrade=token)
equal(reached, [])

=== TEST 5: more than one protocol in Upgrade is refused, on one line or several
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
for upgrade in ("websocket, h2c", "h2c, websocket", "websocket,websocket", "websocket,", ",websocket", "websocket/13",
                "h2c,\twebsocket"):
    attack(ALL, [400], upgrade=upgrade, connection="Upgrade, HTTP2-Settings", headers=["HTTP2-Settings: AAMAAABk"])
attack(ALL, [400], headers=["Upgrade: h2c"])
attack(ALL, [400], upgrade="h2c", headers=["Upgrade: websocket"])
attack(ALL, [400], headers=["upgrade: WebSocket"])
for connection in "close", "keep-alive", "close, X-WS-Context", "upgrades", "up grade", "", None:
    attack(ALL, [400], connection=connection)
equal(reached, [])

=== TEST 6: an upgrade request has no body
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
for headers in (["Content-Length: 5"], ["Content-Length: %d" % len(FORBIDDEN)], ["Transfer-Encoding: chunked"],
                ["transfer-encoding: Chunked"], ["Content-Length: 0", "Transfer-Encoding: chunked"],
                ["Content-Length: 0", "Content-Length: 5"], ["Content-Length: 5", "Content-Length: 0"],
                ["Content-Length: +0"], ["Content-Length: -1"], ["Content-Length: 0, 5"], ["Content-Length: 0x0"],
                ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], ["Transfer-Encoding : chunked"],
                ["Content-Length: 99999999999999999999"], ["Expect: 100-continue", "Content-Length: 4"]):
    for place in ALL:
        data = request_bytes(place, cookie="t=abc", headers=headers)
        equal(smuggle(data), [400], shown(data))
        equal(smuggle(data, b"0\r\n\r\n" + FORBIDDEN), [400], shown(data))
for value in "identity", "xchunked", "chunked, identity", "\vchunked":
    for place in ALL:
        status, = smuggle(request_bytes(place, cookie="t=abc", headers=["Transfer-Encoding: " + value]))
        check(status in (400, 501), f"{value}: {status}")
equal(reached, [])

=== TEST 7: bytes behind an upgrade that succeeds are frames and nothing else
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
for place in ALL:
    for headers in [], ["Content-Length: 0"], ["Content_Length: 5"], ["Sec_WebSocket_Version: 8"]:
        reached.clear()
        for glued in True, False:
            data = request_bytes(place, cookie="t=abc", headers=headers)
            equal(smuggle(data, glued=glued), [101], shown(data))
        equal(reached, [place, place])
    # A frame first, so that the backend has seen a WebSocket: the request behind it is still no frame.
    equal(smuggle(request_bytes(place, cookie="t=abc"), frame(TEXT, "x", mask=b"abcd") + FORBIDDEN), [101])
    # A request as the payload of a frame, in clear because of its masking key, is a payload.
    equal(smuggle(request_bytes(place, cookie="t=abc"), frame(TEXT, FORBIDDEN, mask=b"\0\0\0\0") + FORBIDDEN), [101])
check(not [uri for uri in reached if "/forbidden" in uri], "no request came out of a frame")

=== TEST 8: other methods and versions can't upgrade
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
for method in "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE", "get", "GETX":
    for place in ALL:
        status = smuggle(request_bytes(place, cookie="t=abc", method=method))
        check(status and status[0] in (400, 405), f"{method} {place}: {status}")
for version in "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1x":
    for place in ALL:
        status = smuggle(request_bytes(place, cookie="t=abc", http=version))
        check(status and status[0] in (400, 505), f"{version} {place}: {status}")
for target in "localhost:80", "*", "http://", "http:///", "ftp//x":
    status = smuggle(request_bytes(target, cookie="t=abc", method="CONNECT"))
    check(status in ([400], [405]), f"CONNECT {target}: {status}")
smuggle(b"GET /pass\r\n")
equal(reached, [])

=== TEST 9: the address that nginx judges is the one that the backend gets
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
for target in ("http://localhost/forbidden", "http://other/forbidden", "/pass/../forbidden", "/pass/..%2fforbidden",
               "/pass/%2e%2e/forbidden", "//forbidden", "/./forbidden", "/%66orbidden", "/pass/..//forbidden#/pass",
               "/forbidden?/pass", "/forbidden#"):
    equal(smuggle(request_bytes(target, cookie="t=abc")), [403, 403], target)
for target in "/pass /forbidden", "/pass\t/forbidden", "/pass%00/forbidden", "/pass/../../forbidden", "forbidden":
    equal(smuggle(request_bytes(target, cookie="t=abc")), [400], target)
equal(reached, [])
# The host of an absolute target wins over the Host line, and the path stays the path.
equal(smuggle(request_bytes("http://other/pass", cookie="t=abc")), [101])
equal(smuggle(request_bytes("/pass HTTP/1.1\r\nX-Line: /forbidden", cookie="t=abc")), [101])
equal(reached, ["/pass", "/pass"])

=== TEST 10: folded lines, bare CR, NUL and names with blanks are refused
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
for line in ("X-A: b\r\n Upgrade: h2c", "X-A: b\r\n\tc", " Upgrade: h2c", "Upgrade : h2c", "Sec-WebSocket-Version\t: 13",
             "X-A: b\rUpgrade: h2c", "X-A: b\r\rGET /forbidden HTTP/1.1\rHost: x\r\r", "X-A: b\0c", "X-\0A: b",
             "X-A: b\x01c", "X-A: b\x7fc", "X A: b"):
    attack(ALL, [400], headers=[line])
# A bare LF ends a line for nginx: a second Upgrade, and a request behind the head, are seen for what they are.
attack(ALL, [400], headers=["X-A: b\nUpgrade: h2c"])
equal(reached, [])
attack(ALL, [101], headers=["X-A: b\n\nGET /forbidden HTTP/1.1\nHost: localhost"])

=== TEST 11: what must be there once is refused when it is there twice
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
from smuggling import *
backend.serve(careless_backend)
ALL = "/pass", "/envelope", "/plain", "/hand", "/open"
for line in ("Sec-WebSocket-Key: " + KEY, "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==", "Host: localhost", "Host: other",
             "Cookie: t=abc", "Cookie: a=b; t=def"):
    attack(ALL, [400], headers=[line])
attack(ALL, [400], cookie="t=abc; t=abc")
attack(ALL, [400], cookie="t=abc; x=y; t=def")
for key in "", "abc", KEY[:-2], KEY + "=", "dGhlIHNhbXBsZSBub25jZR==", "dGhl IHNhbXBsZSBub25jZQ==", KEY + ", " + KEY, "*" * 24:
    attack(ALL, [400], key=key)
for host in None, "", "a/b", "a\\b c":
    attack(ALL, [400], host=host)
equal(reached, [])

=== TEST 12: a line feed in the session cookie is no second header for the backend
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
c = client("/pass", cookie='t=abc\nX-WS-Context: {"user":"root"}\nX-WS-Connection-Id: 1')
b = backend.accept()
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
matches(b.header("X-WS-Connection-Id"), r"\A[0-9a-f]{32}\Z")
equal(b.header_all("Cookie"), ["t=abc"])
check(b"root" not in b.raw_head, "nothing of the forged context")

=== TEST 13: Connection can't name our headers away: the backend gets the gateway's own Connection line
--- redis
SET session:abc {"user":"ann"}
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
location = /forbidden { return 403; }
location /pass { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /envelope { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /plain { ws_auth redis; ws_auth_plain on; ws_pass http://$TEST_BACKEND; }
location /hand {
    ws_auth redis;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
location /open {
    ws_auth redis;
    ws_auth_plain on;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
}
--- client
for connection in "Upgrade, X-WS-Context, X-WS-Connection-Id", "close, X-WS-Context, upgrade", "Upgrade, Cookie", "keep-alive, Upgrade":
    for place in "/pass", "/envelope", "/plain":
        c = client(place, cookie="t=abc", connection=connection)
        b = backend.accept()
        equal(b.header_all("Connection"), ["Upgrade"])
        equal(b.header_all("Upgrade"), ["websocket"])
        equal(b.header_all("X-WS-Context"), [] if place == "/envelope" else ['{"user":"ann"}'])
        equal(len(b.header_all("X-WS-Connection-Id")), 1)
        equal(b.header_all("Cookie"), ["t=abc"])
        b.upgrade()
        equal(c.status, 101)
        c.close()

    c = client("/hand", cookie="t=abc", connection=connection)
    b = backend.accept()
    equal(b.header_all("Connection"), ["upgrade"], "by hand, too")
    equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
    b.close()
    c.close()

c = client(raw=b"GET /open HTTP/1.1\r\nHost: localhost\r\nCookie: t=abc\r\nConnection: X-WS-Context\r\nConnection: keep-alive, X-WS-Connection-Id\r\n\r\n")
b = backend.accept()
equal(b.header_all("Connection"), ["close"])
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
b.respond()
equal(c.status, 200)
=== TEST 14: for comparison: without the module the tunnel reaches what nginx forbids
--- redis: none
--- config
location = /forbidden { return 403; }
location /stock {
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
--- client
from smuggling import *
backend.serve(careless_backend)
for path, headers in ("/stock?status=101", []), ("/stock", ["HTTP2-Settings: AAMAAABk"]):
    stream = Stream(dial())
    stream.send(request_bytes(path, upgrade="h2c" if headers else "websocket", key=None, headers=headers))
    matches(stream.recv_until(b"\r\n\r\n").decode(), " 101 ")
    stream.send(FORBIDDEN)
    check(SECRET in stream.recv_all(), "the forbidden page")
equal(get("/forbidden").status, 403)
