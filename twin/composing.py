"""Transitions -> what goes into the outbox: who is told by the routes, each in the language of the channel.

Channels that keep a state (broker, Alertmanager) are told of every change of what is routed to them; the others only
of the kinds that the route names, and of many at once as one digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from twin.alarms.escalation import Escalated
from twin.alarms.moved import Transition
from twin.alarms.notices import ANEW, Kind, Notice, digest, kind_of, notice
from twin.alarms.routing import AlarmFile, Alertmanager, Mqtt, recipients
from twin.outgoing import Outgoing
from twin.plant import Plant

__all__ = ["compose", "standing_notices"]

Told = tuple[str, str, Notice]  # channel, key, notice


def compose(
    file: AlarmFile, plant: Plant, moved: Sequence[Transition], escalated: Iterable[Escalated], number: int
) -> list[Outgoing]:
    """What to send of one step; `number`: of the first transition in the journal, which makes the keys."""
    names = {channel.name: channel for channel in file.channels}
    told: dict[str, list[Told]] = {name: [] for name in names}
    words: dict[tuple[int, Kind, str], Notice] = {}
    for place, one in enumerate(moved):
        for name, kind in _told(file, plant, one):
            language = names[name].language or file.language
            key = (place, kind, language)
            if key not in words:
                words[key] = notice(one, kind, language, file.link)
            told[name].append((name, f"{number + place}-{kind}", words[key]))
    for place, step in enumerate(escalated):
        for name in step.to:
            language = names[name].language or file.language
            made = notice(step.transition, "escalated", language, file.link, step.level)
            told[name].append((name, f"{number + len(moved) + place}-escalated", made))
    return [one for name, some in told.items() for one in _few(file, name, some)]


def _told(file: AlarmFile, plant: Plant, one: Transition) -> Iterator[tuple[str, Kind]]:
    """Channels and the kind under which they are told."""
    kind = kind_of(one)
    named = recipients(file, plant, one.unit, one.code, kind, one.time_ns)
    yield from ((name, kind) for name in named)
    if kind in ANEW:
        return
    states = {channel.name for channel in file.channels if isinstance(channel, Mqtt | Alertmanager)}
    anew = recipients(file, plant, one.unit, one.code, "raised", None)
    yield from ((name, kind) for name in anew if name in states and name not in named)


def _few(file: AlarmFile, name: str, told: list[Told]) -> list[Outgoing]:
    """As they are, or as one digest where they are too many for a person."""
    channel = next(channel for channel in file.channels if channel.name == name)
    whole = [Outgoing(*one) for one in told]
    if isinstance(channel, Mqtt | Alertmanager) or len(told) <= channel.digest_above:
        return whole
    newest = max(one.notice.time for one in whole)
    made = digest([one.notice for one in whole], newest, channel.language or file.language, file.link)
    return [Outgoing(name, f"digest-{whole[0].key}-{whole[-1].key}", made)]


def standing_notices(file: AlarmFile, plant: Plant, name: str, moved: Iterable[Transition]) -> list[Notice]:
    """What stands and is routed to a channel, to be told again."""
    language = next(channel.language for channel in file.channels if channel.name == name) or file.language
    return [
        notice(one, kind_of(one), language, file.link)
        for one in moved
        if name in recipients(file, plant, one.unit, one.code, "raised", None)
    ]
