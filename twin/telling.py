"""The twin's state told on the broker, as often as figures are written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from twin.announce import state_messages
from twin.errors import SourceUnavailable
from twin.log import Say
from twin.notices import Rarely
from twin.ports import Publisher
from twin.runner import Runner

__all__ = ["telling_of"]


def telling_of(
    runner: Runner, publisher: Publisher, root: str, output_s: float, say: Say
) -> Callable[[], Coroutine[Any, Any, None]]:
    """The job that publishes below `root` every `output_s` [s]; what a broker that is away misses is told later."""

    async def tell() -> None:
        told_ns, rarely = 0, Rarely(say, pause_s=600.0)
        while True:
            report = runner.report
            if report is not None and report.time_ns > told_ns:
                told_ns = report.time_ns
                try:
                    await publisher.publish(state_messages(runner.engine, report, root))
                except SourceUnavailable as error:
                    rarely.tell("state", "the twin's state is not published", problem=str(error))
            await asyncio.sleep(output_s)

    return tell
