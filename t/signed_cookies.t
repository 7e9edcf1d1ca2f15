# Signed cookies: who may ask Redis at all.
use lib 't/lib';
use File::Temp qw(tempdir);
use Test::Gateway;

my $files = tempdir('secrets.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $files;
my %secrets = (good => "new-sEcReT\nold-sEcReT\n", dos => "new-sEcReT\r\nold-sEcReT", empty => "\n\n", large => "x\n" x 40000);
for my $name (keys %secrets) {
    open my $file, '>', "$files/$name" or die "$files/$name: $!\n";
    print $file $secrets{$name};
}

run_tests(TEST_SECRETS => $files);

__DATA__

=== TEST 1: a forged, cut or unsigned cookie is refused, and Redis never hears of it
--- redis
SET sess:abc {"user":"ann"}
SET sess:abc.def {"user":"bob"}
SET sess:s:abc {"user":"eve"}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_token signed-cookie:connect.sid bearer;
    ws_auth_secret_file $TEST_SECRETS/good;
    ws_auth_key sess:$ws_token;
    ws_pass http://$TEST_BACKEND;
}
--- client
from web import signed

for id in "abc", "abc.def":
    for secret in "new-sEcReT", "old-sEcReT":
        for value in signed(id, secret), signed(id, secret, quoted=False), '"' + signed(id, secret) + '"':
            c, b = tunnel("/", cookie="a=b; connect.sid=" + value)
            c.close()
            b.close()

redis("CONFIG", "RESETSTAT")
good = signed("abc", "new-sEcReT", quoted=False)
id, _, signature = good.rpartition(".")
for value in [
    "abc", "s:abc", "s%3Aabc", "s:abc.", "s:." + signature, "s:", "s", ".", "j:{}",
    good + "=", good + "A", good[:-1], good[:-2] + "A" + good[-1], good + ".", good + "." + signature, "s:" + good, good[2:],
    "S:" + good[2:], "s%3" + good[2:], good + "%", good + "%zz", good + "%00", good + "%0a", "%22" + good + "%22", signed("ab\n", "new-sEcReT"),
    signed("abd", "new-sEcReT").replace("abd", "abc"), signed("abc", "sEcReT"), signed("abc", ""), signed("abc", "new-sEcReT\n"), signed("abc", "old"),
    signed("a b", "new-sEcReT"), signed("a\nb", "new-sEcReT"), signed("", "new-sEcReT"), signed("x" * 4097, "new-sEcReT"),
    good.replace(".", "%2E%2E"), signature, "s:abc." + "A" * 43, "s:abc." + "\u00e9" * 21, "s:abc." + signature.replace("+", "-").replace("/", "_") + "=",
    "x" * 8000,
]:
    equal(client("/", cookie="connect.sid=" + value).status, 401, f"{value!r}"[:60])
# A good token from the next source does not help.
equal(client("/", cookie="connect.sid=s:abc", headers=["Authorization: Bearer abc"]).status, 401)
for lines in ["connect.sid=" + good + "; connect.sid=" + good], ["connect.sid=" + good, "connect.sid=x"], ['connect.sid="' + good], ["connect.sid=a\tb"]:
    equal(client("/", headers=["Cookie: " + line for line in lines]).status, 400, f"{lines}")
backend.no_connection()
check("cmdstat_get" not in redis("INFO", "commandstats"), "no lookup")

# A cookie that isn't there, or is empty, is none: the next source has its turn.
redis("SET", "sess:token", "{}")
for cookie in "a=b", "connect.sid=", "connect.SID=x":
    c, b = tunnel("/", cookie=cookie, headers=["Authorization: Bearer token"])
    c.close()
    b.close()
equal(client("/").status, 401)
--- log_level: debug
--- error_log
qr/\[info\] .* ws: refused 401, connection=[0-9a-f]{32}: cookie without a good signature/
--- no_error_log
sEcReT

