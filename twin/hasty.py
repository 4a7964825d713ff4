"""The page's HTTP/1.1 with an end to waiting: uvicorn alone waits for ever for a request."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Hasty"]


class Hasty(H11Protocol):
    """A client that says nothing, or a byte at a time, is cut off after `patience_s`; an answer may take any time."""

    patience_s = 10.0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._waiting = self.loop.call_later(self.patience_s, transport.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        asked = self.cycle is not None and not self.cycle.response_complete
        if asked and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        elif not asked and self._waiting is None and not self.transport.is_closing():
            self._waiting = self.loop.call_later(self.patience_s, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._waiting is not None:
            self._waiting.cancel()
