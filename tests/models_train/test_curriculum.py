"""Courses and their truth: one cause at a time, what cannot be seen yet is taught as nothing."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from simulators.causes import CAUSES
from twin.cli_options import settings_of
from twin.curriculum import LEFT_OUT, POT_CLASSES, Course, Truth, schedule, truth_of
from twin.parts import roster_of

HOUR = 3600 * 10**9


def test_every_cause_strikes_and_none_at_a_pot_at_the_same_time() -> None:
    _, line = next(roster_of(settings_of(None, None)).plant.lines())
    causes = schedule(Course(1, 200, 20.0), replace(line, pots=200))
    assert {cause.name for cause in causes} == set(CAUSES)
    for pot in range(200):
        mine = [one for one in causes if one.pot == pot and CAUSES[one.name].scope == "pot"]
        ends = [one.start_s + one.duration_s for one in mine]
        assert all(one.start_s > end for one, end in zip(mine[1:], ends[:-1], strict=True))


def test_the_truth_of_a_row_is_one_class_or_none() -> None:
    place = {name: n for n, name in enumerate(POT_CLASSES)}
    truths = [
        Truth("cold_pot", (3,), 10 * HOUR, 20 * HOUR, 1.0),
        Truth("anode_effect", (4,), 10 * HOUR, 11 * HOUR, 1.0),
        Truth("rectifier_loss", (), 0, 50 * HOUR, 1.0),
        Truth("line_current_loss", (), 40 * HOUR, 41 * HOUR, 1.0),
        Truth("clock_skew", (3, 4), 14 * HOUR, 15 * HOUR, 1.0),
    ]
    time = np.array([5, 10.1, 12, 14.5, 16, 21, 32, 40.5]) * HOUR
    said = truth_of(time.astype(np.int64), np.full(8, 3), truths, POT_CLASSES).tolist()
    cold, clock = place["cold_pot"], place["clock_skew"]
    assert said == [0, LEFT_OUT, cold, clock, cold, LEFT_OUT, 0, LEFT_OUT]
    other = truth_of((np.array([10.5]) * HOUR).astype(np.int64), np.array([4]), truths, POT_CLASSES)
    assert other.tolist() == [place["feeder_hang"]]
