"""Log lines: an event in words and its fields, for people (`console`) or one JSON object a line (`json`).

Everything that the running service says goes through one `Log`, the lines of libraries too. A secret is never written:
what is in the files of secrets that the settings name is struck out wherever it turns up, and so is what looks like a
secret (`twin.redact`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from twin.redact import redacted

__all__ = ["LEVELS", "Log", "Say"]

LEVELS = ("debug", "info", "warning", "error")
STRUCK_OUT = "***"
_SECRET_NAME = re.compile(r"password|token|secret|credential", re.I)
_SHORTEST = 4  # shorter secrets would strike out pieces of ordinary words


class Say(Protocol):
    """How the service says something: an event in fixed words, and fields for what varies."""

    def __call__(self, event: str, /, *, level: str = "info", **fields: object) -> None: ...


class _Lines:
    """What structlog writes a finished line to."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def msg(self, line: str) -> None:
        self._write(line)

    debug = info = warning = error = msg


class _StruckOut:
    """structlog processor that strikes secrets out of every text."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {name: STRUCK_OUT if _SECRET_NAME.search(name) else self._of(value) for name, value in event.items()}

    def _of(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {str(self._of(name)): self._of(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._of(inner) for inner in value]
        text = str(value)
        for secret in self._secrets:
            text = text.replace(secret, STRUCK_OUT)
        return redacted(text)


def _console(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """`2026-11-24T06:00:00Z warning store is away: problem=...`; nothing in it can steer the terminal."""
    time, level, text = event.pop("timestamp"), event.pop("level"), event.pop("event")
    trace = event.pop("exception", "")
    fields = ", ".join(f"{name}={value}" for name, value in event.items())
    line = f"{time} {level:<7} {text}{': ' if fields else ''}{fields}"
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return f"{shown}\n{trace}" if trace else shown


class Log:
    """Writes lines of at least `level` through `write`, one call a line. `secrets`: texts to strike out."""

    def __init__(self, form: str, level: str, write: Callable[[str], None], secrets: Sequence[str] = ()) -> None:
        processors: list[Processor] = [
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _StruckOut(secrets),
            structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else _console,
        ]
        number: int = getattr(logging, level.upper())
        self._level = number
        self._logger = structlog.wrap_logger(
            _Lines(write), processors=processors, wrapper_class=structlog.make_filtering_bound_logger(number)
        )

    def __call__(self, event: str, /, *, level: str = "info", **fields: object) -> None:
        getattr(self._logger, level)(event, **fields)

    @contextmanager
    def libraries(self) -> Iterator[None]:
        """Take the log lines and warnings of libraries in, as long as this lasts."""
        handler, root = _Handler(self), logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(max(self._level, logging.WARNING))  # what is of use to their developers is not to an operator
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(before)


class _Handler(logging.Handler):
    """Hands the standard library's log records to our log."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        exception = {"exc_info": record.exc_info} if record.exc_info and record.exc_info[0] else {}
        self._log(record.getMessage(), level=level if level in LEVELS else "warning", logger=record.name, **exception)
