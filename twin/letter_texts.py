"""Parked messages in words and as JSON; what a payload holds is never obeyed by the terminal."""

from __future__ import annotations

from typing import Any

import msgspec

from twin.letters import Dropped, Letter
from twin.times import iso

__all__ = ["drop_view", "letter_view", "plain", "readable", "state_words"]


def state_words(letter: Letter) -> str:
    """What became of a parked message, in words."""
    if letter.replayed_ns is not None:
        text = f"replayed at {iso(letter.replayed_ns)}"
    elif letter.attempted_ns is not None:
        text = f"waiting; a replay at {iso(letter.attempted_ns)} did not reach the broker"
    else:
        text = "waiting"
    if letter.again_of is not None:
        text += f"; parked again after the replay of {letter.again_of}"
    if letter.again_as:
        text += f"; parked again as {', '.join(map(str, letter.again_as))}"
    return text


def letter_view(letter: Letter) -> dict[str, Any]:
    """A parked message for JSON; `payload_text` is None where it is not UTF-8."""
    view = letter._asdict()
    payload: bytes = view.pop("payload")
    try:
        text: str | None = payload.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return {**view, "received": iso(letter.received_ns), "payload_text": text, "payload_hex": payload.hex()}


def drop_view(one: Dropped) -> dict[str, Any]:
    """A drop for JSON."""
    decode = msgspec.json.decode
    return {
        **one._asdict(), "time": iso(one.time_ns), "reasons": decode(one.reasons), "selection": decode(one.selection),
    }  # fmt: skip


def plain(text: str) -> str:
    """The text with what a terminal would obey made visible."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def readable(payload: bytes) -> str:
    """Text as text, anything else as a hex dump."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(payload) - 3:  # else a character cut in two
            return _dump(payload)
        text = payload[: error.start].decode("utf-8")
    return text if all(c.isprintable() or c in "\n\t" for c in text) else _dump(payload)


def _dump(payload: bytes) -> str:
    lines = []
    for start in range(0, len(payload), 16):
        part = payload[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<47}  {text}")
    return "\n".join(lines)
