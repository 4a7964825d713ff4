"""A simulated line as the estimator meets it: inputs of every minute, samples when they come, truth beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from simulators import scenarios
from simulators.potline import Potline
from simulators.sensors import Observation, Sensors
from twin.estimator import SAMPLES, Inputs, Samples
from twin.frames import Floats
from twin.plant import Line, Plant, PotDesign, Site
from twin.signals import SIGNALS, by_name
from twin.units import NS_PER_S, to_si

__all__ = ["Minute", "minutes", "simulated"]

STEP_S = 60
START_NS = 1_760_000_040_000_000_000  # a whole minute
UNIT = {signal.name: signal.unit for signal in SIGNALS}
KIND = {kind.signal: n for n, kind in enumerate(SAMPLES)}
MEANS = {
    "voltage_v": "voltage",
    "noise_mv": "bubble_noise",
    "metal_wave_mv": "wave_noise",
    "bath_temperature_c": "thermocouple",
    "side_wall_temperature_c": "wall",
}
LAST = {"alumina_feed_kg": "alumina_counter", "alf3_feed_kg": "alf3_counter", "beam_position_mm": "beam"}
EVENTS = {
    "tapped_metal_kg": "tapped",
    "beam_move_mm": "beam_moved",
    "beam_raised": "raised",
    "anode_effect_kill": "killed",
    "alf3_bag_kg": "bag",
    "soda_added_kg": "soda",
}


@dataclass(slots=True)
class Minute:
    """`number` of the step, its inputs, samples that became available in it [SI], and the truth at its end."""

    number: int
    inputs: Inputs
    samples: Samples
    truth: dict[str, Floats]
    rows: list[tuple[int, int, str, float]] = field(default_factory=list)  # all samples, rim units, of any kind


def simulated(scenario: str, pots: int, seed: int) -> Potline:
    """A line of the 500 kA class with the causes of a scenario."""
    line = Line(id="A", pots=pots, design="p", pot_prefix="A", rated_current_ka=500.0)
    site = Site(id="demo", lines=[line], time_zone="Asia/Shanghai")
    plant = Plant(sites=[site], designs={"p": PotDesign()})
    causes = scenarios.schedule(scenarios.load(scenario), line, "A", seed=seed) if scenario else ()
    return Potline.of(plant, line, site.id, seed=seed, start_ns=START_NS, cause_schedule=causes)


def minutes(line: Potline, seed: int, count: int, dt: float = 5.0, *, truth_every: int = 5) -> Iterator[Minute]:
    """Run the line on, minute by minute; `truth` is empty but every so many minutes."""
    sensors = Sensors(line, seed)
    for n in range(count):
        seen = []
        for _ in range(round(STEP_S / dt)):
            line.step(dt)
            seen.append(sensors.observe())
        number = START_NS // (STEP_S * NS_PER_S) + n
        truth = line.truth() if n % truth_every == truth_every - 1 else {}
        rows = [(t // (STEP_S * NS_PER_S), pot, name, value) for o in seen for t, _, pot, name, value in o.samples]
        yield Minute(int(number), _inputs(line.pots, seen, dt), _samples(rows), truth, rows)


def _inputs(pots: int, seen: list[Observation], dt: float) -> Inputs:
    """What an engine would gather of a minute; readings of a pot whose gateway is offline are lost."""
    inputs = Inputs.nothing(pots)
    for name, attribute in MEANS.items():
        values = np.array([np.where(o.offline, np.nan, o.telemetry[name]) for o in seen])
        count = np.isfinite(values).sum(axis=0)
        mean = np.where(np.isfinite(values), values, 0.0).sum(axis=0) / np.maximum(count, 1)
        getattr(inputs, attribute)[:] = to_si(np.where(count > 0, mean, np.nan), UNIT[name])
        if name == "voltage_v":
            inputs.covered_s[:] = count * dt
    for name, attribute in LAST.items():
        for o in seen:
            value = to_si(np.where(o.offline, np.nan, o.telemetry[name]), UNIT[name])
            getattr(inputs, attribute)[:] = np.where(np.isfinite(value), value, getattr(inputs, attribute))
    currents = [o.line.get("line_current_ka", np.nan) for o in seen]
    finite = [current for current in currents if np.isfinite(current)]
    inputs.current[:] = to_si(float(np.mean(finite)), "kA") if finite else np.nan
    for o in seen:
        for _, pot, name, amount in o.events:
            if name == "anode_changed":
                inputs.anodes_changed[pot] += 1.0
            elif name in EVENTS:
                getattr(inputs, EVENTS[name])[pot] += to_si(amount, UNIT[name])
    return inputs


def _samples(rows: list[tuple[int, int, str, float]]) -> Samples:
    kept = [(n, pot, KIND[name], to_si(value, UNIT[name])) for n, pot, name, value in rows if name in KIND]
    number, pot, kind, value = (np.array(column) for column in zip(*kept, strict=True)) if kept else ([],) * 4
    return Samples(
        np.asarray(number, np.int64),
        np.asarray(pot, np.int64),
        np.asarray(kind, np.int64),
        np.asarray(value, np.float64),
    )


assert {by_name(name) for name in (*MEANS, *LAST, *EVENTS, *KIND)}  # every name is in the table
