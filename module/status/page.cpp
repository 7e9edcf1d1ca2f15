#include "status/page.h"

namespace ws::status {

const std::string_view page = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>WebSockets</title>
<link rel="icon" href="?format=icon">
<link rel="stylesheet" href="?format=css">
<script src="?format=js" defer></script>
</head>
<body>
<header>
  <h1>WebSockets <span id="host"></span></h1>
  <p><span id="workers"></span> <output id="state" data-state="waiting">waiting</output></p>
</header>
<main>
  <section class="plot" data-plot="open"><h2>Connected</h2></section>
  <section class="plot" data-plot="messages"><h2>Messages</h2></section>
  <section class="plot" data-plot="bytes"><h2>Bytes</h2></section>
  <section class="plot" data-plot="requests"><h2>Checked by ws_auth</h2></section>
  <section><h2>Closed</h2><table id="closes"></table></section>
  <section><h2>Let in or refused</h2><table id="results"></table></section>
  <section><h2>Lookup takes</h2><table id="duration"></table></section>
  <section><h2>HTTP requests</h2><table id="requests"></table></section>
  <section><h2>Sessions</h2><table id="sessions"></table></section>
  <section class="wide"><h2>Redis</h2><table id="redis"></table></section>
</main>
<footer>The same as <a href="?format=json">JSON</a> and for <a href="?format=prometheus">Prometheus</a></footer>
</body>
</html>
)html";

const std::string_view page_icon =
    R"svg(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M1 11l4-6 3 4 3-7 4 9" fill="none" stroke="#1769c0" stroke-width="2"/></svg>)svg";

const std::string_view page_style = R"css(:root {
  color-scheme: light dark;
  --ground: #f4f5f7; --card: #fff; --ink: #1c2733; --quiet: #64707d; --line: #dfe3e8;
  --one: #1769c0; --two: #c2571a; --good: #1c7c4a; --bad: #c22f2f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161b; --card: #1b2128; --ink: #e4e9ee; --quiet: #93a0ad; --line: #2d3640;
    --one: #5aa9f2; --two: #f0964f; --good: #4fc488; --bad: #f27474;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--ground); color: var(--ink);
  font: 15px/1.4 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 1rem; }
h1 { margin: 0; font-size: 1.25rem; }
h1 span, header p, footer { color: var(--quiet); font-weight: normal; }
h2 { margin: 0 0 .4rem; font-size: .85rem; color: var(--quiet); font-weight: 600; }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .8rem; }
section { padding: .8rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; overflow-x: auto; }
section.wide { grid-column: 1 / -1; }
output { padding: .1rem .5rem; border-radius: 1rem; background: var(--line); }
output[data-state="live"] { background: var(--good); color: #fff; }
output[data-state="lost"] { background: var(--bad); color: #fff; }
.now { display: flex; gap: 1.2rem; font-size: 1.5rem; line-height: 1.2; }
.now small { font-size: .8rem; color: var(--quiet); }
.now span:nth-child(1) { color: var(--one); }
.now span:nth-child(2) { color: var(--two); }
svg { display: block; width: 100%; height: 5rem; margin-top: .4rem; border-bottom: 1px solid var(--line); }
path { fill: none; stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
path:nth-of-type(1) { stroke: var(--one); }
path:nth-of-type(2) { stroke: var(--two); }
.most { font-size: .8rem; color: var(--quiet); }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: normal; }
thead th { color: var(--quiet); font-size: .8rem; }
td { text-align: right; }
th, td { padding: .12rem .3rem .12rem 0; white-space: nowrap; }
meter { width: 100%; min-width: 4rem; height: .7rem; }
.up { color: var(--good); }
.down { color: var(--bad); }
footer { padding-top: .8rem; font-size: .85rem; }
a { color: var(--one); }
)css";

}  // namespace ws::status
