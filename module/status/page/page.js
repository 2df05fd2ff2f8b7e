// Keeps the status page up to date, and draws its plots. The page is complete without it: the server writes every table. What is
// drawn here comes from ?format=json; everything else is the page itself, asked for anew and put into place where it differs.
"use strict";

const kPeriod = 2000;             // ms between two questions
const kSpans = [60, 120, 300];    // s that a plot may show: the shortest that holds all there is
const kSpan = kSpans[2];
const kTypingPause = 250;         // ms
const kStore = "websocket-status " + location.pathname;

const byId = id => document.getElementById(id);
const sections = ["about", "now", "hour", "hosts", "list", "act"];

// --- numbers -----------------------------------------------------------------------------------

function shortNumber(value, units = ["", "k", "M", "G", "T"]) {
  if (units[0] === "" && value >= 1000 && value < 1e5) return Math.round(value).toLocaleString("en");
  let unit = 0;
  while (value >= 999.5 && unit + 1 < units.length) {
    value /= 1000;
    unit += 1;
  }
  const digits = value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  return Number(value.toFixed(digits)) + (units[unit] && "\u00a0") + units[unit];
}
const shortBytes = value => shortNumber(value, ["B", "kB", "MB", "GB", "TB"]);

// A round number that is not less.
function niceCeiling(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 8, 10].find(step => step * power >= value) * power;
}

// --- what was seen in the last minutes -----------------------------------------------------------

// Each sample: when (s), tunnels that are open, and counters. Rates are made of neighbours.
let samples = [];

function sumOf(object) {
  return Object.values(object).reduce((sum, number) => sum + number, 0);
}

function remember(status) {
  const total = status.total;
  const now = Date.now() / 1000;
  const last = samples[samples.length - 1];
  const sample = { at: now, since: status.server.started_at, open: total.open, opened: total.opened, ended: sumOf(total.ended),
    refused: sumOf(total.refused), messagesIn: total.messages.in, messagesOut: total.messages.out,
    bytesIn: total.bytes.in, bytesOut: total.bytes.out };
  if (last && (last.since !== sample.since || last.opened > sample.opened || last.at > now)) samples = [];
  samples.push(sample);
  samples = samples.filter(one => one.at > now - kSpan - 10);
  try {
    sessionStorage.setItem(kStore, JSON.stringify(samples));
  } catch { /* private windows: the plots begin anew with each page */ }
}

function recall() {
  try {
    samples = JSON.parse(sessionStorage.getItem(kStore) || "[]");
  } catch { /* as above */ }
}

// [[seconds since 1970, value], ...]; a gap, as of a hidden tab, is not drawn over.
function points(name, isRate) {
  if (!isRate) return samples.map(one => [one.at, one[name]]);
  return samples.slice(1).map((one, index) => {
    const before = samples[index];
    return [one.at, Math.max(0, one[name] - before[name]) / Math.max(.1, one.at - before.at)];
  });
}

// --- plots -------------------------------------------------------------------------------------

const plots = [
  { title: "Open tunnels", format: shortNumber, area: true, lines: [["open", "open", "open", false]] },
  { title: "Tunnels per second", format: shortNumber,
    lines: [["opened", "opened", "opened", true], ["ended", "ended", "ended", true], ["refused", "refused", "refused", true]] },
  { title: "Messages per second", format: shortNumber, lines: [["in", "in", "messagesIn", true], ["out", "out", "messagesOut", true]] },
  { title: "Traffic per second", format: shortBytes, lines: [["in", "in", "bytesIn", true], ["out", "out", "bytesOut", true]] },
];
const kLeft = 52, kBottom = 18, kTop = 6;

