// Alarms: what needs somebody, the most urgent first, and what people do to it. Everything shown is what the twin says.

import { act, askShelve, drawName, me, watchName } from "./alarm_acts.js";
import { drawFigures } from "./alarm_figures.js";
import { address, question } from "./ask.js";
import { el, mark, say, show } from "./dom.js";
import { lastPart } from "./events.js";
import { moment, number, percent, span } from "./format.js";
import { faultName, words } from "./texts.js";
import { view } from "./views.js";

const $ = (id) => document.getElementById(id);
const UNSEEN_S = 15; // the count on the tab is as old as this while another view is shown
const FIGURES_S = 60;
const JUDGED = ["anomaly", "line_anomaly", "anode_effect_warning"]; // whose value is a probability
const ASIDE = ["shelved", "suppressed", "out_of_service"];
const ACTS = {
  unacknowledged: ["ack", "shelve"], acknowledged: ["shelve"], returned_unacknowledged: ["ack", "shelve"],
  latched_unacknowledged: ["ack", "shelve"], latched_acknowledged: ["reset", "shelve"], shelved: ["unshelve"], suppressed: [],
  out_of_service: ["restore"],
};

let answer = null;
let came = 0; // when it came [s of this page]
let asked = -Infinity;
let absent = false; // this twin has no alarms
let journal = [];
let figures = [];
let drawn = "";
let acting = false;
let shift = 0; // of the plant's clock to UTC [ms]
let pots = new Set();
let visit = null;
const open = new Set(); // what is unfolded

const seconds = () => performance.now() / 1000;
const shown = () => view.chosen === "alarms";
const now = () => Date.parse(answer.time) + 1000 * (seconds() - came);
const keyOf = (alarm) => `${alarm.unit} ${alarm.code}`;
const language = () => words.lang.slice(0, 2);

const ask = question(
  () => {
    if (!shown() && (absent || seconds() - asked < UNSEEN_S)) return null;
    asked = seconds();
    return address("alarms", { language: language() });
  },
  (said, why, response) => {
    absent = response.status === 404;
    if (said) {
      answer = said;
      came = seconds();
      me.known = decodeURIComponent(response.headers.get("x-alarm-user") || "");
    }
    draw(why);
  },
);
const askJournal = question(() => (shown() ? address("alarms/journal", { limit: 12 }) : null), (said) => {
  journal = said ?? journal;
  draw("");
});
const askFigures = question(() => (shown() ? address("alarms/figures", {}) : null), (said) => {
  figures = said ?? figures;
  drawFigures(figures, titles());
}, FIGURES_S);

/** Begin to ask. */
export function watchAlarms() {
  watchName();
  ask();
  setInterval(tick, 1000);
}

/** Forget what was built: the language changed. */
export function resetAlarms() {
  drawn = "";
  if (!answer) return;
  draw("");
  drawFigures(figures, titles());
  askAll();
}

let wasShown = false;

/** Keep what belongs to the snapshot; `visited(path)` when a pot is chosen. */
export function drawAlarms(snapshot, visited) {
  visit = visited;
  const zone = /([+-])(\d{2}):?(\d{2})$/.exec(snapshot.time);
  shift = zone ? Number(`${zone[1]}1`) * (60 * zone[2] + Number(zone[3])) * 60_000 : 0;
  if (!shown() || !wasShown) pots = new Set(snapshot.lines.flatMap((line) => line.pots.map((pot) => `${line.path}/${pot.id}`)));
  if (shown() && !wasShown) {
    drawn = "";
    draw("");
    askAll();
    askFigures();
  }
  wasShown = shown();
}

function askAll() {
  asked = -Infinity;
  ask();
  askJournal();
}

/** A time of the alarms on the plant's own clock. */
function clock(iso) {
  const { day, clock } = moment(new Date(Date.parse(iso) + shift).toISOString());
  return day === moment(new Date(now() + shift).toISOString()).day ? clock : `${day} ${clock}`;
}

function draw(problem) {
  drawTally();
  if (!shown()) return;
  drawName();
  const note = problem ? words.unanswered(problem) : answer ? "" : words.waiting;
  say($("alarms-missing"), note);
  show($("alarms-missing"), note !== "");
  show($("alarm-parts"), answer !== null);
  if (!answer) return;
  const key = words.lang + shift + JSON.stringify([answer.alarms, answer.left_out, journal]);
  if (key === drawn) return;
  drawn = key;
  const focused = document.activeElement?.closest?.("#alarm-parts [data-do], #alarm-parts summary");
  const { top, aside, under } = folded(answer.alarms);
  const list = top.map((alarm) => item(alarm, under));
  const standing = el("section", "standing", el("h3", "", words.alarmsStanding), list.length ? el("ol", "alarm-rows", ...list) : el("p", "", words.noAlarms));
  if (answer.left_out) standing.append(el("p", "fact", words.alarmsLeftOut(answer.left_out)));
  const away = aside.length ? [fold("aside", words.alarmsAside(aside.length), aside.map((alarm) => item(alarm, under)))] : [];
  $("alarm-parts").replaceChildren(el("div", "", standing, ...away), el("section", "journal", el("h3", "", words.alarmJournal), ...entries()));
  if (focused) refocus(focused);
  tick();
}

