// One pot as a tile: built once, then only the text that differs is written.

import { el, mark, put, say } from "./dom.js";
import { number } from "./format.js";
import { judge } from "./judge.js";
import { faultName, verdictWord, words } from "./texts.js";

const pattern = makePattern();

function makePattern() {
  const figure = (name, unit) => el("span", name, document.createTextNode("—"), el("small", "", unit));
  const button = el(
    "button",
    "tile",
    el("b", "id"),
    figure("kwh", ""),
    el("i", "sign"),
    figure("volt", "V"),
    el("span", "scale", el("i")),
    figure("bath", "°C"),
    el("span", "note", document.createTextNode("")),
  );
  button.type = "button";
  button.tabIndex = -1;
  return button;
}

/** A tile for the pot `id`. */
export function makeTile(id) {
  const node = pattern.cloneNode(true);
  const [name, kwh, sign, volt, scale, bath, note] = node.children;
  name.textContent = id;
  node.dataset.pot = id;
  return {
    id, node, sign, volt, bath, kwh, tick: scale.firstElementChild, note: note.firstChild,
    voltText: volt.firstChild, bathText: bath.firstChild, kwhText: kwh.firstChild,
    place: null, verdict: null, rank: 0, energy: 0, index: 0,
  };
}

/** Bring a tile up to date; returns what was found about the pot. */
export function drawTile(tile, pot, line, titles) {
  const found = judge(pot, line);
  put(tile.voltText, pot.stale ? "—" : number(pot.voltage_v, 3));
  put(tile.bathText, pot.stale ? "—" : number(pot.bath_temperature_c));
  put(tile.kwhText, pot.stale ? "—" : number(pot.kwh_per_t));
  mark(tile.volt, "data-out", found.voltage);
  mark(tile.bath, "data-out", found.bath);
  mark(tile.node, "data-state", found.fault ? "fault" : found.stale ? "stale" : found.voltage || found.bath ? "band" : found.above ? "above" : null);
  mark(tile.node, "data-stale", found.stale ? "yes" : null);
  drawVerdict(tile, pot.stale ? "insufficient" : pot.verdict);
  drawTick(tile, pot.stale ? null : pot.voltage_v, line.voltage_band_v);
  const note = noteOf(pot, found, titles);
  put(tile.note, note);
  mark(tile.node, "title", note);
  tile.rank = found.rank;
  tile.energy = pot.kwh_per_t ?? 0;
  return found;
}

function drawVerdict(tile, verdict) {
  const key = `${words.lang}${verdict}`;
  if (tile.verdict === key) return;
  tile.verdict = key;
  tile.sign.dataset.verdict = verdict;
  tile.sign.setAttribute("role", "img");
  tile.sign.setAttribute("aria-label", verdictWord(verdict));
  tile.sign.title = verdictWord(verdict);
}

/** The band is the middle half of the scale; the tick stays on the scale however far out the value is. */
function drawTick(tile, value, [low, high]) {
  const share = value === null ? null : Math.round(Math.max(0, Math.min(100, 25 + (50 * (value - low)) / (high - low))));
  if (share === tile.place) return;
  tile.place = share;
  tile.tick.style.transform = share === null ? "" : `translateX(${share}%)`;
  mark(tile.tick, "data-known", share === null ? null : "yes");
}

/** In words what the colours say. */
function noteOf(pot, found, titles) {
  if (!found.rank) return "";
  const notes = pot.faults.map((code) => faultName(code, titles));
  if (found.stale) notes.unshift(words.noData);
  if (notes.length) return notes.join(", ");
  if (found.voltage) notes.push(found.voltage === "high" ? words.voltageHigh : words.voltageLow);
  if (found.bath) notes.push(found.bath === "high" ? words.bathHot : words.bathCold);
  if (!notes.length) notes.push(words.aboveLimit);
  return notes.join(", ");
}

/** The head of a group of tiles: its name, how many pots, how many abnormal. */
export function makeGroup(title) {
  const head = el("div", "group-head", el("h3", "", title), el("p"), el("p", "tally"));
  const blocks = el("div", "blocks");
  return { node: el("section", "group", head, blocks), head, blocks };
}

/** Counts in the head of a group. */
export function drawGroup(group, pots, abnormal) {
  say(group.head.children[1], words.potCount(pots));
  say(group.head.children[2], abnormal ? words.abnormal(abnormal) : words.allNormal);
  mark(group.head, "data-abnormal", abnormal ? "yes" : null);
}
