// The grid of pots: grouped by section or worst first, all or only the abnormal; arrow keys move in it.

import { el, mark, memory, put, say, show } from "./dom.js";
import { number } from "./format.js";
import { tally } from "./judge.js";
import { drawGroup, drawTile, makeGroup, makeTile } from "./tile.js";
import { words } from "./texts.js";

const $ = (id) => document.getElementById(id);
const MOST_COLUMNS = 12;
const BLOCK = 120; // tiles; rows of 1 to 6, 8, 10 and 12 fill it without a gap
const SETTLE_S = 10; // worst first: pots equally bad change places this often, not at every update

const view = { order: memory.get("order") === "worst" ? "worst" : "position", only: memory.get("only") === "yes" };
let grids = new Map(); // line path -> grid
let shown = null;

/** Hear of choices and keys: `open(id)` for a chosen pot, `redraw()` when the view changed. */
export function watchPots(open, redraw) {
  for (const radio of document.querySelectorAll("input[name=order]")) {
    radio.checked = radio.value === view.order;
    radio.addEventListener("change", () => {
      view.order = radio.value;
      memory.set("order", view.order);
      redraw();
    });
  }
  $("only").checked = view.only;
  $("only").addEventListener("change", (event) => {
    view.only = event.target.checked;
    memory.set("only", view.only ? "yes" : "no");
    redraw();
  });
  $("grid").addEventListener("click", (event) => {
    const tile = event.target.closest(".tile");
    if (tile) open(tile.dataset.pot);
  });
  $("grid").addEventListener("focusin", (event) => event.target.matches(".tile") && rove(event.target));
  $("grid").addEventListener("keydown", move);
}

/** Forget what was built: the language changed. */
export function resetPots() {
  grids = new Map();
  shown = null;
}

/** Bring the grid up to date with `line`; `titles` are the titles of fault codes. */
export function drawPots(line, titles) {
  let grid = grids.get(line.path);
  if (!grid || grid.tiles.length !== line.pots.length || line.pots.some((pot, i) => grid.tiles[i].id !== pot.id)) {
    grid = build(line);
    grids.set(line.path, grid);
    shown = null;
  }
  if (shown !== grid) {
    shown = grid;
    $("grid").replaceChildren(grid.node);
  }
  const counts = new Map();
  line.pots.forEach((pot, i) => {
    const tile = grid.tiles[i];
    drawTile(tile, pot, line, titles);
    show(tile.node, !view.only || tile.rank > 0);
    if (tile.rank) counts.set(pot.section, (counts.get(pot.section) ?? 0) + 1);
  });
  arrange(grid);
  drawHeads(grid, counts);
  drawTools(line);
  show($("none"), view.only && counts.size === 0);
}

function build(line) {
  const node = el("div", line.pots.length > 150 ? "all dense" : "all");
  const groups = new Map();
  const tiles = line.pots.map((pot, index) => {
    const tile = makeTile(pot.id);
    tile.index = index;
    if (!groups.has(pot.section)) groups.set(pot.section, { ...makeGroup(words.section(pot.section)), pots: [] });
    groups.get(pot.section).pots.push(tile);
    return tile;
  });
  if (tiles.length) tiles[0].node.tabIndex = 0;
  const largest = Math.max(0, ...[...groups.values()].map((group) => group.pots.length));
  node.style.setProperty("--columns", evenColumns(largest));
  return { node, groups, worst: makeGroup(words.worstFirst), tiles, order: "", ranks: "", sorted: -Infinity };
}

/** Columns that fill the rows of a section evenly: 20 pots stand as 10 and 10, not as 12 and 8. */
function evenColumns(pots) {
  const rows = Math.max(1, Math.ceil(pots / MOST_COLUMNS));
  return Math.max(6, Math.ceil(pots / rows));
}

/** Put the tiles where the chosen order wants them; nothing is moved that is in its place. */
function arrange(grid) {
  const focused = document.activeElement;
  if (view.order === "position") {
    if (grid.order === "position") return;
    for (const group of grid.groups.values()) fill(group, group.pots.map((tile) => tile.node));
    grid.node.replaceChildren(...[...grid.groups.values()].map((group) => group.node));
  } else {
    const now = performance.now() / 1000;
    const ranks = grid.tiles.map((tile) => tile.rank).join();
    if (grid.order === "worst" && ranks === grid.ranks && now - grid.sorted < SETTLE_S) return;
    const sorted = [...grid.tiles].sort((a, b) => b.rank - a.rank || b.energy - a.energy || a.index - b.index);
    fill(grid.worst, sorted.map((tile) => tile.node));
    if (grid.order !== "worst") grid.node.replaceChildren(grid.worst.node);
    Object.assign(grid, { ranks, sorted: now });
  }
  grid.order = view.order;
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

/** Fill a group in blocks, so that the browser can leave out those off the screen. */
function fill(group, nodes) {
  const blocks = [];
  for (let at = 0; at < nodes.length; at += BLOCK) blocks.push(el("div", "tiles", ...nodes.slice(at, at + BLOCK)));
  group.blocks.replaceChildren(...blocks);
}

function drawHeads(grid, counts) {
  let all = 0;
  for (const [section, group] of grid.groups) {
    const abnormal = counts.get(section) ?? 0;
    all += abnormal;
    drawGroup(group, group.pots.length, abnormal);
    show(group.node, !view.only || abnormal > 0);
  }
  drawGroup(grid.worst, grid.tiles.length, all);
}

function drawTools(line) {
  const count = tally(line);
  const list = $("counts");
  if (!list.childElementCount) {
    for (const kind of ["fault", "band", "stale", "above"]) list.append(el("li", kind, el("b"), el("span")));
  }
  for (const item of list.children) {
    const n = count[item.className];
    say(item.firstElementChild, number(n));
    say(item.lastElementChild, words.counts[item.className]);
    mark(item, "data-some", n ? "yes" : null);
  }
  const metric = words.metrics[line.pot_metric] || line.pot_metric;
  const window = words.windows[line.pot_window] || line.pot_window;
  const limit = line.pot_limit === null ? "" : number(line.pot_limit);
  say($("legend"), words.potEnergy(metric, window.toLowerCase(), limit));
}

function rove(node) {
  for (const tile of shown.tiles) if (tile.node.tabIndex === 0 && tile.node !== node) tile.node.tabIndex = -1;
  node.tabIndex = 0;
}

function move(event) {
  const from = event.target;
  if (!from.matches(".tile") || event.ctrlKey || event.metaKey || event.altKey) return;
  const tiles = [...$("grid").querySelectorAll(".tile:not([hidden])")];
  const at = tiles.indexOf(from);
  const to = {
    ArrowLeft: () => tiles[at - 1],
    ArrowRight: () => tiles[at + 1],
    ArrowUp: () => beside(from, tiles.slice(0, at).reverse(), -1),
    ArrowDown: () => beside(from, tiles.slice(at + 1), 1),
    Home: () => tiles[0],
    End: () => tiles.at(-1),
  }[event.key]?.();
  if (!to) return;
  event.preventDefault();
  to.focus();
}

/** The tile of the nearest row above (-1) or below (1) that is closest to straight on. */
function beside(from, tiles, way) {
  const { top, left } = from.getBoundingClientRect();
  let best = null;
  for (const node of tiles) {
    const at = node.getBoundingClientRect();
    if ((at.top - top) * way <= 1) continue;
    if (best && Math.abs(at.top - best.top) > 1) break;
    if (!best || Math.abs(at.left - left) < Math.abs(best.left - left)) best = { node, top: at.top, left: at.left };
  }
  return best?.node;
}
