// What a client writes, and who it was: both come with each message, so the handler needs nothing of its own.

type Context = { user: { id: string; name: string } };
type Base = { connection: string; context: Context };

type Envelope =
  | (Base & { event: "open"; request: { uri: string; host: string; remote_addr: string; protocol?: string } })
  | (Base & { event: "message"; seq: number; type: "text" | "binary"; data: string })
  | (Base & { event: "message"; seq: number; type: "json"; data: unknown })
  | (Base & { event: "context" })
  | { event: "close"; connection: string; code: number; reason: string };

const notes: { by: string; note: unknown }[] = [];

const server = Bun.serve({
  hostname: "127.0.0.1", // only the gateway talks to us
  port: process.env.PORT ?? 3000,

  fetch(req, server) {
    return server.upgrade(req) ? undefined : new Response("WebSockets only", { status: 426 });
  },

  websocket: {
    message(ws, message) {
      const envelope: Envelope = JSON.parse(String(message));
      if (envelope.event !== "message" || envelope.type !== "json") return;

      notes.push({ by: envelope.context.user.name, note: envelope.data });
      ws.send(JSON.stringify(notes)); // reaches the client as it is
    },
  },
});

console.log(`listening on ${server.hostname}:${server.port}`);
