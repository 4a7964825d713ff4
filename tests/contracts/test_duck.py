"""What the embedded store promises on top: its file outlives the process and grows with the catalogue."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.stores import Bench, memory, opened, run, told
from tests.core.plants import NOW_NS, NS, roster_of
from twin.adapters.duck import DuckStore
from twin.catalogue import CATALOGUE, FIELDS
from twin.errors import SinkRejected, SinkUnavailable, SmelterError
from twin.parts import OpenStore
from twin.plant import Roster
from twin.signals import by_name

VOLTAGE, NOISE, TAPPED = by_name("voltage_v"), by_name("noise_mv"), by_name("tapped_metal_kg")
ROOT = Path(__file__).parents[2]


class InFile:
    """Builds stores on one and the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, roster: Roster) -> OpenStore:
        return DuckStore(self.path, roster)


@pytest.fixture
def file(tmp_path: Path) -> InFile:
    return InFile(tmp_path / "new" / "twin.duckdb")


def count(file: InFile, measurement: str = "pot") -> int:
    with duckdb.connect(str(file.path), read_only=True) as db:
        (rows,) = db.execute(f"SELECT count(*) FROM {measurement}").fetchone() or (-1,)
    return int(rows)


async def write_some(bench: Bench) -> None:
    await bench.write((0, 1, VOLTAGE, 4.0), (0, 2, VOLTAGE, 4.2), (NS, 1, VOLTAGE, 4.1), (0, 1, TAPPED, 2000.0))


def test_it_survives_closing_and_opening(file: InFile) -> None:
    async def read(bench: Bench) -> None:
        assert await bench.rows("pot", 1) == [(0, VOLTAGE, 4.0), (NS, VOLTAGE, 4.1)]
        assert await bench.rows("event", 1) == [(0, TAPPED, 2000.0)]

    run(file, write_some)
    run(file, read)


def test_what_is_delivered_again_after_opening_does_not_double(file: InFile) -> None:
    async def again(bench: Bench) -> None:
        await write_some(bench)
        await bench.write((2 * NS, 1, VOLTAGE, 4.3), (NS, 1, VOLTAGE, 4.1))
        await bench.write((NS, 1, NOISE, 3.0))

    run(file, write_some)
    run(file, again)
    assert count(file) == 4
    run(file, again)
    assert count(file) == 4
    assert count(file, "event") == 1


def test_late_rows_are_inserted_and_only_they(file: InFile) -> None:
    async def test(bench: Bench) -> None:
        await bench.write(*((n * NS, 1, VOLTAGE, 4.0) for n in range(0, 100, 2)))
        await bench.write(*((n * NS, 1, NOISE, 3.0) for n in range(100)))
        rows = await bench.rows("pot", 1)
        assert len([row for row in rows if row[1] == VOLTAGE]) == 50
        assert len([row for row in rows if row[1] == NOISE]) == 100

    run(file, test)
    assert count(file) == 100


def test_a_signal_that_is_new_gets_a_column_in_an_old_file(file: InFile) -> None:
    run(file, write_some)
    with duckdb.connect(str(file.path)) as db:
        db.execute("ALTER TABLE pot DROP COLUMN noise_mv")
        db.execute("DROP TABLE twin_pot")

    async def test(bench: Bench) -> None:
        await bench.write((0, 1, NOISE, 3.0))
        assert await bench.rows("pot", 1) == [(0, VOLTAGE, 4.0), (0, NOISE, 3.0), (NS, VOLTAGE, 4.1)]
        assert await bench.rows("twin_pot", 1) == []

    run(file, test)


def test_tables_are_those_of_the_catalogue(file: InFile) -> None:
    run(file, write_some)
    with duckdb.connect(str(file.path), read_only=True) as db:
        for measurement, codes in FIELDS.items():
            columns = {row[0]: row[1] for row in db.execute(f"DESCRIBE {measurement}").fetchall()}
            fields = dict.fromkeys((CATALOGUE[code].db_field for code in codes), "DOUBLE")
            assert columns == {"time": "TIMESTAMP_NS", "site": "VARCHAR", "line": "VARCHAR", "pot": "VARCHAR", **fields}
        found = db.execute("SELECT site, line, pot, epoch_ns(time), voltage_v FROM pot ORDER BY pot, time").fetchall()
    assert found == [
        ("s", "L", "001", NOW_NS, 4.0),
        ("s", "L", "001", NOW_NS + NS, 4.1),
        ("s", "L", "002", NOW_NS, 4.2),
    ]


