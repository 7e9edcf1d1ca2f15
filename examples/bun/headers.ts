// Contextual data of a WebSocket, without parsing cookies or looking users up: the gateway has done both, and sends what
// it found in a header of the upgrade request.

type WebSocketData = {
  createdAt: number;
  token: string;
  userId: string;
};

type SavedMessage = {
  message: string;
  userId: string;
};

// stands for a database; GET /messages shows what is in it
const messages: SavedMessage[] = [];

async function saveMessageToDatabase(message: SavedMessage) {
  messages.push(message);
}

const server = Bun.serve({
  hostname: "127.0.0.1", // only the gateway talks to us
  port: process.env.PORT ?? 3000,

  fetch(req, server) {
    const context = req.headers.get("x-ws-context");
    if (context && server.upgrade(req, { data: JSON.parse(context) })) return undefined;

    if (new URL(req.url).pathname === "/messages") return Response.json(messages);
    return new Response("Not found", { status: 404 });
  },

  websocket: {
    // TypeScript: specify the type of `data`
    data: {} as WebSocketData,

    async message(ws, message) {
      // save the message to a database
      await saveMessageToDatabase({
        message: String(message),
        userId: ws.data.userId,
      });
      ws.send(`saved for user ${ws.data.userId}`);
    },
  },
});

console.log(`listening on ${server.hostname}:${server.port}`);
