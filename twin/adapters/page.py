"""The built-in page: the newest snapshot as HTML, as JSON and as a stream of server-sent events.

`/` the page, static files of the package; `/api/snapshot` JSON, 503 while the twin warms up; `/api/stream` event
`snapshot` whenever there is a newer one, at most one a second; `/health` {"status": "ok" or "warming up"}, 200.
Asked for on demand: `/api/line?path=site/line`, `/api/pot?path=site/line/pot`, `/api/whatif?path=site/line&voltage=-20`
with the levers of `twin.levers.CONTROLS`, `/api/anomalies?path=site/line`; 400, 404 and 503 say in `detail` what would
be allowed. The whole API is the table `twin.endpoints`.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from twin.access import Access
from twin.answers import Refused
from twin.endpoints import endpoint
from twin.errors import ConfigError
from twin.hasty import Hasty
from twin.snapshot import Snapshot
from twin.web import failed, given, problem, reply

__all__ = ["Ask", "Feed", "application", "serve"]

Ask = Callable[[str, str, Mapping[str, float]], object]  # question, path, changes of levers

HEARTBEAT_S = 15.0  # a comment this often keeps proxies from closing a quiet stream
PERIOD_S = 1.0  # one snapshot a period and client
SLACK_S = 0.25  # a snapshot may come this much early, so that a 1 Hz source is not thinned out
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY = (
    (b"content-security-policy", POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
MOST_CONNECTIONS = 256  # open at once; what is beyond is answered with 503
MOST_HEAD_BYTES = 16384  # of request line and headers


class Feed:
    """Snapshots for any number of listeners: each gets the newest, encoded once for all of them."""

    def __init__(self, latest: Callable[[], Snapshot | None], wait: Callable[[], Awaitable[None]]) -> None:
        self._latest, self._wait = latest, wait
        self._encoded: tuple[Snapshot, bytes] | None = None
        self._naps: set[asyncio.Timeout] = set()
        self.open = True

    def newest(self) -> bytes | None:
        """The newest snapshot as JSON; None while there is none."""
        snapshot = self._latest()
        if snapshot is None:
            return None
        if self._encoded is None or self._encoded[0] is not snapshot:
            self._encoded = (snapshot, msgspec.json.encode(snapshot))
        return self._encoded[1]

    def stop(self) -> None:
        """End every listener at once."""
        self.open = False
        for nap in self._naps:
            nap.reschedule(0)

    async def _nap(self, seconds: float, until: Callable[[], Awaitable[object]]) -> bool:
        """Await `until()` in this very task, so nothing can slip in between; False on time out or stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds) as nap:
                self._naps.add(nap)
                try:
                    await until()
                    return True
                finally:
                    self._naps.discard(nap)
        return False

    async def events(self) -> AsyncIterator[bytes]:
        """Server-sent events for one listener, who decides the pace: what it missed meanwhile is skipped."""
        now = asyncio.get_running_loop().time
        sent: bytes | None = None
        due = 0.0
        yield b"retry: 2000\n\n"
        while self.open:
            newest = self.newest()
            if newest is None or newest is sent:
                if not await self._nap(HEARTBEAT_S, self._wait) and self.open:
                    yield b": alive\n\n"
            elif (early := due - now()) > SLACK_S:
                await self._nap(early, asyncio.Event().wait)
            else:
                sent, due = newest, max(due, now() - SLACK_S) + PERIOD_S
                yield b"event: snapshot\ndata: " + newest + b"\n\n"


