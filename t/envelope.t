# Envelope delivery: what a backend receives, byte for byte, and what its answers do.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: the open envelope has the connection, the context, the address and the subprotocol agreed on
--- redis
SET session:abc '{"user": {"id": "u1", "name": "Zoë"}, "tags": []}'
--- config
location /chat {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/chat?room=1&x=%20#", cookie="X-Token=abc", host="chat.example:8080",
           headers=["Sec-WebSocket-Protocol: chat.v2, chat.v1"])
b = backend.accept()
equal(b.header("Sec-WebSocket-Protocol"), "chat.v2, chat.v1")
id = b.header("X-WS-Connection-Id")
matches(id, r"\A[0-9a-f]{32}\Z")
b.upgrade(["Sec-WebSocket-Protocol: chat.v1"])
equal(c.status, 101)
equal(c.header("Sec-WebSocket-Protocol"), "chat.v1")
b.expect_text('{"event":"open","connection":"' + id + '",'
              '"context":{"user":{"id":"u1","name":"Zo\\u00eb"},"tags":[]},'
              '"request":{"uri":"/chat?room=1&x=%20#","host":"chat.example:8080",'
              '"remote_addr":"127.0.0.1","protocol":"chat.v1"}}')

=== TEST 2: an address can't break out of the open envelope
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
hostile = [
    ('/?a="b\\c',                       r'/?a=\"b\\c'),
    ('/","context":{"admin":true},"x":"', r'/\",\"context\":{\"admin\":true},\"x\":\"'),
    ("/%01%0a%22</script>",             "/%01%0a%22</script>"),
    ("/é/\U0001f600\u2028",             r"/\u00e9/\ud83d\ude00\u2028"),
    ("/\udcff\udcc3(",                  r"/\ufffd\ufffd("),
    ("//a/../b/./c",                    "//a/../b/./c"),
    ("/" + "x" * 4000,                  "/" + "x" * 4000),
]
for uri, written in hostile:
    c = client(uri, host='a"b')
    b = backend.accept()
    b.upgrade()
    equal(c.status, 101)
    b.expect_text('{"event":"open","connection":"' + b.header("X-WS-Connection-Id") + '","context":{},"request":{"uri":"'
                  + written + '","host":"a\\"b","remote_addr":"127.0.0.1"}}')
    c.close()

=== TEST 3: the address in the envelope is the client's, after an absolute request target and a rewrite as well
--- redis: none
--- config
rewrite ^/old(.*)$ /new$1;
location /new {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("http://localhost/old?a=1")
b = backend.accept()
equal(b.uri, "/new?a=1")
b.upgrade()
matches(b.recv_text(), r'"request":\{"uri":"/old\?a=1","host":"localhost",')

=== TEST 4: text is escaped as JSON wants it, and nothing more
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
id = b.header("X-WS-Connection-Id")
b.recv_text()
texts = [
    ("", ""),
    ("hello", "hello"),
    ('"}{"', r'\"}{\"'),
    ("\\", r"\\"),
    ("".join(map(chr, range(0x20))),
     r"\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"
     r"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f"),
    ("\x7f/</script>", "\x7f/</script>"),
    ("é \U0001f600 \u2028\u2029 \ufeff \uffff \U0010ffff", "é \U0001f600 \u2028\u2029 \ufeff \uffff \U0010ffff"),
    ('{"a":1}', r'{\"a\":1}'),
]
import json
for seq, (text, written) in enumerate(texts, 1):
    c.send_text(text)
    envelope = b.recv_text()
    equal(envelope, '{"event":"message","connection":"%s","seq":%d,"context":{},"type":"text","data":"%s"}'
          % (id, seq, written))
    equal(json.loads(envelope)["data"], text)

=== TEST 5: binary is base64, with its padding
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
import base64
c, b = tunnel("/")
id = b.header("X-WS-Connection-Id")
b.recv_text()
data = [b"", b"a", b"ab", b"abc", b"\xff\xfe\xfb", bytes(range(256)), b"\0" * 70000]
for seq, piece in enumerate(data, 1):
    c.send_binary(piece)
    b.expect_text('{"event":"message","connection":"%s","seq":%d,"context":{},"type":"binary","data":"%s"}'
                  % (id, seq, base64.b64encode(piece).decode()))

=== TEST 6: ws_envelope_data json passes valid JSON as it is, and anything else as text
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_envelope_data json;
    ws_pass http://$TEST_BACKEND;
}
--- client
import json
c, b = tunnel("/")
id = b.header("X-WS-Connection-Id")
b.recv_text()
seq = 0
def envelope(kind, data):
    return '{"event":"message","connection":"%s","seq":%d,"context":{},"type":"%s","data":%s}' % (id, seq, kind, data)

