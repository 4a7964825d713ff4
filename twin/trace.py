"""Follow one message through every hop, without a broker and without a store."""

from __future__ import annotations

from collections.abc import Iterator

from twin.catalogue import CATALOGUE, FIELDS
from twin.codec import Codec
from twin.engine import Engine
from twin.frames import wide
from twin.lines import LineProtocol
from twin.ports import Message
from twin.signals import SIGNALS
from twin.times import iso
from twin.units import to_si

__all__ = ["trace"]


def trace(message: Message, codec: Codec, engine: Engine, now_ns: int) -> Iterator[tuple[str, str]]:
    """(hop, what happens there), in the order of the product's own flow."""
    yield "adapters/mqtt", f"{message.topic}  {len(message.payload)} bytes"
    decoded = codec.decode([message], now_ns)
    readings, paths = decoded.readings, codec.roster.paths
    for problem in decoded.problems:
        yield "codec", f"parked: {problem.reason} {problem.field} {problem.detail}".replace("  ", " ")
    for name, count in decoded.unknown.items():
        yield "codec", f"unknown field {name!r} ({count}): counted, ignored"
    for time, unit, signal, value in zip(
        readings.time_ns.tolist(),
        readings.unit.tolist(),
        readings.signal.tolist(),
        readings.value.tolist(),
        strict=True,
    ):
        row = SIGNALS[signal]
        yield "codec", f"{iso(time)}  {paths[unit]}  {row.name} = {value:g} {row.unit}"
    if not len(readings):
        return
    state, report = engine.step(engine.start(), readings)
    held = len(state.pending)
    yield "engine", f"{held} readings wait for their tick to close ({engine.settings.grace} ticks later)"
    for signal, value in zip(readings.signal.tolist(), readings.value.tolist(), strict=True):
        row = SIGNALS[signal]
        yield "engine", f"frame column {row.name}: {to_si(value, row.unit):.10g} in SI"
    for figures in report.figures:
        known = {name: values for name, values in figures.kpis.items() if (values == values).any()}
        yield (
            "engine",
            f"books of {paths[figures.units[0]]}, {figures.window} from {iso(figures.start_ns)}: {', '.join(known)}",
        )
    for line in LineProtocol(codec.roster).encode(readings).decode().splitlines():
        yield "adapters/influx", line
    for measurement, codes in FIELDS.items():
        rows = wide(readings, codes)
        shown = (rows.values == rows.values).any(0).tolist()
        said = [CATALOGUE[code].db_field for code, known in zip(codes, shown, strict=True) if known]
        if len(rows):
            yield "dashboards", f"measurement {measurement}, fields {', '.join(said)}"
