"""What this process knows of its session on the broker: that there is one to be found again (F4).

A broker that has lost a session (a restart without persistence, an absence longer than the session's expiry) says at
the next connection only that there is none. Whether there ought to be one, this file knows.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

__all__ = ["SessionMark"]


class SessionMark:
    """A file in `folder` that names the broker (`url`) on which the client id has left a session."""

    def __init__(self, folder: Path, client_id: str, url: str) -> None:
        self._file = folder / f"session-{quote(client_id, safe='')}"
        self._url = url

    def known(self) -> bool:
        """Say whether an earlier run had a session on this broker."""
        try:
            return self._file.read_text("utf-8") == self._url
        except (OSError, UnicodeDecodeError):
            return False  # none, or one that nobody can tell: as at the first start

    def keep(self) -> None:
        """There is a session now. A disk that does not take it costs only the alarm of the next start."""
        if not self.known():
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.write_text(self._url, "utf-8")
            except OSError:
                return
