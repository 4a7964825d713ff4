"""What the boards ask, found in their JSON, with the macros and variables replaced as Grafana does it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DATA_POINTS = 1000  # of a panel about as wide as a screen


@dataclass(frozen=True, slots=True)
class Asked:
    """One query: where it stands, its text, the panel that asks it (none: variable or annotation)."""

    board: str
    where: str
    query: str
    panel: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.board}: {self.where}: {self.query}"


def seconds(duration: str) -> float:
    """`90s`, `15m`, `now-7d` -> seconds."""
    found = re.fullmatch(r"(?:now-)?(\d+)(ms|[smhd])", duration)
    assert found, duration
    return int(found[1]) * (0.001 if found[2] == "ms" else UNITS_S[found[2]])


def is_influx(thing: Mapping[str, Any]) -> bool:
    return bool(thing["datasource"]["type"] == "influxdb")


def asked(board: Mapping[str, Any]) -> Iterator[Asked]:
    """Every InfluxQL query of a board."""
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            if is_influx(target):
                yield Asked(board["uid"], f"{panel['title']} {target['refId']}", target["query"], panel)
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield Asked(board["uid"], f"variable {variable['name']}", variable["query"], {})
    for mark in board["annotations"].get("list", ()):
        yield Asked(board["uid"], f"annotation {mark['name']}", mark["target"]["query"], {})


def expanded(query: str, panel: Mapping[str, Any], begin: str, end_ms: int, values: Mapping[str, str]) -> str:
    """The query as the data source gets it; nothing that Grafana would have to replace is left."""
    span = seconds(begin)
    least = seconds(panel.get("interval", "1s"))
    step = max(least, span / (panel.get("maxDataPoints") or DATA_POINTS))
    begin_ms = end_ms - int(span * 1000)
    text = query.replace("$timeFilter", f"time >= {begin_ms}ms and time <= {end_ms}ms")
    text = text.replace("$__interval", f"{max(1, round(step))}s").replace("${__to}", str(end_ms))
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    assert "$" not in text, text
    return text


def choices(board: Mapping[str, Any], name: str) -> list[str]:
    """Values of a custom variable."""
    found = [v["query"].split(",") for v in board["templating"]["list"] if v["name"] == name and v["type"] == "custom"]
    return found[0] if found else [""]


def rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of every series of an answer, tags and columns together."""
    return [
        {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True))}
        for series in answer["results"][0].get("series", ())
        for row in series["values"]
    ]
