"""What a line without a twin knows: raw readings, the last sample held, Faraday at 94 %."""

from __future__ import annotations

import numpy as np

from tests.estimator.line import Minute
from twin.estimator import SAMPLES
from twin.frames import Floats

__all__ = ["EFFICIENCY", "Naive"]

EFFICIENCY = 0.94
DEPTH_TO_KG = 2300.0 * 70.4  # kg per m of metal of the nominal cavity
HELD = {
    "alumina_wt_pct": "alumina_pct",
    "excess_alf3_wt_pct": "excess_alf3_pct",
    "superheat_k": "superheat_c",
    "metal_kg": "metal_level_cm",
}


class Naive:
    """Holds the last sample of each kind at each pot; before a pot's first, the mean over the pots that have one."""

    def __init__(self, pots: int) -> None:
        self.held = np.full((len(SAMPLES), pots), np.nan)
        self.thermocouple = np.full(pots, np.nan)

    def take(self, minute: Minute) -> None:
        """Samples count from when they came."""
        samples = minute.samples
        order = np.argsort(samples.number, kind="stable")
        self.held[samples.kind[order], samples.pot[order]] = samples.value[order]
        reading = minute.inputs.thermocouple
        self.thermocouple = np.where(np.isfinite(reading), reading, self.thermocouple)

    def told(self) -> dict[str, Floats]:
        """Figures (pots,) [SI] by the names of the estimator's outputs."""
        by_signal = {kind.signal: row for kind, row in zip(SAMPLES, self.held, strict=True)}
        if np.isfinite(self.thermocouple).any():
            temperature = self.thermocouple
        else:
            temperature = by_signal["bath_temperature_manual_c"]
        found = {name: by_signal[signal] for name, signal in HELD.items()} | {"temperature_k": temperature}
        found["metal_kg"] = found["metal_kg"] * DEPTH_TO_KG
        known = {n: float(np.nanmean(v)) if np.isfinite(v).any() else np.nan for n, v in found.items()}
        found = {name: np.where(np.isfinite(v), v, known[name]) for name, v in found.items()}
        return found | {"efficiency": np.full(len(self.thermocouple), EFFICIENCY)}
