"""What a channel is given to tell: facts of one alarm, or of many in a digest, and the words for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from twin.alarms.moved import Transition
from twin.alarms.rows import ALARMS, PRIORITIES, AlarmRow, index_of
from twin.alarms.texts import words
from twin.times import iso

__all__ = ["ANEW", "KINDS", "Kind", "Notice", "digest", "kind_of", "notice"]

Kind = Literal["raised", "realarmed", "returned", "acknowledged", "cleared", "silenced", "escalated", "digest"]
KINDS: tuple[Kind, ...] = (
    "raised", "realarmed", "returned", "acknowledged", "cleared", "silenced", "escalated", "digest",
)  # fmt: skip
ANEW: tuple[Kind, ...] = ("raised", "realarmed", "escalated", "digest")
ITEMS = 20  # alarms that a digest names
_KIND_OF: dict[str, Kind] = {
    "unacknowledged": "raised", "acknowledged": "acknowledged", "returned_unacknowledged": "returned",
    "latched_unacknowledged": "returned", "latched_acknowledged": "acknowledged", "normal": "cleared",
    "shelved": "silenced", "suppressed": "silenced", "out_of_service": "silenced",
}  # fmt: skip


class Notice(msgspec.Struct, frozen=True, gc=False):
    """Names of states, codes and priorities are those of the tables in every language; `subject` and `text` are words.

    `subject` and `text` in `language`; `count` and `items` of a digest; `level` of an escalation; `root`: the alarm
    that stands for this one.
    """

    kind: Kind
    time: str
    unit: str
    code: str
    state: str
    priority: str
    klass: str
    since: str
    value: float | None
    limit: float | None
    evidence: str
    respond_min: int
    who: str
    why: str
    link: str
    subject: str
    text: str
    language: str
    level: int = 0
    count: int = 1
    items: tuple[str, ...] = ()


def kind_of(one: Transition) -> Kind:
    """What a transition means to who is told."""
    return "realarmed" if one.event == "realarmed" else _KIND_OF[one.after]


def notice(one: Transition, kind: Kind, language: str, link: str, level: int = 0) -> Notice:
    """One alarm, in words."""
    row = ALARMS[index_of(one.code)]
    text = words(language)
    at = f"{link.rstrip('/')}/?pot={one.unit}" if link else ""
    subject = text.subject(kind, row.priority, text.title(row), one.unit, level)
    return Notice(
        kind, iso(one.time_ns), one.unit, row.code, one.after, row.priority, row.klass,
        iso(one.since_ns) if one.since_ns else "", one.value, one.limit, one.evidence, row.respond_min, one.who,
        one.why, at, subject, _body(one, row, language, at), language, level,
    )  # fmt: skip


def _body(one: Transition, row: AlarmRow, language: str, link: str) -> str:
    """What, where, since when, how bad, likely cause, what follows, what to do, where to look."""
    text = words(language)
    cause, consequence, advice = text.rational(row, one.evidence)
    seen = text.what_was_seen(one.code, one.value, one.evidence)
    lines = [
        (text.what, text.title(row)), (text.where, one.unit), (text.since, iso(one.since_ns) if one.since_ns else ""),
        (text.state, text.states[one.after]), (text.how_bad, text.priorities[row.priority]), (text.seen, seen),
        (text.cause, cause), (text.consequence, consequence), (text.advice, advice),
        (text.respond, text.within(row.respond_min)), (text.by, f"{one.who} {one.why}".strip()), (text.look, link),
    ]  # fmt: skip
    return "\n".join(f"{name}{text.colon}{value}" for name, value in lines if value)


def digest(notices: Sequence[Notice], time: str, language: str, link: str) -> Notice:
    """Many notices as one: how many of what, the most urgent by name. Digests among them are counted with theirs."""
    text = words(language)
    total = sum(one.count for one in notices)
    worst = max((one.priority for one in notices), key=_rank)
    codes: Counter[str] = Counter()
    for one in notices:
        codes[one.code] += one.count
    named = sorted(
        (one for one in notices if one.kind != "digest"), key=lambda one: (-_rank(one.priority), one.time, one.unit)
    )
    items = tuple(f"{one.since or one.time} {one.unit} {one.subject}" for one in named[:ITEMS])
    items += tuple(item for one in notices if one.kind == "digest" for item in one.items)[: ITEMS - len(items)]
    counts = ", ".join(f"{text.title_of(code)} {count}" for code, count in codes.most_common(10))
    places = text.places(total, len({one.unit for one in notices}))
    lines = [places, counts, *items, *([text.and_more(total - len(items))] if total > len(items) else []), link]
    unit = common([one.unit for one in notices])
    return Notice(
        "digest", time, unit, codes.most_common(1)[0][0], "unacknowledged", worst, "", min(o.since or o.time for o in
        notices), None, None, counts, min(o.respond_min for o in notices), "", "", link, text.many(total, unit),
        "\n".join(line for line in lines if line), language, 0, total, items,
    )  # fmt: skip


def _rank(priority: str) -> int:
    return [*PRIORITIES].index(priority)  # type: ignore[arg-type]


def common(units: Sequence[str]) -> str:
    """The narrowest path in which all these units stand; "" for none."""
    parts = [unit.split("/") for unit in units]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "/".join(shared)
