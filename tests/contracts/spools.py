"""Batches for the tests of spools, and a session with one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.core.plants import NOW_NS
from twin.ports import Message, Spool

__all__ = ["MUCH", "batch", "fill", "run", "size"]

MUCH = 1 << 30


def batch(number: int, count: int = 3) -> list[Message]:
    """Messages that compress badly and hold every kind of byte."""
    return [Message(f"s/{number}/é", bytes([number % 256, n % 256, 0, 255]) + os.urandom(40)) for n in range(count)]


async def fill(spool: Spool, count: int) -> None:
    """Put batches until it refuses."""
    for n in range(1000):
        await spool.put(batch(n, count), NOW_NS + n, 1)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def run(spool: Spool, test: Callable[[Spool], Awaitable[None]]) -> None:
    async def session() -> None:
        async with asyncio.timeout(30):
            await spool.open()
            try:
                await test(spool)
            finally:
                await spool.close()

    asyncio.run(session())