for text in ['{"say":"hello"}', ' [1, 2.50, -0, 1e5]\r\n\t', "null", "true", "0", '"word"', '"\\ud83d\\ude00"',
             '{"a":{"b":[{}]}}', '"é\u2028"', '{"big":12345678901234567890123}']:
    seq += 1
    c.send_text(text)
    b.expect_text(envelope("json", text))

for text in ["", " ", "{", "hello", "{'a':1}", '{"a":1,}', '{"a":1}}', '{"a":1} {"b":2}', "01", "+1", ".5", "NaN",
             "tru", '"a\nb"', '"\\x"', '"\\ud800"', "\ufeff{}", "1\0", "//c\n1", "1e400", "[" * 3000 + "]" * 3000,
             '1,"type":"text"', '{"a":1},"context":{"admin":true}']:
    seq += 1
    c.send_text(text)
    got = b.recv_text()
    equal(json.loads(got)["data"], text)
    equal(got[:got.index(',"data"')] + "}", envelope("text", "")[:-len(',"data":}')] + "}")

# Bytes are never looked at as JSON.
seq += 1
c.send_binary(b"{}")
b.expect_text(envelope("binary", '"e30="'))

=== TEST 7: ws_envelope_context changed: the context is in open only
--- redis
SET session:abc {"user":"ann"}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:t;
    ws_delivery envelope;
    ws_envelope_context changed;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="t=abc")
id = b.header("X-WS-Connection-Id")
matches(b.recv_text(), r'"event":"open",.*"context":\{"user":"ann"\}')
c.send_text("a")
b.expect_text('{"event":"message","connection":"%s","seq":1,"type":"text","data":"a"}' % id)
c.send_binary("a")
b.expect_text('{"event":"message","connection":"%s","seq":2,"type":"binary","data":"YQ=="}' % id)

=== TEST 8: selected and added fields are the envelope's context, and the context is in no header
--- redis
SET session:abc {"user":{"id":7,"password":"secret"},"admin":true}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:t;
    ws_delivery envelope;
    ws_context_select admin;
    ws_context_field token $ws_token;
    ws_context_field userId $ws_session.user.id;
    ws_context_field agent $http_user_agent;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="t=abc", headers=['User-Agent: "é"', 'X-WS-Context: {"admin":1}'])
equal(b.header_all("X-WS-Context"), [])
equal(len(b.header_all("X-WS-Connection-Id")), 1)
context = '"context":{"admin":true,"token":"abc","userId":7,"agent":"\\"\\u00e9\\""}'
check(context in b.recv_text(), "context in open")
c.send_text("x")
b.expect_text('{"event":"message","connection":"%s","seq":1,%s,"type":"text","data":"x"}'
              % (b.header("X-WS-Connection-Id"), context))

=== TEST 9: a location without a hook has an empty context
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
matches(b.recv_text(), r'"context":\{\},"request"')

=== TEST 10: what the backend sends is what the client gets
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
for text in "", "é", '{"event":"close","code":4000}', '{"event":"message","data":"x"}', '{"event":"context","context":{}}':
    b.send_text(text)
    c.expect_text(text)
