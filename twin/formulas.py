"""The formulas behind the KPIs: an `Account` of a window -> SI values with their uncertainty, (rows,)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twin.carbon import Carbon, Kills, Masses, direct, intensity, pfc_method
from twin.cells import PARTS, SOURCES
from twin.frames import Floats
from twin.losses import Averages, LossTree, tree
from twin.physics.elementary import only_positive
from twin.physics.faraday import metal_rate
from twin.physics.voltage import PotVoltage
from twin.tariff import Tariff, surcharge
from twin.totals import Totals
from twin.uncertainty import Amount, Instruments, integrated, metal_by_faraday, metered, plus, ratio
from twin.units import from_si, to_si

__all__ = ["Account", "Basis"]

CARBON = Carbon()
ENOUGH = 0.99  # of the time: below it metal as weighed and energy as metered are not of the same time


@dataclass(frozen=True, slots=True)
class Basis:
    """What figures rest on beside their totals; each a number or an array (rows,).

    efficiency [1]: current efficiency where no state is estimated; u_common, u_own [1]: standard uncertainty of the
    efficiency, the part that all pots share and that of the row alone; learnt [1]: how far taps told it.
    inventory_sd [kg]: of the metal in the row's pots. together, sharing: how many pots stand behind the row's share of
    a meter, and how many share it. `carbon`, `tariff` of the plan, `step_kwh_t` the tariff's step [kWh/t, NaN = none].
    `stopped_off`: what stopped pots lose is taken off the AC; given [J]: what else is, of the row's line.
    """

    efficiency: Floats | float
    u_common: Floats | float
    instruments: Instruments
    u_own: Floats | float = 0.0
    learnt: Floats | float = 0.0
    inventory_sd: Floats | float = 0.0
    together: Floats | float = 1.0
    sharing: Floats | float = 1.0
    carbon: Carbon = CARBON
    tariff: Tariff | None = None
    step_kwh_t: float = float("nan")
    stopped_off: bool = False
    given: Floats | float = 0.0


def plain(value: Floats) -> Amount[Floats]:
    """An amount taken without an uncertainty of its own."""
    return Amount(value, {})


class Account:
    """Totals of a window and what they rest on; what several formulas share is computed once."""

    def __init__(self, totals: Totals, basis: Basis) -> None:
        self.totals = totals
        self.basis = basis

    @cached_property
    def efficiency(self) -> Floats:
        """Current efficiency [1]: of the estimated state, weighed by charge; where there is none that of the basis."""
        explained = self.totals.of("explained")
        known = explained > 0
        found = (self.totals.of("quiet") + self.totals.of("beyond")) / np.where(known, explained, 1.0)
        return np.where(known, found, self.basis.efficiency)

    def made(self, charge: Floats) -> Amount[Floats]:
        """Metal [kg] by Faraday from charge [A s]."""
        b = self.basis
        metal: Floats = metal_rate(charge, self.efficiency)
        return metal_by_faraday(metal, self.efficiency, b.u_common, b.u_own, b.instruments, b.learnt)

    @cached_property
    def metal(self) -> Amount[Floats]:
        """Metal of the time covered [kg]."""
        return self.made(self.totals.of("dc_charge"))

    @cached_property
    def deducted(self) -> Floats:
        """AC taken off [J], as the plan's deductions say; of a pot or section its share of what its line's is."""
        t, b = self.totals, self.basis
        ac, dc = t.of("ac_energy"), t.of("dc_energy")
        share = ac / only_positive(ac[t.own])
        lost = (t.of("stopped_energy") * ac / only_positive(dc))[t.own] if b.stopped_off else 0.0
        return np.nan_to_num(share * (lost + b.given))

    @cached_property
    def ac(self) -> Amount[Floats]:
        """Metered AC less what is deducted [J]; of a pot or section its share by voltage."""
        return Amount(self.meter.value - self.deducted, self.meter.parts)

    @cached_property
    def meter(self) -> Amount[Floats]:
        """AC as metered [J]."""
        b = self.basis
        return metered(self.totals.of("ac_energy"), "ac", b.instruments, b.sharing, b.together)

    @cached_property
    def ac_liquid(self) -> Amount[Floats]:
        """Metered AC over the metal of its own minutes [J/kg], metric a."""
        return ratio(self.ac, self.made(self.totals.of("ac_charge")))

    @cached_property
    def auxiliary(self) -> Amount[Floats]:
        """Auxiliaries over the metal of their own minutes [J/kg]."""
        t, b = self.totals, self.basis
        energy = metered(t.of("auxiliary_energy"), "auxiliary", b.instruments, b.sharing, b.together)
        return ratio(energy, self.made(t.of("auxiliary_charge")))

    @cached_property
    def pot_days(self) -> Floats:
        """Time seen in days, summed over the row's pots; NaN where nothing was seen."""
        days = self.totals.seen / 86400.0
        return np.where(days > 0, days, np.nan)

    @cached_property
    def gases(self) -> Masses[Floats]:
        """Direct emissions [kg]; the slope depends on how the line's anode effects were killed."""
        t, carbon = self.totals, self.basis.carbon
        by_hand = ((t.of("effects") - t.of("kills_automatic"))[t.own] > 0) | (t.of("kills_manual")[t.own] > 0)
        all_automatic, not_all = Kills(automatic=1), Kills(manual=1)
        one, other = (
            direct(self.metal.value, pfc_method(carbon.method, kills), carbon, effect_time=self._effect_time)
            for kills in (not_all, all_automatic)
        )
        each = (np.where(by_hand, getattr(one, g), getattr(other, g)) for g in ("co2", "cf4", "c2f6"))
        return Masses(*(t.over_lines(masses) for masses in each))

    @cached_property
    def _effect_time(self) -> Floats:
        return self.totals.of("effect_time") / self.pot_days

    @cached_property
    def losses(self) -> LossTree[Floats]:
        """The loss tree that ends at ac_liquid [J/kg]; NaN where no state is estimated."""
        t = self.totals
        explained = only_positive(t.of("explained"))
        parts: PotVoltage[Floats] = PotVoltage(*(t.of(part) / explained for part in PARTS))
        dc = t.pots_energy / only_positive(self.made(t.pots_charge).value)
        line_dc = t.of("dc_energy")[t.own] / only_positive(t.of("dc_charge")[t.own])
        line_ac = t.of("ac_energy")[t.own] / only_positive(t.of("ac_charge")[t.own])
        return tree(
            Averages(
                voltage=t.pots_energy / only_positive(t.pots_charge),
                efficiency=self.efficiency,
                ac=self.ac_liquid.value,
                dc=dc,
                parts=parts,
                above_target=t.of("above_target") / explained,
                effects=t.of("effect_energy") / only_positive(t.pots_charge),
                instability=t.of("instability") / explained,
                station=self.ac_liquid.value * line_dc / line_ac,
            )
        )


