"""Records simulated lines as fast as they go: what sensors send, how the pots really are, and what troubles them.

    out.parquet          the recording (docs/replay.md): what an ingest would have kept, in the order of arrival
    out.truth.parquet    one row a pot and `truth_s`: time_ns, path, and the truth of `Potline.truth`
    out.causes.json      the causes of trouble: unit, onset, end, severity, and the fault codes they should raise

The same plant, seed, start and scenario give the same rows in every file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from simulators.publish import SimulatedLine
from twin.adapters.parquet import PartedTable, RecordingWriter, parts_folder
from twin.errors import ConfigError
from twin.frames import Readings
from twin.plant import Roster
from twin.signals import SIGNALS
from twin.times import iso
from twin.units import NS_PER_S

__all__ = ["Tapes", "record_lines"]

_LOW = np.array([signal.low for signal in SIGNALS])
_HIGH = np.array([signal.high for signal in SIGNALS])


class Tapes:
    """The three files of one simulated recording, in the making."""

    def __init__(self, path: Path, roster: Roster, *, created_by: str, version: str) -> None:
        self.roster = roster
        self.causes_path = path.with_suffix(".causes.json")
        self._truth_path = path.with_suffix(".truth.parquet")
        for other in (self._truth_path, parts_folder(self._truth_path), self.causes_path):
            if other.exists():
                raise ConfigError(f"{other} is there already; remove it or give another name")
        self.recording = RecordingWriter(path, roster, created_by=created_by, version=version)
        self._about = {"created_by": created_by, "product_version": version}
        self._truth: PartedTable | None = None
        self.unusable = 0  # readings that the ingest would not have kept

    def write(self, readings: Readings, arrival_ns: int) -> None:
        """Record what arrives; what is missing or out of range would not have got past the codec."""
        value = readings.value
        with np.errstate(invalid="ignore"):
            usable = (value >= _LOW[readings.signal]) & (value <= _HIGH[readings.signal])
        if not usable.all():
            self.unusable += int((~usable & np.isfinite(value)).sum())
            readings = readings.take(usable)
        self.recording.write(readings, arrival_ns)

    def write_truth(self, line: SimulatedLine) -> None:
        """One row for each pot of a line."""
        found = line.potline.truth()
        if self._truth is None:
            selected = "time_ns, getvariable('paths')[unit + 1] AS path, " + ", ".join(found)
            self._truth = PartedTable(self._truth_path, selected, self._about)
            self._truth.db.execute("SET VARIABLE paths = ?", [self.roster.paths])
        self._truth.append({"time_ns": np.full(len(line.pots), line.now_ns), "unit": line.pots, **found})

    def write_causes(self, lines: Sequence[SimulatedLine]) -> None:
        """The labels of every line."""
        rows = [row for line in lines for row in _labels(line, self.roster)]
        rows.sort(key=lambda row: (row["onset"], row["cause"], row["units"]))
        self.causes_path.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))

    def flush_if_old(self) -> None:
        """Make safe what has waited for long."""
        self.recording.flush_if_old()
        if self._truth is not None:
            self._truth.flush_if_old()

    def close(self) -> None:
        """Complete every file."""
        self.recording.close()
        if self._truth is not None:
            self._truth.close()


def _labels(line: SimulatedLine, roster: Roster) -> list[dict[str, Any]]:
    return [
        {
            "cause": label.cause,
            "units": [roster.paths[line.pots[pot]] for pot in label.pots] or [roster.paths[line.unit]],
            "onset": iso(label.start_ns),
            "end": iso(label.end_ns),
            "severity": label.severity,
            "faults": list(label.faults),
        }
        for label in line.potline.causes.labels()
    ]


def record_lines(
    lines: Sequence[SimulatedLine],
    tapes: Tapes,
    *,
    end_ns: int,
    period_s: float,
    truth_s: float,
    told: Callable[[int], None] = lambda now_ns: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Run the lines until `end_ns` or `stopped`; `told` the time simulated, about once a simulated minute."""
    tapes.write_causes(lines)
    periods = max(1, round(truth_s / period_s))
    count = 0
    while lines[0].now_ns + period_s * NS_PER_S <= end_ns and not stopped():
        for line in lines:
            parts = line.advance(period_s)
            tapes.write(Readings.concat(parts), line.now_ns)
        count += 1
        if count % periods == 0:
            for line in lines:
                tapes.write_truth(line)
        if count % max(1, round(60 / period_s)) == 0:
            tapes.flush_if_old()
            told(lines[0].now_ns)
    tapes.write_causes(lines)  # again: hangs of feeders come by themselves while the line runs
