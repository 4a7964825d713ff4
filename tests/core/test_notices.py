"""Told at once, then rarely, with the number of times."""

from __future__ import annotations

from typing import Any

from twin.errors import SinkRejected
from twin.notices import Rarely


class Said(list[dict[str, Any]]):
    """What was said: the event, its level and its fields."""

    def __call__(self, event: str, /, *, level: str = "info", **fields: object) -> None:
        self.append({"event": event, "level": level, **fields})


def test_the_first_at_once_then_rarely_with_the_number() -> None:
    said, now = Said(), [0.0]
    rarely = Rarely(said, pause_s=60.0, now_s=lambda: now[0])
    for second in range(0, 121, 10):
        now[0] = float(second)
        rarely.tell("a", "trouble", problem="x")
    once = {"event": "trouble", "level": "warning", "problem": "x"}
    assert said == [once, {**once, "times": 6}, {**once, "times": 6}]


def test_each_reason_has_its_own_pause_and_a_long_answer_is_cut() -> None:
    said = Said()
    rarely = Rarely(said)
    for reason in ("type_conflict", "beyond_retention", "type_conflict"):
        rarely.refused(SinkRejected("HTTP 400: " + "x" * 5000, reason=reason))
    assert [one["reason"] for one in said] == ["type_conflict", "beyond_retention"]
    for one in said:
        assert (one["event"], one["level"]) == ("the store refuses readings, which are parked", "error")
        assert len(one["problem"]) == 300
