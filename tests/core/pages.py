"""The page's server over a source of snapshots by hand, and one request to it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette

from twin.adapters import page
from twin.answers import Refused
from twin.snapshot import IngestView, Snapshot


def snapshot(number: int, plant: str = "Demo smelter") -> Snapshot:
    ingest = IngestView(True, number, number, 0, 0, 1.0, 0.5, "memory", "")
    time = f"2026-01-01T00:00:{number % 60:02d}+08:00"
    return Snapshot(time=time, plant=plant, plan="china-2025-2027", lines=[], events=[], ingest=ingest)


class Source:
    """What the service gives the page: the newest snapshot, and a way to wait for a newer one."""

    def __init__(self, newest: Snapshot | None = None) -> None:
        self.newest = newest
        self._changed = asyncio.Event()

    def publish(self, newest: Snapshot) -> None:
        self.newest = newest
        self._changed.set()
        self._changed = asyncio.Event()

    def latest(self) -> Snapshot | None:
        return self.newest

    async def wait(self) -> None:
        await self._changed.wait()

    def ask(self, question: str, path: str, changes: Mapping[str, float]) -> object:
        """Says what it was asked; a path that is the name of a reason is refused for it."""
        if path in ("unknown", "not_allowed", "yet"):
            raise Refused(path, f"refused: {path}")  # type: ignore[arg-type]
        return {"question": question, "path": path, "changes": changes}

    def feed(self) -> page.Feed:
        return page.Feed(self.latest, self.wait)


@asynccontextmanager
async def serving(app: Starlette, within_s: float = math.inf) -> AsyncIterator[int]:
    """An application on a free port; on the way out it must stop within this time [s]."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(page.serve(app, "127.0.0.1", 0, ready=address.set_result))
    try:
        yield int((await address).rstrip("/").rpartition(":")[2])
    finally:
        start = time.perf_counter()
        server.cancel()
        with suppress(asyncio.CancelledError):
            await server
        assert time.perf_counter() - start < within_s


@asynccontextmanager
async def served(source: Source) -> AsyncIterator[int]:
    """The page over `source`."""
    async with serving(page.application(source.latest, wait=source.wait, ask=source.ask), within_s=2.0) as port:
        yield port


async def ask(port: int, path: str, method: str = "GET", header: str = "") -> tuple[int, dict[str, str], bytes]:
    """One request: status, headers, and the body, of a stream only what came with the headers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: page\r\nConnection: close\r\n{header}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = b"" if path == "/api/stream" else await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(head[0].split()[1]), headers, body


def get(source: Source, path: str, method: str = "GET", header: str = "") -> tuple[int, dict[str, str], bytes]:
    async def run() -> tuple[int, dict[str, str], bytes]:
        async with served(source) as port:
            return await ask(port, path, method, header)

    return asyncio.run(run())
