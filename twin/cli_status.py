"""`twin status`: the verdicts of a running twin, asked of its page."""

from __future__ import annotations

import urllib.error
import urllib.request

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from twin.cli_options import ConfigOption, SetOption, settings_of
from twin.errors import SourceUnavailable
from twin.snapshot import GradeView, LineView, Snapshot

__all__ = ["status"]

STYLES = {"pass": "", "fail": "bold red", "indeterminate": "yellow", "insufficient": "dim"}


def status(config: ConfigOption = None, words: SetOption = None) -> None:
    """Print figures and verdicts of a running twin, and whether the way in is well."""
    settings = settings_of(config, words)
    snapshot = _ask(f"http://{settings['page.host']}:{settings['page.port']}/api/snapshot")
    console = Console()
    for line in snapshot.lines:
        console.print(_table(line, snapshot))
    view = snapshot.ingest
    lag = "unknown" if view.lag_s is None else f"{view.lag_s:.1f} s"
    console.print(
        f"ingest: {view.received} received = {view.stored} stored + {view.parked} parked, lag {lag}", highlight=False
    )
    if view.missing:
        console.print(Text(f"{view.missing} messages did not come, by their numbers (seq)", style="bold red"))
    if view.problem:
        console.print(Text(view.problem, style="bold red"))


def _ask(url: str) -> Snapshot:
    """Raises SourceUnavailable when no twin answers there, or when it has no figures yet."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            return msgspec.json.decode(answer.read(), type=Snapshot)
    except urllib.error.HTTPError as error:
        raise SourceUnavailable(f"{url}: {error.read().decode('utf-8', 'replace')[:200]}") from error
    except (OSError, msgspec.DecodeError) as error:
        raise SourceUnavailable(
            f"no twin answers at {url} ({error}); start one with `twin up`, or set page.port"
        ) from error


def _table(line: LineView, snapshot: Snapshot) -> Table:
    title = f"{line.title}: {line.pots_reporting} of {line.pots_total} pots, {snapshot.plan}, {snapshot.time}"
    table = Table("rule", "window", "limit", "value", "verdict", "coverage", "why", title=title, title_justify="left")
    for grade in line.grades:
        limit = f"{grade.sense.replace('_', ' ')} {grade.limit:,.0f} {grade.unit}"
        cells = (
            grade.title, grade.window, limit, _value(grade), grade.verdict, f"{grade.coverage_pct:.0f} %", grade.why,
        )  # fmt: skip
        table.add_row(*(Text(cell, style=STYLES[grade.verdict]) for cell in cells))
    return table


def _value(grade: GradeView) -> str:
    """The figure and half its 95 % interval."""
    if grade.value is None:
        return "-"
    return f"{grade.value:,.0f}" + ("" if not grade.u else f" ± {1.96 * grade.u:,.0f}")
