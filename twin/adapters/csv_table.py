"""A CSV table replayed by a column map, a few thousand lines at a time. Every error names the line and the column.

One row may hold many signals (a wide table), of one unit or of several.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.column_map import ColumnMap, SignalColumn, TimeReader, number
from twin.errors import ConfigError
from twin.frames import Codes, Floats, Readings
from twin.ports import Bounds
from twin.recording import EVER, Selection, Skipped, unit_of
from twin.signals import SIGNALS, by_name
from twin.topics import Router

__all__ = ["CsvRecording"]

T = TypeVar("T")
Line = tuple[int, list[str]]  # number, cells
_TAIL_BYTES = 1 << 16


class CsvRecording:
    """Recording port on a CSV file; rows come in the order of the file."""

    def __init__(
        self,
        path: Path,
        columns: ColumnMap,
        router: Router,
        selection: Selection,
        skipped: Skipped,
        *,
        chunk_lines: int = 5000,
    ) -> None:
        self._path, self._map, self._router = path, columns, router
        self._selection, self._skipped, self._chunk_lines = selection, skipped, chunk_lines
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="csv")
        self._codes = np.array([by_name(one.name) for one in columns.signal], np.int16)

    async def open(self) -> Bounds:
        for path in self._map.units():
            if unit_of(self._router, path) < 0:
                raise ConfigError(f"the column map names the unit {path!r}, which the plant does not have")
        self._selection.units(self._router.roster)  # a wrong name is told before anything is read
        return await self._run(self._bounds)

    async def close(self) -> None:
        self._thread.shutdown()

    async def chunks(self, start_ns: int) -> AsyncGenerator[Readings, None]:
        with closing(self._readings()) as found:
            while (readings := await self._run(partial(next, found, None))) is not None:
                readings = self._selection.of(readings, self._selection.units(self._router.roster))
                if start_ns > EVER[0]:
                    readings = readings.take(readings.time_ns >= start_ns)
                if len(readings):
                    yield readings

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    @contextmanager
    def _opened(self) -> Iterator[tuple[TextIO, list[str]]]:
        """The file, read up to the end of its header, and the header."""
        columns = self._map
        try:
            errors = "replace" if self._skipped.keep else "strict"
            with self._path.open(encoding=columns.encoding, errors=errors, newline="") as file:
                for _ in range(columns.skip_lines):
                    file.readline()
                (header,) = [*csv.reader([file.readline()], delimiter=columns.delimiter)] or [[]]
                header = [name.strip() for name in header]
                if lacking := next((name for name in columns.columns() if name not in header), None):
                    there = ", ".join(map(repr, header)) or "none"
                    raise ConfigError(f"{self._path}: column {lacking!r} of the map is missing; there are {there}")
                yield file, header
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(
                f"{self._path} is not in {columns.encoding} ({error.reason}). Name its encoding in the column map; or "
                "keep what can be read with --skip-bad."
            ) from error

    def _bounds(self) -> Bounds:
        """Times of the first and of the last row that have one; what lies between is not read for it."""
        with self._opened() as (file, header):
            head = file.read(_TAIL_BYTES).splitlines()
        with self._path.open("rb") as raw:
            raw.seek(max(0, self._path.stat().st_size - _TAIL_BYTES))
            tail = raw.read().decode(self._map.encoding, "replace").splitlines()
        place = header.index(self._map.time.column)
        first, last = (next(self._times(lines, place), 0) for lines in (head, reversed(tail)))
        if not first or not last:
            return Bounds(0, 0)
        return Bounds(
            max(min(first, last), self._selection.start_ns), min(max(first, last), self._selection.end_ns - 1)
        )

    def _times(self, lines: Iterable[str], place: int) -> Iterator[int]:
        clock = TimeReader(self._map.time)
        for line in lines:
            try:
                yield clock.read(next(csv.reader([line], delimiter=self._map.delimiter))[place])
            except (ValueError, IndexError, StopIteration, csv.Error):
                continue

    def _readings(self) -> Generator[Readings, None, None]:
        with self._opened() as (file, header):
            lines = self._lines(file, len(header))
            clock, units = TimeReader(self._map.time), dict[str, int]()
            while chunk := list(islice(lines, self._chunk_lines)):
                yield self._convert(chunk, header, clock, units)

    def _lines(self, file: TextIO, width: int) -> Iterator[Line]:
        """Every row that has as many cells as the header."""
        reader = csv.reader(file, delimiter=self._map.delimiter)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                self._bad(f"not CSV ({error})", self._map.skip_lines + 1 + reader.line_num)
                continue
            if cells is None:
                return
            line = self._map.skip_lines + 1 + reader.line_num
            if len(cells) == width:
                yield line, cells
            elif cells:  # an empty line is nothing
                self._bad(f"{len(cells)} columns where the header has {width}", line)

    def _bad(self, reason: str, line: int, column: str = "", text: str = "", advice: str = "Correct the line") -> None:
        place = f"{self._path}: line {line}" + (f", column {column!r}: {text[:80]!r}" if column else "")
        self._skipped.bad(reason, place, advice)

    def _convert(self, lines: list[Line], header: list[str], clock: TimeReader, units: dict[str, int]) -> Readings:
        columns = self._map
        time_at = header.index(columns.time.column)
        unit_at = header.index(columns.unit.column) if columns.unit.column else None
        kept: list[Line] = []
        times, codes = [], []
        for line, cells in lines:
            try:
                time = clock.read(cells[time_at])
            except ValueError as error:
                advice = "Check format and zone under [time] in the map"
                self._bad(str(error), line, columns.time.column, cells[time_at], advice)
                continue
            name = "" if unit_at is None else cells[unit_at].strip()
            if name not in units:
                named = unit_at is not None or columns.unit.fixed
                units[name] = unit_of(self._router, columns.unit.path(name)) if named else 0
            if units[name] < 0:
                advice = f"Check [unit] in the map: it makes {columns.unit.path(name)!r} of it"
                self._bad("the plant has no such unit", line, columns.unit.column, name, advice)
                continue
            times.append(time)
            codes.append(units[name])
            kept.append((line, cells))
        unit = np.array(codes, np.int32)
        table = np.array([self._column(kept, header.index(one.column), one) for one in columns.signal])
        return self._long(np.array(times, np.int64), unit, table.reshape(len(columns.signal), len(kept)).T)

    def _column(self, lines: list[Line], place: int, column: SignalColumn) -> Floats:
        """Values of one signal; NaN where nothing is said or what is said cannot be used."""
        signal = SIGNALS[by_name(column.name)]
        out = np.full(len(lines), np.nan)
        for row, (line, cells) in enumerate(lines):
            try:
                value = number(cells[place], self._map) * column.factor + column.offset
                if value < signal.low or value > signal.high:
                    raise ValueError(f"{value:g} {signal.unit} is not a value that {signal.name} can have")
            except ValueError as error:
                advice = f"Correct it, or check decimal, factor and offset of {column.name} in the map"
                self._bad(str(error), line, column.column, cells[place], advice)
                continue
            out[row] = value
        return out

    def _long(self, time: NDArray[np.int64], unit: Codes, table: Floats) -> Readings:
        row, column = np.nonzero(np.isfinite(table))
        units = np.repeat(unit[:, None], table.shape[1], axis=1)
        for place, one in enumerate(self._map.signal):
            if one.unit:
                units[:, place] = unit_of(self._router, one.unit)
        return Readings.of(time[row], units[row, column], self._codes[column], table[row, column])
