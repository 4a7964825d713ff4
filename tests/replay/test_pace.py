"""Pace, pause, seek and shift, on a timer that tests wind on: nothing here waits."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import numpy as np
import pytest

from tests.core.plants import NOW_NS, roster_of
from tests.replay.tapes import (
    NS,
    POTS,
    FakeTimer,
    KeepingTarget,
    ListRecording,
    gather,
    play,
    router_of,
    shift,
    write,
)
from twin.adapters.memory import KeepingPublisher, MemorySink
from twin.adapters.parquet_recording import ParquetRecording
from twin.codec import Codec
from twin.errors import SinkUnavailable
from twin.frames import Readings
from twin.ports import Bounds
from twin.recording import Selection, Skipped
from twin.replay import BrokerTarget, Control, StoreTarget, shift_to_now
from twin.topics import Router


def seconds(*at: float) -> Readings:
    """Readings of pot 1 at these seconds."""
    return Readings.of([NOW_NS + int(t * NS) for t in at], [1] * len(at), [0] * len(at), [4.0 + t / 1e4 for t in at])


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0, 1000.0])
def test_readings_go_out_when_they_are_due(speed: float) -> None:
    timer = FakeTimer()
    target = KeepingTarget(timer)
    said = seconds(0, 1, 1.5, 10, 10, 400)
    play(ListRecording(said, [2, 4]), target, speed=speed, timer=timer)
    assert target.all().same(said)
    assert target.finished
    for when, readings in target.taken:
        late_s = when / NS - (readings.time_ns - NOW_NS) / NS / speed
        assert (late_s >= -1e-6).all(), "never early"
        assert (late_s <= 0.2 + 1e-6).all()
    assert max(timer.waits) <= 0.2, "keys are heeded five times a second"


def test_at_full_speed_nothing_is_waited_for() -> None:
    timer = FakeTimer()
    target = KeepingTarget(timer)
    play(ListRecording(shift(), [5, 20_000]), target, speed=math.inf, timer=timer)
    assert timer.waits == []
    assert target.all().same(shift())
    assert max(len(readings) for _, readings in target.taken) <= 1 << 15


def test_what_came_late_goes_out_where_it_came() -> None:
    timer = FakeTimer()
    target = KeepingTarget(timer)
    play(ListRecording(seconds(0, 100, 3, 101)), target, speed=1.0, timer=timer)
    assert target.all().same(seconds(0, 100, 3, 101))
    assert [round(when / NS) for when, readings in target.taken for _ in range(len(readings))] == [0, 100, 100, 101]


def test_a_pause_holds_and_goes_on_from_there() -> None:
    control = Control(1.0)
    timer = FakeTimer({2.0: lambda: setattr(control, "paused", True), 50.0: lambda: setattr(control, "paused", False)})
    target = KeepingTarget(timer)
    play(ListRecording(seconds(0, 1, 3, 5)), target, speed=1.0, timer=timer, control=control)
    assert [round(when / NS) for when, readings in target.taken for _ in range(len(readings))][:2] == [0, 1]
    # The next reading is due at once when it goes on, those behind it keep their distance.
    assert target.taken[-1][0] - target.taken[-2][0] == pytest.approx(2 * NS, abs=0.3 * NS)
    assert target.taken[2][0] >= 50 * NS


def test_the_speed_can_change_on_the_way() -> None:
    control = Control(1.0)
    timer = FakeTimer({10.0: lambda: setattr(control, "speed", 100.0)})
    target = KeepingTarget(timer)
    play(ListRecording(seconds(*range(1011))), target, speed=1.0, timer=timer, control=control)
    assert target.all().same(seconds(*range(1011)))
    assert timer.now / NS == pytest.approx(20.0, abs=0.5)


def test_seeking_forwards_and_back() -> None:
    control = Control(1.0)
    acts = {5.1: lambda: setattr(control, "seek_s", 60.0), 10.1: lambda: setattr(control, "seek_s", -600.0)}
    timer = FakeTimer(acts)
    target = KeepingTarget(timer)
    play(ListRecording(seconds(*range(80))), target, speed=1.0, timer=timer, control=control)
    sent = ((target.all().time_ns - NOW_NS) // NS).tolist()
    assert target.seeks == 2
    assert sent[:6] == [0, 1, 2, 3, 4, 5]
    assert sent[6] == 65, "from where it was, 60 s on"
    back = sent.index(0, 1)
    assert sent[6:back] == list(range(65, 65 + back - 6))
    assert sent[back:] == list(range(80)), "not further back than the beginning"


def test_a_seek_beyond_the_end_ends() -> None:
    control = Control(1.0)
    timer = FakeTimer({5.1: lambda: setattr(control, "seek_s", 1e6)})
    target = KeepingTarget(timer)
    play(ListRecording(seconds(*range(80))), target, speed=1.0, timer=timer, control=control)
    assert target.finished
    assert ((target.all().time_ns - NOW_NS) // NS).tolist() == [0, 1, 2, 3, 4, 5, 79]


def test_stopping_finishes_the_target() -> None:
    control = Control(1.0)
    timer = FakeTimer({5.1: lambda: setattr(control, "stopped", True)})
    target = KeepingTarget(timer)
    player = play(ListRecording(seconds(*range(80))), target, speed=1.0, timer=timer, control=control)
    assert target.finished
    assert player.readings == len(target.all()) == 6
    assert player.position_ns == NOW_NS + 5 * NS


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0, math.inf])
def test_shifted_times_are_never_in_the_future(speed: float) -> None:
    bounds = Bounds(NOW_NS + 250_000_000, NOW_NS + 7200 * NS)
    now = NOW_NS + 10**7 * NS + 17
    moved = shift_to_now(bounds, speed, now)
    assert moved % NS == 0, "ticks stay ticks"
    for part in (0.0, 0.3, 1.0):
        source = bounds.first_ns + int(part * (bounds.last_ns - bounds.first_ns))
        played_at = now + (0 if speed == math.inf else int((source - bounds.first_ns) / speed))
        assert source + moved <= played_at
    newest = bounds.last_ns if speed > 1 else bounds.first_ns
    lasts = 0 if speed in (0.5, 1.0, math.inf) else (bounds.last_ns - bounds.first_ns) / speed
    assert newest + moved == pytest.approx(now + lasts, abs=1.1 * NS)


def test_a_broker_gets_the_same_readings_in_order() -> None:
    said = shift(3)
    roster = roster_of(POTS)
    publisher = KeepingPublisher()
    play(ListRecording(said, [100, 3333]), BrokerTarget(publisher, roster, "smelter"), speed=60.0)
    decoded = Codec(Router(roster, root="smelter", discover=False)).decode(publisher.messages, NOW_NS + 10**6 * NS)
    assert decoded.problems == ()
    found, kept = decoded.readings, said.take(np.isfinite(said.value))
    for signal in np.unique(kept.signal):
        mine, theirs = kept.take(kept.signal == signal), found.take(found.signal == signal)
        first = np.unique(np.stack([mine.unit, mine.time_ns], axis=1), axis=0, return_index=True)[1]
        assert theirs.same(mine.take(np.sort(first))), "in order; what a sensor sent twice goes out once"


def test_an_old_result_at_the_beginning_holds_nobody_up(tmp_path: Path) -> None:
    """A laboratory result of six hours before comes with the first telemetry; nothing waits or lies in the future."""
    said = Readings.concat([seconds(-6 * 3600), seconds(*range(30)), seconds(-5 * 3600), seconds(*range(30, 60))])
    path = write(tmp_path / "r.parquet", said, batch=10)
    recording = ParquetRecording(path, router_of(), Selection(), Skipped())
    timer = FakeTimer()
    target = KeepingTarget(timer)
    play(recording, target, speed=1.0, timer=timer)
    assert target.all().same(said)
    assert timer.now / NS == pytest.approx(59 - 8, abs=0.5), "from the newest time of the first delivery on"
    for speed in (1.0, 60.0, math.inf):
        bounds, _ = asyncio.run(gather(ParquetRecording(path, router_of(), Selection(), Skipped())))
        assert bounds == Bounds(NOW_NS + 8 * NS, NOW_NS + 59 * NS)
        moved = shift_to_now(bounds, speed, NOW_NS + 10**6 * NS)
        assert NOW_NS + 8 * NS + moved <= NOW_NS + 10**6 * NS


def test_a_store_that_is_away_gets_it_later() -> None:
    roster = roster_of(POTS)
    sink = MemorySink(roster, [SinkUnavailable("away")] * 3)
    timer = FakeTimer()
    play(ListRecording(seconds(0, 1, 2)), StoreTarget(sink, timer), speed=math.inf, timer=timer)
    assert len(sink.values) == 3
    assert len(timer.waits) == 3
