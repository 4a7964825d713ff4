"""Going on after a restart: the state that was kept, and what the store took in since.

A message is acknowledged when it is stored. What was stored after the state was kept is read back, so that books and
estimates are those of a process that never stopped. To read too much does no harm: the books count a reading once.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from twin import checkpoint
from twin.engine import Engine, State
from twin.errors import PayloadError
from twin.frames import Readings
from twin.ports import Store
from twin.signals import MEASUREMENTS
from twin.units import NS_PER_S

__all__ = ["keep", "missed", "resumed"]

MARGIN_NS = 600 * NS_PER_S  # telemetry that came later than this before the state was kept is not read again
PAGE_NS = 1800 * NS_PER_S
SPARSE = ("event", "sample")  # come hours late: read back over the whole horizon


def resumed(file: Path, engine: Engine, say: Callable[[str], None]) -> State | None:
    """The state that an earlier run kept; None where there is none that fits, which is told."""
    try:
        return checkpoint.from_bytes(engine, file.read_bytes())
    except FileNotFoundError:
        return None
    except PayloadError as error:
        say(f"{file}: {error}; the twin starts anew. Its figures go on from now; what is stored stays.")
        return None


def keep(file: Path, data: bytes) -> None:
    """Write the state: whole or not at all, also when the power fails in the middle."""
    fresh = file.with_suffix(".new")
    file.parent.mkdir(parents=True, exist_ok=True)
    with fresh.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


async def missed(store: Store, engine: Engine, state: State, now_ns: int) -> AsyncIterator[Readings]:
    """What the store took in since the state was kept, in pages of source time."""
    horizon_ns = engine.settings.horizon_h * 3600 * NS_PER_S
    start_ns = max(state.closed_ns - MARGIN_NS, now_ns - horizon_ns)
    roster = engine.roster
    paths = [roster.paths[code] for code in (*roster.line_codes(), *roster.pot_codes())]
    for measurement in SPARSE:
        found = [await store.read(measurement, path, now_ns - horizon_ns, start_ns) for path in paths]
        yield Readings.concat(found)
    for page_ns in range(start_ns, now_ns, PAGE_NS):
        end_ns = min(page_ns + PAGE_NS, now_ns)
        parts = [
            await store.read(measurement, path, page_ns, end_ns)
            for path in paths
            for measurement in MEASUREMENTS.values()
            if (measurement == "line") == roster.is_line(roster.codes[path])
        ]
        yield Readings.concat([part for part in parts if len(part)])
