// The same curves as a table, for who cannot see or use a chart: newest first, and what happened in between.

import { CHARTS } from "./curves.js";
import { el, say } from "./dom.js";
import { number } from "./format.js";
import { words } from "./texts.js";

const ROWS = 48;

/** A table behind a summary; `opened()` when it is to be drawn. */
export function makeTable(opened) {
  const head = el("tr", "", el("th", "", words.chartTime));
  for (const chart of CHARTS) head.append(el("th", "number", `${words.chartNames[chart.name]} (${chart.unit})`));
  head.append(el("th", "", words.events));
  for (const cell of head.children) cell.scope = "col";
  const body = el("tbody");
  const caption = el("caption", "unseen", words.charts);
  const scroll = el("div", "table-scroll", el("table", "curves", caption, el("thead", "", head), body));
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", words.charts);
  const box = el("details", "as-table", el("summary", "", words.chartTable), scroll);
  box.addEventListener("toggle", opened);
  return { box, body };
}

/** Bring it up to date where it is open. */
export function drawTable({ box, body }, curves, events, clock) {
  if (!box.open) return;
  const times = [...new Set(CHARTS.flatMap(({ name }) => curves[name]?.time ?? []))].sort((a, b) => a - b);
  const every = Math.max(1, Math.ceil(times.length / ROWS));
  const chosen = times.filter((_, i) => (times.length - 1 - i) % every === 0);
  const rows = chosen.map((time, i) => rowOf(time, chosen[i + 1] ?? Infinity, curves, events, clock)).reverse();
  const texts = rows.map((cells) => cells.join("\u0000")).join("\u0001");
  if (body.dataset.drawn === String(texts.length) && body.textContent === rows.flat().join("")) return;
  body.dataset.drawn = texts.length;
  body.replaceChildren(...rows.map(line));
}

function rowOf(time, next, curves, events, clock) {
  const values = CHARTS.map(({ name, digits }) => {
    const at = latest(curves[name]?.time ?? [], time);
    return at < 0 ? "—" : number(curves[name].mean[at], digits);
  });
  const told = events.filter((event) => event.time_s >= time && event.time_s < next).map((event) => event.name);
  return [clock(time), ...values, told.join("; ")];
}

/** Place of the newest time that is not later; -1 for none. */
function latest(times, time) {
  let at = times.length - 1;
  while (at >= 0 && times[at] > time) at--;
  return at;
}

function line(cells) {
  const row = el("tr");
  cells.forEach((text, i) => {
    const cell = el(i ? "td" : "th", i && i < cells.length - 1 ? "number" : "");
    if (!i) cell.scope = "row";
    say(cell, text);
    row.append(cell);
  });
  return row;
}
