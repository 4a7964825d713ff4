"""Line protocol: read back by a small parser of its own, every number is the same float."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, Row, key, readings_of, roster_of
from tests.core.streams import readings, unique_by_key
from twin.catalogue import CATALOGUE, figure_code
from twin.frames import Readings
from twin.lines import LineProtocol
from twin.plant import Roster
from twin.signals import SIGNALS, by_name

# What InfluxDB reads without any escaping; a float is never an integer (`1i`) nor a bare word.
FLOAT = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
LINE = re.compile(
    r"(?P<measurement>[a-z_]+),site=(?P<site>[\w.\-]+),line=(?P<line>[\w.\-]+)(?:,pot=(?P<pot>[\w.\-]+))?"
    rf" (?P<fields>[a-z0-9_]+={FLOAT}(?:,[a-z0-9_]+={FLOAT})*) (?P<time>\d+)"
)


def parsed(text: bytes, roster: Roster) -> list[tuple[int, int, int, float]]:
    """Sorted (unit, signal, time, value)."""
    assert not text or text.endswith(b"\n")
    found = []
    code_of = {(row.measurement, row.db_field): code for code, row in enumerate(CATALOGUE)}
    for line in text.decode("ascii").splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        path = "/".join(match[tag] for tag in ("site", "line", "pot") if match[tag])
        unit = roster.codes[path]
        for item in match["fields"].split(","):
            name, number = item.split("=")
            found.append((unit, code_of[match["measurement"], name], int(match["time"]), float(number)))
    return sorted(found)


@given(readings())
@example(readings_of([]))
@example(readings_of([(0, 1, "voltage_v", float("nan"))]))
@example(readings_of([(0, 1, "voltage_v", 4.0), (0, 2, "noise_mv", 1.0), (0, 1, "noise_mv", 3.0)]))
@example(readings_of([(0, 0, "ac_energy_kwh", 1e13), (0, 0, "power_coal_pct", 5e-324), (0, 1, "voltage_v", -0.0)]))
def test_read_back_every_number_is_the_same(sent: Readings) -> None:
    sent = unique_by_key(sent)
    roster = roster_of(3)
    assert parsed(LineProtocol(roster).encode(sent), roster) == key(sent)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_any_float_of_the_twin_is_read_back_exactly(values: list[float]) -> None:
    codes = [figure_code("twin_pot", "dc_kwh_t", "hour"), figure_code("twin_line", "dc_kwh_t", "day")]
    count = len(values)
    times = [NOW_NS + n for n in range(count)]
    roster = roster_of(3)
    sent = Readings.of(times, [n % 2 for n in range(count)], [codes[1 - n % 2] for n in range(count)], values)
    got = parsed(LineProtocol(roster).encode(sent), roster)
    assert [(row, np.signbit(row[3])) for row in got] == [(row, np.signbit(row[3])) for row in key(sent)]


def test_the_text_itself() -> None:
    rows: list[Row] = [(0, 1, "voltage_v", 4.0), (0, 1, "bath_temperature_c", 960.25), (0, 0, "line_current_ka", 500.0)]
    rows += [(0.000000001, 3, "tapped_metal_kg", 2000.0), (0, 2, "iron_ppm", 1e-7)]
    assert LineProtocol(roster_of(3)).encode(readings_of(rows)).decode().splitlines() == [
        f"pot,site=s,line=L,pot=001 voltage_v=4.0,bath_temperature_c=960.25 {NOW_NS}",
        f"line,site=s,line=L line_current_ka=500.0 {NOW_NS}",
        f"event,site=s,line=L,pot=003 tapped_metal_kg=2000.0 {NOW_NS + 1}",
        f"sample,site=s,line=L,pot=002 iron_ppm=1e-7 {NOW_NS}",
    ]


def test_a_field_that_was_not_said_is_absent() -> None:
    rows = [
        (0, 1, "voltage_v", 4.0),
        (0, 2, "noise_mv", 5.0),
        (1, 1, "voltage_v", float("nan")),
        (1, 1, "noise_mv", 6.0),
    ]
    lines = LineProtocol(roster_of(3)).encode(readings_of(rows)).decode().splitlines()
    assert [line.split(" ")[1] for line in lines] != []
    assert {tuple(line.split(" ")[:2]) for line in lines} == {
        ("pot,site=s,line=L,pot=001", "voltage_v=4.0"),
        ("pot,site=s,line=L,pot=002", "noise_mv=5.0"),
        ("pot,site=s,line=L,pot=001", "noise_mv=6.0"),
    }


def test_a_unit_enrolled_later_has_its_prefix() -> None:
    roster = roster_of(1)
    lines = LineProtocol(roster)
    assert b"pot=001 " in lines.encode(readings_of([(0, 1, "voltage_v", 4.0)]))
    new = roster.add("s/L/X-9.a_b")
    assert b"pot=X-9.a_b voltage_v=4.0 " in lines.encode(readings_of([(0, new, "voltage_v", 4.0)]))


@pytest.mark.parametrize("text", ["1", "100", "-3", "1e22", "0"])
def test_a_whole_number_is_still_a_float(text: str) -> None:
    code = figure_code("twin_pot", "dc_kwh_t", "hour")
    line = LineProtocol(roster_of(1)).encode(Readings.of([NOW_NS], [1], [code], [float(text)])).decode()
    number = line.split("=")[-1].split(" ")[0]
    assert "." in number or "e" in number
    assert not number.endswith("i")


def test_every_measurement_is_encoded() -> None:
    first = {row.measurement: code for code, row in reversed(list(enumerate(CATALOGUE)))}
    for measurement, code in first.items():
        unit = 0 if measurement in ("line", "twin_line") else 1
        line = LineProtocol(roster_of(1)).encode(Readings.of([NOW_NS], [unit], [code], [2.0])).decode()
        assert line.startswith(f"{measurement},site=s,line=L")
        assert f"{CATALOGUE[code].db_field}=2.0" in line


def test_names_in_the_table_need_no_escaping() -> None:
    for row in CATALOGUE:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", row.db_field)
        assert re.fullmatch(r"[a-z][a-z_]*", row.measurement)
    assert by_name("voltage_v") == 0
    assert len(SIGNALS) < len(CATALOGUE) < 2**15, "codes are int16"
