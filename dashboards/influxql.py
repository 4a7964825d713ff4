"""InfluxQL as the boards ask it: the dialect of InfluxDB 1.6, which 1.8, 2 (by DBRP) and 3 understand too.

Board queries use Grafana's macros; alert queries have none and no dollar sign at all, because Grafana replaces
`$NAME` in provisioning files by environment variables.
"""

from __future__ import annotations

from collections.abc import Iterable

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

__all__ = ["AT", "INFLUX", "REACH", "SURE", "Ask", "band", "newest", "recent", "select", "trend"]

INFLUX = DataSourceRef(type_val="influxdb", uid="smelter-influx")
SURE = 1.96  # half the 95 % interval in standard uncertainties

# level of a board -> condition on the tags
AT = {"site": "\"site\" = '${site}'"}
AT["line"] = f"{AT['site']} AND \"line\" = '${{line}}'"
AT["pot"] = f"{AT['line']} AND \"pot\" = '${{pot}}'"

# window -> how far back its newest start can be; figures stand under the start of their window
REACH = {"hour": "3h", "shift": "25h", "day": "49h", "month": "62d", "year": "732d"}
REACH["${window}"] = REACH["year"]


class Ask(Builder[Dataquery]):
    """One query of a panel. `table`: rows for a table, else series; `alias` names the series."""

    def __init__(self, query: str, ref_id: str = "A", *, table: bool = False, alias: str = "$col") -> None:
        self.by_time = "ORDER BY time" in query  # its rows are points, each at its own time
        self._model: dict[str, object] = {
            "refId": ref_id,
            "datasource": INFLUX.to_json(),
            "query": query,
            "rawQuery": True,
            "resultFormat": "table" if table else "time_series",
            "alias": "" if table else alias,
        }

    def build(self) -> Dataquery:
        return UnknownDataquery(self._model)


def select(columns: Iterable[tuple[str, str]]) -> str:
    """`SELECT` of (expression, name) pairs."""
    return "SELECT " + ", ".join(f'{expression} AS "{name}"' for expression, name in columns)


def _by(tags: Iterable[str]) -> str:
    return "".join(f', "{tag}"' for tag in tags)


def trend(measurement: str, columns: Iterable[tuple[str, str]], level: str, by: tuple[str, ...] = ()) -> str:
    """Aggregates over the panel's interval; a gap stays a gap."""
    where = f'FROM "{measurement}" WHERE {AT[level]} AND $timeFilter'
    return f"{select(columns)} {where} GROUP BY time($__interval){_by(by)} fill(null)"


def newest(
    measurement: str, columns: Iterable[tuple[str, str]], level: str, by: tuple[str, ...], window: str, also: str = ""
) -> str:
    """The newest point of each unit up to the end of the time range, so that a month shows on a range of hours."""
    reach = f"time <= ${{__to}}ms AND time > ${{__to}}ms - {REACH[window]}"
    group = f" GROUP BY {_by(by)[2:]}" if by else ""
    end = f"{group} ORDER BY time DESC LIMIT 1"
    return f'{select(columns)} FROM "{measurement}" WHERE {AT[level]} AND {reach}{also}{end}'


def recent(measurement: str, columns: Iterable[tuple[str, str]], level: str, by: tuple[str, ...], reach: str) -> str:
    """Aggregates over the last `reach` of the time range, one row a unit."""
    group = f" GROUP BY {_by(by)[2:]}" if by else ""
    return (
        f'{select(columns)} FROM "{measurement}" '
        f"WHERE {AT[level]} AND time <= ${{__to}}ms AND time > ${{__to}}ms - {reach}{group}"
    )


def band(field: str, u: str, aggregate: str = "") -> list[tuple[str, str]]:
    """Columns of a value with its 95 % interval, for a trend."""
    value, spread = (f'{aggregate}("{name}")' if aggregate else f'"{name}"' for name in (field, u))
    return [
        (value, "value"),
        (f"{value} - {SURE} * {spread}", "95 % low"),
        (f"{value} + {SURE} * {spread}", "95 % high"),
    ]
