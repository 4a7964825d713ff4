"""The engine's state to bytes and back: a process that starts from them goes on as if it had never stopped.

Totals, frames, faults and estimates after a restart are those of a process that ran through, bit for bit, at whatever
moment the state was taken (a property test cuts streams anywhere). The bytes are arrays and JSON (`twin.packing`):
nothing is executed on reading, and what does not fit this plant, these signals or these settings is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin import estimator, features
from twin.accounting import LineLedger
from twin.cells import QUANTITIES
from twin.days import Sums
from twin.engine import Engine, State
from twin.errors import PayloadError
from twin.faults import FAULTS
from twin.frames import Readings
from twin.packing import pack, unpack
from twin.signals import SIGNALS
from twin.tracking import Track

__all__ = ["from_bytes", "to_bytes"]

KIND = "smelter-twin engine 2"
Arrays = dict[str, NDArray[Any]]


def to_bytes(engine: Engine, state: State) -> bytes:
    """Everything a later process needs to go on."""
    arrays = _fixed(state)
    pending = state.pending
    for name in ("time_ns", "unit", "signal", "value", "quality"):
        arrays[f"pending.{name}"] = getattr(pending, name)
    arrays["pending.tick"] = state.pending_tick
    for code, ledger in state.books.ledgers.items():
        _put_ledger(arrays, f"{code}.", ledger)
    if state.track is not None:
        arrays["estimator"] = np.frombuffer(estimator.to_bytes(state.track.state), np.uint8)
        arrays["waiting"] = np.array(state.track.waiting, np.float64).reshape(-1, 4)
    if state.remembered is not None:
        arrays["features"] = np.frombuffer(features.to_bytes(state.remembered), np.uint8)
    arrays["beside"] = np.frombuffer(state.beside, np.uint8)
    return pack(KIND, {**_identity(engine), **_scalars(state)}, arrays)


def from_bytes(engine: Engine, data: bytes) -> State:
    """The state of an engine of the same plant, enrolling the pots it had discovered. Raises PayloadError."""
    head, arrays = unpack(KIND, data)
    try:
        _same(engine, head)
        for path in head["paths"][len(engine.roster) :]:
            engine.roster.add(path)
        state, _ = engine.step(engine.start(), Readings.empty())  # makes room for what was just enrolled
        for name, array in _fixed(state).items():
            _fill(name, array, arrays)
        columns = (arrays[f"pending.{name}"] for name in ("time_ns", "unit", "signal", "value", "quality"))
        state.pending, state.pending_tick = Readings(*columns), arrays["pending.tick"]
        state.newest_tick, state.closed_ns = int(head["newest_tick"]), int(head["closed_ns"])
        state.books.told_ns = {int(site): int(ns) for site, ns in head["told_ns"].items()}
        for code, ledger in state.books.ledgers.items():
            _take_ledger(arrays, head["ledgers"][str(code)], f"{code}.", ledger)
        if state.track is not None:
            _take_track(engine, state.track, head, arrays)
        if state.remembered is not None:
            features.from_bytes(state.remembered, arrays["features"].tobytes())
        state.beside = arrays["beside"].tobytes()
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise PayloadError("checkpoint", f"not a state of this twin: {error}") from error
    return state


def _identity(engine: Engine) -> dict[str, Any]:
    """What must be the same where the state is to be used."""
    settings = engine.settings
    return {
        "paths": engine.roster.paths,
        "signals": [signal.name for signal in SIGNALS],
        "quantities": list(QUANTITIES),
        "faults": [fault.code for fault in FAULTS],
        "settings": {
            "tick_s": settings.tick_s,
            "horizon_h": settings.horizon_h,
            "estimate": settings.estimate,
            "features": engine.features is not None,
        },
    }


def _same(engine: Engine, head: Mapping[str, Any]) -> None:
    for name, mine in _identity(engine).items():
        theirs = head[name]
        if name == "paths":
            mine, theirs = mine[: len(theirs)], theirs[: len(mine)]
        if mine != theirs:
            raise ValueError(f"{name} differ from those of this twin")


def _scalars(state: State) -> dict[str, Any]:
    track = state.track
    return {
        "newest_tick": state.newest_tick,
        "closed_ns": state.closed_ns,
        "told_ns": {str(site): ns for site, ns in state.books.told_ns.items()},
        "ledgers": {str(code): _ledger_scalars(ledger) for code, ledger in state.books.ledgers.items()},
        "track": None if track is None else {"minute": track.minute, "extra_n": track.extra_n},
    }


def _fixed(state: State) -> Arrays:
    """Arrays whose shape follows from plant and settings, by name: read from one state, filled in another."""
    arrays: Arrays = {
        "value": state.value,
        "said_ns": state.said_ns,
        "quality": state.quality,
        "faults.active": state.faults.active,
        "faults.since": state.faults.since,
        "faults.explained": state.faults.explained,
    }
    for code, ledger in state.books.ledgers.items():
        binned = (("voltage", ledger.voltage), ("effect", ledger.effect), ("current", ledger.current))
        for name, bins in (*binned, ("line_voltage", ledger.line_voltage), ("shares", ledger.shares)):
            arrays[f"{code}.{name}.total"], arrays[f"{code}.{name}.seconds"] = bins.total, bins.seconds
        for name, meter in ledger.meters.items():
            arrays[f"{code}.{name}.value"], arrays[f"{code}.{name}.time"] = meter.value, meter.time_ns
        arrays[f"{code}.cells"], arrays[f"{code}.sources"] = ledger.cells, ledger.sources
    track = state.track
    if track is not None:
        names = ("voltage", "voltage_n", "current", "current_n", "quiet_set", "extra", "instability", "instability_at")
        arrays |= {f"track.{name}": getattr(track, name) for name in names}
        arrays |= {f"track.events.{f.name}": getattr(track.events, f.name) for f in fields(track.events)}
    return arrays


def _fill(name: str, array: NDArray[Any], arrays: Arrays) -> None:
    found = arrays[name]
    if found.shape != array.shape or found.dtype != array.dtype:
        raise ValueError(f"{name} is {found.dtype}{found.shape}, not {array.dtype}{array.shape}")
    array[...] = found


def _ledger_scalars(ledger: LineLedger) -> dict[str, Any]:
    return {
        "newest": ledger.ring.newest,
        "newest_ns": ledger.newest_ns,
        "too_old": ledger.too_old,
        "dirty": sorted(ledger.dirty),
        "happened": [[cell, *key, amount] for cell, book in ledger.happened.items() for key, amount in book.items()],
        "days": {str(day): month for day, (month, _) in ledger.days.days.items()},
        "months": [str(month) for month in ledger.days.months],
    }


def _put_ledger(arrays: Arrays, prefix: str, ledger: LineLedger) -> None:
    days: dict[int, Sums] = {day: sums for day, (_, sums) in ledger.days.days.items()}
    for kind, book in (("day", days), ("month", ledger.days.months)):
        for start, (sums, mix) in book.items():
            arrays[f"{prefix}{kind}.{start}.sums"], arrays[f"{prefix}{kind}.{start}.mix"] = sums, mix


def _take_ledger(arrays: Arrays, head: Mapping[str, Any], prefix: str, ledger: LineLedger) -> None:
    ledger.ring.newest, ledger.newest_ns = int(head["newest"]), int(head["newest_ns"])
    ledger.too_old, ledger.dirty = int(head["too_old"]), {int(cell) for cell in head["dirty"]}
    ledger.happened = {}
    for cell, quantity, row, time_ns, amount in head["happened"]:
        ledger.happened.setdefault(int(cell), {})[str(quantity), int(row), int(time_ns)] = float(amount)

    def sums(kind: str, start: str) -> Sums:
        mine, mix = arrays[f"{prefix}{kind}.{start}.sums"], arrays[f"{prefix}{kind}.{start}.mix"]
        if mine.shape != ledger.cells.shape[1:] or mix.shape != ledger.sources.shape[1:]:
            raise ValueError(f"sums of {kind} {start} are of another shape")
        return mine, mix

    ledger.days.days = {int(day): (int(month), sums("day", day)) for day, month in head["days"].items()}
    ledger.days.months = {int(month): sums("month", month) for month in head["months"]}


def _take_track(engine: Engine, track: Track, head: Mapping[str, Any], arrays: Arrays) -> None:
    assert engine.tracker is not None
    track.state = estimator.from_bytes(engine.tracker.estimator, arrays["estimator"].tobytes())
    track.waiting = [(int(m), int(p), int(k), float(v)) for m, p, k, v in arrays["waiting"].tolist()]
    track.minute, track.extra_n = int(head["track"]["minute"]), int(head["track"]["extra_n"])
    engine.tracker.believe(track)
