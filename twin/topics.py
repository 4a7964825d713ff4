"""Topics: which unit and which kind of message a topic names, and the other way round.

<root>/<site>/<line>/<pot>/telemetry | event | sample       one pot
<root>/<site>/<line>/line                                   one line
<root>/<site>/<line>/section/<n>/telemetry                  many pots of one section gateway
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from twin.errors import PayloadError
from twin.plant import Roster, valid_id

__all__ = ["CROWDED", "POT_KINDS", "SECTION", "Route", "Router", "section_topic", "topic_of"]

POT_KINDS = ("telemetry", "event", "sample")
SECTION = "section"
CROWDED = 0.85  # part of the cap on discovered pots at which it is told
_NUMBER = re.compile(r"[0-9]{1,9}")  # str.isdigit knows digits of every script


class Route(NamedTuple):
    """`kind` is a topic kind of `signals.MEASUREMENTS` or SECTION; `unit` the pot or line (SECTION: the line)."""

    kind: str
    unit: int


def topic_of(root: str, path: str, kind: str) -> str:
    """Topic of one unit's messages; `path` as in the roster."""
    return f"{root}/{path}/{kind}"


def section_topic(root: str, line_path: str, section: int) -> str:
    """Topic of a section gateway's messages."""
    return f"{root}/{line_path}/{SECTION}/{section}/telemetry"


def _shown(topic: str) -> str:
    """A topic of a stranger, cut, and without what would move a terminal's cursor or break a log line."""
    short = topic[:200]
    return short if short.isprintable() else ascii(short)[:300]


class Router:
    """Topic -> Route, enrolling unknown pots of known lines when `discover` is set.

    Good topics of units are remembered (bounded by the roster); those of sections, of which there may be any number,
    and bad ones are judged anew each time, so that a stream of invented topics cannot fill the memory. At most
    `max_discovered` pots are ever enrolled, because each is a series of the store for good (F23): `on_crowded` is told
    once at `CROWDED` of it and once when it is full; `turned_away` counts what was refused then.
    """

    def __init__(
        self,
        roster: Roster,
        *,
        root: str,
        discover: bool,
        max_discovered: int = 1000,
        on_crowded: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.roster = roster
        self.root = root
        self.discovered: list[str] = []
        self.turned_away = 0
        self.on_crowded = on_crowded
        self._discover = discover
        self._max_discovered = max_discovered
        self._known: dict[str, Route] = {}

    def route(self, topic: str) -> Route:
        """Raises PayloadError (bad_topic, unknown_unit)."""
        found = self._known.get(topic)
        if found is None:
            found = self._parse(topic)
            if found.kind != SECTION:
                self._known[topic] = found
        return found

    def _parse(self, topic: str) -> Route:
        prefix = self.root + "/"
        levels = topic[len(prefix) :].split("/") if topic.startswith(prefix) else []
        if len(levels) == 3 and levels[2] == "line":
            return Route("line", self._line(levels))
        if len(levels) == 5 and levels[2] == SECTION and _NUMBER.fullmatch(levels[3]) and levels[4] == "telemetry":
            return Route(SECTION, self._line(levels))
        if len(levels) == 4 and levels[3] in POT_KINDS:
            return Route(levels[3], self.pot("/".join(levels[:3])))
        raise PayloadError("bad_topic", _shown(topic))

    def _line(self, levels: list[str]) -> int:
        path = "/".join(levels[:2])
        code = self.roster.code(path)
        if code is None or not self.roster.is_line(code):
            raise PayloadError("unknown_unit", f"line {path[:200]!r} is not in the plant file")
        return code

    def pot(self, path: str) -> int:
        """Code of a pot path, enrolling it when allowed. Raises PayloadError(unknown_unit)."""
        code = self.roster.code(path)
        if code is not None and self.roster.is_pot(code):
            return code
        line, _, pot = path.rpartition("/")
        above = self.roster.code(line)
        if above is None or not self.roster.is_line(above):
            raise PayloadError("unknown_unit", f"line {line[:200]!r} is not in the plant file")
        if not self._discover:
            raise PayloadError("unknown_unit", f"pot {path[:200]!r} is not in the plant file and discovery is off")
        if not valid_id(pot):  # nor is the name of a section
            raise PayloadError("unknown_unit", f"pot id {pot[:200]!r} is not made of A-Z a-z 0-9 _ . -")
        if len(self.discovered) >= self._max_discovered:
            self.turned_away += 1
            if self.turned_away == 1:
                self._tell(f"{path} and others after it are parked")
            raise PayloadError(
                "unknown_unit", f"already {self._max_discovered} pots discovered (ingest.discovered_max)"
            )
        self.discovered.append(path)
        if len(self.discovered) == math.ceil(CROWDED * self._max_discovered):
            self._tell(f"the last one is {path}")
        return self.roster.add(path)

    def _tell(self, what: str) -> None:
        self.on_crowded(
            f"{len(self.discovered)} of at most {self._max_discovered} pots (ingest.discovered_max) are discovered that"
            f" the plant file does not name; {what}. Name them in the plant file, or stop who invents them"
        )
