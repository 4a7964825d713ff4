"""A twin that is killed anywhere goes on with the figures of one that was not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, NS, T0, engine_of, readings_of, roster_of, steady
from twin.adapters.memory import MemorySink
from twin.engine import Engine
from twin.engine import Settings as EngineSettings
from twin.errors import SinkUnavailable
from twin.frames import Readings, WindowFigures
from twin.resume import Journal, Noted, keep, missed, resumed
from twin.runner import Runner
from twin.snapshot import IngestView

pytestmark = pytest.mark.long

HEALTH = IngestView(True, 0, 0, 0, 0, 0.0, None, "memory", "")
MINUTE = T0 // 60
SETTINGS = EngineSettings(estimate=True)
POTS = 3
LENGTH_S = 40 * 60  # over two quarter hours and the end of an hour
CHUNK_S = 60
Shown = dict[tuple[int, str, int], tuple[tuple[str, bytes], ...]]


def shown(figures: WindowFigures) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value.tobytes()) for name, value in figures.kpis.items())


def minutes_in(file: Path) -> set[int]:
    return set(json.loads(file.read_bytes()))


@dataclass
class Disk:
    """What outlives a process: the store, the state, the journal; and what every life has told, by key."""

    folder: Path
    store: MemorySink = field(default_factory=lambda: MemorySink(roster_of(POTS)))
    told: Shown = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


class Life:
    """One process: an engine that goes on from the disk, fed by an ingest that writes first."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.state_file, journal_file = disk.folder / "twin.state", disk.folder / "twin.since"
        self.engine = engine_of(roster_of(POTS), SETTINGS)
        self.journal = Journal(journal_file, SETTINGS.horizon_h, disk.said.append)
        self.sink = Noted(disk.store, self.journal)
        state = resumed(self.state_file, self.engine, disk.said.append)
        self.runner = Runner(self.engine, write=self._write, health=lambda: HEALTH, state=state, save=self._save)

    async def _write(self, readings: Readings) -> None:
        """The twin's own words are compared as the engine tells them."""

    async def _save(self, data: bytes) -> None:
        keep(self.state_file, data)
        await self.journal.kept()

    async def begin(self) -> None:
        await self.runner.catch_up(missed(self.disk.store, self.engine, self.journal.missed))
        self.look()

    async def take(self, readings: Readings, *, fed: bool = True) -> None:
        """A batch: stored, then handed on, unless the process dies in between."""
        await self.sink.write(readings)
        if fed:
            await self.runner.feed(readings)
            await self.runner.step()
            self.look()

    def look(self) -> None:
        if self.runner.report is not None:
            for f in self.runner.report.figures:
                self.disk.told[int(f.units[0]), f.window, f.start_ns] = shown(f)


def story(seed: int) -> Readings:
    """Uneven voltages, taps and samples."""
    chance = np.random.default_rng(seed)
    even = steady(range(LENGTH_S), pots=POTS)
    value = even.value.copy()
    volts = even.signal == 0
    value[volts] = np.round(value[volts] + chance.normal(0, 0.02, int(volts.sum())), 3)
    rows = [(float(s), 1 + s % POTS, "tapped_metal_kg", 2000.0 + s) for s in range(400, LENGTH_S, 700)]
    rows += [(float(s), 1 + s % POTS, "excess_alf3_pct", 10.0 + s / 1e4) for s in range(300, LENGTH_S, 500)]
    rows += [(float(s), 1 + s % POTS, "bath_temperature_c", 955.0) for s in range(10, LENGTH_S, 60)]
    told = Readings.concat([Readings(even.time_ns, even.unit, even.signal, value, even.quality), readings_of(rows)])
    return told.take(np.argsort(told.time_ns, kind="stable"))


