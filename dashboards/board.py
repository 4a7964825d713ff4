"""A board: panels placed from left to right, with ids and links that are the same at every build."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as model

from dashboards.influxql import AT, INFLUX
from dashboards.tables import Source

__all__ = [
    "FOLDER_TITLE",
    "FOLDER_UID",
    "TAG",
    "Board",
    "Placed",
    "annotation",
    "choice",
    "link",
    "made",
    "variables",
    "window",
    "zone",
]

FOLDER_UID, FOLDER_TITLE = "smelter", "Smelter"
TAG = "smelter"
# board -> variables that it takes over from a link
_CARRIED = {
    "smelter-overview": ("site",),
    "smelter-potline": ("site", "line"),
    "smelter-pot": ("site", "line", "pot"),
    "smelter-energy": ("site", "line"),
    "smelter-alarms": ("site",),
    "smelter-maintenance": ("site", "line"),
    "smelter-ingest": ("site",),
}
_NAMES = {  # variable -> (measurement, level that it is chosen in)
    "site": ("line", ""), "line": ("line", "site"), "pot": ("pot", "line"),
}  # fmt: skip

Placed = tuple[Builder[model.Panel], int, int]


@dataclass(frozen=True, slots=True)
class Board:
    """`answers`: the question that it is for. `panels`: (panel, width of 24, height)."""

    uid: str
    title: str
    answers: str
    panels: Sequence[Placed]
    variables: Sequence[Builder[model.VariableModel]] = ()
    annotations: Sequence[Builder[model.AnnotationQuery]] = ()
    begin: str = "now-24h"
    refresh: str = "1m"


def variables(*names: str) -> list[Builder[model.VariableModel]]:
    """Site, line and pot as the store knows them."""
    found: list[Builder[model.VariableModel]] = []
    for name in names:
        measurement, level = _NAMES[name]
        where = f" WHERE {AT[level]}" if level else ""
        query = f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{name}"{where}'
        found.append(
            build.QueryVariable(name).label(name.capitalize()).datasource(INFLUX).query(query).definition(query)
            .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.NATURAL_ASC)
            .description(f"{name.capitalize()} with data in the store.")
        )  # fmt: skip
    return found


def choice(name: str, label: str, values: Sequence[str], first: str, text: str) -> build.CustomVariable:
    """A variable with a short list of values; with only one it is not shown."""
    options = [model.VariableOption(text=value, value=value, selected=value == first) for value in values]
    hide = model.VariableHide.HIDE_VARIABLE if len(values) == 1 else model.VariableHide.DONT_HIDE
    return (
        build.CustomVariable(name).label(label).values(",".join(values)).options(options).description(text).hide(hide)
        .current(model.VariableOption(text=first, value=first, selected=True))
    )  # fmt: skip


def zone(source: Source) -> build.CustomVariable:
    """Time zone of the site: days and shifts are its own."""
    return choice("zone", "Time zone", source.zones, source.zones[0], "Time zone in which days are counted.")


def window(*values: str) -> build.CustomVariable:
    """Window of the site's calendar."""
    return choice("window", "Window", values, values[0], "Window of the site's own calendar; the newest is shown.")


def annotation(name: str, query: str, color: str, *, text: str = "", shown: bool = True) -> build.AnnotationQuery:
    """Marks on every trend of a board."""
    return (
        build.AnnotationQuery().name(name).datasource(INFLUX).enable(shown).icon_color(color)
        .target(_Marks(query, text))
    )  # fmt: skip


class _Marks(Builder[Dataquery]):
    """The SDK knows no annotation of InfluxQL: the fields that the data source's own editor writes."""

    def __init__(self, query: str, text: str) -> None:
        self._model = {
            "refId": "Anno", "datasource": INFLUX.to_json(), "query": query, "rawQuery": True, "fromAnnotations": True,
            "textColumn": text, "tagsColumn": "", "timeEndColumn": "", "titleColumn": "",
        }  # fmt: skip

    def build(self) -> Dataquery:
        return UnknownDataquery(self._model)


def link(board: str, *columns: str) -> list[model.DynamicConfigValue]:
    """A column that opens the board of its unit: time range and variables go along; `columns` name the unit's tags."""
    words = [
        f"var-{name}=${{__data.fields.{name}}}" if name in columns else f"var-{name}=${{{name}}}"
        for name in _CARRIED[board]
    ]
    url = f"/d/{board}?{'&'.join(words)}&${{__url_time_range}}"
    return [
        model.DynamicConfigValue(id_val="links", value=[{"title": f"Open {board.split('-')[1]}", "url": url}]),
        model.DynamicConfigValue(id_val="custom.width", value=110),
    ]


def made(board: Board, boards: Sequence[Board]) -> model.Dashboard:
    """The board as the SDK builds it."""
    built = (
        build.Dashboard(board.title).uid(board.uid).description(board.answers).tags([TAG]).readonly()
        .time(board.begin, "now").refresh(board.refresh).tooltip(model.DashboardCursorSync.CROSSHAIR)
        .variables(list(board.variables)).annotations(list(board.annotations)).timezone("browser").version(1)
    )  # fmt: skip
    for other in boards:
        if other.uid != board.uid:
            built = built.link(
                build.DashboardLink(other.title).type(model.DashboardLinkType.LINK).url(f"/d/{other.uid}")
                .tooltip(other.answers).icon("dashboard").keep_time(True).include_vars(True)
            )  # fmt: skip
    result = built.build()
    result.panels = list(_placed(board.panels))
    return result


def _placed(panels: Sequence[Placed]) -> list[model.Panel]:
    found, x, y, height = [], 0, 0, 0
    for builder, width, high in panels:
        panel = builder.build()
        if x + width > 24:
            x, y, height = 0, y + height, 0
        panel.grid_pos = model.GridPos(h=high, w=width, x=x, y=y)
        panel.id_val = 1 + zlib.crc32((panel.title or "").encode()) % 999_983  # of the title: stays when others come
        x, height = x + width, max(height, high)
        found.append(panel)
    return found
