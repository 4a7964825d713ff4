"""A plant of three lines, and what three processes store of it, read back point by point."""

from __future__ import annotations

from pathlib import Path

from tests.servers import InfluxServer

__all__ = ["LINES", "START_MS", "lines_file", "messages", "stored_of", "topic_of_line", "wanted"]

LINES = ("A", "B", "C")
START_MS = 1_763_964_000_000
PLANT = """
title = "Three lines"
[[sites]]
id = "demo"
{lines}
[designs.d]
"""
LINE = """
[[sites.lines]]
id = "{line}"
pots = 3
pot_prefix = "{line}"
design = "d"
"""


def lines_file(folder: Path) -> Path:
    """The plant file."""
    folder.mkdir(exist_ok=True)
    file = folder / "plant.toml"
    file.write_text(PLANT.format(lines="".join(LINE.format(line=line) for line in LINES)))
    return file


def topic_of_line(root: str, line: str) -> str:
    """Telemetry of the line's first pot."""
    return f"{root}/demo/{line}/{line}001/telemetry"


def messages(first: int, last: int) -> list[bytes]:
    """Numbered readings, a millisecond apart: the voltage is the number."""
    return [b'{"time":%d,"voltage_v":%.4f}' % (START_MS + n, n / 1e4) for n in range(first, last)]


def wanted(first: int, last: int) -> list[tuple[int, float]]:
    """What they are in the store: source time [ns] and voltage."""
    return [((START_MS + n) * 1_000_000, round(n / 1e4, 4)) for n in range(first, last)]


def stored_of(influx: InfluxServer, database: str) -> dict[str, list[tuple[int, float]]]:
    """Every point of each line, in order of time."""
    answer = influx.query("SELECT voltage_v FROM pot GROUP BY line", database)["results"][0]
    return {
        series["tags"]["line"]: [(int(time), float(value)) for time, value in series["values"]]
        for series in answer.get("series", [])
    }
