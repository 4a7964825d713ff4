"""Every cause of the table has the effect it names: a run with it against the same run without it.

One row of the table, one entry of `EFFECTS`; a new row without an entry fails.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from simulators.causes import CAUSES, CauseKind
from simulators.schedule import Cause
from tests.simulators.lines import Run, potline, run
from twin.signals import SIGNALS, by_name

pytestmark = pytest.mark.long

POTS = [kind for kind in CAUSES.values() if kind.scope != "line"]
LINES = [kind for kind in CAUSES.values() if kind.scope == "line"]
START_H, HOURS = 0.5, 6.5
LINE_HOURS, LINE_POTS = 1.0, 100


@pytest.fixture(scope="module")
def pair() -> tuple[Run, Run]:
    """All causes of pots, each at a pot of its own; and the same line without them."""
    schedule = []
    for pot, kind in enumerate(POTS):
        hours = kind.hours if kind.hours < 1.0 or kind.growth == "fade" else HOURS
        schedule.append(Cause(kind.name, pot, START_H * 3600.0, hours * 3600.0))
    struck, spared = (run(potline(len(POTS), causes, seed=3), HOURS) for causes in (schedule, []))
    return struck, spared


@pytest.fixture(scope="module")
def calm_line() -> Run:
    return run(potline(LINE_POTS, seed=3), LINE_HOURS)


class Seen:
    """One pot in both runs: means over the last two hours with the cause and without."""

    def __init__(self, pair: tuple[Run, Run], kind: CauseKind) -> None:
        self.pair, self.pot = pair, POTS.index(kind)

    def both(self, name: str) -> tuple[float, float]:
        values = []
        for one in self.pair:
            rows = one.true(name) if name in one.truth[0] else one.said(name)
            values.append(float(rows[-24:, self.pot].mean()))
        return values[0], values[1]

    def change(self, name: str) -> float:
        struck, spared = self.both(name)
        return struck - spared

    def ratio(self, name: str) -> float:
        struck, spared = self.both(name)
        return struck / spared

    def share(self, kind: str) -> float:
        """Current of the struck anode over the mean, two hours after the start or at the end."""
        label = next(label for label in self.pair[0].line.causes.labels() if label.cause == kind)
        assert label.pots == (self.pot,)
        early, late = np.array([s[:, self.pot] for s in self.pair[0].shares])[[3, -12]]
        moved = late - early
        return float(late[int(np.abs(moved).argmax())] / early[int(np.abs(moved).argmax())])

    def fed(self) -> tuple[float, float]:
        """Alumina commanded from start to end [kg]."""
        counters = [one.said("alumina_feed_kg")[:, self.pot] for one in self.pair]
        return float(counters[0][-1] - counters[0][6]), float(counters[1][-1] - counters[1][6])


def anode_effect(seen: Seen) -> None:
    assert seen.both("anode_effects") > (0.5, 0.0)
    highest = seen.pair[0].said("voltage_v")[:, seen.pot].max()
    kills = [event for event in seen.pair[0].events if event[1] == seen.pot and event[2] == "anode_effect_kill"]
    assert kills
    assert highest > 4.05


def feeder_hang(seen: Seen) -> None:
    lowest = [one.true("alumina_wt_pct")[5:24, seen.pot].min() for one in seen.pair]
    assert lowest[0] < lowest[1] - 0.1
    assert seen.pair[0].true("feed_gain")[7, seen.pot] == pytest.approx(0.25, abs=0.02)


def feeder_plugged(seen: Seen) -> None:
    struck, spared = seen.fed()
    assert struck > 1.08 * spared  # more is commanded to make up for what does not arrive
    assert seen.change("alumina_wt_pct") < 0.1


def feeder_overdosing(seen: Seen) -> None:
    struck, spared = seen.fed()
    assert struck < 0.9 * spared
    assert seen.change("alumina_wt_pct") > 0.15


def sludge(seen: Seen) -> None:
    assert seen.ratio("sludge_kg") > 2.0
    assert seen.change("cathode_drop_mv") > 15.0
    assert seen.ratio("metal_wave_mv") > 1.3


def anode_slip(seen: Seen) -> None:
    assert seen.ratio("anode_current_max_ka") > 1.2
    assert seen.change("anode_current_spread_pct") > 0.5


def anode_spike(seen: Seen) -> None:
    assert seen.ratio("anode_current_max_ka") > 1.4
    assert seen.change("efficiency") < -0.01
    assert seen.ratio("metal_wave_mv") > 2.0


def burn_off(seen: Seen) -> None:
    assert seen.share("burn_off") < 0.01
    assert seen.both("anode_current_min_ka")[0] < 0.05


def bad_connection(seen: Seen) -> None:
    assert seen.share("bad_connection") < 0.75


def cold_pot(seen: Seen) -> None:
    assert seen.change("bath_temperature_c") < -8.0
    assert seen.change("ledge_m") > 0.01


def hot_pot(seen: Seen) -> None:
    assert seen.change("bath_temperature_c") > 8.0
    assert seen.change("superheat_k") > 1.5
    assert seen.change("efficiency") < -0.005


def alf3_error(seen: Seen) -> None:
    assert seen.change("excess_alf3_wt_pct") < -0.1
    assert seen.change("liquidus_k") > 0.1


def ledge_loss(seen: Seen) -> None:
    assert seen.change("side_wall_temperature_c") > 50.0
    assert seen.ratio("ledge_m") < 0.97


def pad_instability(seen: Seen) -> None:
    assert seen.both("metal_wave_mv")[0] > 20.0
    assert seen.change("efficiency") < -0.03
    assert seen.change("voltage_set_v") > 0.03  # the controller raises the anodes


def cathode_wear(seen: Seen) -> None:
    assert seen.change("cathode_drop_mv") > 40.0
    assert seen.change("cathode_temperature_c") > 30.0


def start_up(seen: Seen) -> None:
    assert seen.change("pot_voltage_v") > 0.2
    assert seen.change("excess_alf3_wt_pct") < -4.0
    assert seen.change("bath_temperature_c") > 8.0
    assert seen.ratio("ledge_m") < 0.6


def voltage_drift(seen: Seen) -> None:
    """The controller believes it: it takes the distance away that the sensor invents."""
    assert abs(seen.change("voltage_v")) < 0.03
    assert seen.change("pot_voltage_v") < -0.04
    assert seen.change("distance_m") < -0.001


def stuck_sensor(seen: Seen) -> None:
    rows = seen.pair[0].said("bath_temperature_c")[12:, seen.pot]
    assert len(set(rows.tolist())) == 1
    assert len(set(seen.pair[1].said("bath_temperature_c")[12:, seen.pot].tolist())) > 10


def thermocouple_bias(seen: Seen) -> None:
    assert seen.change("bath_temperature_c") < -10.0
    assert abs(seen.change("temperature_k")) < 4.0


def clock_skew(seen: Seen) -> None:
    ahead = [(row.pot_time_ns[seen.pot] - row.time_ns) / 1e9 for row in seen.pair[0].seen]
    assert ahead[0] == 0.0
    assert ahead[-2] == pytest.approx(90.0)


def gateway_outage(seen: Seen) -> None:
    silent = [bool(row.offline[seen.pot]) for row in seen.pair[0].seen]
    assert 2 <= sum(silent) <= 4  # a quarter of an hour in steps of five minutes
    assert not any(row.offline[:-1].any() and not row.offline[seen.pot] for row in seen.pair[0].seen)


EFFECTS: dict[str, Callable[[Seen], None]] = {
    effect.__name__: effect
    for effect in (
        *(anode_effect, feeder_hang, feeder_plugged, feeder_overdosing, sludge),
        *(anode_slip, anode_spike, burn_off, bad_connection),
        *(cold_pot, hot_pot, alf3_error, ledge_loss, pad_instability, cathode_wear, start_up),
        *(voltage_drift, stuck_sensor, thermocouple_bias, clock_skew, gateway_outage),
    )
}


@pytest.mark.parametrize("kind", POTS, ids=lambda kind: kind.name)
def test_cause_of_a_pot(kind: CauseKind, pair: tuple[Run, Run]) -> None:
    EFFECTS[kind.name](Seen(pair, kind))


def energy(one: Run, name: str) -> float:
    """kWh on a meter over the last half hour."""
    return one.seen[-1].line[name] - one.seen[-7].line[name]


def rectifier_loss(struck: Run, calm: Run) -> None:
    ratio = energy(struck, "dc_energy_kwh") / energy(struck, "ac_energy_kwh")
    assert ratio / (energy(calm, "dc_energy_kwh") / energy(calm, "ac_energy_kwh")) == pytest.approx(0.988, abs=0.002)


def line_current_loss(struck: Run, calm: Run) -> None:
    lowest = min(row.line["line_current_ka"] for row in struck.seen)
    assert lowest == pytest.approx(325.0, abs=5.0)
    assert min(row.line["line_current_ka"] for row in calm.seen) > 490.0


def power_modulation(struck: Run, calm: Run) -> None:
    assert struck.seen[-1].line["line_current_ka"] == pytest.approx(460.0, abs=4.0)
    assert np.mean(struck.said("voltage_set_v")[-1] - calm.said("voltage_set_v")[-1]) == pytest.approx(0.06, abs=0.01)


def ac_meter_drift(struck: Run, calm: Run) -> None:
    shown = [energy(one, "ac_energy_kwh") / energy(one, "dc_energy_kwh") for one in (struck, calm)]
    assert shown[0] / shown[1] == pytest.approx(1.0 + 0.02 * 44.0 / 360.0, abs=2e-4)  # of six hours to grow
    assert struck.line.rectifier.ac.energy == pytest.approx(calm.line.rectifier.ac.energy, rel=1e-9)


def tap_scale(struck: Run, calm: Run) -> None:
    weighed = [one.values("tapped_metal_kg") for one in (struck, calm)]
    assert len(weighed[0]) == len(weighed[1]) > 1
    assert np.mean(weighed[0]) / np.mean(weighed[1]) == pytest.approx(1.03, abs=0.003)
    assert np.array_equal(struck.true("metal_kg"), calm.true("metal_kg"))


LINE_EFFECTS = {
    effect.__name__: effect
    for effect in (rectifier_loss, line_current_loss, power_modulation, ac_meter_drift, tap_scale)
}


@pytest.mark.parametrize("kind", LINES, ids=lambda kind: kind.name)
def test_cause_of_a_line(kind: CauseKind, calm_line: Run) -> None:
    cause = Cause(kind.name, None, 60.0, min(kind.hours, LINE_HOURS) * 3600.0)
    LINE_EFFECTS[kind.name](run(potline(LINE_POTS, [cause], seed=3), LINE_HOURS), calm_line)


@pytest.mark.parametrize("kind", CAUSES.values(), ids=lambda kind: kind.name)
def test_row_is_complete(kind: CauseKind) -> None:
    assert kind.title
    assert kind.hours > 0.0
    assert kind.faults or kind.name == "power_modulation"
    assert kind.parameters or kind.begin
    for parameter in kind.parameters:
        assert parameter.help
        assert parameter.unit
        assert (parameter.how == "value") == (not parameter.target)


def test_readings_stay_in_the_range_of_their_signal(pair: tuple[Run, Run]) -> None:
    """What is out of range never gets past the codec."""
    for row in pair[0].seen:
        for name, values in {**row.telemetry, **row.line}.items():
            signal, said = SIGNALS[by_name(name)], np.asarray(values)
            assert ((said >= signal.low) & (said <= signal.high)).all(), name
