"""The alarm system in the report: figures by plain counting, from a journal that a twin may be writing meanwhile."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from pathlib import Path

import pytest

from tests.report.alarming import OCTOBER_NS, flooded, october, told
from tests.report.making import report_of, rows_of
from tests.report.plants import line_of, two_lines
from tests.report.story import Story, into_duckdb
from tests.report.test_command import called
from twin.adapters.alarm_book import SqliteBook
from twin.alarms.chain import Selection
from twin.alarms.figures import TARGETS
from twin.errors import ConfigError, SinkUnavailable
from twin.report.alarm_data import PositionView
from twin.report.alarms import of_lines
from twin.report.page import html
from twin.report.table import csv_text

BUCKETS = 31 * 144  # of 10 minutes in October


def only(view: object) -> PositionView:
    (position,) = view.positions  # type: ignore[attr-defined]
    assert isinstance(position, PositionView)
    return position


def test_figures_of_a_month_are_what_counting_gives() -> None:
    found = only(october(flooded()))
    assert (found.position, found.start, found.alarms) == ("demo/A", "2026-10-01T00:00:00+08:00", 17)
    values = {one.figure: one.value for one in found.targets}
    assert list(values) == [target.figure for target in TARGETS]
    assert values["per_10_min"] == pytest.approx(17 / BUCKETS)
    assert values["most_in_10_min"] == 15
    assert values["above_10_pct"] == pytest.approx(100 / BUCKETS)
    assert values["high_pct"] == pytest.approx(1500 / 17)
    assert {one.figure for one in found.targets if not one.met} >= {"most_in_10_min", "high_pct", "low_pct"}
    assert {one.figure for one in found.targets if one.met} >= {"per_10_min", "chattering", "above_10_pct"}
    (flood,) = found.floods
    assert (flood.start, flood.end) == ("2026-10-02T08:00:00+08:00", "2026-10-02T08:10:00+08:00")
    assert (flood.alarms, flood.most) == (15, 15)
    first = found.top_ten[0]
    assert (first.code, first.unit, first.count) == ("noisy", "demo/A/A007", 2)
    assert first.pct == pytest.approx(200 / 17)


def test_a_period_that_goes_on_is_counted_up_to_now() -> None:
    now_ns = OCTOBER_NS + 2 * 86400 * 10**9
    found = only(october(flooded(), clock_ns=now_ns))
    assert (found.end, found.alarms) == ("2026-10-03T00:00:00+08:00", 15)
    assert next(one.value for one in found.targets if one.figure == "per_10_min") == pytest.approx(15 / 288)


def test_positions_are_those_that_answer_for_the_lines() -> None:
    plant = two_lines()
    named = {
        "east": ["north/A/section:1"], "west": ["north/B"], "hall": ["north"], "all": [], "other": ["north/AB"],
    }  # fmt: skip
    assert set(of_lines(named, [line_of(plant, 0)])) == {"east", "hall", "all"}
    assert set(of_lines(named, list(plant.lines()))) == {"east", "west", "hall", "all"}
    assert "no operating position of alarms.file" in october(flooded(), {"away": ["demo/B"]}).why


def test_each_position_has_its_own_alarms() -> None:
    view = october(flooded(), {"first": ["demo/A/A001"], "seventh": ["demo/A/A007"], "quiet": ["demo/A/A050"]})
    assert {one.position: one.alarms for one in view.positions} == {"first": 1, "seventh": 3, "quiet": 0}
    assert view.positions[2].targets == [], "of no alarms there is no spread of priorities"
    text = html(report_of(rows_of(), alarms=view))
    assert "No alarm was told in this month" in text


def test_a_journal_that_begins_later_says_so() -> None:
    assert october(flooded()).since is None
    view = october([told(5 * 86400)])
    assert view.since == "2026-10-06T00:00:00+08:00"
    assert "The journal begins on 2026-10-06 00:00" in html(report_of(rows_of(), alarms=view))
    after = october([told(40 * 86400)])
    assert (after.positions, after.why) == ([], "it begins on 2026-11-10 00:00, after the period")
    assert october([]).why == "nothing was journalled yet"


def test_the_page_and_the_table_hold_the_figures() -> None:
    report = report_of(rows_of(), alarms=october(flooded(), {"<east>": ["demo/A"]}))
    section = re.search(r'<section class="alarm-system">.*?</section>', html(report), re.S)
    assert section is not None
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", section[0]))
    assert "&lt;east&gt;" in text
    assert "17 alarms;" in text
    assert "Most alarms in 10 min 15 at most 10 not met" in text
    assert "Chattering alarms 0 at most 0 met" in text
    assert "2026-10-02 08:00 2026-10-02 08:10 15 15" in text
    rows = {row["figure"]: row for row in csv.DictReader(io.StringIO(csv_text(report))) if row["scope"] == "position"}
    assert set(rows) == {"alarms", *(target.figure for target in TARGETS)}
    assert (rows["alarms"]["unit"], float(rows["most_in_10_min"]["value"])) == ("<east>", 15.0)


def test_without_a_journal_the_page_says_so() -> None:
    text = html(report_of(rows_of()))
    assert "No figures of the alarm system from the journal alarms.sqlite: there is no file alarms.sqlite." in text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a month, and beside it the folder of the twin."""
    made = tmp_path_factory.mktemp("alarms")
    into_duckdb(rows_of(story=Story(hours=(date(2026, 10, 2),))), made / "twin.duckdb")
    return made


