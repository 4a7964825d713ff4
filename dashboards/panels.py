"""The few kinds of panels that the boards are made of, each with a title, a description and a word for no data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import bargauge, common, stat, statushistory, table, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model

from dashboards.influxql import INFLUX, Ask
from dashboards.style import GREY, plain
from dashboards.tables import unit_id

__all__ = ["Columns", "bars", "counts", "grid", "joined", "rows", "series"]

# name of a column -> its properties
Columns = Mapping[str, list[model.DynamicConfigValue]]
NO_DATA = "no data in this time range"


def _grey() -> FieldColor:
    return FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(GREY)


def series(
    title: str,
    text: str,
    asks: Sequence[Ask],
    unit: str,
    *,
    interval: str = "",
    lines: ThresholdsConfig | None = None,
    per: str = "",
    bars: bool = False,
) -> timeseries.Panel:
    """A trend in shades of grey; `lines`: limits and normal band."""
    style = common.GraphThresholdsStyleConfig().mode(
        common_model.GraphThresholdsStyleMode.DASHED if lines else common_model.GraphThresholdsStyleMode.OFF
    )
    panel = (
        timeseries.Panel().title(title).description(text).datasource(INFLUX).unit(unit_id(unit, per)).no_value(NO_DATA)
        .targets(list(asks)).thresholds(lines or plain()).thresholds_style(style)
        .color_scheme(FieldColor().mode(model.FieldColorModeId.SHADES).fixed_color(GREY))
        .tooltip(common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI))
        .override_by_name("95 % low", _interval(hidden=True))
        .override_by_name("95 % high", _interval(hidden=False))
        .override_by_name("laboratory", [_custom("drawStyle", "points"), _custom("pointSize", 7)])
    )  # fmt: skip
    if bars:
        panel = panel.draw_style(common_model.GraphDrawStyle.BARS).fill_opacity(60)
    return panel.interval(interval) if interval else panel


def _custom(name: str, value: object) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val=f"custom.{name}", value=value)


def _interval(*, hidden: bool) -> list[model.DynamicConfigValue]:
    """The edges of a 95 % interval: no lines, the space between them filled."""
    found = [_custom("lineWidth", 0), _custom("hideFrom", {"legend": True, "tooltip": False, "viz": False})]
    return found if hidden else [*found, _custom("fillBelowTo", "95 % low"), _custom("fillOpacity", 25)]


def rows(
    title: str, text: str, asks: Sequence[Ask], columns: Columns, *, worst: str = "", ascending: bool = False
) -> table.Panel:
    """A table; `worst`: the column that puts what needs attention first."""
    panel = (
        table.Panel().title(title).description(text).datasource(INFLUX).targets(list(asks)).no_value("-")
        .thresholds(plain()).color_scheme(_grey()).filterable(True)
    )  # fmt: skip
    if worst:
        panel = panel.sort_by([common.TableSortByFieldState().display_name(worst).desc(not ascending)])
    if not any(ask.by_time for ask in asks):  # an aggregate's time is the begin of its range, and says nothing
        panel = panel.override_by_name("Time", [_custom("hidden", True)])
    for name, properties in columns.items():
        panel = panel.override_by_name(name, properties)
    return panel


def joined(panel: table.Panel, key: str) -> table.Panel:
    """One row a unit, out of several queries; the times of the queries are left out."""
    times = {"Time": True} | {f"Time {number}": True for number in range(1, 9)}
    return panel.with_transformation(
        model.DataTransformerConfig(id_val="joinByField", options={"byField": key, "mode": "outer"})
    ).with_transformation(model.DataTransformerConfig(id_val="organize", options={"excludeByName": times}))


def bars(title: str, text: str, asks: Sequence[Ask], unit: str) -> bargauge.Panel:
    """One bar a column of the newest row, all grey: a comparison, not a judgement."""
    return (
        bargauge.Panel().title(title).description(text).datasource(INFLUX).unit(unit_id(unit)).targets(list(asks))
        .orientation(common_model.VizOrientation.HORIZONTAL).display_mode(common_model.BarGaugeDisplayMode.BASIC)
        .thresholds(plain()).color_scheme(_grey()).no_value(NO_DATA).decimals(0)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )  # fmt: skip


def counts(title: str, text: str, asks: Sequence[Ask], columns: Columns) -> stat.Panel:
    """Numbers with their names; each column's colour comes with a sign."""
    panel = (
        stat.Panel().title(title).description(text).datasource(INFLUX).unit("none").targets(list(asks))
        .thresholds(plain()).color_scheme(_grey()).no_value("0").text_mode(common_model.BigValueTextMode.VALUE_AND_NAME)
        .graph_mode(common_model.BigValueGraphMode.NONE).color_mode(common_model.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )  # fmt: skip
    for name, properties in columns.items():
        panel = panel.override_by_name(name, properties)
    return panel


def grid(title: str, text: str, ask: Ask, unit: str, mappings: list[model.ValueMapping]) -> statushistory.Panel:
    """Rows of pots, columns of time: blank cells are normal, an arrow or a word names what is not."""
    return (
        statushistory.Panel().title(title).description(text).datasource(INFLUX).unit(unit_id(unit)).targets([ask])
        .mappings(mappings).thresholds(plain()).color_scheme(_grey()).no_value(NO_DATA).max_data_points(48)
        .show_value(common_model.VisibilityMode.AUTO).row_height(0.9).fill_opacity(70).per_page(60)
        .legend(common.VizLegendOptions().show_legend(False))
    )  # fmt: skip