for data in b"", b"\xff\0", b"x" * 70000:
    b.send_binary(data)
    c.expect_binary(data)
b.send_frame(TEXT, b"a\xc3", fin=False)
b.send_frame(CONTINUATION, b"\xa9b", fin=False)
b.send_ping(b"1")
b.send_frame(CONTINUATION, b"", fin=True)
c.expect_text("aéb")
b.expect_pong(b"1")
c.send_text("still open")
matches(b.recv_text(), '"data":"still open"')

=== TEST 11: a backend that talks first, with its 101 and before the open envelope
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = client("/")
b = backend.accept()
b.upgrade(then=frame(TEXT, "welcome") + frame(BINARY, b"\1") + frame(TEXT, "half")[:3])
equal(c.status, 101)
c.expect_text("welcome")
c.expect_binary(b"\1")
matches(b.recv_text(), '"event":"open"')
b.send(frame(TEXT, "half")[3:])
c.expect_text("half")

=== TEST 12: messages glued to the upgrade request come after open, in their order
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
early = frame(TEXT, "one", mask=b"abcd") + frame(PING, b"?", mask=b"efgh") + frame(BINARY, b"two", mask=b"ijkl")
c = client(raw=request_bytes("/") + early + frame(TEXT, "three", mask=b"mnop")[:4])
b = backend.accept()
b.upgrade()
equal(c.status, 101)
matches(b.recv_text(), '"event":"open"')
matches(b.recv_text(), '"seq":1,.*"data":"one"')
matches(b.recv_text(), '"seq":2,.*"data":"dHdv"')
c.expect_pong(b"?")
c.send(frame(TEXT, "three", mask=b"mnop")[4:])
matches(b.recv_text(), '"seq":3,.*"data":"three"')

=== TEST 13: with ws_envelope_replies on, the backend speaks in commands
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_envelope_replies on;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
b.send_text('{"event":"message","data":"plain \\"text\\" \\ud83d\\ude00"}')
c.expect_text('plain "text" \U0001f600')
b.send_text(' { "event" : "message", "type" : "text", "connection" : "x", "seq" : 1, "data" : "" } ')
c.expect_text("")
b.send_text('{"event":"message","type":"binary","data":"AP8="}')
c.expect_binary(b"\0\xff")
b.send_text('{"event":"message","type":"json","data":{"a":[1,"é",null]}}')
c.expect_text('{"a":[1,"é",null]}')
# A command is a message, however it is framed.
b.send_frame(TEXT, '{"event":"mess', fin=False)
b.send_frame(CONTINUATION, 'age","data":"pieces"}')
c.expect_text("pieces")
b.send_binary('{"event":"message","data":"from bytes"}')
c.expect_text("from bytes")
b.send_ping(b"x")
b.expect_pong(b"x")

=== TEST 14: a merge patch of the context is in the next message, with what it removes and replaces
--- redis
SET session:abc {"user":{"id":1,"name":"ann"},"old":true}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:t;
    ws_delivery envelope;
    ws_envelope_replies on;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="t=abc")
other, b2 = tunnel("/", cookie="t=abc")
b.recv_text()
b2.recv_text()

def context(client_side, backend_side):
    client_side.send_text("?")
    text = backend_side.recv_text()
    return text[text.index('"context"'):text.index(',"type"')]

def patch(text):
    b.send_text('{"event":"context","context":%s}' % text)
    b.send_text('{"event":"message","data":"done"}')
    c.expect_text("done")

patch('{"room":"é","old":null,"user":{"name":"bob"}}')
equal(context(c, b), '"context":{"user":{"id":1,"name":"bob"},"room":"\\u00e9"}')
patch("{}")
equal(context(c, b), '"context":{"user":{"id":1,"name":"bob"},"room":"\\u00e9"}')
patch('{"user":[1]}')
equal(context(c, b), '"context":{"user":[1],"room":"\\u00e9"}')
# It is this connection's: the session and its other connections keep theirs.
equal(context(other, b2), '"context":{"user":{"id":1,"name":"ann"},"old":true}')
equal(redis("GET", "session:abc"), '{"user":{"id":1,"name":"ann"},"old":true}')

