// The curves of a pot: what the store tells of spans, and what the stream adds to the newest of them. No DOM here.

export const RANGES = { h1: 1, h8: 8, h24: 24, d7: 168 };
export const POINTS = 360;
const TAIL = 20; // spans that are asked for again while the page follows
const SURE = 1.96; // half the 95 % interval in standard uncertainties

/** One row a chart. `live` is the field of a pot in the snapshot; `u` the standard uncertainty that makes the band. */
export const CHARTS = [
  { name: "voltage", field: "pot.voltage_v", unit: "V", digits: 3, live: "voltage_v" },
  { name: "resistance", field: "pot.resistance_uohm", unit: "µΩ", digits: 2 },
  { name: "noise", field: "pot.noise_mv", unit: "mV", digits: 1 },
  { name: "temperature", field: "pot.bath_temperature_c", unit: "°C", digits: 1, live: "bath_temperature_c" },
  { name: "alumina", field: "twin_state.alumina_pct", u: "twin_state.u_alumina_pct", unit: "wt%", digits: 2 },
  { name: "risk", field: "twin_score.anode_effect_risk", unit: "%", digits: 1, factor: 100, live: "anode_effect_risk" },
];
export const FIELDS = CHARTS.flatMap((chart) => (chart.u ? [chart.field, chart.u] : [chart.field])).join(",");

/** An empty curve: columns by span. */
export const empty = () => ({ time: [], mean: [], low: [], high: [], count: [] });

/** The curves that an answer of /api/history tells, by name of the chart. */
export function fromHistory(answer) {
  return Object.fromEntries(CHARTS.map((chart) => [chart.name, curveOf(chart, answer.fields)]));
}

function curveOf(chart, fields) {
  const told = fields[chart.field];
  const scaled = (values) => (chart.factor ? values.map((value) => value * chart.factor) : [...values]);
  const curve = { time: [...told.time], count: [...told.count] };
  for (const column of ["mean", "low", "high"]) curve[column] = scaled(told[column]);
  if (!chart.u) return curve;
  const u = new Map(fields[chart.u].time.map((time, i) => [time, SURE * fields[chart.u].mean[i]]));
  const wide = (sign) => curve.mean.map((mean, i) => mean + sign * (u.get(curve.time[i]) ?? 0));
  return { ...curve, low: wide(-1), high: wide(1) };
}

/** `curve` with the spans of `tail` in place of its own from there on; what is newer than the tail stays. */
export function joined(curve, tail) {
  if (!tail.time.length) return curve;
  const [first, last] = [tail.time[0], tail.time.at(-1)];
  const before = curve.time.findIndex((time) => time >= first);
  const cut = before < 0 ? curve.time.length : before;
  const after = curve.time.findIndex((time) => time > last);
  const rest = after < 0 ? curve.time.length : after;
  const part = (column) => [...curve[column].slice(0, cut), ...tail[column], ...curve[column].slice(rest)];
  return Object.fromEntries(Object.keys(empty()).map((column) => [column, part(column)]));
}

/** Take a live value into the span of its time; nothing that is older than the newest span. */
export function append(curve, time, value, step) {
  if (value === null || value === undefined) return;
  const span = Math.floor(time / step) * step;
  const at = curve.time.length - 1;
  const newest = at < 0 ? -Infinity : curve.time[at];
  if (span < newest) return;
  if (span > newest) {
    for (const [column, first] of [["time", span], ["mean", value], ["low", value], ["high", value], ["count", 1]]) {
      curve[column].push(first);
    }
    return;
  }
  const count = ++curve.count[at];
  curve.mean[at] += (value - curve.mean[at]) / count;
  curve.low[at] = Math.min(curve.low[at], value);
  curve.high[at] = Math.max(curve.high[at], value);
}

/** Forget the spans before a time. */
export function forget(curve, before) {
  const from = curve.time.findIndex((time) => time >= before);
  if (from <= 0) return;
  for (const column of Object.keys(curve)) curve[column].splice(0, from);
}

/** Parameters of the question for the newest spans, of the same length as those that are there. */
export function tailOf(step) {
  return { hours: (TAIL * step - 1) / 3600, points: TAIL };
}

/** True when the newest spans would leave a gap after those that are there. */
export const tooFar = (last, now, step) => now - last > (TAIL - 2) * step;
