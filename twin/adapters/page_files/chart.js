// One chart: uPlot with the page's colours, a band, a line, and marks where something happened.

import { el } from "./dom.js";

/* global uPlot */
const HEIGHT = 132;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const font = () => `${Math.round(0.6875 * parseFloat(getComputedStyle(document.documentElement).fontSize))}px sans-serif`;

/**
 * A chart in `box`. `clock(seconds)` is the Date whose local hours are those of the plant; `marks()` gives the events as
 * {time_s, urgent}; `moved(index)` hears of the cursor. Returns {draw(curve, from, to), cursor(index), resize(), remove()}.
 */
export function makeChart(box, row, { clock, marks, moved }) {
  const place = el("div", "plot");
  box.append(place);
  const width = () => Math.max(120, place.clientWidth);
  const axis = (more) => ({
    stroke: () => colour("--soft"),
    font: font(),
    grid: { stroke: () => colour("--rule"), width: 1 },
    ticks: { show: false },
    ...more,
  });
  const plot = new uPlot(
    {
      width: width(),
      height: HEIGHT,
      tzDate: clock,
      legend: { show: false },
      cursor: { sync: { key: "pot" }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (_, low, high) => spread(low, high, row.digits) } },
      axes: [axis({ size: 26, space: 60, values: (_, times) => times.map((time) => tick(clock(time), times)) }), axis({ size: 56, space: 22 })],
      series: [
        {},
        { stroke: () => colour("--ink"), width: 1.5, points: { size: 3 } },
        { stroke: () => colour("--bar"), width: 0.5, points: { show: false } },
        { stroke: () => colour("--bar"), width: 0.5, points: { show: false } },
      ],
      bands: [{ series: [2, 3], fill: () => colour("--bar-band") }],
      hooks: { draw: [(u) => drawMarks(u, marks())], setCursor: [(u) => place.matches(":hover") && moved(u.cursor.idx ?? null)] },
    },
    [[], [], [], []],
    place,
  );
  const observer = new ResizeObserver(() => plot.width !== width() && plot.setSize({ width: width(), height: HEIGHT }));
  observer.observe(place);
  return {
    draw(curve, from, to) {
      plot.batch(() => {
        plot.setData([curve.time, curve.mean, curve.high, curve.low], false);
        plot.setScale("x", { min: from, max: to });
      });
    },
    cursor(index, time) {
      plot.setCursor({ left: index === null ? -10 : plot.valToPos(time, "x"), top: 10 });
    },
    remove() {
      observer.disconnect();
      plot.destroy();
    },
  };
}

/** Room above and below, and not less than the last digits shown are worth. */
function spread(low, high, digits) {
  if (low === null || high === null) return [0, 1];
  const room = Math.max((high - low) * 0.08, 5 / 10 ** digits);
  return [low - room, high + room];
}

const two = (value) => String(value).padStart(2, "0");

/** Hours and minutes; days where the ticks are days apart. */
function tick(date, times) {
  const apart = times.length > 1 ? times[1] - times[0] : 60;
  if (apart >= 43200) return `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}${apart < 60 ? `:${two(date.getSeconds())}` : ""}`;
}

function drawMarks(u, marks) {
  const { ctx, bbox } = u;
  ctx.save();
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark.time_s, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = ctx.fillStyle = colour(mark.urgent ? "--alarm" : "--soft");
    ctx.setLineDash(mark.urgent ? [] : [3, 3]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath(); // a shape of its own beside the colour: a diamond, or a triangle for work at the pot
    const size = 4 * devicePixelRatio;
    ctx.moveTo(x, bbox.top + 2 * size);
    ctx.lineTo(x - size, bbox.top + (mark.urgent ? size : 0));
    if (mark.urgent) ctx.lineTo(x, bbox.top);
    ctx.lineTo(x + size, bbox.top + (mark.urgent ? size : 0));
    ctx.fill();
  }
  ctx.restore();
}
