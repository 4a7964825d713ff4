"""Line protocol as others write it: escapes, quoted texts, integers, booleans, precision."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point
from msgspec.structs import replace

from tests.core.plants import NOW_NS
from tests.mapping.maps import MS, decode, readings, reasons
from twin.mapping.file import parse
from twin.mapping.records import Record, Shape

TELEGRAF = """
[[row]]
topic = "telegraf/{host}/pot"
format = "line_protocol"
measurement = "pot"
take = { pot = "{pot:d}", line = "{line}" }
unit = "s/{line}/{pot:03d}"
signal = [
    { name = "voltage_v", path = "voltage" },
    { name = "feed_mode", path = "mode", words = { over = 2 } },
    { name = "beam_raised", path = "raising" },
]
"""
TOPIC = "telegraf/gw1/pot"
PREFIX = "pot,host=gw1,line=L,pot=1"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("voltage=4.012", 4.012), ("voltage=4", 4.0), ("voltage=4i", 4.0), ("voltage=4u", 4.0),
        ("voltage=-1.5e0", -1.5),
        ("raising=t", 1.0), ("raising=TRUE", 1.0), ("raising=False", 0.0), ("raising=f", 0.0),
        ('mode="over"', 2.0), ("mode=1i", 1.0),
        ('x="a \\" , = b\\\\",voltage=4', 4.0), ('x="two\nlines",voltage=4', 4.0),
    ],
)  # fmt: skip
def test_fields(field: str, value: float) -> None:
    decoded = decode(TELEGRAF, (TOPIC, f"{PREFIX} {field} {NOW_NS}\n"))
    assert [row[3:] for row in readings(decoded)] == [(value, "GOOD")]
    assert decoded.problems == ()


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (f"{PREFIX} voltage=4 x", ("map_mismatch", "")),
        (f"{PREFIX} voltage=", ("map_mismatch", "")),
        (f"{PREFIX} voltage=nan {NOW_NS}", ("map_mismatch", "")),
        (f"{PREFIX} voltage=4_0 {NOW_NS}", ("map_mismatch", "")),
        (f'{PREFIX} x="open,voltage=4 {NOW_NS}', ("map_mismatch", "")),
        (f"{PREFIX} voltage=true {NOW_NS}", ("wrong_type", "voltage")),
        (f'{PREFIX} voltage="4" {NOW_NS}', ("wrong_type", "voltage")),
        (f"{PREFIX} voltage=400 {NOW_NS}", ("out_of_range", "voltage")),
        (f"{PREFIX} voltage=4", ("missing_time", "")),
        (f"{PREFIX} voltage=4 5", ("bad_time", "")),
        (f"{PREFIX} voltage=4 {NOW_NS + 61 * 10**9}", ("future_time", "")),
        (f"pot,line=L voltage=4 {NOW_NS}", ("map_mismatch", "pot")),
        (f"pot,line=L,pot=x voltage=4 {NOW_NS}", ("map_mismatch", "pot")),
        (f"pot,line=M,pot=1 voltage=4 {NOW_NS}", ("unknown_unit", "")),
    ],
)
def test_a_bad_line_costs_only_itself(line: str, wanted: tuple[str, str]) -> None:
    good = f"{PREFIX} voltage=4.5 {NOW_NS}"
    decoded = decode(TELEGRAF, (TOPIC, "\n".join([good, line, "# a comment", "", "cpu,host=x idle=1 5", good])))
    assert reasons(decoded) == [wanted]
    assert [row[3] for row in readings(decoded) if row[3] is not None] == [4.5, 4.5]
    assert decoded.parked == 1


def test_a_quote_in_a_tag_opens_nothing() -> None:
    lines = f'pot,line=L,pot=1,x=a"b voltage=4 {NOW_NS}\npot,line=L,pot=2,x="c voltage=5 {NOW_NS}\n'
    assert [row[1] for row in readings(decode(TELEGRAF, (TOPIC, lines)))] == [1, 2]


@pytest.mark.parametrize(("precision", "stamp"), [("s", MS // 1000), ("ms", MS), ("us", MS * 1000), ("ns", MS * 10**6)])
def test_precision(precision: str, stamp: int) -> None:
    text = TELEGRAF.replace("measurement", f'precision = "{precision}"\nmeasurement')
    assert readings(decode(text, (TOPIC, f"{PREFIX} voltage=4 {stamp}"))) == [(0.0, 1, "voltage_v", 4.0, "GOOD")]


def test_a_line_without_a_time_may_take_that_of_arrival() -> None:
    text = TELEGRAF.replace("measurement", 'time = "arrival"\nmeasurement')
    decoded = decode(text, (TOPIC, f"{PREFIX} voltage=4\n{PREFIX} voltage=4.1 {NOW_NS - 10**9}\n{PREFIX} voltage=4.2"))
    assert [row[3:] for row in readings(decoded)] == [(4.0, "UNCERTAIN"), (4.1, "GOOD"), (4.2, "UNCERTAIN")]
    assert len({row[0] for row in readings(decoded)}) == 3


# What the protocol cannot carry: line feeds outside of quoted values, a name that ends with a backslash.
name = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\t\0\\"), min_size=1, max_size=8).filter(
    lambda text: not text.startswith("#") and text.strip() == text
)
text = st.text(st.characters(codec="utf-8", exclude_characters="\0\\"), max_size=12)
value = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1), st.booleans(), text
)
point = st.tuples(name, st.dictionaries(name, name, max_size=3), st.dictionaries(name, value, min_size=1, max_size=4))


@given(st.lists(point, min_size=1, max_size=4))
def test_what_the_clients_of_influxdb_write_is_read_as_it_was_given(
    points: list[tuple[str, dict[str, str], Any]],
) -> None:
    lines = [_written(*point) for point in points]
    (row,) = parse(TELEGRAF, "test")
    for _, tags, fields in points:
        names = list({**tags, **fields})
        signals = [replace(row.signal[0], path=name, words={}) for name in names]
        shape = Shape(replace(row, measurement="", take={}, signal=signals))
        read = [found for found in shape.read("\n".join(lines).encode()) if isinstance(found, Record)]
        assert len(read) == len(points)
        wanted = tuple({**tags, **fields}[name] for name in names)
        assert any(found.values == wanted and found.time == NOW_NS for found in read)


def _written(measurement: str, tags: dict[str, str], fields: dict[str, Any]) -> str:
    found = Point(measurement).time(NOW_NS, "ns")
    for name, tag in tags.items():
        found.tag(name, tag)
    for name, field in fields.items():
        found.field(name, field)
    return str(found.to_line_protocol())
