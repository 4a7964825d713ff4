"""Mass and energy close in every single step, whatever happens."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from simulators.causes import CAUSES
from simulators.ledger import KINDS
from simulators.schedule import Cause
from tests.simulators.lines import Run, potline, run
from twin.physics.heat import heat_loss

pytestmark = pytest.mark.long

POT_CAUSES = [kind for kind in CAUSES.values() if kind.scope != "line"]


@pytest.fixture(scope="module")
def busy() -> Run:
    """Every cause at once on a line where work goes on: taps, anode changes, anode effects, bath and bags of AlF3."""
    schedule = [Cause(kind.name, n, 360.0, min(kind.hours, 2.0) * 3600.0) for n, kind in enumerate(POT_CAUSES)]
    schedule += [Cause("anode_effect", pot, 600.0, 4200.0) for pot in range(len(POT_CAUSES), 30)]
    schedule += [Cause("line_current_loss", None, 5400.0, 1200.0), Cause("power_modulation", None, 6900.0, 1800.0)]
    line = potline(40, schedule, seed=5)
    line.state.cryolite[30:35] -= 900.0  # the crew adds bath to these and takes some of the next
    line.state.cryolite[35:] += 900.0
    line.bath.refresh(line.state)
    line.dosing.known_alf3[:] -= 2.0  # and adds bags
    for pot in range(40):
        line.agenda.plan(600.0 + 10.0 * pot, "measure", pot)
    return run(line, 2.5, audit=True)


@pytest.mark.parametrize("kind", KINDS)
def test_closes_every_step(busy: Run, kind: str) -> None:
    assert busy.worst_balance[kind] < 1e-9


def test_it_was_busy(busy: Run) -> None:
    """So that closing means something: all that moves mass or heat happened."""
    names = {event[2] for event in busy.events}
    assert {"tapped_metal_kg", "anode_changed", "anode_effect_kill", "beam_move_mm", "alf3_bag_kg"} <= names
    assert busy.line.effect.count.sum() > 5
    assert 2.0 in busy.values("anode_effect_kill")  # starved pots have to be fed by hand
    added = busy.line.state.additives[0] / (busy.line.p.caf2 * busy.line.p.bath_mass * 0.01)  # only crews move CaF2
    assert added[30:35].min() > 1.02
    assert added[35:].max() < 0.98
    ledge = busy.true("ledge_m") - busy.first["ledge_m"]
    assert ledge[-1].min() < -5e-3
    assert ledge[-1].max() > 5e-3


def test_closing_would_notice_a_gram(busy: Run) -> None:
    """Of alumina, AlF3 or metal, and a kilojoule: the ledger does not just repeat what the state did."""
    for kind in ("alumina", "alf3", "metal", "energy"):
        line = copy.deepcopy(busy.line)
        line.step(5.0)
        assert np.abs(line.balance()[kind]).max() < 1e-9
        stock = getattr(line.state, {"alumina": "sludge", "energy": "cold"}.get(kind, kind))
        stock[3] += 1e3 if kind == "energy" else 1e-3
        assert np.abs(line.balance()[kind]).max() > 1e-7


def test_heat_loss_agrees_with_the_published_formula(day: Run) -> None:
    """Plan 3: I (V_int - 0.48 - 1.65 CE); the simulator sums its own flows, from other sources (page 4), to 5 %."""
    line, thermal = day.line, day.line.thermal
    lost = thermal.q_top + thermal.q_bottom + thermal.q_side + thermal.q_cold + thermal.q_melt
    internal = day.true("pot_voltage_v").mean() - line.current_rated * line.p.r_external.mean()
    expected = heat_loss(line.current_rated, internal, float(day.true("efficiency").mean()))
    assert lost.mean() == pytest.approx(expected, rel=0.05)


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
