"""Alarms by POST to a web server, signed, with a key by which it knows what it had before.

    Idempotency-Key        the same for the same notice, however often it comes
    X-Smelter-Timestamp    seconds since 1970 when it was sent
    X-Smelter-Signature    sha256=<hex of HMAC-SHA256 over "<timestamp>.<body>" with the shared secret>

The receiver answers 2xx when it has it (409: it had it before). 408, 423, 425, 429, 5xx: again later; else: never.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
from collections.abc import Sequence

import msgspec

from twin.alarms.notices import Notice
from twin.outgoing import Outgoing
from twin.ports import Clock
from twin.posting import Poster
from twin.units import NS_PER_S

__all__ = ["WebhookChannel", "signature"]


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the header X-Smelter-Signature holds."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class WebhookChannel:
    """One address; `secret` "" = not signed."""

    most = 1
    digests = True
    refresh_s = 0.0

    def __init__(self, url: str, clock: Clock, *, secret: str = "", tls: ssl.SSLContext | None = None) -> None:
        self._poster, self._clock, self._secret = Poster(url, tls=tls), clock, secret

    async def send(self, batch: Sequence[Outgoing]) -> None:
        """One after the other."""
        for one in batch:
            body = msgspec.json.encode({"key": one.key, "channel": one.channel, "notice": one.notice})
            timestamp = str(self._clock.now_ns() // NS_PER_S)
            headers = {"Idempotency-Key": one.key, "X-Smelter-Timestamp": timestamp}
            if self._secret:
                headers["X-Smelter-Signature"] = signature(self._secret, timestamp, body)
            await self._poster.post(body, headers, known=409)

    async def refresh(self, standing: Sequence[Notice]) -> None:
        """Each notice is sent once."""

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()
