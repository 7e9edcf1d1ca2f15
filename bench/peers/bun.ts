// Bun without a gateway: asks Redis for the session and serves the WebSocket, or, for auth_request, only answers who may in.
import { RedisClient } from "bun";

const redis = new RedisClient(`redis://127.0.0.1:${process.env.REDIS_PORT}`);

Bun.serve({
  hostname: "127.0.0.1",
  port: process.env.PORT,

  async fetch(request, server) {
    const token = /(?:^|; *)X-Token=([^;]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
    const session = token && (await redis.get(`session:${token}`));
    if (!session) return new Response(null, { status: 401 });
    if (request.headers.has("upgrade") && server.upgrade(request, { data: JSON.parse(session) })) return undefined;
    return new Response(null, { status: 204, headers: { "X-WS-Context": session } });
  },

  websocket: {
    message(ws, message) {
      ws.send(message);
    },
  },
});
