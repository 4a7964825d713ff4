// What people do to an alarm. The twin decides and answers; the page shows what it says, and asks again what stands.

import { address } from "./ask.js";
import { el, memory, say, show } from "./dom.js";
import { words } from "./texts.js";

const $ = (id) => document.getElementById(id);
const HOURS = [1, 4, 12];

/** A header holds bytes: the name as UTF-8. */
const bytes = (text) => String.fromCharCode(...new TextEncoder().encode(text));

export const me = {
  known: "", // whose token the browser brings
  /** The name to act in: of a token of their own `-`, else what stands in the field. */
  get said() {
    return this.known ? "-" : $("alarms-who").value.trim();
  },
};

/** Keep the name that is typed. */
export function watchName() {
  $("alarms-who").value = memory.get("who") || "";
  $("alarms-who").addEventListener("input", () => memory.set("who", $("alarms-who").value.trim()));
}

/** Show whose token it is, instead of the field. */
export function drawName() {
  show($("alarms-name"), !me.known);
  show($("alarms-known"), Boolean(me.known));
  if (me.known) say($("alarms-known"), words.alarmKnown(me.known));
}

/** Ask for an action; "" when the twin has done it, else what it says. */
export async function act(action, parameters) {
  try {
    const response = await fetch(address(`alarms/${action}`, parameters), { method: "POST", headers: { "X-Alarm-User": bytes(me.said) } });
    const answer = await response.json();
    return response.ok && answer.status === "done" ? "" : answer.detail || response.statusText;
  } catch {
    return words.alarmNotSent;
  }
}

/** Ask until when and why, then shelve; `now()` is the twin's time [ms], `done()` is called when the twin has done it. */
export function askShelve(alarm, unit, now, done) {
  const dialog = $("shelve");
  const title = el("h2", "", words.shelveTitle(alarm.title, unit));
  title.id = "shelve-title";
  const choice = HOURS.map((hours) => {
    const input = el("input");
    Object.assign(input, { type: "radio", name: "shelve-hours", value: hours, checked: hours === HOURS[0] });
    return el("label", "", input, el("span", "", words.shelveHours(hours)));
  });
  const why = el("input");
  Object.assign(why, { required: true, maxLength: 500, autofocus: true, id: "shelve-why" });
  const refused = el("p", "refused");
  refused.setAttribute("role", "alert");
  refused.hidden = true;
  const go = el("button", "plain", words.alarmActs.shelve);
  const cancel = el("button", "plain", words.shelveCancel);
  cancel.type = "button";
  cancel.addEventListener("click", () => dialog.close());
  const form = el(
    "form", "", title, el("fieldset", "order", el("legend", "unseen", words.shelveFor), ...choice),
    el("label", "why", el("span", "", words.shelveWhy), why), refused, el("p", "acts", go, cancel),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    const until = new Date(now() + form.elements["shelve-hours"].value * 3_600_000).toISOString();
    const problem = await act("shelve", { unit: alarm.unit, code: alarm.code, why: why.value, until });
    go.disabled = false;
    say(refused, problem);
    show(refused, problem !== "");
    if (problem) return;
    dialog.close();
    done();
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}
