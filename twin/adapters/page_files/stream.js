// The stream of snapshots: server-sent events, reopened whatever happens to it.

const SILENT_S = 20; // nothing came for so long: ask again, a dead connection does not say so itself
const OPENING_S = 8; // a connection that takes longer is not coming
const RETRY_S = 3; // after the browser gave up by itself
const HIDDEN_S = 60; // a page nobody looks at lets go of its connection: a browser has only six per server

/** Call `onSnapshot(text)` for each snapshot and `onState("connecting" | "live" | "lost")` when that changes. */
export function listen(onSnapshot, onState) {
  let source = null;
  let state = "";
  let opened = 0; // when the present attempt began
  let heard = 0; // when it last said anything
  let hidden = 0;

  const now = () => performance.now() / 1000;

  function become(next) {
    if (next === state) return;
    state = next;
    onState(state);
  }

  function open() {
    source?.close();
    opened = heard = now();
    const mine = new EventSource("/api/stream");
    source = mine;
    mine.addEventListener("open", () => {
      heard = now();
      become("live");
    });
    mine.addEventListener("snapshot", (event) => {
      heard = now();
      become("live");
      onSnapshot(event.data);
    });
    mine.addEventListener("error", () => {
      if (mine === source) become("lost");
    });
  }

  function watch() {
    if (document.hidden) {
      hidden ||= now();
      if (now() - hidden > HIDDEN_S) source?.close();
      return;
    }
    const closed = source.readyState === EventSource.CLOSED;
    const opening = source.readyState === EventSource.CONNECTING;
    if (hidden && closed) open();
    else if (closed && now() - opened > RETRY_S) open();
    else if (opening && now() - opened > OPENING_S) {
      become("lost");
      open();
    } else if (!opening && now() - heard > SILENT_S) open();
    hidden = 0;
  }

  become("connecting");
  open();
  setInterval(watch, 1000);
  document.addEventListener("visibilitychange", watch);
}
