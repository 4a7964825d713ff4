// The choice of what the floor shows: the pots, alarms, anomalies, where the energy goes, what if, the way in,
// or the settings. It stands in the address as #name.

import { mark, show } from "./dom.js";

const $ = (id) => document.getElementById(id);
const PANELS = { pots: "floor", alarms: "alarms", anomalies: "anomalies", energy: "energy", whatif: "whatif", ingest: "ingest-sheet", settings: "settings" };
const named = (hash) => (hash.slice(1) in PANELS ? hash.slice(1) : "pots");

export const view = { chosen: named(location.hash) };

/** Hear of choices; `redraw()` when there is another one. */
export function watchViews(redraw) {
  const tabs = [...$("views").children];
  const choose = (name) => {
    view.chosen = name;
    history.replaceState(null, "", name === "pots" ? location.pathname : `#${name}`);
    redraw();
  };
  for (const tab of tabs) tab.addEventListener("click", () => choose(tab.dataset.view));
  $("views").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
    event.preventDefault();
  });
  addEventListener("hashchange", () => {
    view.chosen = named(location.hash);
    redraw();
  });
}

/** Show what is chosen. */
export function drawViews() {
  show($("views"), true);
  for (const tab of $("views").children) {
    const on = tab.dataset.view === view.chosen;
    mark(tab, "aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    show($(PANELS[tab.dataset.view]), on);
  }
}
