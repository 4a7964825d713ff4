"""The line: rectifier, current with ripple and dips, busbars, meters, auxiliaries and the power mix of the day."""

from __future__ import annotations

import math
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import numpy as np

from simulators import chance
from simulators.effects import Effects
from twin.plant import Line, Meter
from twin.units import JOULE_PER_KWH

__all__ = ["SOURCES", "EnergyMeter", "Rectifier", "mix"]

SOURCES = ("hydro", "wind", "solar", "nuclear", "coal", "gas")
RIPPLE = 0.0005  # page 6: sigma 60-70 A at 126 kA, 0.05 %
RIPPLE_TIME = 20.0  # s over which the ripple is correlated (U)
DIP = 0.0024  # page 6: dips of -300 A at 126 kA
DIP_TIME = 25.0  # s in which the regulator makes up a dip (U)
DIP_EVERY = 1500.0  # s on average (U)
BUSBAR_PER_POT = 0.018  # V at rated current, end busbars and crossovers shared by the pots (U)
FIXED_LOSS = 0.25  # share of the rectifier's rated loss that does not depend on the current (U)
AUXILIARY = 55e3 / 500e3  # W per A of rated current and pot: 350 kWh/t (plan 1: 13,350 - 13,000)
DAY_SWING = 0.08  # of the auxiliary power, more by day (U)
WIND = (0.4, 1.2)  # least wind and its range, over its mean (U)
EFFECT_DIP = 0.5  # of the relative rise of line voltage by an anode effect that the current falls by (U)


class EnergyMeter:
    """A cumulative meter: true energy, and what the meter shows: class error, steps of 1 kWh, rollover."""

    def __init__(self, meter: Meter, start_kwh: float, luck: float) -> None:
        self.rollover = meter.rollover_kwh
        self.gain = 1.0 + luck * meter.accuracy_class * 0.01
        self.energy = 0.0  # J, true since the start
        self.shown = start_kwh

    def add(self, joule: float, drift: float) -> None:
        """Count energy; `drift` is the factor a fault puts on what the meter counts."""
        self.energy += joule
        self.shown += joule * (self.gain * drift / JOULE_PER_KWH)
        if self.shown >= self.rollover:
            self.shown -= self.rollover

    def reading(self) -> float:
        """Counter [kWh], whole kWh."""
        return math.floor(self.shown)


