"""What the page's HTTP API is put together from: the runner, the store, the way in and the settings in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from starlette.routing import Route

from twin.adapters.page_api import Desk, routes
from twin.endpoints import IngestAnswer, ParkedView, SettingView
from twin.history import Lookback
from twin.ports import Store
from twin.redact import redacted
from twin.runner import Runner
from twin.salvage import REASONS
from twin.settings import Settings
from twin.snapshot import IngestView

__all__ = ["api_routes", "ingest_answer", "setting_views"]


def api_routes(
    settings: Settings,
    runner: Runner,
    store: Store,
    ingest: Callable[[], IngestView],
    where: Mapping[str, str],
    version: str,
) -> list[Route]:
    """The routes of the API beside the page; `where`: part -> where it is, for people."""

    def now() -> int:
        return 0 if runner.report is None else runner.report.time_ns

    back = Lookback(runner.engine.roster, store, now)
    rows = list(setting_views(settings))
    return routes(Desk(lambda: runner.latest, back, lambda: ingest_answer(ingest(), where), lambda: rows, version))


def ingest_answer(view: IngestView, where: Mapping[str, str]) -> IngestAnswer:
    """The way in, the reasons for which most was parked first."""
    counts = sorted(view.problems.items(), key=lambda item: -item[1])
    parked = [ParkedView(reason, count, REASONS.get(reason, "")) for reason, count in counts if count]
    return IngestAnswer(view, {part: redacted(text) for part, text in where.items()}, parked)


def setting_views(settings: Settings) -> Iterator[SettingView]:
    """Every setting in force, in table order, without what may be a secret."""
    for row, value, origin in settings.rows():
        shown, default = (redacted(str(one)) for one in (value, row.default))
        yield SettingView(row.name, shown, default, row.unit, row.allowed, row.environment, origin, row.help)
