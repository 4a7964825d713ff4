"""Plants for the tests of the report, and a moment at which it is made."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

from tests.core.plants import packaged_plan
from twin import plant
from twin.plant import Line, Plant, Site

__all__ = ["CLOCK_NS", "TWO_LINES", "demo", "line_of", "packaged_plan", "two_lines"]

CLOCK_NS = int(datetime(2026, 11, 24, 3, 0, tzinfo=UTC).timestamp()) * 10**9

TWO_LINES = """
title = "North smelter"
[[sites]]
id = "north"
title = "North"
province = "Shandong"
time_zone = "Asia/Shanghai"
[[sites.lines]]
id = "A"
title = "Potline A"
pots = 60
pot_prefix = "A"
design = "p500"
capacity_t_per_year = 82900
[[sites.lines]]
id = "B"
title = 'Potline <B> & "co"'
pots = 60
pot_prefix = "B"
design = "p500"
capacity_t_per_year = 82900
commissioned = "2026-06-15"
[designs.p500]
"""


def demo() -> Plant:
    """The packaged plant: one line of 60 pots."""
    return plant.parse((files("twin") / "plants" / "demo.toml").read_text("utf-8"), "demo")


def two_lines() -> Plant:
    """A site of two lines; the second is young, and its name is not plain text."""
    return plant.parse(TWO_LINES, "two lines")


def line_of(of: Plant, number: int = 0) -> tuple[Site, Line]:
    """A line of a plant with its site."""
    return list(of.lines())[number]
