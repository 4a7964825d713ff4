"""Any course of events, commands and time: the machine against a plain model, split and stopped anywhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.alarms.rig import Rig, roster_of
from tests.alarms.standard import LATCHING, NORMAL, OUT, PLAIN, SHELVED
from tests.core.plants import NOW_NS, NS
from twin.alarms.inputs import told
from twin.alarms.layout import Layout
from twin.alarms.machine import advance
from twin.alarms.moved import transitions
from twin.alarms.rows import ALARMS, index_of
from twin.alarms.saved import from_bytes, to_bytes
from twin.alarms.state import NAMES, AlarmState

# Alarms that no condition of these courses silences, so that each is alone with the standard's table.
ALONE = (("anode_effect", "s/L/001"), ("anode_effect", "s/L/002"), ("line_current_low", "s/L"), ("broker_lost", "s"))


class Model:
    """One alarm as the standard's table and a delay have it."""

    def __init__(self, code: str) -> None:
        self.row = ALARMS[index_of(code)]
        self.table = LATCHING if self.row.latching else PLAIN
        self.state, self.active, self.raw = NORMAL, False, False
        self.due: float | None = None
        self.shelf: float | None = None
        self.out = False
        self.known = 0.0

    @property
    def goes_on(self) -> bool:
        return self.state == "acknowledged" and self.raw

    def hear(self, now: float, *, on: bool) -> None:
        if on == self.raw:
            return
        self.raw = on
        self.due = None if on == self.active else now + (self.row.on_delay_s if on else self.row.off_delay_s)
        self.run(now)

    def step(self, stimulus: str, now: float) -> None:
        if self.out or self.shelf is not None:
            return
        before = self.state
        self.state = self.table.get((self.state, stimulus), self.state)
        if stimulus == "ack" and self.state != before:
            self.known = now

    def back(self, now: float) -> None:
        if not self.out and self.shelf is None:
            self.state = NORMAL
            if self.active:
                self.step("occurs", now)

    def run(self, now: float) -> None:
        """Whatever is due until now, in order of time."""
        while True:
            again = self.known + self.row.realarm_s if self.goes_on and self.row.realarm_s else None
            if self.out or self.shelf is not None:
                again = None
            found = [(t, n) for n, t in enumerate((self.shelf, self.due, again)) if t is not None and t <= now]
            if not found:
                return
            at, which = min(found)
            if which == 0:
                self.shelf = None
                self.back(at)
            elif which == 1:
                self.due, self.active = None, self.raw
                self.step("occurs" if self.raw else "returns", at)
            else:
                self.step("realarm", at)

    @property
    def shown(self) -> str:
        return OUT if self.out else SHELVED if self.shelf is not None else self.state


