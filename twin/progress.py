"""Progress of long work in time of the data: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from twin.times import iso
from twin.units import NS_PER_S

__all__ = ["Progress"]

_SHOW_S, _LINE_S = 0.2, 10.0


class Progress:
    """Shows how far work has come between two times of the data; (0, 0) = the end is not known.

    Use as a context manager; what is shown goes to standard error.
    """

    def __init__(self, what: str, first_ns: int = 0, last_ns: int = 0) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._what, self._first_ns, self._last_ns = what, first_ns, last_ns
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}", markup=False),
            console=self.console,
            auto_refresh=False,
        )
        self._task = TaskID(0)
        self._next_s = 0.0

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            known = self._last_ns > self._first_ns
            self._task = self._bars.add_task(self._what, total=1000 if known else None, note="")
            self._bars.start()
        else:
            self.say(self._what)
            self._next_s = time.monotonic() + _LINE_S
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.console.is_terminal:
            self._bars.stop()

    def say(self, text: str) -> None:
        """One line that stays."""
        self.console.print(text, markup=False, soft_wrap=True)

    def show(self, position_ns: int, note: str, *, at_once: bool = False) -> None:
        """Where the work is; shown as often as people can read it."""
        now_s = time.monotonic()
        if now_s < self._next_s and not at_once:
            return
        self._next_s = now_s + (_SHOW_S if self.console.is_terminal else _LINE_S)
        text = f"{iso(position_ns // NS_PER_S * NS_PER_S)}  {note}" if position_ns else note
        if not self.console.is_terminal:
            self.say(text)
            return
        length = max(self._last_ns - self._first_ns, 1)
        done = 1000 * (position_ns - self._first_ns) / length
        self._bars.update(self._task, completed=min(max(done, 0.0), 1000.0), note=text, refresh=True)
