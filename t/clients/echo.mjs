// An echo service on a unix socket, for t/clients.t. The path says what the client's end of it is: /envelope/... gets
// envelopes; .../deflate agrees on permessage-deflate with whoever offers it.
//
//     node echo.mjs SOCKET

import { createServer } from "node:http";
import { WebSocketServer } from "./ws.mjs";

const [socket] = process.argv.slice(2);
const server = createServer((request, response) => response.writeHead(426).end());
const services = [true, false].map((deflate) => [deflate, new WebSocketServer({
  noServer: true, maxPayload: 64 << 20, maxFragments: 1 << 20, perMessageDeflate: deflate && { threshold: 0 },
})]);

for (const [, service] of services) {
  service.on("connection", (ws, request) => {
    ws.on("error", () => {});  // who breaks the protocol is told so by ws
    ws.on("message", (data, binary) => {
      if (!request.url.startsWith("/envelope/")) return ws.send(data, { binary });
      const event = JSON.parse(data);
      if (event.event === "message") ws.send(event.type === "binary" ? Buffer.from(event.data, "base64") : event.data);
    });
  });
}
server.on("upgrade", (request, stream, head) => {
  const [, service] = services.find(([deflate]) => deflate === request.url.endsWith("/deflate"));
  service.handleUpgrade(request, stream, head, (ws) => service.emit("connection", ws, request));
});
server.listen(socket);
