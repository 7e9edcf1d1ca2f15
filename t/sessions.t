# Sessions as applications have them: the real frameworks behind the locations that are shipped with them.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: Express: log in, open a socket, log out with req.session.destroy(): the socket closes
--- config
include $TEST_DIR/location*.conf;
--- client
from examples import *
from web import *

secrets = secret_file("the new one", "the old one")
with example("express/server.mjs", "express/nginx.conf", application(SECRETS=secrets), also={"/etc/nginx/session-secrets": secrets}):
    browser = Browser()
    equal(browser.post("/login/Ada"), "welcome")
    matches(browser.cookie("connect.sid"), r"^s%3A[\w-]+\.")
    ada = LibraryClient("/chat", Cookie=browser.cookies())
    ada.send("hello")
    equal(ada.receive(), "Ada (42): hello")

    # rolling: each page sets a new time to live. That is reported by Redis, and changes nothing.
    changes, reads = redis.calls("expire"), redis.calls("get")
    for _ in range(3):
        equal(browser.get("/"), "hello Ada")
    equal(redis.calls("expire"), changes + 3)
    wait_until(lambda: redis.calls("get") > reads + 3, "the gateway has looked at the session again")
    ada.send("still here")
    equal(ada.receive(), "Ada (42): still here")

    equal(browser.post("/logout"), "bye")
    equal(ada.closed(), (4401, "session ended"))
    equal(client("/chat", cookie=browser.cookies()).status, 401)

=== TEST 2: Express: a cookie that was signed with the secret before this one is as good as one with the new
--- config
include $TEST_DIR/location*.conf;
--- client
from examples import *
from web import *

old = secret_file("the old one")
browser = Browser()
with example("express/server.mjs", "express/nginx.conf", application(SECRETS=old), also={"/etc/nginx/session-secrets": old}):
    equal(browser.post("/login/Ada"), "welcome")
    before = browser.cookies()

secrets = secret_file("the new one", "the old one")
with example("express/server.mjs", "express/nginx.conf", application(SECRETS=secrets), also={"/etc/nginx/session-secrets": secrets}):
    equal(browser.get("/"), "hello Ada")
    check(browser.cookies() != before, "signed anew")
    for cookies in before, browser.cookies():
        ada = LibraryClient("/chat", Cookie=cookies)
        ada.send("hello")
        equal(ada.receive(), "Ada (42): hello")
        equal(ada.close(), 1000)

    # And when it is retired, no longer.
    use_location("express/nginx.conf", "127.0.0.1:1", {"/etc/nginx/session-secrets": secret_file("the new one")})
    equal(client("/chat", cookie=before).status, 401)

=== TEST 3: Django, with django-redis and its JSONSerializer: log in, open a socket, log out: the socket closes
--- config
include $TEST_DIR/location*.conf;
--- client
from examples import *
from web import *

settings = application(SECRET_KEY="not for production", PASSWORD="correct horse", DATABASE=os.path.join(TEST_DIR, "users.sqlite3"))
with example("django/server.py", "django/nginx.conf", settings, also={"http://127.0.0.1:3001": "http://" + os.environ["TEST_BACKEND"]}):
    browser = Browser()
    equal(client("/chat").status, 401)
    equal(browser.post("/login", username="ada", password="correct horse"), "welcome")
    session = json.loads(redis("GET", ":1:django.contrib.sessions.cache" + browser.cookie("sessionid")))
    equal(session["_auth_user_id"], "1")
    c, b = tunnel("/chat", cookie=browser.cookies())
    equal(b.header("X-WS-Context"), '{"user":1}')
    equal(browser.get("/"), "hello ada")
    c.send_text("hello")
    b.expect_text("hello")

    equal(browser.post("/logout"), "bye")
    c.expect_close(4401, "session ended")
    b.expect_close(1001)
    equal(client("/chat", cookie="sessionid=" + browser.former("sessionid")).status, 401)

=== TEST 4: docs/sessions.md shows these configurations, letter for letter
--- redis: none
--- config
--- client
from examples import *
import textwrap

with open(os.path.join(ROOT, "docs/sessions.md"), encoding="utf-8") as file:
    page = file.read()
for path in "express/nginx.conf", "django/nginx.conf":
    with open(os.path.join(ROOT, "examples", path), encoding="utf-8") as file:
        check(textwrap.indent(file.read(), "    ") in page, path)
