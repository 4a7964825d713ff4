"""One quarter hour of one potline: from what the minute bins hold to sums of energy, charge, time and metal.

Nothing is integrated over a gap: a minute counts for the seconds it has samples for. Row 0 of every result is the
line, rows 1.. its pots.

- DC of a pot: mean V times mean I of a minute, for the seconds in which the pot's voltage was seen.
- DC of the line: line voltage times current, busbars included.
- AC and auxiliaries: metered for the line; allocated to pots by their share of the sum of pot voltages.
- Charge: current times time, for a line times the number of pots that make metal (more than 1.65 V).
- Anode effects: seconds above the limit of the fault table; energy above the pot's own voltage of that quarter hour.
- Stopped pots: DC lost in the short circuit of pots that make nothing while current flows.
- What the estimated state adds (`explain`) is weighed by the pot's own charge.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from twin.faults import FAULTS
from twin.frames import Floats
from twin.physics.voltage import PotVoltage
from twin.units import to_si

__all__ = ["EFFECT_VOLTAGE", "PARTS", "PLACE", "QUANTITIES", "RATES", "SOURCES", "Minutes", "explain", "quantities"]

# Below the extrapolated back-EMF no metal is made: the pot is cut out (short-circuited).
CUT_OUT_VOLTAGE = 1.65
_EFFECT = next(fault for fault in FAULTS if fault.code == "anode_effect")
EFFECT_VOLTAGE = to_si(_EFFECT.limit, "V")
# Sources of the supply, in the order of the line's power-mix signals.
SOURCES = ("hydro", "wind", "solar", "nuclear", "coal", "gas")
MEASURED = (
    "dc_energy",
    "dc_charge",
    "covered",
    "ac_energy",
    "ac_charge",
    "auxiliary_energy",
    "auxiliary_charge",
    "dc_metered",
    "dc_compared",
    "tapped",
    "effect_time",
    "effect_energy",
    "effects",
    "kills_automatic",
    "kills_manual",
    "stopped_energy",
)
PARTS = tuple(part.name for part in fields(PotVoltage))
# What the estimated state adds, weighed by charge: `explained` is the charge for which there was one [A s], `quiet` and
# `beyond` its efficiency by the model and by the pot's own offset [A s], the parts of the voltage [V A s].
ESTIMATED = ("explained", "quiet", "beyond", *PARTS, "above_target", "instability", "inventory")
QUANTITIES = MEASURED + ESTIMATED
RATES = ("quiet", *PARTS, "above_target", "metal", "instability")
PLACE = {name: place for place, name in enumerate(QUANTITIES)}


@dataclass(frozen=True, slots=True)
class Minutes:
    """What the bins hold of M minutes; P pots. Means [SI] and seconds seen; 0 where nothing was seen.

    voltage, voltage_s, effect_s (P, M); `effect_s` counts seconds above EFFECT_VOLTAGE, `effect_before` (P, M) is that
    of the M minutes before. current, current_s, line_voltage, line_s (M,). `metered` maps ac, auxiliary and dc to the
    energy since the last reading of the minute before [J] and its duration [s], 0 where unknown. `shares` (sources, M).
    """

    voltage: Floats
    voltage_s: Floats
    effect_s: Floats
    effect_before: Floats
    current: Floats
    current_s: Floats
    line_voltage: Floats
    line_s: Floats
    metered: dict[str, tuple[Floats, Floats]]
    shares: Floats


def quantities(m: Minutes) -> tuple[Floats, Floats]:
    """Sums over the minutes: (QUANTITIES, 1 + P), and AC energy by source (SOURCES,) [J]."""
    out = np.zeros((len(QUANTITIES), 1 + len(m.voltage)))
    flowing = m.current_s > 0
    seen = (m.voltage_s > 0) & flowing
    making = seen & (m.voltage > CUT_OUT_VOLTAGE)
    watched = seen.sum(axis=0)
    share_making = making.sum(axis=0) / np.maximum(watched, 1)
    pots_making = len(m.voltage) * np.where(watched > 0, share_making, 1.0)
    _electric(m, flowing, making, pots_making, out)
    by_source = _metered(m, flowing, making, pots_making, out)
    _effects(m, flowing, seen, out)
    return out, by_source


def _electric(
    m: Minutes, flowing: NDArray[np.bool_], making: NDArray[np.bool_], pots_making: Floats, out: Floats
) -> None:
    covered, line_covered = m.voltage_s * flowing, m.line_s * flowing
    out[PLACE["dc_energy"], 0] = (m.line_voltage * m.current * line_covered).sum()
    out[PLACE["dc_charge"], 0] = (m.current * line_covered * pots_making).sum()
    out[PLACE["covered"], 0] = m.current_s.sum()
    out[PLACE["dc_energy"], 1:] = (m.voltage * m.current * covered).sum(axis=1)
    out[PLACE["dc_charge"], 1:] = (m.current * covered * making).sum(axis=1)
    out[PLACE["covered"], 1:] = covered.sum(axis=1)
    stopped = out[PLACE["stopped_energy"]]
    stopped[1:] = (m.voltage * m.current * covered * ~making).sum(axis=1)
    stopped[0] = stopped[1:].sum()


def _metered(
    m: Minutes, flowing: NDArray[np.bool_], making: NDArray[np.bool_], pots_making: Floats, out: Floats
) -> Floats:
    # Voltage the whole line would show, from the pots seen: the base of allocation.
    all_voltage = (m.voltage * making).sum(axis=0) / np.maximum(making.sum(axis=0), 1) * pots_making
    fraction = m.voltage * making / np.maximum(all_voltage, 1e-9)
    for name in ("ac", "auxiliary"):
        energy, duration = m.metered[name]
        counted = flowing & (duration > 0)
        charge = m.current * duration * counted
        out[PLACE[f"{name}_energy"], 0] = (energy * counted).sum()
        out[PLACE[f"{name}_charge"], 0] = (charge * pots_making).sum()
        # Not `@`: a BLAS adds in an order of its own on each processor, and books are equal to the last bit.
        out[PLACE[f"{name}_energy"], 1:] = (fraction * (energy * counted)).sum(axis=1)
        out[PLACE[f"{name}_charge"], 1:] = (making * charge).sum(axis=1)
    # The cross-check: both over the same time, of the minutes in which the line's voltage and current were seen.
    energy, duration = m.metered["dc"]
    counted = flowing & (m.line_s > 0)
    out[PLACE["dc_metered"], 0] = (energy * counted).sum()
    out[PLACE["dc_compared"], 0] = (m.line_voltage * m.current * duration * counted).sum()
    by_source: Floats = (m.shares * (m.metered["ac"][0] * flowing)).sum(axis=1)
    return by_source


def _effects(m: Minutes, flowing: NDArray[np.bool_], seen: NDArray[np.bool_], out: Floats) -> None:
    # A minute belongs to an effect when that lasted the fault's hold; one within the re-strike time is the same effect.
    lit = m.effect_s >= _EFFECT.hold_s
    if not lit.any():
        return
    before = (m.effect_before >= _EFFECT.hold_s).any(axis=1)
    quiet = seen & (m.effect_s == 0)
    usual = (m.voltage * quiet).sum(axis=1) / np.maximum(quiet.sum(axis=1), 1)
    over = np.maximum(m.voltage - usual[:, None], 0.0) * lit * (quiet.any(axis=1)[:, None])
    out[PLACE["effect_time"], 1:] = (m.effect_s * lit).sum(axis=1)
    out[PLACE["effect_energy"], 1:] = (over * m.current * m.voltage_s * flowing).sum(axis=1)
    out[PLACE["effects"], 1:] = lit.any(axis=1) & ~before
    for name in ("effect_time", "effect_energy", "effects"):
        out[PLACE[name], 0] = out[PLACE[name], 1:].sum()


def explain(sums: Floats, rates: Floats, metal_before: Floats) -> None:
    """Write what the estimated state says of a quarter hour into its sums (QUANTITIES, 1 + P), in place.

    `rates` (RATES, P): state at its end, NaN = not known; `metal_before` (P,): metal [kg] a quarter hour before.
    """
    row = dict(zip(RATES, rates, strict=True))
    charge = sums[PLACE["dc_charge"], 1:]
    known = np.isfinite(row["quiet"])
    sums[PLACE["explained"], 1:] = np.where(known, charge, 0.0)
    for name in ("quiet", *PARTS, "above_target", "instability"):
        sums[PLACE[name], 1:] = np.where(known, row[name] * charge, 0.0)
    sums[PLACE["inventory"], 1:] = np.nan_to_num(row["metal"] - metal_before)
    first = len(MEASURED)
    sums[first:, 0] = sums[first:, 1:].sum(axis=1)
