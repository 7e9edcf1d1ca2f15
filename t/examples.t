# Each backend of examples/ behind the location shipped beside it, with a client from a library.
use lib 't/lib';
use Test::Gateway;

run_tests(config => 'include $TEST_DIR/location*.conf;');

__DATA__

=== TEST 1: Bun: what the gateway found is ws.data in the message handler
--- redis
SET session:secret {"user":{"id":"42","name":"Ada"},"csrf":"hidden"}
--- client
from examples import *

with example("bun/headers.ts", "bun/headers.conf") as bun:
    ada = LibraryClient("/chat", Cookie="X-Token=secret")
    ada.send("Hello ☂")
    equal(ada.receive(), "saved for user 42")
    equal(ada.close(), 1000)
    equal(bun.get("/messages"), [{"message": "Hello ☂", "userId": "42"}])
    equal(client("/chat", cookie="X-Token=wrong").status, 401)
    equal(client("/chat").status, 401)

=== TEST 2: Bun: the location sends createdAt, token and userId, and nothing else of the session
--- redis
SET session:secret {"user":{"id":"42","name":"Ada"},"csrf":"hidden"}
--- client
from examples import *

use_location("bun/headers.conf", os.environ["TEST_BACKEND"])
before = int(time.time() * 1000)
c, b = tunnel("/chat", cookie="X-Token=secret")
after = int(time.time() * 1000)
context = b.header("X-WS-Context")
matches(context, r'\A\{"createdAt":\d+,"token":"secret","userId":"42"\}\Z')
created = json.loads(context)["createdAt"]
check(before - 1000 <= created <= after, f"{created} is the time of the upgrade, {before} to {after}")
c.close()
b.expect_eof()

=== TEST 3: Node, headers: each message comes with the name of its sender
--- redis
SET session:a '{"user":{"id":"1","name":"Ada"}}'
SET session:z '{"user":{"id":"2","name":"Zoë ☂"}}'
--- client
from examples import *

with example("node/headers.mjs", "node/headers.conf"):
    ada = LibraryClient("/chat", Cookie="X-Token=a")
    zoe = LibraryClient("/chat", Cookie="X-Token=z")
    ada.send("hello")
    zoe.send("hello " * 10000)
    for listener in ada, zoe:
        said = sorted(listener.receive() for _ in range(2))
        equal(said, ["Ada: hello", "Zoë ☂: " + "hello " * 10000])
    equal((ada.close(), zoe.close()), (1000, 1000))

=== TEST 4: Node, envelope: the backend knows who comes and who speaks, and its replies reach the client as they are
--- redis
SET session:a '{"user":{"id":"1","name":"Ada"},"csrf":"hidden"}'
--- client
from examples import *

with example("node/envelope.mjs", "node/envelope.conf"):
    ada = LibraryClient("/chat?room=1", Cookie="X-Token=a")
    equal(ada.receive(), "Ada came")
    ada.send('{"not":"an envelope"} ☂')
    equal(ada.receive(), 'Ada: {"not":"an envelope"} ☂')
    ada.send(b"\x00\xff\x80")
    equal(ada.receive(), "Ada: 3 bytes")
    equal(ada.close(), 1000)

=== TEST 5: Python, headers: the session is a hash, the token a bearer token or a cookie
--- redis
HSET user-session:secret id 42 name Ada csrf hidden
--- client
from examples import *

with example("python/headers.py", "python/headers.conf"):
    for headers in {"Authorization": "Bearer secret"}, {"Cookie": "sessionid=secret"}:
        ada = LibraryClient("/greet", **headers)
        ada.send("hello")
        equal(ada.receive(), "Ada (42): hello")
        equal(ada.close(), 1000)

=== TEST 6: Python, envelope: the sum lives in the context, and commands reply, change the context and close
--- redis
SET session:a '{"user":{"id":"1","name":"Ada"}}'
--- client
from examples import *

with example("python/envelope.py", "python/envelope.conf"):
    ada = LibraryClient("/add", Cookie="X-Token=a")
    other = LibraryClient("/add", Cookie="X-Token=a")
    for number, total in (40, 40), (2, 42):
        ada.send(json.dumps({"add": number}))
        equal(json.loads(ada.receive()), {"name": "Ada", "total": total})
    other.send('{"add": 1}')
    equal(json.loads(other.receive()), {"name": "Ada", "total": 1})
    ada.send("that is all")
    equal(ada.closed(), (4000, "goodbye, Ada"))
    equal(other.close(), 1000)

=== TEST 7: Bun, envelope: each message comes with its writer, and as JSON
--- redis
SET session:a '{"user":{"id":"1","name":"Ada"},"csrf":"hidden"}'
SET session:z '{"user":{"id":"2","name":"Zoë ☂"},"csrf":"hidden"}'
--- client
from examples import *

with example("bun/envelope.ts", "bun/envelope.conf"):
    ada = LibraryClient("/notes", Cookie="X-Token=a")
    zoe = LibraryClient("/notes", Cookie="X-Token=z")
    ada.send("no JSON: not taken")
    ada.send('{"say": "hello"}')
    equal(json.loads(ada.receive()), [{"by": "Ada", "note": {"say": "hello"}}])
    zoe.send('[1, "☂"]')
    equal(json.loads(zoe.receive()), [{"by": "Ada", "note": {"say": "hello"}}, {"by": "Zoë ☂", "note": [1, "☂"]}])
    equal((ada.close(), zoe.close()), (1000, 1000))

=== TEST 8: Perl, headers: each message comes with the name of its sender
--- redis
SET session:a '{"user":{"id":"1","name":"Ada"}}'
SET session:z '{"user":{"id":"2","name":"Zoë ☂"}}'
--- client
from examples import *

with example("perl/headers.pl", "perl/headers.conf"):
    ada = LibraryClient("/chat", Cookie="X-Token=a")
    zoe = LibraryClient("/chat", Cookie="X-Token=z")
    ada.send("hello")
    zoe.send("hello ☂")
    for listener in ada, zoe:
        equal(sorted(listener.receive() for _ in range(2)), ["Ada: hello", "Zoë ☂: hello ☂"])
    equal(zoe.close(), 1000)
    ada.send("alone")
    equal(ada.receive(), "Ada: alone")
    equal(ada.close(), 1000)

=== TEST 9: Perl, envelope: the context comes when it has changed, and commands reply and close
--- redis
SET session:a '{"user":{"id":"1","name":"Ada"}}'
--- client
from examples import *

with example("perl/envelope.pl", "perl/envelope.conf"):
    ada = LibraryClient("/room", Cookie="X-Token=a")
    equal(ada.receive(), "Ada came")
    ada.send("hello ☂")
    equal(ada.receive(), "Ada: hello ☂")
    redis("SET", "session:a", '{"user":{"id":"1","name":"Lady Ada"}}')
    equal(ada.receive(), "Ada is now Lady Ada")
    ada.send("hello")
    equal(ada.receive(), "Lady Ada: hello")
    ada.send("/quit")
    equal(ada.closed(), (1000, "goodbye"))

=== TEST 10: Bun, HTTP: the answer to a message is the reply to its request
--- redis
SET session:a '{"user":{"id":"1","name":"Ada"},"csrf":"hidden"}'
--- client
from examples import *

with example("bun/http.ts", "bun/http.conf"):
    ada = LibraryClient("/echo", Cookie="X-Token=a")
    equal(ada.receive(), "welcome, Ada")
    for said in "hello ☂", b"\x00\xff\x80":
        ada.send(said)
        equal(ada.receive(), said)
    equal(ada.close(), 1000)
    equal(client("/echo", cookie="X-Token=wrong").status, 401)
