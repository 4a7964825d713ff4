"""From the engine's ticks to the estimator and back: what a minute brought, late samples, what the books want of it.

A minute ends with the first tick that closes after it. Readings of a minute that come later than the engine's grace do
not move the estimate of their minute (they still go into the books); events count in the minute in which they come;
samples of the laboratory count whenever they come, and run the pot's window again (docs/method/estimation.md).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec.structs import replace as with_fields

from twin.cells import RATES
from twin.estimator import OUTPUTS, SAMPLES, Estimator, Inputs, Samples
from twin.estimator import Settings as EstimatorSettings
from twin.estimator import State as EstimatorState
from twin.estimator.belief import Belief
from twin.estimator.marks import MARKS
from twin.estimator.pooling import efficiency_offset
from twin.frames import Codes, Estimate, Floats, Ints, Quality, Readings
from twin.plant import PotDesign, Roster
from twin.signals import by_name
from twin.units import to_si
from twin.windows import CELL_MINUTES, MINUTE_NS

__all__ = ["Track", "Tracker"]

_VOLTAGE, _SET, _CURRENT, _WAVE = (
    by_name(name) for name in ("voltage_v", "voltage_set_v", "line_current_ka", "metal_wave_mv")
)
# field of Inputs -> signal whose last value of the minute it is
LAST = {
    "bubble_noise": by_name("noise_mv"),
    "wave_noise": _WAVE,
    "thermocouple": by_name("bath_temperature_c"),
    "wall": by_name("side_wall_temperature_c"),
    "alumina_counter": by_name("alumina_feed_kg"),
    "alf3_counter": by_name("alf3_feed_kg"),
    "beam": by_name("beam_position_mm"),
}
# signal -> field of Inputs that it adds to; of an anode change the number of the anode is not its amount
EVENTS = {
    by_name("tapped_metal_kg"): "tapped",
    by_name("beam_move_mm"): "beam_moved",
    by_name("beam_raised"): "raised",
    by_name("anode_effect_kill"): "killed",
    by_name("alf3_bag_kg"): "bag",
    by_name("soda_added_kg"): "soda",
    by_name("anode_changed"): "anodes_changed",
}
KINDS = {by_name(kind.signal): n for n, kind in enumerate(SAMPLES)}
SAMPLED = np.array(sorted(KINDS))
TURN_POTS = 256  # pots whose late samples are taken in one minute
TURN_MINUTES = 60  # at least so far apart, so that samples of a round are taken together
UNSTABLE = to_si(20.0, "mV")  # of metal wave; above it a pot is noisy (U)
ANODE = by_name("anode_changed")
METAL_KG = [output.name for output in OUTPUTS].index("metal_kg")


@dataclass
class Track:
    """What is remembered; pots go by their place among the pots of the roster, arrays (pots,).

    `minute` since 1970 being gathered; voltage [V] and current [A] (lines,) of it as sums and counts; `events` as they
    go into Inputs; `waiting` samples as rows (minute, pot, kind, value). `quiet_set` [V] set point when last not noisy;
    `extra` [V] sum over the quarter hour of what noisy pots got beyond it. `offset`, `u_common`, `u_own`,
    `learnt`, `metal_sd`: efficiency beyond the model's [1], its uncertainty in two parts, how far it was learnt from
    taps rather than taken from the plant file [1], and the uncertainty of the metal [kg].
    """

    state: EstimatorState
    events: Inputs
    voltage: Floats
    voltage_n: Ints
    current: Floats
    current_n: Ints
    quiet_set: Floats
    extra: Floats
    instability: Floats
    instability_at: Ints
    offset: Floats
    u_common: Floats
    u_own: Floats
    learnt: Floats
    metal_sd: Floats
    minute: int = -1
    extra_n: int = 0
    waiting: list[tuple[int, int, int, float]] = field(default_factory=list)
    estimate: Estimate | None = None


class Tracker:
    """The constant part; the estimator is made anew when pots are enrolled."""

    def __init__(self, roster: Roster, horizon_h: int) -> None:
        self._roster = roster
        self.around_minute: Callable[[], AbstractContextManager[object]] = nullcontext  # for who measures it
        self._settings = EstimatorSettings(horizon_h=horizon_h)
        self._rated = [
            with_fields(roster.plant.design_of(line), rated_current_ka=roster.plant.rated_current_ka(line))
            for _, line in roster.plant.lines()
        ]
        self._lines = roster.line_codes()
        self._period = np.array([line.sample_period_s for _, line in roster.plant.lines()])
        self._enrol()

    def _enrol(self) -> None:
        roster = self._roster
        self.units: Codes = np.array(roster.pot_codes(), np.int32)
        self.place: Ints = np.full(len(roster), -1, np.int64)
        self.place[self.units] = np.arange(len(self.units))
        self.line_place: Ints = np.full(len(roster), -1, np.int64)
        self.line_place[self._lines] = np.arange(len(self._lines))
        self.line_of: Ints = self.line_place[np.array(roster.line_of)[self.units]]
        designs: list[PotDesign] = [self._rated[line] for line in self.line_of.tolist()]
        self.estimator = Estimator(designs, self._settings)
        design = self.estimator.design
        _, self._u_drawn, _ = efficiency_offset(design, Belief.prior(design), self.line_of)
        self.pots_of = {code: np.flatnonzero(self.line_of == n) for n, code in enumerate(self._lines)}

    def start(self) -> Track:
        """Before the first tick."""
        pots, lines = len(self.units), len(self._lines)
        places = self._settings.horizon_h * 60 // CELL_MINUTES + 2
        track = Track(
            self.estimator.start(), Inputs.nothing(pots), np.zeros(pots), np.zeros(pots, np.int64), np.zeros(lines),
            np.zeros(lines, np.int64), np.full(pots, np.nan), np.zeros(pots), np.zeros((places, pots)),
            np.full(places, -1, np.int64), *np.zeros((5, pots)),
        )  # fmt: skip
        self.believe(track)
        return track

    def grow(self, track: Track) -> None:
        """Make room for pots enrolled since."""
        extra = len(self._roster.pot_codes()) - len(self.units)
        if not extra:
            return
        self._enrol()
        track.state = self.estimator.adopt(track.state)
        fresh = Inputs.nothing(len(self.units))
        for name in Inputs.__dataclass_fields__:
            getattr(fresh, name)[:-extra] = getattr(track.events, name)
        track.events = fresh
        for name in ("voltage", "voltage_n", "extra"):
            setattr(track, name, np.pad(getattr(track, name), (0, extra)))
        track.quiet_set = np.pad(track.quiet_set, (0, extra), constant_values=np.nan)
        track.instability = np.pad(track.instability, ((0, 0), (0, extra)))
        self.believe(track)

    def begin(self, track: Track, closed_ns: int, value: Floats, said_ns: Ints) -> None:
        """A tick is about to close at `closed_ns`: finish the minute before it. `value` [SI] and `said_ns` (units,
        signals) as they were at the end of that minute."""
        minute = (closed_ns - 1) // MINUTE_NS
        if 0 <= track.minute < minute:
            with self.around_minute():
                self._finish(track, value, said_ns)
        track.minute = max(track.minute, minute)

    def take(self, track: Track, readings: Readings, si: Floats, new: np.ndarray) -> None:
        """Readings of the tick with SI values; `new`: those not heard before, and not older than what was."""
        good = new & (readings.quality != Quality.BAD)
        now = good & (readings.time_ns >= track.minute * MINUTE_NS)
        rows = _once(readings, np.flatnonzero(now & (readings.signal == _VOLTAGE)))
        pot = self.place[readings.unit[rows]]
        track.voltage += np.bincount(pot, si[rows], len(self.units))
        track.voltage_n += np.bincount(pot, minlength=len(self.units))
        rows = _once(readings, np.flatnonzero(now & (readings.signal == _CURRENT)))
        line = self.line_place[readings.unit[rows]]
        track.current += np.bincount(line, si[rows], len(self._lines))
        track.current_n += np.bincount(line, minlength=len(self._lines))
        for signal, name in EVENTS.items():
            rows = np.flatnonzero(good & (readings.signal == signal))
            if len(rows):  # delivered twice within a tick it is still one event
                keys = zip(readings.unit[rows].tolist(), readings.time_ns[rows].tolist(), strict=True)
                rows = np.array(list(dict(zip(keys, rows.tolist(), strict=True)).values()))
                amount = np.ones(len(rows)) if signal == ANODE else si[rows]
                np.add.at(getattr(track.events, name), self.place[readings.unit[rows]], amount)
        at = np.isin(readings.signal, SAMPLED) & np.isfinite(si)
        for row in np.flatnonzero(at).tolist():
            minute, pot_at = int(readings.time_ns[row]) // MINUTE_NS, int(self.place[readings.unit[row]])
            track.waiting.append((minute, pot_at, KINDS[int(readings.signal[row])], float(si[row])))

    def _finish(self, track: Track, value: Floats, said_ns: Ints) -> None:
        heard = said_ns[self.units] >= track.minute * MINUTE_NS
        last = np.where(heard, value[self.units], np.nan)
        current = np.where(track.current_n > 0, track.current / np.maximum(track.current_n, 1), np.nan)
        inputs = replace(
            track.events,
            voltage=np.where(track.voltage_n > 0, track.voltage / np.maximum(track.voltage_n, 1), np.nan),
            covered_s=np.minimum(track.voltage_n * self._period[self.line_of], 60.0),
            current=current[self.line_of],
            **{name: last[:, signal] for name, signal in LAST.items()},
        )
        track.state = self.estimator.step(track.state, track.minute, inputs)
        track.events = Inputs.nothing(len(self.units))
        for sums in (track.voltage, track.voltage_n, track.current, track.current_n):
            sums[:] = 0
        self._noisy(track, last[:, _SET], last[:, _WAVE])
        self._late(track)
        if (track.minute + 1) % CELL_MINUTES == 0:
            cell = track.minute // CELL_MINUTES
            place = cell % len(track.instability_at)
            track.instability[place] = track.extra / max(track.extra_n, 1)
            track.instability_at[place] = cell
            track.extra[:], track.extra_n = 0.0, 0
        self.believe(track)

    def _noisy(self, track: Track, set_point: Floats, wave: Floats) -> None:
        noisy = wave > UNSTABLE
        extra = np.where(noisy, np.maximum(set_point - track.quiet_set, 0.0), 0.0)
        track.extra += np.nan_to_num(extra)
        track.extra_n += 1
        track.quiet_set = np.where(np.isfinite(set_point) & ~noisy, set_point, track.quiet_set)

    def _late(self, track: Track) -> None:
        """Take the waiting samples of the pots whose turn it is in this minute."""
        turns = max(TURN_MINUTES, -(-len(self.units) // TURN_POTS))
        first = track.minute % turns * TURN_POTS
        mine = sorted(row for row in track.waiting if first <= row[1] < first + TURN_POTS)
        if not mine:
            return
        track.waiting = [row for row in track.waiting if not first <= row[1] < first + TURN_POTS]
        number, pot, kind, value = (np.array(column) for column in zip(*mine, strict=True))
        track.state = self.estimator.late(track.state, Samples(number, pot, kind, value))

    def believe(self, track: Track) -> None:
        """What is believed now, for the report and the books."""
        design, belief = self.estimator.design, track.state.belief
        track.offset, track.u_common, track.u_own = efficiency_offset(design, belief, self.line_of)
        track.learnt = 1.0 - np.minimum(np.square(track.u_common / self._u_drawn), 1.0)
        estimate, known = self.estimator.estimate(track.state, self.units, self.line_of)
        track.metal_sd = np.sqrt(estimate.cov[:, METAL_KG, METAL_KG])
        track.estimate = replace(estimate, known=known, time_ns=(track.minute + 1) * MINUTE_NS)

    def changed(self, track: Track) -> set[int]:
        """Quarter hours of which the estimate says something else than when this was asked last."""
        changed, track.state.marks.changed = track.state.marks.changed, set()
        return changed | {cell + 1 for cell in changed}  # the change of the metal is against the one before

    def rates(self, track: Track, line: int) -> Callable[[int], tuple[Floats, Floats] | None]:
        """What `cells.explain` takes of a quarter hour of the line with this code.

        A quarter hour that is not over goes by the state at the end of the one before.
        """
        pots, marks = self.pots_of[line], track.state.marks

        def of(cell: int) -> tuple[Floats, Floats] | None:
            before, now = marks.at(cell - 1), marks.at(cell)
            rows = now if now is not None else before
            if rows is None:
                return None
            found = dict(zip(MARKS, rows[:, pots].astype(np.float64), strict=True))
            nothing = np.full(len(pots), np.nan)
            if now is None:
                found["metal"] = nothing
            place = cell % len(track.instability_at)
            known = track.instability_at[place] == cell
            found["instability"] = track.instability[place][pots] if known else np.zeros(len(pots))
            metal = nothing if before is None else before[MARKS.index("metal")][pots].astype(np.float64)
            return np.array([found[name] for name in RATES]), metal

        return of


def _once(readings: Readings, rows: Ints) -> Ints:
    """Of rows of one signal those that are not a repetition of an earlier one: delivered twice it is one reading."""
    unit = readings.unit[rows]
    if not len(unit) or np.bincount(unit).max() <= 1:
        return rows
    order = np.lexsort((rows, readings.time_ns[rows], unit))
    unit, time = unit[order], readings.time_ns[rows][order]
    fresh = np.concatenate([[True], (np.diff(unit) != 0) | (np.diff(time) != 0)])
    return np.sort(rows[order[fresh]])
