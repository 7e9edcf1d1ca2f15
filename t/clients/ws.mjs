// npm's packages, as `make deps` has put them under build/.

import { createRequire } from "node:module";

const require = createRequire(new URL("../../build/examples/package.json", import.meta.url));
export const { WebSocket, WebSocketServer } = require("ws");
export const { chromium } = require("playwright-core");
