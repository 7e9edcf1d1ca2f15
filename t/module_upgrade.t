# Another file of the module is loaded by a reload, as after an upgrade of the package: nothing of the old one's memory is read by the new one.
use lib 't/lib';
use Cwd qw(abs_path);
use Test::Gateway;

# A static nginx loads none.
if (!$ENV{GATEWAY_MODULE}) {
    print "1..0 # SKIP needs the dynamic module\n";
    exit 0;
}
my $gateway = abs_path($ENV{GATEWAY_MODULE});
$ENV{GATEWAY_LOAD} = '';
run_tests(TEST_GATEWAY => $gateway);

__DATA__

=== TEST 1: counts begin at 0, open connections go on in the old worker, which counts for itself, and end there
--- redis
SET session:a {"user":"ann"}
--- main_config
load_module $TEST_GATEWAY;
--- config
ws_redis $TEST_REDIS;
ws_auth_token cookie:t;
ws_drain_timeout 0;
location /status { ws_status; }
location /ws { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
import shutil, status
def load(path):
    conf = f"{TEST_DIR}/nginx.conf"
    with open(conf, encoding="utf-8") as file:
        text = file.read()
    with open(conf, "w", encoding="utf-8") as file:
        file.write(re.sub(r"load_module \S+;", f"load_module {path};", text))
    nginx.reload()

def say(c, b, text):
    c.send_text(text)
    b.expect_text(text)

old, = nginx.worker_pids()
c, b = tunnel("/ws", cookie="t=a")
say(c, b, "to the first")
equal((status.figures()["connections"]["opened"], status.figures()["messages"]["in"]), (1, 1))
# A file of its own: for the loader it is another library.
load(shutil.copy(os.environ["TEST_GATEWAY"], f"{TEST_DIR}/second.so"))
now = status.figures()
equal((now["workers"], now["connections"]["opened"], now["messages"]["in"]), ({"running": 1, "lost": 0}, 0, 0))
d, db = tunnel("/ws", cookie="t=a")
say(d, db, "to the second")
say(c, b, "to the first again")
now = status.figures()
equal((now["connections"]["open"], now["connections"]["opened"], now["messages"]["in"]), (1, 1, 1))
equal(now["redis"][0]["workers_up"], 1)

# Back to the first file, whose library may be loaded where it was before.
middle, = [pid for pid in nginx.worker_pids() if pid != old]
load(os.environ["TEST_GATEWAY"])
now = status.figures()
equal((now["workers"], now["connections"]["opened"], now["closes"]), ({"running": 1, "lost": 0}, 0, []))
say(c, b, "the first goes on")
say(d, db, "so does the second")
redis("DEL", "session:a")
for client_, backend_ in [(c, b), (d, db)]:
    client_.expect_close(4401)
    backend_.expect_close(1001)
    client_.send_close(4401)
    backend_.send_close(1001)
    client_.expect_eof()
wait_until(lambda: not running(old) and not running(middle), "the old workers are gone")
now = status.figures()
equal((now["workers"], now["connections"]["opened"], now["revocations"]), ({"running": 1, "lost": 0}, 0, 0))
