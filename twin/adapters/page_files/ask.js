// What is asked of the twin on demand: asked at once, then again every few seconds while somebody looks.

const EVERY_S = 5;

/**
 * A question that is asked again and again: `wanted()` gives it, or null while nobody looks; `take(answer, problem, response)`
 * gets the answer, or null and what the twin says instead. An answer to an older question is dropped. `everyS` Infinity: only
 * when it is called.
 */
export function question(wanted, take, everyS = EVERY_S) {
  let asked = 0;
  let timer = null;

  async function ask() {
    clearTimeout(timer);
    if (everyS < Infinity) timer = setTimeout(ask, everyS * 1000);
    const where = document.hidden ? null : wanted();
    if (where === null) return;
    const mine = ++asked;
    try {
      const response = await fetch(where);
      const said = await response.json();
      if (mine !== asked) return;
      if (response.ok) take(said, "", response);
      else take(null, said.detail || response.statusText, response);
    } catch {
      // the twin is away: the stream says so, and what was known stays
    }
  }

  document.addEventListener("visibilitychange", () => !document.hidden && ask());
  return ask;
}

/** The address of a question with its parameters. */
export function address(name, parameters) {
  const query = new URLSearchParams(parameters).toString();
  return `/api/${name}${query && `?${query}`}`;
}