def dc(a: Account) -> Amount[Floats]:
    """DC energy over Faraday's metal [J/kg]."""
    return ratio(integrated(a.totals.of("dc_energy"), a.basis.instruments, a.basis.together), a.metal)


def ac_liquid(a: Account) -> Amount[Floats]:
    """Metric a [J/kg]."""
    return a.ac_liquid


def ac_comprehensive(a: Account) -> Amount[Floats]:
    """Metric a plus auxiliaries [J/kg], metric b."""
    return plus(a.ac_liquid, a.auxiliary)


def tapped(a: Account) -> Amount[Floats]:
    """Metal tapped [kg]."""
    mass = a.totals.of("tapped")
    return Amount(mass, {"scale": mass * (a.basis.instruments.scale_class_pct * 0.01 / np.sqrt(3.0))})


def production(a: Account) -> Amount[Floats]:
    """Metal tapped plus the change of the metal in the pots [kg]; NaN where no state is estimated."""
    weighed, t = tapped(a), a.totals
    known = t.of("explained") > 0
    both = np.sqrt(2.0) * a.basis.inventory_sd + 0.0 * weighed.value
    return Amount(np.where(known, weighed.value + t.of("inventory"), np.nan), {**weighed.parts, "level": both})


def ac_liquid_tapped(a: Account) -> Amount[Floats]:
    """Metered AC over tapped metal [J/kg]."""
    return ratio(a.ac, tapped(a))


