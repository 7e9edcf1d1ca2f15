# make run from its first second to its end, however that comes: nothing is left of it. (What it shows: t/browser.t.)
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: Ctrl-C stops the demo; two of them don't disturb each other
--- config
--- timeout: 120
--- client
from demo import *

first, second = Demo(), Demo()
first.wait_ready()
second.wait_ready()
wait_until(lambda: len(first.pids()) >= 4, "Redis, the backend, nginx and its worker")
first.type("\x03")
first.read_until(b"Stopped.")
equal(first.status(), 0)
first.wait_gone()
equal(client(port=second.port, raw="GET / HTTP/1.0\r\n\r\n").status, 200)
second.type("\x03")
equal(second.status(), 0)
second.wait_gone()

=== TEST 2: a signal at any moment of the start stops what has been started
--- config
--- timeout: 120
--- client
from demo import *

for name in "redis", "backend", "nginx":
    demo = Demo()
    wait_until(lambda: any(name + ".log" in files for _, _, files in os.walk(demo.home)), f"{name} is being started")
    demo.signal(signal.SIGTERM)
    equal(demo.status(), 0)
    demo.wait_gone()

=== TEST 3: a terminal that is closed, and a make that is killed, end the demo
--- config
--- timeout: 120
--- client
from demo import *

demo = Demo(WAITS)
demo.wait_ready()
demo.close_terminal()
demo.status()
demo.wait_gone()

demo = Demo(WAITS)
demo.wait_ready()
demo.signal(signal.SIGKILL)
demo.wait_gone()

=== TEST 4: a demo that is killed outright takes its servers with it
--- config
--- timeout: 120
--- client
from demo import *

demo = Demo()
demo.wait_ready()
demo.signal(signal.SIGKILL)
wait_until(lambda: not demo.pids(), "no process is left")

=== TEST 5: a server that ends ends the others, and says so
--- config
--- timeout: 120
--- client
from demo import *

demo = Demo()
demo.wait_ready()
for pid in demo.pids():
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            name = file.read().strip()
    except FileNotFoundError:
        continue  # a process of a moment
    if name == "redis-server":
        os.kill(pid, signal.SIGKILL)
demo.read_until(b"scripts/run: redis ended (status -9)")
equal(demo.status(), 1)
demo.wait_gone()
