// Express with its sessions in Redis, as express-session and connect-redis write them. The gateway reads the same sessions, so
// the WebSocket side needs no session code: it believes X-WS-Context.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import { createClient } from "redis";
import { WebSocketServer } from "ws";

const port = Number(process.env.PORT ?? 3000);
const client = await createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" }).connect();

// The file that the gateway has, too: one secret a line, the newest first.
const secret = readFileSync(process.env.SECRETS ?? "/etc/nginx/session-secrets", "utf8").split("\n").filter(Boolean);

const app = express();
app.use(session({
  store: new RedisStore({ client }),
  secret,
  resave: false,
  saveUninitialized: false,
  rolling: true,
  cookie: { httpOnly: true, sameSite: "lax", maxAge: 30 * 60 * 1000 },
}));

app.post("/login/:name", (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.user = { id: "42", name: req.params.name };
    req.session.csrf = "nobody else's business";
    res.send("welcome");
  });
});
app.get("/", (req, res) => res.send(`hello ${req.session.user?.name ?? "stranger"}`)); // rolling: sets a new time to live
app.post("/logout", (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.send("bye")));
});

const server = createServer(app);
new WebSocketServer({ server, path: "/chat" }).on("connection", (ws, req) => {
  const { user } = JSON.parse(req.headers["x-ws-context"]);
  ws.on("error", console.error);
  ws.on("message", (data) => ws.send(`${user.name} (${user.id}): ${data}`));
});

server.listen(port, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