=== TEST 2: where the session is optional, who has a forged cookie is nobody, without a lookup
--- redis
SET sess:abc {"user":"ann"}
--- config
location / {
    ws_redis $TEST_REDIS;
    ws_auth redis;
    ws_auth_optional on;
    ws_auth_token signed-cookie:connect.sid;
    ws_auth_secret_file $TEST_SECRETS/good;
    ws_auth_key sess:$ws_token;
    ws_pass http://$TEST_BACKEND;
}
--- client
from web import signed
redis("CONFIG", "RESETSTAT")
for value in "s:abc", "s:abc.x", signed("abc", "another"):
    c, b = tunnel("/", cookie="connect.sid=" + value)
    equal(b.header("X-WS-Context"), "null")
check("cmdstat_get" not in redis("INFO", "commandstats"), "no lookup")
c, b = tunnel("/", cookie="connect.sid=" + signed("abc", "old-sEcReT"))
equal(b.header("X-WS-Context"), '{"user":"ann"}')

=== TEST 3: where the session is optional and Redis is down, a forged cookie is nobody's, a good one is refused with 503
--- redis: none
--- config
ws_auth_token signed-cookie:connect.sid;
ws_auth_secret_file $TEST_SECRETS/good;
ws_auth_key sess:$ws_token;
ws_auth_optional on;
location / { ws_auth redis; ws_redis redis://127.0.0.1:$TEST_CLOSED_PORT; ws_pass http://$TEST_BACKEND; }
--- client
from web import signed
for value in "s:abc.", "s:abc." + "A" * 43, "abc", signed("abc", "another secret"):
    c, b = tunnel("/", cookie="connect.sid=" + value)
    equal(b.header("X-WS-Context"), "null")
equal(client("/", cookie="connect.sid=" + signed("abc", "old-sEcReT")).status, 503)
backend.no_connection()

=== TEST 4: ws_auth_strip_cookie takes the whole signed cookie; a file with other line ends has the same secrets
--- redis
SET session:abc {}
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token signed-cookie:sid cookie:plain;
ws_auth_secret_file $TEST_SECRETS/good;
ws_auth_strip_cookie on;
location / { ws_pass http://$TEST_BACKEND; }
location /dos { ws_auth_secret_file $TEST_SECRETS/dos; ws_context_field token $ws_token; ws_pass http://$TEST_BACKEND; }
--- client
from web import signed
for path in "/", "/dos":
    for secret in "new-sEcReT", "old-sEcReT":
        c, b = tunnel(path, cookie="a=b; sid=" + signed("abc", secret))
        equal(b.header_all("Cookie"), ["a=b"])
        equal(b.header("X-WS-Context"), '{"token":"abc"}' if path == "/dos" else "{}")

=== TEST 5: a signed cookie without a secret
--- config
ws_redis $TEST_REDIS;
ws_auth redis;
ws_auth_token bearer signed-cookie:connect.sid;
--- must_die
--- error_log
"ws_auth_token signed-cookie:NAME" needs the secret that signs it: add "ws_auth_secret_file FILE;" at this level or above

=== TEST 6: a file that isn't there
--- config
ws_auth_secret_file missing;
--- must_die
--- error_log
qr/"ws_auth_secret_file" directive can't read ".*\/missing": it must be a file of at most 64k with a secret in each line/
qr/nginx\.conf:\d+/

=== TEST 7: a directory
--- config
ws_auth_secret_file $TEST_SECRETS;
--- must_die
--- error_log
"ws_auth_secret_file" directive can't read

=== TEST 8: a file without a secret
--- config
ws_auth_secret_file $TEST_SECRETS/empty;
--- must_die
--- error_log
qr/"ws_auth_secret_file" directive has no secret in ".*\/empty": put one in each line/

=== TEST 9: a file that is too large
--- config
ws_auth_secret_file $TEST_SECRETS/large;
--- must_die
--- error_log
qr/"ws_auth_secret_file" directive can't read ".*\/large": it must be a file of at most 64k/

=== TEST 10: ws_auth_secret_file twice
--- config
ws_auth_secret_file $TEST_SECRETS/good;
ws_auth_secret_file $TEST_SECRETS/dos;
--- must_die
--- error_log
"ws_auth_secret_file" directive is duplicate
--- no_error_log
sEcReT
