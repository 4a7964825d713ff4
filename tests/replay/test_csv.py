"""CSV tables by a column map: zones, decimal commas, units, wide tables; what is wrong is named by line and column."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.replay.tapes import NS, gather, router_of
from twin.adapters.csv_table import CsvRecording
from twin.column_map import ColumnMap, TimeColumn, TimeReader, number, parse_map
from twin.errors import ConfigError
from twin.frames import Readings
from twin.ports import Bounds
from twin.recording import Selection, Skipped
from twin.signals import SIGNALS, by_name

GERMAN = """
delimiter = ";"
decimal = ","
thousands = "."

[time]
column = "Zeit"
format = "%d.%m.%Y %H:%M:%S"
zone = "Europe/Berlin"

[unit]
column = "Zelle"
prefix = "s/L/"
names = { "Linie" = "s/L" }

[[signal]]
column = "U [mV]"
name = "voltage_v"
factor = 0.001

[[signal]]
column = "T [F]"
name = "bath_temperature_c"
factor = 0.5555555555555556
offset = -17.77777777777778

[[signal]]
column = "I [A]"
name = "line_current_ka"
factor = 0.001
"""
HEAD = "Zeit;Zelle;U [mV];T [F];I [A]\n"


def recording(
    folder: Path,
    text: str,
    columns: str = GERMAN,
    *,
    skipped: Skipped | None = None,
    selection: Selection | None = None,
) -> CsvRecording:
    (folder / "t.csv").write_bytes(text.encode())
    found = parse_map(columns, "map.toml")
    return CsvRecording(
        folder / "t.csv", found, router_of(), selection or Selection(), skipped or Skipped(), chunk_lines=3
    )


def rows(found: Readings) -> list[tuple[int, int, str, float]]:
    """(seconds since 1970, unit, signal, value)."""
    return [
        (time // NS, unit, SIGNALS[signal].name, round(value, 6))
        for time, unit, signal, value in zip(
            found.time_ns.tolist(), found.unit.tolist(), found.signal.tolist(), found.value.tolist(), strict=True
        )
    ]


def at(hour: int, minute: int = 0, *, fold: int = 0) -> int:
    """Seconds since 1970 of a time on 2025-10-26 in Berlin, the day on which the clocks are put back at 3."""
    return int(datetime(2025, 10, 26, hour, minute, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold).timestamp())


def test_a_wide_table_with_decimal_commas_and_foreign_units(tmp_path: Path) -> None:
    text = HEAD + (
        "26.10.2025 01:00:00;001;4.012,5;1754,6;\n"
        "26.10.2025 01:00:00;002;3987;-;\n"
        "\n"
        "26.10.2025 01:00:00;Linie;;;512300\n"
        "26.10.2025 01:01:00;001;4013;;\n"
    )
    bounds, found = asyncio.run(gather(recording(tmp_path, text)))
    assert rows(found) == [
        (at(1), 1, "voltage_v", 4.0125),
        (at(1), 1, "bath_temperature_c", 957.0),
        (at(1), 2, "voltage_v", 3.987),
        (at(1), 0, "line_current_ka", 512.3),
        (at(1, 1), 1, "voltage_v", 4.013),
    ]
    assert bounds == Bounds(at(1) * NS, at(1, 1) * NS)


def test_one_column_a_pot_and_a_header_further_down(tmp_path: Path) -> None:
    columns = """
    skip_lines = 2
    [time]
    column = "t"
    format = "epoch_s"
    [[signal]]
    column = "pot 1"
    name = "voltage_v"
    unit = "s/L/001"
    [[signal]]
    column = "pot 2"
    name = "voltage_v"
    unit = "s/L/002"
    """
    text = "export of 2025\nby nobody\nt,pot 2,pot 1\n1763964000.25,4.2,4.1\n1763964001,4.4,\n"
    _, found = asyncio.run(gather(recording(tmp_path, text, columns)))
    assert found.time_ns.tolist() == [1763964000_250_000_000] * 2 + [1763964001 * NS]
    assert list(zip(found.unit.tolist(), found.value.tolist(), strict=True)) == [(1, 4.1), (2, 4.2), (2, 4.4)]


def test_the_hour_that_comes_twice_follows_the_order_of_the_file(tmp_path: Path) -> None:
    times = ["01:59", "02:00", "02:30", "02:59", "02:00", "02:30", "03:00"]
    text = HEAD + "".join(f"26.10.2025 {time}:00;{pot};4000;;\n" for time in times for pot in ("001", "002"))
    _, found = asyncio.run(gather(recording(tmp_path, text)))
    expected = [at(1, 59), at(2), at(2, 30), at(2, 59), at(2, fold=1), at(2, 30, fold=1), at(3)]
    assert (found.time_ns // NS).tolist() == [time for time in expected for _ in range(2)]


@pytest.mark.parametrize(
    ("form", "zone", "text", "milliseconds"),
    [
        ("iso", "", "2025-11-24T06:00:00Z", 1763964000_000),
        ("iso", "", "2025-11-24 14:00:00.5+08:00", 1763964000_500),
        ("iso", "Asia/Shanghai", "2025-11-24 14:00:00", 1763964000_000),
        ("iso", "Asia/Shanghai", "2025-11-24T06:00:00Z", 1763964000_000),
        ("epoch_ms", "", "1763964000250", 1763964000_250),
        ("epoch_ns", "", "1763964000250000000", 1763964000_250),
        ("%Y%m%d%H%M%S%z", "", "20251124140000+0800", 1763964000_000),
        ("%d/%m/%y %H:%M:%S.%f", "UTC", " 24/11/25 06:00:00.75 ", 1763964000_750),
    ],
)
def test_times(form: str, zone: str, text: str, milliseconds: int) -> None:
    assert TimeReader(TimeColumn("t", form, zone)).read(text) == milliseconds * 1_000_000


@pytest.mark.parametrize(
    ("form", "zone", "text", "message"),
    [
        ("iso", "", "2025-11-24 14:00:00", "a time without a zone; name it as zone under [time] in the map"),
        ("iso", "", "yesterday", "no time of format iso"),
        ("epoch_s", "", "1e400", "no time between 1973 and 2096"),
        ("epoch_s", "", "soon", "no time of format epoch_s"),
        ("epoch_s", "", "nan", "no time of format epoch_s"),
        ("epoch_s", "", "5", "no time between 1973 and 2096"),
        ("%H:%M", "UTC", "25:00", "no time of format %H:%M"),
        (
            "%d.%m.%Y %H:%M",
            "Europe/Berlin",
            "30.03.2025 02:30",
            "a time that never was: the clocks of Europe/Berlin were put forward",
        ),
    ],
)
def test_times_that_are_none(form: str, zone: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match="time") as caught:
        TimeReader(TimeColumn("t", form, zone)).read(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["1_000", "4.0", "inf", "NaN ", "4,0,0", "four"])
def test_numbers_that_are_none(text: str) -> None:
    columns = ColumnMap(TimeColumn("t"), [], decimal=",")
    if text.strip() in columns.missing:
        assert number(text, columns) != number(text, columns)
    else:
        with pytest.raises(ValueError, match="not a "):
            number(text, columns)


BAD_LINES = [
    (
        "26.10.25 01:00;001;4000;;",
        "t.csv: line 3, column 'Zeit': '26.10.25 01:00': no time of format %d.%m.%Y %H:%M:%S. Check format and zone "
        "under [time] in the map",
    ),
    (
        "26.10.2025 01:00:00;Halle 7;4000;;",
        "t.csv: line 3, column 'Zelle': 'Halle 7': the plant has no such unit. Check [unit] in the map: it makes "
        "'s/L/Halle 7' of it",
    ),
    (
        "26.10.2025 01:00:00;001;4000x;;",
        "t.csv: line 3, column 'U [mV]': '4000x': not a number with decimal ','. Correct it, or check decimal, factor "
        "and offset of voltage_v in the map",
    ),
    (
        "26.10.2025 01:00:00;001;4000000;;",
        "t.csv: line 3, column 'U [mV]': '4000000': 4000 V is not a value that voltage_v can have. Correct it, or "
        "check decimal, factor and offset of voltage_v in the map",
    ),
    (
        "26.10.2025 01:00:00;001;4000",
        "t.csv: line 3: 3 columns where the header has 5. Correct the line",
    ),
]


@pytest.mark.parametrize(("line", "message"), BAD_LINES)
def test_a_bad_line_is_named_or_costs_only_itself(tmp_path: Path, line: str, message: str) -> None:
    good = "26.10.2025 01:00:00;001;4000;;\n"
    text = HEAD + good + line + "\n" + good
    with pytest.raises(ConfigError) as caught:
        asyncio.run(gather(recording(tmp_path, text)))
    assert str(caught.value).replace(f"{tmp_path}/", "") == f"{message}; or keep what can be read with --skip-bad."
    skipped = Skipped(keep=True)
    _, found = asyncio.run(gather(recording(tmp_path, text, skipped=skipped)))
    assert len(found) == 2
    assert sum(skipped.counts.values()) == 1


def test_a_bad_cell_leaves_the_rest_of_its_line(tmp_path: Path) -> None:
    text = HEAD + "26.10.2025 01:00:00;001;oops;1754,6;\n"
    _, found = asyncio.run(gather(recording(tmp_path, text, skipped=Skipped(keep=True))))
    assert [row[2] for row in rows(found)] == ["bath_temperature_c"]


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes((HEAD + "26.10.2025 01:00:00;Öfen;4000;;\n").encode("latin-1"))
    columns = parse_map(GERMAN, "map.toml")
    with pytest.raises(ConfigError, match=r"is not in utf-8-sig .* Name its encoding in the column map"):
        asyncio.run(gather(CsvRecording(tmp_path / "t.csv", columns, router_of(), Selection(), Skipped())))
    columns = parse_map('encoding = "latin-1"\n' + GERMAN.replace('"Linie" = "s/L"', '"Öfen" = "s/L/001"'), "map.toml")
    _, found = asyncio.run(gather(CsvRecording(tmp_path / "t.csv", columns, router_of(), Selection(), Skipped())))
    assert len(found) == 1


def test_a_selection_of_times_and_units(tmp_path: Path) -> None:
    lines = [f"26.10.2025 01:0{m}:00;{pot};4000;;" for m in range(5) for pot in ("001", "002", "003")]
    lines += [f"26.10.2025 01:0{m}:00;Linie;;;500000" for m in range(5)]
    selection = Selection(at(1, 1) * NS, at(1, 3) * NS, pots=("002",))
    bounds, found = asyncio.run(gather(recording(tmp_path, HEAD + "\n".join(lines), selection=selection)))
    assert sorted({(row[0], row[1]) for row in rows(found)}) == [
        (at(1, 1), 0), (at(1, 1), 2), (at(1, 2), 0), (at(1, 2), 2),
    ]  # fmt: skip
    assert bounds == Bounds(at(1, 1) * NS, at(1, 3) * NS - 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("voltage_v", "volts"), "map.toml: signal 'volts' is not in the table; `twin signals` lists it"),
        (("Europe/Berlin", "Berlin"), "map.toml: 'No time zone found with key Berlin'"),
        (("factor = 0.001", 'factor = "mV"'), "map.toml: Expected `float`, got `str`"),
        (("offset", "add"), "map.toml: Object contains unknown field `add`"),
        (('";"', '"; "'), "map.toml: Expected `str` of length <= 1"),
        (
            ('column = "Zelle"', ""),
            "map.toml: signal 'voltage_v' has no unit; give it one, or give [unit] a column or fixed",
        ),
        (("[time]", "[time"), "map.toml: Expected ']'"),
        (('decimal = ","', 'encoding = "klingon"'), "map.toml: unknown encoding: klingon"),
    ],
)
def test_a_map_that_is_wrong(change: tuple[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_map(GERMAN.replace(*change), "map.toml")
    assert str(caught.value).startswith(message)


def test_a_map_that_does_not_fit(tmp_path: Path) -> None:
    for text, columns, message in (
        ("Zeit;Zelle\n", GERMAN, "t.csv: column 'U [mV]' of the map is missing; there are 'Zeit', 'Zelle'"),
        ("", GERMAN, "t.csv: column 'Zeit' of the map is missing; there are none"),
        (HEAD, GERMAN.replace('"s/L"', '"s/M"'), "the column map names the unit 's/M', which the plant does not have"),
    ):
        with pytest.raises(ConfigError) as caught:
            asyncio.run(gather(recording(tmp_path, text, columns)))
        assert str(caught.value).replace(f"{tmp_path}/", "") == message
    (tmp_path / "t.csv").unlink()
    gone = CsvRecording(tmp_path / "t.csv", parse_map(GERMAN, "m"), router_of(), Selection(), Skipped())
    with pytest.raises(ConfigError, match=r"t\.csv cannot be read: No such file or directory"):
        asyncio.run(gather(gone))


def test_a_fixed_unit_and_no_rows(tmp_path: Path) -> None:
    columns = '[time]\ncolumn = "t"\n[unit]\nfixed = "s/L/003"\n[[signal]]\ncolumn = "v"\nname = "voltage_v"\n'
    bounds, found = asyncio.run(gather(recording(tmp_path, "t,v\n2025-11-24T06:00:00Z,4.0\n", columns)))
    assert rows(found) == [(1763964000, 3, "voltage_v", 4.0)]
    assert bounds == Bounds(1763964000 * NS, 1763964000 * NS)
    bounds, found = asyncio.run(gather(recording(tmp_path, "t,v\n", columns)))
    assert (bounds, len(found)) == (Bounds(0, 0), 0)
    assert by_name("voltage_v") == 0
