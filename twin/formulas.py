"""The formulas behind the KPIs: totals of a window -> SI values with their uncertainty, (1 + pots,), the line first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.accounting import Totals
from twin.carbon import Carbon, Kills, Masses, direct, intensity, pfc_method
from twin.cells import SOURCES
from twin.frames import Floats
from twin.physics.faraday import metal_rate
from twin.tariff import Tariff, surcharge
from twin.uncertainty import Amount, Instruments, integrated, metal_by_faraday, metered, plus, ratio
from twin.units import from_si, to_si

__all__ = ["Basis"]

CARBON = Carbon()


@dataclass(frozen=True, slots=True)
class Basis:
    """What the figures of a line rest on beside its totals; arrays (1 + pots,), the line first.

    efficiency, u_efficiency [1]: current efficiency and its standard uncertainty. `common` [1]: the part of its
    variance that all pots share. `carbon` and `tariff` are those of the plan, `step_kwh_t` the tariff's step that
    holds [kWh/t, NaN = none].
    """

    efficiency: Floats
    u_efficiency: Floats
    instruments: Instruments
    common: float = 1.0
    carbon: Carbon = CARBON
    tariff: Tariff | None = None
    step_kwh_t: float = float("nan")

    @property
    def sharing(self) -> Floats:
        """How many pots share a meter's reading: the line itself does not share."""
        pots = np.full(len(self.efficiency), max(len(self.efficiency) - 1.0, 1.0))
        pots[0] = 1.0
        return pots


def metal(charge: Floats, b: Basis) -> Amount[Floats]:
    """Metal [kg] by Faraday from charge [A s]."""
    metal: Floats = metal_rate(charge, b.efficiency)
    return metal_by_faraday(metal, b.efficiency, b.u_efficiency, b.instruments, b.common)


def plain(value: Floats) -> Amount[Floats]:
    """An amount taken without an uncertainty of its own."""
    return Amount(value, {})


def dc(t: Totals, b: Basis) -> Amount[Floats]:
    """DC energy over Faraday's metal [J/kg]."""
    return ratio(integrated(t.dc_energy, b.instruments), metal(t.dc_charge, b))


def ac_liquid(t: Totals, b: Basis) -> Amount[Floats]:
    """Metered AC over Faraday's metal [J/kg], metric a."""
    return ratio(metered(t.ac_energy, "ac", b.instruments, b.sharing), metal(t.ac_charge, b))


def ac_comprehensive(t: Totals, b: Basis) -> Amount[Floats]:
    """Metric a plus auxiliaries, each over the metal of its own minutes [J/kg], metric b."""
    auxiliary = metered(t.auxiliary_energy, "auxiliary", b.instruments, b.sharing)
    return plus(ac_liquid(t, b), ratio(auxiliary, metal(t.auxiliary_charge, b)))


def ac_liquid_tapped(t: Totals, b: Basis) -> Amount[Floats]:
    """Metered AC over tapped metal [J/kg]."""
    scale = {"scale": t.tapped * b.instruments.scale_class_pct * 0.01 / np.sqrt(3.0)}
    return ratio(metered(t.ac_energy, "ac", b.instruments, b.sharing), Amount(t.tapped, scale))


def tapped(t: Totals, b: Basis) -> Amount[Floats]:
    """Metal tapped [kg]."""
    return Amount(t.tapped, {"scale": t.tapped * b.instruments.scale_class_pct * 0.01 / np.sqrt(3.0)})


def metal_faraday(t: Totals, b: Basis) -> Amount[Floats]:
    """Metal by Faraday in the time covered [kg]."""
    return metal(t.dc_charge, b)


def coverage(t: Totals, b: Basis) -> Amount[Floats]:
    """Part of the elapsed window with data [1]."""
    return plain(np.minimum(t.covered / t.elapsed, 1.0) if t.elapsed > 0 else np.zeros_like(t.covered))


def meter_difference(t: Totals, b: Basis) -> Amount[Floats]:
    """DC as voltage times current over the DC meter, less one [1]."""
    # The meter stands at the line: of pots nothing is known.
    known = (t.dc_metered > 0) & (t.dc_compared > 0)
    return plain(np.where(known, t.dc_compared / np.where(known, t.dc_metered, 1.0) - 1.0, np.nan))


def pot_days(t: Totals) -> Floats:
    """Time seen in days, of a line the sum over its pots; NaN where nothing was seen."""
    days: Floats = t.covered / 86400.0
    days[0] = days[1:].sum()
    return np.where(days > 0, days, np.nan)


def effects(t: Totals, b: Basis) -> Amount[Floats]:
    """Anode effects per pot-day [1]."""
    return plain(t.effects / pot_days(t))


def effect_time(t: Totals, b: Basis) -> Amount[Floats]:
    """Time in anode effect per pot-day [s]."""
    return plain(t.effect_time / pot_days(t))


def effect_energy(t: Totals, b: Basis) -> Amount[Floats]:
    """Energy of anode effects over metal [J/kg]."""
    return ratio(plain(t.effect_energy), metal(t.dc_charge, b))


def ac_energy(t: Totals, b: Basis) -> Amount[Floats]:
    """Metered AC [J]."""
    return metered(t.ac_energy, "ac", b.instruments, b.sharing)


def clean_share(t: Totals, b: Basis) -> Amount[Floats]:
    """The same for every pot: they share the line's supply."""
    whole = float(t.by_source.sum())
    clean = float(sum(t.by_source[SOURCES.index(source)] for source in b.carbon.clean_sources))
    return plain(np.full(len(t.ac_energy), clean / whole if whole > 0 else np.nan))


def _gases(t: Totals, b: Basis) -> Masses[Floats]:
    """Direct emissions [kg]; the slope depends on how the line's anode effects were killed."""
    automatic, manual = int(t.kills_automatic[0]), int(t.kills_manual[0])
    kills = Kills(automatic, manual, max(int(t.effects[0]) - automatic - manual, 0))
    made = metal(t.dc_charge, b).value
    return direct(made, pfc_method(b.carbon.method, kills), b.carbon, effect_time=t.effect_time / pot_days(t))


def cf4(t: Totals, b: Basis) -> Amount[Floats]:
    """CF4 [kg]."""
    return plain(_gases(t, b).cf4)


def c2f6(t: Totals, b: Basis) -> Amount[Floats]:
    """C2F6 [kg]."""
    return plain(_gases(t, b).c2f6)


def anode_co2(t: Totals, b: Basis) -> Amount[Floats]:
    """CO2 of the anodes [kg]."""
    return plain(_gases(t, b).co2)


def direct_intensity(t: Totals, b: Basis) -> Amount[Floats]:
    """Direct emissions over metal [kg/kg]."""
    return plain(intensity(_gases(t, b), metal(t.dc_charge, b).value, b.carbon.gwp))


def price_surcharge(t: Totals, b: Basis) -> Amount[Floats]:
    """Surcharge of the tiered power price over metal [yuan/kg]."""
    if b.tariff is None:
        return plain(np.full(len(t.ac_energy), np.nan))
    figure = from_si(ac_comprehensive(t, b).value, "kWh/t")
    return plain(to_si(surcharge(b.tariff, figure, b.step_kwh_t).yuan_t, "yuan/t"))
