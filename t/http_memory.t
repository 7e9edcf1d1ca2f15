# HTTP delivery: a large message, and a large reply, are held once.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: 32 MiB each way, in one frame and in fragments, again and again
--- redis: none
--- timeout: 90
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 4; }
--- config
location / { ws_delivery http; ws_max_message_size 32m; ws_pass http://backend; }
--- client
import flow
pid, = nginx.worker_pids()
def memory(name):
    """MiB"""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(name + r":\s+(\d+)", file.read())[1]) / 1024
def grown(function):
    """How much more the worker holds at its peak than before."""
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")
    before = memory("VmRSS")
    function()
    return memory("VmHWM") - before

size = 32 << 20
data = os.urandom(size)
masked = mask_bytes(data, b"abcd")
c = client("/")
b = backend.accept()
b.respond()
equal(c.status, 101)

def message(*pieces):
    def sent():
        for n, (first, last) in enumerate(pieces):
            fin = n == len(pieces) - 1
            head = bytes([(0x80 if fin else 0) | (CONTINUATION if n else BINARY), 0x80 | 127]) + struct.pack("!Q", last - first) + b"abcd"
            c.sock.sendall(head)
            c.sock.sendall(masked[first:last])  # each piece begins at a multiple of the key
    def run():
        sending = in_thread(sent)
        b.read_request()
        equal(b.read_body() == data, True)
        sending.join()
    return run

def reply():
    sending = in_thread(lambda: b.respond(body=data))
    equal(c.recv_message() == (BINARY, data), True)
    sending.join()

start = memory("VmRSS")
whole = grown(message((0, size)))
answer = grown(reply)
pieces = grown(message(*((at, at + (8 << 20)) for at in range(0, size, 8 << 20))))
grown(reply)
for _ in range(5):
    message((0, size))()
    reply()
c.send_text("small")
b.read_request()
b.read_body()
b.respond(headers=["Content-Type: text/plain"], body="small")
c.expect_text("small")
left = memory("VmRSS") - start
# The sanitizers keep what is freed for a while.
if not flow.sanitized():
    # A buffer that grows is there twice for a moment, half as large.
    check(whole < 1.6 * 32, f"a message in one frame: {whole:.1f} MiB")
    check(pieces < 2.1 * 32, f"one in fragments, whose end nobody knows: {pieces:.1f} MiB")
    check(answer < 1.1 * 32, f"a reply: {answer:.1f} MiB")
    # malloc() keeps a large piece for the next one.
    check(left < 1.1 * 32, f"after seven of each: {left:.1f} MiB")
print(f"{whole:.1f} {pieces:.1f} {answer:.1f} {left:.1f} MiB")
