"""The alarm file: positions, channels, and who is told what, by area, priority, class, shift and hour; escalation.

Pure: the text comes in, recipients come out. Times of day are those of the site's zone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from twin.alarms.commands import Role
from twin.alarms.log import stands_in
from twin.alarms.notices import ANEW, Kind
from twin.alarms.rows import ALARMS, Class, Priority, index_of
from twin.errors import ConfigError
from twin.plant import Plant, Site

__all__ = ["AlarmFile", "Alertmanager", "Apprise", "Email", "Mqtt", "Position", "Route", "Step", "User", "Webhook",
           "areas_of", "default", "parse", "recipients", "steps"]  # fmt: skip

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.\-]{1,40}\Z")]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]
Hours = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d\Z")]
Rate = Annotated[int, Meta(ge=1, le=10000)]
Seconds = Annotated[float, Meta(ge=1, le=3600)]
Language = Literal["en", "zh"]


class _Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`per_minute`: messages at most; what is more waits, and `digest_above` waiting ones are told as one."""

    name: Name
    language: Language | None = None
    per_minute: Rate = 10
    digest_above: Rate = 5
    timeout_s: Seconds = 15.0


class Mqtt(_Channel, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="mqtt"):
    """Retained state of each alarm under `<topic>/<unit>/<code>`; topic "" = `<mqtt.twin_root>/alarms`."""

    topic: str = ""
    per_minute: Rate = 10000


class Webhook(_Channel, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="webhook"):
    """JSON by POST, signed with HMAC-SHA256 of the secret in `secret_file`."""

    url: str
    secret_file: str = ""
    ca_file: str = ""


class Email(_Channel, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="email"):
    """Mail over SMTP; `security` tls: from the start, starttls: asked for, none: only inside the plant."""

    host: str
    sender: str
    to: Annotated[list[str], Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    ca_file: str = ""


class Alertmanager(
    _Channel, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="alertmanager"
):
    """Alerts to the API v2 of a Prometheus Alertmanager, sent again every `resend_s` while they stand."""

    url: str
    token_file: str = ""
    ca_file: str = ""
    resend_s: Seconds = 60.0
    per_minute: Rate = 10000


class Apprise(_Channel, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="apprise"):
    """Everything that Apprise reaches; its address holds secrets, so it is read from a file."""

    url_file: str


Channel = Mqtt | Webhook | Email | Alertmanager | Apprise


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operating position: whoever sits there answers for these areas (paths of sites, lines, sections, pots)."""

    name: Name
    areas: Annotated[list[str], Meta(min_length=1)]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to tell as well when nobody has acknowledged for so long."""

    after_min: Annotated[float, Meta(gt=0, le=10080)]
    to: Annotated[list[str], Meta(min_length=1)]


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: an empty list means all. `shifts` by the start of a shift of the site, `hours` HH:MM-HH:MM."""

    to: Annotated[list[str], Meta(min_length=1)]
    areas: list[str] = []
    priorities: list[Priority] = []
    classes: list[Class] = []
    codes: list[str] = []
    shifts: list[Clock] = []
    hours: Hours = "00:00-00:00"
    events: tuple[Kind, ...] = ANEW
    escalate: list[Step] = []


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may do what; the token stands in a file that only the service may read."""

    name: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f:]{1,64}\Z")]
    role: Role
    token_file: str


class AlarmFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `link`: address of the page, for links in messages."""

    language: Language = "en"
    link: str = ""
    positions: list[Position] = []
    channels: list[Channel] = []
    routes: list[Route] = []
    users: list[User] = []


def default() -> AlarmFile:
    """Without a file: the state of every alarm on the broker, and nobody is written to."""
    return AlarmFile(channels=[Mqtt(name="mqtt")], routes=[Route(to=["mqtt"])])


def parse(text: str, where: str, paths: Sequence[str]) -> AlarmFile:
    """Read an alarm file; `paths` of the units that there are. Raises ConfigError."""
    try:
        file = msgspec.convert(tomllib.loads(text), AlarmFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{where}: {error}") from error
    for kind, names in (
        ("channel", [c.name for c in file.channels]), ("user", [u.name for u in file.users]),
        ("position", [p.name for p in file.positions]),
    ):  # fmt: skip
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"{where}: {kind} {doubled[0]!r} is described twice")
    known = frozenset(paths)
    for position in file.positions:
        _known(position.areas, known, f"{where}: position {position.name}: area")
    channels = frozenset(channel.name for channel in file.channels)
    for number, route in enumerate(file.routes, 1):
        at = f"{where}: route {number}:"
        _known(route.areas, known, f"{at} area")
        _known(route.codes, frozenset(row.code for row in ALARMS), f"{at} alarm")
        _known([*route.to, *(name for step in route.escalate for name in step.to)], channels, f"{at} channel")
        times = [step.after_min for step in route.escalate]
        if times != sorted(set(times)):
            raise ConfigError(f"{at} the steps of escalate are not in the order of after_min, each time once")
    return file


def _known(names: Sequence[str], known: frozenset[str], what: str) -> None:
    if wrong := next((name for name in names if name not in known), None):
        some = ", ".join(sorted(known)[:8])
        raise ConfigError(f"{what} {wrong!r} is not one of {some}{' ...' if len(known) > 8 else ''}")


def areas_of(file: AlarmFile, plant: Plant) -> Mapping[str, Sequence[str]]:
    """Operating positions with their areas; without any in the file each line is one."""
    if file.positions:
        return {position.name: position.areas for position in file.positions}
    return {f"{site.id}/{line.id}": [f"{site.id}/{line.id}"] for site, line in plant.lines()}


def recipients(file: AlarmFile, plant: Plant, unit: str, code: str, kind: Kind, now_ns: int | None) -> list[str]:
    """Names of the channels that are told of this, each once, in the order of the file; `now_ns` None = at any time."""
    found: dict[str, None] = {}
    for route in file.routes:
        if kind in route.events and _fits(route, plant, unit, code, now_ns):
            found |= dict.fromkeys(route.to)
    return list(found)


def steps(file: AlarmFile, plant: Plant, unit: str, code: str, now_ns: int) -> list[tuple[float, list[str]]]:
    """Escalation of an alarm: after how many seconds without acknowledgement which channels, in order."""
    found = [
        (step.after_min * 60.0, step.to)
        for route in file.routes
        if route.escalate and _fits(route, plant, unit, code, now_ns)
        for step in route.escalate
    ]
    return sorted(found, key=lambda step: step[0])


def _fits(route: Route, plant: Plant, unit: str, code: str, now_ns: int | None) -> bool:
    row = ALARMS[index_of(code)]
    if not (stands_in(unit, route.areas) and (not route.priorities or row.priority in route.priorities)):
        return False
    if (route.classes and row.klass not in route.classes) or (route.codes and code not in route.codes):
        return False
    if now_ns is None or (not route.shifts and route.hours == "00:00-00:00"):
        return True
    site = next(site for site in plant.sites if site.id == unit.partition("/")[0])
    zone = site.zone()
    at = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now_ns // 10**9)).astimezone(zone).time()
    if route.shifts and shift_of(site, at) not in route.shifts:
        return False
    begin, end = (time.fromisoformat(text) for text in route.hours.split("-"))
    return begin == end or (begin <= at < end if begin < end else at >= begin or at < end)


def shift_of(site: Site, at: time) -> str:
    """Start of the shift that is at work at a time of day."""
    starts = sorted(site.shift_starts)
    return next((start for start in reversed(starts) if time.fromisoformat(start) <= at), starts[-1])
