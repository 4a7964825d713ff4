"""Alarms over HTTP, for the page's server: what stands, the journal, figures, and commands of people.

    GET  /api/alarms?unit=site/line&language=zh       what is not normal, the most urgent first
    GET  /api/alarms/journal?since=&until=&unit=&code=&state=&after=&limit=&format=json|jsonl|csv
    GET  /api/alarms/figures?hours=720
    POST /api/alarms/<action>?unit=&code=&why=&until=  with the header X-Alarm-User: name

A write needs that header, which no other web site can make a browser send. Where people have tokens of their own the
name is that of the token, and the header may be `-`; the list then says in X-Alarm-User who asks. Everything is in the
address: requests have no body here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twin.access import Access
from twin.alarms.chain import Entry, Selection
from twin.alarms.commands import ACTIONS, Answer, Command
from twin.alarms.figures import SPAN_H, Figures, figures_view
from twin.alarms.moved import Transition
from twin.alarms.texts import LANGUAGES
from twin.alarms.views import AlarmsView
from twin.errors import PayloadError, SinkUnavailable
from twin.times import iso, parse_time

__all__ = ["Desk", "exported", "routes"]

STATUS = {"done": 200, "nothing": 200, "unknown": 404, "not_allowed": 403, "wrong": 400}
MOST = 10_000  # rows of the journal at once
COLUMNS = ("number", "time", *Transition.__struct_fields__, "hash")
_WORDS = frozenset({"who", "why", "evidence"})  # what people wrote
FORMATS = {"json": "application/json", "jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


class Desk(Protocol):
    """What the routes need of the alarms."""

    def view(self, language: str = "", unit: str = "") -> AlarmsView: ...

    async def act(self, asked: Command) -> Answer: ...

    async def figures(self, hours: float = SPAN_H) -> list[Figures]: ...


def routes(desk: Desk, entries: Callable[[Selection], Awaitable[list[Entry]]], access: Access) -> list[Route]:
    """The routes; `access` as the page has it."""

    async def listed(request: Request) -> Response:
        query = _query(request, {"unit", "language"})
        language = query.get("language", "")
        if language and language not in LANGUAGES:
            raise HTTPException(400, f"language is one of {', '.join(LANGUAGES)}")
        answer = _json(desk.view(language, query.get("unit", "")))
        person = access.who(request.scope["headers"])
        if person is not None and person.name:
            answer.headers["x-alarm-user"] = quote(person.name)
        return answer

    async def journal(request: Request) -> Response:
        query = _query(request, {"since", "until", "unit", "code", "state", "after", "limit", "format"})
        form = query.get("format", "json")
        if form not in FORMATS:
            raise HTTPException(400, f"format is one of {', '.join(FORMATS)}")
        found = await _disk(entries(_selection(query)))
        return Response(exported(found, form), 200, {"cache-control": "no-store"}, FORMATS[form])

    async def figures(request: Request) -> Response:
        hours = _number(_query(request, {"hours"}), "hours", SPAN_H, 1e5)
        return _json([figures_view(one) for one in await _disk(desk.figures(hours))])

    def action(name: str) -> Route:
        async def respond(request: Request) -> Response:
            answer = await _disk(desk.act(_command(name, request, access)))
            return _json(answer, STATUS[answer.status])

        return Route(f"/api/alarms/{name}", respond, methods=["POST"])

    reads = [("/api/alarms", listed), ("/api/alarms/journal", journal), ("/api/alarms/figures", figures)]
    return [*(Route(path, answer) for path, answer in reads), *(action(name) for name in ACTIONS)]


async def _disk(awaited: Awaitable[Any]) -> Any:
    try:
        return await awaited
    except SinkUnavailable as error:
        raise HTTPException(503, str(error)) from error


def _query(request: Request, known: set[str]) -> dict[str, str]:
    query = dict(request.query_params)
    if unknown := next((name for name in query if name not in known), None):
        raise HTTPException(400, f"{unknown[:40]!r} is not known here: {', '.join(sorted(known))}")
    return query


def _number(query: Mapping[str, str], name: str, default: float, most: float) -> float:
    try:
        value = float(query.get(name, default))
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise HTTPException(400, f"{name} is a number from 0 to {most:g}")
    return value


def _time(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    try:
        return parse_time(int(text) if text.isdecimal() else text) if text else 0
    except PayloadError as error:
        raise HTTPException(400, f"{name}: {error.detail}") from error


def _selection(query: Mapping[str, str]) -> Selection:
    after = int(_number(query, "after", 0.0, 2**53))
    return Selection(
        _time(query, "since"), _time(query, "until"), query.get("unit", ""), query.get("code", ""),
        query.get("state", ""), after, int(_number(query, "limit", 1000, MOST)), newest="after" not in query,
    )  # fmt: skip


def _command(name: str, request: Request, access: Access) -> Command:
    query = _query(request, {"unit", "code", "why", "until"})
    said = request.headers.get("x-alarm-user", "")
    if not said:
        raise HTTPException(400, "say who you are in the header X-Alarm-User")
    try:
        said = said.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise HTTPException(400, "X-Alarm-User is not UTF-8") from None
    role = "engineer"
    if access.token or access.people:
        person = access.who(request.scope["headers"])
        if person is None:
            raise HTTPException(401, "send a token: Bearer, or as the password of its user")
        if person.name and said not in ("-", person.name):
            raise HTTPException(403, f"the token is that of {person.name}, not of {said[:64]!r}")
        said, role = person.name or said, person.role
    fields = {"action": name, "who": said, "role": role, "until_ns": _time(query, "until")}
    return msgspec.convert(fields | {key: query[key] for key in ("unit", "code", "why") if key in query}, Command)


def exported(entries: Sequence[Entry], form: str) -> bytes:
    """Rows of the journal as JSON, JSON lines or CSV; what people wrote never becomes a formula of a spreadsheet."""
    rows = [
        {"number": e.number, "time": iso(e.transition.time_ns), **msgspec.structs.asdict(e.transition), "hash": e.hash}
        for e in entries
    ]
    if form == "json":
        return msgspec.json.encode(rows)
    if form == "jsonl":
        return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _harmless(value) if name in _WORDS else value for name, value in row.items()})
    return text.getvalue().encode()


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, {"cache-control": "no-store"}, "application/json")
