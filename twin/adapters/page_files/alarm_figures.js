// How well the alarm system serves each position: the figures that miss their target, and all of them when unfolded.

import { el, say } from "./dom.js";
import { lastPart } from "./events.js";
import { number } from "./format.js";
import { faultName, words } from "./texts.js";

const $ = (id) => document.getElementById(id);
const ALWAYS = ["per_10_min", "flood_pct", "stale"]; // of the line that is always there

const shown = (verdict) => `${number(verdict.value, verdict.value < 10 && !Number.isInteger(verdict.value) ? 1 : 0)}${verdict.unit === "%" ? " %" : ""}`;

function marked(verdict, ...content) {
  const node = el("span", "", ...content);
  if (!verdict.met) node.dataset.abnormal = "";
  return node;
}

function table(verdicts) {
  const heads = words.alarmFigureHeads.map((head) => el("th", "", head));
  const rows = verdicts.map((verdict) => el("tr", "", el("th", "", words.alarmFigure[verdict.figure]), el("td", "", marked(verdict, shown(verdict))), el("td", "", words.alarmTarget(verdict.low, verdict.high))));
  return el("table", "", el("thead", "", el("tr", "", ...heads)), el("tbody", "", ...rows));
}

function topTen(one, titles) {
  if (!one.top_ten.length) return [];
  const rows = one.top_ten.map((each) => el("li", "", `${lastPart(each.unit)} ${faultName(each.code, titles)}: ${number(each.count)} (${number(each.pct, 0)} %)`));
  return [el("p", "", words.alarmTopTen), el("ol", "", ...rows)];
}

/** Draw the figures of every position; `titles`: code -> title, of alarms that stand. */
export function drawFigures(figures, titles) {
  const unfolded = new Set([...$("alarms-figures").querySelectorAll("details[open]")].map((node) => node.dataset.position));
  const rows = figures.map((one) => {
    // without an alarm there is no share of priorities to be wrong
    const verdicts = one.alarms ? one.verdicts : one.verdicts.map((verdict) => ({ ...verdict, met: true }));
    const parts = verdicts.filter((verdict) => ALWAYS.includes(verdict.figure)).map((verdict) => marked(verdict, `${words.alarmFigure[verdict.figure]} ${shown(verdict)}`));
    const node = el("details", "", el("summary", "", el("b", "", words.alarmFigures(one.position)), ...parts), table(verdicts), ...topTen(one, titles));
    node.dataset.position = one.position;
    node.open = unfolded.has(one.position);
    return el("li", "", node);
  });
  $("alarms-figures").replaceChildren(...rows);
}
