"""Decode of mapped messages beside the data contract's own, in one process: `python -m tests.mapping.speed`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import orjson

from tests.bench import load
from twin.codec import Codec
from twin.frames import Readings
from twin.mapping.table import mapping
from twin.plant import Roster
from twin.ports import Message
from twin.signals import SIGNALS, of_topic
from twin.topics import Router

__all__ = ["CODES", "FORMATS", "MAP", "main"]

POTS, SECONDS, REPEATS = 300, 8, 9
CODES = of_topic("telemetry")
_SIGNALS = "".join(f'[[row.signal]]\nname = "{SIGNALS[c].name}"\npath = "v.{SIGNALS[c].name}"\n' for c in CODES)
_FIELDS = _SIGNALS.replace('"v.', '"')
_UNIT = 'unit = "{site}/{line}/{pot}"'
MAP = f"""
[[row]]
topic = "json/{{site}}/{{line}}/{{pot}}"
format = "json"
{_UNIT}
time = {{ path = "t", format = "epoch_ns" }}
{_SIGNALS}
[[row]]
topic = "array/{{site}}/{{line}}"
format = "json"
items = ""
take = {{ id = "{{pot}}" }}
{_UNIT}
time = {{ path = "t", format = "epoch_ns" }}
{_SIGNALS}
[[row]]
topic = "lines/{{site}}/{{line}}"
format = "line_protocol"
take = {{ pot = "{{pot}}" }}
{_UNIT}
{_FIELDS}
[[row]]
topic = "csv/{{site}}/{{line}}"
format = "csv"
columns = {["t", "pot", *(SIGNALS[c].name for c in CODES)]}
take = {{ pot = "{{pot}}" }}
{_UNIT}
time = {{ path = "t", format = "epoch_ns" }}
{_FIELDS}
"""
Row = tuple[str, str, int, dict[str, float]]  # line's path, pot, time, values


def _json(rows: Sequence[Row]) -> list[Message]:
    return [Message(f"json/{line}/{pot}", orjson.dumps({"t": t, "v": v})) for line, pot, t, v in rows]


def _array(rows: Sequence[Row]) -> list[Message]:
    objects = [{"t": t, "id": pot, "v": v} for _, pot, t, v in rows]
    return [Message(f"array/{rows[0][0]}", orjson.dumps(objects[at : at + 20])) for at in range(0, len(rows), 20)]


def _lines(rows: Sequence[Row]) -> list[Message]:
    said = [f"pot,pot={pot} {','.join(f'{k}={x!r}' for k, x in v.items())} {t}" for _, pot, t, v in rows]
    return [Message(f"lines/{rows[0][0]}", "\n".join(said[at : at + 20]).encode()) for at in range(0, len(rows), 20)]


def _csv(rows: Sequence[Row]) -> list[Message]:
    said = [",".join([str(t), pot, *map(repr, v.values())]) for _, pot, t, v in rows]
    return [Message(f"csv/{rows[0][0]}", "\n".join(said[at : at + 20]).encode()) for at in range(0, len(rows), 20)]


FORMATS: dict[str, Callable[[Sequence[Row]], list[Message]]] = {
    "JSON, an object a pot": _json,
    "JSON, arrays of 20 objects": _array,
    "line protocol, 20 lines": _lines,
    "CSV, 20 rows": _csv,
}


def _rows(found: Readings, roster: Roster) -> list[Row]:
    width = len(CODES)
    names = [SIGNALS[code].name for code in CODES]
    rows = []
    for at in range(0, len(found), width):
        line, _, pot = roster.paths[int(found.unit[at])].rpartition("/")
        values = dict(zip(names, found.value[at : at + width].tolist(), strict=True))
        rows.append((line, pot, int(found.time_ns[at]), values))
    return rows


def main() -> None:
    """Print microseconds a pot-sample of 20 values, and the ratio to the contract's own message."""
    roster = load.roster(POTS)
    said = load.messages(roster, (int(time.time()) - 7200) * load.NS, SECONDS, 1, batched=False)
    router = Router(roster, root=load.ROOT_TOPIC, discover=False)
    codec = Codec(router, beside=mapping(MAP, "speed", router))
    now = time.time_ns()
    wanted = Codec(router).decode(said, now).readings
    works = {"the contract's own": said} | {name: make(_rows(wanted, roster)) for name, make in FORMATS.items()}
    taken: dict[str, list[float]] = {name: [] for name in works}
    for name, messages in works.items():
        found = codec.decode(messages, now)
        assert found.parked == 0
        assert found.readings.same(wanted), name
    for _ in range(REPEATS):
        for name, messages in works.items():
            began = time.process_time()
            codec.decode(messages, now)
            taken[name].append(time.process_time() - began)
    base = statistics.median(taken["the contract's own"])
    for name, times in taken.items():
        each = statistics.median(times)
        print(f"{name:<28} {each * 1e6 / POTS / SECONDS:6.2f} us/pot-sample  {each / base:5.2f}")


if __name__ == "__main__":
    main()
