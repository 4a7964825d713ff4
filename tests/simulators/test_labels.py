"""Labels say who is struck, when and how badly; what does not fit a line is refused."""

from __future__ import annotations

import pytest

from simulators.causes import CAUSES
from simulators.schedule import Cause
from tests.simulators.lines import potline


def test_a_quench_frees_a_feeder_and_ends_the_label() -> None:
    """Four times out of five; the other pots strike again."""
    line = potline(20, [Cause("feeder_hang", pot, 60.0, 3000.0, 1.0, {"missing": -1.0}) for pot in range(20)])
    for _ in range(900):
        line.step(5.0)
    ends = [(label.end_ns - line.start_ns) / 1e9 for label in line.causes.labels() if label.cause == "feeder_hang"]
    assert len(ends) == 20
    assert max(ends) < 2400.0
    assert 3 <= (line.effect.count > 1).sum() < 12
    assert (line.gain > 0.9).all()


def test_labels_say_who_and_when() -> None:
    line = potline(6, [Cause("anode_spike", 2, 60.0, 600.0, 0.8), Cause("tap_scale", None, 0.0, 900.0)])
    assert [label.anode for label in line.causes.labels()] == [None, None]
    for _ in range(40):
        line.step(5.0)
    spike, scale = sorted(line.causes.active(), key=lambda label: label.cause)
    assert (spike.cause, spike.pots, spike.severity, spike.faults) == (
        *("anode_spike", (2,), 0.8),
        CAUSES["anode_spike"].faults,
    )
    assert spike.anode is not None
    assert (spike.end_ns - spike.start_ns) == 600 * 10**9
    assert scale.pots == ()
    for _ in range(200):
        line.step(5.0)
    assert line.causes.active() == []
    assert [label.anode for label in line.causes.labels()] == [spike.anode, None]  # in the order of their ends
    assert (line.effects.spike == 0.0).all()
    assert (line.effects.wave == 1.0).all()


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        (Cause("gremlins", 0, 0.0, 1.0), "not in the table"),
        (Cause("hot_pot", None, 0.0, 1.0), "strikes a pot"),
        (Cause("tap_scale", 1, 0.0, 1.0), "strikes a line"),
        (Cause("hot_pot", 9, 0.0, 1.0), "no pot with index 9"),
        (Cause("hot_pot", 0, 0.0, 1.0, 1.0, {"colour": 1.0}), "no parameter colour"),
    ],
)
def test_a_schedule_that_does_not_fit_is_refused(cause: Cause, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        potline(3, [cause])
