// The demo as a test sees it: scripts/run as a child, and its URL.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const run = fileURLToPath(new URL("../../scripts/run", import.meta.url));

export async function startDemo() {
  const child = spawn(run, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  process.once("exit", () => child.kill());
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)?.[0];
    if (url) return { url, stop: () => stop(child, ended) };
  }
  throw new Error("scripts/run ended before it printed a URL");
}

// Answers the exit status.
async function stop(child, ended) {
  child.stdout.resume();
  child.kill("SIGTERM");
  const [status] = await ended;
  return status;
}
