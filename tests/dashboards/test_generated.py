"""The checked-in files are those that the tables make, and the SDK reads back what it wrote."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.alerting import Rule as AlertRule
from grafana_foundation_sdk.models.dashboard import Dashboard
from msgspec.structs import replace as with_fields

import dashboards.tables
from dashboards.__main__ import OUT, main, source_of
from dashboards.generate import generated
from dashboards.tables import Source
from dashboards.yaml_text import dump
from tests.dashboards.asked import asked
from twin.catalogue import CATALOGUE
from twin.signals import Signal

DOCS = Path(__file__).parents[2] / "docs"

BOARDS = sorted((OUT / "dashboards").glob("*.json"))


def again(thing: object) -> Any:
    return json.loads(json.dumps(thing, cls=JSONEncoder))


def test_the_checked_in_files_are_current() -> None:
    assert main(["--check"]) == 0
    assert len(BOARDS) == 8


def test_a_file_that_is_not_current_is_named_and_written_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--out", str(tmp_path)]
    (tmp_path / "mine.yaml").write_text("mine")
    assert main(where) == 0
    (tmp_path / "mine.yaml").unlink()
    assert main(["--check", *where]) == 0
    (tmp_path / "dashboards" / "smelter-pot.json").write_text("{}")
    assert main(["--check", *where]) == 1
    assert "dashboards/smelter-pot.json is out of date" in capsys.readouterr().err
    assert main(where) == 0
    assert main(["--check", *where]) == 0


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    assert main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "mine.yaml").read_text() == "mine"


@pytest.mark.parametrize("words", [["--out"], ["--colour", "red"], ["x"]])
def test_a_wrong_command_line_is_explained(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "python -m dashboards" in capsys.readouterr().err


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_the_sdk_reads_back_what_it_wrote(path: Path) -> None:
    register_default_plugins()
    board = json.loads(path.read_text("utf-8"))
    assert again(Dashboard.from_json(board)) == board


def test_the_sdk_reads_back_the_alert_rules() -> None:
    register_default_plugins()
    rules = [rule for group in json.loads((OUT / "api.json").read_text())["rule_groups"] for rule in group["rules"]]
    assert len(rules) > 10
    assert again([AlertRule.from_json(rule) for rule in rules]) == rules


def test_the_yaml_is_read_as_what_was_meant() -> None:
    thing = {"a": [{"b": 1, "c": ["x", [], {}]}, [[2], "no"]], "d": {"e": None, "f": "on: {{ .x }} # 'y' \"z\"\n"}}
    assert yaml.safe_load(dump(thing)) == thing


def test_files_and_api_hold_the_same_rules() -> None:
    rules = yaml.safe_load((OUT / "provisioning/alerting/rules.yaml").read_text("utf-8"))["groups"]
    pushed = json.loads((OUT / "api.json").read_text())["rule_groups"]
    assert [[r["uid"] for r in group["rules"]] for group in rules] == [
        [r["uid"] for r in group["rules"]] for group in pushed
    ]
    assert [group["interval"] for group in rules] == [f"{group['interval']}s" for group in pushed]


def queries(texts: dict[str, str], board: str) -> str:
    return "\n".join(one.query for one in asked(json.loads(texts[f"dashboards/{board}.json"])))


def test_a_row_added_to_the_catalogue_appears_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Signal("anomaly_score", "1", 0.0, 1.0, 0.0, "twin_pot", "How unusual the pot is.")
    monkeypatch.setattr(dashboards.tables, "CATALOGUE", (*CATALOGUE, row))
    texts = dict(generated(source_of()))
    for board in ("smelter-pot", "smelter-potline", "smelter-maintenance"):
        assert '"anomaly_score"' in queries(texts, board), board


def test_limits_and_rules_follow_the_plan_file() -> None:
    source = source_of()
    rules = [with_fields(r, limit=12345.0) if r.id == "new_capacity" else r for r in source.plan.rules]
    texts = generated(Source(with_fields(source.plan, rules=rules), source.plant))
    assert "12345" in texts["dashboards/smelter-overview.json"]
    assert '"steps": [' in texts["dashboards/smelter-energy.json"]
    assert "- 12345)" in texts["provisioning/alerting/rules.yaml"]
    assert "12345" not in "".join(generated(source).values())


def test_zones_periods_and_bands_follow_the_plant_file() -> None:
    source = source_of()
    site = source.plant.sites[0]
    line = with_fields(site.lines[0], sample_period_s=10.0)
    design = with_fields(source.plant.designs["p500"], voltage_v=(3.71, 4.29))
    plant = with_fields(
        source.plant,
        sites=[with_fields(site, lines=[line]), with_fields(site, id="other", time_zone="Europe/Oslo", lines=[line])],
        designs={"p500": design},
    )
    texts = generated(replace(source, plant=plant))
    assert "Asia/Shanghai,Europe/Oslo" in texts["dashboards/smelter-alarms.json"]
    assert 'timeInterval: "10s"' in texts["provisioning/datasources/smelter.yaml"]
    assert '"interval": "10s"' in texts["dashboards/smelter-pot.json"]
    assert "3.71" in texts["dashboards/smelter-potline.json"]
    assert "/ 360" in texts["dashboards/smelter-maintenance.json"]


@pytest.mark.parametrize(
    ("name", "unit", "shown"),
    [
        ("bath_temperature_c", "C", "Bath temperature"),
        ("ac_liquid_kwh_t", "kWh/t", "AC liquid"),
        ("excess_alf3_pct", "wt%", "Excess AlF3"),
        ("resistance_slope_nohm_min", "nOhm/min", "Resistance slope"),
        ("feed_mode", "1", "Feed mode"),
    ],
)
def test_names_are_shown_as_people_write_them(name: str, unit: str, shown: str) -> None:
    assert dashboards.tables.label(name, unit) == shown


def test_the_documentation_names_every_board_and_variable() -> None:
    boards = [json.loads(path.read_text("utf-8"))["title"] for path in (OUT / "dashboards").glob("*.json")]
    explained = (DOCS / "grafana.md").read_text("utf-8")
    assert set(re.findall(r"^\| (\w+) \| ", explained, re.M)) >= set(boards)
    used = {
        name for path in (OUT / "provisioning").rglob("*.yaml") for name in re.findall(r"SMELTER_\w+", path.read_text())
    }
    assert used == set(re.findall(r"SMELTER_\w+", (DOCS / "how-to" / "grafana.md").read_text("utf-8")))