class Course(RuleBasedStateMachine):
    """Random courses of a few alarms, with restarts in between."""

    @initialize()
    def begin(self) -> None:
        self.rig = Rig()
        self.models = {key: Model(key[0]) for key in ALONE}

    @rule(which=st.sampled_from(ALONE), on=st.booleans())
    def hear(self, which: tuple[str, str], on: bool) -> None:
        self.tick(1)
        self.rig.take([self.rig.event(*which, on)])
        self.models[which].hear(self.rig.now_s, on=on)

    @rule(seconds=st.one_of(st.integers(1, 120), st.sampled_from([600, 900, 1800, 3600, 30_000])))
    def tick(self, seconds: int) -> None:
        self.rig.wait(seconds)
        for model in self.models.values():
            model.run(self.rig.now_s)

    @rule(which=st.sampled_from(ALONE), action=st.sampled_from(["ack", "reset"]))
    def person(self, which: tuple[str, str], action: str) -> None:
        self.rig.do(action, which[1], which[0])
        self.models[which].step(action, self.rig.now_s)

    @rule(which=st.sampled_from(ALONE), hours=st.sampled_from([0.01, 0.5, 8.0]))
    def shelve(self, which: tuple[str, str], hours: float) -> None:
        assert self.rig.do("shelve", which[1], which[0], hours=hours).status == "done"
        self.models[which].shelf = self.rig.now_s + round(hours * 3600)

    @rule(which=st.sampled_from(ALONE))
    def unshelve(self, which: tuple[str, str]) -> None:
        model = self.models[which]
        self.rig.do("unshelve", which[1], which[0])
        if model.shelf is not None:
            model.shelf = None
            model.back(self.rig.now_s)

    @rule(which=st.sampled_from(ALONE), action=st.sampled_from(["remove", "restore"]))
    def service(self, which: tuple[str, str], action: str) -> None:
        model = self.models[which]
        self.rig.do(action, which[1], which[0])
        if model.out != (action == "remove"):
            model.out = action == "remove"
            model.back(self.rig.now_s)

    @rule()
    def restart(self) -> None:
        self.rig.state = from_bytes(self.rig.layout, to_bytes(self.rig.layout, self.rig.state))

    @invariant()
    def as_the_model_says(self) -> None:
        if hasattr(self, "rig"):
            assert {key: self.rig.shown(*key) for key in ALONE} == {key: m.shown for key, m in self.models.items()}

    @invariant()
    def the_journal_leads_from_state_to_state(self) -> None:
        if hasattr(self, "rig"):
            for key in ALONE:
                mine = [t for t in self.rig.moved if (t.code, t.unit) == key]
                assert all(a.after == b.before for a, b in pairwise(mine))
                assert not mine or mine[-1].after == self.rig.shown(*key)


TestCourse = Course.TestCase
TestCourse.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)

CODES = ["anode_effect", "voltage_high", "voltage_low", "bath_cold", "noisy", "no_data"]
HEARD = st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(CODES), st.integers(0, 7), st.booleans()), max_size=60)


@given(
    heard=HEARD, cuts=st.lists(st.integers(0, 20_000), max_size=6), tapped=st.lists(st.integers(0, 5000), max_size=3)
)
def test_going_on_in_steps_or_stopped_in_between_gives_the_same_transitions(
    heard: list[tuple[int, str, int, bool]], cuts: list[int], tapped: list[int]
) -> None:
    rig = Rig()
    pots = rig.roster.pot_codes()
    events = [rig.event(code, rig.roster.paths[pots[pot]], on, float(at)) for at, code, pot, on in sorted(heard)]
    crews = rig.readings("s/L/001", "tapped_metal_kg", *((at, 1500.0) for at in sorted(tapped)))
    inputs = told(rig.layout, events, crews)
    whole = AlarmState(len(rig.layout))
    once = list(transitions(rig.layout, whole, advance(rig.layout, whole, inputs, NOW_NS + 20_000 * NS)))
    state, parts, place = AlarmState(len(rig.layout)), [], 0
    for cut in [*sorted(cuts), 20_000]:
        end = int(np.searchsorted(inputs.time_ns, NOW_NS + cut * NS, "right"))
        some = slice(place, max(place, end))
        part = inputs.part(some)
        parts += list(transitions(rig.layout, state, advance(rig.layout, state, part, NOW_NS + cut * NS)))
        place = max(place, end)
        state = from_bytes(rig.layout, to_bytes(rig.layout, state))
    key = [(t.time_ns, t.unit, t.code, t.before, t.after, t.event, t.why) for t in once]
    assert [(t.time_ns, t.unit, t.code, t.before, t.after, t.event, t.why) for t in parts] == key


def test_a_state_is_read_by_a_plant_that_has_grown_and_is_small() -> None:
    small, large = Rig(), Layout.of(roster_of(16))
    small.take([small.event("anode_effect", "s/L/003", True)])
    small.wait(150)
    small.do("ack", "s/L/003")
    data = to_bytes(small.layout, small.state)
    assert len(data) < 2500
    state = from_bytes(large, data)
    cell = index_of("anode_effect") * state.units + large.paths.index("s/L/003")
    assert NAMES[int(state.shown(np.array([cell]))[0])] == "acknowledged"
    assert state.notes["acked"][index_of("anode_effect"), large.paths.index("s/L/003")][0] == "li.wei"
