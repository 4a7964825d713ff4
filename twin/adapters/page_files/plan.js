// The plan strip: energy per tonne for each metric and window, large, beside its limit, margin and verdict.

import { el, mark, put, say, show, slot } from "./dom.js";
import { digitsOf, number, percent, signed } from "./format.js";
import { verdictWord, words } from "./texts.js";

const $ = (id) => document.getElementById(id);
const METRICS = ["dc", "ac_liquid", "ac_comprehensive", "ac_ingot"];
const SENSE = { at_least: "≥", above: ">", below: "<", at_most: "≤" };
const WINDOWS = ["hour", "shift", "day", "month", "year"];

let shape = ""; // the metrics and windows the strip is built for
let cells = []; // {metric, window, ...} with what may change in each
let heads = new Map(); // window -> text nodes of its column head
let opened = null; // the cell whose rules are shown

const known = (order, names) => [...order.filter((name) => names.includes(name)), ...names.filter((n) => !order.includes(n))];

/** The rules of a line that grade one metric over one window; the first is the one the plan names first. */
function rulesOf(line, metric, window) {
  return line.grades.filter((g) => g.scope === "line" && g.metric === metric && g.window === window);
}

/** Forget what was built: the language changed. */
export function resetPlan() {
  shape = "";
  hideRules();
}

/** Bring the strip up to date with `line`. */
export function drawPlan(plan, line) {
  const metrics = known(METRICS, Object.keys(line.energy));
  const windows = known(WINDOWS, [...new Set(metrics.flatMap((metric) => Object.keys(line.energy[metric])))]);
  const wanted = [words.lang, plan, metrics, windows].join("|");
  if (wanted !== shape) {
    build(plan, metrics, windows);
    shape = wanted;
  }
  for (const [window, head] of heads) {
    const tonnes = line.production_t[window] ?? null;
    const covered = line.coverage_pct[window] ?? null;
    put(head.tonnes, tonnes === null ? "" : words.tonnes(number(tonnes, 1)));
    put(head.covered, covered === null ? "" : words.ofData(percent(covered)));
  }
  for (const cell of cells) drawCell(cell, line);
  drawOthers(line, metrics);
  if (opened) drawRules();
  show($("plan"), true);
}

function build(plan, metrics, windows) {
  heads = new Map();
  cells = [];
  const title = el("div", "corner", el("h2", "", words.plan), el("p", "", plan), el("p", "", "kWh/t"));
  title.firstElementChild.id = "plan-title";
  title.setAttribute("role", "columnheader");
  const top = el("div", "row heads", title, ...windows.map(makeHead));
  top.setAttribute("role", "row");
  const rows = metrics.map((metric) => {
    const name = el("div", "metric", el("h3", "", words.metrics[metric] || metric), el("p", "", words.metricNotes[metric] || ""));
    name.setAttribute("role", "rowheader");
    const row = el("div", "row", name, ...windows.map((window) => makeCell(metric, window)));
    row.setAttribute("role", "row");
    return row;
  });
  $("matrix").replaceChildren(top, ...rows);
}

function makeHead(window) {
  const [tonnesNode, tonnes] = slot("span", "tonnes");
  const [coveredNode, covered] = slot("span", "covered");
  heads.set(window, { tonnes, covered });
  const head = el("div", "window", el("h3", "", words.windows[window] || window), tonnesNode, coveredNode);
  head.setAttribute("role", "columnheader");
  return head;
}

function makeCell(metric, window) {
  const [valueNode, value] = slot("span", "big");
  const [wordNode, word] = slot("b");
  const [marginNode, margin] = slot("span", "margin");
  const [limitNode, limit] = slot("span", "fact");
  const button = el(
    "button",
    "cell",
    valueNode,
    el("span", "verdict", el("i", "sign"), wordNode, marginNode),
    limitNode,
  );
  button.type = "button";
  const cell = { metric, window, button, value, word, margin, limit, rules: [] };
  button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && showRules(cell));
  button.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hideRules());
  button.addEventListener("focus", () => button.matches(":focus-visible") && showRules(cell));
  button.addEventListener("blur", hideRules);
  button.addEventListener("click", () => showRules(cell));
  button.addEventListener("keydown", (event) => event.key === "Escape" && hideRules());
  cells.push(cell);
  const holder = el("div", "holder", button);
  holder.setAttribute("role", "cell");
  return holder;
}

