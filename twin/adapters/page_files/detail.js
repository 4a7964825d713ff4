// The panel of one pot: every value it has, against its band and limit, its faults and its latest events.

import { believe, makeBelieved } from "./believed.js";
import { follow, makeCharts } from "./charts.js";
import { el } from "./dom.js";
import { digitsOf, number, signed } from "./format.js";
import { eventItem, isAt } from "./events.js";
import { judge } from "./judge.js";
import { faultName, verdictWord, words } from "./texts.js";

const MOST_EVENTS = 5;
const dialog = document.getElementById("detail");

let chosen = null;
let drawn = "";
let body = null;

/** Hear of keys and clicks outside; `step(id, by)` gives the pot before or after. */
export function watchDetail(step, redraw) {
  const go = (by) => {
    chosen = step(chosen, by) ?? chosen;
    redraw();
  };
  dialog.addEventListener("close", () => {
    document.querySelector(`.tile[data-pot="${CSS.escape(chosen ?? "")}"]`)?.focus();
    chosen = null;
    believe(null);
    follow(null);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-do=close]")) dialog.close();
    else if (event.target.closest("[data-do=previous]")) go(-1);
    else if (event.target.closest("[data-do=next]")) go(1);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.target.closest("input, .table-scroll")) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) go(by);
  });
}

/** Open the panel on a pot. */
export function openDetail(id, redraw) {
  chosen = id;
  buildFrame();
  redraw();
  if (!dialog.open) dialog.showModal();
}

/** Build the panel anew when it is open: the language changed. */
export function resetDetail() {
  if (dialog.open) buildFrame();
}

function buildFrame() {
  const button = (what, sign) => {
    const node = el("button", "plain", sign);
    node.type = "button";
    node.dataset.do = what;
    node.setAttribute("aria-label", words[what]);
    node.title = words[what];
    return node;
  };
  const title = el("h2");
  title.id = "detail-title";
  title.tabIndex = -1;
  title.autofocus = true;
  const head = el("header", "", title, el("p"), button("previous", "‹"), button("next", "›"), button("close", "×"));
  body = el("div", "body");
  dialog.replaceChildren(el("div", "sheet", head, el("div", "columns", body, makeBelieved()), makeCharts()));
  drawn = "";
}

/** Bring the panel up to date, if it is open. */
export function drawDetail(snapshot, line, titles) {
  if (chosen === null || !body) return;
  const pot = line.pots.find((each) => each.id === chosen);
  if (!pot) {
    if (dialog.open) dialog.close();
    return;
  }
  believe(`${line.path}/${pot.id}`);
  follow(`${line.path}/${pot.id}`, pot, snapshot.time);
  const events = snapshot.events.filter((event) => isAt(event, line, pot.id)).slice(0, MOST_EVENTS);
  const rule = line.grades.find((g) => g.scope === "pot" && g.metric === line.pot_metric && g.window === line.pot_window);
  const key = JSON.stringify([words.lang, pot, events, line.pot_limit, line.voltage_band_v, line.temperature_band_c, rule?.source]);
  if (key === drawn) return;
  drawn = key;
  const [title, where] = dialog.querySelector("header").children;
  title.textContent = pot.id;
  where.textContent = `${line.title}, ${words.section(pot.section)}`;
  body.replaceChildren(...content(pot, line, rule, events, titles));
}

function content(pot, line, rule, events, titles) {
  const found = judge(pot, line);
  const parts = [];
  if (found.stale) parts.push(el("p", "stale-note", words.noData));
  const out = { high: [words.voltageHigh, words.bathHot], low: [words.voltageLow, words.bathCold] };
  parts.push(
    measure(words.potVoltage, pot.voltage_v, 3, "V", line.voltage_band_v, found.voltage, out[found.voltage]?.[0]),
    measure(words.bathTemperature, pot.bath_temperature_c, 1, "°C", line.temperature_band_c, found.bath, out[found.bath]?.[1]),
    grade(pot, line, rule),
  );
  const names = pot.faults.map((code) => el("li", "", el("i", "sign"), faultName(code, titles)));
  const faults = names.length ? el("ul", "fault-names", ...names) : el("p", "", words.noFaults);
  parts.push(el("section", "", el("h3", "", words.faults), faults));
  if (events.length) {
    const list = el("ol", "", ...events.map((event) => eventItem(event, new Set(), null)));
    parts.push(el("section", "", el("h3", "", words.potEvents), list));
  }
  return parts;
}

/** A value on its scale: the band is the middle half, as on the tile. */
function measure(name, value, digits, unit, [low, high], side, problem) {
  const tick = el("i");
  if (value !== null) {
    const share = Math.max(0, Math.min(100, 25 + (50 * (value - low)) / (high - low)));
    tick.style.transform = `translateX(${share}%)`;
    tick.dataset.known = "yes";
  }
  const figure = el("p", "figure-line", el("b", "", number(value, digits)), el("small", "", unit));
  if (side) figure.append(el("span", "problem", problem));
  const box = el("section", "measure", el("h3", "", name), figure, el("span", "scale", tick));
  if (side) figure.firstElementChild.dataset.out = side;
  const fine = digits > 1 ? 2 : 0;
  box.append(el("p", "none", words.band(number(low, fine), number(high, fine), unit)));
  return box;
}

function grade(pot, line, rule) {
  const verdict = pot.stale && pot.kwh_per_t === null ? "insufficient" : pot.verdict;
  const digits = line.pot_limit === null ? 0 : digitsOf(line.pot_limit);
  const metric = words.metrics[line.pot_metric] || line.pot_metric;
  const window = words.windows[line.pot_window] || line.pot_window;
  const figure = el("p", "figure-line", el("b", "", number(pot.kwh_per_t)), el("small", "", "kWh/t"));
  const word = el("span", "verdict", el("i", "sign"), el("b", "", verdictWord(verdict)));
  word.dataset.verdict = verdict;
  figure.append(word);
  const facts = [];
  if (line.pot_limit === null) facts.push(words.noLimit);
  else {
    facts.push(`${words.limit} ${number(line.pot_limit, digits)}`);
    if (pot.kwh_per_t !== null) facts.push(`${words.margin} ${signed(line.pot_limit - pot.kwh_per_t, digits)}`);
  }
  if (rule) facts.push(`${words.source}: ${rule.source}`);
  const box = el("section", "measure", el("h3", "", `${words.energy}: ${metric}, ${window.toLowerCase()}`), figure);
  box.append(el("p", "none", facts.join(" · ")));
  return box;
}
