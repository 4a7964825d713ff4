// What models say of a line: anomalies with their cause, the risk of anode effects, drift of inputs, the models in use.

import { address, question } from "./ask.js";
import { el, say, show } from "./dom.js";
import { lastPart } from "./events.js";
import { moment, number, percent } from "./format.js";
import { words } from "./texts.js";
import { view } from "./views.js";

const $ = (id) => document.getElementById(id);

let path = null;
let answer = null;
let drawn = "";
let open = null;

const ask = question(
  () => (view.chosen === "anomalies" && path ? address("anomalies", { path }) : null),
  (said, why) => {
    if (said && said.path !== path) return;
    answer = said ?? answer;
    draw(why);
  },
);

/** Forget what was built: the language changed. */
export function resetAnomalies() {
  drawn = "";
  if (answer) draw("");
}

/** Show what models say of `line`, if this view is chosen; `opened(id)` when a pot is chosen. */
export function drawAnomalies(line, opened) {
  open = opened;
  if (view.chosen !== "anomalies") {
    path = null;
    return;
  }
  if (path === line.path) return;
  if (answer?.path !== line.path) answer = null;
  path = line.path;
  draw("");
  ask();
}

function draw(problem) {
  const note = problem ? words.unanswered(problem) : !answer ? words.waiting : answer.problem ? words.noModels(answer.problem) : answer.judged ? "" : words.notJudged;
  say($("anomalies-missing"), note);
  show($("anomalies-missing"), note !== "");
  show($("judged"), Boolean(answer?.judged));
  if (!answer?.judged) return;
  const key = words.lang + JSON.stringify(answer);
  if (key === drawn) return;
  drawn = key;
  const focused = document.activeElement?.closest?.("#judged [data-unit]")?.dataset.unit;
  $("judged").replaceChildren(
    part("anomaly-list", words.anomaliesNow, anomalies()),
    el("div", "beside-list", part("risk-list", words.risk, risks()), part("drift-list", words.drifting, drift()), part("model-list", words.models, models())),
  );
  if (focused) document.querySelector(`#judged [data-unit="${CSS.escape(focused)}"] button`)?.focus({ preventScroll: true });
}

function part(name, title, children) {
  return el("section", name, el("h3", "", title), ...children);
}

/** The pot as a button that opens its panel; the line itself as text. */
function unit(name) {
  const id = lastPart(name);
  if (name === path) return el("b", "unit", id);
  const node = el("button", "unit", id);
  node.type = "button";
  node.addEventListener("click", () => open(id));
  return node;
}

const causeName = (cause, title) => words.causeNames[cause] || title;

function anomalies() {
  const note = el("p", "none", words.judgedAt(moment(answer.judged).clock));
  if (!answer.anomalies.length) return [el("p", "", words.noAnomalies), note];
  const rows = answer.anomalies.map((one) => {
    const head = el("p", "head", unit(one.unit), " ", el("b", "cause", causeName(one.cause, one.title)));
    head.append(el("span", "kind", words.kinds[one.kind]), el("span", "likely", words.likely(percent(100 * one.probability))));
    const item = el("li", "", head, el("p", "advice", words.causeAdvice[one.cause] || one.advice));
    const others = one.others.filter(([, , p]) => p >= 0.05).map(([cause, title, p]) => `${causeName(cause, title)} ${percent(100 * p)} %`);
    if (others.length) item.append(el("p", "fact", `${words.orElse}: ${others.join(", ")}`));
    item.append(el("p", "fact", words.evidence(moment(one.begin).clock, moment(one.told).clock)));
    if (one.reasons.length) item.append(el("p", "fact", words.signals), el("ul", "reasons", ...one.reasons.map((r) => reason(r, one.reasons[0].weight))));
    item.dataset.unit = one.unit;
    item.dataset.cause = one.cause;
    return item;
  });
  return [el("ol", "anomaly-rows", ...rows), note];
}

function reason(row, most) {
  const bar = el("i", "bar");
  bar.style.width = `${(100 * row.weight) / most}%`;
  const value = row.value === null ? "—" : `${short(row.value)} ${row.unit === "1" ? "" : row.unit}`;
  const item = el("li", "", el("code", "", row.column), el("span", "value", value), el("span", "course", bar));
  item.title = row.help;
  return item;
}

const short = (value) => (value !== 0 && Math.abs(value) < 0.01 ? value.toExponential(1) : number(value, Math.abs(value) < 10 ? 3 : 1));

function risks() {
  if (!answer.risks.length) return [el("p", "", words.noRisk)];
  const rows = answer.risks.map((risk) => {
    const bar = el("i", "bar");
    bar.style.width = `${100 * risk.probability}%`;
    const item = el("li", "", unit(risk.unit), el("span", "course", bar), el("span", "value", `${percent(100 * risk.probability)} %`));
    if (risk.warned) item.append(el("b", "warned", words.warned));
    item.dataset.unit = risk.unit;
    return item;
  });
  return [el("ol", "risk-rows", ...rows)];
}

function drift() {
  if (!answer.drift_columns) return [el("p", "", words.notWatched)];
  if (!answer.drift.length) return [el("p", "", words.noDrift(answer.drift_columns))];
  const rows = answer.drift.slice(0, 10).map((one) =>
    el("li", "", el("code", "", one.column), el("span", "fact", `PSI ${number(one.psi, 2)}, ${words.missingShare(percent(100 * one.missing), percent(100 * one.missing_before))}`)),
  );
  return [el("p", "", words.drifted(answer.drift.length, answer.drift_columns)), el("ul", "drift-rows", ...rows)];
}

function models() {
  const rows = answer.models.map((model) => {
    const item = el("li", "", el("b", "", model.title), el("span", "fact", model.made));
    item.title = `${model.data}; ${Object.entries(model.versions).map((pair) => pair.join(" ")).join(", ")}`;
    return item;
  });
  return [el("ul", "model-rows", ...rows), el("p", "none", words.cost(answer.minutes, answer.skipped, number(answer.seconds, 2)))];
}
