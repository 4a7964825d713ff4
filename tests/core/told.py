"""Reports with figures and estimates by hand: answers to what is asked can be checked with a pencil."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tests.core.plants import NS, T0, readings_of
from twin.engine import Engine
from twin.frames import Estimate, Floats, Report, WindowFigures
from twin.losses import Averages, LossTree, tree
from twin.physics.faraday import dc_energy_per_mass
from twin.physics.voltage import PotVoltage
from twin.states import STATES
from twin.units import SI, to_si

PARTS = PotVoltage(1.22, 0.50, 0.02, 0.08, 0.31, 1.25, 0.21, 0.33, 0.15)  # V, together 4.07
EFFICIENCY, RECTIFIER, AUXILIARY = 0.94, 0.985, 370.0  # 1, 1, kWh/t
VOLTAGE = 4.10  # V


def loss_tree(voltage: float = VOLTAGE, efficiency: float = EFFICIENCY) -> LossTree[float]:
    """The tree of a pot at this voltage, with 30 mV that no component explains and 5 mV of busbars of the line."""
    dc = dc_energy_per_mass(voltage, efficiency)
    station = dc_energy_per_mass(voltage + 0.005, efficiency)
    return tree(Averages(voltage, efficiency, station / RECTIFIER, dc, PARTS, above_target=-0.02, station=station))


def figures(engine: Engine, window: str = "day", *, explained: bool = True, **changes: float) -> WindowFigures:
    """The open window of the first line: each pot draws 10 mV more than the one before; NaN where not `explained`."""
    line = next(iter(engine.lines))
    pots = [unit for unit in engine.roster.pot_codes() if engine.roster.line_of[unit] == line]
    trees = [loss_tree(), *(loss_tree(VOLTAGE + 0.01 * n) for n in range(len(pots)))]
    rows = [_kpis(one, explained) | changes for one in trees]
    kpis = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    u: dict[str, Floats] = {name: np.full(len(rows), 0.5) for name in kpis}
    u |= {name: np.full(len(rows), 60.0) for name in ("dc_kwh_t", "ac_liquid_kwh_t", "ac_comprehensive_kwh_t")}
    units = np.array([line, *pots], np.int32)
    return WindowFigures(window, T0 * NS, (T0 + 86400) * NS, True, units, kpis, u)


def _kpis(one: LossTree[float], explained: bool) -> dict[str, float]:
    terms = {f"loss_{name}_kwh_t": value if explained else np.nan for name, value in one.in_kwh_t.items()}
    ac = one.total / SI["kWh/t"][0]
    energy = {"dc_kwh_t": ac * RECTIFIER, "ac_liquid_kwh_t": ac, "ac_comprehensive_kwh_t": ac + AUXILIARY}
    effects = {"anode_effects_per_day": 0.0, "anode_effect_s_per_day": 0.0, "anode_effect_kwh_t": 0.0}
    rest = {"efficiency_pct": 100 * EFFICIENCY, "metal_t": 30.0, "coverage_pct": 80.0}
    return {**energy, **effects, **rest, **terms, "loss_auxiliary_kwh_t": AUXILIARY}


# state -> value and standard uncertainty in its rim unit; what is left out is not known
KNOWN = {
    "alumina_pct": (2.6, 0.1),
    "bath_temperature_c": (957.0, 2.0),
    "superheat_c": (9.0, 1.0),
    "ledge_mm": (80.0, 10.0),
}


def estimate(engine: Engine, known: Mapping[str, tuple[float, float]] = KNOWN) -> Estimate:
    """The same of every pot."""
    units = np.array(engine.roster.pot_codes(), np.int32)
    names = tuple(state.output for state in STATES)
    mean, sd, is_known = np.zeros(len(names)), np.ones(len(names)), np.zeros(len(names), bool)
    for place, state in enumerate(STATES):
        if state.name in known:
            value, u = known[state.name]
            mean[place], sd[place], is_known[place] = to_si(value, state.unit), u * SI[state.unit][0], True
    pots = len(units)
    cov = np.broadcast_to(np.diag(np.square(sd)), (pots, len(names), len(names)))
    return Estimate(
        units, names, np.tile(mean, (pots, 1)), cov, np.zeros((pots, 1)), np.tile(is_known, (pots, 1)), (T0 + 60) * NS
    )


def report_of(engine: Engine, *told: WindowFigures, believed: Estimate | None = None) -> Report:
    """A report of the line at 500 kA and 4.1 V a pot."""
    rows = [(second, 0, "line_current_ka", 500.0) for second in (0, 9)]
    rows += [(second, pot, "voltage_v", VOLTAGE) for second in (0, 9) for pot in engine.roster.pot_codes()]
    _, report = engine.step(engine.start(), readings_of(rows))
    return replace(report, figures=told, estimate=believed)
