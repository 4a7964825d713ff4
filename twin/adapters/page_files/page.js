// The page: one snapshot in, everything on screen brought up to date within one frame.

import { mark, memory, say, show } from "./dom.js";
import { drawAlarms, resetAlarms, watchAlarms } from "./alarms.js";
import { drawAnomalies, resetAnomalies } from "./anomalies.js";
import { drawDetail, openDetail, resetDetail, watchDetail } from "./detail.js";
import { drawEnergy, resetEnergy, watchEnergy } from "./energy.js";
import { drawEvents, titlesOf } from "./events.js";
import { moment } from "./format.js";
import { tally } from "./judge.js";
import { drawPlan, resetPlan } from "./plan.js";
import { drawPots, resetPots, watchPots } from "./pots.js";
import { nameLarge, watchLarge } from "./large.js";
import { drawSheets, resetSheets } from "./sheets.js";
import { listen } from "./stream.js";
import { switchLanguage, words } from "./texts.js";
import { buildTop, drawLag, drawLines, drawState, drawTop } from "./top.js";
import { drawViews, view, watchViews } from "./views.js";
import { drawWhatIf, resetWhatIf } from "./whatif.js";

const $ = (id) => document.getElementById(id);
const QUIET_S = 10; // connected, but the data's time stands still for so long

const page = {
  snapshot: null,
  path: memory.get("line"),
  stream: "connecting",
  came: 0, // when the newest snapshot came [s of this page]
  moved: 0, // when the data's time last changed
  lostAt: 0,
  parsing: 0, // what reading the snapshot cost [ms]
  wanted: new URLSearchParams(location.search).get("pot"), // by the link of a message: path of a pot, or of its line
  waiting: false,
};

const now = () => performance.now() / 1000;
const lineOf = (snapshot) => snapshot.lines.find((line) => line.path === page.path) ?? snapshot.lines[0];

function receive(text) {
  const start = performance.now();
  const snapshot = JSON.parse(text);
  if (snapshot.time !== page.snapshot?.time) page.moved = now();
  page.snapshot = snapshot;
  page.came = now();
  page.parsing = performance.now() - start;
  redraw();
}

/** Draw in the next frame; several requests before it are one. */
function redraw() {
  if (page.waiting) return;
  page.waiting = true;
  requestAnimationFrame(() => {
    page.waiting = false;
    const start = performance.now();
    draw();
    measure(start - page.parsing);
    page.parsing = 0;
  });
}

/** Leave a performance measure "update": reading, drawing, layout and paint of one update. */
function measure(start) {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    performance.clearMeasures("update");
    performance.measure("update", { start: Math.max(0, start), end: performance.now() });
    channel.port1.close();
  };
  channel.port2.postMessage(null);
}

function draw() {
  const { snapshot } = page;
  drawConnection();
  show($("warming"), snapshot === null || snapshot.lines.length === 0);
  if (snapshot === null || snapshot.lines.length === 0) return;
  if (page.wanted) goTo(page.wanted);
  const line = lineOf(snapshot);
  const titles = titlesOf(snapshot);
  drawTop(snapshot, line, now() - page.came);
  drawLines(snapshot.lines, line.path, (each) => tally(each).fault, choose);
  drawPlan(snapshot.plan, line);
  drawViews();
  if (view.chosen === "pots") {
    drawPots(line, titles);
    drawEvents(snapshot, line, open);
  }
  drawAlarms(snapshot, visit);
  drawAnomalies(line, open);
  drawEnergy(line);
  drawWhatIf(line);
  drawSheets(view.chosen);
  drawDetail(snapshot, line, titles);
  if (document.title !== `${line.title}, ${snapshot.plant}`) document.title = `${line.title}, ${snapshot.plant}`;
}

function drawConnection() {
  const quiet = page.stream === "live" && page.snapshot !== null && now() - page.moved > QUIET_S;
  const last = page.snapshot ? moment(page.snapshot.time).clock : "";
  if (page.stream === "lost") drawState("lost", now() - page.lostAt, last);
  else if (quiet) drawState("quiet", now() - page.moved, last);
  else drawState(page.stream);
  if (page.snapshot) drawLag(page.snapshot, now() - page.came);
}

function follow(state) {
  if (state === "lost") page.lostAt = now();
  page.stream = state;
  redraw();
}

function choose(path) {
  page.path = path;
  redraw();
}

function open(id) {
  openDetail(id, redraw);
}

/** Open the pot of a path, at whichever line it is. */
function visit(unit) {
  page.path = unit.slice(0, unit.lastIndexOf("/"));
  open(unit.slice(unit.lastIndexOf("/") + 1));
}

/** Go to what a message was about, once; where it is no pot of today's lines the page is as usual. */
function goTo(unit) {
  page.wanted = null;
  const line = page.snapshot.lines.find((each) => unit === each.path || unit.startsWith(`${each.path}/`));
  if (line === undefined) return;
  if (line.pots.some((pot) => `${line.path}/${pot.id}` === unit)) visit(unit);
  else choose(line.path);
}

function step(id, by) {
  const pots = lineOf(page.snapshot).pots;
  const at = pots.findIndex((pot) => pot.id === id);
  return pots[(at + by + pots.length) % pots.length]?.id;
}

/** Put the texts of the language in use everywhere. */
function speak() {
  document.documentElement.lang = words.lang;
  const word = (names) => names.split(".").reduce((text, name) => text[name], words);
  for (const node of document.querySelectorAll("[data-word]")) say(node, word(node.dataset.word));
  for (const node of document.querySelectorAll("[data-label]")) mark(node, "aria-label", words[node.dataset.label]);
  say($("warming"), words.warming);
  buildTop();
  resetPlan();
  resetPots();
  resetDetail();
  resetAlarms();
  resetAnomalies();
  resetEnergy();
  resetWhatIf();
  resetSheets();
  nameLarge();
}

$("language").addEventListener("click", () => {
  switchLanguage();
  speak();
  redraw();
});
watchPots(open, redraw);
watchDetail(step, redraw);
watchEnergy();
watchAlarms();
watchViews(redraw);
watchLarge();
speak();
listen(receive, follow);
setInterval(drawConnection, 1000);
