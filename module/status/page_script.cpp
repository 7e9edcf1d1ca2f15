#include "status/page.h"

namespace ws::status {

const std::string_view page_script = R"js("use strict";

const INTERVAL = 1000;  // milliseconds between two readings
const KEPT = 120;       // readings in a plot

const MEANINGS = {
  1000: "normal", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1005: "no code",
  1006: "no close frame", 1007: "invalid payload", 1008: "policy violation", 1009: "too big",
  1011: "internal error", 1012: "restart", 1013: "try again later", 1014: "backend gone",
  4401: "session ended", 4409: "session changed", "3xxx": "of a library", "4xxx": "of the application",
};

const PLOTS = {
  open: { series: [["open", (now) => now.connections.open]], rate: false },
  messages: { series: [["in", (now) => now.messages.in], ["out", (now) => now.messages.out]], rate: true },
  bytes: { series: [["in", (now) => now.bytes.in], ["out", (now) => now.bytes.out]], rate: true },
  requests: {
    series: [["let in", (now) => letIn(now.auth.results)],
      ["refused", (now) => sum(Object.values(now.auth.results)) - letIn(now.auth.results)]],
    rate: true,
  },
};

// With a session, and without one where the location allows that.
const letIn = ({ allowed, anonymous, unchecked }) => allowed + anonymous + unchecked;
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

// Three digits and a prefix: 12, 1.2k, 34M.
function short(number) {
  const prefixes = ["", "k", "M", "G", "T"];
  let step = 0;
  while (number >= 1000 && step + 1 < prefixes.length) { number /= 1000; step += 1; }
  return (number < 10 && number % 1 ? number.toFixed(1) : Math.round(number)) + prefixes[step];
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

class Plot {
  constructor(section, { series, rate }) {
    this.series = series;
    this.rate = rate;
    this.points = series.map(() => []);
    this.values = series.map(([name]) => {
      const value = element("b", { "data-value": name }, "0");
      return { value, shown: element("span", {}, value, element("small", {}, ` ${name}${rate ? "/s" : ""}`)) };
    });
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.setAttribute("viewBox", `0 0 ${KEPT - 1} 100`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("aria-label", `${section.querySelector("h2").textContent}, the last two minutes`);
    this.paths = series.map(() => this.svg.appendChild(document.createElementNS(this.svg.namespaceURI, "path")));
    this.most = element("span", { class: "most" });
    section.append(element("div", { class: "now" }, ...this.values.map(({ shown }) => shown)), this.svg, this.most);
  }

  add(now, before) {
    const seconds = before ? (now.time_ms - before.time_ms) / 1000 : 0;
    if (this.rate && seconds <= 0) return;
    this.series.forEach(([, read], i) => {
      // A counter that has gone down began anew.
      const number = this.rate ? Math.max(read(now) - read(before), 0) / seconds : read(now);
      this.points[i].push(number);
      if (this.points[i].length > KEPT) this.points[i].shift();
      this.values[i].value.textContent = short(number);
    });
    this.draw();
  }

  draw() {
    const most = Math.max(1, ...this.points.flat());
    this.points.forEach((points, i) => {
      const line = points.map((y, x) => `${KEPT - points.length + x},${(98 - 94 * y / most).toFixed(2)}`);
      this.paths[i].setAttribute("d", line.length > 1 ? `M${line.join("L")}` : "");
    });
    this.most.textContent = `most ${short(most)}${this.rate ? "/s" : ""}`;
  }
}

// Rows of [name, count] with a bar each.
function fill(id, rows) {
  const most = Math.max(1, ...rows.map(([, count]) => count));
  document.getElementById(id).replaceChildren(...rows.map(([name, count]) => element("tr", { "data-row": name },
    element("th", { scope: "row" }, name), element("td", {}, String(count)),
    element("td", {}, element("meter", { max: most, value: count, "aria-hidden": "true" })))));
}

function time(us) { return us >= 1000 ? `${us / 1000} ms` : `${us} µs`; }

function showRedis(servers) {
  const head = ["server", "state", "lookups", "cached", "reads", "outages", "connects"];
  const rows = servers.map((server) => element("tr", { "data-server": server.server },
    element("th", { scope: "row" }, server.server),
    element("td", { class: server.workers_down ? "down" : "up" }, server.workers_down ? "down" : "up"),
    ...head.slice(2).map((name) => element("td", {}, short(server[name])))));
  document.getElementById("redis").replaceChildren(
    element("thead", {}, element("tr", {}, ...head.map((name, i) => element(i ? "td" : "th", {}, name)))),
    element("tbody", {}, ...rows));
}

function showTables(now) {
  fill("closes", now.closes.map(({ code, by, count }) => [`${code} ${MEANINGS[code] ?? ""}, by ${by}`, count]));
  fill("results", Object.entries(now.auth.results));
  const buckets = now.auth.duration.buckets;
  fill("duration", buckets.map((bucket, i) => [
    bucket.up_to_us ? `up to ${time(bucket.up_to_us)}` : `over ${time(buckets[i - 1].up_to_us)}`, bucket.count]));
  const requests = Object.values(now.http.requests);
  fill("requests", [...["answered", "refused", "failed", "cancelled"].map(
    (result) => [result, sum(requests.map((counts) => counts[result]))]), ["in flight", now.http.in_flight]]);
  fill("sessions", [
    ["ended: connections closed", now.revocations], ["changed: new contexts", now.context_changes],
    ["pings to quiet clients", now.pings], ["pings without an answer", now.pongs_missed],
    ["commands dropped", now.commands_dropped], ["connections lost with a worker", now.connections.lost],
  ]);
  showRedis(now.redis);
  const { running, lost } = now.workers;
  const workers = `${running} worker${running === 1 ? "" : "s"}`;
  document.getElementById("workers").textContent = lost ? `${workers}, ${lost} lost` : workers;
}

function showState(state) {
  const output = document.getElementById("state");
  output.dataset.state = state;
  output.textContent = state;
}

const plots = [...document.querySelectorAll("[data-plot]")]
  .map((section) => new Plot(section, PLOTS[section.dataset.plot]));
document.getElementById("host").textContent = location.host;
let before = null;

async function read() {
  try {
    const answer = await fetch("?format=json", { cache: "no-store" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const now = await answer.json();
    for (const plot of plots) plot.add(now, before);
    showTables(now);
    before = now;
    showState("live");
  } catch {
    showState("lost");
  }
  setTimeout(read, INTERVAL);
}

read();
)js";

}  // namespace ws::status
