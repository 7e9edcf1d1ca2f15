# HTTP delivery with software not written here: PHP-FPM, Express and the CloudEvents SDK, Flask, uWSGI.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: PHP-FPM: ten lines are an echo service, with the context in $_SERVER
--- redis
SET session:secret {"user":{"id":"42","name":"Ada"},"csrf":"hidden"}
--- config
include $TEST_DIR/location*.conf;
--- client
from examples import *
from http_examples import *

with php_fpm() as fpm:
    use_location("php/nginx.conf", {"/srv/chat/echo.php": os.path.join(ROOT, "examples/php/echo.php"),
                                    "unix:/run/php/php-fpm.sock": "unix:" + fpm.path,
                                    "include            fastcgi_params;": "include /etc/nginx/fastcgi_params;"})
    ada = LibraryClient("/chat?room=1", Cookie="X-Token=secret")
    equal(ada.receive(), "Welcome, Ada")
    for text in ["hello", "Zoë ☂", "x" * 100000]:
        ada.send(text)
        equal(ada.receive(), "Ada: " + text)
    equal(ada.close(), 1000)
    wait_until(lambda: re.search(r'Ada left: \{"code":1000,"reason":"","duration_ms":\d+\}', fpm.log()), "the close event")
    equal(client("/chat", cookie="X-Token=wrong").status, 401)

=== TEST 2: PHP-FPM gets what $_SERVER has of any request, and answers with headers
--- redis: none
--- config
location / {
    ws_delivery http;
    ws_context_field n 1 number;
    include /etc/nginx/fastcgi_params;
    fastcgi_param SCRIPT_FILENAME $TEST_DIR/all.php;
    fastcgi_pass unix:$TEST_DIR/fpm.sock;
}
--- client
from examples import *
from http_examples import *

with open(os.path.join(TEST_DIR, "all.php"), "w") as file:
    file.write("""<?php
    header('X-WS-Context-Update: {"n":' . (json_decode($_SERVER['HTTP_X_WS_CONTEXT'])->n + 1) . '}');
    if (file_get_contents('php://input') === 'bye') header('X-WS-Close: 4000 bye');
    if (file_get_contents('php://input') === 'fail') http_response_code(500);
    header('Content-Type: application/json');
    echo json_encode($_SERVER);
    """)
with php_fpm():
    c = client("/a%20b?x=1", headers=["X-Own: 1", "Proxy: evil", "ce_type: evil"])
    equal(c.status, 101)
    shown = json.loads(c.recv_text())
    equal([shown[name] for name in ("REQUEST_METHOD", "REQUEST_URI", "QUERY_STRING", "CONTENT_LENGTH", "HTTP_CE_TYPE", "HTTP_X_OWN",
                                    "SERVER_PROTOCOL", "REMOTE_ADDR", "SERVER_PORT", "HTTP_X_WS_CONTEXT")],
          ["POST", "/a%20b?x=1", "x=1", "0", "websocket.open", "1", "HTTP/1.1", "127.0.0.1", str(PORT), '{"n":1}'])
    check("HTTP_UPGRADE" not in shown and "HTTP_SEC_WEBSOCKET_KEY" not in shown, "none of the upgrade's own lines")
    c.send_binary(b"\0" * 70000)
    shown = json.loads(c.recv_text())
    equal([shown[name] for name in ("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_CE_TYPE", "HTTP_X_WS_CONTEXT")],
          ["70000", "application/octet-stream", "websocket.message", '{"n":2}'])
    c.send_text("fail")
    c.send_text("bye")
    shown = json.loads(c.recv_text())
    equal((shown["HTTP_CE_ID"].split("/")[1], shown["HTTP_X_WS_CONTEXT"]), ("3", '{"n":3}'))
    c.expect_close(4000, "bye")
    c.send_close(4000)
    nginx.wait_log("ws: closed")

=== TEST 3: Express: every event is a CloudEvent to the SDK; the context is the connection's memory
--- redis
SET session:secret {"user":{"id":"42","name":"Ada"},"csrf":"hidden"}
SET session:bad {"user":{"id":"43","name":"Bob","banned":true}}
--- config
include $TEST_DIR/location*.conf;
--- client
from examples import *

with example("node/http.mjs", "node/http.conf") as node:
    ada = LibraryClient("/chat", Cookie="X-Token=secret")
    equal(ada.receive(), '{"hello":"Ada"}')
    sent = ["hello", "Zoë ☂", {"a": [1, None]}, [7], "", b"\x00\xff", b""]
    for count, data in enumerate(sent, 1):
        ada.send(data if isinstance(data, (str, bytes)) else json.dumps(data))
        equal(json.loads(ada.receive()),
              {"id": str(count), "count": count, "data": len(data) if isinstance(data, bytes) else data})
    ada.send("bye")
    equal(json.loads(ada.receive())["count"], len(sent) + 1)
    equal(ada.closed(), (4000, "bye yourself"))
    wait_until(lambda: re.search(r"Ada left after \d+ ms: 4000", node.said()), "the close event")
    equal(client("/chat", cookie="X-Token=bad").status, 403)

=== TEST 4: Flask: two messages in one reply, a subprotocol, a close
--- redis
SET session:secret {"user":{"id":"42","name":"Ada"},"csrf":"hidden"}
--- config
include $TEST_DIR/location*.conf;
--- client
from examples import *

with example("python/flask_chat.py", "python/flask_chat.conf") as flask:
    c = client("/chat", cookie="X-Token=secret", headers=["Sec-WebSocket-Protocol: chat.v2, chat.v1"])
    equal((c.status, c.header("Sec-WebSocket-Protocol")), (101, "chat.v1"))
    ada = LibraryClient("/chat", Cookie="X-Token=secret")
    for text in ["hello", "zoë ☂"]:
        ada.send(text)
        equal(ada.receive(), "Ada: " + text)
        equal(ada.receive(), "Ada: " + text.upper() + "!")
    ada.send(b"\x00")
    equal(ada.closed(), (1003, "text only"))
    wait_until(lambda: "Ada left: 1003" in flask.said(), "the close event")

=== TEST 5: the same Flask handler in uWSGI, by uwsgi_pass
--- redis
SET session:secret {"user":{"id":"42","name":"Ada"}}
--- config
location /chat {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:X-Token;
    ws_delivery http;
    include /etc/nginx/uwsgi_params;
    uwsgi_pass unix:$TEST_DIR/uwsgi.sock;
}
--- client
from examples import *
from http_examples import *

with uwsgi(os.path.join(ROOT, "examples/python/flask_chat.py")):
    ada = LibraryClient("/chat", Cookie="X-Token=secret")
    for text in ["hello", "x" * 60000]:
        ada.send(text)
        equal(ada.receive(), "Ada: " + text)
        equal(ada.receive(), "Ada: " + text.upper() + "!")
    ada.send(b"\x00")
    equal(ada.closed(), (1003, "text only"))
