// What is abnormal about a pot. The one place of the page that decides it.

const side = (value, [low, high]) => (value === null ? "" : value > high ? "high" : value < low ? "low" : "");

/** What is wrong with `pot`, and `rank`: 0 when nothing is, larger when worse. */
export function judge(pot, line) {
  const fault = pot.faults.length > 0;
  if (pot.stale) return { stale: true, fault, voltage: "", bath: "", above: false, rank: fault ? 10 : 2 };
  const voltage = side(pot.voltage_v, line.voltage_band_v);
  const bath = side(pot.bath_temperature_c, line.temperature_band_c);
  const above = pot.verdict === "fail";
  const rank = (fault ? 8 : 0) + (voltage || bath ? 4 : 0) + (above ? 1 : 0);
  return { stale: false, fault, voltage, bath, above, rank };
}

/** How many pots of a line are abnormal, in all and by kind; a pot may count under several kinds. */
export function tally(line) {
  const count = { fault: 0, band: 0, stale: 0, above: 0, all: 0 };
  for (const pot of line.pots) {
    const found = judge(pot, line);
    if (found.fault) count.fault += 1;
    if (found.voltage || found.bath) count.band += 1;
    if (found.stale) count.stale += 1;
    if (found.above) count.above += 1;
    if (found.rank) count.all += 1;
  }
  return count;
}
