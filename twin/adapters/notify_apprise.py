"""Alarms to everything that Apprise reaches: chat, paging, SMS; one Apprise address is one channel.

Apprise is not among what this product installs by itself: `pip install smelter-twin[apprise]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twin.alarms.notices import Notice
from twin.errors import ConfigError, SinkUnavailable
from twin.outgoing import Outgoing

__all__ = ["AppriseChannel"]


class AppriseChannel:
    """One address; it may hold secrets and is never shown. Raises ConfigError when Apprise does not know it."""

    most = 1
    digests = True
    refresh_s = 0.0

    def __init__(self, url: str, name: str) -> None:
        try:
            import apprise
        except ImportError as error:
            raise ConfigError(f"channel {name}: Apprise is missing: pip install 'smelter-twin[apprise]'") from error
        self._kinds: dict[str, Any] = {
            "high": apprise.NotifyType.FAILURE, "medium": apprise.NotifyType.WARNING, "low": apprise.NotifyType.INFO,
        }  # fmt: skip
        self._apprise: Any = apprise.Apprise()
        if not self._apprise.add(url):
            raise ConfigError(f"channel {name}: Apprise does not know the address in its url_file")

    async def send(self, batch: Sequence[Outgoing]) -> None:
        """One after the other. Apprise does not say why it failed, so everything is tried again."""
        for one in batch:
            notice = one.notice
            kind = self._kinds["low" if notice.kind in ("cleared", "acknowledged") else notice.priority]
            if not await self._apprise.async_notify(title=notice.subject, body=notice.text, notify_type=kind):
                raise SinkUnavailable("Apprise could not deliver it; its log says why")

    async def refresh(self, standing: Sequence[Notice]) -> None:
        """Each notice is sent once."""

    async def close(self) -> None:
        """Nothing is held."""
