"""What an error answer of a database means for the batch: an outage, or readings that it will never take.

Which of the two it is stands in the body, not in the code: the same conflict of types is 500, 422 or 400 by server
version (F12), and a partial write answers with an error after the good lines were stored (F9).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from twin.errors import SinkRejected, SinkUnavailable

__all__ = ["judged"]

# What cannot get better by sending it again, most particular first: reason of `salvage.REASONS`, what the body says.
_FINAL = (
    ("type_conflict", re.compile(r"field type conflict|already exists as type|invalid column type", re.I)),
    ("beyond_retention", re.compile(r"(?:beyond|outside) (?:the )?retention", re.I)),
    (
        "refused",
        re.compile(
            r"unable to parse|failed to parse|partial write|invalid (?:field|boolean|number|timestamp)"
            r"|max-(?:values-per-tag|series-per-database) limit",
            re.I,
        ),
    ),
)
_TOO_LARGE = 413  # the same batch never gets smaller by waiting: the ingest divides what is rejected
_LONGEST = 2000  # characters of an answer that are kept; it is another's text
_FIELD = re.compile(r'input field \\*"([^"\\]+)\\*" on measurement \\*"([^"\\]+)\\*"')
_DROPPED = re.compile(r"dropped[=\s](\d+)")
_NAMED = re.compile(r"unable to parse '([^\n]*?)': ")
_HINTS = {
    401: "; check sink.token_file",
    403: "; the token of sink.token_file may not write to this bucket",
    404: "; create the database or bucket that sink.url names",
}


def judged(status: int | None, said: str, sent: bytes) -> SinkUnavailable | SinkRejected:
    """The error to raise for an answer with this code and body to the line protocol `sent`.

    SinkRejected carries the reason, the (measurement, field) pairs and the lines that the body names, and whether
    every line that was sent is refused.
    """
    text = said[:_LONGEST]
    reason = next((name for name, words in _FINAL if words.search(text)), "")
    if not reason and status != _TOO_LARGE:
        return SinkUnavailable(f"HTTP {status}: {text}{_HINTS.get(status or 0, '')}")
    dropped = _DROPPED.search(text)
    return SinkRejected(
        f"HTTP {status}: {text}",
        tuple(dict.fromkeys(_lines(said, sent))),
        reason=reason or "refused",
        fields=tuple((measurement, field) for field, measurement in _FIELD.findall(text)),
        whole=dropped is not None and int(dropped[1]) == sent.count(b"\n"),
    )


def _lines(said: str, sent: bytes) -> Iterable[bytes]:
    """The lines of ours that the body names: by their text (1.x, 2), or by their number (3)."""
    whole = frozenset(sent.splitlines())
    try:
        body = json.loads(said)
    except ValueError:
        body = {}
    told = str(body.get("error") or body.get("message") or "") if isinstance(body, dict) else ""
    for text in (*_NAMED.findall(told), *_NAMED.findall(said)):
        if (line := text.encode()) in whole:
            yield line
    rows = body.get("data") if isinstance(body, dict) else None
    numbered = sent.splitlines()
    for row in rows if isinstance(rows, list) else ():
        number = row.get("line_number") if isinstance(row, dict) else None
        if isinstance(number, int) and 1 <= number <= len(numbered):
            yield numbered[number - 1]
