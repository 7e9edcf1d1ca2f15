// The demo's backend: it logs people in (a session in Redis, a cookie for the browser), serves the page, and relays chat.
//
// Login is the only place that touches Redis. The two chat endpoints hold no session code: who a message is from is what
// the gateway says, in a header of the upgrade request or in the envelope around each message.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createClient } from "redis";
import { WebSocketServer } from "ws";

const SESSION_SECONDS = 3600;
const TOKEN = /^[A-Za-z0-9_-]{32}$/;

const redis = createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" });
redis.on("error", (error) => console.error(`redis: ${error.message}`));

// --- login ---------------------------------------------------------------------------------------------------------

function cookie(token, seconds) {
  return `X-Token=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax`;
}

async function login(req, res) {
  const name = new URLSearchParams(await body(req)).get("name")?.trim() ?? "";
  if (name === "" || name.length > 32) return answer(res, 400, { error: "a name of 1 to 32 characters, please" });

  const token = randomBytes(24).toString("base64url");
  const session = {
    user: { id: randomBytes(4).toString("hex"), name },
    role: "guest",
    csrf: randomBytes(16).toString("hex"), // a secret of the session: no chat backend needs to see it
  };
  await redis.set(`session:${token}`, JSON.stringify(session), { EX: SESSION_SECONDS });
  res.setHeader("Set-Cookie", cookie(token, SESSION_SECONDS));
  answer(res, 200, { user: session.user });
}

async function logout(req, res) {
  const token = /(?:^|;\s*)X-Token=([^;]*)/.exec(req.headers.cookie ?? "")?.[1];
  if (token && TOKEN.test(token)) await redis.del(`session:${token}`);
  res.setHeader("Set-Cookie", cookie("", 0));
  answer(res, 204);
}

// Behind `ws_auth redis; ws_auth_plain on;` so that the gateway has looked at the session before we are asked.
function whoAmI(req, res) {
  answer(res, 200, JSON.parse(req.headers["x-ws-context"]));
}

// --- chat ----------------------------------------------------------------------------------------------------------

// One room per delivery: whoever is connected hears what is said.
function createRoom(onConnection) {
  const room = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
  room.say = (context, text) => {
    const message = JSON.stringify({ who: context.user.name, text, context });
    for (const client of room.clients) client.send(message);
  };
  room.on("connection", (ws, req) => {
    ws.on("error", (error) => console.error(`chat: ${error.message}`));
    onConnection(room, ws, req);
  });
  return room;
}

// Headers delivery: the context came with the upgrade request, once.
function headersConnection(room, ws, req) {
  const context = JSON.parse(req.headers["x-ws-context"]);
  ws.on("message", (data) => room.say(context, String(data)));
}

// Envelope delivery: the context comes with every message. What we send is what the client gets.
function envelopeConnection(room, ws) {
  ws.on("message", (data) => {
    const envelope = JSON.parse(String(data));
    if (envelope.event === "message" && envelope.type === "text") room.say(envelope.context, envelope.data);
  });
}

const rooms = {
  "/chat/headers": createRoom(headersConnection),
  "/chat/envelope": createRoom(envelopeConnection),
};

// --- http ----------------------------------------------------------------------------------------------------------

function answer(res, status, value) {
  res.statusCode = status;
  if (value === undefined) return res.end();
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify(value));
}

async function page(req, res) {
  res.setHeader("Content-Type", "text/html; charset=utf-8");
  res.end(await readFile(new URL("index.html", import.meta.url)));
}

async function body(req) {
  let text = "";
  for await (const chunk of req.setEncoding("utf8")) {
    text += chunk;
    if (text.length > 1024) throw new Error("request body too large");
  }
  return text;
}

const routes = {
  "GET /": page,
  "GET /me": whoAmI,
  "POST /login": login,
  "POST /logout": logout,
};

const server = createServer(async (req, res) => {
  const route = routes[`${req.method} ${req.url.split("?")[0]}`];
  if (route === undefined) return answer(res, 404, { error: "not found" });
  try {
    await route(req, res);
  } catch (error) {
    console.error(`${req.method} ${req.url}: ${error.message}`);
    answer(res, 500, { error: "something went wrong" });
  }
});

server.on("upgrade", (req, socket, head) => {
  const room = rooms[req.url.split("?")[0]];
  const fromGateway = "x-ws-connection-id" in req.headers;
  if (room === undefined || !fromGateway) return socket.destroy();
  room.handleUpgrade(req, socket, head, (ws) => room.emit("connection", ws, req));
});

await redis.connect();
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
