// Events: what began and ended, newest first, with what to do about it.

import { el, show } from "./dom.js";
import { moment, number } from "./format.js";
import { faultName, severityWord, words } from "./texts.js";

const $ = (id) => document.getElementById(id);
const MOST = 100;
const URGENT = ["critical", "high", "alarm"];

const titles = new Map(); // fault code -> title, as events told it
let drawn = "";

/** Titles of the fault codes seen so far. */
export function titlesOf(snapshot) {
  for (const event of snapshot.events) titles.set(event.code, event.title);
  return titles;
}

/** The last part of a unit's path: the pot, or the line. */
export const lastPart = (unit) => unit.slice(unit.lastIndexOf("/") + 1);

/** True when the event happened at this pot of this line. */
export function isAt(event, line, id) {
  return event.unit === id || event.unit === `${line.path}/${id}`;
}

/** True for an event that cannot wait. */
export const isUrgent = (event) => URGENT.includes(event.severity);

/** An event of the API in words: a fault that began or ended, or work at the pot with its value. */
export function happened(event) {
  if (event.kind === "work") return `${words.workNames[event.code] || event.title} ${number(event.value)}`;
  return `${faultName(event.code, new Map([[event.code, event.title]]))}, ${event.began ? words.began : words.ended}`;
}

/** What happened: of an anomaly its likely cause. */
function titleOf(event) {
  if (event.code !== "anomaly") return faultName(event.code, titles);
  const name = words.causeNames[event.cause];
  return name ? words.anomaly(name) : event.title;
}

/** Events of the line and of its pots; a unit without a path counts for the line shown. */
function eventsOf(snapshot, line) {
  return snapshot.events.filter((e) => !e.unit.includes("/") || `${e.unit}/`.startsWith(`${line.path}/`)).slice(0, MOST);
}

/** Bring the list up to date; `open(id)` when the pot of an event is chosen. */
export function drawEvents(snapshot, line, open) {
  const events = eventsOf(snapshot, line);
  const key = words.lang + line.path + JSON.stringify(events);
  if (key === drawn) return;
  drawn = key;
  const pots = new Set(line.pots.map((pot) => pot.id));
  $("events").replaceChildren(...events.map((event) => eventItem(event, pots, open)));
  show($("events"), events.length > 0);
  show($("no-events"), events.length === 0);
}

/** One event as a list item; `open` null leaves the pot out, where it is known anyway. */
export function eventItem(event, pots, open) {
  const id = lastPart(event.unit);
  const unit = open && pots.has(id) ? el("button", "unit", id) : el("span", "unit", open ? id : "");
  if (unit.tagName === "BUTTON") {
    unit.type = "button";
    unit.addEventListener("click", () => open(id));
  }
  const { day, clock } = moment(event.time);
  const time = el("time", "", clock);
  time.dateTime = event.time;
  time.title = day;
  const sign = el("i", "sign");
  sign.dataset.severity = isUrgent(event) ? "urgent" : "mild";
  const state = event.began ? severityWord(event.severity) : words.ended;
  const what = el("span", "what", unit, " ", el("b", "", titleOf(event)));
  const item = el("li", "", time, sign, what, el("span", "state", state));
  item.dataset.began = event.began ? "yes" : "no";
  item.dataset.severity = sign.dataset.severity;
  item.title = number(event.value, 2);
  if (event.began && event.advice) item.append(el("p", "advice", event.advice));
  return item;
}
