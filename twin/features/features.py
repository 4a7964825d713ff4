"""The step: readings of a tick are gathered; at the end of a minute every column of every pot is worked out at once."""

from __future__ import annotations

import numpy as np

from twin.features.gather import Gathered, gather
from twin.features.lines import line_quantities, medians, tap_scale
from twin.features.memory import Means
from twin.features.minute import Minute
from twin.features.pots import (
    EFFECT_VOLTS,
    Now,
    clock_ahead,
    held_names,
    plain,
    pot_quantities,
    remember,
    signal_names,
    speaks,
)
from twin.features.state import TELEMETRY, Remembered
from twin.features.table import FEATURES, LINE_FEATURES, LINE_QUANTITIES, PLAIN, QUANTITIES, Quantity
from twin.frames import Floats, Ints, Readings
from twin.plant import Roster
from twin.signals import by_name
from twin.tracking import Track, Tracker
from twin.windows import MINUTE_NS

__all__ = ["Features"]

_PAIRS = {"n": (0, None), "a": (0, 1), "b": (1, 2), "c": (1, 3), "d": (2, 4), "e": (3, 4), "l": (1, None), "L": (2, 4)}
SIGMAS = 20.0
FLOOR = 1e-12
LONGEST_STEP = 10.0  # min that one minute stands for after a gap


class Features:
    """The constant part; `state` is owned by the caller and changed in place."""

    def __init__(self, roster: Roster, tracker: Tracker) -> None:
        self._roster, self._tracker = roster, tracker
        self._lines = np.array(roster.line_codes(), np.int32)
        self._period = np.array([line.sample_period_s for _, line in roster.plant.lines()])
        self._rated = np.array([roster.plant.rated_current_ka(line) * 1e3 for _, line in roster.plant.lines()])

    def start(self) -> Remembered:
        """Before the first tick."""
        return Remembered(len(self._roster), len(self._tracker.units), len(self._lines))

    def grow(self, state: Remembered) -> None:
        """Room for pots enrolled since (after the tracker's own)."""
        if state.gathered.units != len(self._roster):
            state.grow(len(self._roster), len(self._tracker.units))

    def begin(self, state: Remembered, closed_ns: int, value: Floats, said_ns: Ints, track: Track) -> Minute | None:
        """A tick is about to close at `closed_ns`, after the tracker's `begin`: the minute before it, where it is over.

        `value` [SI] and `said_ns` (units, signals) as they were at the end of that minute.
        """
        number, minute = (closed_ns - 1) // MINUTE_NS, None
        if 0 <= state.minute < number:
            minute = self._finish(state, value, said_ns, track)
        state.minute = max(state.minute, number)
        return minute

    def take(self, state: Remembered, readings: Readings, si: Floats, fresh: np.ndarray, closed_ns: int) -> None:
        """Readings of a tick with SI values; `fresh`: those not heard before, and not older than what was."""
        gather(state.gathered, readings, si, fresh, closed_ns)

    def _now(self, state: Remembered, value: Floats, said_ns: Ints) -> Now:
        tracker, gathered = self._tracker, state.gathered
        units, line_of, end_ns = tracker.units, tracker.line_of, (state.minute + 1) * MINUTE_NS
        gap = state.minute - state.before if state.before >= 0 else 1
        mean, sd = _moments(gathered)
        said = said_ns[units]
        last = speaks(value[np.ix_(units, TELEMETRY)], said[:, TELEMETRY], end_ns)
        expected = 60.0 / self._period[line_of]
        none = gathered.count[units] == 0
        return Now(
            number=state.minute,
            minutes=float(gap),
            voltage=mean[units],
            voltage_sd=sd[units],
            low=np.where(none, np.nan, gathered.low[units]),
            high=np.where(none, np.nan, gathered.high[units]),
            covered=np.minimum(gathered.count[units] / expected, 1.0),
            current=mean[self._lines][line_of],
            last=dict(zip(signal_names(), last.T, strict=True)),
            held={name: value[units, by_name(name)] for name in held_names()},
            hand_ns=said[:, by_name("bath_temperature_manual_c")],
            tapped=gathered.tapped[units],
            clock=clock_ahead(said, said_ns[self._lines, by_name("line_current_ka")], line_of),
        )

    def _finish(self, state: Remembered, value: Floats, said_ns: Ints, track: Track) -> Minute:
        assert track.estimate is not None
        tracker, gathered = self._tracker, state.gathered
        units, line_of, lines = tracker.units, tracker.line_of, self._lines
        now = self._now(state, value, said_ns)
        found = pot_quantities(state, now, track.estimate, tracker.estimator.design)
        tap_scale(state, line_of, now.tapped, gathered.moved[units])
        mean, sd = _moments(gathered)
        of_line = line_quantities(
            state, line_of, value[lines], said_ns[lines], found, mean[lines], sd[lines], self._rated
        )
        step = min(now.minutes, LONGEST_STEP)
        pots_now = np.array([found[row.name] for row in QUANTITIES])
        lines_now = np.array([of_line[row.name] for row in LINE_QUANTITIES])
        state.pots.add(pots_now, step)
        state.lines.add(lines_now, step)
        work = {name: gathered.arrays()[column][units] > 0 for name, column in _WORK.items()}
        remember(state, now, work | {"effect": np.nan_to_num(now.high) > EFFECT_VOLTS})
        own = plain(state, now, track.estimate) | _context(state, of_line, line_of)
        values = np.concatenate([
            shaped(QUANTITIES, state.pots, pots_now, line_of, len(lines)),
            np.array([own[row.name] for row in PLAIN]),
        ])  # fmt: skip
        line_values = shaped(LINE_QUANTITIES, state.lines, lines_now, np.arange(len(lines)), len(lines))
        state.gathered, state.before = Gathered.nothing(gathered.units), state.minute
        end_ns = (state.minute + 1) * MINUTE_NS
        assert values.shape[0] == len(FEATURES)
        assert line_values.shape[0] == len(LINE_FEATURES)
        return Minute(end_ns, units, lines, line_of, values.T.copy(), line_values.T.copy())


