// A chat room that keeps nothing about its clients: who said it comes with every message. What is sent back goes to the
// client as it is.

import { WebSocketServer } from "ws";

const port = Number(process.env.PORT ?? 3000);
const server = new WebSocketServer({ host: "127.0.0.1", port }); // only the gateway talks to us

function sayToAll(text) {
  for (const client of server.clients) client.send(text);
}

server.on("connection", (ws) => {
  ws.on("error", console.error);
  ws.on("message", (data) => {
    const { event, context, type, data: said } = JSON.parse(data);

    if (event === "open") sayToAll(`${context.user.name} came`);
    if (event === "message" && type === "text") sayToAll(`${context.user.name}: ${said}`);
    if (event === "message" && type === "binary") sayToAll(`${context.user.name}: ${Buffer.from(said, "base64").length} bytes`);
  });
});

server.on("listening", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
