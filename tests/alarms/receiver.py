"""A web server that receives webhooks and can fail, hang and hang up, and one that receives mail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import HOST, free_port

Behaviour = Callable[[int], str]  # number of the request from 0 -> "ok", a status, "hang" or "lost": taken, not said


@dataclass
class Receiver:
    """`requests`: (headers, body) of all; `done`: keys that it took, each once, as a good receiver does."""

    behaviour: Behaviour = lambda n: "ok"
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    url: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        number = len(self.requests)
        body = await request.read()
        self.requests.append((dict(request.headers), body))
        self.news.set()
        does = self.behaviour(number)
        if does == "hang":
            await asyncio.sleep(3600)
        if does in ("ok", "lost"):
            key = request.headers.get("Idempotency-Key", str(number))
            (self.repeated if key in self.done else self.done).append(key)
        if does == "lost":  # taken, and then the line is cut before the answer
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=200 if does == "ok" else int(does), text="as told")

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.requests]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when a request has made it true."""
        while not condition():
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def receiving(behaviour: Behaviour = lambda n: "ok") -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver(behaviour)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    receiver.url = f"http://{HOST}:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


class Mailbox:
    """An SMTP server; `answers` are given one a mail instead of 250."""

    def __init__(self, answers: list[str] | None = None) -> None:
        self.answers = answers or []
        self.mails: list[EmailMessage] = []
        self.port = free_port()
        self._controller = Controller(self, hostname=HOST, port=self.port)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = BytesParser(EmailMessage, policy=default).parsebytes(envelope.content)
            self.mails.append(message)
        return answer

    def __enter__(self) -> Mailbox:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