class _Page(Starlette):
    """Puts the security headers on every response, that of an unexpected error included; asks `access` first."""

    access = Access(frozenset("*"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY]
            await send(message)

        if scope["type"] == "http":
            target = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
            query = scope["query_string"].decode("latin-1")
            if denied := self.access.denied(
                scope["method"], f"{target}?{query}" if query else target, scope["headers"]
            ):
                headers = {name.decode(): value.decode() for name, value in denied.headers}
                await problem(denied.status, denied.detail, scope["path"], headers)(scope, receive, with_headers)
                return
        await super().__call__(scope, receive, with_headers)


def _static(content: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}

    async def answer(request: Request) -> Response:
        known = tag in request.headers.get("if-none-match", "")
        return Response(b"" if known else content, 304 if known else 200, headers, kind)

    return answer


def _statics() -> Iterator[Route]:
    other_names = {"index.html": "/", "icon.svg": "/favicon.ico"}
    for file in files("twin.adapters").joinpath("page_files").iterdir():
        kind = "text/javascript" if file.name.endswith(".js") else mimetypes.guess_type(file.name)[0]
        answer = _static(file.read_bytes(), kind or "application/octet-stream")
        for path in {f"/{file.name}", other_names.get(file.name, f"/{file.name}")}:
            yield Route(path, answer)


REFUSED = {"not_allowed": 400, "unknown": 404, "yet": 503}


def _question(name: str, ask: Ask) -> Route:
    """A question of `ask`, its path and its levers taken from the query."""
    row = endpoint(f"/api/{name}")

    async def respond(request: Request) -> Response:
        values = given(row, request.query_params)
        try:
            answer = ask(name, values.pop("path"), values)
        except Refused as refused:
            raise HTTPException(REFUSED[refused.why], str(refused)) from refused
        return reply(answer)

    return Route(row.path, respond)


def application(
    latest: Callable[[], Snapshot | None],
    *,
    wait: Callable[[], Awaitable[None]],
    ask: Ask,
    beside: Sequence[Route] = (),
    access: Access | None = None,
) -> Starlette:
    """The page over `latest`, the newest snapshot or None; `beside`: further routes of the same server.

    `wait()` returns when a newer one exists; every open stream awaits its own, and may cancel it. `ask` answers what
    is asked for on demand, or raises Refused. `access`: who may ask; None = everybody.
    """
    feed = Feed(latest, wait)

    async def snapshot(request: Request) -> Response:
        given(endpoint("/api/snapshot"), request.query_params)
        if (newest := feed.newest()) is None:
            raise HTTPException(503, "warming up: no measurement has been processed yet", {"retry-after": "1"})
        return reply(newest)

    async def stream(request: Request) -> Response:
        given(endpoint("/api/stream"), request.query_params)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(feed.events(), headers=headers, media_type="text/event-stream")

    async def health(request: Request) -> Response:
        return reply({"status": "warming up" if latest() is None else "ok"})

    api = [Route("/api/snapshot", snapshot), Route("/api/stream", stream), Route("/health", health)]
    asked = [_question(name, ask) for name in ("line", "pot", "whatif", "anomalies")]
    app = _Page(
        routes=[*api, *asked, *beside, *_statics()], exception_handlers={HTTPException: failed, Exception: failed}
    )
    app.state.feed = feed
    if access is not None:
        app.access = access
    return app


class _Server(uvicorn.Server):
    """uvicorn as one task among others: signals belong to whoever runs the loop."""

    ready: Callable[[], None]

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()


def _listen(host: str, port: int, settings: str) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        problem = f"cannot listen on {host}:{port}: {str(error.strerror).partition(' (')[0]}"
        raise ConfigError(f"{settings}: {problem}; choose a free port, or 0 for any") from error


async def serve(
    app: Starlette, host: str, port: int, *, ready: Callable[[str], None], settings: str = "page.host, page.port"
) -> None:
    """Serve `app` until cancelled; `ready` is told the address once it answers. Port 0 takes any free one.

    Raises ConfigError, naming `settings`, when it cannot listen there.
    """
    listener = _listen(host, port, settings)
    url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}/"
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
            server_header=False,
            http=Hasty,
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        )
    )
    server.ready = lambda: ready(url)
    feed: Feed | None = getattr(app.state, "feed", None)
    if feed is not None:
        feed.open = True
    running = asyncio.create_task(server.serve([listener]), name="page")
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        if feed is not None:
            feed.stop()
        server.should_exit = True
        await running
        raise
    finally:
        listener.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()  # a client that reads nothing would keep its stream open for ever
