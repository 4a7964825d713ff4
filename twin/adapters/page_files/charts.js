// The charts of the pot in the panel: asked for once, followed by the stream, readable by keys and as a table.

import { address, question } from "./ask.js";
import { makeChart } from "./chart.js";
import { append, CHARTS, empty, FIELDS, forget, fromHistory, joined, POINTS, RANGES, tailOf, tooFar } from "./curves.js";
import { memory, el, say, show } from "./dom.js";
import { drawTable, makeTable } from "./chart_table.js";
import { happened, isUrgent } from "./events.js";
import { moment, number } from "./format.js";
import { words } from "./texts.js";

const EVENTS_EVERY = 3; // questions for the curves
const URL_ROWS = 200;

const now = { path: null, time: 0, offset: 0, step: 0, curves: {}, events: [], full: false, asked: 0, index: null };
let parts = null; // {box, charts, readout, note, table}
let range = memory.get("range") in RANGES ? memory.get("range") : "h1";

const ask = question(
  () => {
    if (!now.path || !parts) return null;
    if (now.asked++ % EVENTS_EVERY === 0) askEvents();
    const more = now.full ? tailOf(now.step) : { hours: RANGES[range], points: POINTS };
    return address("history", { path: now.path, fields: FIELDS, ...more });
  },
  (answer, problem) => take(answer, problem),
);

const askEvents = question(
  () => (now.path ? address("events", { path: now.path, hours: RANGES[range], limit: URL_ROWS }) : null),
  (answer) => {
    if (!answer || answer.path !== now.path) return;
    now.events = answer.events.map((event) => ({ ...event, urgent: isUrgent(event) && event.began }));
    redraw();
  },
  Infinity,
);

/** The place of the charts in the panel, newly built. */
export function makeCharts() {
  clear();
  const fieldset = el("fieldset", "order", el("legend", "unseen", words.chartRange));
  for (const name of Object.keys(RANGES)) {
    const input = el("input");
    Object.assign(input, { type: "radio", name: "range", value: name, checked: name === range });
    fieldset.append(el("label", "", input, el("span", "", words.chartRanges[name])));
  }
  fieldset.addEventListener("change", (event) => {
    range = event.target.value;
    memory.set("range", range);
    begin();
  });
  const readout = el("p", "readout");
  readout.setAttribute("aria-live", "polite");
  const note = el("p", "notice");
  const grid = el("div", "charts-grid");
  const table = makeTable(() => redraw());
  const tools = el("div", "tools", el("h3", "", words.charts), fieldset, el("p", "keys-hint", words.chartKeys));
  const box = el("section", "charts", tools, note, grid, readout, table.box);
  show(note, false);
  parts = { box, grid, readout, note, table, charts: [] };
  now.index = null;
  return box;
}

/** Follow this pot of the snapshot; null: nobody looks. */
export function follow(path, pot, time) {
  if (!path) {
    now.path = null;
    clear();
    return;
  }
  const { clock, day, zone } = moment(time);
  now.time = Date.parse(time) / 1000;
  now.offset = Math.round((Date.parse(`${day}T${clock}Z`) / 1000 - now.time) / 60) * 60;
  now.zone = zone;
  if (!parts.charts.length && parts.grid.isConnected) build();
  if (path !== now.path) {
    now.path = path;
    begin();
    return;
  }
  if (!now.step) return;
  for (const chart of CHARTS) {
    const value = chart.live ? pot[chart.live] : null;
    if (value !== null && value !== undefined) append(now.curves[chart.name], now.time, value * (chart.factor ?? 1), now.step);
    forget(now.curves[chart.name], now.time - RANGES[range] * 3600);
    const last = now.curves[chart.name].time.at(-1) ?? 0;
    if (last && chart.live && tooFar(last, now.time, now.step)) now.full = false;
  }
  redraw();
}

function begin() {
  Object.assign(now, { step: 0, full: false, asked: 0, events: [], index: null, curves: {} });
  for (const chart of CHARTS) now.curves[chart.name] = empty();
  say(parts.readout, "");
  redraw();
  ask();
}

function take(answer, problem) {
  if (!parts || (answer && answer.path !== now.path)) return;
  show(parts.note, problem !== "");
  if (problem) say(parts.note, words.unanswered(problem));
  if (!answer) return;
  const told = fromHistory(answer);
  if (!now.full) now.curves = told;
  else if (answer.step_s !== now.step) return;
  else for (const { name } of CHARTS) now.curves[name] = joined(now.curves[name], told[name]);
  now.step = answer.step_s;
  now.full = true;
  redraw();
}

function build() {
  for (const row of CHARTS) {
    const value = el("span", "value");
    const figure = el("figure", "chart", el("figcaption", "", el("b", "", words.chartNames[row.name]), value));
    figure.tabIndex = 0;
    figure.dataset.chart = row.name;
    figure.setAttribute("role", "group");
    parts.grid.append(figure);
    const chart = makeChart(figure, row, { clock: clockOf, marks: () => now.events, moved: (index) => pointed(row, index) });
    figure.addEventListener("keydown", (event) => step(event, row, chart));
    figure.addEventListener("blur", () => chart.cursor(null));
    parts.charts.push({ row, chart, figure, value });
  }
}

/** The Date whose local hours and minutes are the plant's. */
function clockOf(seconds) {
  const there = new Date((seconds + now.offset) * 1000);
  return new Date(there.getTime() + there.getTimezoneOffset() * 60000);
}

/** A time of the plant as text. */
export function clockText(seconds) {
  return new Date((seconds + now.offset) * 1000).toISOString().slice(5, 19).replace("T", " ");
}

function redraw() {
  if (!parts?.charts.length) return;
  const from = now.time - RANGES[range] * 3600;
  for (const { row, chart, figure, value } of parts.charts) {
    const curve = now.curves[row.name] ?? empty();
    chart.draw(curve, from, now.time);
    const last = curve.mean.at(-1);
    const text = last === undefined ? "—" : `${number(last, row.digits)} ${row.unit}`;
    say(value, text);
    figure.dataset.points = curve.time.length;
    figure.setAttribute("aria-label", words.chartLabel(words.chartNames[row.name], text, curve.time.length));
  }
  drawTable(parts.table, now.curves, now.events.map((event) => ({ ...event, name: happened(event) })), clockText);
}

function step(event, row, chart) {
  const times = now.curves[row.name].time;
  const at = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
  if (at === undefined || !times.length) return;
  event.preventDefault();
  event.stopPropagation();
  const here = now.index ?? (at < 0 ? times.length : times.length - 2);
  const index = Math.max(0, Math.min(times.length - 1, at === -Infinity ? 0 : at === Infinity ? times.length - 1 : here + at));
  chart.cursor(index, times[index]);
  pointed(row, index);
}

function pointed(row, index) {
  const curve = now.curves[row.name];
  now.index = index;
  if (!parts || index === null || !curve || curve.time[index] === undefined) return;
  const shown = (column) => number(curve[column][index], row.digits);
  const band = words.chartBand(shown("low"), shown("high"));
  const event = now.events.find((each) => Math.abs(each.time_s - curve.time[index]) <= now.step);
  const text = `${clockText(curve.time[index])} ${now.zone}: ${words.chartNames[row.name]} ${shown("mean")} ${row.unit}, ${band}`;
  say(parts.readout, event ? `${text}. ${happened(event)}` : text);
}

function clear() {
  for (const { chart } of parts?.charts ?? []) chart.remove();
  parts = null;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
