# Lookups that are other commands than GET: what their answers mean, and how open sockets follow their sessions.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: strings are JSON, fields are members
--- redis
SET doc:abc {"user":"ann"}
HSET hash:abc user ann level 7 csrf secret
HSET sessions abc '{"user":"ann"}'
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
location /get { ws_auth_redis_command get doc:$ws_token; ws_pass http://$TEST_BACKEND; }
location /hgetall { ws_auth_redis_command HGETALL hash:$ws_token; ws_pass http://$TEST_BACKEND; }
location /hmget { ws_auth_redis_command HMGET hash:$ws_token user $arg_field level; ws_pass http://$TEST_BACKEND; }
location /hget { ws_auth_redis_command HGET sessions $ws_token; ws_pass http://$TEST_BACKEND; }
location /eval { ws_auth_redis_command EVAL_RO "return redis.call('GET', KEYS[1])" 1 doc:$ws_token; ws_pass http://$TEST_BACKEND; }
location /argument {
    ws_auth_redis_command EVAL_RO "return {'token', ARGV[1], 'from', ARGV[2]}" 0 $ws_token "$arg_field and
more";
    ws_pass http://$TEST_BACKEND;
}
--- client
for path, context in [
    ("/get", '{"user":"ann"}'),
    ("/hgetall", '{"user":"ann","level":"7","csrf":"secret"}'),
    ("/hmget?field=none", '{"user":"ann","level":"7"}'),
    ("/hmget?field=csrf", '{"user":"ann","csrf":"secret","level":"7"}'),
    ("/hget", '{"user":"ann"}'),
    ("/eval", '{"user":"ann"}'),
    ("/argument?field=x'y", '{"token":"abc","from":"x\'y and\\nmore"}'),
]:
    c, b = tunnel(path, cookie="sid=abc")
    equal(b.header_all("X-WS-Context"), [context], path)
    c.close()
    b.close()
    if path != "/argument?field=x'y":
        equal(client(path, cookie="sid=nobody").status, 401, path)
backend.no_connection()

=== TEST 2: what a script may answer
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_redis_command EVAL "return loadstring('return ' .. ARGV[1])()" 1 session:$ws_token $arg_lua;
location / { ws_pass http://$TEST_BACKEND; }
--- client
for lua, status in [("nil", 401), ("false", 401), ("{}", 401), ("7", 500), ("true", 500), ("{'a'}", 500), ("{'a',{'b'}}", 500), ("{'a',1}", 500),
                    ("{ok='{}'}", 500), ("'no-json'", 500), ("'[]'", 500), ("{err='WRONGTYPE'}", 500), ("{err='BUSY'}", 503), ("x.y.z", 503)]:
    equal(client("/?lua=" + lua, cookie="sid=abc").status, status, lua)
backend.no_connection()
--- error_log
reply is neither a string nor names and values

=== TEST 3: EVALSHA and FCALL; a script that the server hasn't got is an outage, not a missing session
--- redis
HSET user:7 name ann
SET token:abc user:7
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
# redis.call('HGETALL', redis.call('GET', KEYS[1])), if there is such a token
location /sha { ws_auth_redis_command EVALSHA $arg_sha 1 token:$ws_token; ws_pass http://$TEST_BACKEND; }
location /function { ws_auth_redis_command FCALL session_of 1 token:$ws_token; ws_pass http://$TEST_BACKEND; }
--- client
body = "local user = redis.call('GET', KEYS[1]); return user and redis.call('HGETALL', user)"
sha = redis("SCRIPT", "LOAD", body)
redis("FUNCTION", "LOAD", "REPLACE", "#!lua name=sessions\nredis.register_function('session_of', function(KEYS) " + body + " end)")
for path in "/sha?sha=" + sha, "/function":
    c, b = tunnel(path, cookie="sid=abc")
    equal(b.header("X-WS-Context"), '{"name":"ann"}')
    c.close()
    b.close()
    equal(client(path, cookie="sid=nobody").status, 401)
equal(client("/sha?sha=" + 40 * "0", cookie="sid=abc").status, 503)
redis("FUNCTION", "FLUSH")
equal(client("/function", cookie="sid=abc").status, 503)
backend.no_connection()
--- error_log
qr/ws: refused 503, connection=[0-9a-f]{32}: NOSCRIPT/

=== TEST 4: open sockets follow the key of whatever command it is, and what a script declares
--- redis
HSET hash:abc user ann
HSET sessions abc '{"user":"ann"}' def '{"user":"bob"}'
SET doc:abc {"user":"ann"}
SET doc:{abc}:2 x
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_recheck 1h;
ws_delivery envelope;
location /hmget { ws_auth_redis_command HMGET hash:$ws_token user; ws_pass http://$TEST_BACKEND; }
location /hget { ws_auth_redis_command HGET sessions $ws_token; ws_pass http://$TEST_BACKEND; }
location /script {
    ws_auth_redis_command EVAL "redis.call('GET', KEYS[1]); return redis.call('GET', KEYS[2])" 2 "doc:{$ws_token}:2" doc:$ws_token;
    ws_pass http://$TEST_BACKEND;
}
--- client
for path, change, end in [
    ("/hmget", ["HSET", "hash:abc", "user", "eve"], ["DEL", "hash:abc"]),
    ("/hget", ["HSET", "sessions", "abc", '{"user":"eve"}'], ["HDEL", "sessions", "abc"]),
    ("/script", ["SET", "doc:abc", '{"user":"eve"}'], ["DEL", "doc:abc"]),
]:
    c, b = tunnel(path, cookie="sid=abc")
    matches(b.recv_text(), '"event":"open".*"context":{"user":"ann"}')
    redis(*change)
    matches(b.recv_text(), '"event":"context".*"context":{"user":"eve"}')
    redis(*end)
    c.expect_close(4401, "session ended")
    c.close()
    b.close()

# One member of the hash has ended, and another goes on.
c, b = tunnel("/hget", cookie="sid=def")
matches(b.recv_text(), '"event":"open".*"context":{"user":"bob"}')
before = redis.calls("hget")
redis("HSET", "sessions", "abc", "{}")
wait_until(lambda: redis.calls("hget") > before, "it is read again")
c.send_text("still here")
matches(b.recv_text(), '"data":"still here"')

=== TEST 5: what a script reads besides its keys is looked at again at intervals
--- redis
SET token:abc user:7
HSET user:7 name ann
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token cookie:sid;
ws_auth_recheck 1s;
ws_auth_cache 1h;
ws_delivery envelope;
location / {
    ws_auth_redis_command EVAL "local user = redis.call('GET', KEYS[1]); return user and redis.call('HGETALL', user)" 1 token:$ws_token;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="sid=abc")
matches(b.recv_text(), '"context":{"name":"ann"}')
redis("HSET", "user:7", "name", "eve")
matches(b.recv_text(), '"event":"context".*"context":{"name":"eve"}')
# Nor does ws_auth_cache trust such an answer.
redis("DEL", "user:7")
equal(client("/", cookie="sid=abc").status, 401)
c.expect_close(4401, "session ended")

=== TEST 6: a store that keeps only the tokens' hashes
--- redis
SET session:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad {"user":"ann"}
SET session:abc {"user":"eve"}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token bearer;
    ws_auth_key session:$ws_token_sha256;
    ws_pass http://$TEST_BACKEND;
}
location /none { ws_auth variable '{"hash":"$ws_token_sha256"}'; ws_auth_token bearer; ws_pass http://$TEST_BACKEND; }
--- client
c, b = tunnel("/", headers=["Authorization: Bearer abc"])
equal(b.header("X-WS-Context"), '{"user":"ann"}')
equal(client("/", headers=["Authorization: Bearer ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]).status, 401)
c, b = tunnel("/none")
equal(b.header("X-WS-Context"), '{"hash":""}')

=== TEST 7: ws_auth_touch renews the first key of a script
--- redis
SET {abc}:token x
SET {abc}:session {} PX 1500
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token cookie:sid;
    ws_auth_touch 60s interval=100ms;
    ws_auth_redis_command EVAL "return redis.call('GET', KEYS[1])" 1 "{$ws_token}:session";
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/", cookie="sid=abc")
wait_until(lambda: redis("PTTL", "{abc}:session") > 30000, "it lives longer")
equal(redis("PTTL", "{abc}:token"), -1)

=== TEST 8: a command that would take the connection over
--- config
ws_auth_redis_command subscribe $ws_token;
--- must_die
--- error_log
"ws_auth_redis_command" directive has a wrong command "subscribe": it must be one that reads, such as GET, HGETALL, HMGET, EVALSHA
qr/nginx\.conf:\d+/

=== TEST 9: a verb that isn't known until there is a request
--- config
ws_auth_redis_command $arg_verb $ws_token;
--- must_die
--- error_log
"ws_auth_redis_command" directive has a wrong command "$arg_verb"

=== TEST 10: a script with fewer keys than it says
--- config
ws_auth_redis_command EVALSHA 0123 2 $ws_token;
--- must_die
--- error_log
"ws_auth_redis_command" directive has a wrong number of keys: it must be EVALSHA SCRIPT NUMBER KEY ... ARGUMENT ..., with as many keys as NUMBER says

=== TEST 11: a script whose number of keys is none
--- config
ws_auth_redis_command FCALL f $ws_token;
--- must_die
--- error_log
"ws_auth_redis_command" directive has a wrong number of keys: it must be FCALL SCRIPT NUMBER KEY ...

=== TEST 12: words without a variable in any of them
--- config
ws_auth_redis_command HMGET session user;
--- must_die
--- error_log
"ws_auth_redis_command" directive names one key for everybody: put $ws_token
