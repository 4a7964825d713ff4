"""Patterns of topics and names, and templates that make a unit's path of what they caught.

`plant/{line}/pot{pot:d}/data`: `{line}` is the text of a level or of a part of it, `{pot:d}` a whole number, `+` any
level, `#` all that follow. A text ends at the first character of what follows it, so that matching takes no time.
`demo/{line}/A{pot:03d}` puts them together again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from twin.errors import PayloadError

__all__ = ["Captures", "Pattern", "Template"]

Captures = Mapping[str, str | int]

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)(?::([^{}]*))?\}")
_SPEC = re.compile(r"0?[1-9]?d")


class Pattern:
    """A pattern; `levels`: of an MQTT topic. Raises ValueError in words for people when the text is none."""

    def __init__(self, text: str, *, levels: bool = True) -> None:
        self.text = text
        parts = text.split("/") if levels else [text]
        if not text or (levels and "#" in parts[:-1]):
            raise ValueError("`#` stands at the end" if text else "it is empty")
        self.names: set[str] = set()
        found = [self._level(part, levels) for part in parts if part != "#" or not levels]
        tail = ("(?:/.*)?" if len(parts) > 1 else ".*") if levels and parts[-1] == "#" else ""
        self._match = re.compile("/".join(found) + tail, re.DOTALL).fullmatch
        self.filter = "/".join("+" if _PLACE.search(part) else part for part in parts)

    def _level(self, part: str, levels: bool) -> str:
        if levels and part == "+":
            return "[^/]*"
        if levels and re.search(r"[+#]", _PLACE.sub("", part)):
            raise ValueError(f"in {part!r}: `+` and `#` stand for whole levels; catch a part of one with {{name}}")
        out, end = "", 0
        for place in _PLACE.finditer(part):
            if place.start() == end and end:
                raise ValueError(f"in {part!r}: nothing stands between two places, so where one ends is not known")
            end_at = part[place.end() : place.end() + 1]
            out += self._text(part[end : place.start()], part) + self._place(place, ("/" if levels else "") + end_at)
            end = place.end()
        return out + self._text(part[end:], part)

    def _text(self, text: str, part: str) -> str:
        if "{" in text or "}" in text:
            raise ValueError(f"in {part!r}: a place looks like {{name}} or {{name:d}}, name of a-z 0-9 _")
        return re.escape(text)

    def _place(self, place: re.Match[str], ends: str) -> str:
        name, spec = place[1], place[2]
        if name in self.names:
            raise ValueError(f"{{{name}}} is there twice")
        if spec not in (None, "d"):
            raise ValueError(f"{{{name}:{spec}}}: in a pattern it is {{{name}}} (text) or {{{name}:d}} (whole number)")
        self.names.add(name)
        return f"(?P<{name}>[0-9]{{1,18}})" if spec else f"(?P<{name}>{f'[^{re.escape(ends)}]' if ends else '.'}+)"

    def match(self, text: str) -> dict[str, str] | None:
        """What the places caught, None when the text is not of this pattern."""
        found = self._match(text)
        return None if found is None else found.groupdict()


class Template:
    """A text with places to fill; raises ValueError in words for people when it is none."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts: list[tuple[str, str, str]] = []  # text before, name, spec
        end = 0
        for place in _PLACE.finditer(text):
            if place[2] is not None and not _SPEC.fullmatch(place[2]):
                raise ValueError(f"{place[0]}: a number is written as {{name:d}} or, with leading zeros, {{name:03d}}")
            self._parts.append((text[end : place.start()], place[1], place[2] or ""))
            end = place.end()
        self._end = text[end:]
        if re.search("[{}]", "".join(before for before, _, _ in self._parts) + self._end):
            raise ValueError(f"{text!r}: a place looks like {{name}} or {{name:03d}}, name of a-z 0-9 _")
        self.names = {name for _, name, _ in self._parts}

    def fill(self, captures: Captures) -> str:
        """The text; raises PayloadError(map_mismatch) when a number is wanted and there is none."""
        out = []
        for before, name, spec in self._parts:
            value: str | int = captures[name]
            if spec:
                if not isinstance(value, int) and not (value.isascii() and value.isdecimal() and len(value) <= 18):
                    raise PayloadError("map_mismatch", f"{{{name}}} is {value[:80]!r}, a whole number is wanted")
                value = format(int(value), spec)
            out += [before, str(value)]
        return "".join(out) + self._end
