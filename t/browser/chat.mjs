// Two people, each in a browser context of their own, log in to the demo, chat in both deliveries, and log out.
// Screenshots go to build/browser/.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CHROMIUM, FLAGS } from "./chromium.mjs";
import { startDemo } from "./demo.mjs";
import { step, story } from "./tap.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(join(root, "build/examples/package.json"));
const { chromium } = require("playwright-core");
const { WebSocket } = require("ws");

const SCREENSHOTS = join(root, "build/browser");
const DELIVERIES = ["headers", "envelope"];

// One person's page, by what can be seen and done on it.
class Person {
  constructor(page) { this.page = page; }

  static async arrive(context, url) {
    const page = await context.newPage();
    await page.goto(url);
    return new Person(page);
  }

  pane(delivery) { return this.page.locator(`section[data-path="/chat/${delivery}"]`); }

  async login(name) {
    const answered = this.page.waitForResponse("**/login");
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByRole("button", { name: "Log in" }).click();
    this.user = (await (await answered).json()).user;
  }

  async logout() { await this.page.getByRole("button", { name: "Log out" }).click(); }

  // Waits until the connection's state, shown in the pane, is this.
  async reaches(delivery, state) { await this.pane(delivery).locator(`[data-state="${state}"]`).waitFor(); }

  async state(delivery) { return this.pane(delivery).locator("output").textContent(); }

  async say(delivery, text) {
    await this.pane(delivery).getByLabel("Message").fill(text);
    await this.pane(delivery).getByRole("button", { name: "Send" }).click();
  }

  // Waits for a message with this text, and answers what the page shows of it.
  async hears(delivery, text) {
    const item = this.pane(delivery).locator("li", { has: this.page.getByText(text, { exact: true }) });
    return {
      who: await item.locator(".who").textContent(),
      context: JSON.parse(await item.locator("pre").textContent()),
    };
  }

  async connectAgain(delivery) { await this.pane(delivery).getByRole("button", { name: "Connect again" }).click(); }

  async screenshot(name) { await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) }); }
}

// The status of an upgrade's refusal, which a browser hides from its scripts.
function upgradeStatus(url, headers) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, { headers });
    ws.on("unexpected-response", (request, response) => { resolve(response.statusCode); request.destroy(); });
    ws.on("open", () => { resolve(101); ws.terminate(); });
    ws.on("error", reject);
  });
}

// A page of another origin; the cookie belongs to the host, whatever the port, so the browser sends it along.
async function startForeignSite() {
  const server = createServer((req, res) => res.end("<!doctype html><title>Somebody else's</title>"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

await story(async (afterwards) => {
  await mkdir(SCREENSHOTS, { recursive: true });
  const demo = await startDemo();
  afterwards(demo.stop);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS }); // its profile is new each time
  afterwards(() => browser.close());

  const wide = { viewport: { width: 1280, height: 860 } };
  const [adasBrowser, zoesBrowser] = [await browser.newContext(wide), await browser.newContext(wide)];
  const ada = await Person.arrive(adasBrowser, demo.url);
  const zoe = await Person.arrive(zoesBrowser, demo.url);
  const contextOf = (person) => ({ user: person.user, role: "guest" });

  await step("before login there is no connection", async () => {
    for (const delivery of DELIVERIES) assert.equal(await ada.state(delivery), "not connected");
    await ada.screenshot("1-arrived");
  });

  await step("after login both deliveries connect", async () => {
    await ada.login("Ada");
    await zoe.login("Zoë ☂ <b>");
    for (const person of [ada, zoe]) {
      for (const delivery of DELIVERIES) await person.reaches(delivery, "open");
    }
  });

  for (const delivery of DELIVERIES) {
    await step(`${delivery}: each hears the other, with the context of the speaker's session`, async () => {
      await ada.say(delivery, "Hello, who is there?");
      for (const listener of [ada, zoe]) {
        assert.deepEqual(await listener.hears(delivery, "Hello, who is there?"), { who: "Ada", context: contextOf(ada) });
      }
      await zoe.say(delivery, "Me! <script>alert(1)</script> ☂");
      for (const listener of [ada, zoe]) {
        assert.deepEqual(await listener.hears(delivery, "Me! <script>alert(1)</script> ☂"),
          { who: "Zoë ☂ <b>", context: contextOf(zoe) });
      }
    });
  }

  await step("the session's secret is nowhere on the page", async () => {
    assert.doesNotMatch(await ada.page.content(), /"csrf"/);
    await ada.screenshot("2-chat");
  });

  await step("a reload of the page finds the session again", async () => {
    await zoe.page.reload();
    for (const delivery of DELIVERIES) await zoe.reaches(delivery, "open");
    assert.equal(await zoe.page.locator("#me").textContent(), "Zoë ☂ <b>");
  });

  await step("a page of another origin can't connect with the visitor's cookie", async () => {
    const foreign = await startForeignSite();
    afterwards(foreign.stop);
    const target = new URL("/chat/headers", demo.url.replace("http", "ws")).href;
    const visit = await zoesBrowser.newPage();
    await visit.goto(foreign.url);
    const outcome = await visit.evaluate((url) => new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.onopen = () => resolve("open");
      socket.onclose = (event) => resolve(event.code);
    }), target);
    assert.equal(outcome, 1006);

    const cookies = (await zoesBrowser.cookies(demo.url)).map(({ name, value }) => `${name}=${value}`).join("; ");
    assert.equal(await upgradeStatus(target, { cookie: cookies, origin: new URL(demo.url).origin }), 101);
    assert.equal(await upgradeStatus(target, { cookie: cookies, origin: new URL(foreign.url).origin }), 403);
  });

  await step("after logout the gateway closes both connections, and without a session there is no way back", async () => {
    const cookies = (await adasBrowser.cookies(demo.url)).map(({ name, value }) => `${name}=${value}`).join("; ");
    await ada.logout();
    for (const delivery of DELIVERIES) {
      await ada.reaches(delivery, "closed");
      assert.equal(await ada.state(delivery), "closed, code 4401: session ended");
    }
    await ada.screenshot("3-logged-out");
    for (const delivery of DELIVERIES) {
      await ada.connectAgain(delivery);
      await ada.reaches(delivery, "refused");
      assert.equal(await ada.state(delivery), "refused: 401, no session");
      const target = new URL(`/chat/${delivery}`, demo.url.replace("http", "ws")).href;
      assert.equal(await upgradeStatus(target, {}), 401, "no cookie");
      assert.equal(await upgradeStatus(target, { cookie: cookies }), 401, "the cookie of the deleted session");
    }
    await ada.screenshot("4-refused");
  });

  await step("the other one chats on", async () => {
    for (const delivery of DELIVERIES) {
      await zoe.say(delivery, "Bye, Ada");
      assert.deepEqual(await zoe.hears(delivery, "Bye, Ada"), { who: "Zoë ☂ <b>", context: contextOf(zoe) });
    }
  });

  await step("the demo stops cleanly when told to", async () => {
    assert.equal(await demo.stop(), 0);
    for (const delivery of DELIVERIES) await zoe.reaches(delivery, "closed");
    await zoe.screenshot("5-stopped");
  });
});
