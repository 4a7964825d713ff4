"""Told at once, then rarely, with the number of times."""

from __future__ import annotations

from twin.errors import SinkRejected
from twin.notices import Rarely


def test_the_first_at_once_then_rarely_with_the_number() -> None:
    said, now = list[str](), [0.0]
    rarely = Rarely(said.append, pause_s=60.0, now_s=lambda: now[0])
    for second in range(0, 121, 10):
        now[0] = float(second)
        rarely.tell("a", "trouble")
    assert said == ["trouble"] + ["trouble (6 times since this was last said)"] * 2


def test_each_reason_has_its_own_pause_and_a_long_answer_is_cut() -> None:
    said = list[str]()
    rarely = Rarely(said.append)
    for reason in ("type_conflict", "beyond_retention", "type_conflict"):
        rarely.refused(SinkRejected("HTTP 400: " + "x" * 5000, reason=reason))
    assert [text.partition("(")[2].partition(")")[0] for text in said] == ["type_conflict", "beyond_retention"]
    assert all(text.startswith("the store refuses readings") and len(text) < 500 for text in said)
