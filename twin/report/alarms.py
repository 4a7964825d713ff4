"""The journal of alarms -> figures of operating positions over a period, against the standard's targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from twin.alarm_figures import Journal, figures_of
from twin.alarms.chain import Selection
from twin.alarms.figures import Figures
from twin.alarms.rows import ALARMS
from twin.plant import Line, Site
from twin.report.alarm_data import AlarmSystemView, FloodView, FrequentAlarm, PositionView
from twin.report.period import Period, span
from twin.report.quantities import local
from twin.windows import Calendar

__all__ = ["alarm_system", "of_lines"]

_TITLE = {row.code: row.title for row in ALARMS}


def of_lines(
    positions: Mapping[str, Sequence[str]], chosen: Sequence[tuple[Site, Line]]
) -> dict[str, tuple[Sequence[str], Site]]:
    """The positions that answer for any of the lines, with their areas and the site whose calendar counts."""
    found: dict[str, tuple[Sequence[str], Site]] = {}
    for name, areas in positions.items():
        sites = [site for site, line in chosen if _touches(areas, f"{site.id}/{line.id}")]
        if sites:
            found[name] = (areas, sites[0])
    return found


def _touches(areas: Sequence[str], line: str) -> bool:
    """Whether a line is one of the areas, holds one or stands in one; no area = everything."""
    return not areas or any(f"{area}/".startswith(f"{line}/") or line.startswith(f"{area}/") for area in areas)


def alarm_system(
    journal: Journal, name: str, positions: Mapping[str, tuple[Sequence[str], Site]], period: Period, clock_ns: int
) -> AlarmSystemView:
    """Figures over the part of the period that is over. `name`: the file, for people. Raises SinkUnavailable."""
    if not positions:
        return AlarmSystemView("no operating position of alarms.file answers for these lines", name, None, [])
    first = journal.entries(Selection(limit=1, newest=False))
    if not first:
        return AlarmSystemView("nothing was journalled yet", name, None, [])
    begun_ns, views, late = first[0].transition.time_ns, [], None
    for position, (areas, site) in positions.items():
        window, zone = span(period, Calendar(site)), site.zone()
        end_ns = max(min(window.end_ns, clock_ns), window.start_ns)
        if begun_ns >= end_ns:
            why = f"it begins on {local(begun_ns, zone)[:16].replace('T', ' ')}, after the period"
            return AlarmSystemView(why, name, local(begun_ns, zone), [])
        if begun_ns > window.start_ns:
            late = late or local(begun_ns, zone)
        (found,) = figures_of(journal, {position: areas}, window.start_ns, end_ns)
        views.append(_position(found, zone))
    return AlarmSystemView("", name, late, views)


def _position(found: Figures, zone: tzinfo) -> PositionView:
    return PositionView(
        found.position,
        local(found.start_ns, zone),
        local(found.end_ns, zone),
        found.alarms,
        # of no alarms there is no spread of priorities, and nothing to meet
        found.views() if found.alarms else [],
        [
            FrequentAlarm(top.code, _TITLE.get(top.code, top.code), top.unit, top.count, top.pct)
            for top in found.top_ten
        ],
        [
            FloodView(
                local(flood.start_ns, zone), local(min(flood.end_ns, found.end_ns), zone), flood.alarms, flood.most
            )
            for flood in found.floods
        ],
    )
