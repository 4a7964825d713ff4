"""Small plants, and what is built on them, for the tests of the core."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files

from twin import kpis, plan, plant
from twin.codec import Codec
from twin.engine import Engine, Settings
from twin.frames import Readings
from twin.plan import Plan
from twin.plant import Roster
from twin.signals import by_name
from twin.topics import Router

NS = 1_000_000_000
T0 = 1_763_964_000  # 2025-11-24T06:00:00Z, a Monday
NOW_NS = T0 * NS

Row = tuple[float, int, str, float]  # seconds after T0, unit, signal name, rim value

PLANT = """
title = "Test plant"
[[sites]]
id = "s"
time_zone = "{zone}"
shift_starts = {shifts}
[[sites.lines]]
id = "L"
pots = {pots}
section_pots = 2
design = "d"
sample_period_s = {period}
ac_meter = {{ rollover_kwh = {rollover} }}
auxiliary_meter = {{ rollover_kwh = {rollover} }}
[designs.d]
"""


def roster_of(
    pots: int = 3,
    *,
    zone: str = "UTC",
    shifts: tuple[str, ...] = ("00:00", "08:00", "16:00"),
    period: float = 1.0,
    rollover: float = 1e9,
    more: str = "",
) -> Roster:
    """One line `s/L` with pots `s/L/001` ...: unit 0 is the line, units 1.. are the pots."""
    text = PLANT.format(zone=zone, shifts=json.dumps(shifts), pots=pots, period=period, rollover=rollover)
    return Roster(plant.parse(text + more, "test"))


def packaged_plan() -> Plan:
    """The plan that comes with the package."""
    text = (files("twin") / "plans" / "china-2025-2027.toml").read_text("utf-8")
    return plan.parse(text, "packaged", kpis.METRICS)


def engine_of(roster: Roster | None = None, settings: Settings | None = None) -> Engine:
    """An engine on the packaged plan."""
    return Engine(roster or roster_of(), packaged_plan(), settings)


def codec_of(roster: Roster | None = None, *, discover: bool = True, max_payload: int = 262_144) -> Codec:
    """A codec under the root `smelter`."""
    router = Router(roster or roster_of(), root="smelter", discover=discover)
    return Codec(router, max_payload=max_payload)


def readings_of(rows: Iterable[Row]) -> Readings:
    """Readings from rows."""
    listed = list(rows)
    return Readings.of(
        [NOW_NS + round(row[0] * NS) for row in listed],
        [row[1] for row in listed],
        [by_name(row[2]) for row in listed],
        [row[3] for row in listed],
    )


def steady(
    seconds: Iterable[int], *, pots: int = 3, volt: float = 4.0, kiloampere: float = 500.0, meters: bool = True
) -> Readings:
    """A line that runs evenly: every pot's voltage, line current and voltage, and meters that fit them at 98.5 %."""
    rows: list[Row] = []
    for second in seconds:
        rows += [(second, 0, "line_current_ka", kiloampere), (second, 0, "line_voltage_v", pots * volt)]
        if meters:
            dc = pots * volt * kiloampere * second / 3600
            rows += [(second, 0, "ac_energy_kwh", 1000 + dc / 0.985), (second, 0, "auxiliary_energy_kwh", dc * 0.02)]
        rows += [(second, pot, "voltage_v", volt) for pot in range(1, pots + 1)]
    return readings_of(rows)


def key(readings: Readings) -> list[tuple[int, int, int, float]]:
    """Sorted (unit, signal, time, value) of the readings that have a value: what must survive any way of transport."""
    return sorted(
        (unit, signal, time, value)
        for time, unit, signal, value in zip(
            readings.time_ns.tolist(),
            readings.unit.tolist(),
            readings.signal.tolist(),
            readings.value.tolist(),
            strict=True,
        )
        if value == value
    )
