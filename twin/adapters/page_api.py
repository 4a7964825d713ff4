"""The part of the HTTP API that is no question to the engine: a look back, pots, events, ingest, settings, and the
document that describes it all. Routes beside those of the page, which checks who may ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twin.endpoints import IngestAnswer, SettingView, endpoint, openapi
from twin.history import Lookback
from twin.point import Refused
from twin.snapshot import Snapshot
from twin.web import given, reply

__all__ = ["Desk", "routes"]

REFUSED = {"not_allowed": 400, "unknown": 404, "yet": 503}
Answer = Callable[..., Awaitable[object]]


@dataclass(frozen=True)
class Desk:
    """What the routes need: the newest snapshot, the look back, the way in, and the settings in force."""

    latest: Callable[[], Snapshot | None]
    back: Lookback
    ingest: Callable[[], IngestAnswer]
    settings: Callable[[], list[SettingView]]
    version: str = ""

    def newest(self) -> Snapshot:
        """The newest snapshot. Raises Refused."""
        found = self.latest()
        if found is None:
            raise Refused("yet", "warming up: no measurement has been processed yet")
        return found

    async def pots(self, path: str) -> object:
        """The pots of a line."""
        lines = self.newest().lines
        for line in lines:
            if line.path == path:
                return line.pots
        raise Refused("unknown", f"there is no line {path[:80]!r}; there is {', '.join(one.path for one in lines)}")

    async def history(
        self, path: str, fields: list[str], hours: float, points: int, end: float | None = None
    ) -> object:
        """Fields of a unit over a range."""
        return await self.back.history(path, fields, hours, end, points)

    async def events(self, path: str, hours: float, limit: int, end: float | None = None) -> object:
        """Events of a unit over a range."""
        return await self.back.events(path, hours, end, limit)

    async def fields(self, path: str) -> object:
        """What can be looked back at."""
        return self.back.fields(path)


def routes(desk: Desk) -> list[Route]:
    """The routes of a desk."""

    async def latest() -> object:
        return desk.newest().events

    async def ingest() -> object:
        return desk.ingest()

    async def settings() -> object:
        return desk.settings()

    described = openapi(desk.version)

    async def document() -> object:
        return described

    answers: dict[str, Answer] = {
        "/api/pots": desk.pots, "/api/history": desk.history, "/api/events": desk.events, "/api/fields": desk.fields,
        "/api/latest": latest, "/api/ingest": ingest, "/api/settings": settings, "/api/openapi.json": document,
    }  # fmt: skip
    return [_route(path, answer) for path, answer in answers.items()]


def _route(path: str, answer: Answer) -> Route:
    row = endpoint(path)

    async def respond(request: Request) -> Response:
        values: dict[str, Any] = given(row, request.query_params)
        try:
            return reply(await answer(**values))
        except Refused as refused:
            raise HTTPException(REFUSED[refused.why], str(refused)) from refused

    return Route(path, respond)
