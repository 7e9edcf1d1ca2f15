// npm's ws as a client: node node.mjs ws://HOST:PORT SIZE ...

import { webcrypto } from "node:crypto";
import { talk } from "./talk.mjs";
import { WebSocket } from "./ws.mjs";

globalThis.crypto ??= webcrypto;
const [base, ...sizes] = process.argv.slice(2);
await talk((url) => new WebSocket(url, { perMessageDeflate: { threshold: 0 }, maxPayload: 64 << 20 }), base, sizes.map(Number));