function svgElement(parent, name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function makePlot(plot) {
  plot.figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const title = document.createElement("strong");
  title.textContent = plot.title;
  caption.append(title);
  plot.values = plot.lines.map(([look, name]) => {
    const key = document.createElement("span");
    key.className = "key " + look;
    const value = document.createElement("b");
    key.append(value, plot.lines.length > 1 ? " " + name : "");
    caption.append(key);
    return value;
  });
  plot.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  plot.svg.setAttribute("class", "plot");
  plot.svg.setAttribute("role", "img");
  plot.figure.append(caption, plot.svg);
  plot.svg.addEventListener("pointermove", event => { plot.pointer = event.offsetX; draw(plot); });
  plot.svg.addEventListener("pointerleave", () => { plot.pointer = undefined; draw(plot); });
  byId("plots").append(plot.figure);
}

function drawFrame(plot, width, height, highest, span, x) {
  for (const share of [0, .5, 1]) {
    const y = kTop + (1 - share) * (height - kBottom - kTop);
    svgElement(plot.svg, "line", { class: "grid", x1: kLeft, x2: width, y1: y, y2: y });
    svgElement(plot.svg, "text", { x: kLeft - 7, y: y + 4, "text-anchor": "end" }, plot.format(share * highest));
  }
  const steps = span === 60 ? [60, 40, 20, 0] : span === 120 ? [120, 90, 60, 30, 0] : [300, 240, 180, 120, 60, 0];
  const unit = span === 300 ? ["min", 60] : ["s", 1];
  for (const ago of steps) {
    const anchor = ago === span ? "start" : ago === 0 ? "end" : "middle";
    const text = ago === 0 ? "now" : `−${ago / unit[1]}${ago === span || width > 400 ? " " + unit[0] : ""}`;
    svgElement(plot.svg, "text", { x: x(-ago), y: height - 3, "text-anchor": anchor }, text);
  }
}

function pathOf(series, x, y) {
  let path = "";
  let before = -Infinity;
  for (const [at, value] of series) {
    path += (at - before > 15 ? "M" : "L") + x(at).toFixed(1) + " " + y(value).toFixed(1);
    before = at;
  }
  return path;
}

// The point that is nearest to where the pointer is, or the last one.
function pointShown(series, wanted) {
  if (wanted === undefined) return series[series.length - 1];
  return series.reduce((best, point) => Math.abs(point[0] - wanted) < Math.abs(best[0] - wanted) ? point : best, series[0]);
}

function draw(plot) {
  const width = plot.svg.clientWidth, height = plot.svg.clientHeight;
  if (width === 0 || samples.length === 0) return;
  plot.svg.replaceChildren();
  plot.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const now = samples[samples.length - 1].at;
  const span = kSpans.find(one => one >= now - samples[0].at) || kSpan;
  const all = plot.lines.map(([, , name, isRate]) => points(name, isRate).filter(([at]) => at >= now - span));
  const highest = niceCeiling(Math.max(...all.flat().map(([, value]) => value), 1));
  const x = ago => kLeft + (1 + ago / span) * (width - kLeft);
  const y = value => kTop + (1 - value / highest) * (height - kBottom - kTop);
  drawFrame(plot, width, height, highest, span, x);
  const wanted = plot.pointer === undefined ? undefined : now + ((plot.pointer - kLeft) / (width - kLeft) - 1) * span;
  plot.lines.forEach(([look], index) => {
    const series = all[index];
    if (series.length === 0) return;
    const path = pathOf(series, at => x(at - now), y);
    if (plot.area) {
      const first = x(series[0][0] - now).toFixed(1), last = x(series[series.length - 1][0] - now).toFixed(1);
      svgElement(plot.svg, "path", { class: "area " + look, d: `${path.replaceAll("M", "L").replace("L", "M")}L${last} ${y(0)}L${first} ${y(0)}Z` });
    }
    svgElement(plot.svg, "path", { class: "line " + look, d: path });
    const shown = pointShown(series, wanted);
    plot.values[index].textContent = plot.format(shown[1]);
    if (wanted !== undefined && index === 0) {
      svgElement(plot.svg, "line", { class: "cursor", x1: x(shown[0] - now), x2: x(shown[0] - now), y1: kTop, y2: height - kBottom });
    }
  });
  describe(plot, all);
}

function describe(plot, all) {
  const words = plot.lines.map(([, name], index) => {
    const values = all[index].map(([, value]) => value);
    if (values.length === 0) return name + ": nothing yet";
    return `${name}: ${plot.format(values[values.length - 1])} now, ${plot.format(Math.min(...values))} to ` +
      `${plot.format(Math.max(...values))} in the last 5 minutes`;
  });
  plot.svg.setAttribute("aria-label", `${plot.title}. ${words.join("; ")}`);
}

const drawAll = () => plots.forEach(draw);

// --- the tables, which the server has written ---------------------------------------------------

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id : "";
}

