#!/usr/bin/python3
"""Counts what each connection adds up to, and keeps the sum in the connection's context instead of in this process.

Every message comes with the context in an envelope; every reply is a command to the gateway.
"""

import asyncio
import json
import os

import websockets


async def add_up(ws):
    async def command(event, **fields):
        await ws.send(json.dumps({"event": event, **fields}))

    async for message in ws:
        match json.loads(message):
            case {"event": "message", "context": context, "data": {"add": number}}:
                total = context.get("total", 0) + number
                await command("context", context={"total": total})  # a merge patch: the next envelope carries it
                await command("message", type="json", data={"name": context["name"], "total": total})
            case {"event": "message", "context": context}:
                await command("close", code=4000, reason=f"goodbye, {context['name']}")


async def main():
    port = int(os.environ.get("PORT", "3000"))
    async with websockets.serve(add_up, "127.0.0.1", port) as server:  # only the gateway talks to us
        print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


asyncio.run(main())
