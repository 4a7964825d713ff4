"""`twin report`: a day, a month or a year as HTML, JSON or CSV, from the figures that the twin wrote to its store."""

from __future__ import annotations

import shlex
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from twin import kpis, plan
from twin.adapters.alarm_book import SqliteBook
from twin.adapters.figures import DuckFigures, InfluxFigures
from twin.alarm_parts import alarm_file_of
from twin.alarms.routing import areas_of
from twin.cli_options import ConfigOption, SetOption, product_version, run_process, settings_of
from twin.errors import ConfigError, SinkUnavailable
from twin.files import read_config
from twin.parts import influx_of, roster_of
from twin.plan import Plan
from twin.plant import Line, Plant, Roster, Site
from twin.progress import Progress
from twin.report.alarm_data import AlarmSystemView
from twin.report.alarms import alarm_system, of_lines
from twin.report.book import LINE, Book, read_book, read_site
from twin.report.compose import Made, compose, pot_metric
from twin.report.data import PeriodReport, SettingView
from twin.report.page import html
from twin.report.period import Period, parse_period, span
from twin.report.source import FigureStore
from twin.report.table import csv_text
from twin.settings import Settings
from twin.units import NS_PER_S
from twin.windows import Calendar

__all__ = ["report"]

_KINDS = (".html", ".json", ".csv")
_RESTS_ON = ("plant.", "plan.", "engine.")  # settings that figures rest on


def report(
    config: ConfigOption = None,
    words: SetOption = None,
    day: Annotated[str | None, typer.Option(help="A day, such as 2026-10-07.")] = None,
    month: Annotated[str | None, typer.Option(help="A month, such as 2026-10.")] = None,
    year: Annotated[str | None, typer.Option(help="A year, such as 2026.")] = None,
    line: Annotated[list[str] | None, typer.Option(help="Only this line: A or demo/A; may be repeated.")] = None,
    to: Annotated[list[Path] | None, typer.Option(help="FILE.html, .json or .csv; may be repeated.")] = None,
    baseline: Annotated[str | None, typer.Option(help="Compare with this period; else the one before.")] = None,
    plan_file: Annotated[
        str | None, typer.Option("--plan", help="Plan file, instead of the setting plan.file.")
    ] = None,
) -> None:
    """Report on a day, a month or a year: energy, losses, the plan, pots, emissions, data quality, alarms."""
    period = _period(day, month, year)
    before = parse_period(baseline, "--baseline") if baseline else period.before()
    if before == period:
        raise ConfigError(f"--baseline {baseline} is the reported period itself; take another one")
    files = _files(to, period)
    settings = settings_of(config, words, plan__file=plan_file)
    roster = roster_of(settings)
    chosen = _lines(roster.plant, line or [])
    text, where = read_config(settings["plan.file"], "plans", "plan.file")
    rules = plan.parse(text, where, kpis.METRICS)
    store = _store(settings, roster)

    async def process() -> None:
        try:
            await store.open()
            made = _made(settings, store)
            books = await _read(store, chosen, period, before, rules)
            if all(book.empty for book in books):
                raise ConfigError(await _nothing(store, chosen, period))
            sites = {site.id: await read_site(store, site, period) for site, _ in chosen}
            whole = len(chosen) == len(list(roster.plant.lines()))
            made_of = (roster.plant, rules, period, before, books, made)
            _write(compose(*made_of, alarms=_alarms(settings, roster, chosen, period), whole=whole, sites=sites), files)
        finally:
            await store.close()

    run_process(process)


def _period(day: str | None, month: str | None, year: str | None) -> Period:
    given = [(kind, text) for kind, text in (("day", day), ("month", month), ("year", year)) if text is not None]
    if len(given) != 1:
        raise ConfigError(f"give one of --day, --month and --year, such as --month 2026-10; {len(given)} were given")
    return parse_period(given[0][1], f"--{given[0][0]}", given[0][0])


def _files(to: list[Path] | None, period: Period) -> list[Path]:
    files = to or [Path(f"report-{period.words}.html")]
    for file in files:
        if file.suffix.lower() not in _KINDS:
            raise ConfigError(f"--to {file} is not allowed; its name ends with {', '.join(_KINDS)}")
        if not file.absolute().parent.is_dir():
            raise ConfigError(f"--to {file}: there is no folder {file.absolute().parent}")
    return files


