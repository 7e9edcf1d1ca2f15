// The live page of ws_status in a browser: what it shows follows what happens, and it needs nothing but its own location.
// The screenshot goes to build/browser/.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CHROMIUM, FLAGS } from "./chromium.mjs";
import { step, story } from "./tap.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(join(root, "build/examples/package.json"));
const { chromium } = require("playwright-core");
const { WebSocket, WebSocketServer } = require("ws");

const SCREENSHOTS = join(root, "build/browser");

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// Sends back what it gets; "close" closes with an application's code.
async function startBackend() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  server.on("connection", (socket) => socket.on("message", (data, binary) => {
    if (String(data) === "close") socket.close(4001);
    else socket.send(data, { binary });
  }));
  return { port: server.address().port, stop: () => server.close() };
}

async function startGateway(backend) {
  const dir = await mkdtemp(join(tmpdir(), "status."));
  const port = await freePort();
  await writeFile(join(dir, "nginx.conf"), `
    load_module ${process.env.GATEWAY_MODULE};
    ${process.getuid() === 0 ? "user root root;" : ""}
    daemon off; worker_processes 2; pid ${dir}/nginx.pid; error_log ${dir}/error.log info;
    events {}
    http {
      access_log off;
      ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${dir}/${name};`).join("\n")}
      server {
        listen 127.0.0.1:${port};
        add_header Content-Security-Policy "default-src 'self'";
        location /ws { ws_pass http://127.0.0.1:${backend}; }
        location /guests {
          ws_auth variable "{}"; ws_auth_token cookie:t; ws_auth_optional on; ws_pass http://127.0.0.1:${backend};
        }
        location /http { ws_delivery http; if ($ws_event = message) { return 500; } if ($ws_event) { return 204; } }
        location = /ws-status { ws_status; }
      }
    }`);
  const nginx = spawn(process.env.GATEWAY_NGINX ?? "/usr/sbin/nginx",
    ["-p", dir, "-e", `${dir}/error.log`, "-c", `${dir}/nginx.conf`], { stdio: "inherit" });
  const ended = once(nginx, "exit");
  process.once("exit", () => nginx.kill());
  for (let n = 0; n < 200; n += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/ws-status`).catch(() => null);
    if (answer?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { host: `127.0.0.1:${port}`, stop: async () => { nginx.kill("SIGTERM"); return (await ended)[0]; } };
}

async function connect(host, path = "/ws") {
  const socket = new WebSocket(`ws://${host}${path}`);
  await once(socket, "open");
  return socket;
}

await story(async (afterwards) => {
  await mkdir(SCREENSHOTS, { recursive: true });
  const backend = await startBackend();
  afterwards(backend.stop);
  const gateway = await startGateway(backend.port);
  afterwards(gateway.stop);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  afterwards(() => browser.close());

  const page = await browser.newPage({ viewport: { width: 1100, height: 720 } });
  const complaints = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const asked = new Set();
  page.on("request", (request) => { if (!request.url().startsWith("data:")) asked.add(new URL(request.url()).pathname); });
  const value = (plot, name) => page.locator(`[data-plot="${plot}"] [data-value="${name}"]`);
  const shows = (locator, text) => locator.and(page.getByText(text, { exact: true })).waitFor();

  await step("the page is live", async () => {
    await page.goto(`http://${gateway.host}/ws-status`);
    await page.locator('#state[data-state="live"]').waitFor();
    await shows(value("open", "open"), "0");
    assert.equal(await page.locator("#workers").textContent(), "2 workers");
    assert.equal(await page.locator("#host").textContent(), gateway.host);
  });

  const sockets = [];
  await step("connections that open are shown", async () => {
    for (let n = 0; n < 3; n += 1) sockets.push(await connect(gateway.host));
    await shows(value("open", "open"), "3");
  });

  await step("plots move with the messages", async () => {
    const line = page.locator('[data-plot="messages"] path').first();
    const timer = setInterval(() => sockets.forEach((socket) => socket.send("hello")), 20);
    for (const name of ["in", "out"]) {
      await page.waitForFunction((name) => document.querySelector(`[data-plot="messages"] [data-value="${name}"]`)
        .textContent !== "0", name);
    }
    const before = await line.getAttribute("d");
    await page.waitForFunction((before) => document.querySelector('[data-plot="messages"] path').getAttribute("d") !== before,
      before);
    assert.match(await line.getAttribute("d"), /^M[\d.,L]+$/);
    // Something to look at in the screenshot.
    for (let n = 0; n < 12; n += 1) {
      sockets.push(await connect(gateway.host));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await page.screenshot({ path: join(SCREENSHOTS, "status.png") });
    clearInterval(timer);
  });

  await step("closes are shown by code and by who closed", async () => {
    sockets[0].send("close");
    sockets[1].close(1000);
    await page.locator('#closes [data-row="4xxx of the application, by backend"]').waitFor();
    await page.locator('#closes [data-row="1000 normal, by client"]').waitFor();
    await shows(value("open", "open"), String(sockets.length - 2));
  });

  await step("guests are let in, not refused", async () => {
    const timer = setInterval(async () => sockets.push(await connect(gateway.host, "/guests")), 100);
    // Both are drawn in one go.
    const refused = await page.waitForFunction(() => {
      const [letIn, refused] = ["let in", "refused"].map((name) => document.querySelector(
        `[data-plot="requests"] [data-value="${name}"]`).textContent);
      return letIn !== "0" && refused;
    });
    clearInterval(timer);
    assert.equal(await refused.jsonValue(), "0");
  });

  await step("requests of http delivery are shown by what became of them", async () => {
    const socket = await connect(gateway.host, "/http");
    socket.send("x");
    const row = (name) => page.locator(`#requests [data-row="${name}"] td`).first();
    await shows(row("refused"), "1");
    await shows(row("answered"), "1");
    socket.terminate();
    await shows(row("answered"), "2");
    await shows(row("in flight"), "0");
  });

  await step("it asks nobody but its own location, and complains of nothing", async () => {
    assert.deepEqual([...asked], ["/ws-status"]);
    assert.deepEqual(complaints, []);
  });

  await step("it says when the gateway is gone", async () => {
    sockets.forEach((socket) => socket.terminate());
    assert.equal(await gateway.stop(), 0);
    await page.locator('#state[data-state="lost"]').waitFor();
  });
});
