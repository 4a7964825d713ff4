"""Sharing the load: which part of the plant a process takes, under which name, and what does not go together.

Ingestors share by line (any broker) or by MQTT 5 shared subscriptions; engines by line. A total is told only by a
process that has all of it: of a site that several engines compute, and of the portfolio, none is told in part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from msgspec.structs import replace

from twin.errors import ConfigError
from twin.plant import Plant, valid_id
from twin.settings import Settings

__all__ = [
    "client_id",
    "cut_sites",
    "left_out",
    "lines_of",
    "part_of",
    "presence_topic",
    "subscriptions",
]


def client_id(settings: Settings, purpose: str = "") -> str:
    """Client id of this process for a purpose: the same at every start, no other process's."""
    parts = (settings["mqtt.client_id"], settings["mqtt.instance"], purpose)
    if not parts[0]:
        raise ConfigError("mqtt.client_id is empty; a persistent session needs a stable name")
    return "-".join(part for part in parts if part)


def presence_topic(settings: Settings, name: str) -> str:
    """Where a process says that it holds the session of the client id `name`; empty: it does not say."""
    return settings["mqtt.twin_root"] and f"{settings['mqtt.twin_root']}-process/{quote(name, safe='')}"


def lines_of(settings: Settings, roles: Sequence[str], plant: Plant) -> tuple[str, ...]:
    """Paths of the lines that this process takes, in the order of the plant; empty = all. Raises ConfigError."""
    taken = {
        role: _named(settings[f"{role}.lines"], f"{role}.lines", plant)
        for role in ("ingest", "engine")
        if role in roles
    }
    given = {role: lines for role, lines in taken.items() if lines}
    if len({*given.values()}) > 1:
        raise ConfigError(
            f"ingest.lines = {settings['ingest.lines']!r} and engine.lines = {settings['engine.lines']!r} differ; in"
            " one process the engine computes what the ingest takes: give one of them, or two processes"
        )
    if settings["mqtt.share"] and "engine" in roles:
        raise ConfigError(
            "mqtt.share gives every process a part of the messages, and an engine needs all of its lines: run the"
            " engine in a process of its own (roles = engine) without mqtt.share, or share by ingest.lines"
        )
    return next(iter(given.values()), ())


def _named(text: str, name: str, plant: Plant) -> tuple[str, ...]:
    """Lines that a setting names, by themselves or by their site."""
    paths = [f"{site.id}/{line.id}" for site, line in plant.lines()]
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in paths and word not in {site.id for site in plant.sites}:
            raise ConfigError(f"{name}: the plant file has no line or site {word!r}; it has {', '.join(paths[:20])}")
    found = tuple(path for path in paths if path in words or path.split("/")[0] in words)
    return () if len(found) == len(paths) else found


def part_of(plant: Plant, lines: Sequence[str]) -> Plant:
    """The plant with these lines only; all of it where none is named."""
    if not lines:
        return plant
    sites = [replace(s, lines=[line for line in s.lines if f"{s.id}/{line.id}" in lines]) for s in plant.sites]
    return replace(plant, sites=[site for site in sites if site.lines])


def cut_sites(whole: Plant, part: Plant) -> frozenset[str]:
    """Sites of which the part has some lines only: nobody may tell a total of them."""
    size = {site.id: len(site.lines) for site in whole.sites}
    return frozenset(site.id for site in part.sites if len(site.lines) < size[site.id])


def left_out(whole: Plant, part: Plant) -> Iterator[str]:
    """What an engine of a part of the plant does not tell, in one sentence."""
    lines = [f"{site.id}/{line.id}" for site, line in part.lines()]
    if len(lines) < len(list(whole.lines())):
        cut = ", ".join(sorted(cut_sites(whole, part)))
        sites = f"the figures of {cut}, of which other lines are computed elsewhere, and " if cut else ""
        yield f"computing {', '.join(lines)} only: not told are {sites}the grades of the portfolio (docs/scale.md)"


def subscriptions(
    settings: Settings, lines: Sequence[str], beside: Sequence[str] = (), *, stores: bool
) -> tuple[str, ...]:
    """MQTT filters of this process: of its lines and those `beside` (of a mapping file), shared where it stores under
    `mqtt.share`. Raises ConfigError."""
    root, group = settings["mqtt.root"], settings["mqtt.share"]
    filters = tuple(f"{root}/{path}/#" for path in lines) or (f"{root}/#",)
    filters += tuple(beside)
    if not group or not stores:
        return filters
    if not valid_id(group):
        raise ConfigError(f"mqtt.share = {group!r} is not allowed; it is made of A-Z a-z 0-9 _ . -")
    if settings["mqtt.version"] != "5":
        raise ConfigError(
            f"mqtt.share needs mqtt.version = 5, it is {settings['mqtt.version']}: a broker that does not know shared"
            " subscriptions grants them and sends nothing; share by ingest.lines"
        )
    return tuple(f"$share/{group}/{topic}" for topic in filters)
