"""`python -m tests.alarms.sender BOOK URL`: sends what waits in a book to a webhook, then ends. To be killed."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from twin.adapters.alarm_book import SqliteBook
from twin.adapters.notify_webhook import WebhookChannel
from twin.dispatch import Dispatcher, Limits


class Clock:
    """The wall clock."""

    def now_ns(self) -> int:
        return time.time_ns()


def say(event: str, /, *, level: str = "info", **fields: object) -> None:
    """To nobody."""


async def main(path: str, url: str) -> None:
    """Send everything, in order."""
    book = SqliteBook(Path(path))
    channel = WebhookChannel(url, Clock(), secret="shared secret")
    sender = Dispatcher("hook", channel, Limits(1000, 1000), book, Clock(), say, first_pause_s=0.01)
    while (pause_s := await sender.step()) < 3600.0:  # noqa: ASYNC110 - the pauses are the sender's own
        await asyncio.sleep(pause_s)
    await channel.close()
    book.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
