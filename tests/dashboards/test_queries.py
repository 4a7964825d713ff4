"""Every query of every board and every alert rule, asked of the real InfluxDB with a simulated day in it."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dashboards.__main__ import OUT
from dashboards.tables import label
from simulators.instruments import READING
from tests.dashboards.asked import Asked, asked, choices, expanded, rows
from tests.dashboards.day import HOURS, POTS, SAMPLED, Day, written
from tests.servers import InfluxServer, Server
from twin.alarms.figures import TARGETS
from twin.catalogue import CATALOGUE
from twin.faults import FAULTS
from twin.kpis import KPIS
from twin.signals import SIGNALS

pytestmark = [pytest.mark.live, pytest.mark.timeout(400)]

BOARDS = [json.loads(path.read_text("utf-8")) for path in sorted((OUT / "dashboards").glob("*.json"))]
PODS = [f"A{number:03d}" for number in range(1, POTS + 1)]
RULES = [rule for group in json.loads((OUT / "api.json").read_text("utf-8"))["rule_groups"] for rule in group["rules"]]
RANGES = {signal.db_field: (signal.low, signal.high) for signal in CATALOGUE if math.isfinite(signal.high)}
KWH_T = {f"{kpi.name}_{window}" for kpi in KPIS if kpi.name.endswith("c_kwh_t") for window in kpi.windows}
EARLY_MS = (HOURS - 6) * 3600_000  # back to six in the morning of the first day
# Panels of signals for which the simulated line has no instrument.
UNSAID = [label(one.name, one.unit) for one in SIGNALS if one.topic == "telemetry" and one.name not in READING]
# What a day of six pots cannot bring, by the column that shows it.
NOT_IN_A_DAY = (
    "Age of samples A: Iron [ppm]", "Age of samples A: Silicon [ppm]",  # the newest samples are of the bath
    "AC liquid tapped [kWh/t]",  # no pot is tapped on this day but by hand, after the books are closed
    "Bath [kg]", "Efficiency [%]",  # estimated states that want days of samples and taps
    *(f": {title}" for title in UNSAID),
)  # fmt: skip
NOT_IN_A_DAY_PANELS = {"Estimate: Bath A", "Estimate: Efficiency A", *(f"{title} A" for title in UNSAID)}


@pytest.fixture(scope="module")
def day(influx: InfluxServer, influx_v2: Server) -> Iterator[Day]:
    """One day for all tests of this file."""
    name = f"t{uuid.uuid4().hex[:12]}"
    influx.create_database(name)
    yield written(influx, influx_v2.url, name)
    influx.drop_database(name)


def answers(day: Day, board: Mapping[str, Any], one: Asked) -> Iterator[list[dict[str, Any]]]:
    """The rows for every window, and every pot where a pot is chosen; of a short board at two moments of the day."""
    ends = [day.end_ms] + ([day.end_ms - EARLY_MS] if board["time"]["from"] == "now-6h" else [])
    for window in choices(board, "window") if "${window}" in one.query else [""]:
        for pot in PODS if "${pot}" in one.query else [""]:
            values = {"site": "demo", "line": "A", "pot": pot, "zone": "Asia/Shanghai", "window": window}
            for end_ms in ends:
                text = expanded(one.query, one.panel, board["time"]["from"], end_ms, values)
                yield rows(day.server.query(text, day.database))


def told(found: list[list[dict[str, Any]]]) -> dict[str, list[float]]:
    """Column -> its values that are there."""
    columns: dict[str, list[float]] = defaultdict(list)
    for answer in found:
        for row in answer:
            for name, value in row.items():
                columns[name] += [] if value is None else [value]
    return columns


def implausible(query: str, window: str, columns: Mapping[str, list[float]]) -> list[str]:
    """Columns of a signal or a metric with values that cannot be."""
    found = []
    plain = re.findall(r'(?:SELECT |, )(?:(?:mean|last)\()?"(\w+?)(?:_\$\{window\})?"\)? AS "([^"]+)"', query)
    for field, name in plain:
        low, high = RANGES.get(field, (-math.inf, math.inf))
        if field in KWH_T or f"{field}_{window}" in KWH_T:
            low, high = 11000.0, 16000.0
        values = [value for value in columns.get(name, ()) if isinstance(value, int | float)]
        if any(not low <= value <= high for value in values):
            found.append(f"{name} ({field}): {min(values):g}..{max(values):g}")
    return found


def test_every_query_of_every_board_has_rows_of_plausible_values(day: Day) -> None:
    asked_for, empty, odd = 0, [], []
    for board in BOARDS:
        for one in asked(board):
            found = list(answers(day, board, one))
            asked_for += len(found)
            columns = told(found)
            if one.where in NOT_IN_A_DAY_PANELS:
                continue
            if not columns:
                empty.append(str(one))
            empty += [f"{one.board}: {one.where}: {name}" for name in columns if not columns[name]]
            odd += [f"{one.board}: {one.where}: {what}" for what in implausible(one.query, "day", columns)]
    assert asked_for > 300
    unexpected = [line for line in empty if not line.endswith(NOT_IN_A_DAY)]
    assert not unexpected, "\n".join(unexpected)
    assert not odd, "\n".join(odd)


def panel(board: str, title: str) -> Asked:
    found = next(b for b in BOARDS if b["uid"] == board)
    return next(one for one in asked(found) if one.where == title)


def ask(day: Day, board: str, title: str, pot: str = "", window: str = "day") -> list[dict[str, Any]]:
    found = next(b for b in BOARDS if b["uid"] == board)
    values = {"site": "demo", "line": "A", "pot": pot, "zone": "Asia/Shanghai", "window": window}
    one = panel(board, title)
    return rows(
        day.server.query(expanded(one.query, one.panel, found["time"]["from"], day.end_ms, values), day.database)
    )


def test_variables_list_what_the_store_has(day: Day) -> None:
    assert [row["value"] for row in ask(day, "smelter-pot", "variable site")] == ["demo"]
    assert [row["value"] for row in ask(day, "smelter-pot", "variable line")] == ["A"]
    assert [row["value"] for row in ask(day, "smelter-pot", "variable pot")] == PODS


def test_the_pots_of_a_line_are_one_table_with_a_row_each(day: Day) -> None:
    for target in "ABC":
        found = ask(day, "smelter-potline", f"Pots, worst first {target}")
        assert sorted(row["pot"] for row in found) == PODS, target


def test_the_verdict_is_that_of_the_twin(day: Day) -> None:
    """A margin of more than half the interval is sure; between -1 and 1 the twin says uncertain."""
    assert day.session.report is not None
    row = ask(day, "smelter-overview", "AC liquid against the plan A")[0]
    twins = {grade.rule.limit: grade for grade in day.session.grades() if grade.window == "day"
             and grade.rule.metric == "ac_liquid" and day.session.roster.paths[grade.unit] == "demo/A"}  # fmt: skip
    assert len(twins) >= 3
    for limit, grade in twins.items():
        margin = row[f"≤ {limit:,g} kWh/t"]
        if grade.verdict == "insufficient":
            continue
        said = "pass" if margin > 1 else "fail" if margin < -1 else "indeterminate"
        assert said == grade.verdict, (limit, margin, grade)
    assert row["Value"] == pytest.approx(next(iter(twins.values())).value)


def test_the_loss_tree_adds_up_to_the_metered_figure(day: Day) -> None:
    tree = {k: v for k, v in ask(day, "smelter-energy", "Where the energy goes A")[0].items() if k != "time"}
    metered = ask(day, "smelter-energy", "AC comprehensive against the plan A")[0]["Value"]
    assert sum(tree.values()) == pytest.approx(metered, abs=1.0)


def test_active_faults_are_those_of_the_twin(day: Day) -> None:
    active: dict[str, set[str]] = {fault.code: set() for fault in FAULTS}
    for event in sorted(day.events, key=lambda event: event.time_ns):
        (active[event.code].add if event.began else active[event.code].discard)(day.path(event))
    row = ask(day, "smelter-overview", "Pots with a fault now A")[0]
    assert {fault.title: row[fault.title] or 0 for fault in FAULTS} == {f.title: len(active[f.code]) for f in FAULTS}
    assert sum(len(pots) for pots in active.values()) >= 3
    begun = sum(event.began for event in day.events)
    daily = ask(day, "smelter-alarms", "Faults by day A")
    assert sum(row[fault.title] or 0 for row in daily for fault in FAULTS) == begun


def test_figures_of_the_alarm_system_are_those_of_the_desk(day: Day) -> None:
    (desks,) = day.alarms
    assert desks.alarms >= 5
    (figures,) = ask(day, "smelter-alarms", "Figures of the alarm system A")
    (within,) = ask(day, "smelter-alarms", "Alarm system against its targets A")
    columns = {target: f"{target.title} ({target.words})" for target in TARGETS}
    assert figures["line"] == within["line"] == "A"
    assert {t: figures[name] for t, name in columns.items()} == {t: pytest.approx(v) for t, v, _ in desks.verdicts()}
    assert {t: within[name] >= 0 for t, name in columns.items()} == {t: met for t, _, met in desks.verdicts()}
    assert {met for _, _, met in desks.verdicts()} == {True, False}


def test_alarms_in_10_minutes_and_what_stands_are_those_of_the_desk(day: Day) -> None:
    lately = [
        row["alarms"] for row in ask(day, "smelter-alarms", "Alarms in 10 minutes A") if row["alarms"] is not None
    ]
    assert len(lately) > 25 * 6
    assert max(lately) == day.alarms[0].most_in_10_min
    states = [row for row in ask(day, "smelter-alarms", "Alarms by state A") if row["standing"] is not None]
    assert states[-1]["standing"] == day.standing > 0
    assert states[-1]["unacknowledged"] > day.standing, "nobody acknowledges, and some are over"


def test_an_estimate_lies_within_its_interval(day: Day) -> None:
    found = [row for row in ask(day, "smelter-pot", "Estimate: Alumina A", SAMPLED) if row["value"] is not None]
    assert len(found) > 50
    assert all(row["95 % low"] < row["value"] < row["95 % high"] for row in found)


def test_annotations_mark_the_beginnings(day: Day) -> None:
    for fault in FAULTS:
        begun = {(e.time_ns, day.path(e)[-4:]) for e in day.events if e.code == fault.code and e.began}
        marks = [row for pot in PODS for row in ask(day, "smelter-pot", f"annotation {fault.title}", pot)]
        late = {mark for mark in begun if mark[0] >= (day.end_ms - 6 * 3600_000) * 1_000_000}
        assert {(row["time"], row["pot"]) for row in marks} == late
    seen = [row for fault in FAULTS for row in ask(day, "smelter-potline", f"annotation {fault.title}")]
    assert len(seen) >= len(FAULTS)


def firing(day: Day, rule: Mapping[str, Any], at_ms: int) -> set[str]:
    """Units at which a rule is met: last value of each series against the threshold, as B and C of the rule say."""
    asks, reduce, threshold = rule["data"]
    assert (reduce["model"]["expression"], reduce["model"]["reducer"]) == ("A", "last")
    evaluator = threshold["model"]["conditions"][0]["evaluator"]
    query = asks["model"]["query"].replace("now()", f"{at_ms}ms")
    assert "$" not in query
    found = set()
    for series in day.server.query(query, day.database)["results"][0].get("series", ()):
        last = [row[1] for row in series["values"] if row[1] is not None][-1]
        limit = evaluator["params"][0]
        if last > limit if evaluator["type"] == "gt" else last < limit:
            found.add("/".join(series["tags"][tag] for tag in ("site", "line", "pot") if tag in series["tags"]))
    return found


def rule_of(uid: str) -> Mapping[str, Any]:
    return next(rule for rule in RULES if rule["uid"] == uid)


def test_fault_rules_fire_at_the_right_pots_at_any_moment(day: Day) -> None:
    """At several moments: those whose last event so far is a beginning, and no others."""
    fired = 0
    for at_ms in (*(day.end_ms - hours * 3600_000 for hours in (24, 20, 8, 4)), day.end_ms):
        for fault in FAULTS:
            active: set[str] = set()
            for event in sorted(day.events, key=lambda event: event.time_ns):
                if event.code == fault.code and event.time_ns <= at_ms * 1_000_000:
                    (active.add if event.began else active.discard)(day.path(event))
            rule = rule_of(f"smelter-fault-{fault.code}".replace("_", "-"))
            query = rule["data"][0]["model"]["query"]
            until = {**rule, "data": [{"model": {"query": query.replace("WHERE", f"WHERE time <= {at_ms}ms AND")}},
                                      *rule["data"][1:]]}  # fmt: skip
            assert firing(day, until, at_ms) == active, (fault.code, at_ms)
            fired += len(active)
    assert fired >= 8


def test_plan_rules_fire_where_the_twin_is_sure_that_a_rule_is_not_met(day: Day) -> None:
    grades = [g for g in day.session.grades() if g.window == "day"]
    failed = {g.rule.id for g in grades if g.verdict == "fail" and day.session.roster.paths[g.unit] == "demo/A"}
    plan_rules = [rule for rule in RULES if rule["uid"].startswith("smelter-plan-")]
    fired = {rule["uid"].removeprefix("smelter-plan-").replace("-", "_") for rule in plan_rules
             if firing(day, rule, day.end_ms) == {"demo/A"}}  # fmt: skip
    assert fired == failed & {r["uid"].removeprefix("smelter-plan-").replace("-", "_") for r in plan_rules}
    assert fired
    assert len(fired) < len(plan_rules)


def test_a_rule_of_the_plan_does_not_fire_outside_its_years(day: Day) -> None:
    rule = rule_of("smelter-plan-tiered-price-step")
    query = rule["data"][0]["model"]["query"]
    assert "time >= '2025-01-01'" in query
    later = query.replace("'2025-01-01'", "'2026-06-01'")
    changed = {**rule, "data": [{"model": {"query": later}}, *rule["data"][1:]]}
    assert firing(day, rule, day.end_ms) == {"demo/A"}
    assert firing(day, changed, day.end_ms) == set()


def test_a_line_that_falls_silent_fires_and_one_that_speaks_does_not(day: Day) -> None:
    rule = rule_of("smelter-data-silence")
    assert firing(day, rule, day.end_ms) == set()
    assert firing(day, rule, day.end_ms + 20 * 60_000) == {"demo/A"}
