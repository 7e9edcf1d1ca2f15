// Bun without WebSockets: each event on a connection is a request, and the answer to the client is its reply.

type Context = { user: { id: string; name: string } };

const server = Bun.serve({
  hostname: "127.0.0.1", // only the gateway talks to us
  port: process.env.PORT ?? 3000,

  async fetch(req) {
    const { user }: Context = JSON.parse(req.headers.get("x-ws-context") ?? "{}");

    switch (req.headers.get("ce-type")) {
      case "websocket.open":
        return new Response(`welcome, ${user.name}`, { headers: { "Content-Type": "text/plain; charset=utf-8" } });
      case "websocket.message":
        // The same type as it came with: text stays text, and bytes stay bytes.
        return new Response(await req.arrayBuffer(), { headers: { "Content-Type": req.headers.get("content-type")! } });
      case "websocket.close":
        console.log(`${user.name} left: ${(await req.json()).code}`);
        return new Response(null, { status: 204 });
      default:
        return new Response("events only", { status: 404 });
    }
  },
});

console.log(`listening on ${server.hostname}:${server.port}`);
