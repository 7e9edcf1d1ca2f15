// What a refused client sees of `ws_auth_reject close`, in npm ws and in a page in Chromium: node refused.mjs HOST:PORT

import { chromium, WebSocket as Library } from "./ws.mjs";

const [address] = process.argv.slice(2);

// The code and the reason of the close that follows. Runs in Node and in a page.
function attempt(WebSocket, url, offer) {
  return new Promise((resolve) => {
    const ws = new WebSocket(url, offer);
    ws.onerror = () => {};
    ws.onclose = ({ code, reason, wasClean }) => resolve(`${code} ${reason} ${wasClean ? "clean" : "broken"}`);
  });
}

async function expect(who, run) {
  for (const [path, offer, wanted] of [
    ["unauthorized", [], "4401 unauthorized clean"],
    ["unauthorized", ["chat.v2", "chat.v1"], "4401 unauthorized clean"],
    ["unavailable", [], "1013 try again later clean"],
    ["http", [], "1006  broken"],
  ]) {
    const got = await run(`ws://${address}/${path}`, offer);
    if (got !== wanted) throw new Error(`${who}, ${path} ${offer}: ${got}, not ${wanted}`);
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
