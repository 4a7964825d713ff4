"""`twin size`: the arithmetic is right, says what it is made of, and is that of the shipped broker configuration."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from twin import sizing
from twin.catalogue import TWIN, TWIN_STATE
from twin.cli import app
from twin.signals import MEASUREMENTS
from twin.sizing import Load, rows

ROOT = Path(__file__).parents[2]
SCALE = (ROOT / "docs" / "scale.md").read_text("utf-8")
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text("utf-8")


def found(load: Load) -> dict[str, float]:
    return {row.what: row.value for row in rows(load)}


def test_a_hundred_thousand_pots_each_second() -> None:
    needs = found(Load(100_000))
    assert needs["messages"] == 100_000
    assert needs["field values"] == 2_000_000
    assert needs["broker to one reader"] == pytest.approx(58.6)
    assert needs["ingest"] == pytest.approx(0.88)
    assert needs["ingestors"] == 2
    assert needs["engines"] == 20
    assert needs["engine memory"] == pytest.approx(25)
    assert needs["InfluxDB per day"] == pytest.approx(1503.36)


def test_messages_of_sections_are_fewer() -> None:
    single, batched = found(Load(1000)), found(Load(1000, batched=True))
    assert batched["messages"] * sizing.SECTION_POTS == single["messages"]
    assert batched["broker memory then"] < single["broker memory then"] / 3
    assert batched["InfluxDB per day"] == single["InfluxDB per day"]


LOADS = st.builds(Load, st.integers(1, 10**6), st.floats(0.1, 60), st.floats(0, 1440), st.booleans())


@given(LOADS)
def test_any_load_has_an_answer_that_holds_together(load: Load) -> None:
    for row in rows(load):
        assert math.isfinite(row.value)
        assert row.value >= 0
        assert row.how
    needs = found(load)
    assert needs["broker queue"] == pytest.approx(needs["messages"] * load.outage_min * 60)
    assert needs["ingestors"] * sizing.BUSY >= needs["ingest"]
    assert needs["engines"] * sizing.ENGINE_POTS >= load.pots


@given(LOADS, st.integers(2, 5))
def test_what_flows_grows_with_the_pots(load: Load, times: int) -> None:
    one, more = found(load), found(Load(load.pots * times, load.period_s, load.outage_min, load.batched))
    for name, value in one.items():
        if name not in ("ingestors", "engines"):
            assert more[name] == pytest.approx(times * value)


@pytest.mark.parametrize(
    ("row", "own", "every"),
    [
        ("influx-q1", sizing.INGEST_US, sizing.ALL_US),
        ("influx-batch", sizing.SECTION_INGEST_US, sizing.SECTION_ALL_US),
    ],
)
def test_the_cpu_figures_are_those_of_the_page_on_performance(row: str, own: float, every: float) -> None:
    (said,) = re.findall(rf"^\| {row}: .*?\| ([\d.]+) of ([\d.]+) us/pot-sample", PERFORMANCE, re.M)
    assert (float(said[0]), float(said[1])) == (own, every)


def test_the_shipped_broker_configuration_is_made_of_the_same_figures() -> None:
    text = (ROOT / "docker" / "mosquitto.conf").read_text("utf-8")
    needs = found(Load(1500, 1.0, 30.0))
    assert re.search(rf"^max_queued_messages {needs['broker queue']:.0f}$", text, re.M)
    assert f"({sizing.PAYLOAD_B} B + {sizing.QUEUE_B} B) = {needs['broker memory then']:.1f} GB" in text


def test_a_pot_has_a_series_in_every_measurement_of_pots() -> None:
    of_pots = {name for kind, name in MEASUREMENTS.items() if kind != "line"} | {TWIN["pot"], TWIN_STATE}
    assert len(of_pots) == sizing.SERIES


@pytest.mark.parametrize(
    ("row", "what", "scale"),
    [
        ("messages/s", "messages", 1), ("MB/s to one reader", "broker to one reader", 1),
        ("broker queue, messages", "broker queue", 1e-6), ("its memory, GB", "broker memory then", 1),
        ("ingest, cores", "ingest", 1), ("broker, store and publisher, cores", "broker and InfluxDB", 1),
        ("engine, cores", "engine", 1), ("engines", "engines", 1), ("engine memory, GB", "engine memory", 1),
        ("InfluxDB, GB a day", "InfluxDB per day", 1), ("DuckDB, GB a day", "DuckDB per day", 1),
        ("spool, GB per hour without store", "spool per hour without store", 1),
    ],
)  # fmt: skip
def test_the_table_of_the_page_is_what_the_command_says(row: str, what: str, scale: float) -> None:
    (line,) = re.findall(rf"^\| {re.escape(row)} \|(.*)$", SCALE, re.M)
    told = [float(cell.replace(",", "").replace(" M", "")) for cell in line.split("|")[:4]]
    needs = [found(Load(pots))[what] * scale for pots in (300, 1500, 10_000, 100_000)]
    assert told == pytest.approx(needs, rel=0.14)  # two digits at the least


def test_the_command_prints_every_row_with_its_sum() -> None:
    result = CliRunner(env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}).invoke(
        app, ["size", "--pots", "1500", "--period", "1", "--outage", "60", "--batched"]
    )
    assert result.exit_code == 0
    for row in rows(Load(1500, 1.0, 60.0, True)):
        assert row.what in result.output
        assert row.how in result.output
    assert CliRunner().invoke(app, ["size"]).exit_code == 2
    assert CliRunner().invoke(app, ["size", "--pots", "0"]).exit_code == 2