def _lines(plant: Plant, names: list[str]) -> list[tuple[Site, Line]]:
    """The lines that are named, in the plant's order; all of them when none is."""
    lines = {f"{site.id}/{line.id}": (site, line) for site, line in plant.lines()}
    if not names:
        return list(lines.values())
    chosen = set()
    for name in names:
        fits = [path for path in lines if name in (path, path.rsplit("/", 1)[1])]
        if not fits:
            raise ConfigError(f"--line {name}: there is no such line; there are {', '.join(lines)}")
        if len(fits) > 1:
            raise ConfigError(f"--line {name} is more than one line: {', '.join(fits)}; name it with its site")
        chosen.add(fits[0])
    return [one for path, one in lines.items() if path in chosen]


def _store(settings: Settings, roster: Roster) -> FigureStore:
    """The store of `sink.url`, to read."""
    url: str = settings["sink.url"]
    scheme, _, rest = url.partition(":")
    if scheme == "duckdb":
        return DuckFigures(Path(rest) if rest else Path(settings["data.dir"]) / "twin.duckdb")
    if scheme in ("influx", "influxs"):
        from twin.adapters.influx import target

        where = target(url)
        store = influx_of(where, settings, roster)
        policy = where.bucket.partition("/")[2]
        name = f"{where.url}/{where.bucket}"
        return InfluxFigures(store.query, name, policy=policy, begin=store.open, finish=store.close)
    raise ConfigError(
        f"sink.url = {url!r} keeps nothing to report on; give the twin's store: duckdb:FILE or influx://host:port/bucket"
    )


async def _read(
    store: FigureStore, chosen: list[tuple[Site, Line]], period: Period, before: Period, rules: Plan
) -> list[Book]:
    window = span(period, Calendar(chosen[0][0]))
    with Progress(f"reading {store.name}", window.start_ns, window.end_ns) as progress:
        return [
            await read_book(store, site, line, period, before, pot_metric(rules), progress.show)
            for site, line in chosen
        ]


def _alarms(settings: Settings, roster: Roster, chosen: list[tuple[Site, Line]], period: Period) -> AlarmSystemView:
    """Figures from the journal in data.dir, which a running twin may have open; without one the reason."""
    file = Path(settings["data.dir"]) / "alarms.sqlite"
    positions = of_lines(areas_of(alarm_file_of(settings, roster), roster.plant), chosen)
    if not file.exists():
        return AlarmSystemView("there is no such file; the twin keeps it in data.dir", str(file), None, [])
    try:
        book = SqliteBook(file, read_only=True)
        try:
            return alarm_system(book, str(file), positions, period, time.time_ns())
        finally:
            book.close()
    except (ConfigError, SinkUnavailable) as error:  # figures of energy do not hang on those of alarms
        return AlarmSystemView(str(error), str(file), None, [])


async def _nothing(store: FigureStore, chosen: list[tuple[Site, Line]], period: Period) -> str:
    """That there is no data, and of which periods there is."""
    there: set[str] = set()
    for site, line in chosen:
        path = f"{site.id}/{line.id}"
        for start_ns in await store.starts(LINE, f"coverage_pct_{period.kind}", path):
            at = datetime.fromtimestamp(int(start_ns) // NS_PER_S, UTC).astimezone(site.zone()).date()
            there.add(Period(period.kind, at).words)
    who = ", ".join(f"{site.id}/{line.id}" for site, line in chosen)
    known = sorted(there)
    if not known:
        asked = "has the twin run on this store, with this plant file?"
        return f"{store.name} has no figures of a {period.kind} of {who}; {asked}"
    some = ", ".join(known if len(known) <= 12 else [*known[:6], "...", *known[-5:]])
    return f"{store.name} has no figures of {period.words} of {who}; there is data of {some}"


def _made(settings: Settings, store: FigureStore) -> Made:
    shown = tuple(
        SettingView(row.name, str(value), row.unit, origin)
        for row, value, origin in settings.rows()
        if row.name.startswith(_RESTS_ON)
    )
    how = shlex.join(["twin", *sys.argv[1:]])
    return Made(product_version(), time.time_ns(), how, store.name, shown, float(settings["engine.current_efficiency"]))


def _write(found: PeriodReport, files: list[Path]) -> None:
    for file in files:
        kind = file.suffix.lower()
        if kind == ".html":
            text = html(found)
        elif kind == ".json":
            text = msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"
        else:
            text = csv_text(found)
        try:
            file.write_text(text, "utf-8")
        except OSError as error:
            raise ConfigError(f"--to {file} cannot be written: {error}") from error
        print(f"wrote {file}", file=sys.stderr)  # noqa: T201