=== TEST 15: with ws_envelope_context changed, the context that a backend set itself is not sent back
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_envelope_replies on;
    ws_envelope_context changed;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
id = b.header("X-WS-Connection-Id")
b.recv_text()
b.send_text('{"event":"context","context":{"a":1}}')
b.send_text('{"event":"message","data":"done"}')
c.expect_text("done")
c.send_text("x")
b.expect_text('{"event":"message","connection":"%s","seq":1,"type":"text","data":"x"}' % id)

=== TEST 16: a close command closes the client with its code and reason; the backend hears of the end
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_envelope_replies on;
    ws_pass http://$TEST_BACKEND;
}
--- client
for command, code, reason in [('{"event":"close","code":4001,"reason":"bye é"}', 4001, "bye é"),
                              ('{"event":"close"}', 1000, ""),
                              ('{"event":"close","code":3000}', 3000, "")]:
    c, b = tunnel("/")
    id = b.header("X-WS-Connection-Id")
    b.recv_text()
    b.send_text('{"event":"message","data":"last"}')
    b.send_text(command)
    b.send_text('{"event":"message","data":"too late"}')
    c.expect_text("last")
    c.expect_close(code, reason)
    c.send_text("on its way")
    matches(b.recv_text(), '"data":"on its way"')
    c.send_close(code)
    b.expect_text('{"event":"close","connection":"%s","code":%d,"reason":""}' % (id, code))
    b.expect_close(code)
    b.send_close(code)
    c.expect_eof()
    b.expect_eof()
--- error_log
code=4001
code=1000
code=3000

=== TEST 17: what is no command is dropped, counted and logged, and never passed on
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_envelope_replies on;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
wrong = [
    "", "hello", "{}", "[]", "null", '"message"', '{"event":1}', '{"event":"open"}', '{"event":"Message","data":"x"}',
    '{"event":"message"}', '{"event":"message","data":1}', '{"event":"message","data":{"a":1}}',
    '{"event":"message","type":"blob","data":"x"}', '{"event":"message","type":1,"data":"x"}',
    '{"event":"message","type":"binary","data":"*"}', '{"event":"message","type":"binary","data":"YQ"}',
    '{"event":"message","type":"text","data":"\\ud800"}', '{"event":"message","data":"x"',
    '{"event":"message","data":"x"} {"event":"message","data":"y"}', '{"event":"message","data":"x","data":"y"}',
    '{"event":"context"}', '{"event":"context","context":1}', '{"event":"context","context":"{}"}',
    '{"event":"context","context":[]}', '{"event":"context","context":null}',
    '{"event":"close","code":"4000"}', '{"event":"close","code":999}', '{"event":"close","code":1005}',
    '{"event":"close","code":1006}', '{"event":"close","code":1015}', '{"event":"close","code":2999}',
    '{"event":"close","code":5000}', '{"event":"close","code":4000.0}', '{"event":"close","code":65536}',
    '{"event":"close","reason":1}', '{"event":"close","reason":"' + "x" * 124 + '"}',
    "[" * 100000,
]
for text in wrong:
    b.send_text(text)
b.send_binary(b"\xff\0")
b.send_text('{"event":"message","data":"the only one"}')
c.expect_text("the only one")
c.send_text("x")
matches(b.recv_text(), r'"seq":1,"context":\{\}')
c.send_close(1000)
c.expect_close(1000)
matches(b.recv_text(), '"event":"close"')
b.expect_close(1000)
b.send_close(1000)
c.expect_eof()
nginx.wait_log("ws: closed connection=")
--- error_log
qr/ws: backend message dropped, connection=[0-9a-f]{32}: not JSON \(1 so far\)/
qr/ws: backend message dropped, connection=[0-9a-f]{32}: .+ \(32 so far\)/
--- no_error_log
(33 so far)
the only one
hello

