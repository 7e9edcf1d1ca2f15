// A counter for each client, in Express. The state is the connection's context: the gateway keeps it, and brings it with the next
// event. Every event is a CloudEvent, which the SDK reads.

import express from "express";
import { HTTP } from "cloudevents";

const app = express();
app.use(express.raw({ type: () => true, limit: "1mb" }));

app.post("/chat", (request, response) => {
  const type = request.get("Content-Type") ?? "";
  const body = type.startsWith("application/octet-stream") ? request.body : request.body.toString();
  const event = HTTP.toEvent({ headers: request.headers, body });
  const { user, count = 0 } = JSON.parse(request.get("X-WS-Context"));
  const { data } = event; // text, the value of JSON, or bytes

  if (event.type === "websocket.open") {
    if (user.banned) return response.sendStatus(403);
    return response.json({ hello: user.name });
  }
  if (event.type === "websocket.close") {
    console.log(`${user.name} left after ${data.duration_ms} ms: ${data.code}`);
    return response.sendStatus(204);
  }
  if (data === "bye") response.set("X-WS-Close", "4000 bye yourself");
  response.set("X-WS-Context-Update", JSON.stringify({ count: count + 1 }));
  response.json({ id: event.id.split("/")[1], count: count + 1, data: Buffer.isBuffer(data) ? data.length : data });
});

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
