"""The twin's figures after a chaos run against those of an engine that nobody disturbed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.load import Plan, Said
from tests.chaos.readback import FigureKey, engine_of, figures_of, resolved
from twin.frames import WindowFigures
from twin.outputs import outputs
from twin.parts import codec_of
from twin.ports import Message
from twin.windows import WINDOWS

__all__ = ["Compared", "compare", "undisturbed"]

EXACT = 1e-12  # relative: the last bits of a sum
# What rests on books alone, of all figures of `kpis`; the others rest on the estimated state too, on what was known
# when.
BOOKED = (
    "tapped_t", "coverage_pct", "dc_difference_pct", "anode_effects_per_day", "anode_effect_s_per_day",
    "ac_energy_kwh", "stopped_kwh", "deducted_kwh", "clean_share_pct", "cf4_kg", "c2f6_kg",
)  # fmt: skip


@dataclass(slots=True)
class Compared:
    """How many figures are equal; `worst` relative difference of each field that is not; `missing`: not written."""

    figures: int = 0
    equal: int = 0
    missing: int = 0
    extra: int = 0
    booked: int = 0
    booked_off: int = 0
    worst: dict[str, float] | None = None

    @property
    def ok(self) -> bool:
        return bool(self.booked) and not self.missing and not self.extra and not self.booked_off


def undisturbed(plan: Plan, seconds: Sequence[Sequence[Said]], words: Mapping[str, object]) -> dict[FigureKey, float]:
    """Figures of an engine that is fed every message once and in order, `seconds` by seconds of sending."""
    engine = engine_of(words)
    codec = codec_of(resolved(words), engine.roster)
    state = engine.start()
    latest: dict[tuple[int, str, int], WindowFigures] = {}
    for second, messages in enumerate(seconds):
        now_ns = plan.start_ns + (second + 1) * 1_000_000_000
        readings = codec.decode([Message(m.topic, m.payload) for m in messages if not m.reason], now_ns).readings
        state, report = engine.step(state, readings)
        latest |= {(int(f.units[0]), f.window, f.start_ns): f for f in report.figures}
    return figures_of(outputs(latest.values(), engine.roster.kinds), engine.roster.paths)


def compare(written: Mapping[FigureKey, float], wanted: Mapping[FigureKey, float]) -> Compared:
    """Field by field."""
    found, worst = Compared(len(wanted)), dict[str, float]()
    for key, off in _differences(written, wanted):
        booked = any(key[2] == f"{name}_{window}" for name in BOOKED for window in WINDOWS)
        found.booked += booked
        if math.isnan(off):
            found.missing += 1
        elif off <= EXACT:
            found.equal += 1
        else:
            found.booked_off += booked
            worst[key[2]] = max(worst.get(key[2], 0.0), off)
    found.extra = len(written.keys() - wanted.keys())
    found.worst = dict(sorted(worst.items(), key=lambda item: -item[1]))
    return found


def _differences(
    written: Mapping[FigureKey, float], wanted: Mapping[FigureKey, float]
) -> Iterator[tuple[FigureKey, float]]:
    """Relative difference of each figure; NaN where it was not written."""
    for key, value in wanted.items():
        other = written.get(key)
        yield key, math.nan if other is None else abs(other - value) / max(abs(value), abs(other), 1e-9)
