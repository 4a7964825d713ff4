"""Emissions: the perfluorocarbons of anode effects and the carbon dioxide of the anodes.

Every gas is kept as its own mass; a global warming potential is applied only when a report is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from twin.physics.elementary import T, shaped

__all__ = [
    "GWP",
    "OVERVOLTAGE_CWPB",
    "SLOPES",
    "GasPotential",
    "OvervoltageSet",
    "SlopeSet",
    "anode_co2",
    "c2f6",
    "cf4_overvoltage",
    "cf4_slope",
    "co2_equivalent",
]


class SlopeSet(NamedTuple):
    """Slope [kg CF4 per t Al per anode-effect minute per pot-day], C2F6 over CF4 [kg/kg], where it is from."""

    slope: float
    c2f6_ratio: float
    source: str


class OvervoltageSet(NamedTuple):
    """Coefficient [kg CF4 per t Al per mV over % efficiency], C2F6 over CF4 [kg/kg], where it is from."""

    coefficient: float
    c2f6_ratio: float
    source: str


class GasPotential(NamedTuple):
    """Global warming potential over 100 years [kg CO2 per kg of gas]."""

    cf4: float
    c2f6: float


SLOPES: Mapping[str, SlopeSet] = MappingProxyType(
    {
        "cwpb": SlopeSet(0.143, 0.121, "EU 2025/2547, IPCC 2006; also modern pots without fully automatic kill"),
        "pfpb_legacy": SlopeSet(0.122, 0.097, "EU 2025/2547"),
        "pfpb_modern": SlopeSet(0.104, 0.057, "EU 2025/2547; fully automatic kill"),
        "china": SlopeSet(0.143, 0.100, "CETS-AG-04.01-V01-2024 (secondary source)"),
    }
)
OVERVOLTAGE_CWPB = OvervoltageSet(1.16, 0.121, "EU 2025/2547")
GWP: Mapping[str, GasPotential] = MappingProxyType(
    {
        "AR4": GasPotential(7390.0, 12200.0),
        "AR5": GasPotential(6630.0, 11100.0),  # used by China's trading scheme and by CBAM
        "AR6": GasPotential(7380.0, 12400.0),  # not confirmed from the primary text
    }
)

CO2_PER_CARBON = 44.0 / 12.0  # kg/kg, the rounding all the guidelines use
SECONDS_PER_MINUTE = 60.0
KG_PER_T = 1000.0


def cf4_slope(anode_effect_time: T | float, slope: T | float) -> T:
    """CF4 per mass of metal, by the slope method.

    Parameters (each a scalar or an array; arrays broadcast):
        anode_effect_time: time in anode effect per pot and day [s]
        slope: see `SLOPES` [kg CF4 per t Al per minute per pot-day]
    Returns: CF4 over aluminium [kg/kg], the common shape.

    Equation: CF4 [kg/t] = slope * minutes
    Validity: anode effects above the threshold (8 V); those below it are not counted, so it is a lower bound.
    Reference: IPCC 2006 Guidelines, volume 3, chapter 4; the slopes carry their own source.

    >>> round(cf4_slope(60.0, SLOPES["cwpb"].slope) * 1e3, 3)
    0.143
    """
    return shaped(anode_effect_time * slope / (SECONDS_PER_MINUTE * KG_PER_T))


def cf4_overvoltage(
    overvoltage: T | float, efficiency: T | float, coefficient: T | float = OVERVOLTAGE_CWPB.coefficient
) -> T:
    """CF4 per mass of metal, by the overvoltage method.

    Parameters (each a scalar or an array; arrays broadcast):
        overvoltage: anode-effect overvoltage, averaged over the whole day [V]
        efficiency: current efficiency [1]
        coefficient: [kg CF4 per t Al per mV over % efficiency]
    Returns: CF4 over aluminium [kg/kg], the common shape.

    Equation: CF4 [kg/t] = 1.16 AEO [mV] / CE [%]
    Validity: centre-worked prebake pots (CWPB).
    Reference: EU 2025/2547.

    >>> round(cf4_overvoltage(0.010, 0.94) * 1e3, 4)
    0.1234
    """
    percent_per_millivolt = 1e3 / 1e2
    return shaped(coefficient * percent_per_millivolt / KG_PER_T * overvoltage / efficiency)


def c2f6(cf4: T | float, ratio: T | float) -> T:
    """C2F6 that comes with a mass of CF4.

    Parameters (each a scalar or an array; arrays broadcast):
        cf4: mass, or mass over mass of metal [kg or kg/kg]
        ratio: see `SLOPES` [kg/kg]
    Returns: C2F6 in the unit of `cf4`, the common shape.

    Equation: C2F6 = F CF4
    Validity: as the slope set the ratio belongs to.
    Reference: as the slope set.

    >>> round(c2f6(0.143, SLOPES["cwpb"].c2f6_ratio), 4)
    0.0173
    """
    return shaped(cf4 * ratio)


def anode_co2(net_carbon: T | float, sulphur: T | float = 0.02, ash: T | float = 0.004) -> T:
    """Carbon dioxide of the anodes.

    Parameters (each a scalar or an array; arrays broadcast):
        net_carbon: net anode consumption: mass, or mass over mass of metal [kg or kg/kg]
        sulphur, ash: mass fractions of the anode [1]
    Returns: CO2 in the unit of `net_carbon`, the common shape.

    Equation: CO2 = C (1 - S - ash) 44/12
    Validity: prebaked anodes, butts taken off.
    Reference: IPCC 2006 Guidelines, volume 3, chapter 4; default fractions S 2 %, ash 0.4 %.

    >>> round(anode_co2(0.411), 3)
    1.471
    """
    return shaped(net_carbon * (1.0 - sulphur - ash) * CO2_PER_CARBON)


def co2_equivalent(co2: T | float, cf4: T | float, c2f6: T | float, potential: GasPotential = GWP["AR5"]) -> T:
    """The three gases together, as carbon dioxide.

    Parameters (each a scalar or an array; arrays broadcast):
        co2, cf4, c2f6: masses, or masses over mass of metal, all in one unit [kg or kg/kg]
        potential: see `GWP` [kg/kg]
    Returns: CO2 equivalent in the same unit, the common shape.

    Equation: CO2e = CO2 + GWP_CF4 CF4 + GWP_C2F6 C2F6
    Validity: potentials over 100 years; compare only figures of one assessment report.
    Reference: IPCC assessment reports; AR5 in China's trading scheme and in CBAM.

    >>> co2_equivalent(0.0, 1.0, 0.0)
    6630.0
    """
    return shaped(co2 + potential.cf4 * cf4 + potential.c2f6 * c2f6)
