"""The working point of a line, for `whatif`: what its meters say of the day, what is estimated, and the plant file's.

Electric figures are those of the open day (of the month while the day has none): voltage from DC and efficiency, the
rest from the KPI that meters it. Bath and distance are means over the pots whose state is known. Each figure says
where it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from msgspec.structs import replace as with_fields

from twin.cells import CUT_OUT_VOLTAGE
from twin.engine import Engine
from twin.errors import SmelterError
from twin.estimator.belief import Belief
from twin.estimator.design import BATH_HEAT_TRANSFER, Design
from twin.estimator.outputs import OUTPUTS, derive
from twin.frames import Report, WindowFigures
from twin.physics.bath import conductivity
from twin.physics.emissions import SLOPES
from twin.physics.faraday import METAL_PER_COULOMB, metal_rate
from twin.physics.liquidus import liquidus
from twin.signals import by_name
from twin.units import to_si
from twin.whatif import Point

__all__ = ["Refused", "Working", "figure", "figures_of", "working_point"]

DAY_S = 86400.0
FANNING = 1.1382  # as `physics.voltage`
BATH = {  # field of Point -> output of the estimator
    "alumina": "alumina_wt_pct",
    "alf3": "excess_alf3_wt_pct",
    "superheat": "superheat_k",
    "distance": "distance_m",
}
_CURRENT, _VOLTAGE = by_name("line_current_ka"), by_name("voltage_v")


class Refused(SmelterError):
    """A question that has no answer: the unit is `unknown`, a value is `not_allowed`, or there is no figure `yet`."""

    def __init__(self, why: Literal["unknown", "not_allowed", "yet"], detail: str) -> None:
        super().__init__(detail)
        self.why = why


@dataclass(frozen=True, slots=True)
class Working:
    """A line's average pot. `origins` field of Point -> metered, estimated, setting or plant; `figures` it rests on."""

    point: Point[float]
    origins: Mapping[str, str]
    figures: WindowFigures


def figures_of(report: Report, line: int, window: str) -> WindowFigures | None:
    """The open window of this kind of the line with this roster code."""
    mine = (f for f in report.figures if f.open and f.window == window and int(f.units[0]) == line)
    return next(mine, None)


def figure(figures: WindowFigures | None, kpi: str, row: int = 0) -> float:
    """A KPI in its rim unit, NaN where it is not known."""
    return math.nan if figures is None or kpi not in figures.kpis else float(figures.kpis[kpi][row])


def working_point(engine: Engine, report: Report, line: int) -> Working:
    """Where the average pot of a line works. Raises Refused while neither day nor month has energy and metal."""
    windows = (figures_of(report, line, window) for window in ("day", "month"))
    used = next((f for f in windows if f is not None and math.isfinite(figure(f, "dc_kwh_t"))), None)
    if used is None:
        raise Refused("yet", "no energy and metal of this line yet: the line voltage and current are waited for")
    design = _design(engine, line)
    current, origin = _current(engine, report, line)
    bath, origins = _bath(design, report, engine, line)
    found, metered = _electric(engine, design, used, line, current)
    conducts = conductivity(
        liquidus(bath["alumina"], bath["alf3"], float(design.caf2[0])) + bath["superheat"],
        bath["alumina"], bath["alf3"], float(design.caf2[0]),
    )  # fmt: skip
    carbon = engine.plan.carbon
    point = Point(
        current=current,
        bath_gradient=current / (FANNING * float(design.anode_area[0]) * conducts),
        caf2=float(design.caf2[0]),
        ledge_resistance=1.0 / (BATH_HEAT_TRANSFER * float(design.side_area[0])),
        net_carbon=carbon.net_carbon_t_t,
        slope_set=carbon.method if carbon.method in SLOPES else "cwpb",
        gwp=carbon.gwp,
        pots=_pots(engine, report, line),
        **bath,
        **found,
    )
    return Working(point, {"current": origin, **metered, **origins}, used)


