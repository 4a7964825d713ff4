// What if: levers of a line, and what the twin says a change of them would do. Every figure comes from the twin.

import { address, question } from "./ask.js";
import { el, mark, put, say, show, slot } from "./dom.js";
import { digitsOf, number, percent, signed } from "./format.js";
import { drawOutcome, makeOutcome } from "./outcome.js";
import { view } from "./views.js";
import { words } from "./texts.js";

const $ = (id) => document.getElementById(id);
const PAUSE_MS = 60; // a lever that is being dragged asks no more often

let path = null;
let changes = {};
let answer = null;
let problem = "";
let built = "";
let levers = new Map();
let basis = null;
let outcome = null;
let pause = null;

const ask = question(
  () => (view.chosen === "whatif" && path ? address("whatif", { path, ...changes }) : null),
  (said, why) => {
    answer = said ?? answer;
    problem = why;
    draw();
  },
);

/** Forget what was built: the language changed. */
export function resetWhatIf() {
  built = "";
  if (answer) draw();
}

/** Show the levers of `line`, if this view is chosen. */
export function drawWhatIf(line) {
  if (view.chosen !== "whatif") {
    path = null;
    return;
  }
  if (path === line.path) return;
  if (answer?.path !== line.path) {
    answer = null;
    changes = {};
  }
  path = line.path;
  draw();
  ask();
}

function draw() {
  const note = problem ? words.unanswered(problem) : answer ? "" : words.waiting;
  say($("whatif-missing"), note);
  show($("whatif-missing"), note !== "");
  show($("suppose"), answer !== null);
  if (!answer) return;
  const wanted = `${words.lang}${answer.path}`;
  if (built !== wanted) build(wanted);
  const [first] = answer.rules;
  for (const lever of answer.levers) drawLever(levers.get(lever.name), lever, first);
  const window = words.windows[answer.window].toLowerCase();
  put(basis, words.basis(window, percent(answer.coverage_pct), number(answer.pots)));
  drawOutcome(outcome, answer);
}

function build(wanted) {
  built = wanted;
  levers = new Map(answer.levers.map((lever) => [lever.name, makeLever(lever)]));
  const reset = el("button", "plain", words.reset);
  reset.type = "button";
  reset.addEventListener("click", () => {
    changes = {};
    for (const made of levers.values()) {
      made.range.value = "0";
      made.shown();
    }
    ask();
  });
  const [note, text] = slot("p", "fact");
  basis = text;
  const head = el("div", "tools", el("h2", "", words.levers), note, reset);
  outcome = makeOutcome();
  const list = el("div", "levers", head, ...[...levers.values()].map((made) => made.node), el("p", "fact", words.caveat));
  $("suppose").replaceChildren(list, outcome.node);
}

function makeLever(lever) {
  const range = el("input");
  Object.assign(range, { type: "range", min: lever.low, max: lever.high, step: lever.step, value: changes[lever.name] ?? 0 });
  const name = words.leverNames[lever.name] || lever.title;
  range.setAttribute("aria-label", `${name}: ${words.change.toLowerCase()}`);
  const set = (value) => {
    range.value = String(value);
    changes[lever.name] = range.valueAsNumber;
    pause ??= setTimeout(() => {
      pause = null;
      ask();
    }, PAUSE_MS);
    shown();
  };
  const stepper = (sign, word, by) => {
    const button = el("button", "step", sign);
    button.type = "button";
    button.setAttribute("aria-label", `${name}: ${word}`);
    button.addEventListener("click", () => set(range.valueAsNumber + by));
    return button;
  };
  range.addEventListener("input", () => set(range.value));
  const [before, beforeText] = slot("small");
  const [change, changeText] = slot("b");
  const [after, afterText] = slot("span");
  const close = el("button", "close");
  close.type = "button";
  const figures = el("p", "figures-of", change, after);
  const move = el("div", "move", stepper("−", words.less, -lever.step), range, stepper("+", words.more, lever.step));
  const node = el("div", "lever", el("h3", "", name, before), move, figures, close);
  const shown = () => {
    const by = range.valueAsNumber;
    const text = `${signed(by, lever.digits)} ${unitOf(lever, lever.change_unit)}`;
    put(changeText, text);
    mark(node, "data-moved", by === 0 ? null : "yes");
    mark(range, "aria-valuetext", text);
  };
  const made = { node, range, beforeText, afterText, close, shown, target: 0 };
  close.addEventListener("click", () => set(made.target));
  return made;
}

/** The unit of a lever as people say it; a change of a percentage is in points. */
function unitOf(lever, unit) {
  if (unit === "1") return words.perPotDay;
  if (unit === "K") return "°C";
  return unit === "%" && unit === lever.change_unit && unit !== "" ? words.points : unit;
}

const valueUnit = (lever) => (lever.unit === "%" ? "%" : unitOf(lever, lever.unit));

function drawLever(made, lever, rule) {
  const digits = { V: 3, 1: 2 }[lever.unit] ?? 1;
  mark(made.range, "min", String(lever.low));
  if (document.activeElement !== made.range) made.range.value = String(changes[lever.name] ?? 0);
  made.shown();
  put(made.beforeText, `${number(lever.before, digits)} ${valueUnit(lever)}, ${words.origins[lever.origin]}`);
  put(made.afterText, `→ ${number(lever.after, digits)} ${valueUnit(lever)}`);
  const limit = number(rule.limit, digitsOf(rule.limit));
  const target = lever.closes === null ? "" : `${signed(lever.closes, lever.digits)} ${unitOf(lever, lever.change_unit)}`;
  made.target = lever.closes;
  made.close.disabled = !lever.within;
  say(made.close, lever.within ? `${words.meetsAt(limit)} ${target}` : words.notAlone);
  mark(made.close, "title", lever.within ? words.alone(limit, target) : target);
}