class Rectifier:
    """One rectifier station and its line."""

    def __init__(self, line: Line, rated: float, seed: int, start_s: float, zone: ZoneInfo) -> None:
        self.line, self.rated, self.seed, self.zone = line, rated, seed, zone
        self.rng = np.random.default_rng([seed, 3])
        self.setpoint = rated  # A
        self.current = rated
        self.voltage = 0.0
        self.busbar = BUSBAR_PER_POT * line.pots / rated  # ohm
        self.start_s = start_s
        self.ac_power = self.dc_power = self.auxiliary_power = 0.0
        luck = [2.0 * chance.uniform(seed, 31, n) - 1.0 for n in range(3)]
        pairs = ((line.ac_meter, luck[0]), (line.dc_meter, luck[1]), (line.auxiliary_meter, luck[2]))
        starts = [meter.rollover_kwh * (0.3 + 0.4 * chance.uniform(seed, 32, n)) for n, (meter, _) in enumerate(pairs)]
        self.ac, self.dc, self.auxiliary = (
            EnergyMeter(meter, min(start, 4e9), luck) for (meter, luck), start in zip(pairs, starts, strict=True)
        )
        self._ripple = 0.0
        self._dip = 0.0
        self._usual = 0.0  # V of anode effects the regulator has got used to

    def step(self, effect_volts: float, effects: Effects, dt: float) -> float:
        """Line current of this step [A]; `effect_volts` is what anode effects add to the line voltage."""
        keep = math.exp(-dt / RIPPLE_TIME)
        normal, luck = self.rng.standard_normal(), self.rng.random()
        self._ripple = self._ripple * keep + RIPPLE * math.sqrt(1.0 - keep * keep) * normal
        recover = math.exp(-dt / DIP_TIME)
        self._dip *= recover
        if luck < dt / DIP_EVERY:
            self._dip -= DIP * (0.6 + 0.8 * self.rng.random())
        self._usual += (effect_volts - self._usual) * (1.0 - recover)
        sag = EFFECT_DIP * (effect_volts - self._usual) / max(self.voltage, 1.0)
        self.current = self.setpoint * effects.current * max(1.0 + self._ripple + self._dip - min(sag, 0.3), 0.0)
        return self.current

    def meter(self, pot_volts: float, effects: Effects, dt: float) -> None:
        """Energy of this step through the meters; `pot_volts` is the sum of all pot voltages."""
        self.voltage = pot_volts + self.current * self.busbar
        self.dc_power = self.voltage * self.current
        efficiency = self.efficiency() - effects.rectifier_loss
        self.ac_power = self.dc_power / efficiency
        self.ac.add(self.ac_power * dt, effects.ac_meter)
        self.dc.add(self.dc_power * dt, effects.dc_meter)
        self.auxiliary.add(self.auxiliary_power * dt, effects.auxiliary_meter)

    def efficiency(self) -> float:
        """Rectifier efficiency at this current: the plant file's figure at rated current."""
        loss = 1.0 - self.line.rectifier_efficiency_pct * 0.01
        load = max(self.current / self.rated, 0.05)
        return 1.0 - loss * (FIXED_LOSS / load + 1.0 - FIXED_LOSS)

    def slow(self, time_s: float) -> None:
        """Auxiliary power through the day: more by day, when the potroom works."""
        hour = local_hour(time_s, self.zone)
        day = 1.0 + DAY_SWING * math.sin(2.0 * math.pi * (hour - 8.0) / 24.0)
        self.auxiliary_power = AUXILIARY * self.rated * self.line.pots * day

    def power_mix(self, time_s: float) -> dict[str, float]:
        """Share of each source now [%], adding up to 100."""
        return mix(self.line.power_mix_pct, local_hour(time_s, self.zone), time_s, self.seed)


def local_hour(time_s: float, zone: ZoneInfo) -> float:
    """Hour of the local day; `time_s` counts from 1970, UTC."""
    from datetime import UTC, datetime

    offset = datetime.fromtimestamp(time_s, UTC).astimezone(zone).utcoffset()
    seconds = time_s + (offset.total_seconds() if offset else 0.0)
    return (seconds % 86400.0) / 3600.0


def mix(base: Mapping[str, float], hour: float, time_s: float, seed: int) -> dict[str, float]:
    """Power mix of a moment: sun by the hour, wind by the weather, the largest of the other sources fills the rest."""
    shares = {source: base.get(source, 0.0) for source in SOURCES}
    total = sum(shares.values())
    if total <= 0.0:
        return {source: (100.0 if source == "coal" else 0.0) for source in SOURCES}
    shares = {source: share * 100.0 / total for source, share in shares.items()}
    sun = max(math.cos((hour - 12.5) / 24.0 * 2.0 * math.pi) - 0.2, 0.0) / 0.2265  # mean of a day: 1
    block, part = divmod(time_s / 10800.0, 1.0)
    gusts = [chance.uniform(seed, 41, int(block) + n) for n in (0, 1)]
    wind = WIND[0] + WIND[1] * (gusts[0] * (1.0 - part) + gusts[1] * part)  # new weather every three hours
    filler = max((s for s in SOURCES if s not in ("solar", "wind")), key=lambda s: shares[s])
    shares["solar"] *= sun
    shares["wind"] *= wind
    rest = sum(share for source, share in shares.items() if source != filler)
    if rest > 100.0:
        shares = {source: share * 100.0 / rest for source, share in shares.items()}
        rest = 100.0
    shares[filler] = 100.0 - rest
    return shares
