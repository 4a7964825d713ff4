"""The real page server in a thread, and the synthetic snapshots it shows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files

from playwright.sync_api import Page
from starlette.routing import Route

from tests.alarms.test_desk import say
from tests.core.desks import NEWEST, URL, written
from tests.core.plants import engine_of
from tests.core.told import estimate, figures, report_of
from twin import plant
from twin.access import Access
from twin.adapters import alarm_http, page, page_api
from twin.adapters.alarm_memory import MemoryBook
from twin.adapters.memory import FakeClock, MemorySink
from twin.alarm_desk import AlarmDesk
from twin.alarms.chain import Entry, Selection
from twin.alarms.routing import AlarmFile
from twin.answers import answer
from twin.endpoints import IngestAnswer
from twin.engine import Engine, Settings
from twin.frames import Event, Readings, Report
from twin.history import Lookback
from twin.judge_thread import JudgeThread
from twin.page_parts import ingest_answer, setting_views
from twin.plant import Roster
from twin.settings import resolve
from twin.snapshot import EventView, GradeView, IngestView, LineView, PotView, Snapshot
from twin.units import NS_PER_S

SOURCE = "Implementation Plan for the High-Quality Development of the Aluminum Industry (2025-2027)"
WIDE = (1440, 900)
PHONE = (380, 844)
Open = Callable[..., Page]


def overflow(page: Page) -> int:
    """By how much the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def demo() -> Engine:
    """The twin of the demo plant: line demo/A with 60 pots."""
    text = (files("twin") / "plants" / "demo.toml").read_text("utf-8")
    return engine_of(Roster(plant.parse(text, "demo")), Settings(estimate=True))


def told(engine: Engine, *, explained: bool = True) -> Report:
    """What the twin is asked about: every pot 10 mV above the one before, some states known."""
    windows = (figures(engine, window, explained=explained) for window in ("day", "month"))
    return report_of(engine, *windows, believed=estimate(engine))