def batches(readings: Readings, late: set[int]) -> list[Readings]:
    """A batch a chunk of time; of the chunks in `late` pot 3 comes at the very end."""
    chunk = (readings.time_ns - NOW_NS) // (CHUNK_S * NS)
    held = np.isin(chunk, sorted(late)) & (readings.unit == POTS)
    parts = [readings.take((chunk == n) & ~held) for n in range(LENGTH_S // CHUNK_S)]
    return [*parts, readings.take(held)] if held.any() else parts


def undisturbed(parts: list[Readings]) -> Shown:
    engine: Engine = engine_of(roster_of(POTS), SETTINGS)
    state, told = engine.start(), dict[tuple[int, str, int], tuple[tuple[str, bytes], ...]]()
    for part in parts:
        state, report = engine.step(state, part)
        told |= {(int(f.units[0]), f.window, f.start_ns): shown(f) for f in report.figures}
    return told


async def killed(disk: Disk, parts: list[Readings], kills: set[int], saves: set[int], unfed: set[int]) -> None:
    """Live through the batches; before those in `kills` the process dies, after those in `saves` the state is kept.

    Of a batch in `unfed` the process dies after it was stored and before the twin had it: the broker gives it again.
    """
    life = Life(disk)
    await life.begin()
    for number, part in enumerate(parts):
        if number in unfed:
            await life.take(part, fed=False)
        if number in kills | unfed:
            life = Life(disk)
            await life.begin()
        await life.take(part)
        if number in saves:
            await life.runner._keep()


PLACES = st.sets(st.integers(0, LENGTH_S // CHUNK_S), max_size=4)


@settings(max_examples=6)  # two seconds each
@given(st.integers(0, 99), PLACES, PLACES, PLACES, st.sets(st.integers(0, LENGTH_S // CHUNK_S - 1), max_size=3))
def test_killed_anywhere_the_figures_are_those_of_a_twin_that_ran_through(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    kills: set[int],
    saves: set[int],
    unfed: set[int],
    late: set[int],
) -> None:
    parts = batches(story(seed), late)
    disk = Disk(tmp_path_factory.mktemp("disk"))
    asyncio.run(killed(disk, parts, kills, saves, unfed))
    wanted = undisturbed(parts)
    assert disk.told.keys() == wanted.keys()
    assert disk.said == []
    if not late:
        assert disk.told == wanted
    else:  # what the estimate makes of late data depends on when it came; the books do not
        for key, figures in wanted.items():
            booked = {"tapped_t", "coverage_pct", "ac_energy_kwh", "anode_effects_per_day"}
            assert [f for f in disk.told[key] if f[0] in booked] == [f for f in figures if f[0] in booked]


def test_a_backlog_that_came_after_the_state_was_kept_is_read_back_however_old(tmp_path: Path) -> None:
    """The backlog of a gateway is older than anything a margin before the state would reach."""
    parts = batches(story(1), {1, 2, 3})
    disk, last = Disk(tmp_path), len(parts) - 1
    asyncio.run(killed(disk, [*parts, parts[0]], {last + 1}, {5, last - 1}, set()))
    line = disk.told[0, "day", NOW_NS // (86_400 * NS) * 86_400 * NS]
    wanted = undisturbed(parts)[0, "day", NOW_NS // (86_400 * NS) * 86_400 * NS]
    assert dict(line)["coverage_pct"] == dict(wanted)["coverage_pct"]


def test_the_minutes_are_on_disk_before_the_store_has_the_readings(tmp_path: Path) -> None:
    file = tmp_path / "twin.since"
    seen: list[set[int]] = []

    class Sink:
        async def write(self, readings: Readings) -> None:
            seen.append(minutes_in(file))

    async def test() -> None:
        noted = Noted(Sink(), Journal(file, 36, print))
        await noted.write(Readings.empty())
        await noted.write(steady([5, 130]))
        await asyncio.gather(noted.write(steady([200])), noted.write(steady([200])))

    file.write_text("[]")
    asyncio.run(test())
    assert seen == [set(), {MINUTE, MINUTE + 2}, *[{MINUTE, MINUTE + 2, MINUTE + 3}] * 2]


def test_a_minute_is_forgotten_when_the_state_was_kept_twice_after_it(tmp_path: Path) -> None:
    file = tmp_path / "twin.since"

    async def test() -> list[set[int]]:
        journal, found = Journal(file, 36, print), []
        for minute in range(4):
            await journal.note(np.array([(T0 + 60 * minute) * NS]))
            await journal.kept()
            found.append(minutes_in(file))
        return found

    assert asyncio.run(test()) == [{MINUTE + n} for n in range(4)]
    assert Journal(file, 36, print).missed == {MINUTE + 3}


def test_invented_times_do_not_fill_the_journal(tmp_path: Path) -> None:
    file = tmp_path / "twin.since"

    async def test() -> None:
        journal = Journal(file, 1, print)
        await journal.note(np.arange(500) * 60 * NS)
        await journal.note(np.array([T0 * NS]))

    asyncio.run(test())
    assert minutes_in(file) == {*range(441, 500), MINUTE}


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "twin.since").write_text("[1, 2")
    said: list[str] = []
    assert Journal(tmp_path / "twin.since", 36, said.append).missed == frozenset()
    assert len(said) == 1
    assert "is not read back" in said[0]


def test_a_disk_that_does_not_take_the_journal_is_an_outage(tmp_path: Path) -> None:
    noted = Noted(MemorySink(roster_of(POTS)), Journal(tmp_path / "folder" / "twin.since", 36, print))
    (tmp_path / "folder").write_text("a file stands where the folder should be")
    with pytest.raises(SinkUnavailable, match="journal"):
        asyncio.run(noted.write(steady([0])))


def test_what_comes_while_the_past_is_read_back_is_taken_after_it(tmp_path: Path) -> None:
    async def test() -> None:
        disk = Disk(tmp_path)
        first = Life(disk)
        await first.take(steady(range(600)), fed=False)
        second = Life(disk)
        times: list[int] = []
        take = second.runner._take

        def noting(readings: Readings) -> None:
            times.append(int(readings.time_ns.min()))
            take(readings)

        second.runner._take = noting  # type: ignore[method-assign]
        reading = asyncio.create_task(second.begin())
        await asyncio.sleep(0)
        for second_of_time in range(600, 700):  # more batches than the queue takes
            await second.runner.feed(steady([second_of_time]))
        await reading
        await second.runner.step()
        assert times == sorted(times)
        assert times[-1] == NOW_NS + 600 * NS

    asyncio.run(test())


def test_a_twin_that_has_not_read_its_past_writes_no_figures_over_those_of_the_whole(tmp_path: Path) -> None:
    async def test() -> None:
        disk = Disk(tmp_path)
        await Life(disk).take(steady(range(600)), fed=False)
        life = Life(disk)
        written: list[int] = []

        async def write(readings: Readings) -> None:
            written.append(len(readings))

        async def broken() -> AsyncIterator[Readings]:
            yield steady(range(60))
            raise SinkUnavailable("away")

        life.runner._write = write
        with pytest.raises(SinkUnavailable):
            await life.runner.catch_up(broken())
        await life.runner.feed(steady(range(600, 700)))
        await life.runner.finish()
        assert written == []
        await life.begin()
        await life.runner.finish()
        assert len(written) == 1

    asyncio.run(test())