def _design(engine: Engine, line: int) -> Design:
    plant, of = engine.plant, engine.lines[line][1]
    return Design.of([with_fields(plant.design_of(of), rated_current_ka=plant.rated_current_ka(of))])


def _current(engine: Engine, report: Report, line: int) -> tuple[float, str]:
    row = int(np.flatnonzero(report.lines.units == line)[0])
    current = float(report.lines.value[row, report.lines.signals.index(_CURRENT)])
    if math.isfinite(current) and current > 0:
        return current, "metered"
    return to_si(engine.plant.rated_current_ka(engine.lines[line][1]), "kA"), "plant"


def _pots(engine: Engine, report: Report, line: int) -> float:
    """Pots that make metal; one that says nothing is taken to."""
    mine = np.array([engine.roster.line_of[unit] == line for unit in report.pots.units.tolist()])
    stopped = report.pots.column(_VOLTAGE)[mine] <= CUT_OUT_VOLTAGE
    return float(mine.sum() - stopped.sum())


def _bath(design: Design, report: Report, engine: Engine, line: int) -> tuple[dict[str, float], dict[str, str]]:
    """Means over the pots where a state is known; where it is of none the drawing's middle."""
    middle = dict(zip((output.name for output in OUTPUTS), derive(design, Belief.prior(design))[0][:, 0], strict=True))
    values, origins = {name: float(middle[output]) for name, output in BATH.items()}, dict.fromkeys(BATH, "plant")
    estimate = report.estimate
    if estimate is None:
        return values, origins
    mine = np.array([engine.roster.line_of[unit] == line for unit in estimate.units.tolist()])
    for name, output in BATH.items():
        place = estimate.states.index(output)
        known = mine if estimate.known is None else mine & estimate.known[:, place]
        if known.any():
            values[name], origins[name] = float(estimate.mean[known, place].mean()), "estimated"
    return values, origins


def _electric(
    engine: Engine, design: Design, used: WindowFigures, line: int, current: float
) -> tuple[dict[str, float], dict[str, str]]:
    """Voltage, efficiency, rectifier, auxiliaries and anode effects of the window."""

    def energy(kpi: str) -> float:
        return to_si(figure(used, kpi), "kWh/t")

    def volts(kpi: str, efficiency: float) -> float:
        return energy(kpi) * efficiency * METAL_PER_COULOMB

    efficiency = to_si(figure(used, "efficiency_pct"), "%")
    origins = {"efficiency": "estimated" if math.isfinite(figure(used, "loss_efficiency_kwh_t")) else "setting"}
    average, extra = volts("dc_kwh_t", efficiency), volts("anode_effect_kwh_t", efficiency)
    effects, seconds = figure(used, "anode_effects_per_day"), figure(used, "anode_effect_s_per_day")
    found = {"efficiency": efficiency, "voltage": average, "effects": 0.0}
    if effects > 0 and seconds > 0 and math.isfinite(extra):
        found["voltage"] = average - extra
        found["effects"], found["effect_time"] = effects, seconds / effects
        found["effect_voltage"] = found["voltage"] + extra * DAY_S / seconds
    found["external_voltage"] = volts("loss_external_kwh_t", 1.0) + volts("loss_busbar_kwh_t", efficiency)
    if not math.isfinite(found["external_voltage"]):
        found["external_voltage"] = current * float(design.r_external[0])
    ac, both = energy("ac_liquid_kwh_t"), energy("ac_comprehensive_kwh_t")
    found["auxiliary_power"] = (both - ac) * metal_rate(current, efficiency)
    found["rectifier_efficiency"] = energy("dc_kwh_t") / ac
    origins |= {"voltage": "metered", "effects": "metered", "rectifier_efficiency": "metered"}
    if not math.isfinite(found["rectifier_efficiency"]):
        found["rectifier_efficiency"] = to_si(engine.lines[line][1].rectifier_efficiency_pct, "%")
        origins["rectifier_efficiency"] = "plant"
    return found, origins