/** Put the focus back where it was: at the same button, or else at what is left of its alarm. */
function refocus(node) {
  const { fold: name, do: what } = node.dataset;
  const row = $("alarm-parts").querySelector(`[data-key="${CSS.escape(node.closest("[data-key]")?.dataset.key ?? "")}"]`);
  const target = name ? $("alarm-parts").querySelector(`[data-fold="${CSS.escape(name)}"]`) : row?.querySelector(`[data-do="${what}"]`) || row;
  (target ?? $("tab-alarms")).focus({ preventScroll: true });
}

function drawTally() {
  const count = answer ? answer.alarms.filter((alarm) => alarm.state.includes("unacknowledged")).length : 0;
  say($("alarms-tally"), count ? number(count) : "");
  mark($("tab-alarms"), "title", count ? words.alarmTally(number(count)) : null);
}

/** What stands, what is out of sight, and what is folded under the root that silences it. */
function folded(alarms) {
  const listed = new Map(alarms.map((alarm) => [keyOf(alarm), alarm]));
  const under = new Map();
  const top = [];
  const aside = [];
  for (const alarm of alarms) {
    const root = alarm.root && listed.get(alarm.root.join(" "));
    if (root) under.set(root, [...(under.get(root) || []), alarm]);
    else (ASIDE.includes(alarm.state) ? aside : top).push(alarm);
  }
  return { top, aside, under };
}

function fold(name, title, rows) {
  const summary = el("summary", "", title);
  summary.dataset.fold = name;
  const node = el("details", "folded", summary, el("ol", "alarm-rows", ...rows));
  node.open = open.has(name);
  node.addEventListener("toggle", () => (node.open ? open.add(name) : open.delete(name)));
  return node;
}

function unit(alarm) {
  if (!pots.has(alarm.unit)) return el("b", "unit", alarm.unit);
  const node = el("button", "unit", lastPart(alarm.unit));
  node.type = "button";
  node.title = alarm.unit;
  node.dataset.do = "visit";
  node.addEventListener("click", () => visit(alarm.unit));
  return node;
}

function item(alarm, under) {
  const children = under.get(alarm) || [];
  const sign = el("i", "sign");
  sign.dataset.severity = { high: "urgent", medium: "mild" }[alarm.priority] || "low";
  const since = el("span", "since");
  since.dataset.since = alarm.since;
  const head = el(
    "p", "head", el("span", "priority", sign, words.alarmPriorities[alarm.priority] || alarm.priority), el("b", "title", alarm.title),
    unit(alarm), el("span", "state", words.alarmStates[alarm.state] || alarm.state), since,
  );
  const body = el("div", "about", head);
  const likely = JUDGED.includes(alarm.code) && alarm.value !== null ? `, ${words.likely(percent(100 * alarm.value))}` : "";
  body.append(el("p", "fact", `${words.alarmCause}: ${alarm.cause}${likely}`), el("p", "advice", alarm.advice));
  if (alarm.evidence && !JUDGED.includes(alarm.code)) body.append(el("p", "fact", alarm.evidence));
  const by = [alarm.until && words.alarmUntil(clock(alarm.until)), alarm.who && words.alarmBy(alarm.who, alarm.why)].filter(Boolean);
  if (by.length) body.append(el("p", "by", by.join(", ")));
  if (alarm.silenced_by.length) body.append(el("p", "fact", words.alarmSilencedBy(alarm.silenced_by.map((code) => faultName(code, titles())).join(", "))));
  const row = el("li", "", body, el("p", "acts", ...(ACTS[alarm.state] || []).map((what) => button(what, alarm))));
  if (alarm.children) body.append(fold(keyOf(alarm), words.alarmStandsFor(number(alarm.children)), children.map((child) => item(child, under))));
  row.tabIndex = -1;
  Object.assign(row.dataset, { key: keyOf(alarm), state: alarm.state, priority: alarm.priority });
  return row;
}

function button(what, alarm) {
  const node = el("button", "plain", words.alarmActs[what]);
  node.type = "button";
  node.dataset.do = what;
  mark(node, "aria-label", words.alarmAct(words.alarmActs[what], alarm.title, lastPart(alarm.unit)));
  node.addEventListener("click", () => {
    refuse("");
    if (what === "shelve") askShelve(alarm, lastPart(alarm.unit), now, askAll);
    else send(what, alarm);
  });
  return node;
}

async function send(what, alarm) {
  if (acting) return;
  acting = true;
  refuse(await act(what, { unit: alarm.unit, code: alarm.code }));
  acting = false;
  askAll();
}

function refuse(problem) {
  say($("alarms-refused"), problem);
  show($("alarms-refused"), problem !== "");
}

const titles = () => new Map((answer?.alarms ?? []).map((alarm) => [alarm.code, alarm.title]));

function entries() {
  if (!journal.length) return [el("p", "", words.alarmJournalNone)];
  const known = titles();
  const rows = journal.toReversed().map((row) => {
    const time = el("time", "", clock(row.time));
    time.dateTime = row.time;
    const what = el("span", "", el("b", "", lastPart(row.unit)), " ", faultName(row.code, known), ": ", words.alarmStates[row.after] || row.after);
    return el("li", "", time, what, el("span", "fact", words.alarmBy(row.who || words.alarmSystem, row.why)));
  });
  return [el("ol", "journal-rows", ...rows)];
}

/** How long each has been there goes on by itself. */
function tick() {
  if (!answer || !shown()) return;
  for (const node of $("alarm-parts").querySelectorAll("[data-since]")) {
    const { since } = node.dataset;
    say(node, since ? words.alarmSince(clock(since), span(Math.max(0, Math.floor((now() - Date.parse(since)) / 1000)))) : "");
  }
}
