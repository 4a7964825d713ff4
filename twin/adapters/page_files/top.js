// The rim of the page: plant, line tabs, line figures, connection, banner, and the ingest strip at the foot.

import { el, mark, memory, put, say, show, slot } from "./dom.js";
import { moment, number, span } from "./format.js";
import { words } from "./texts.js";

const $ = (id) => document.getElementById(id);

export const LATE_S = 10; // readings older than this are not "now"
// Places of the balance sheet that are shown while they hold something: in the order of the sheet.
const SHEET = ["carried", "spooled", "elsewhere", "aside", "under_way", "off"];
const ALARMING = ["spooled", "aside", "off"];
const MOVED_S = 60; // a counter that should stand still is marked this long after it moved

let figures = {};
let ingest = {};
const moved = new Map(); // counter -> {value, at}

/** A named figure: <div><dt>label</dt><dd>value <small>unit</small></dd></div>, and a function that sets it. */
function figure(parent, label, unit = "", name = "") {
  const [value, text] = slot("span", "value");
  const [extra, more] = slot("small");
  put(more, unit);
  const box = el("div", `figure ${name}`, el("dt", "", label), el("dd", "", value, extra));
  parent.append(box);
  const set = (content, abnormal = false, small = null) => {
    put(text, content);
    if (small !== null) put(more, small);
    mark(box, "data-abnormal", abnormal ? "yes" : null);
  };
  set.box = box;
  return set;
}

/** Make the figures anew, in the language in use. */
export function buildTop() {
  const head = $("figures");
  head.replaceChildren();
  figures = {
    current: figure(head, words.current, "kA", "major"),
    voltage: figure(head, words.voltage, "V", "major"),
    reporting: figure(head, words.reporting),
    time: figure(head, words.dataTime, "", "time"),
    lag: figure(head, words.lag),
  };
  const foot = $("ingest-figures");
  foot.replaceChildren();
  ingest = Object.fromEntries(
    ["broker", "received", ...SHEET.slice(0, 1), "stored", ...SHEET.slice(1, 2), "parked", ...SHEET.slice(2)]
      .concat(["rejected", "rate", "lag", "store"])
      .map((key) => [key, figure(foot, words[key])]),
  );
  say($("language"), words.other);
  mark($("language"), "aria-label", words.otherLabel);
  mark($("language"), "lang", words.lang === "en" ? "zh-CN" : "en");
}

/** Header and foot for one line of a snapshot; `age` is how long ago the snapshot came [s]. */
export function drawTop(snapshot, line, age) {
  say($("plant"), snapshot.plant);
  figures.current(number(line.current_ka, 1));
  figures.voltage(number(line.voltage_v, 1));
  figures.reporting(number(line.pots_reporting), line.pots_reporting < line.pots_total, `/ ${number(line.pots_total)}`);
  const { day, clock, zone } = moment(snapshot.time);
  figures.time(clock, false, `${day} ${zone}`.trim());
  drawIngest(snapshot.ingest);
  drawLag(snapshot, age);
}

/** The lag goes on growing while nothing comes. */
export function drawLag(snapshot, age) {
  const lag = snapshot.ingest.lag_s;
  const total = lag === null ? null : lag + (age > 2 ? age : 0);
  const late = total !== null && total > LATE_S;
  figures.lag(span(total), late);
  ingest.lag(span(total), late);
}

function drawIngest(view) {
  show($("ingest"), true);
  ingest.broker(view.connected ? words.connected : words.disconnected, !view.connected);
  ingest.received(number(view.received));
  ingest.stored(number(view.stored));
  ingest.parked(number(view.parked), hasMoved("parked", view.parked));
  const held = { ...view, elsewhere: view.rejected };
  for (const key of SHEET) {
    ingest[key](number(held[key]), ALARMING.includes(key));
    show(ingest[key].box, held[key] !== 0);
  }
  ingest.rejected(number(view.rejected_values), hasMoved("rejected", view.rejected_values));
  ingest.rate(number(view.messages_per_s, view.messages_per_s < 10 ? 1 : 0));
  ingest.store(view.sink);
  say($("problem"), view.problem);
  show($("problem"), view.problem !== "");
}

function hasMoved(name, value) {
  const now = performance.now() / 1000;
  const last = moved.get(name) ?? { value, at: -Infinity };
  const at = value > last.value ? now : last.at;
  moved.set(name, { value, at });
  return now - at < MOVED_S;
}

/** Lamp, word and banner for the state of the stream; `age` [s] is how long it has been so, `last` the data's clock. */
export function drawState(state, age = 0, last = "") {
  document.body.dataset.stream = state;
  say($("state").lastElementChild, words.states[state]);
  const text = state === "lost" ? words.lost(span(age), last) : state === "quiet" ? words.quiet(span(age), last) : "";
  if (text) say($("banner"), text);
  show($("banner"), text !== "");
}

/** One tab a line; `faulty(line)` counts the pots with a fault in it. Calls `choose(path)` when one is taken. */
export function drawLines(lines, chosen, faulty, choose) {
  const bar = $("lines");
  if (bar.childElementCount !== lines.length || [...bar.children].some((tab, i) => tab.dataset.path !== lines[i].path)) {
    bar.replaceChildren(...lines.map((line) => makeTab(line, choose)));
  }
  lines.forEach((line, i) => {
    const tab = bar.children[i];
    const on = line.path === chosen;
    say(tab.firstElementChild, line.title || line.path);
    const count = faulty(line);
    say(tab.lastElementChild, lines.length > 1 && count ? `◆ ${count}` : "");
    mark(tab.lastElementChild, "title", count ? `${count} ${words.counts.fault}` : null);
    mark(tab, "aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
  });
  document.body.dataset.lines = lines.length > 1 ? "many" : "one";
}

function makeTab(line, choose) {
  const tab = el("button", "tab", el("span"), el("span", "tally"));
  tab.type = "button";
  tab.dataset.path = line.path;
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", "main");
  tab.addEventListener("click", () => {
    memory.set("line", line.path);
    choose(line.path);
  });
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = [...tab.parentElement.children];
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
    event.preventDefault();
  });
  return tab;
}
