# A hook of another module: examples/auth-hook, built out of tree as a dynamic module, beside the gateway's.
use lib 't/lib';
use Cwd qw(abs_path);
use Test::Gateway;

# The static nginx of the sanitized run has other structures than Debian's, for which modules are built.
if (!$ENV{GATEWAY_MODULE}) {
    print "1..0 # SKIP needs the dynamic module\n";
    exit 0;
}
system('scripts/build-hook') == 0 or die "the example was not built\n";

my $gateway = abs_path($ENV{GATEWAY_MODULE});
my $hook = abs_path('build/hook/ngx_http_ticket_hook_module.so');
$ENV{GATEWAY_LOAD} = '';
my $other = abs_path('build/hook/other/ngx_http_ticket_hook_module.so');
run_tests(TEST_GATEWAY => $gateway, TEST_HOOK => $hook, TEST_OTHER_HOOK => $other);

__DATA__

=== TEST 1: it lets in, later than it was asked, and ends the session
--- redis: none
--- main_config
load_module $TEST_GATEWAY;
load_module $TEST_HOOK;
--- config
location / {
    ws_auth ticket 100 $arg_room;
    ws_auth_token arg:ticket;
    ws_pass http://$TEST_BACKEND;
}
--- client
import time
began = time.monotonic()
c, b = tunnel("/?ticket=ann.1&room=a%22b")
equal(b.header("X-WS-Context"), '{"name":"ann","room":"a%22b"}')
c.send_text("hi")
b.expect_text("hi")
c.expect_close(4401, "session ended")
check(time.monotonic() - began >= 1.09)
b.expect_close(1001)

=== TEST 2: loaded before the gateway, it works as well
--- redis: none
--- main_config
load_module $TEST_HOOK;
load_module $TEST_GATEWAY;
--- config
location / {
    ws_auth ticket 0;
    ws_auth_token arg:ticket;
    ws_pass http://$TEST_BACKEND;
}
--- client
c, b = tunnel("/?ticket=ann.3600")
equal(b.header("X-WS-Context"), '{"name":"ann","room":""}')
for ticket in "ann", "ann.0", "ann.4000", "Ann.1", ".":
    equal(client("/?ticket=" + ticket).status, 401, ticket)
equal(client("/").status, 401)
--- error_log
qr/ws: refused 401, connection=[0-9a-f]{32}: no ticket/
qr/ws: refused 401, connection=[0-9a-f]{32}: no name on the ticket/

=== TEST 3: a client that leaves while the hook is asked ends its watch
--- redis: none
--- main_config
load_module $TEST_GATEWAY;
load_module $TEST_HOOK;
--- config
location / {
    ws_auth ticket 600000;
    ws_auth_token arg:ticket;
    ws_pass http://$TEST_BACKEND;
}
--- client
for n in range(20):
    client("/?ticket=ann.10").reset()
    client("/?ticket=ann.10").close()
backend.no_connection()

=== TEST 4: without the gateway it says what is missing
--- redis: none
--- main_config
load_module $TEST_HOOK;
--- config
--- must_die
--- error_log
auth hook "ticket" needs ngx_http_ws_module, which is not loaded: add its load_module

=== TEST 5: the names of hooks in the message for a wrong one
--- redis: none
--- main_config
load_module $TEST_GATEWAY;
load_module $TEST_HOOK;
--- config
ws_auth tickets 1;
--- must_die
--- error_log
"ws_auth" directive has a wrong value "tickets": it must be off or redis or jwt or variable or ticket

=== TEST 6: its arguments are counted
--- redis: none
--- main_config
load_module $TEST_GATEWAY;
load_module $TEST_HOOK;
--- config
ws_auth ticket;
--- must_die
--- error_log
"ws_auth" directive has a wrong number of arguments after "ticket": it must be 1 to 2

=== TEST 7: it needs a token
--- redis: none
--- main_config
load_module $TEST_GATEWAY;
load_module $TEST_HOOK;
--- config
location / { ws_auth ticket 1; ws_pass http://$TEST_BACKEND; }
--- must_die
--- error_log
"ws_auth ticket" needs a token: add "ws_auth_token cookie:NAME;" at this level or above

=== TEST 8: a hook that was built for another version of the interface
--- redis: none
--- main_config
load_module $TEST_GATEWAY;
load_module $TEST_OTHER_HOOK;
--- config
--- must_die
--- error_log
auth hook "ticket" is for version 2 of ngx_http_ws_module's hooks, which has version 1: build them from the same sources