def report_with(folder: Path, data: Path, *words: str) -> dict[str, object]:
    file = folder / "report.json"
    period = words or ("--month", "2026-10")
    called(*period, "-s", f"sink.url=duckdb:{folder / 'twin.duckdb'}", "-s", f"data.dir={data}", "--to", str(file))
    found = json.loads(file.read_text())["alarms"]
    assert isinstance(found, dict)
    return found


def test_the_command_reads_the_journal_of_a_twin_that_runs(folder: Path, tmp_path: Path) -> None:
    book = SqliteBook(tmp_path / "alarms.sqlite")
    book.commit(flooded(), [], b"", OCTOBER_NS)
    try:
        found = report_with(folder, tmp_path)
        assert [one["alarms"] for one in found["positions"]] == [17]  # type: ignore[attr-defined]
        book.commit([told(20 * 86400)], [], b"", OCTOBER_NS)  # it goes on
    finally:
        book.close()
    found = report_with(folder, tmp_path)
    assert [one["alarms"] for one in found["positions"]] == [18]  # type: ignore[attr-defined]
    day = report_with(folder, tmp_path, "--day", "2026-10-02")
    assert [one["alarms"] for one in day["positions"]] == [15]  # type: ignore[attr-defined]


def test_the_positions_are_those_of_the_alarm_file(folder: Path, tmp_path: Path) -> None:
    book = SqliteBook(tmp_path / "alarms.sqlite")
    book.commit(flooded(), [], b"", OCTOBER_NS)
    book.close()
    (tmp_path / "alarms.toml").write_text('[[positions]]\nname = "seventh"\nareas = ["demo/A/A007"]\n')
    found = report_with(folder, tmp_path, "--month", "2026-10", "-s", f"alarms.file={tmp_path / 'alarms.toml'}")
    assert [(one["position"], one["alarms"]) for one in found["positions"]] == [("seventh", 3)]  # type: ignore[attr-defined]


def test_a_report_is_made_without_a_journal_and_with_a_damaged_one(folder: Path, tmp_path: Path) -> None:
    assert report_with(folder, tmp_path)["why"] == "there is no such file; the twin keeps it in data.dir"
    assert not (tmp_path / "alarms.sqlite").exists()
    (tmp_path / "alarms.sqlite").write_text("not a journal" * 100)
    assert "cannot be read as a journal of alarms" in str(report_with(folder, tmp_path)["why"])


def test_a_book_that_is_read_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "it's 100 %?.sqlite"
    writer = SqliteBook(path)
    writer.commit(flooded(), [], b"", OCTOBER_NS)
    reader = SqliteBook(path, read_only=True)
    with pytest.raises(SinkUnavailable, match="readonly"):
        reader.commit([told(9e5)], [], b"", OCTOBER_NS)
    writer.commit([told(9e5)], [], b"", OCTOBER_NS)
    assert len(reader.entries(Selection())) == len(flooded()) + 1
    reader.close()
    writer.close()
    with pytest.raises(ConfigError, match="cannot be read as a journal of alarms"):
        SqliteBook(tmp_path / "none.sqlite", read_only=True)
    assert not (tmp_path / "none.sqlite").exists()


def test_a_book_is_read_where_no_file_can_be_made_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "alarms.sqlite"
    writer = SqliteBook(path)
    writer.commit(flooded(), [], b"", OCTOBER_NS)
    writer.close()
    (tmp_path / "alarms.sqlite-shm").mkdir()  # as in a folder that this process may not write to
    reader = SqliteBook(path, read_only=True)
    assert len(reader.entries(Selection())) == len(flooded())
    reader.close()
