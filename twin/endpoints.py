"""The HTTP API as a table, and its OpenAPI 3.1 document, whose schemas are those of the structs that are sent."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from twin.access import LONGEST_TARGET
from twin.answers import LineAnswer, PotAnswer, WhatIfAnswer
from twin.history import (
    LEAST_POINTS,
    MOST_EVENTS,
    MOST_FIELDS,
    MOST_HOURS,
    MOST_POINTS,
    EventsAnswer,
    FieldView,
    HistoryAnswer,
)
from twin.levers import CONTROLS
from twin.snapshot import EventView, IngestView, PotView, Snapshot
from twin.unusual import AnomaliesAnswer
from twin.web import UNIT, Endpoint, Parameter, Problem

__all__ = ["ENDPOINTS", "HealthView", "IngestAnswer", "ParkedView", "SettingView", "endpoint", "openapi"]

T = TypeVar("T")


class HealthView(msgspec.Struct, frozen=True):
    """Whether the process runs."""

    status: str


class ParkedView(msgspec.Struct, frozen=True):
    """How many values or messages were parked for a reason since the start, and what to do about it."""

    reason: str
    count: int
    advice: str


class IngestAnswer(msgspec.Struct, frozen=True):
    """The way in: its balance sheet, where messages come from and go to, and why some were parked."""

    balance: IngestView
    where: dict[str, str]
    parked: list[ParkedView]


class SettingView(msgspec.Struct, frozen=True):
    """A setting in force; `origin` says where its value comes from. Of secrets only the files are named."""

    name: str
    value: str
    default: str
    unit: str
    allowed: str
    environment: str
    origin: str
    help: str


_LINE = Parameter("path", "?path=site/line", required=True, pattern=UNIT)
_POT = Parameter("path", "?path=site/line/pot", required=True, pattern=UNIT)
_ANY = Parameter("path", "?path=site, site/line or site/line/pot", required=True, pattern=UNIT)
_HOURS = Parameter("hours", "how far to look back [h]", "number", default=1.0, low=0.01, high=MOST_HOURS)
_END = Parameter("end", "where the range ends [s since 1970 UTC]; else the newest data", "number", low=0, high=4.1e9)
_ASKED = (400, 404, 503)
ENDPOINTS = (
    Endpoint("/api/snapshot", "Everything that the page shows now.", Snapshot, refuses=(503,)),
    Endpoint(
        "/api/stream", "The snapshot as server-sent events `snapshot`, at most one a second, each time there is a "
        "newer one.", str, content="text/event-stream",
    ),
    Endpoint("/api/pots", "The pots of a line as they are now.", list[PotView], (_LINE,), _ASKED),
    Endpoint("/api/line", "Where the energy of a line goes, for day and month.", LineAnswer, (_LINE,), _ASKED),
    Endpoint("/api/pot", "What is estimated of a pot, and where it loses more than its line.", PotAnswer, (_POT,),
             _ASKED),
    Endpoint(
        "/api/whatif", "A line before and after changes of its levers.", WhatIfAnswer,
        (_LINE, *(Parameter(name, f"change of this lever [{c.change_unit}]", "number", low=c.low, high=c.high)
                  for name, c in CONTROLS.items())), _ASKED,
    ),
    Endpoint("/api/anomalies", "What models say of a line.", AnomaliesAnswer, (_LINE,), _ASKED),
    Endpoint("/api/fields", "What can be looked back at of a unit.", list[FieldView], (_ANY,), (400, 404)),
    Endpoint(
        "/api/history", "Fields of a unit over a range, by spans with count, least, mean and largest value.",
        HistoryAnswer,
        (
            _ANY,
            Parameter("fields", f"names of /api/fields with commas between, at most {MOST_FIELDS}", required=True,
                      pattern=r"^[a-z0-9_]{1,40}\.[a-z0-9_]{1,60}$", many=MOST_FIELDS),
            _HOURS, _END,
            Parameter("points", "spans at most, whose length is then a round one", "integer", default=600,
                      low=LEAST_POINTS, high=MOST_POINTS),
        ), _ASKED,
    ),
    Endpoint("/api/latest", "Faults that began or ended lately, of the whole plant, newest first.", list[EventView],
             refuses=(503,)),
    Endpoint(
        "/api/events", "Events of one unit over a range, newest first, a page at a time: ask again with `end` = "
        "`next`.", EventsAnswer,
        (_ANY, _HOURS, _END, Parameter("limit", "events on a page", "integer", default=200, low=1, high=MOST_EVENTS)),
        _ASKED,
    ),
    Endpoint("/api/ingest", "The balance sheet of the way in.", IngestAnswer),
    Endpoint("/api/settings", "The settings in force, without secrets.", list[SettingView]),
    Endpoint("/api/openapi.json", "This document.", dict[str, Any]),
    Endpoint("/health", "Whether the process runs.", HealthView, open=True),
)  # fmt: skip
_BY_PATH = {one.path: one for one in ENDPOINTS}
_WHY = {
    400: "The address is not as it must be.",
    401: "The token is missing or wrong.",
    404: "There is no such unit or field.",
    405: "Only GET.",
    414: f"The address is longer than {LONGEST_TARGET} characters.",
    503: "Not now: the twin warms up, the store is away, or too many ask.",
}


def endpoint(path: str) -> Endpoint:
    """The row of an address."""
    return _BY_PATH[path]


def openapi(version: str) -> dict[str, Any]:
    """The document."""
    types = [Problem, *(one.answer for one in ENDPOINTS)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    problem, *answers = schemas
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "smelter-twin",
            "version": version or "0",
            "description": "What the page shows, for other programs. Where page.token_file is set every address but "
            "/health wants its token. Numbers are in the units that names and fields tell; null = not known.",
        },
        "paths": {
            one.path: {"get": _operation(one, answer, problem)}
            for one, answer in zip(ENDPOINTS, answers, strict=True)
        },
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{}, {"token": []}, {"password": []}],
    }  # fmt: skip


def _operation(one: Endpoint, answer: dict[str, Any], problem: dict[str, Any]) -> dict[str, Any]:
    everywhere = (414, *(() if one.open else (401,)), *((400,) if one.path.startswith("/api/") else ()))
    codes = sorted({*one.refuses, *everywhere})
    refusals = {
        str(code): {"description": _WHY[code], "content": {"application/problem+json": {"schema": problem}}}
        for code in codes
    }
    return {
        "operationId": one.path.removeprefix("/api").strip("/").partition(".")[0],
        "summary": one.summary,
        "parameters": [_parameter(parameter) for parameter in one.parameters],
        "responses": {"200": {"description": "The answer.", "content": {one.content: {"schema": answer}}}, **refusals},
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string" if one.kind == "text" else one.kind}
    told = {"default": one.default, "minimum": one.low, "maximum": one.high, "pattern": one.pattern or None}
    schema |= {name: value for name, value in told.items() if value is not None}
    if one.choices:
        schema["enum"] = list(one.choices)
    found: dict[str, Any] = {"name": one.name, "in": "query", "required": one.required, "description": one.help}
    if one.many:
        schema = {"type": "array", "items": schema, "minItems": 1, "maxItems": one.many}
        found |= {"style": "form", "explode": False}
    return found | {"schema": schema}
