# HTTP delivery: the backend is killed and restarted under a thousand clients.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a backend that is killed and restarted under 1,000 clients costs no socket, and no message is lost or answered twice
--- redis: none
--- timeout: 240
--- events: worker_connections 8192;
--- http_config
upstream backend { server $TEST_BACKEND; keepalive 64; keepalive_requests 1000000; }
--- config
location / {
    ws_delivery http;
    ws_http_error message;
    ws_ping_interval 0;
    ws_pass http://backend;
    proxy_connect_timeout 10s;
}
--- client
import json
import os
import selectors
import subprocess
import sys

CLIENTS, MESSAGES, KILLS = 1000, 30, 4

# Appends what it has accepted to a file, then answers: what is in no file was not accepted.
SERVER = r'''
import asyncio, os, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=2048)
accepted = open(sys.argv[2], "ab", buffering=0)
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
            body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
            answer = b""
            if fields[b"ce-type"] == b"websocket.message":
                accepted.write(fields[b"ce-id"] + b" " + body + b"\n")
                answer = b"ok " + body
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    async with await asyncio.start_server(serve, sock=listener, backlog=2048) as server:
        await server.serve_forever()
asyncio.run(main())
'''
logs = []
port = backend.sock.getsockname()[1]
backend.close()  # while there is no server, connections are refused
def start():
    logs.append("%s/accepted.%d" % (TEST_DIR, len(logs)))
    return subprocess.Popen([sys.executable, "-c", SERVER, str(port), logs[-1]])

class Sender:
    def __init__(self):
        self.c = client("/")
        self.next = 0       # of the message to be answered next
        self.sent = 0       # since the beginning, those sent again included
        self.asked = {}     # the gateway's number of a message: ours
        self.answers = []
        self.errors = 0

    def send(self):
        self.sent += 1
        self.asked[self.sent] = self.next
        self.c.send_text("%d" % self.next)

    def take(self):
        """All that has come."""
        try:
            data = self.c.sock.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        check(data, "the client's socket is open")
        self.c.buffer += data
        while len(self.c.buffer) >= 2 and len(self.c.buffer) >= 2 + self.c.buffer[1]:
            text = self.c.recv_text()
            if text.startswith("{"):
                said = json.loads(text)
                equal((said["event"], self.asked[said["seq"]]), ("error", self.next))
                self.errors += 1
            else:
                equal(text, "ok %d" % self.next)
                self.answers.append(self.next)
                self.next += 1
            if self.next < MESSAGES:
                self.send()

server = start()
wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the backend listens")
senders = [Sender() for _ in range(CLIENTS)]
for s in senders:
    equal(s.c.status, 101)
poll = selectors.DefaultSelector()
for s in senders:
    poll.register(s.c.sock, selectors.EVENT_READ, s)
    s.send()
kills = 0
deadline = time.monotonic() + 200
while any(s.next < MESSAGES for s in senders):
    check(time.monotonic() < deadline, "all is answered in time: %d" % sum(len(s.answers) for s in senders))
    for key, _ in poll.select(1):
        key.data.take()
    done = sum(len(s.answers) for s in senders)
    if kills < KILLS and done > (kills + 1) * CLIENTS * MESSAGES // (KILLS + 1):
        server.kill()
        server.wait()
        kills += 1
        server = start()
equal(kills, KILLS)

# Each client has one answer to each message, in order, on the one socket it ever had.
for s in senders:
    equal(s.answers, list(range(MESSAGES)))
errors = sum(s.errors for s in senders)
check(errors > 0, "the kills were felt")

# The backend has got no event twice, in order for each connection, and every one that was answered.
seen = {}
for name in logs:
    with open(name) as file:
        for line in file:
            event, body = line.split()
            connection, seq = event.split("/")
            seen.setdefault(connection, []).append((int(seq), int(body)))
equal(len(seen), CLIENTS)
for events in seen.values():
    numbers = [seq for seq, _ in events]
    equal(numbers, sorted(set(numbers)))
    bodies = [body for _, body in events]
    equal(bodies, sorted(bodies))
    equal(sorted(set(bodies)), list(range(MESSAGES)))
print("answers %d, errors told %d, requests got %d" % (CLIENTS * MESSAGES, errors, sum(map(len, seen.values()))))
server.kill()

=== TEST 2: PHP-FPM is killed and started again under load: no socket is lost, and what was not answered is told of
--- redis: none
--- timeout: 120
--- config
location / {
    ws_delivery http;
    ws_http_error message;
    include /etc/nginx/fastcgi_params;
    fastcgi_param SCRIPT_FILENAME $TEST_DIR/echo.php;
    fastcgi_pass unix:$TEST_DIR/fpm.sock;
}
--- client
from http_examples import *
import json

with open(f"{TEST_DIR}/echo.php", "w") as file:
    file.write("""<?php
    header('Content-Type: text/plain');
    if ($_SERVER['HTTP_CE_TYPE'] === 'websocket.message') {
        file_put_contents(__DIR__ . '/accepted', $_SERVER['HTTP_CE_ID'] . "\\n", FILE_APPEND | LOCK_EX);
        usleep(2000);
        echo file_get_contents('php://input');
    }
    """)
CLIENTS, MESSAGES = 30, 60
told = []

def talk(c):
    """Sends each message until it is answered."""
    sent = errors = 0
    for n in range(MESSAGES):
        while True:
            sent += 1
            c.send_text(f"message {n}")
            answer = c.recv_text()
            if answer == f"message {n}":
                break
            said = json.loads(answer)
            equal((said["event"], said["seq"]), ("error", sent))
            errors += 1
            time.sleep(0.05)
    told.append((sent, errors))

fpm = php_fpm().__enter__()
clients = [client("/") for _ in range(CLIENTS)]
for c in clients:
    equal(c.status, 101)
talks = [in_thread(talk, c) for c in clients]
for _ in range(3):
    time.sleep(0.3)
    os.killpg(fpm.process.pid, signal.SIGKILL)
    fpm.process.wait()
    time.sleep(0.2)
    fpm = php_fpm().__enter__()
try:
    for thread in talks:
        thread.join()
    equal(len(told), CLIENTS)
    check(sum(errors for _, errors in told) > 0, "the kills were felt")
    with open(f"{TEST_DIR}/accepted") as file:
        events = file.read().split()
    equal(len(events), len(set(events)), "no event came twice")
    for c in clients:
        c.send_close(1000)
        c.expect_close(1000)
        c.expect_eof()
finally:
    fpm.__exit__()
