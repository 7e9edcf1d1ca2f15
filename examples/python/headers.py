#!/usr/bin/python3
"""Answers each message with the name of its sender, which came with the upgrade request, checked by the gateway."""

import asyncio
import json
import os

import websockets


async def greet(ws):
    user = json.loads(ws.request_headers["X-WS-Context"])
    async for message in ws:
        await ws.send(f"{user['name']} ({user['id']}): {message}")


async def main():
    port = int(os.environ.get("PORT", "3000"))
    async with websockets.serve(greet, "127.0.0.1", port) as server:  # only the gateway talks to us
        print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


asyncio.run(main())
