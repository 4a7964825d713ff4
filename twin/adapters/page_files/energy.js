// Where the energy goes: the loss tree of a line as a horizontal waterfall, one row a term.

import { address, question } from "./ask.js";
import { el, mark, memory, put, say, show, slot } from "./dom.js";
import { number, percent, signed } from "./format.js";
import { view } from "./views.js";
import { words } from "./texts.js";

const $ = (id) => document.getElementById(id);

let path = null;
let limit = null; // of the plan, for the metered AC
let answer = null;
let problem = "";
let rows = [];
let built = "";
let period = memory.get("fall") === "month" ? "month" : "day";

const ask = question(
  () => (view.chosen === "energy" && path ? address("line", { path }) : null),
  (said, why) => {
    answer = said ?? answer;
    problem = why;
    draw();
  },
);

/** Hear of the choice of day or month. */
export function watchEnergy() {
  for (const radio of document.querySelectorAll("input[name=fall]")) {
    radio.checked = radio.value === period;
    radio.addEventListener("change", () => {
      period = radio.value;
      memory.set("fall", period);
      draw();
    });
  }
}

/** Forget what was built: the language changed. */
export function resetEnergy() {
  built = "";
  if (answer) draw();
}

/** Show the tree of `line`, if this view is chosen. */
export function drawEnergy(line) {
  if (view.chosen !== "energy") {
    path = null;
    return;
  }
  limit = line.pot_metric === "ac_liquid" ? line.pot_limit : null;
  if (path === line.path) return;
  if (answer?.path !== line.path) answer = null;
  path = line.path;
  draw();
  ask();
}

function draw() {
  const tree = answer?.trees[period];
  const note = problem ? words.unanswered(problem) : tree ? (words.missing[tree.missing] ?? "") : words.waiting;
  say($("energy-missing"), note);
  show($("energy-missing"), note !== "");
  show($("fall"), Boolean(tree));
  if (!tree) {
    say($("energy-total"), "");
    return;
  }
  const known = tree.ac_liquid !== null;
  const u = tree.ac_liquid_u === null ? "—" : number(1.96 * tree.ac_liquid_u);
  say($("energy-total"), known ? words.fall(number(tree.ac_liquid), u, number(tree.metal_t, 1), percent(tree.coverage_pct)) : "");
  const steps = stepsOf(tree);
  if (built !== words.lang) build(steps);
  const ends = steps.flatMap((step) => [step.start ?? 0, step.end ?? 0]);
  const most = Math.max(1, limit ?? 0, ...ends) * 1.01;
  steps.forEach((step, i) => drawRow(rows[i], step, most, tree.missing !== ""));
}

/** The rows of the waterfall: every term, the metered figure, the auxiliaries, the comprehensive figure. */
function stepsOf(tree) {
  const total = (name, value) => ({
    name, total: true, kwh_t: value, share_pct: null, start: value === null ? null : 0, end: value,
    title: words.totals[name], help: words.totalHelps[name], group: name,
  });
  return [...tree.terms, total("ac_liquid", tree.ac_liquid), tree.auxiliary, total("ac_comprehensive", tree.ac_comprehensive)];
}

function build(steps) {
  built = words.lang;
  const cell = (name) => {
    const [node, text] = slot("td", name);
    return [node, text];
  };
  let group = "";
  rows = steps.map((step) => {
    const title = el("th", "", words.termNames[step.name] || step.title);
    title.scope = "row";
    const [value, valueText] = cell("number");
    const [share, shareText] = cell("number share");
    const bar = el("i", "bar");
    const link = el("i", "link");
    const plan = el("i", "limit");
    const course = el("td", "course", link, bar, plan);
    course.setAttribute("aria-hidden", "true");
    const help = el("td", "help", words.termHelps[step.name] || step.help);
    const node = el("tr", step.total ? "total" : "", title, value, share, course, help);
    if (step.group !== group && !step.total) node.classList.add("first");
    group = step.group;
    node.dataset.term = step.name;
    return { node, valueText, shareText, bar, link, plan };
  });
  const heads = [words.term, words.perTonne, words.share, words.course, words.meaning].map((text, i) => {
    const head = el("th", ["", "number", "number share", "course", "help"][i], text);
    head.scope = "col";
    return head;
  });
  $("fall").replaceChildren(el("thead", "", el("tr", "", ...heads)), el("tbody", "", ...rows.map((row) => row.node)));
}

function drawRow(row, step, most, missing) {
  const share = (value) => `${(100 * value) / most}%`;
  const unknown = step.kwh_t === null;
  put(row.valueText, step.kwh_t < 0 ? signed(step.kwh_t) : number(step.kwh_t));
  put(row.shareText, unknown || step.share_pct === null ? "" : `${number(step.share_pct, 1)} %`);
  show(row.node, !missing || !unknown);
  show(row.bar, step.start !== null && step.end !== null);
  show(row.link, !step.total && step.end !== null && step.name !== "auxiliary");
  mark(row.bar, "data-sign", step.kwh_t < 0 ? "minus" : null);
  if (step.start !== null && step.end !== null) {
    row.bar.style.left = share(Math.min(step.start, step.end));
    row.bar.style.width = share(Math.abs(step.end - step.start));
    row.link.style.left = share(step.end);
  }
  show(row.plan, step.name === "ac_liquid" && limit !== null);
  if (limit !== null) row.plan.style.left = share(limit);
  mark(row.plan, "title", limit === null ? null : `${words.limit} ${number(limit)}`);
}
