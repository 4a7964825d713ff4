"""For the machines that watch: `/health`, `/ready` and `/metrics`, beside the page or on a port of their own.

`/health` answers 200 as long as the process runs its loop; `/ready` 200, or 503 with the reasons; `/metrics` in the
format of Prometheus or OpenMetrics, as the question asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["application", "routes"]

Reasons = Callable[[], Sequence[tuple[str, str]]]  # part and why it is not ready
Text = Callable[[str], Awaitable[tuple[bytes, str]]]  # what is accepted -> the metrics and their content type


def routes(reasons: Reasons, metrics: Text, remarks: Reasons = tuple) -> list[Route]:
    """The routes, for an application that has others too. `remarks` are told with `/ready` and make nothing unready."""

    async def health(request: Request) -> Response:
        return _json({"status": "ok"}, 200)

    async def ready(request: Request) -> Response:
        found = [{"part": part, "reason": reason} for part, reason in reasons()]
        beside = [{"part": part, "remark": remark} for part, remark in remarks()]
        told = {"remarks": beside} if beside else {}
        return _json({"ready": not found, "reasons": found, **told}, 503 if found else 200)

    async def scraped(request: Request) -> Response:
        body, kind = await metrics(request.headers.get("accept", ""))
        return Response(body, 200, {"cache-control": "no-store", "content-type": kind})

    return [Route("/health", health), Route("/ready", ready), Route("/metrics", scraped)]


def application(reasons: Reasons, metrics: Text, remarks: Reasons = tuple) -> Starlette:
    """The three alone, for a process without page."""
    return Starlette(routes=routes(reasons, metrics, remarks))


def _json(content: object, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, {"cache-control": "no-store"}, "application/json")
