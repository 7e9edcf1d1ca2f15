// A chat room. Each client's context came with its upgrade request, checked by the gateway.

import { WebSocketServer } from "ws";

const port = Number(process.env.PORT ?? 3000);
const server = new WebSocketServer({ host: "127.0.0.1", port }); // only the gateway talks to us

server.on("connection", (ws, req) => {
  const { user } = JSON.parse(req.headers["x-ws-context"]);

  ws.on("error", console.error);
  ws.on("message", (data) => {
    for (const client of server.clients) client.send(`${user.name}: ${data}`);
  });
});

server.on("listening", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