def test_a_second_process_is_told_who_has_the_file(file: InFile) -> None:
    program = f"""
import asyncio
from pathlib import Path
from tests.core.plants import roster_of
from twin.adapters.duck import DuckStore
from twin.errors import ConfigError
try:
    asyncio.run(DuckStore(Path({str(file.path)!r}), roster_of(3)).open())
except ConfigError as error:
    print(error)
"""

    async def test(bench: Bench) -> None:
        command = [sys.executable, "-c", program]
        ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, cwd=ROOT, check=True)
        assert str(file.path) in ended.stdout
        assert "another process has this store open" in ended.stdout
        await write_some(bench)

    run(file, test)


def test_a_file_of_another_kind_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 1000)

    async def test() -> None:
        store = DuckStore(path, roster_of(1))
        with pytest.raises(SmelterError, match=r"notes\.txt"):
            await store.open()
        await store.close()

    asyncio.run(test())


def test_any_question_may_be_asked(file: InFile) -> None:
    async def test(bench: Bench) -> None:
        await write_some(bench)
        store = bench.store
        assert isinstance(store, DuckStore)
        assert await store.query("SELECT max(voltage_v) FROM pot WHERE pot = ?", ["001"]) == [(4.1,)]

    run(file, test)


class Flawed:
    """A connection on which one statement fails once."""

    def __init__(self, real: duckdb.DuckDBPyConnection, statement: str, error: type[Exception]) -> None:
        self._real, self._statement, self._error = real, statement, error

    def execute(self, sql: str, *rest: Any) -> Any:
        if sql.startswith(self._statement):
            self._statement = "never again"
            raise self._error("as ordered")
        return self._real.execute(sql, *rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "COMMIT"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [(duckdb.IOException, SinkUnavailable), (duckdb.ConversionException, SinkRejected)],
)
def test_a_write_that_fails_leaves_nothing_and_the_next_works(
    file: InFile, statement: str, error: type[Exception], kind: type[Exception]
) -> None:
    async def test(bench: Bench) -> None:
        await write_some(bench)
        store = bench.store
        assert isinstance(store, DuckStore)
        store._db = Flawed(store._connection(), statement, error)  # type: ignore[assignment]
        later = (5 * NS, 1, VOLTAGE, 4.5), (5 * NS, 2, VOLTAGE, 4.6)
        with pytest.raises(kind, match=r"twin\.duckdb"):
            await bench.write(*later)
        assert await bench.rows("pot", 1) == [(0, VOLTAGE, 4.0), (NS, VOLTAGE, 4.1)]
        await bench.write(*later)
        await bench.write(*later)

    run(file, test)
    assert count(file) == 5


CELL = st.tuples(
    st.integers(0, 4), st.integers(1, 2), st.sampled_from([VOLTAGE, NOISE]), st.sampled_from([1.0, 2.0, 3.0])
)


@settings(max_examples=12)
@given(st.lists(st.lists(CELL, min_size=1, max_size=8), min_size=1, max_size=5))
def test_any_sequence_of_writes_ends_like_in_memory(
    tmp_path_factory: Any, writes: list[list[tuple[int, int, int, float]]]
) -> None:
    build = InFile(tmp_path_factory.mktemp("duck") / "twin.duckdb")

    async def session() -> None:
        async with opened(build) as one, opened(memory()) as other:
            for cells in writes:
                batch = told(*((n * NS, unit, code, value) for n, unit, code, value in cells))
                await one.store.write(batch)
                await other.store.write(batch)
            for unit in (1, 2):
                assert await one.rows("pot", unit) == await other.rows("pot", unit)

    asyncio.run(session())
