"""The table of signals: what must be true of every row, also of rows still to come."""

from __future__ import annotations

import math
import re
from collections import Counter

import pytest

from twin.signals import MEASUREMENTS, SIGNALS, Signal, by_name, of_topic
from twin.units import SI

NAME = re.compile(r"[a-z][a-z0-9_]*")
# unit -> how a name in this unit ends
ENDINGS: dict[str, str | tuple[str, ...]] = {
    "V": "_v",
    "mV": "_mv",
    "kA": "_ka",
    "C": "_c",
    "K": ("_k", "_c"),  # a difference of temperatures, which people call C
    "%": "_pct",
    "wt%": "_pct",
    "kg": "_kg",
    "mm": "_mm",
    "cm": "_cm",
    "m3/s": "_m3_s",
    "s": "_s",
    "ppm": "_ppm",
    "kWh": "_kwh",
    "uOhm": "_uohm",
    "nOhm/min": "_nohm_min",
    "1": "",
}


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_a_row_is_sane(signal: Signal) -> None:
    assert NAME.fullmatch(signal.name), "names become topic fields and database columns"
    assert NAME.fullmatch(signal.topic_field)
    assert NAME.fullmatch(signal.db_field)
    assert signal.unit in SI
    assert signal.name.endswith(ENDINGS[signal.unit]), "the unit is part of the name"
    assert math.isfinite(signal.low)
    assert math.isfinite(signal.high)
    assert signal.low < signal.high
    assert 0 <= signal.deadband < signal.high - signal.low
    assert signal.topic in MEASUREMENTS
    assert signal.measurement == MEASUREMENTS[signal.topic]
    assert signal.help.endswith(".")
    assert signal.help.isascii()


@pytest.mark.parametrize("attribute", ["topic_field", "db_field"])
def test_no_two_rows_share_a_place(attribute: str) -> None:
    for kind in MEASUREMENTS:
        names = Counter(getattr(SIGNALS[code], attribute) for code in of_topic(kind))
        assert max(names.values()) == 1


def test_names_are_unique_and_lead_back_to_their_row() -> None:
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)
    assert [by_name(signal.name) for signal in SIGNALS] == list(range(len(SIGNALS)))
    with pytest.raises(KeyError):
        by_name("no_such_signal")


def test_no_field_has_a_name_that_means_something_else() -> None:
    reserved = {"time", "pot", "site", "line"}
    assert not reserved & {name for signal in SIGNALS for name in (signal.topic_field, signal.db_field)}


def test_every_signal_is_of_one_topic() -> None:
    assert sorted(code for kind in MEASUREMENTS for code in of_topic(kind)) == list(range(len(SIGNALS)))


def test_what_is_left_out_of_a_row_follows_the_name() -> None:
    plain = Signal("a_v", "V", 0.0, 1.0, 0.0, "telemetry", "A.")
    assert (plain.topic_field, plain.db_field, plain.measurement) == ("a_v", "a_v", "pot")
    named = Signal("a_v", "V", 0.0, 1.0, 0.0, "twin_pot", "A.", topic_field="b", db_field="c")
    assert (named.topic_field, named.db_field, named.measurement) == ("b", "c", "twin_pot")


def test_the_offset_of_celsius_is_used_for_temperatures_only() -> None:
    for signal in SIGNALS:
        if signal.unit == "C":
            assert "emperature" in signal.name + signal.help, f"{signal.name}: a difference of temperatures is in K"
