"""`twin status`: the verdicts of a running twin, asked of its page."""

from __future__ import annotations

import urllib.error
import urllib.request

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from twin.cli_options import ConfigOption, SetOption, settings_of
from twin.codec import REASONS
from twin.errors import SourceUnavailable
from twin.files import read_secret
from twin.snapshot import GradeView, IngestView, LineView, Snapshot

__all__ = ["status"]

AHEAD_S = 1.0  # what NTP keeps in any plant
STYLES = {"pass": "", "fail": "bold red", "indeterminate": "yellow", "insufficient": "dim"}


def status(config: ConfigOption = None, words: SetOption = None) -> None:
    """Print figures and verdicts of a running twin, and whether the way in is well."""
    settings = settings_of(config, words)
    host = f"[{settings['page.host']}]" if ":" in settings["page.host"] else settings["page.host"]
    token = read_secret(settings["page.token_file"], "page.token_file")
    snapshot = _ask(f"http://{host}:{settings['page.port']}/api/snapshot", token)
    console = Console()
    for line in snapshot.lines:
        console.print(_table(line, snapshot))
    view = snapshot.ingest
    lag = "unknown" if view.lag_s is None else f"{view.lag_s:.1f} s"
    console.print(
        f"ingest: {view.received} received = {view.stored} stored + {view.parked} parked, lag {lag}", highlight=False
    )
    for trouble in _troubles(view):
        console.print(f"  {trouble}", highlight=False, markup=False)
    if view.problem:
        console.print(Text(view.problem, style="bold red"))


def _troubles(view: IngestView) -> list[str]:
    """What came in and is not as it should be, one line each."""
    lines = [f"parked, {reason}: {count}. {REASONS.get(reason, '')}" for reason, count in sorted(view.problems.items())]
    if view.collisions:
        lines.append(f"{view.collisions} readings replaced another value of the same unit, signal and time")
    if view.ahead_s is not None and view.ahead_s > AHEAD_S:
        lines.append(f"the clock of {view.ahead_unit} is {view.ahead_s:.1f} s ahead of this one; set it (NTP)")
    return lines


def _ask(url: str, token: str = "") -> Snapshot:
    """Raises SourceUnavailable when no twin answers there, or when it has no figures yet."""
    try:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
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
