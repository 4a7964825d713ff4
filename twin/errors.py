"""The exception tree. Nothing else crosses a port.

SmelterError
|-- ConfigError        a setting, plant file or plan file is wrong: say what, where, what is allowed
|-- PayloadError       one message or value cannot be used: count it, keep it, go on
|-- SourceUnavailable  the broker cannot be reached or refuses: wait and try again
|-- SinkUnavailable    the store cannot be reached: keep the data, wait and try again
`-- SinkRejected       the store refuses this data for good: park it, count it, go on
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "PayloadError",
    "SinkRejected",
    "SinkUnavailable",
    "SmelterError",
    "SourceUnavailable",
]


class SmelterError(Exception):
    """Root of every error this product raises on purpose."""


class ConfigError(SmelterError):
    """A configuration value is wrong; the message names the place, the value and what is allowed."""


class PayloadError(SmelterError):
    """A message, or one value in it, cannot be used.

    `reason` is one of `twin.codec.REASONS`; `detail` says what was found, `field` where.
    """

    def __init__(self, reason: str, detail: str, field: str = "") -> None:
        super().__init__(f"{reason}: {field + ': ' if field else ''}{detail}")
        self.reason = reason
        self.detail = detail
        self.field = field


class SourceUnavailable(SmelterError):
    """The source cannot deliver now; trying again may help."""


class SinkUnavailable(SmelterError):
    """The sink cannot take data now; the same write may succeed later."""


class SinkRejected(SmelterError):
    """The sink refuses this data however often it is sent.

    `reason` is one of `twin.codec.REASONS`; `lines` holds what it refused and `fields` the (measurement, field) pairs
    whose type it refuses, if known; `whole`: nothing of what was sent is kept.
    """

    def __init__(
        self,
        message: str,
        lines: tuple[bytes, ...] = (),
        *,
        reason: str = "refused",
        fields: tuple[tuple[str, str], ...] = (),
        whole: bool = False,
    ) -> None:
        super().__init__(message)
        self.lines = lines
        self.reason = reason
        self.fields = fields
        self.whole = whole
