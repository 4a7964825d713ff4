"""Posting to a web server: what its answer means, in the two outcomes besides success."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import aiohttp

from twin.errors import SinkRejected, SinkUnavailable
from twin.tls import why

__all__ = ["Poster"]

# Not the receiver's last word: time out, too early, too many; and every error of a server.
_LATER = frozenset({408, 423, 425, 429})


class Poster:
    """POSTs JSON to one address. The session is made with the first post, inside a running loop."""

    def __init__(
        self, url: str, *, tls: ssl.SSLContext | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self._url, self._tls, self._headers = url, tls, dict(headers or {})
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, headers: Mapping[str, str] | None = None, *, known: int = 0) -> None:
        """Return when the receiver has it; `known`: the status by which it says that it had it before.

        Raises SinkUnavailable or SinkRejected. Redirects are not followed: the body is signed for one receiver.
        """
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls or True, limit=4)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            async with self._session.post(self._url, data=body, headers=sent, allow_redirects=False) as answer:
                said = (await answer.content.read(300)).decode("utf-8", "replace").strip()
        except (aiohttp.ClientError, OSError) as error:
            raise SinkUnavailable(why(error)) from error
        if answer.status // 100 == 2 or answer.status == known:
            return
        problem = f"the receiver answers {answer.status} {said}".strip()
        if answer.status in _LATER or answer.status >= 500:
            raise SinkUnavailable(problem)
        raise SinkRejected(problem)

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
