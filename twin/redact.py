"""Texts without what may be a secret in them, for errors, logs and tables."""

from __future__ import annotations

import re

__all__ = ["redacted"]

_USER_PART = re.compile(r"(?<=://)([^/@:\s]*):[^/\s]*@")
_SECRET_WORD = re.compile(r"((?:password|passwd|token|secret|apikey|api_key)=)[^&\s'\"]+", re.I)


def redacted(text: str) -> str:
    """The text without the password of a url and the values of words like `token=`.

    >>> redacted("mqtt://twin:hunter2@host:1883 and ?token=abc")
    'mqtt://twin:***@host:1883 and ?token=***'
    """
    return _SECRET_WORD.sub(r"\1***", _USER_PART.sub(r"\1:***@", text))
