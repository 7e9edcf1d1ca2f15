// Chromium as a client: node chromium.mjs HOST:PORT SIZE ...

import { talk } from "./talk.mjs";
import { chromium } from "./ws.mjs";

const [address, ...sizes] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
try {
  const page = await browser.newPage();
  await page.goto(`http://${address}/page`);
  await page.evaluate(`(${talk})((url) => new WebSocket(url), "ws://${address}", ${JSON.stringify(sizes.map(Number))})`);
} finally {
  await browser.close();
}
