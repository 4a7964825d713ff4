"""Alarms to a Prometheus Alertmanager (API v2): fires what is there, resolves what is over, repeats while it stands.

Labels name the alarm for as long as it lives: alertname, unit, site, line, pot, severity, class. An alert that is not
repeated ends by itself after four pauses, so that a twin that is gone leaves no alarm behind.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from twin.alarms.notices import Notice
from twin.outgoing import Outgoing
from twin.ports import Clock
from twin.posting import Poster
from twin.times import iso, moment
from twin.units import NS_PER_S

__all__ = ["AlertmanagerChannel"]

SEVERITY = {"high": "critical", "medium": "warning", "low": "info"}
OVER = ("cleared", "returned", "silenced")
_PART = 500  # alerts a post


class AlertmanagerChannel:
    """One Alertmanager; `url` without /api/v2/alerts."""

    most = 200
    digests = False

    def __init__(
        self, url: str, clock: Clock, *, token: str = "", tls: ssl.SSLContext | None = None, resend_s: float = 60.0
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._poster = Poster(url.rstrip("/") + "/api/v2/alerts", tls=tls, headers=headers)
        self._clock, self.refresh_s = clock, resend_s

    async def send(self, batch: Sequence[Outgoing]) -> None:
        """Fire or resolve each; of one alarm only its last word counts."""
        last = {(one.notice.unit, one.notice.code): one.notice for one in batch}
        await self._post(list(last.values()))

    async def refresh(self, standing: Sequence[Notice]) -> None:
        """Fire everything that stands once more."""
        await self._post(standing)

    async def _post(self, notices: Sequence[Notice]) -> None:
        for start in range(0, len(notices), _PART):
            await self._poster.post(msgspec.json.encode([self._alert(one) for one in notices[start : start + _PART]]))

    def _alert(self, one: Notice) -> dict[str, Any]:
        now_ns = self._clock.now_ns()
        site, line, pot = [*one.unit.split("/"), "", ""][:3]
        ends = now_ns if one.kind in OVER else now_ns + int(4 * self.refresh_s * NS_PER_S)
        # Alertmanager refuses an end before the beginning, which a clock that was set back would make.
        starts = min(moment(one.since or one.time), moment(iso(now_ns)) - timedelta(seconds=1))
        labels = {
            "alertname": one.code, "unit": one.unit, "site": site, "line": line, "pot": pot,
            "severity": SEVERITY[one.priority], "class": one.klass,
        }  # fmt: skip
        return {
            "labels": {name: value for name, value in labels.items() if value},
            "annotations": {"summary": one.subject, "description": one.text, "state": one.state},
            "startsAt": starts.isoformat(),
            "endsAt": iso(ends),
            "generatorURL": one.link,
        }

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()
