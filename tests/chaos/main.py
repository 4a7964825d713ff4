"""`./dev chaos`: a seeded run of the whole way in under disturbances, and what was lost, doubled and parked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from tests.chaos.run import Options, run
from tests.chaos.table import as_json, machine, table


def main(words: list[str] | None = None) -> int:
    """Run and tell; returns the exit code."""
    options = _options(words)
    console = Console()
    pairs = [word.partition("=") for word in options.set]
    asked = Options(
        options.pots, round(options.minutes * 60), options.seed, options.store, not options.per_pot,
        {name: value for name, _, value in pairs},
    )  # fmt: skip
    outcome = run(asked, lambda text: console.print(text, style="dim", highlight=False))
    where = machine()
    for note in outcome.notes:
        console.print(f"note: {note}", highlight=False)
    console.print(table(outcome, where))
    for problem in outcome.verdict.problems:
        console.print(problem, style="red", markup=False)
    if options.to:
        options.to.write_text(as_json(outcome, where))
    return 0 if outcome.ok else 1


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="how long readings are published")
    parser.add_argument("--pots", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=7, help="same seed, same schedule")
    parser.add_argument("--store", choices=("influx", "duckdb"), default="influx")
    parser.add_argument("--per-pot", action="store_true", help="one message a pot, not one a section of 20 pots")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the twin")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write everything as JSON")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
