// What the twin says of a change: verdict, figures now and then, heat balance, the other rules of the plan.

import { el, mark, put, say, show, slot } from "./dom.js";
import { digitsOf, number, signed } from "./format.js";
import { verdictWord, words } from "./texts.js";

/** The panel, empty. */
export function makeOutcome() {
  const [big, bigText] = slot("span", "big");
  const [was, wasText] = slot("span", "fact was");
  const [word, wordText] = slot("b");
  const [margin, marginText] = slot("span", "margin");
  const [rule, ruleText] = slot("span", "fact");
  const verdict = el("p", "verdict", el("i", "sign"), word, margin);
  const alert = el("span", "alert");
  const head = el("div", "headline", big, verdict, rule, was, alert);
  word.setAttribute("role", "status");
  const figures = el("tbody");
  const heads = ["", words.now, words.then, words.difference, ""].map((text) => {
    const cell = el("th", "", text);
    cell.scope = "col";
    return cell;
  });
  const table = el("table", "outcomes", el("thead", "", el("tr", "", ...heads)), figures);
  const tick = el("i");
  const heat = el("section", "heat measure", el("h3", "", words.heat), el("p"), el("span", "scale", tick), el("p"), el("p", "fact"));
  const title = el("summary");
  const rules = el("ul", "others");
  const details = el("details", "", title, rules);
  const node = el("div", "outcome", head, el("div", "framed", table), heat, details);
  return { node, head, bigText, wasText, wordText, marginText, ruleText, figures, heat, tick, title, rules, alert };
}

/** Bring it up to date. */
export function drawOutcome(made, answer) {
  const [first, ...rest] = answer.rules;
  drawHead(made, first, answer.figures.find((figure) => figure.name === first.metric));
  drawFigures(made.figures, answer.figures);
  drawHeat(made, answer.heat);
  say(made.title, words.allRules(rest.length));
  drawRules(made.rules, rest);
}

function drawHead(made, rule, figure) {
  const digits = digitsOf(rule.limit);
  put(made.bigText, number(figure?.after ?? null, digits));
  put(made.wasText, `${words.metrics[rule.metric] || rule.metric}, kWh/t · ${words.now.toLowerCase()} ${number(figure?.before ?? null, digits)}: ${verdictWord(rule.before, rule.sense)}`);
  put(made.wordText, verdictWord(rule.after, rule.sense));
  const within = rule.u === null ? "" : ` ±${number(1.96 * rule.u, digits)}`;
  put(made.marginText, rule.margin_after === null ? "" : `${words.margin} ${signed(rule.margin_after, digits)}${within}`);
  put(made.ruleText, `${words.limit} ${number(rule.limit, digits)} · ${rule.title}`);
  mark(made.head, "data-verdict", rule.after);
}

function drawFigures(body, figures) {
  while (body.childElementCount < figures.length) {
    const name = el("th");
    name.scope = "row";
    body.append(el("tr", "", name, el("td", "number"), el("td", "number"), el("td", "number"), el("td", "fact")));
  }
  figures.forEach((figure, i) => {
    const [name, before, after, difference, unit] = body.children[i].children;
    say(name, words.outcomes[figure.name]);
    say(before, number(figure.before, figure.digits));
    say(after, number(figure.after, figure.digits));
    const still = figure.difference === null || Math.abs(figure.difference) < 0.5 * 10 ** -figure.digits;
    say(difference, still ? (figure.difference === null ? "—" : "0") : signed(figure.difference, figure.digits));
    say(unit, words.units[figure.unit] || figure.unit);
    mark(body.children[i], "data-still", still ? "yes" : null);
  });
}

/** Superheat on its scale: the sound band is the middle half, as everywhere on the page. */
function drawHeat(made, heat) {
  const [, drift, , sound, loss] = made.heat.children;
  const text = { "-1": words.heatCold(number(heat.low)), 0: words.heatOk(number(heat.low), number(heat.high)), 1: words.heatHot(number(heat.high)) };
  say(drift, words.drift(number(heat.superheat, 1), number(heat.expected, 1)));
  say(sound, text[heat.warning]);
  for (const node of [made.heat, made.head]) mark(node, "data-warning", heat.warning ? "yes" : null);
  say(made.alert, words.drift(number(heat.superheat, 1), number(heat.expected, 1)));
  const share = 25 + (50 * (heat.expected - heat.low)) / (heat.high - heat.low);
  made.tick.style.transform = `translateX(${Math.max(0, Math.min(100, share))}%)`;
  mark(made.tick, "data-known", "yes");
  const asked = Math.abs(heat.mismatch - (heat.expected - heat.superheat)) > 1e-9;
  const parts = [words.lossOf(number(heat.before), number(heat.after))];
  if (asked) parts.unshift(words.mismatch(signed(heat.mismatch, 1)));
  say(loss, parts.join(" "));
}

function drawRules(list, rules) {
  while (list.childElementCount > rules.length) list.lastElementChild.remove();
  while (list.childElementCount < rules.length) list.append(el("li", "", el("i", "sign"), el("b"), el("span"), el("small")));
  rules.forEach((rule, i) => {
    const item = list.children[i];
    const [, word, text, small] = item.children;
    const digits = digitsOf(rule.limit);
    mark(item, "data-verdict", rule.after);
    say(word, verdictWord(rule.after, rule.sense));
    say(text, `${rule.title} (${words.metrics[rule.metric] || rule.metric}, ${words.limit} ${number(rule.limit, digits)})`);
    say(small, rule.margin_after === null ? "" : `${words.margin} ${signed(rule.margin_before, digits)} → ${signed(rule.margin_after, digits)}`);
    show(item, true);
  });
}
