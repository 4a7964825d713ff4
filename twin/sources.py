"""Several sources as one: what each delivers goes the same way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from twin.ports import Delivery, Source

__all__ = ["Together"]


class Together:
    """Source port over several; ends when all have ended. Deliveries of one source keep their order."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    async def deliveries(self) -> AsyncIterator[Delivery]:
        queue: asyncio.Queue[Delivery | BaseException | None] = asyncio.Queue(1)

        async def pump(source: Source) -> None:
            try:
                async for delivery in source.deliveries():
                    await queue.put(delivery)
            except Exception as error:
                await queue.put(error)
            else:
                await queue.put(None)

        tasks = [asyncio.create_task(pump(source), name="source") for source in self._sources]
        try:
            going = len(tasks)
            while going:
                found = await queue.get()
                if found is None:
                    going -= 1
                elif isinstance(found, BaseException):
                    raise found
                else:
                    yield found
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
