"""A minute of the plant through the models: scores, events and open anomalies. Knows models; no clock, no socket.

    judge = Judge(load(folder))
    judged = judge.take(minute)     # in order of time; `to_bytes` and `resume` carry the memory over a restart

What is said of a minute rests on what was known when it was over: late readings do not change it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from models.contract import State as DetectorState
from models.drift import PSI_LIMIT, DriftState, Reference, drift, watch
from models.drift import start as no_drift
from models.errors import ModelError
from models.saving import Metadata
from models.saving import load as load_model
from twin.anomalies import Happened, from_bytes, to_bytes
from twin.causes import number_of
from twin.errors import PayloadError
from twin.faults import JUDGED
from twin.features import FEATURES, LINE_FEATURES, Feature, Minute
from twin.frames import Event, Floats, Ints
from twin.opinions import DriftView, Judged, ModelView, Opinion, Reason
from twin.packing import pack, unpack
from twin.scoring import INPUTS, Judges, Scored, load, matrix, packaged, signal_set

__all__ = ["OFF", "Judge", "judge_of"]

KIND = "smelter-twin judge 1"
OFF = "off"
MOST_EXPLAINED = 40  # anomalies a minute of which the signals are worked out, 13 ms each; others follow in the next
WARM_H = 10.0  # of a unit, before models judge it: so much of every lesson is left out of training
DRIFT_EVERY = 5  # minutes; what drifts does so over hours
_FEATURE = {row.name: (n, row) for n, row in enumerate(FEATURES)}
_LINE_FEATURE = {row.name: (n, row) for n, row in enumerate(LINE_FEATURES)}
NOT_YET = np.iinfo(np.int64).max
_PARTS = ("pots", "lines", "warned")


class Judge:
    """The models with what they remember of a plant. `warm_h` [h]: so long a unit is not judged, because what is usual
    of it is not known yet."""

    def __init__(self, judges: Judges, inputs: Reference | None = None, *, warm_h: float = WARM_H) -> None:
        self._judges, self._inputs = judges, inputs
        self._warm_ns = int(warm_h * 3600e9)
        self._first_ns: Ints = np.empty(0, np.int64)  # by roster code, NOT_YET before the first minute
        self._rules = dict(zip(_PARTS, (judges.pot_rules, judges.line_rules, judges.warning_rules), strict=True))
        self._state = judges.start(0, 0)
        self._opinions: dict[int, Opinion] = {}
        self._warned: set[int] = set()
        self._unexplained: dict[int, str] = {}  # unit -> pots or lines
        self._drift: DriftState | None = None if inputs is None else no_drift(inputs)
        self._drifted: tuple[DriftView, ...] = ()
        self._psi = 0.0
        self.models = tuple(_model_view(name, about) for name, about in judges.about.items())

    def take(self, minute: Minute) -> Judged:
        """Judge the minute. Raises ModelError when it is not newer than the last."""
        if len(minute.lines) > len(self._state.lines.cause):
            self._state.lines.grow(len(minute.lines))
        minute = self._warm(minute)
        self._state, scored = self._judges.step(self._state, minute)
        events = [
            *self._happened(scored.of_pots, minute, "pots"),
            *self._happened(scored.of_lines, minute, "lines"),
            *self._happened(scored.warned, minute, "warned"),
        ]
        self._explain(minute)
        self._watch_inputs(minute)
        return Judged(
            minute.time_ns, self._scores(minute, scored), tuple(events), dict(self._opinions),
            frozenset(self._warned), self._drifted, 0 if self._inputs is None else len(self._inputs.columns),
            self._psi, self.models,
        )  # fmt: skip

    def _warm(self, minute: Minute) -> Minute:
        """The minute without the values of units that are not warm yet; models say nothing of such a row."""
        size = 1 + int(max(minute.units.max(initial=0), minute.lines.max(initial=0)))
        extra = max(0, size - len(self._first_ns))
        self._first_ns = np.pad(self._first_ns, (0, extra), constant_values=NOT_YET)
        warm = []
        for units, values in ((minute.units, minute.values), (minute.lines, minute.line_values)):
            heard = np.isfinite(values).any(axis=1)
            first = np.minimum(self._first_ns[units], np.where(heard, minute.time_ns, NOT_YET))
            self._first_ns[units] = first
            cold = first > minute.time_ns - self._warm_ns
            warm.append(np.where(cold[:, None], np.nan, values) if cold.any() else values)
        return replace(minute, values=warm[0], line_values=warm[1])

    def _happened(self, found: list[Happened], minute: Minute, part: str) -> Iterator[Event]:
        """Events of what happened to anomalies, and the opinions that come and go with them."""
        units = minute.lines if part == "lines" else minute.units
        code = "anode_effect_warning" if part == "warned" else "anomaly"
        rules = self._rules[part]
        for one in found:
            unit, began = int(units[one.unit]), one.kind != "ended"
            if part == "warned":
                (self._warned.add if began else self._warned.discard)(unit)
            elif began:
                others = list(one.others)
                opinion = Opinion(unit, one.cause, one.probability, others, [], one.begin_ns, one.time_ns)
                self._opinions[unit], self._unexplained[unit] = opinion, part
            else:
                self._opinions.pop(unit, None)
                self._unexplained.pop(unit, None)
            limit = float(rules.on[rules.causes.index(one.cause)]) if began else rules.off
            yield Event(one.time_ns, unit, code, began, JUDGED[code][1], one.probability, limit, one.cause)

    def _explain(self, minute: Minute) -> None:
        """The columns that speak for the causes of new anomalies."""
        for unit, part in list(self._unexplained.items())[:MOST_EXPLAINED]:
            line = part == "lines"
            units, table = (minute.lines, _LINE_FEATURE) if line else (minute.units, _FEATURE)
            place = int(np.flatnonzero(units == unit)[0])
            said = (self._judges.line_reasons if line else self._judges.reasons)(minute, place)
            values = (minute.line_values if line else minute.values)[place]
            reasons = [_reason(*table[name], float(values[table[name][0]]), weight) for name, weight in said]
            self._opinions[unit] = msgspec.structs.replace(self._opinions[unit], reasons=reasons)
            del self._unexplained[unit]

    def _scores(self, minute: Minute, scored: Scored) -> dict[str, Floats]:
        size = 1 + int(max(minute.units.max(initial=0), minute.lines.max(initial=0)))
        found = {name: np.full(size, np.nan) for name in ("anomaly_score", "anode_effect_risk")}
        found["anomaly_score"][minute.units] = scored.unusual / self._judges.unusual.limit
        found["anode_effect_risk"][minute.units] = scored.warning
        cause, probability = np.full(size, np.nan), np.full(size, np.nan)
        for units, state, rules in (
            (minute.units, self._state.pots, self._rules["pots"]),
            (minute.lines, self._state.lines, self._rules["lines"]),
        ):
            numbers = np.array([0.0, *(number_of(name) for name in rules.causes)])
            cause[units] = numbers[state.cause + 1]
            trouble = state.smooth[:, np.isfinite(rules.on)].sum(axis=1)
            own = state.smooth[np.arange(len(units)), np.maximum(state.cause, 0)]
            probability[units] = np.where(state.cause >= 0, own, np.minimum(trouble, 1.0))
        for unit, opinion in self._opinions.items():
            self._opinions[unit] = msgspec.structs.replace(opinion, probability=float(probability[unit]))
        return {**found, "cause": cause, "cause_probability": probability}

    def _watch_inputs(self, minute: Minute) -> None:
        if self._inputs is None or self._drift is None or minute.time_ns // 60_000_000_000 % DRIFT_EVERY:
            return
        rows = matrix(minute.values, minute.time_ns, minute.units.astype(np.int64))
        self._drift = watch(self._inputs, self._drift, rows)
        found = drift(self._inputs, self._drift)
        self._psi = float(np.nan_to_num(found.psi).max(initial=0.0))
        order = np.argsort(-np.nan_to_num(found.psi, nan=PSI_LIMIT))
        self._drifted = tuple(
            DriftView(
                found.columns[n], float(found.psi[n]) if np.isfinite(found.psi[n]) else None,
                float(found.missing[n]), float(found.missing_before[n]),
            )
            for n in order.tolist() if found.drifted[n]
        )  # fmt: skip

    def to_bytes(self) -> bytes:
        """Everything a later process with the same models needs to go on."""
        state = self._state
        arrays: dict[str, Any] = {
            name: np.frombuffer(to_bytes(getattr(state, name), self._rules[name]), np.uint8) for name in _PARTS
        }
        arrays |= {f"unusual.{name}": getattr(state.unusual, name) for name in ("group", "time_ns", "memory")}
        arrays["first_ns"] = self._first_ns
        if self._drift is not None:
            arrays |= {"drift.slot": self._drift.slot, "drift.counts": self._drift.counts}
        head = {
            "models": self._identity(),
            "opinions": [msgspec.to_builtins(opinion) for opinion in self._opinions.values()],
            "warned": sorted(self._warned),
            "unexplained": list(self._unexplained.items()),
        }
        return pack(KIND, head, arrays)

    def resume(self, data: bytes) -> None:
        """Go on from these bytes. Raises PayloadError, and is as before, where they are of other models."""
        head, arrays = unpack(KIND, data)
        if head.get("models") != self._identity():
            raise PayloadError("checkpoint", "what models remember is of other models than those in use")
        try:
            parts = {name: from_bytes(self._rules[name], arrays[name].tobytes()) for name in _PARTS}
            unusual = DetectorState(
                _ints(arrays, "unusual.group"), _ints(arrays, "unusual.time_ns"), arrays["unusual.memory"]
            )
            opinions = [msgspec.convert(row, Opinion) for row in head["opinions"]]
            warned = {int(unit) for unit in head["warned"]}
            unexplained = {int(unit): str(part) for unit, part in head["unexplained"]}
            first_ns = _ints(arrays, "first_ns")
            kept = self._drift
            if kept is not None:
                kept = DriftState(
                    kept.slot_ns, _like(arrays, "drift.slot", kept.slot), _like(arrays, "drift.counts", kept.counts)
                )
        except (KeyError, ValueError, TypeError, msgspec.ValidationError) as error:
            raise PayloadError("checkpoint", f"not what models remember: {error}") from error
        self._state.pots, self._state.lines, self._state.warned = (parts[name] for name in _PARTS)
        self._state.unusual, self._drift = unusual, kept
        self._opinions, self._warned = {one.unit: one for one in opinions}, warned
        self._unexplained, self._first_ns = unexplained, first_ns

    def _identity(self) -> dict[str, list[str]]:
        return {name: [about.made, about.data, about.signal_set] for name, about in self._judges.about.items()}


def _ints(arrays: dict[str, Any], name: str) -> Ints:
    found: Ints = arrays[name].astype(np.int64, casting="safe")
    return found


def _like(arrays: dict[str, Any], name: str, wanted: Ints) -> Ints:
    found = _ints(arrays, name)
    if found.shape != wanted.shape:
        raise ValueError(f"{name} is of another shape")
    return found


def _reason(_: int, row: Feature, value: float, weight: float) -> Reason:
    return Reason(row.name, row.unit, row.help, value if math.isfinite(value) else None, weight)


def _model_view(name: str, about: Metadata) -> ModelView:
    return ModelView(name, about.title, about.made, about.data, dict(about.versions))


def judge_of(setting: str) -> tuple[Judge | None, str]:
    """The models of the setting `models.file`, or why there are none, in words."""
    if setting == OFF:
        return None, "models.file is off: faults come from rules alone"
    folder = Path(setting) if setting else packaged()
    try:
        judges = load(folder)
        inputs = None
        if (folder / INPUTS).exists():
            inputs, _ = load_model(folder / INPUTS, signal_set=signal_set(), kind="drift")
        return Judge(judges, inputs), ""
    except ModelError as error:
        return None, f"the models in {folder} are not used, faults come from rules alone: {error}"