_WORK = {"tap": "tapped", "anode": "changed", "raise": "raised"}


def _moments(gathered: Gathered) -> tuple[Floats, Floats]:
    """Mean and standard deviation (units,) of the minute's messages, NaN where there were none."""
    count = gathered.count
    some = np.maximum(count, 1.0)
    mean = gathered.total / some
    spread = np.sqrt(np.maximum(gathered.square / some - mean * mean, 0.0))
    return np.where(count > 0, mean, np.nan), np.where(count > 1, spread, np.nan)


def _context(state: Remembered, of_line: dict[str, Floats], line_of: Ints) -> dict[str, Floats]:
    """What the pots have to know of their line."""
    place = {row.name: n for n, row in enumerate(LINE_QUANTITIES)}
    short, longer = state.lines.of(0), state.lines.of(1)
    change = short - longer
    rows = {
        "line_current": of_line["current"],
        "line_current_change": change[place["current"]],
        "line_voltage_change": change[place["voltage_mean"]],
        "line_silent": of_line["silent"],
        "line_ahead": of_line["ahead"],
        "line_wave": of_line["wave"],
    }
    return {name: row[line_of] for name, row in rows.items()}


def shaped(rows: tuple[Quantity, ...], means: Means, now: Floats, line_of: Ints, lines: int) -> Floats:
    """Columns (columns, pots) that the shapes of quantities make of this minute and the recursive means."""
    spans = [means.of(n) for n in range(len(means.mean))]
    sigma, result = means.sigma(), []
    against = [n for n, row in enumerate(rows) if {"l", "L"} & set(row.shapes)]
    hour = np.full((len(rows), lines), np.nan)
    slow = hour.copy()
    if against:
        hour[against] = medians(spans[1][against], line_of, lines)
        slow[against] = medians(spans[2][against] - spans[4][against], line_of, lines)
    for n, row in enumerate(rows):
        for shape in row.shapes:
            if shape == "r":
                result.append(now[n])
            elif shape == "f":
                result.append(now[n] - spans[0][n])
            elif shape == "z":
                gap = (spans[0][n] - spans[4][n]) / np.maximum(sigma[n], FLOOR)
                result.append(np.clip(gap, -SIGMAS, SIGMAS))
            else:
                first, second = _PAIRS[shape]
                column = spans[first][n] if second is None else spans[first][n] - spans[second][n]
                if shape in "lL":
                    column = column - (hour if shape == "l" else slow)[n][line_of]
                result.append(column)
    return np.array(result)
