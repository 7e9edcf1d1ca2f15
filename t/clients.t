# Real clients and a real service, in both deliveries, compressed and not: messages from nothing to 8 MiB.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: npm ws
--- redis: none
--- timeout: 120
--- config
ws_max_message_size 16m;
location /headers { ws_pass http://unix:$TEST_DIR/echo.sock:; }
location /envelope { ws_delivery envelope; ws_pass http://unix:$TEST_DIR/echo.sock:; }
location /envelope/deflate { ws_compression on; ws_delivery envelope; ws_pass http://unix:$TEST_DIR/echo.sock:; }
--- client
import clients
with clients.echo():
    clients.converse("node.mjs", f"ws://127.0.0.1:{PORT}")

=== TEST 2: Chromium
--- redis: none
--- timeout: 120
--- config
ws_max_message_size 16m;
location /page { default_type text/html; return 200 "<!doctype html><title>client</title>"; }
location /headers { ws_pass http://unix:$TEST_DIR/echo.sock:; }
location /envelope { ws_delivery envelope; ws_pass http://unix:$TEST_DIR/echo.sock:; }
location /envelope/deflate { ws_compression on; ws_delivery envelope; ws_pass http://unix:$TEST_DIR/echo.sock:; }
--- client
import clients
with clients.echo():
    clients.converse("chromium.mjs", f"127.0.0.1:{PORT}")

=== TEST 3: Python websockets
--- redis: none
--- timeout: 120
--- config
ws_max_message_size 16m;
location /headers { ws_pass http://unix:$TEST_DIR/echo.sock:; }
location /envelope { ws_delivery envelope; ws_pass http://unix:$TEST_DIR/echo.sock:; }
location /envelope/deflate { ws_compression on; ws_delivery envelope; ws_pass http://unix:$TEST_DIR/echo.sock:; }
--- client
import asyncio
import random
import websockets
import clients

async def talk(path):
    async with websockets.connect(f"ws://127.0.0.1:{PORT}/{path}", max_size=None) as ws:
        equal([type(e).__name__ for e in ws.extensions], ["PerMessageDeflate"] if path.endswith("deflate") else [])
        for size in clients.SIZES:
            noise = random.Random(size).randbytes(size)
            for message in b"a" * size, noise, "a" * size, noise.translate(bytes(range(128)) * 2).decode():
                await ws.send(message)
                check(await asyncio.wait_for(ws.recv(), TIMEOUT) == message, f"{path}: {size} bytes of {type(message)}")
        await ws.close(4000, "bye")
        equal(ws.close_code, 4000)

with clients.echo():
    for path in clients.PATHS:
        asyncio.run(talk(path))