def ac_liquid_produced(a: Account) -> Amount[Floats]:
    """Metered AC over tapped metal and the change of the metal in the pots [J/kg]; NaN where time was missed."""
    found = ratio(a.ac, production(a))
    whole = coverage(a).value >= ENOUGH
    return Amount(np.where(whole, found.value, np.nan), found.parts)


def efficiency(a: Account) -> Amount[Floats]:
    """Current efficiency [1]; NaN where nothing was made."""
    made = np.where(a.totals.of("dc_charge") > 0, a.efficiency, np.nan)
    nothing = np.zeros_like(made)
    return Amount(made, {"efficiency_common": a.basis.u_common + nothing, "efficiency": a.basis.u_own + nothing})


def metal_faraday(a: Account) -> Amount[Floats]:
    """Metal by Faraday in the time covered [kg]."""
    return a.metal


def coverage(a: Account) -> Amount[Floats]:
    """Part of the elapsed window with data [1]."""
    elapsed = a.totals.elapsed
    seen = a.totals.of("covered") / np.where(elapsed > 0, elapsed, 1.0)
    return plain(np.where(elapsed > 0, np.minimum(seen, 1.0), 0.0))


def meter_difference(a: Account) -> Amount[Floats]:
    """DC as voltage times current over the DC meter, less one [1]."""
    metered_dc, compared = a.totals.of("dc_metered"), a.totals.of("dc_compared")
    # The meter stands at the line: of pots nothing is known.
    known = (metered_dc > 0) & (compared > 0)
    return plain(np.where(known, compared / np.where(known, metered_dc, 1.0) - 1.0, np.nan))


def effects(a: Account) -> Amount[Floats]:
    """Anode effects per pot-day [1]."""
    return plain(a.totals.of("effects") / a.pot_days)


def effect_time(a: Account) -> Amount[Floats]:
    """Time in anode effect per pot-day [s]."""
    return plain(a.totals.of("effect_time") / a.pot_days)


def effect_energy(a: Account) -> Amount[Floats]:
    """Energy of anode effects over metal [J/kg]."""
    return ratio(plain(a.totals.of("effect_energy")), a.metal)


def ac_energy(a: Account) -> Amount[Floats]:
    """Metered AC [J]."""
    return a.meter


def deducted(a: Account) -> Amount[Floats]:
    """AC taken off by the plan's deductions [J]."""
    return plain(a.deducted)


def stopped_energy(a: Account) -> Amount[Floats]:
    """DC lost in stopped pots [J]."""
    return plain(a.totals.of("stopped_energy"))


def clean_share(a: Account) -> Amount[Floats]:
    """The same for every pot: they share the line's supply."""
    mix = a.totals.by_source
    clean = mix[[SOURCES.index(source) for source in a.basis.carbon.clean_sources]].sum(axis=0)
    return plain(clean / only_positive(mix.sum(axis=0)))


def cf4(a: Account) -> Amount[Floats]:
    """CF4 [kg]."""
    return plain(a.gases.cf4)


def c2f6(a: Account) -> Amount[Floats]:
    """C2F6 [kg]."""
    return plain(a.gases.c2f6)


def anode_co2(a: Account) -> Amount[Floats]:
    """CO2 of the anodes [kg]."""
    return plain(a.gases.co2)


def direct_intensity(a: Account) -> Amount[Floats]:
    """Direct emissions over metal [kg/kg]."""
    return plain(intensity(a.gases, a.metal.value, a.basis.carbon.gwp))


def price_surcharge(a: Account) -> Amount[Floats]:
    """Surcharge of the tiered power price over metal [yuan/kg]."""
    tariff = a.basis.tariff
    if tariff is None:
        return plain(np.full(len(a.efficiency), np.nan))
    figure = from_si(ac_comprehensive(a).value, "kWh/t")
    return plain(to_si(surcharge(tariff, figure, a.basis.step_kwh_t).yuan_t, "yuan/t"))


def loss(term: str, a: Account) -> Amount[Floats]:
    """One term of the loss tree [J/kg]; auxiliaries stand beside the tree, which ends at metric a."""
    return plain(a.auxiliary.value if term == "auxiliary" else a.losses.terms[term])
