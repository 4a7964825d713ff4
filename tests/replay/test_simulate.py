"""`twin simulate`: the same seed makes the same recording, truth and labels; gateways that are silent catch up."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from simulators.publish import SimulatedLine, end_ns, lines_of, simulate, start_ns
from simulators.schedule import Cause
from simulators.to_file import Tapes, record_lines
from tests.core.plants import NOW_NS, roster_of
from tests.replay.commands import twin
from tests.replay.tapes import NS, read
from twin.adapters.memory import FakeClock, KeepingPublisher
from twin.codec import Codec
from twin.errors import ConfigError
from twin.frames import Readings
from twin.parquet_files import recorded_plant
from twin.plant import Roster
from twin.settings import resolve
from twin.signals import SIGNALS
from twin.topics import Router

SCENARIO = """
title = "Trouble"
hours = 0.05

[[cause]]
name = "anode_effect"
pots = ["002"]
at_h = 0.01
for_h = 0.02

[[cause]]
name = "gateway_outage"
pots = ["003"]
at_h = 0.01
for_h = 0.015
"""


def tapes(folder: Path, name: str, seed: int = 7) -> Path:
    """A recording of the scenario."""
    (folder / "trouble.toml").write_text(SCENARIO)
    settings = resolve(
        flags={
            "simulate.scenario": str(folder / "trouble.toml"),
            "simulate.start": "2026-01-05T00:00:00Z",
            "simulate.hours": "0.05",
            "simulate.seed": str(seed),
        }
    )
    roster = roster_of(6)
    start = start_ns(settings, 0)
    lines = lines_of(roster, settings, start)
    path = folder / name
    made = Tapes(path, roster, created_by="test", version="1")
    end = end_ns(settings, start)
    assert end == start + 180 * NS
    record_lines(lines, made, end_ns=end, period_s=1.0, truth_s=60.0)
    made.close()
    return path


def content(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as db:
        return db.execute(f"SELECT * FROM '{path}'").fetchall()


def test_a_seed_makes_the_same_files_and_another_one_does_not(tmp_path: Path) -> None:
    first, again, other = (tapes(tmp_path, f"{n}.parquet", seed) for n, seed in enumerate((7, 7, 8)))
    assert first.read_bytes() == again.read_bytes()
    assert content(first.with_suffix(".truth.parquet")) == content(again.with_suffix(".truth.parquet"))
    assert first.with_suffix(".causes.json").read_bytes() == again.with_suffix(".causes.json").read_bytes()
    assert content(first) != content(other)


def test_what_is_recorded(tmp_path: Path) -> None:
    path = tapes(tmp_path, "r.parquet")
    said = read(path, router=Router(roster_of(6), root="smelter", discover=False))
    start = 1767571200 * NS
    assert (said.time_ns.max() - start) // NS in (179, 180)
    assert np.isfinite(said.value).all(), "what a sensor does not say is no message"
    # Section 2 (pots 3 and 4) is silent from 36 s to 90 s, then sends what it has kept.
    third = said.take((said.unit == 3) & (said.signal == 0))
    assert len(third) == 180
    order = np.flatnonzero((said.unit == 3) & (said.signal == 0))
    others = np.flatnonzero((said.unit == 1) & (said.signal == 0))
    burst = np.diff(order) < np.diff(others).min() // 2
    assert 45 <= int(burst.sum()) <= 60
    truth = content(path.with_suffix(".truth.parquet"))
    assert [(row[0] - start) / NS for row in truth[::6]] == [60.0, 120.0, 180.0]
    assert [row[1] for row in truth[:6]] == [f"s/L/00{n}" for n in range(1, 7)]
    labels = json.loads(path.with_suffix(".causes.json").read_text())
    assert [(row["cause"], row["units"], row["onset"], row["end"]) for row in labels] == [
        ("anode_effect", ["s/L/002"], "2026-01-05T00:00:36Z", "2026-01-05T00:01:48Z"),
        ("gateway_outage", ["s/L/003", "s/L/004"], "2026-01-05T00:00:36Z", "2026-01-05T00:01:30Z"),
    ]
    assert labels[0]["faults"] == ["anode_effect"]


def test_values_that_the_ingest_would_refuse_are_not_recorded(tmp_path: Path) -> None:
    roster = roster_of(2)
    made = Tapes(tmp_path / "r.parquet", roster, created_by="test", version="1")
    high = SIGNALS[0].high
    made.write(Readings.of([NOW_NS] * 3, [1, 1, 2], [0, 1, 0], [high, float("nan"), high + 1]), NOW_NS)
    made.close()
    assert made.unusable == 1
    assert read(tmp_path / "r.parquet", router=Router(roster_of(2), root="smelter", discover=False)).value.tolist() == [
        high
    ]


def test_a_line_with_an_end_stops(tmp_path: Path) -> None:
    settings = resolve(flags={"simulate.hours": "0.01", "simulate.history_min": "2", "simulate.speed": "10000"})
    roster, publisher = roster_of(6), KeepingPublisher()
    told: list[int] = []
    asyncio.run(simulate(roster, publisher, settings, FakeClock(NOW_NS), told.append))
    found = Codec(Router(roster, root="smelter", discover=False)).decode(publisher.messages, NOW_NS)
    assert found.problems == ()
    assert told[-1] == NOW_NS - 120 * NS + 36 * NS
    line = found.readings.take(found.readings.unit == 0)
    assert line.time_ns.max() == told[-1]


def test_gateways_release_what_they_kept_as_soon_as_their_own_outage_ends() -> None:
    roster = roster_of(6)
    site, line = next(roster.plant.lines())
    causes = [Cause("gateway_outage", 0, 10.0, 60.0), Cause("gateway_outage", 4, 20.0, 30.0)]
    simulated = SimulatedLine(roster, site, line, 7, NOW_NS, causes)
    last: dict[int, int] = {}
    for second in range(1, 101):
        for part in simulated.advance(1.0):
            for unit in set(part.unit.tolist()) - {0}:
                last[unit] = second
        if second == 65:
            assert last[1] <= 20, "still silent"
            assert last[5] == 65
    assert set(last.values()) == {100}


def test_the_command_does_not_overwrite(tmp_path: Path) -> None:
    words = ["simulate", "--pots", "5", "--for", "1m", "--to", "parquet:out.parquet"]
    done = twin(words, tmp_path)
    assert "truth and causes beside it" in done.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.causes.json", "out.parquet", "out.truth.parquet"]
    found = recorded_plant(tmp_path / "out.parquet")
    assert found is not None
    assert len(Roster(found).pot_codes()) == 5
    again = twin(words, tmp_path)
    assert "is there already; remove it or give another name" in str(again.exception)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--to", "kafka://x"),
            "--to 'kafka://x' is not allowed; it must be mqtt://host:port, mqtts://host:port or parquet",
        ),
        (("--to", "parquet:out.csv", "--for", "1h"), "give the file the suffix .parquet"),
        (("--to", "parquet:out.parquet"), "a file needs an end: give --for 24h, or a --scenario that has one"),
        (("--scenario", "worst-day"), "scenario 'worst-day' is not there; there are bad-month, normal-week"),
        (("--scenario", "gone.toml"), "scenario gone.toml cannot be read"),
        (("--for", "soon"), "--for 'soon' is not allowed; it must look like 90s, 10m, 24h or 7d"),
        (("--speed", "light"), "--speed 'light' is not allowed"),
        (("--start", "yesterday"), "--start 'yesterday': give epoch ms, epoch ns, or ISO 8601 with a zone"),
    ],
)
def test_words_that_are_wrong(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    found = twin(["simulate", *words], tmp_path)
    assert isinstance(found.exception, ConfigError)
    assert message in str(found.exception)
