"""What the processes of the twin export themselves, where a Prometheus data source is set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from grafana_foundation_sdk.builders import prometheus, timeseries
from grafana_foundation_sdk.models.common import DataSourceRef

from dashboards.board import Board
from dashboards.panels import series
from dashboards.tables import Source
from twin.metrics import EXPORTED, PREFIX, Exported

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="smelter-prometheus")


def expression(row: Exported) -> str:
    """PromQL of a row: counters a second, of a histogram the time that 19 of 20 stay below."""
    if row.kind == "counter":
        return f"rate({row.name}[$__rate_interval])"
    if row.kind == "histogram":
        return f"histogram_quantile(0.95, sum by (le, job) (rate({row.name}_bucket[$__rate_interval])))"
    # a moment as such says little, its distance from now does
    return f"time() - {row.name}" if "timestamp" in row.name else row.name


def _unit(row: Exported) -> str:
    if "seconds" in row.name:
        return "1" if row.kind == "counter" else "s"
    return "bytes" if row.name.endswith("_bytes") else "1"


def _short(row: Exported) -> str:
    return row.name.removeprefix(PREFIX).replace("_", " ")


def _panels() -> Iterator[timeseries.Panel]:
    keyed = sorted(EXPORTED, key=lambda r: (r.name.removeprefix(PREFIX).split("_")[0], r.kind == "counter", _unit(r)))
    groups = groupby(keyed, key=lambda r: (r.name.removeprefix(PREFIX).split("_")[0], r.kind == "counter", _unit(r)))
    for (part, counted, unit), group in groups:
        rows = list(group)
        targets = [
            prometheus.Dataquery().expr(expression(row)).ref_id(f"A{n}").range().datasource(PROMETHEUS)
            .legend_format(" ".join([_short(row), *(f"{{{{{name}}}}}" for name in row.labels)]))
            for n, row in enumerate(rows)
        ]  # fmt: skip
        text = " ".join(f"{_short(row)}: {row.help}" for row in rows)
        what = "a second" if counted else {"s": "times", "bytes": "bytes", "1": "now"}[unit]
        panel = series(f"{part.capitalize()}: {what}", text, [], unit, per="/s" if counted else "")
        yield (
            panel.targets(list(targets))
            .datasource(PROMETHEUS)
            .unit("ops" if counted else {"s": "s", "bytes": "bytes"}.get(unit, "none"))
        )


def board(source: Source) -> Board:
    return Board(
        "smelter-metrics",
        "Processes",
        "Are the processes of the twin well: balance sheet, spool, store, broker, engine?",
        [(panel, 12, 8) for panel in _panels()],
        begin="now-6h",
    )