=== TEST 18: a context can't be patched beyond ws_max_session_size
--- redis: none
--- config
location / {
    ws_delivery envelope;
    ws_envelope_replies on;
    ws_max_session_size 40;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/")
b.recv_text()
def patched(text):
    b.send_text('{"event":"context","context":%s}' % text)
    b.send_text('{"event":"message","data":"done"}')
    c.expect_text("done")
    c.send_text("?")
    return b.recv_text().partition('"context":')[2].partition(',"type"')[0]

full = '{"a":"' + "x" * 24 + '","b":1}'
equal(len(full), 38)
equal(patched(full), full)
equal(patched('{"c":10}'), full)
equal(patched('{"b":123}'), full.replace("1}", "123}"))
--- error_log
qr/\[warn\] .* ws: backend message dropped, connection=[0-9a-f]{32}: context would become too large \(1 so far\)/

=== TEST 19: an ordinary request of the location carries the context in its header, like in headers delivery
--- redis
SET session:abc {"user":"ann"}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:t;
    ws_auth_plain on;
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
c = get("/polling?x=1", cookie="t=abc", headers=["X-WS-Context: {}", "X_WS_Context: {}"])
b = backend.accept()
equal((b.method, b.uri), ("GET", "/polling?x=1"))
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
matches(b.header("X-WS-Connection-Id"), r"\A[0-9a-f]{32}\Z")
equal(b.header("Upgrade"), None)
b.respond("200 OK", ["X-Reply: yes"], "fine")
equal((c.status, c.header("X-Reply"), c.body), (200, "yes", b"fine"))

c = client(raw="POST /polling HTTP/1.1\r\nHost: localhost\r\nCookie: t=abc\r\nContent-Length: 4\r\n\r\nbody")
b = backend.accept()
equal(b.read_body(), b"body")
equal(b.header_all("X-WS-Context"), ['{"user":"ann"}'])
b.respond()
equal(c.status, 200)

c = get("/polling", cookie="t=nobody")
equal(c.status, 401)
backend.no_connection()

# And in the same location the upgrade has it in the envelope.
c, b = tunnel("/", cookie="t=abc")
equal(b.header_all("X-WS-Context"), [])
matches(b.recv_text(), '"context":{"user":"ann"}')

=== TEST 20: by hand, with proxy_pass and the upgrade lines, it is the same
--- redis
SET session:abc {"user":"ann"}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:t;
    ws_delivery envelope;
    proxy_pass http://$TEST_BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
}
--- client
c, b = tunnel("/", cookie="t=abc")
id = b.header("X-WS-Connection-Id")
equal(b.header_all("X-WS-Context"), [])
matches(b.recv_text(), '"context":{"user":"ann"}')
c.send_text("hi")
b.expect_text('{"event":"message","connection":"%s","seq":1,"context":{"user":"ann"},"type":"text","data":"hi"}' % id)
b.send_text("ho")
c.expect_text("ho")

=== TEST 21: both ends by TLS
--- redis: none
--- http_config
server {
    listen 127.0.0.1:$TEST_TLS_PORT ssl;
    ssl_certificate $TEST_CERT;
    ssl_certificate_key $TEST_CERT_KEY;
    location / {
        ws_delivery envelope;
        ws_pass https://$TEST_BACKEND;
    }
}
--- config
--- client
c = client("/", tls=True)
b = backend.accept(tls=True)
b.upgrade()
equal(c.status, 101)
matches(b.recv_text(), '"event":"open"')
c.send_text("x" * 100000)
matches(b.recv_text(), '"data":"x{100000}"}')
b.send_binary(b"y" * 100000)
c.expect_binary(b"y" * 100000)
c.send_close(1000)
c.expect_close(1000)
matches(b.recv_text(), '"event":"close".*"code":1000')
b.expect_close(1000)
b.send_close(1000)
c.expect_eof()
