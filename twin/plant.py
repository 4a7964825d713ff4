"""The plant file: sites, potlines, pots, pot designs; and the roster of units that data names.

A unit is a pot or a line. Its path `site/line/pot` (or `site/line`) is its name on the wire and in the
store; its code in the roster is its index in every array. Codes never change: the roster only grows.
"""

from __future__ import annotations

import re
import tomllib
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from twin.errors import ConfigError

__all__ = ["Kind", "Line", "Meter", "Plant", "PotDesign", "Roster", "Site", "parse", "valid_id"]

# Allow-list for ids: they become topic levels and database tags (F23, line-protocol injection).
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
Id = Annotated[str, Meta(pattern=rf"^{_ID.pattern}\Z")]  # `$` would let a line feed through
YOUNG_MONTHS = 6  # a line that has run for less is not assessed
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]
ShiftStart = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]


Kind = Literal["line", "pot", "section", "site"]


def valid_id(text: str) -> bool:
    """True when `text` may stand as a site, line or pot id in a topic and in a tag."""
    return _ID.fullmatch(text) is not None


class Meter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cumulative energy meter: accuracy class [%] and the reading at which it starts again at 0 [kWh]."""

    accuracy_class: Positive = 0.5
    rollover_kwh: Positive = 1e12


Band = Annotated[tuple[float, float], Meta(description="normal band: low, high")]


class PotDesign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the drawing and the practice of a pot say; priors for the twin, never the simulator's parameters.

    None = scaled from a published pot with the rated current (`twin.estimator.design`). A band is where 19 pots
    of 20 are; the twin takes its middle and a quarter of its width as mean and standard deviation.
    """

    title: str = ""
    rated_current_ka: Positive = 500.0
    anodes: Annotated[int, Meta(ge=1, le=200)] = 48
    bath_temperature_c: Band = (945.0, 965.0)
    voltage_v: Band = (3.85, 4.15)
    current_efficiency_pct: Band = (92.5, 94.5)
    alumina_pct: Band = (2.0, 4.0)
    alumina_at_anode_effect_pct: Band = (1.5, 2.0)
    excess_alf3_pct: Band = (9.0, 12.0)
    caf2_pct: Percent = 5.0
    mgf2_pct: Percent = 0.0
    lif_pct: Percent = 0.0
    ledge_mm: Band = (50.0, 100.0)
    anode_cathode_distance_mm: Band = (38.0, 46.0)
    closing_mm_h: NotNegative = 0.175  # of the distance, by metal rise less anode wear
    new_anode_higher_mm: NotNegative = 10.0  # set above its neighbours until it carries current
    anode_area_m2: Positive | None = None  # bottom of all anodes
    cathode_area_m2: Positive | None = None
    metal_pad_area_m2: Positive | None = None  # cavity inside the ledge
    side_area_m2: Positive | None = None  # ledge
    bath_kg: Positive | None = None
    bath_level_cm: Positive | None = None
    metal_kg: Positive | None = None
    anode_resistance_uohm: Positive | None = None
    cathode_resistance_uohm: Positive | None = None
    external_resistance_uohm: Positive | None = None
    feeder_accuracy_pct: Positive = 3.0  # of the mass of a shot, one standard deviation between pots
    slow_alumina_pct: Percent = 60.0  # of a shot
    slow_alumina_min: Positive = 5.0  # time constant of its dissolution
    alf3_kg_per_t: Positive = 18.0  # AlF3 fed per tonne of metal


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One potline: pots in series on one rectifier station."""

    id: Id
    pots: Annotated[int, Meta(ge=1, le=10000)]
    design: str
    title: str = ""
    pot_prefix: str = ""
    section_pots: Annotated[int, Meta(ge=1)] = 20
    rated_current_ka: Positive | None = None
    sample_period_s: Annotated[float, Meta(ge=1, le=60)] = 1.0
    rectifier_efficiency_pct: Percent = 98.5
    capacity_t_per_year: Positive | None = None
    commissioned: str = ""
    # Limits of error [% of reading]; 0.5 is the domain's example of a meter and a scale: give your own.
    current_class_pct: Positive = 0.5
    voltage_class_pct: Positive = 0.5
    scale_class_pct: Positive = 0.5
    ac_meter: Meter = Meter()
    dc_meter: Meter = Meter()
    auxiliary_meter: Meter = Meter()
    power_mix_pct: dict[str, Percent] = {}

    def pot_ids(self) -> tuple[str, ...]:
        """Ids of the pots in electrical order, e.g. A001 ... A060."""
        width = max(3, len(str(self.pots)))
        return tuple(f"{self.pot_prefix}{n:0{width}d}" for n in range(1, self.pots + 1))

    def section_of(self, index: int) -> int:
        """Section number (from 1) of the pot with this index in the line."""
        return index // self.section_pots + 1

    def too_young(self, day: date) -> str:
        """Why the line is not assessed on a day, "" when it is: it has to have run for six months."""
        if not self.commissioned:
            return ""
        since = date.fromisoformat(self.commissioned)
        year, month = divmod(since.month - 1 + YOUNG_MONTHS, 12)
        last = monthrange(since.year + year, month + 1)[1]  # 31 August: six months are over on 28 February
        if day >= date(since.year + year, month + 1, min(since.day, last)):
            return ""
        return f"commissioned {since.isoformat()}: a line is assessed after {YOUNG_MONTHS} months"


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One smelter with its own calendar."""

    id: Id
    lines: list[Line]
    title: str = ""
    province: str = ""
    time_zone: str = "UTC"
    shift_starts: tuple[ShiftStart, ...] = ("00:00", "08:00", "16:00")

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Plant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that exists, as one plant file says it."""

    sites: list[Site]
    designs: dict[str, PotDesign]
    title: str = ""

    def lines(self) -> Iterator[tuple[Site, Line]]:
        for site in self.sites:
            for line in site.lines:
                yield site, line

    def design_of(self, line: Line) -> PotDesign:
        return self.designs[line.design]

    def rated_current_ka(self, line: Line) -> float:
        return line.rated_current_ka or self.design_of(line).rated_current_ka


def parse(text: str, where: str) -> Plant:
    """Read a plant file; `where` names it in errors. Raises ConfigError."""
    try:
        plant = msgspec.convert(tomllib.loads(text), Plant)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{where}: {error}") from error
    _check(plant, where)
    return plant


def _check(plant: Plant, where: str) -> None:
    paths = [f"{site.id}/{line.id}" for site, line in plant.lines()]
    if not paths:
        raise ConfigError(f"{where}: a plant needs at least one site with one line")
    for kind, names in (("site", [site.id for site in plant.sites]), ("line", paths)):
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"{where}: {kind} {doubled[0]} is described twice")
    for site, line in plant.lines():
        if line.design not in plant.designs:
            raise ConfigError(
                f"{where}: line {site.id}/{line.id} has design {line.design!r}; "
                f"the file describes {', '.join(sorted(plant.designs)) or 'none'}"
            )
        try:
            line.too_young(date.max)
        except ValueError as error:
            raise ConfigError(
                f"{where}: line {site.id}/{line.id}: commissioned {line.commissioned!r} is not a date like 2026-03-01"
            ) from error
        if bad := next((pot for pot in line.pot_ids() if not valid_id(pot)), None):
            raise ConfigError(f"{where}: line {site.id}/{line.id}: pot id {bad!r} is not made of A-Z a-z 0-9 _ . -")
    for site in plant.sites:
        try:
            site.zone()
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder of zones
            raise ConfigError(f"{where}: site {site.id}: time_zone {site.time_zone!r} is not an IANA zone") from error


class Roster:
    """Append-only register of units: path <-> code, kind and line of each.

    Made from a plant: lines and their pots, which measure, then what is summed up from them: sections of a line
    (`site/line/section:1`, no id of the wire can be that) and sites. `add` enrols a pot the plant file does not name.
    The only growing object that Readings refer to; codes handed out stay valid for its lifetime.
    """

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.paths: list[str] = []
        self.kinds: list[Kind] = []
        self.line_of: list[int] = []  # code of the unit's line; a line's and a site's own code
        self.codes: dict[str, int] = {}
        self._sections: list[int] = []  # section number of a pot or a section; 0 for a line and a discovered pot
        for site, line in plant.lines():
            code = self._enrol(f"{site.id}/{line.id}", "line", None, 0)
            for index, pot in enumerate(line.pot_ids()):
                self._enrol(f"{site.id}/{line.id}/{pot}", "pot", code, line.section_of(index))
        for code, (_, line) in zip(self.line_codes(), plant.lines(), strict=True):
            for number in range(1, line.section_of(line.pots - 1) + 1):
                self._enrol(f"{self.paths[code]}/section:{number}", "section", code, number)
        for site in plant.sites:
            self._enrol(site.id, "site", None, 0)

    def _enrol(self, path: str, kind: Kind, line: int | None, section: int) -> int:
        code = len(self.paths)
        self.paths.append(path)
        self.kinds.append(kind)
        self.line_of.append(code if line is None else line)
        self.codes[path] = code
        self._sections.append(section)
        return code

    def __len__(self) -> int:
        return len(self.paths)

    def code(self, path: str) -> int | None:
        """Code of a unit path, None when it is not enrolled."""
        return self.codes.get(path)

    def add(self, path: str) -> int:
        """Enrol a pot of a known line; raises KeyError when its line is not in the plant file."""
        known = self.codes.get(path)
        if known is not None:
            return known
        return self._enrol(path, "pot", self.codes[path.rsplit("/", 1)[0]], 0)

    def section_of(self, code: int) -> int:
        """Section number of a pot or section, from 1; 0 for a line and for a pot the plant file does not name."""
        return self._sections[code]

    def is_line(self, code: int) -> bool:
        return self.kinds[code] == "line"

    def is_pot(self, code: int) -> bool:
        return self.kinds[code] == "pot"

    def of_kind(self, kind: Kind) -> list[int]:
        """Codes of all units of a kind, in order of enrolment."""
        return [code for code, of in enumerate(self.kinds) if of == kind]

    def line_codes(self) -> list[int]:
        return self.of_kind("line")

    def pot_codes(self) -> list[int]:
        return self.of_kind("pot")