// Makes `old` equal to `wanted` and touches only what differs, so that focus, selection and a screen reader stay where they are.
function merge(old, wanted) {
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const keyed = new Map([...old.childNodes].filter(keyOf).map(node => [keyOf(node), node]));
  let place = old.firstChild;
  for (const next of [...wanted.childNodes]) {
    const key = keyOf(next);
    const same = key ? keyed.get(key) : place;
    if (same && same.nodeName === next.nodeName && (key || !keyOf(same))) {
      if (same === place) place = place.nextSibling; else old.insertBefore(same, place);
      if (next.nodeType === Node.ELEMENT_NODE) merge(same, next);
      else if (same.nodeValue !== next.nodeValue) same.nodeValue = next.nodeValue;
    } else {
      old.insertBefore(document.importNode(next, true), place);
    }
  }
  while (place) {
    const after = place.nextSibling;
    place.remove();
    place = after;
  }
}

function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const id of sections) {
    const wanted = page.getElementById(id);
    if (wanted && byId(id)) merge(byId(id), wanted);
  }
  // The form stays as it is, since somebody may be typing in it, but for the order that it asks for.
  for (const name of ["sort", "order"]) {
    const wanted = page.querySelector(`#filter input[name=${name}]`);
    if (wanted) byId("filter").elements[name].value = wanted.value;
  }
}

// --- asking --------------------------------------------------------------------------------------

let paused = false, failed = false, asking = false;
let tablesAt = 0, tablesTook = 0;   // ms: when the tables were asked for last, and how long the server took
let address = location.search;      // of what the tables show
let newest = 0;                     // the last question about tables

async function ask(query) {
  const answer = await fetch(location.pathname + query, { cache: "no-store", credentials: "same-origin" });
  if (!answer.ok) throw new Error("status " + answer.status);
  return answer;
}

// The tables cost the server more than the numbers: they are asked for so that it works on them a tenth of the time at most.
async function askTables() {
  const question = ++newest;
  const begin = performance.now();
  const text = await (await ask(address)).text();
  tablesTook = performance.now() - begin;
  tablesAt = performance.now();
  if (question === newest) show(text);
}

function say(text) {
  byId("announcement").textContent = text;
}

function tell(ok) {
  const when = new Date().toLocaleTimeString([], { hour12: false });
  const taken = byId("taken");
  taken.textContent = ok ? "As of " + when : "No answer; trying again";
  taken.classList.toggle("stale", !ok);
  if (failed === ok) say(ok ? "The server answers again." : "The server does not answer. The page tries again.");
  failed = !ok;
}

async function tick() {
  if (paused || asking || document.hidden) return;
  asking = true;
  try {
    remember(await (await ask("?format=json&size=0")).json());
    drawAll();
    if (performance.now() - tablesAt >= 10 * tablesTook) await askTables();
    tell(true);
  } catch {
    tell(false);
  } finally {
    asking = false;
  }
}

// --- filter, sort links and pages, without a new page ------------------------------------------

async function goTo(query, keepInHistory) {
  address = query;
  history[keepInHistory ? "pushState" : "replaceState"](null, "", location.pathname + (query || "?"));
  try {
    await askTables();
    say(byId("matched").textContent);
  } catch {
    tell(false);
  }
}

function queryOfForm() {
  return "?" + new URLSearchParams(new FormData(byId("filter")));
}

let typing = 0;

function listen() {
  byId("filter")?.addEventListener("submit", event => {
    event.preventDefault();
    clearTimeout(typing);
    goTo(queryOfForm(), true);
  });
  byId("q")?.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => goTo(queryOfForm(), false), kTypingPause);
  });
  byId("size")?.addEventListener("change", () => goTo(queryOfForm(), true));
  document.addEventListener("click", event => {
    const link = event.target.closest?.("#hosts a, #list a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    fillForm(link.search);
    goTo(link.search, true);
    if (link.closest("#hosts")) byId("tunnels").scrollIntoView();
  });
  addEventListener("popstate", () => {
    fillForm(location.search);
    address = location.search;
    askTables().catch(() => tell(false));
  });
  document.addEventListener("visibilitychange", tick);
  addEventListener("resize", drawAll);
}

function fillForm(query) {
  const form = byId("filter");
  if (!form) return;
  const wanted = new URLSearchParams(query);
  form.elements.q.value = wanted.get("q") || "";
  form.elements.size.value = wanted.get("size") || "25";
}

function addPauseButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.id = "pause";
  button.textContent = "Pause";
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    tick();
  });
  byId("updates").append(button);
}

recall();
plots.forEach(makePlot);
addPauseButton();
listen();
tick();
setInterval(tick, kPeriod);
