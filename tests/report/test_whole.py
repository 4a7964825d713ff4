"""The whole report: figures are those of the store, nothing is invented, every format says the same."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.making import report_of, rows_of
from tests.report.plants import two_lines
from tests.report.story import Story
from twin.report.data import PeriodReport
from twin.report.page import html
from twin.report.table import COLUMNS, csv_text

pytestmark = pytest.mark.long

ROWS = rows_of()
FIELDS = sorted({key[3] for key in ROWS})
MONTH_NS = min(key[2] for key in ROWS if key[3] == "metal_t_month" and key[2] > 1_790_000_000 * 10**9)


def test_the_figures_are_those_of_the_store() -> None:
    (line,) = report_of(ROWS).lines
    for metric in (*line.metrics, *line.production):
        assert metric.now.value == ROWS["twin_line", "demo/A", MONTH_NS, f"{metric.name}_month"]
    assert [metric.name for metric in line.metrics] == [
        "dc_kwh_t", "ac_liquid_kwh_t", "ac_comprehensive_kwh_t", "ac_liquid_tapped_kwh_t",
    ]  # fmt: skip
    course = next(one for one in line.courses if one.name == "ac_liquid_kwh_t")
    assert len(course.value) == 31
    assert course.value[0] == ROWS["twin_line", "demo/A", MONTH_NS, "ac_liquid_kwh_t_day"]
    assert course.value[11] is None  # nothing came on the 12th
    assert course.starts[0] == "2026-10-01T00:00:00+08:00"


def test_the_worst_pots_come_first_with_where_their_excess_is() -> None:
    (line,) = report_of(ROWS).lines
    excess = [pot.excess_kwh_t for pot in line.pots]
    assert len(line.pots) == 60
    assert excess == sorted(excess, key=lambda value: -(value or 0.0))
    where = {pot.id: pot.largest[0][0] for pot in line.pots if pot.largest}
    assert where["A008"] == "Cathode drop"
    assert where["A017"] == "Anode distance above target"
    assert where["A043"] == "Anode effects"
    assert all(len(pot.course) == 31 for pot in line.pots)


def test_energy_against_the_baseline_finds_what_was_saved() -> None:
    (line,) = report_of(ROWS).lines
    saved = next(metric.change for metric in line.metrics if metric.name == "ac_liquid_kwh_t")
    metal = next(metric.now.value for metric in line.production if metric.name == "metal_t")
    total = [value for value in line.cusum.total_kwh if value is not None][-1]
    assert line.cusum.why == ""
    assert saved is not None
    assert metal is not None
    assert total == pytest.approx(saved * metal, rel=0.15)
    assert "better" in line.cusum.alarm


def test_faults_count_within_the_period_alone() -> None:
    (line,) = report_of(ROWS).lines
    begun = [key for key, value in ROWS.items() if key[3] == "fault_noisy" and value == 1.0 and key[2] >= MONTH_NS]
    noisy = next(fault for fault in line.faults if fault.code == "noisy")
    assert noisy.began == len(begun)
    assert noisy.pots == len({key[1] for key in begun})
    assert 0.0 < noisy.hours < 24.0 * 31 * 60


def test_a_fault_that_never_ended_stands_to_the_end_of_the_period() -> None:
    rows = {key: value for key, value in ROWS.items() if key[0] != "event"}
    rows["event", "demo/A/A003", MONTH_NS - 3600 * 10**9, "fault_bath_hot"] = 1.0
    (line,) = report_of(rows).lines
    (fault,) = line.faults
    assert (fault.code, fault.began, fault.pots) == ("bath_hot", 0, 0)
    assert fault.hours == pytest.approx(31 * 24.0)


def test_lines_without_data_are_named_and_the_portfolio_is_not_judged() -> None:
    plant = two_lines()
    rows = {key: value for key, value in rows_of(plant).items() if not key[1].startswith("north/B")}
    report = report_of(rows, plant)
    assert [line.path for line in report.lines] == ["north/A"]
    assert report.no_data == ["north/B"]
    assert report.portfolio is None
    assert "north/B" in html(report)


@given(st.sets(st.sampled_from(FIELDS), max_size=len(FIELDS)), st.booleans(), st.booleans())
@settings(max_examples=25)
def test_whatever_is_missing_the_report_is_made(gone: set[str], pots: bool, before: bool) -> None:
    rows = {
        key: value
        for key, value in ROWS.items()
        if key[3] not in gone and (pots or key[0] != "twin_pot") and (before or key[2] >= MONTH_NS)
    }
    report = report_of(rows)
    text = html(report)
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S).lower()
    assert "None" not in text
    csv_text(report)
    for line in report.lines:
        for metric in (*line.metrics, *line.production):
            if f"{metric.name}_month" in gone:
                assert metric.now.value is None


@pytest.mark.parametrize("words", ["2026-10-07", "2026-10", "2026"])
def test_json_is_the_report_and_csv_holds_its_figures(words: str) -> None:
    rows = rows_of(story=Story(hours=(date(2026, 10, 7), date(2026, 10, 6))))
    report = report_of(rows, words=words)
    assert msgspec.json.decode(msgspec.json.encode(report), type=PeriodReport) == report
    table = list(csv.DictReader(io.StringIO(csv_text(report))))
    assert tuple(table[0]) == COLUMNS
    (line,) = report.lines
    found = {(row["unit"], row["start"], row["window"], row["figure"]): float(row["value"]) for row in table}
    assert len(found) == len(table)  # no figure twice
    for metric in line.metrics:
        assert found["demo/A", line.period.start, line.period.kind, metric.name] == metric.now.value
    for pot in line.pots:
        assert found[f"demo/A/{pot.id}", line.period.start, line.period.kind, "ac_liquid_kwh_t"] == pot.kwh_t.value
    terms = [row for row in table if re.fullmatch(r"loss_\w+_kwh_t", row["figure"]) and "change" not in row["figure"]]
    assert sum(float(row["value"]) for row in terms) == pytest.approx(line.losses.total)


def test_names_from_the_plant_file_are_text_and_never_markup() -> None:
    plant = two_lines()
    text = html(report_of(rows_of(plant), plant))
    assert "Potline &lt;B&gt; &amp; &#34;co&#34;" in text
    assert "Potline <B>" not in text
    assert "<script" not in text
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", text)
    assert not re.search(r"url\(|@import|https?://", text)
