"""The terminal: what runs, where the page is, rates and lag; plain lines where there is no terminal."""

from __future__ import annotations

import asyncio
from collections import deque

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from twin.redact import redacted
from twin.service import Twin
from twin.settings import SETTINGS, Settings
from twin.signals import SIGNALS

__all__ = ["Terminal", "settings_table", "signals_table"]

_SHOWN_NOTICES = 4


class Terminal:
    """Shows a running twin until cancelled. `say` keeps the last notices (outages, recoveries)."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._notices: deque[str] = deque(maxlen=_SHOWN_NOTICES)

    def say(self, text: str) -> None:
        self._notices.append(text)
        if not self.console.is_terminal:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    async def watch(self, twin: Twin) -> None:
        if not self.console.is_terminal:
            await self._lines(twin)
            return
        with Live(self.render(twin), console=self.console, auto_refresh=False, transient=False) as live:
            while True:
                await asyncio.sleep(1.0)
                live.update(self.render(twin), refresh=True)

    async def _lines(self, twin: Twin) -> None:
        """What runs and where, then one line a minute."""
        for name, place in twin.where.items():
            self.say(f"{name}: {place}")
        while True:
            await asyncio.sleep(60.0)
            view = twin.ingest_view()
            lag = "unknown" if view.lag_s is None else f"{view.lag_s:.1f} s"
            counts = f"received {view.received}, stored {view.stored}, parked {view.parked}"
            self.say(f"{counts}, {view.messages_per_s:.0f}/s, lag {lag}")

    def render(self, twin: Twin) -> Panel:
        """The whole screen of `twin up`."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", min_width=10)
        grid.add_column()
        if page := twin.where.get("page"):
            grid.add_row("page", Text(page, style=f"bold link {page}"))
        for name in ("broker", "simulator", "store"):
            if place := twin.where.get(name):
                grid.add_row(name, place)
        view = twin.ingest_view()
        if twin.source is not None:
            state = Text("connected") if view.connected else Text(view.problem, style="bold red")
            grid.add_row("ingest", state)
            parked = Text(f"{view.parked} parked", style="bold yellow" if view.parked else "dim")
            grid.add_row("messages", Text.assemble(f"{view.received} received, {view.stored} stored, ", parked))
            lag = "no data yet" if view.lag_s is None else f"{view.lag_s:.1f} s behind the plant"
            grid.add_row("rate", f"{view.messages_per_s:.0f} messages/s, {lag}")
            if view.connected and view.problem:
                grid.add_row("store", Text(view.problem, style="bold red"))
        latest = twin.runner.latest if twin.runner else None
        for line in latest.lines if latest else ():
            value = line.energy["ac_liquid"]["hour"]
            shown = "no figure yet" if value is None else f"{value:,.0f} kWh/t AC this hour"
            grid.add_row(line.title, f"{line.pots_reporting} of {line.pots_total} pots reporting, {shown}")
        notices = [Text(notice, style="dim") for notice in self._notices]
        return Panel(Group(grid, *notices), title="smelter-twin", subtitle="Ctrl-C stops", title_align="left")


def settings_table(settings: Settings) -> Table:
    """Every setting with unit, default, value and where the value came from."""
    table = Table("setting", "value", "unit", "default", "from", "meaning", title="Settings", expand=False)
    for setting, value, origin in settings.rows():
        style = "" if origin == "default" else "bold"
        meaning = f"{setting.help} [{setting.allowed}; {setting.environment}]"
        row = (setting.name, redacted(str(value)), setting.unit, str(setting.default), origin, meaning)
        table.add_row(*(Text(cell, style=style) for cell in row))
    assert len(table.rows) == len(SETTINGS)
    return table


def signals_table() -> Table:
    """The signal table as it stands in the code."""
    table = Table("signal", "unit", "from", "to", "topic", "measurement", "meaning", title="Signals")
    for signal in SIGNALS:
        table.add_row(
            signal.name,
            signal.unit,
            f"{signal.low:g}",
            f"{signal.high:g}",
            signal.topic,
            signal.measurement,
            signal.help,
        )
    return table
