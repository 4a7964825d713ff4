"""What a board must have so that it works wherever it is provisioned, and says what it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from dashboards.__main__ import OUT, source_of
from dashboards.influxql import SURE
from dashboards.tables import GRAFANA_UNITS
from twin import answers
from twin.alarms.figures import FLOOD_BEGINS, TARGETS
from twin.catalogue import ALARM_FIGURES, CATALOGUE
from twin.faults import FAULTS
from twin.kpis import KPIS
from twin.metrics import EXPORTED
from twin.signals import SIGNALS
from twin.states import STATES

BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted((OUT / "dashboards").glob("*.json"))
}
API = json.loads((OUT / "api.json").read_text("utf-8"))
RULES = [rule for group in API["rule_groups"] for rule in group["rules"]]
UNIT_IDS = {*GRAFANA_UNITS.values(), "bytes", "ops", "dateTimeFromNow"}
ABNORMAL = {"red", "orange", "yellow"}


def inside(thing: object) -> Iterator[dict[str, Any]]:
    """Every object in a tree."""
    if isinstance(thing, dict):
        yield thing
        for value in thing.values():
            yield from inside(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from inside(value)


def panels() -> list[tuple[str, dict[str, Any]]]:
    return [(uid, panel) for uid, board in BOARDS.items() for panel in board["panels"]]


def test_boards_have_the_uids_of_their_files_and_ask_to_be_left_alone() -> None:
    for name, board in BOARDS.items():
        assert board["uid"] == name
        assert len(name) <= 40
        assert board["title"]
        assert board["description"].endswith("?")
        assert "id" not in board, "Grafana's own number: differs between installations"
        assert board["editable"] is False
        assert isinstance(board["templating"]["list"], list)
    assert len({board["title"] for board in BOARDS.values()}) == len(BOARDS)


def test_panels_have_ids_titles_descriptions_and_a_word_for_no_data() -> None:
    for uid, board in BOARDS.items():
        ids = [panel["id"] for panel in board["panels"]]
        titles = [panel["title"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids), uid
        assert min(ids) > 0, uid
        assert len(set(titles)) == len(titles), uid
    for uid, panel in panels():
        assert len(panel["description"]) > 10, (uid, panel["title"])
        assert panel["fieldConfig"]["defaults"]["noValue"], (uid, panel["title"])
        assert panel["targets"], (uid, panel["title"])
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs), (uid, panel["title"])


def test_panels_do_not_overlap_and_stay_on_the_grid() -> None:
    for uid, board in BOARDS.items():
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            assert at["x"] + at["w"] <= 24, (uid, panel["title"])
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & taken, (uid, panel["title"])
            taken |= cells


def test_every_data_source_is_one_that_is_provisioned() -> None:
    files = (OUT / "provisioning/datasources").glob("*.yaml")
    known = {(row["type"], row["uid"]) for file in files for row in yaml.safe_load(file.read_text())["datasources"]}
    assert known == {(row["type"], row["uid"]) for row in API["data_sources"]}
    for board in BOARDS.values():
        used = [thing["datasource"] for thing in inside(board) if "datasource" in thing]
        assert used
        assert {(one["type"], one["uid"]) for one in used} <= known
    for rule in RULES:
        assert {query["datasourceUid"] for query in rule["data"]} <= {uid for _, uid in known} | {"__expr__"}


def test_units_are_grafanas_or_written_out() -> None:
    for board in BOARDS.values():
        for thing in inside(board):
            found = [thing["unit"]] if isinstance(thing.get("unit"), str) else []
            found += [thing["value"]] if thing.get("id") == "unit" else []
            for unit in found:
                assert unit in UNIT_IDS or unit.startswith("suffix: "), unit


def test_links_lead_to_boards_and_carry_what_those_need() -> None:
    seen = 0
    for uid, board in BOARDS.items():
        names = {variable["name"] for variable in board["templating"]["list"]}
        for thing in inside(board):
            url = thing.get("url", "")
            if not url:
                continue
            seen += 1
            parts = urlsplit(url)
            target = BOARDS[parts.path.removeprefix("/d/")]
            if thing.get("type") == "link":
                assert (thing["keepTime"], thing["includeVars"]) == (True, True), url
                continue
            assert "${__url_time_range}" in url
            carried = {name.removeprefix("var-"): value[0] for name, value in parse_qs(parts.query).items() if value}
            carried = {name: value for name, value in carried.items() if not name.startswith("$")}
            needed = {v["name"] for v in target["templating"]["list"] if v["type"] == "query"}
            assert set(carried) == needed, (uid, url)
            for name, value in carried.items():
                assert value == f"${{__data.fields.{name}}}" or (value == f"${{{name}}}" and name in names), (uid, url)
    assert seen > 60


def test_a_link_out_of_a_row_names_columns_that_the_row_has() -> None:
    for uid, panel in panels():
        for field in re.findall(r"__data\.fields\.(\w+)", json.dumps(panel["fieldConfig"])):
            asked = " ".join(target["query"] for target in panel["targets"])
            assert f'GROUP BY "{field}"' in asked or f', "{field}"' in asked, (uid, panel["title"], field)


def test_variables_that_are_used_are_there() -> None:
    for uid, board in BOARDS.items():
        names = {variable["name"] for variable in board["templating"]["list"]}
        used = set(re.findall(r"\$\{(\w+)\}", json.dumps(board))) - {"__to", "__url_time_range"}
        assert used <= names, uid


def test_colour_is_for_what_is_abnormal_and_never_alone() -> None:
    seen = 0
    for board in BOARDS.values():
        for thing in inside(board):
            if "text" in thing and str(thing.get("color")) in ABNORMAL:
                seen += 1
                assert thing["text"].strip("0123456789., "), "a colour without a word or a sign"
        text = json.dumps(board)
        assert '"green"' not in text
        assert '"continuous-' not in text
        assert '"palette-' not in text
    assert seen > 10


def test_trends_are_grey() -> None:
    for uid, panel in panels():
        if panel["type"] == "timeseries":
            color = panel["fieldConfig"]["defaults"]["color"]
            assert color == {"mode": "shades", "fixedColor": "#8e8e8e"}, (uid, panel["title"])


def test_the_time_of_an_aggregate_is_not_shown() -> None:
    for uid, panel in panels():
        if panel["type"] == "table":
            hidden = [o["properties"] for o in panel["fieldConfig"]["overrides"] if o["matcher"]["options"] == "Time"]
            points = any("ORDER BY time" in target["query"] for target in panel["targets"])
            is_hidden = any(p["id"] == "custom.hidden" for properties in hidden for p in properties)
            joined = any(t["id"] == "organize" for t in panel.get("transformations", ()))
            assert points != is_hidden or joined, (uid, panel["title"])


def test_nothing_is_coloured_by_the_default_threshold() -> None:
    for uid, panel in panels():
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0]["value"] is None, (uid, panel["title"])
        assert steps[0]["color"] not in ABNORMAL, (uid, panel["title"])


def test_measured_values_are_not_asked_for_more_finely_than_they_come() -> None:
    period = source_of().interval
    assert API["data_sources"][0]["jsonData"]["timeInterval"] == period
    for uid, panel in panels():
        if any("time($__interval)" in target.get("query", "") for target in panel["targets"]):
            assert panel.get("interval") or panel.get("maxDataPoints"), (uid, panel["title"])


def test_days_are_counted_in_the_sites_time_zone() -> None:
    queries = [t["query"] for _, p in panels() for t in p["targets"] if "query" in t]
    days = [query for query in queries if re.search(r"time\(1[dh]\)", query)]
    assert days
    assert all("tz('${zone}')" in query for query in days)


def test_every_row_of_the_tables_stands_on_a_board() -> None:
    text = json.dumps(BOARDS)
    fields = [signal.db_field for signal in SIGNALS] + [state.name for state in STATES]
    fields += [f"fault_{fault.code}" for fault in FAULTS]
    fields += [kpi.name for kpi in KPIS] + [row.name for row in EXPORTED if row.name != "smelter_build_info"]
    assert [name for name in fields if name not in text] == []
    assert len(CATALOGUE) > 100


def test_the_board_of_alarms_asks_for_every_figure_and_shows_its_target() -> None:
    found = {panel["title"]: panel for panel in BOARDS["smelter-alarms"]["panels"]}
    asked = " ".join(target["query"] for panel in found.values() for target in panel["targets"])
    assert [name for name in ALARM_FIGURES if f'"{name}"' not in asked] == []
    assert [target for target in TARGETS if f"{target.title} ({target.words})" not in asked] == []
    steps = found["Alarms in 10 minutes"]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, FLOOD_BEGINS]


def test_a_figure_on_its_target_meets_it() -> None:
    """Grafana takes the first mapping that fits, and the ends of a range belong to it."""
    panel = next(p for p in BOARDS["smelter-alarms"]["panels"] if p["title"] == "Alarm system against its targets")
    (mappings,) = {
        json.dumps(one["value"])
        for override in panel["fieldConfig"]["overrides"]
        for one in override["properties"]
        if one["id"] == "mappings"
    }
    first = json.loads(mappings)[0]
    assert first["options"]["from"] == 0.0
    assert first["options"]["result"]["text"] == "✔ met"


def test_half_an_interval_is_the_same_everywhere() -> None:
    assert answers.SURE == SURE


def test_rules_have_uids_states_and_an_interval_that_grafana_takes() -> None:
    uids = [rule["uid"] for rule in RULES]
    assert len(set(uids)) == len(uids)
    assert len({rule["title"] for rule in RULES}) == len(RULES)
    assert {f"smelter-fault-{fault.code}".replace("_", "-") for fault in FAULTS} <= set(uids)
    for group in API["rule_groups"]:
        assert group["interval"] % 10 == 0
        assert group["folderUid"] == "smelter"
    for rule in RULES:
        assert re.fullmatch(r"[a-z0-9\-]{1,40}", rule["uid"])
        assert rule["noDataState"] in ("OK", "Alerting")
        assert rule["execErrState"] == "Error"
        assert rule["condition"] == rule["data"][-1]["refId"] == "C"
        assert {"summary", "description", "board"} <= set(rule["annotations"])
        board = urlsplit(rule["annotations"]["board"])
        assert board.path.removeprefix("/d/") in BOARDS
        assert rule["labels"]["severity"] in ("low", "medium", "high")


def test_a_silent_line_is_an_alarm_and_no_fault_is_none() -> None:
    states = {rule["uid"]: rule["noDataState"] for rule in RULES}
    assert states.pop("smelter-data-silence") == "Alerting"
    assert set(states.values()) == {"OK"}


@pytest.mark.parametrize("path", sorted((OUT / "provisioning").rglob("*.yaml")), ids=lambda path: path.stem)
def test_provisioning_files_hold_no_dollar_sign_but_our_variables(path: Any) -> None:
    text = path.read_text("utf-8")
    assert yaml.safe_load(text)["apiVersion"] == 1
    assert re.findall(r"\$(?!SMELTER_[A-Z_]+\b).{0,20}", text) == []


def test_notifications_go_to_receivers_that_are_there() -> None:
    known = {point["name"] for point in API["contact_points"]}
    policy = API["policy"]
    assert {policy["receiver"], *(route["receiver"] for route in policy["routes"])} == known
    assert "pot" not in policy["group_by"], "a line that trips would send a mail a pot"
    assert len({point["uid"] for point in API["contact_points"]}) == len(known)
