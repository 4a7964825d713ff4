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
    """Shows a running twin until cancelled: a picture of it on a terminal, log lines elsewhere and with `lines_only`.

    `write` takes finished log lines; under the picture the last of them stand.
    """

    def __init__(self, console: Console, *, lines_only: bool = False) -> None:
        self.console = console
        self._pictures = console.is_terminal and not lines_only
        self._notices: deque[str] = deque(maxlen=_SHOWN_NOTICES)

    def write(self, line: str) -> None:
        """Show a finished log line."""
        self._notices.append(line)
        if not self._pictures:
            self.console.file.write(line + "\n")
            self.console.file.flush()

    async def watch(self, twin: Twin) -> None:
        """Show the twin until cancelled."""
        if not self._pictures:
            await self._lines(twin)
            return
        with Live(self.render(twin), console=self.console, auto_refresh=False, transient=False) as live:
            while True:
                await asyncio.sleep(1.0)
                live.update(self.render(twin), refresh=True)

    async def _lines(self, twin: Twin) -> None:
        """What runs and where, then one line a minute."""
        for name, place in twin.where.items():
            if name != "page":  # that is said when it answers
                twin.say(f"{name}: {place}")
        while True:
            await asyncio.sleep(60.0)
            view = twin.ingest_view()
            lag_s = None if view.lag_s is None else round(view.lag_s, 1)
            rate = round(view.messages_per_s, 1)
            twin.say("ingest", received=view.received, stored=view.stored, parked=view.parked, messages_per_s=rate,
                     lag_s=lag_s)  # fmt: skip

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