def pot(number: int, letter: str = "A", *, shift: float = 0.0) -> PotView:
    """A normal pot; `shift` moves every figure a little, as one second does."""
    voltage = 3.95 + 0.001 * (number % 60) + shift
    energy = 12_900.0 + number % 60 + 100 * shift
    return PotView(f"{letter}{number:03d}", (number - 1) // 20 + 1, voltage, 954.6, energy, 60.0, "pass", False, [])


def grade(metric: str, window: str, limit: float, value: float | None, *, scope: str = "line") -> GradeView:
    margin = None if value is None else limit - value
    verdict = "insufficient" if margin is None else "pass" if margin >= 0 else "fail"
    u = None if value is None else 10.0
    title = f"{metric} at most {limit:.0f}"
    return GradeView(
        f"{metric}-{limit:.0f}", title, scope, metric, "kWh/t", window, "at_most", limit, value, u, margin,
        None if margin is None else float(margin >= 0), verdict, 99.5, "", SOURCE, "P",
    )  # fmt: skip


def line(pots: Sequence[PotView], letter: str = "A") -> LineView:
    energy: dict[str, dict[str, float | None]] = {
        "dc": {"hour": 12_741.0, "shift": 12_698.0, "day": None},
        "ac_liquid": {"hour": 13_021.0, "shift": 12_935.0, "day": None},
        "ac_comprehensive": {"hour": 13_388.0, "shift": 13_291.0, "day": None},
    }
    grades = [
        *(grade("ac_liquid", window, 13_000.0, value) for window, value in energy["ac_liquid"].items()),
        *(grade("ac_liquid", window, 13_350.0, value) for window, value in energy["ac_liquid"].items()),
        *(grade("ac_comprehensive", window, 13_300.0, value) for window, value in energy["ac_comprehensive"].items()),
    ]
    return LineView(
        path=f"demo/{letter}", title=f"Potline {letter}", current_ka=499.62, voltage_v=241.3,
        pots_total=len(pots), pots_reporting=sum(not each.stale for each in pots),
        pot_metric="ac_liquid", pot_window="shift", pot_limit=13_000.0,
        voltage_band_v=(3.85, 4.15), temperature_band_c=(945.0, 965.0), energy=energy,
        production_t={"hour": 9.5, "shift": 51.2, "day": 94.8},
        coverage_pct={"hour": 99.5, "shift": 99.5, "day": 41.0}, grades=grades, pots=list(pots),
    )  # fmt: skip


def snapshot(lines: Sequence[LineView], events: Sequence[EventView] = (), *, second: int = 0) -> Snapshot:
    ingest = IngestView(True, 1_284_301 + second, 1_284_298, 3, 12, 61.2, 0.42, "DuckDB", "")
    time = f"2026-01-01T13:{second // 60:02d}:{second % 60:02d}+08:00"
    return Snapshot(time, "Demo smelter", "china-2025-2027", list(lines), list(events), ingest)


def potline(count: int = 60, *, second: int = 0) -> Snapshot:
    """One line of `count` normal pots; every figure differs from second to second."""
    return snapshot([line([pot(n, shift=0.001 * (second % 50)) for n in range(1, count + 1)])], second=second)


class Site:
    """The page on one port, served by the real `serve` from another thread; it can be stopped and started again."""

    def __init__(self) -> None:
        self.url = ""
        self._port = 0
        self._newest: Snapshot | None = None
        self._changed = asyncio.Event()
        self.engine = demo()
        self.store: MemorySink = written()
        self.report: Report | None = told(self.engine)
        self.judge: JudgeThread | None = None
        self.access = Access()
        self.clock = FakeClock(NEWEST)
        self.book = MemoryBook()
        self.desk = AlarmDesk(self.engine.roster, AlarmFile(), self.book, self.clock, say)

    def start(self) -> None:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(started)), name="page")
        self._thread.start()
        assert started.wait(10), "the page does not start"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
        assert not self._thread.is_alive(), "the page does not stop"

    def happens(self, faults: Mapping[str, Sequence[str]], *, began: bool = True, wait_s: int = 2000) -> None:
        """Tell the desk of faults, code -> paths, and let `wait_s` pass."""

        def hear() -> None:
            told_by = self.report
            assert told_by is not None
            events = [
                Event(self.clock.time_ns, self.engine.roster.codes[path], code, began, "high", 980.0, 975.0)
                for code, paths in faults.items()
                for path in paths
            ]
            self.desk.hear(
                Readings.empty(),
                Report(self.clock.time_ns, told_by.pots, told_by.lines, (), (), tuple(events), told_by.active),
            )
            self.clock.time_ns += wait_s * NS_PER_S
            self.desk.tick()
            done.set()

        done = threading.Event()
        self._loop.call_soon_threadsafe(hear)
        assert done.wait(10), "the desk hears nothing"

    def publish(self, newest: Snapshot | None) -> None:
        self._loop.call_soon_threadsafe(self._change, newest)

    def _change(self, newest: Snapshot | None) -> None:
        self._newest = newest
        self._changed.set()
        self._changed = asyncio.Event()

    def _ask(self, question: str, path: str, changes: Mapping[str, float]) -> object:
        return answer(self.engine, self.report, question, path, changes, self.judge)

    def _beside(self) -> list[Route]:
        """The API over the hour before NEWEST, with the snapshot's own sheet of the way in."""
        rows = list(setting_views(resolve(environment={"SMELTER_MQTT_URL": URL})))
        back = Lookback(self.engine.roster, self.store, lambda: NEWEST)

        def ingest() -> IngestAnswer:
            assert self._newest is not None
            return ingest_answer(self._newest.ingest, {"broker": URL, "store": "DuckDB"})

        async def entries(chosen: Selection) -> list[Entry]:
            return self.book.entries(chosen)

        alarms = alarm_http.routes(self.desk, entries, self.access)
        return [*page_api.routes(page_api.Desk(lambda: self._newest, back, ingest, lambda: rows)), *alarms]

    async def _run(self, started: threading.Event) -> None:
        def ready(url: str) -> None:
            self.url = url
            self._port = int(url.rstrip("/").rpartition(":")[2])
            started.set()

        async def wait() -> None:
            await self._changed.wait()

        self._loop = asyncio.get_running_loop()
        app = page.application(lambda: self._newest, wait=wait, ask=self._ask, beside=self._beside())
        self._task = asyncio.create_task(page.serve(app, "127.0.0.1", self._port, ready=ready))
        working = asyncio.create_task(self.desk.run())
        with suppress(asyncio.CancelledError):
            await self._task
        working.cancel()


@contextmanager
def running() -> Iterator[Site]:
    site = Site()
    site.start()
    try:
        yield site
    finally:
        site.stop()
