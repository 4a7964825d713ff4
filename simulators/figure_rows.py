"""Rows of the table of figures: what is measured, the published range, its source, and why it may be missed.

Sources are the keys of the list at the end of docs/simulator.md; "class" is the usual figure of 500 kA pots, from
general knowledge and not confirmed in a source (U).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from twin.frames import Floats
from twin.physics.heat import heat_loss
from twin.units import KELVIN_AT_0_C

if TYPE_CHECKING:
    from simulators.figures import Survey

__all__ = ["ROWS", "Figure", "Row", "figure", "table"]


@dataclass(frozen=True, slots=True)
class Row:
    """`of` gives one number or many (over pots and time); `least`, `most` bound the published range, None = open."""

    name: str
    unit: str
    of: Callable[[Survey], Floats | float]
    least: float | None
    most: float | None
    source: str
    why: str = ""  # said where the range is missed


class Figure(NamedTuple):
    """One row with its numbers."""

    row: Row
    mean: float
    low: float  # 5 %
    high: float  # 95 %
    verdict: str


def _truth(key: str, scale: float = 1.0, offset: float = 0.0) -> Callable[[Survey], Floats]:
    return lambda s: np.array(s.rows[key]) * scale + offset


def _per_tonne(kilograms: Callable[[Survey], float]) -> Callable[[Survey], float]:
    return lambda s: kilograms(s) / float(s.metal.sum()) * 1e3


def _every(event: str, per_day: float = 1.0) -> Callable[[Survey], float]:
    """Pot-days an event, times a factor; nan when it never came."""
    return lambda s: s.pot_days / s.counts[event] * per_day if event in s.counts else float("nan")


def _expected_loss(s: Survey) -> float:
    line = s.line
    internal = np.mean(s.rows["pot_voltage_v"]) - line.current_rated * line.p.r_external.mean()
    return float(heat_loss(line.current_rated, float(internal), float(np.mean(s.rows["efficiency"]))))


def _all(windows: list[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *windows])


def _kwh(joule: float) -> float:
    return joule / 3.6e6


ROWS: tuple[Row, ...] = (
    Row("current efficiency", "%", _truth("efficiency", 100.0), 92.5, 94.5, "class"),
    Row("pot voltage", "V", _truth("pot_voltage_v"), 3.92, 4.00, "class",
        "set voltages differ by 30 mV (one sigma) between pots; feed cycles and work come on top"),
    Row("DC energy of a pot", "kWh/t", lambda s: s.energy / 3.6e3 / s.metal, 12430.0, 12840.0, "2980 V/CE at 3.92-4.05 V and 94 %",
        "as the voltage: the best and the worst pots of a line lie outside"),
    Row("AC energy of the line", "kWh/t", _per_tonne(lambda s: _kwh(s.line.rectifier.ac.energy)), None, 13000.0, "plan"),
    Row("auxiliary energy of the line", "kWh/t", _per_tonne(lambda s: _kwh(s.line.rectifier.auxiliary.energy)), 300.0, 400.0, "GB 21346: 350"),
    Row("heat lost over that of the formula", "1", lambda s: np.array(s.lost_w) / _expected_loss(s), 0.95, 1.05, "I (V_int - 0.48 - 1.65 CE)"),
    Row("bath temperature", "C", _truth("temperature_k", offset=-KELVIN_AT_0_C), 945.0, 960.0, "class",
        "hot pots for hours after an anode effect; published are means of lines"),
    Row("superheat", "C", _truth("superheat_k"), 8.0, 12.0, "class"),
    Row("excess AlF3", "wt%", _truth("excess_alf3_wt_pct"), 9.0, 12.0, "class"),
    Row("alumina", "wt%", _truth("alumina_wt_pct"), 2.0, 4.0, "S"),
    Row("alumina swing of a feed cycle", "wt%", lambda s: np.array(s.cycle_wt_pct), 0.3, 0.6, "Du: 2.0-2.5 and 0.1 more after the switch"),
    Row("voltage swing of a feed cycle", "mV", lambda s: np.array(s.cycle_mv), 65.0, 65.0, "Y, one 126 kA pot",
        "half the alumina swing of that pot, see below"),
    Row("feed cycle", "min", lambda s: np.array(s.cycle_min), 87.0, 87.0, "Y, one 126 kA pot",
        "half the alumina swing of that pot, see below"),
    Row("voltage noise, sigma of 1 s means", "mV", lambda s: _all(s.noise_1s) * 1e3, 6.0, 8.0, "Y, one 126 kA pot at 5 s",
        "whether samples or means of 5 s were published is not known"),
    Row("voltage noise, sigma of 5 s means", "mV", lambda s: _all(s.noise_5s) * 1e3, 6.0, 8.0, "Y, one 126 kA pot at 5 s",
        "if means were published, this line is the calmer one"),
    Row("cathode drop", "mV", _truth("cathode_drop_v", 1e3), 250.0, 320.0, "class"),
    Row("distance anode to metal", "mm", _truth("distance_m", 1e3), 26.0, 42.0, "Y: 26-29 at 126 kA, 42 at 350 kA",
        "what the set voltage leaves: this class runs at 0.80 A/cm2, those pots at 0.85 and more"),
    Row("ledge", "cm", _truth("ledge_m", 100.0), 5.0, 10.0, "S",
        "thickness is what superheat and shell cooling leave; the thickest belong to the coldest pots"),
    Row("side-wall shell", "C", _truth("wall_k", offset=-KELVIN_AT_0_C), 200.0, 400.0, "U",
        "follows from area and heat transfer of S; real shells spread the heat over more steel"),
    Row("anode effects", "per pot-day", lambda s: s.effects / s.pot_days, 0.02, 0.1, "U; China's target: 0.03"),
    Row("length of an anode effect", "min", lambda s: s.effect_s / 60.0 / max(s.effects, 1), 1.0, 3.0, "U"),
    Row("voltage of an anode effect", "V", lambda s: np.array(s.effect_volts), 10.0, 50.0, "P"),
    Row("anode life", "d", lambda s: s.line.anode_count * _every("anode_changed")(s), 30.0, 33.0, "class; HAL275: 25"),
    Row("hours between taps", "h", _every("tapped_metal_kg", 24.0), 24.0, 32.0, "class"),
    Row("days between beam raises", "d", _every("beam_raised", 2.0), 17.0, 17.0, "HAL275",
        "a stroke of 0.34 m at 16 mm of carbon a day; that pot burns faster (25 d an anode)"),
    Row("alumina", "kg/t", _per_tonne(lambda s: s.fed), 1880.0, 1930.0, "2 Al2O3 + 3 C: 1889; no dust, no moisture"),
    Row("AlF3", "kg/t", _per_tonne(lambda s: s.alf3), 12.0, 25.0, "U"),
    Row("net anode carbon", "kg/t", _per_tonne(lambda s: s.carbon), 400.0, 420.0, "U"),
)  # fmt: skip


def figure(row: Row, values: Floats | float) -> Figure:
    """Mean and spread of a row's values, and whether they lie in the published range."""
    flat = np.ravel(np.asarray(values, float))
    flat = flat if flat.size else np.array([np.nan])
    mean, low, high = float(flat.mean()), *(float(x) for x in np.percentile(flat, (5, 95)))
    least = -np.inf if row.least is None else row.least
    most = np.inf if row.most is None else row.most
    slack = 1e-9 * abs(mean)
    if not np.isfinite(mean):
        verdict = "none in this run"
    elif not least - slack <= mean <= most + slack:
        verdict = f"**outside**: {row.why}" if row.why else "**outside**"
    elif low < least - slack or high > most + slack:
        verdict = f"mean inside: {row.why}" if row.why else "mean inside"
    else:
        verdict = "inside"
    return Figure(row, mean, low, high, verdict)


def _range(row: Row, digits: int) -> str:
    if row.least is None or row.most is None:
        return f"<= {row.most:.{digits}f}" if row.most is not None else f">= {row.least:.{digits}f}"
    if row.least == row.most:
        return f"{row.most:g}"
    return f"{row.least:g}-{row.most:g}"


def table(figures: list[Figure]) -> str:
    """Markdown."""
    lines = ["| figure | unit | mean | 5-95 % | published | source | verdict |", "|---|---|---|---|---|---|---|"]
    for row, mean, low, high, verdict in figures:
        digits = 0 if abs(mean) >= 1000 else (1 if abs(mean) >= 20 else (3 if abs(mean) < 0.1 else 2))
        spread = "" if low == high else f"{low:.{digits}f}-{high:.{digits}f}"
        cells = (row.name, row.unit, f"{mean:.{digits}f}", spread, _range(row, digits), row.source, verdict)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
