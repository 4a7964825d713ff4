"""Any mapped message decodes to what a plain reading of its row says, in every format, alone and among others."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS
from tests.mapping.maps import codec_with
from twin.frames import Quality
from twin.ports import Message
from twin.signals import SIGNALS, by_name

SIGNAL = """signal = [
    {{ name = "voltage_v", path = "{0}u", unit = "mV", factor = 2.0, offset = -10.0 }},
    {{ name = "bath_temperature_c", path = "{0}t", unit = "K" }},
    {{ name = "feed_mode", path = "{0}m", words = {{ NORMAL = 0, OVER = 2 }} }},
]
quality = {{ path = "q", good = ["ok", 192], uncertain = ["old"] }}
unit = "s/L/{{pot:03d}}"
"""
MAP = f"""
[[row]]
topic = "json/{{pot:d}}"
format = "json"
time = {{ path = "ts", format = "epoch_ns" }}
{SIGNAL.format("v.")}
[[row]]
topic = "array"
format = "json"
items = "all.items"
take = {{ "id.no" = "P{{pot:d}}" }}
time = {{ path = "ts", format = "epoch_ns" }}
{SIGNAL.format("v.")}
[[row]]
topic = "csv"
format = "csv"
header = true
take = {{ no = "P{{pot:d}}" }}
time = {{ path = "ts", format = "epoch_ns" }}
{SIGNAL.format("")}
[[row]]
topic = "lines"
format = "line_protocol"
measurement = "pot"
take = {{ no = "P{{pot:d}}" }}
{SIGNAL.format("")}
"""
ABSENT = object()
CODEC = codec_with(MAP)
VOLT, BATH, MODE = (by_name(name) for name in ("voltage_v", "bath_temperature_c", "feed_mode"))


class Said(NamedTuple):
    """One record as the plant sends it: ABSENT where it says nothing."""

    pot: int
    time_ns: int
    flag: Any
    volt: Any
    bath: Any
    mode: Any


Plain = tuple[int, int, int, float | None, int]  # time, unit, signal, value rounded to 12 digits, quality


def rounded(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.12g}")


def plainly(said: Said) -> tuple[list[Plain], bool]:
    """What the row says of a record, in the simplest words; True when the message is parked for it."""
    if not 1 <= said.pot <= 3 or said.time_ns > NOW_NS + 60 * 10**9:
        return [], True
    flag = {"ok": Quality.GOOD, 192: Quality.GOOD, "old": Quality.UNCERTAIN, ABSENT: Quality.UNCERTAIN}
    quality = flag.get(said.flag, Quality.BAD)
    found, parked = list[Plain](), False
    for code, raw in ((VOLT, said.volt), (BATH, said.bath), (MODE, said.mode)):
        if raw is ABSENT:
            continue
        if code == MODE and isinstance(raw, bool):
            raw = float(raw)
        if code == MODE and isinstance(raw, str):
            raw = {"NORMAL": 0, "OVER": 2}.get(raw, raw)
        value = math.nan
        if isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) < 1e300:
            value = {VOLT: (raw * 2.0 - 10.0) / 1000, BATH: raw - 273.15, MODE: raw}[code]
        if not SIGNALS[code].low <= value <= SIGNALS[code].high:  # NaN too
            value, parked = math.nan, parked or raw is not None
        good = math.isfinite(value) and quality != Quality.BAD
        found.append((said.time_ns, said.pot, code, rounded(value) if good else None, quality if good else Quality.BAD))
    return found, parked


def _dressed(said: Said) -> dict[str, Any]:
    values = {"u": said.volt, "t": said.bath, "m": said.mode}
    known = {key: value for key, value in values.items() if value is not ABSENT}
    flag = {} if said.flag is ABSENT else {"q": said.flag}
    return {"ts": said.time_ns, "extra": [1, {"a": None}], "v": known, **flag}


def as_json(records: Sequence[Said]) -> list[Message]:
    return [Message(f"json/{said.pot}", json.dumps(_dressed(said)).encode()) for said in records]


def as_array(records: Sequence[Said]) -> list[Message]:
    items = [{**_dressed(said), "id": {"no": f"P{said.pot}"}} for said in records]
    return [Message("array", json.dumps({"all": {"items": items}}).encode())]


def as_csv(records: Sequence[Said]) -> list[Message]:
    head = "ts,no,q,x,m,t,u"
    rows = [
        ",".join(
            "" if cell is None else str(cell) for cell in (s.time_ns, f"P{s.pot}", s.flag, 7, s.mode, s.bath, s.volt)
        )
        for s in records
    ]
    return [Message("csv", "\n".join([head, *rows]).encode())]


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "F"
    return f'"{value}"' if isinstance(value, str) else f"{value}i" if isinstance(value, int) else repr(value)


def as_lines(records: Sequence[Said]) -> list[Message]:
    lines = ["other,no=P1 u=1 5", "# a comment"]
    for s in records:
        values = {"u": s.volt, "t": s.bath, "m": s.mode, "q": s.flag}
        fields = ["x=1", *(f"{key}={_field(value)}" for key, value in values.items() if value is not ABSENT)]
        lines.append(f"pot,host=gw\\ 1,no=P{s.pot} {','.join(fields)} {s.time_ns}")
    return [Message("lines", "\n".join(lines).encode())]


finite = st.one_of(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6))
anything = st.one_of(finite, st.none(), st.just(ABSENT), st.booleans(), st.sampled_from(["NORMAL", "OVER", "x", "4"]))
hostile = st.one_of(anything, st.sampled_from([math.nan, math.inf, 10**400, [1], {"a": 1}]))
flags = st.sampled_from(["ok", 192, "old", 0, "bad", ABSENT])


def records(values: st.SearchStrategy[Any], flag: st.SearchStrategy[Any] = flags) -> st.SearchStrategy[list[Said]]:
    usual = {
        name: st.one_of(st.floats(low, high), values)
        for name, low, high in (("volt", 3000, 4500), ("bath", 1200, 1250))
    }
    pot, time = st.integers(0, 4), st.integers(NOW_NS - 10**15, NOW_NS + 10**11)
    mode = st.one_of(st.sampled_from(["NORMAL", "OVER", 1]), values)
    return st.lists(st.builds(Said, pot, time, flag, usual["volt"], usual["bath"], mode), min_size=1, max_size=6)


def _check(make: Callable[[Sequence[Said]], list[Message]], said: list[Said]) -> None:
    wanted, parked = list[Plain](), False
    for one in said:
        found, bad = plainly(one)
        wanted += found
        parked |= bad
    messages = make(said)
    decoded = CODEC.decode(messages, NOW_NS)
    readings = decoded.readings
    columns = (readings.time_ns, readings.unit, readings.signal, readings.value, readings.quality)
    got = [
        (time, unit, code, rounded(value), quality)
        for time, unit, code, value, quality in zip(*(column.tolist() for column in columns), strict=True)
    ]
    assert Counter(got) == Counter(wanted)
    assert bool(decoded.parked) == parked
    assert {problem.payload for problem in decoded.problems} <= {message.payload for message in messages}
    apart = [CODEC.decode([message], NOW_NS) for message in messages]
    assert sum(len(one.readings) for one in apart) == len(readings), "alone as among others"
    assert sum(one.parked for one in apart) == decoded.parked


@given(records(hostile))
def test_json_objects(said: list[Said]) -> None:
    _check(as_json, said)


@given(records(hostile))
def test_json_arrays(said: list[Said]) -> None:
    _check(as_array, said)


@given(records(st.one_of(finite, st.none(), st.sampled_from(["x", math.nan])), st.sampled_from(["ok", "old", "bad"])))
def test_csv(said: list[Said]) -> None:
    _check(as_csv, said)


small = st.one_of(finite, st.just(ABSENT), st.booleans(), st.sampled_from(["OVER", "x y,z=1"]))


@given(records(small, st.sampled_from(["ok", "old", 192, 3, ABSENT])))
def test_line_protocol(said: list[Said]) -> None:
    _check(as_lines, said)


@pytest.mark.parametrize("make", [as_json, as_array, as_csv, as_lines])
def test_regular_messages_go_the_quick_way(make: Callable[[Sequence[Said]], list[Message]], monkeypatch: Any) -> None:
    said = [Said(1, NOW_NS - n, "ok", 4000.0 + n, 1230, "OVER") for n in range(5)]

    def slow(*_: object) -> None:
        raise AssertionError("taken one by one")

    monkeypatch.setattr("twin.mapping.decode.MappedRow._one", slow)
    _check(make, said)
