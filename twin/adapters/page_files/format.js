// Numbers and times as people read them. Unknown is an em dash; a minus is a minus sign.

const formats = new Map();

/** A number with a fixed count of decimals and grouped thousands. */
export function number(value, digits = 0) {
  if (value === null || value === undefined) return "—";
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  return format.format(value).replace(/^-(?=[0.]*$)/, "").replace("-", "−");
}

/** A number with its sign always shown. */
export function signed(value, digits = 0) {
  if (value === null || value === undefined) return "—";
  const text = number(value, digits);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A share in whole percent, rounded down: 100 means all of it. */
export function percent(value) {
  return number(typeof value === "number" ? Math.floor(value) : null);
}

/** Decimals that suit a limit of the plan: none for 13,000, one for 30.5. */
export function digitsOf(limit) {
  return Number.isInteger(limit) ? 0 : Math.abs(limit) >= 10 ? 1 : 2;
}

const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,]\d+)?(Z|[+-]\d{2}:?\d{2})?$/;

/** The parts of an ISO time as the plant wrote it: its own day and clock, never those of this browser. */
export function moment(iso) {
  const parts = ISO.exec(iso);
  if (!parts) return { day: "", clock: iso || "—", zone: "" };
  const [, day, clock, zone = ""] = parts;
  return { day, clock, zone: zone === "Z" || zone === "+00:00" ? "UTC" : zone && `UTC${zone.replace("-", "−")}` };
}

/** Seconds as a short span: 0.8 s, 42 s, 3 min, 2.5 h. */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "—";
  if (seconds < 9.95) return `${number(seconds, 1)} s`;
  if (seconds < 120) return `${number(seconds)} s`;
  if (seconds < 7200) return `${number(seconds / 60)} min`;
  return `${number(seconds / 3600, 1)} h`;
}
