"""What the HTTP API is made of: an endpoint as a row, the values of its query, and problems as JSON (RFC 9457).

A row says what may be asked; the check of the query, the OpenAPI document and the reference page follow from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

__all__ = ["UNIT", "Endpoint", "Parameter", "Problem", "failed", "given", "problem", "reply"]

UNIT = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}){0,2}$"
ADVICE = {
    400: "Correct the address; /api/openapi.json lists every parameter and what it may be.",
    401: "Send the token of page.token_file.",
    404: "/api/openapi.json lists the addresses, /api/snapshot the lines and their pots.",
    405: "Ask with GET.",
    500: "The log of the twin tells more.",
    503: "Ask again in some seconds.",
}


class Problem(msgspec.Struct, frozen=True):
    """Why there is no answer: `detail` says what is wrong, `instance` where, `advice` what to do about it."""

    title: str
    status: int
    detail: str
    instance: str
    advice: str
    type: str = "about:blank"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may stand in a query. `many`: several, with commas between, each of `pattern`; `choices`: one of these."""

    name: str
    help: str
    kind: Literal["text", "number", "integer"] = "text"
    required: bool = False
    default: float | str | None = None
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    many: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address. `answer`: type of the JSON that it gives, or the kind of text; `refuses`: with these codes."""

    path: str
    summary: str
    answer: Any
    parameters: tuple[Parameter, ...] = ()
    refuses: tuple[int, ...] = ()
    content: str = "application/json"
    open: bool = False  # without a token too


def reply(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that nobody keeps."""
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return Response(body, status, {"cache-control": "no-store", **(headers or {})}, "application/json")


def problem(status: int, detail: str, where: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as JSON; `where` is the path that was asked for."""
    said = Problem(HTTPStatus(status).phrase, status, detail, where[:80], ADVICE.get(status, ADVICE[400]))
    answer = reply(said, status, headers)
    answer.headers["content-type"] = "application/problem+json"
    return answer


async def failed(request: Request, error: Exception) -> Response:
    """The answer to what went wrong; of an unexpected error it says nothing."""
    where = request.scope["path"]
    if isinstance(error, HTTPException):
        return problem(error.status_code, error.detail, where, error.headers)
    return problem(500, "internal error", where)


def given(endpoint: Endpoint, query: QueryParams) -> dict[str, Any]:
    """The values of a query, defaults where none is given and there is one. Raises HTTPException 400."""
    known = {parameter.name: parameter for parameter in endpoint.parameters}
    found: dict[str, Any] = {}
    for name, text in query.multi_items():
        if name not in known:
            names = ", ".join(known) or "nothing"
            raise HTTPException(400, f"{name[:40]!r} is not known here: only {names}")
        if name in found:
            raise HTTPException(400, f"{name} is given twice")
        found[name] = _value(known[name], text)
    for parameter in endpoint.parameters:
        if parameter.name not in found:
            if parameter.required:
                raise HTTPException(400, f"{parameter.name} is missing: {parameter.help}")
            if parameter.default is not None:
                found[parameter.name] = parameter.default
    return found


def _value(parameter: Parameter, text: str) -> Any:
    name, shown = parameter.name, text[:40]
    if parameter.kind == "text":
        parts = text.split(",") if parameter.many else [text]
        if parameter.many and len(parts) > parameter.many:
            raise HTTPException(400, f"{name}: {len(parts)} are too many, at most {parameter.many}")
        if parameter.choices and text not in parameter.choices:
            raise HTTPException(400, f"{name}={shown!r} is not one of {', '.join(parameter.choices)}")
        if parameter.pattern and not all(re.fullmatch(parameter.pattern, part) for part in parts):
            raise HTTPException(400, f"{name}={shown!r} is not of the form {parameter.pattern}")
        return parts if parameter.many else text
    try:
        value = float(text)
        wrong = not math.isfinite(value) or (parameter.kind == "integer" and value != int(value))
    except ValueError:
        wrong = True
    if wrong or not re.fullmatch(r"[-+0-9.eE]+", text):
        kind = "a whole number" if parameter.kind == "integer" else "a number"
        raise HTTPException(400, f"{name}={shown!r} is not {kind}")
    low, high = (bound if bound is not None else far for bound, far in
                 ((parameter.low, -math.inf), (parameter.high, math.inf)))  # fmt: skip
    if not low <= value <= high:
        raise HTTPException(400, f"{name}={shown} is not allowed: {low:g} to {high:g}")
    return int(value) if parameter.kind == "integer" else value
