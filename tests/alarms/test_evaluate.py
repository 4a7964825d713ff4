"""`twin evaluate alarms`: management tells less of the same trouble, and the root of it."""

from __future__ import annotations

import pytest

from tests.core.plants import NS, packaged_plan
from twin.cli_evaluate import alarm_rows
from twin.cli_options import settings_of
from twin.evaluate_alarms import judge
from twin.parts import roster_of

pytestmark = pytest.mark.long


def test_a_quarter_of_a_day_is_judged_before_and_after() -> None:
    roster = roster_of(settings_of(None, None))
    looks: list[int] = []
    found = judge(roster, packaged_plan(), "one-of-each", 6, 0.125, 7, looks.append)
    assert len(looks) == 36
    assert looks[-1] == found.after.end_ns == found.before.end_ns
    assert found.after.end_ns - found.after.start_ns == 3 * 3600 * NS
    assert [top.code for top in found.before.top_ten].count("anode_effect") >= 1, "the cause of hour 2"
    told = {top.code for top in found.after.top_ten}
    assert told == {"anode_effect", "line_current_low"}, "no high voltage beside it; no fault tells of the current"
    rows = alarm_rows(found)
    assert rows[0][:3] == ("Alarms", str(found.before.alarms), str(found.after.alarms))
    assert {row[4] for row in rows[1:]} <= {"yes", "no"}
