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
with example("express/server.mjs", "express/nginx.conf", application(SECRETS=secrets), session_secrets=secrets):
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
with example("express/server.mjs", "express/nginx.conf", application(SECRETS=old), session_secrets=old):
    equal(browser.post("/login/Ada"), "welcome")
    before = browser.cookies()

secrets = secret_file("the new one", "the old one")
with example("express/server.mjs", "express/nginx.conf", application(SECRETS=secrets), session_secrets=secrets):
    equal(browser.get("/"), "hello Ada")
    check(browser.cookies() != before, "signed anew")
    for cookies in before, browser.cookies():
        ada = LibraryClient("/chat", Cookie=cookies)
        ada.send("hello")
        equal(ada.receive(), "Ada (42): hello")
        equal(ada.close(), 1000)

    # And when it is retired, no longer.
    use_location("express/nginx.conf", "127.0.0.1:1", session_secrets=secret_file("the new one"))
    equal(client("/chat", cookie=before).status, 401)

=== TEST 3: docs/sessions.md shows these configurations, letter for letter
--- redis: none
--- config
--- client
from examples import *
import textwrap

with open(os.path.join(ROOT, "docs/sessions.md"), encoding="utf-8") as file:
    page = file.read()
for path in "express/nginx.conf",:
    with open(os.path.join(ROOT, "examples", path), encoding="utf-8") as file:
        check(textwrap.indent(file.read(), "    ") in page, path)
