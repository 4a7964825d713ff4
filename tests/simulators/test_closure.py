"""Mass and energy close in every single step, whatever happens."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.causes import CAUSES
from simulators.ledger import KINDS
from simulators.schedule import Cause
from tests.simulators.lines import Run, potline, run

POT_CAUSES = [kind for kind in CAUSES.values() if kind.scope != "line"]


@pytest.fixture(scope="module")
def busy() -> Run:
    """Every cause at once on a line where work goes on: taps, anode changes, anode effects, added bath."""
    schedule = [Cause(kind.name, n, 1800.0, min(kind.hours, 4.0) * 3600.0) for n, kind in enumerate(POT_CAUSES)]
    schedule += [Cause("anode_effect", pot, 3600.0, 5400.0) for pot in range(len(POT_CAUSES), 30)]
    schedule += [Cause("line_current_loss", None, 9000.0, 1200.0), Cause("power_modulation", None, 12000.0, 6000.0)]
    return run(potline(40, schedule, seed=5), 5.0, audit=True)


@pytest.mark.parametrize("kind", KINDS)
def test_closes_every_step(busy: Run, kind: str) -> None:
    assert busy.worst_balance[kind] < 1e-9


def test_it_was_busy(busy: Run) -> None:
    names = {event[2] for event in busy.events}
    assert {"tapped_metal_kg", "anode_changed", "anode_effect_kill", "beam_move_mm"} <= names
    assert busy.line.effect.count.sum() > 5
    assert 2.0 in busy.values("anode_effect_kill")  # starved pots have to be fed by hand


def test_closes_at_one_second_steps() -> None:
    result = run(potline(5), 0.25, dt=1.0, audit=True)
    assert max(result.worst_balance.values()) < 1e-9


def test_truth_stays_finite_and_sane(busy: Run) -> None:
    for row in busy.truth:
        assert all(np.isfinite(values).all() for values in row.values())
        assert (row["alumina_wt_pct"] > 0.0).all()
        assert (row["ledge_m"] >= 0.0).all()
        assert (row["metal_kg"] > 10_000.0).all()


def test_alumina_consumption_follows_faraday() -> None:
    """Page 3: 1.673e-7 I kg/s at CE 0.95."""
    line = potline(4)
    line.step()
    expected = 1.673e-7 * line.rectifier.current * line.alumina.efficiency / 0.95
    assert line.alumina.consumed == pytest.approx(expected, rel=1e-3)
    assert line.alumina.made / line.alumina.efficiency == pytest.approx(
        0.335573 * line.rectifier.current * 1e-3 / 3600.0, rel=1e-5
    )


def test_line_energy_is_what_the_pots_and_busbars_take() -> None:
    """DC = 2980 V/CE (plan 3), AC = DC over rectifier efficiency."""
    line, made, dc = potline(10), 0.0, 0.0
    for _ in range(720):
        line.step(5.0)
        made += float(line.alumina.made.sum())
        dc += (float(line.electric.total.sum()) + line.rectifier.busbar * line.rectifier.current) * (
            line.rectifier.current * 5.0
        )
    assert line.rectifier.dc.energy == pytest.approx(dc, rel=1e-9)
    assert line.rectifier.ac.energy / dc == pytest.approx(1.0 / 0.985, rel=1e-3)
    per_tonne = dc / 3.6e6 / (made * 1e-3)
    mean_volts = dc / (500e3 * 3600.0) / 10.0
    assert per_tonne == pytest.approx(2980.0 * mean_volts / float(line.alumina.efficiency.mean()), rel=5e-3)