function drawCell(cell, line) {
  const rules = rulesOf(line, cell.metric, cell.window);
  const [first] = rules;
  const value = line.energy[cell.metric][cell.window] ?? null;
  cell.rules = rules;
  put(cell.value, number(value));
  mark(cell.button, "data-known", value === null ? null : "yes");
  const verdict = first ? first.verdict : value === null ? "insufficient" : "";
  mark(cell.button, "data-verdict", verdict);
  put(cell.word, verdict ? verdictWord(verdict, first?.sense) : "");
  const graded = first && first.margin !== null && verdict !== "insufficient";
  put(cell.margin, graded ? `${words.margin} ${signed(first.margin, digitsOf(first.limit))}${within(first)}` : "");
  const facts = first
    ? [`${words.limit} ${number(first.limit, digitsOf(first.limit))}`]
    : [words.noLimit];
  const covered = percent(first?.coverage_pct);
  if (first && covered !== percent(line.coverage_pct[cell.window])) facts.push(words.ofData(covered));
  if (rules.length > 1) facts.push(words.moreRules(rules.length - 1));
  put(cell.limit, facts.join(" · "));
}

/** Half the 95 % interval of a figure, " ±120"; nothing where it is not known. */
const within = (grade) => (grade.u === null ? "" : ` ±${number(1.96 * grade.u, digitsOf(grade.limit))}`);

/** Rules of the plan that are no energy figure of the line: shown as one row each below the matrix. */
function drawOthers(line, metrics) {
  const rest = line.grades.filter((g) => !(g.scope === "line" && metrics.includes(g.metric)) && g.scope !== "pot");
  const list = $("others");
  show(list, rest.length > 0);
  while (list.childElementCount > rest.length) list.lastElementChild.remove();
  while (list.childElementCount < rest.length) {
    list.append(el("li", "", el("i", "sign"), el("b"), el("span"), el("small")));
  }
  rest.forEach((grade, i) => {
    const item = list.children[i];
    const [, word, text, small] = item.children;
    const digits = digitsOf(grade.limit);
    const sense = SENSE[grade.sense] || "≤";
    mark(item, "data-verdict", grade.verdict);
    say(word, verdictWord(grade.verdict, grade.sense));
    const where = [words.scopes[grade.scope] || grade.scope, words.windows[grade.window] || grade.window].join(", ");
    const value = grade.value === null ? "" : ` ${number(grade.value, digits)} ${grade.unit}`;
    say(text, `${grade.title}${value} (${words.limit} ${sense} ${number(grade.limit, digits)} ${grade.unit})`);
    say(small, `${where} · ${grade.source}`);
  });
}

function showRules(cell) {
  opened = cell;
  drawRules();
  const box = $("rules");
  show(box, cell.rules.length > 0);
  cell.button.setAttribute("aria-describedby", "rules");
  const at = cell.button.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 8));
  box.style.left = `${left + scrollX}px`;
  box.style.top = `${at.bottom + scrollY + 4}px`;
}

function hideRules() {
  opened?.button.removeAttribute("aria-describedby");
  opened = null;
  show($("rules"), false);
}

function drawRules() {
  const key = JSON.stringify([words.lang, opened.rules]);
  const box = $("rules");
  if (box.key === key) return;
  box.key = key;
  box.replaceChildren(...opened.rules.map(ruleCard));
}

function ruleCard(grade) {
  const digits = digitsOf(grade.limit);
  const sense = SENSE[grade.sense] || "≤";
  const verdict = el("p", "verdict", el("i", "sign"), el("b", "", verdictWord(grade.verdict, grade.sense)));
  verdict.append(el("span", "margin", grade.margin === null ? "" : `${words.margin} ${signed(grade.margin, digits)} ${grade.unit}`));
  const rows = [
    [words.limit, `${sense} ${number(grade.limit, digits)} ${grade.unit}`],
    [words.value, `${number(grade.value, digits)}${within(grade)} ${grade.unit}`],
    ...(grade.probability === null ? [] : [[words.probability, `${percent(100 * grade.probability)} %`]]),
    [words.coverage, `${percent(grade.coverage_pct)} %`],
    [words.source, `${grade.source} (${words.sure[grade.sure] || grade.sure})`],
  ];
  const facts = el("dl", "", ...rows.flatMap(([name, value]) => [el("dt", "", name), el("dd", "", value)]));
  const card = el("article", "", el("h4", "", grade.title), verdict, facts);
  card.dataset.verdict = grade.verdict;
  return card;
}
