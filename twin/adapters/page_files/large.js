// Large type, for a screen that is read from three metres: a choice that is remembered.

import { mark, memory, say } from "./dom.js";
import { words } from "./texts.js";

const button = document.getElementById("large");

function apply(on) {
  mark(document.documentElement, "data-type", on ? "large" : null);
  mark(button, "aria-pressed", String(on));
}

/** Hear of the button, and take the choice of the last time. */
export function watchLarge() {
  apply(memory.get("large") === "yes");
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    memory.set("large", on ? "yes" : "no");
    apply(on);
  });
}

/** Put its name in the language in use. */
export function nameLarge() {
  say(button, words.large);
}
