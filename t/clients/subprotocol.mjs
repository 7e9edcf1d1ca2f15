// A token among the subprotocols, from npm ws and from a page in Chromium: node subprotocol.mjs HOST:PORT

import { chromium, WebSocket as Library } from "./ws.mjs";

const [address] = process.argv.slice(2);

// What becomes of a WebSocket with this offer: the subprotocol and an echo, or that it failed. Runs in Node and in a page.
function attempt(WebSocket, url, offer) {
  return new Promise((resolve) => {
    const ws = new WebSocket(url, offer);
    ws.onopen = () => ws.send("hello");
    ws.onmessage = ({ data }) => { ws.close(); resolve(`${ws.protocol}: ${data}`); };
    ws.onerror = () => resolve("failed");
  });
}

async function expect(who, run) {
  for (const [offer, wanted] of [
    [["chat", "bearer.abc.def"], "chat: hello"],
    [["bearer.abc.def", "chat"], "chat: hello"],
    [["bearer.abc.def"], "failed"], // it got none of what it has offered
    [["chat", "bearer.nobody"], "failed"],
  ]) {
    const got = await run(`ws://${address}/chat`, offer);
    if (got !== wanted) throw new Error(`${who}, ${offer}: ${got}, not ${wanted}`);
  }
}

await expect("npm ws", (url, offer) => attempt(Library, url, offer));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
try {
  const page = await browser.newPage();
  await page.goto(`http://${address}/page`);
  await expect("Chromium", (url, offer) => page.evaluate(`(${attempt})(WebSocket, ${JSON.stringify(url)}, ${JSON.stringify(offer)})`));
} finally {
  await browser.close();
}
