// What is estimated of the pot in the panel: its states, its efficiency, and where it loses more than its line.

import { address, question } from "./ask.js";
import { el } from "./dom.js";
import { moment, number, signed } from "./format.js";
import { words } from "./texts.js";

const DIGITS = { alumina_pct: 2, excess_alf3_pct: 1, bath_temperature_c: 1, superheat_c: 1, ledge_mm: 0, distance_mm: 1, bath_kg: 0, metal_kg: 0, efficiency_pct: 1 };
const STATES = Object.keys(DIGITS);

let path = null;
let drawn = "";
let box = null;

const ask = question(
  () => (path ? address("pot", { path }) : null),
  (said, why) => draw(said, why),
);

/** The place for it in the panel, newly built. */
export function makeBelieved() {
  box = el("div", "believed");
  drawn = "";
  return box;
}

/** Ask for the pot at `wanted`; null: nobody looks. */
export function believe(wanted) {
  const fresh = drawn === "";
  if (wanted === path && !fresh) return;
  if (wanted !== null && (wanted !== path || fresh)) draw(null, "");
  path = wanted;
  if (path) ask();
}

function draw(answer, problem) {
  if (!box || (answer && answer.path !== path)) return;
  const key = JSON.stringify([words.lang, answer && { ...answer, time: "" }, problem]);
  if (key === drawn) return;
  drawn = key;
  const rows = () => [...box.querySelectorAll("[tabindex]")];
  const focused = rows().indexOf(document.activeElement);
  if (problem) box.replaceChildren(el("section", "", el("h3", "", words.estimated), el("p", "none", words.unanswered(problem))));
  else box.replaceChildren(states(answer), efficiency(answer), losses(answer));
  rows()[focused]?.focus({ preventScroll: true });
}

function states(answer) {
  const section = el("section", "", el("h3", "", words.estimated));
  if (answer && !answer.states.length) {
    section.append(el("p", "", words.noEstimate));
    return section;
  }
  const told = new Map((answer?.states ?? []).map((state) => [state.name, state]));
  section.append(el("ul", "states", ...STATES.map((name) => stateRow(name, told.get(name)))));
  const clock = answer?.estimated ? moment(answer.estimated).clock : "";
  section.append(el("p", "none", words.estimatedNote(clock)));
  return section;
}

/** A row of a state; before the twin has answered it is empty, so that nothing jumps. */
function stateRow(name, state) {
  const digits = DIGITS[name];
  const unit = { C: "°C", K: "°C" }[state?.unit] || state?.unit || "";
  const value = el("span", "value");
  const row = el("li", "", el("span", "name", words.stateNames[name]), value);
  if (!state) return row;
  row.title = state.help;
  const facts = [];
  if (state.value === null) value.append(el("span", "unknown", words.unknown));
  else {
    value.append(el("b", "", number(state.value, digits)), ` ±${number(state.u, digits)} ${unit}`);
    facts.push(words.interval(number(state.low, digits), number(state.high, digits)));
  }
  if (state.band) {
    facts.push(words.design(number(state.band[0], fine(state.band)), number(state.band[1], fine(state.band))));
    row.append(scale(state));
  }
  const said = el("span", "facts", facts.join(" · "));
  row.append(said);
  row.tabIndex = 0;
  return row;
}

const fine = (band) => (band.every(Number.isInteger) ? 0 : 1);

/** The interval as a line on the page's scale, whose middle half is the design band, and the value as a tick. */
function scale(state) {
  const [low, high] = state.band;
  const at = (value) => Math.max(0, Math.min(100, 25 + (50 * (value - low)) / (high - low)));
  const tick = el("i");
  const node = el("span", "scale", tick);
  if (state.value === null) return node;
  const interval = el("i", "interval");
  interval.style.left = `${at(state.low)}%`;
  interval.style.width = `${Math.max(1, at(state.high) - at(state.low))}%`;
  node.prepend(interval);
  tick.style.transform = `translateX(${at(state.value)}%)`;
  tick.dataset.known = "yes";
  return node;
}

function efficiency(answer) {
  const known = answer && answer.efficiency_pct !== null;
  const figure = el("p", "figure-line", el("b", "", known ? number(answer.efficiency_pct, 1) : "—"));
  figure.append(el("small", "", known && answer.efficiency_u !== null ? `±${number(answer.efficiency_u, 1)} %` : "%"));
  if (known) figure.append(el("small", "beside", words.ofLine(number(answer.line_efficiency_pct, 1))));
  return el("section", "measure", el("h3", "", words.efficiencyDay), figure);
}

function losses(answer) {
  const section = el("section", "", el("h3", "", words.against));
  if (!answer) return section;
  if (!answer.terms.length) {
    section.append(el("p", "", words.unknown));
    return section;
  }
  const most = Math.max(1, ...answer.terms.map((term) => Math.abs(term.difference)));
  const rows = answer.terms.map((term) => {
    const bar = el("i", "bar");
    bar.style.width = `${(50 * Math.abs(term.difference)) / most}%`;
    bar.dataset.sign = term.difference < 0 ? "minus" : "plus";
    const value = el("span", "value", number(term.kwh_t), el("b", "", signed(term.difference)));
    const row = el("li", "", el("span", "name", words.termNames[term.name] || term.title), value, el("span", "course", bar));
    row.title = words.termHelps[term.name] || term.help;
    row.dataset.term = term.name;
    return row;
  });
  section.append(el("ul", "losses", ...rows), el("p", "none", words.againstNote));
  return section;
}
