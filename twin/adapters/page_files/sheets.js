// The sheets for who runs the twin: the balance of the way in, and the settings in force.

import { address, question } from "./ask.js";
import { el, say, show } from "./dom.js";
import { number, span } from "./format.js";
import { words } from "./texts.js";
import { view } from "./views.js";

const $ = (id) => document.getElementById(id);
const CAME = ["received", "carried"];
const WENT = ["stored", "spooled", "parked", "rejected", "aside", "under_way"];
const ALARMING = ["spooled", "aside"];

let drawn = { ingest: "", settings: "" };
let rows = null; // of the settings

const askIngest = question(
  () => (view.chosen === "ingest" ? address("ingest", {}) : null),
  (answer, problem) => told("ingest", answer, problem, drawIngest),
);
const askSettings = question(
  () => (view.chosen === "settings" && !rows ? address("settings", {}) : null),
  (answer, problem) => {
    rows = answer ?? rows;
    told("settings", answer, problem, drawSettings);
  },
);

/** Ask for the sheet that was just chosen. */
export function drawSheets(chosen) {
  if (drawn.chosen === chosen) return;
  drawn.chosen = chosen;
  if (chosen === "ingest") askIngest();
  if (chosen === "settings" && rows) drawSettings(rows);
  else if (chosen === "settings") askSettings();
}

/** Build them anew: the language changed. */
export function resetSheets() {
  const filter = [$("settings-find"), $("settings-changed")];
  for (const node of filter) node.oninput = () => rows && filterRows();
  $("settings-find").placeholder = words.settingsFind;
  drawn = { ingest: "", settings: "" };
}

function told(name, answer, problem, draw) {
  show($(`${name}-missing`), problem !== "");
  if (problem) say($(`${name}-missing`), words.unanswered(problem));
  if (!answer) return;
  const key = words.lang + JSON.stringify(answer);
  if (key !== drawn[name]) draw(answer);
  drawn[name] = key;
}

function table(name, caption, heads, lines) {
  const head = el("tr");
  for (const text of heads) {
    const cell = el("th", "", text);
    cell.scope = "col";
    head.append(cell);
  }
  const body = el("tbody", "", ...lines);
  return el("table", name, el("caption", "", caption), el("thead", "", head), body);
}

function line(first, ...cells) {
  const head = el("th", "", first);
  head.scope = "row";
  return el("tr", "", head, ...cells);
}

function drawIngest(answer) {
  $("way-in").replaceChildren(balance(answer.balance), sources(answer), spool(answer.balance), parked(answer.parked));
}

function balance(sheet) {
  const counted = (name, sign) => {
    const row = line(`${sign} ${words.places[name]}`, el("td", "number", number(sheet[name])));
    row.dataset.place = name;
    if (ALARMING.includes(name) && sheet[name]) row.dataset.abnormal = "yes";
    return row;
  };
  const lines = [...CAME.map((name, i) => counted(name, i ? "+" : "")), ...WENT.map((name, i) => counted(name, i ? "+" : "="))];
  const verdict = el("p", sheet.off ? "abnormal" : "even", sheet.off ? words.balanceOff(number(sheet.off)) : words.balanceEven);
  return el("section", "balance", table("sheet", words.balance, [words.balanceNote, words.count], lines), verdict);
}

function facts(title, pairs) {
  const list = el("dl", "facts-list");
  for (const [name, value, abnormal] of pairs) {
    const said = el("dd", abnormal ? "abnormal" : "", value);
    list.append(el("dt", "", name), said);
  }
  return el("section", "", el("h3", "", title), list);
}

function sources({ balance: sheet, where }) {
  const state = sheet.connected ? words.connected : words.disconnected;
  const pairs = [[words.broker, state, !sheet.connected]];
  for (const [part, text] of Object.entries(where)) pairs.push([words.parts[part] || part, text]);
  pairs.push([words.rate, number(sheet.messages_per_s, 1)], [words.lag, span(sheet.lag_s)]);
  if (sheet.problem) pairs.push([words.events, sheet.problem, true]);
  return facts(words.sourcesTitle, pairs);
}

function spool(sheet) {
  const ahead = sheet.ahead_s === null ? "—" : `${number(sheet.ahead_s, 1)} s ${sheet.ahead_unit}`;
  return facts(words.spoolTitle, [
    [words.spoolSize, `${number(sheet.spool_mib, 1)} MiB`, sheet.spooled > 0],
    [words.spoolAge, span(sheet.spool_oldest_s), sheet.spool_oldest_s !== null],
    [words.clockAhead, ahead],
    [words.numbersMissing, number(sheet.missing), sheet.missing > 0],
    [words.collided, number(sheet.collisions)],
    [words.badValues, number(sheet.bad_values)],
  ]);
}

function parked(reasons) {
  if (!reasons.length) return el("section", "", el("h3", "", words.parkedTitle), el("p", "", words.parkedNone));
  const lines = reasons.map((row) =>
    line(el("code", "", row.reason), el("td", "number", number(row.count)), el("td", "", words.reasonAdvice[row.reason] || row.advice)),
  );
  return el("section", "parked-rows", table("reasons-table", words.parkedTitle, [words.reason, words.count, words.advice], lines));
}

function drawSettings(all) {
  const lines = all.map((row) => {
    const value = `${row.value || "—"}${row.unit ? ` ${row.unit}` : ""}`;
    const text = line(el("code", "", row.name), el("td", "value", value), el("td", "default", row.default || "—"));
    text.append(el("td", "", words.originNames[row.origin] || row.origin), el("td", "help", row.help, el("small", "", row.allowed)));
    text.dataset.find = `${row.name} ${row.value} ${row.environment} ${row.help}`.toLowerCase();
    if (row.origin !== "default") text.dataset.changed = "yes";
    return text;
  });
  const heads = [words.setting, words.value, words.settingDefault, words.origin, words.meaning];
  $("settings-table").replaceChildren(table("settings-rows", words.settingsNote, heads, lines));
  filterRows();
}

function filterRows() {
  const wanted = $("settings-find").value.trim().toLowerCase();
  const changed = $("settings-changed").checked;
  for (const row of $("settings-table").querySelectorAll("tbody tr")) {
    show(row, row.dataset.find.includes(wanted) && (!changed || row.dataset.changed === "yes"));
  }
}
