"""Log lines: for people and for machines, without secrets, and one a change of state."""

from __future__ import annotations

import json
import logging
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_parts import settings
from twin.log import LEVELS, Log
from twin.outage import Outage
from twin.parts import secrets_of

SECRET = 's3cret-Ω"\\word'


def lines(form: str = "json", level: str = "info", secrets: tuple[str, ...] = ()) -> tuple[Log, list[str]]:
    found: list[str] = []
    return Log(form, level, found.append, secrets), found


def only(found: list[str]) -> dict[str, Any]:
    (line,) = found
    loaded: dict[str, Any] = json.loads(line)
    return loaded


def test_a_json_line_has_time_level_event_and_its_fields() -> None:
    log, found = lines()
    log("the store is away", level="warning", problem="no route", tries=3, lag_s=None)
    line = only(found)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "the store is away", "level": "warning", "problem": "no route", "tries": 3, "lag_s": None}


def test_a_line_for_people_reads_from_left_to_right() -> None:
    log, found = lines("console")
    log("the store is away", level="warning", problem="no route", tries=3)
    log("stopping")
    assert found[0].partition(" ")[2] == "warning the store is away: problem=no route, tries=3"
    assert found[1].partition(" ")[2] == "info    stopping"


@given(st.text(), st.sampled_from(["json", "console"]))
def test_whatever_is_logged_is_one_line_that_steers_no_terminal(text: str, form: str) -> None:
    log, found = lines(form)
    log("parked", detail=text)
    (line,) = found
    assert "\n" not in line
    assert all(c.isprintable() for c in line) or form == "json"
    if form == "json":
        assert json.loads(line)["detail"] == text


@pytest.mark.parametrize("level", LEVELS)
def test_only_lines_of_the_level_and_above_are_shown(level: str) -> None:
    log, found = lines(level=level)
    for each in LEVELS:
        log("x", level=each)
    assert [json.loads(line)["level"] for line in found] == list(LEVELS[LEVELS.index(level) :])


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_is_struck_out_wherever_it_turns_up(form: str) -> None:
    log, found = lines(form, secrets=(SECRET, ""))
    error = OSError(f"refused with {SECRET}")
    try:
        raise error
    except OSError as caught:
        log(f"at {SECRET}", problem=caught, deep={"x": [SECRET]}, exc_info=True)
    log("connecting", url="mqtt://user:hunter2@host:1883", token="abc", mqtt_password="def")
    text = "\n".join(found)
    for secret in (SECRET, json.dumps(SECRET)[1:-1], "hunter2", "abc", "def"):
        assert secret not in text
    assert text.count("***") >= 6
    assert "mqtt://user:***@host:1883" in text


def test_the_secrets_are_those_of_the_files_that_the_settings_name(tmp_path: Any) -> None:
    (tmp_path / "a").write_text("first line\nsecond")
    (tmp_path / "b").write_text("other")
    found = secrets_of(settings(mqtt__password_file=tmp_path / "a", sink__token_file=tmp_path / "b"))
    assert found == ["first line", "other"]
    assert secrets_of(settings()) == []


def test_private_keys_are_secrets_line_by_line_and_certificates_are_none(tmp_path: Any) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\nSecond\n-----END PRIVATE KEY-----\n"
    certificate = "-----BEGIN CERTIFICATE-----\nMIIBpublic\n-----END CERTIFICATE-----\n"
    (tmp_path / "both").write_text(certificate + key)
    (tmp_path / "key").write_text(key)
    (tmp_path / "word").write_text("page-word")
    assert secrets_of(settings(mqtt__cert_file=tmp_path / "both")) == ["MIIEvQ", "Second"]
    assert secrets_of(settings(mqtt__key_file=tmp_path / "key")) == ["MIIEvQ", "Second"]
    assert secrets_of(settings(page__token_file=tmp_path / "word")) == ["page-word"]
    assert secrets_of(settings(mqtt__key_file=tmp_path / "nowhere")) == [], "refused where it is used"


def test_lines_and_tracebacks_of_libraries_come_the_same_way() -> None:
    log, found = lines()
    library = logging.getLogger("some.library")
    with log.libraries():
        library.info("of no use here")
        try:
            raise ValueError("a bug")
        except ValueError:
            library.exception("it %s", "failed")
        library.critical("worse")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
    library.error("after")
    first, second = map(json.loads, found)
    assert (first["event"], first["level"], first["logger"]) == ("it failed", "error", "some.library")
    assert "ValueError: a bug" in first["exception"]
    assert (second["event"], second["level"]) == ("worse", "error")


def test_an_outage_is_one_line_at_its_begin_and_one_at_its_end_with_counts_and_duration() -> None:
    log, found = lines()
    now, counts = [100.0], {"received": 5, "stored": 5}
    outage = Outage("the store", log, lambda: counts, well="it takes what is written", now=lambda: now[0])
    outage.told("refused")
    now[0] += 8
    outage.told("no answer")
    assert outage.total_s == 8
    now[0] += 4.5
    counts.update(received=105, stored=65)
    outage.told("")
    told = [json.loads(line) for line in found]
    for line in told:
        del line["timestamp"]
    assert told == [
        {"event": "the store is away", "level": "warning", "problem": "refused"},
        {
            "event": "the store is back; it takes what is written", "level": "info", "outage_s": 12.5,
            "received_meanwhile": 100, "stored_meanwhile": 60,
        },
    ]  # fmt: skip
    assert (outage.count, outage.total_s) == (1, 12.5)


def test_the_first_good_word_is_no_recovery() -> None:
    log, found = lines()
    outage = Outage("the broker", log, dict, well="connected to the broker")
    outage.told("")
    assert only(found)["event"] == "connected to the broker"
    assert (outage.count, outage.total_s) == (0, 0.0)


@given(st.lists(st.sampled_from(["", "a", "b"]), max_size=30))
def test_lines_of_outages_alternate_and_time_never_goes_back(problems: list[str]) -> None:
    log, found = lines()
    now = [0.0]
    outage, last = Outage("x", log, dict, well="well", now=lambda: now[0]), 0.0
    for problem in problems:
        outage.told(problem)
        now[0] += 1
        assert outage.total_s >= last
        last = outage.total_s
    events = [json.loads(line)["event"] for line in found if json.loads(line)["event"] != "well"]
    assert events == (["x is away", "x is back; well"] * len(events))[: len(events)]
    assert outage.count == events.count("x is away")
