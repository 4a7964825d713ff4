"""Grafana's HTTP API, as far as boards, alert rules and what they need go: read, compare, write.

Everything is found again by uids that we set, so a second push changes nothing and never makes a second one.
"""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import orjson

from twin.errors import ConfigError, SourceUnavailable
from twin.redact import redacted
from twin.tls import client_context

__all__ = ["Grafana", "Kind", "Thing", "differences"]

Kind = Literal["data source", "folder", "board", "rule group", "contact point", "policy"]
_ALERTING = "/api/v1/provisioning"
_SECRET = frozenset({"secureJsonData"})  # never told back


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that Grafana is to have; `folder`: uid of the folder of a board or rule group."""

    kind: Kind
    name: str
    wanted: Mapping[str, Any]
    folder: str = ""


class Grafana:
    """One server; `token` of a service account. Raises SourceUnavailable without one, ConfigError when it refuses."""

    def __init__(self, url: str, token: str, *, ca_file: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ConfigError(f"{redacted(url)!r} is not the address of a Grafana; it must look like https://host:3000")
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json", "X-Disable-Provenance": "true"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._tls = _context(ca_file) if parts.scheme == "https" else None

    def read(self, thing: Thing) -> Mapping[str, Any] | None:
        """What Grafana has of it; None = nothing."""
        found = self._call("GET", _place(thing))
        if thing.kind == "contact point":
            mine = [point for point in found or () if point.get("uid") == thing.wanted["uid"]]
            return mine[0] if mine else None
        if thing.kind == "board" and found is not None:
            board: Mapping[str, Any] = found["dashboard"]
            return {**board, "folder": found.get("meta", {}).get("folderUid", "")}
        if thing.kind == "rule group" and found is not None and not found.get("rules"):
            return None
        return None if found is None else dict(found)

    def write(self, thing: Thing, there: Mapping[str, Any] | None) -> None:
        """Make it what is wanted; `there`: what `read` said."""
        place, wanted = _place(thing), dict(thing.wanted)
        if thing.kind == "board":
            body = {"dashboard": {**wanted, "id": None}, "folderUid": thing.folder, "overwrite": True}
            self._told("POST", "/api/dashboards/db", {**body, "message": "twin grafana push"})
        elif thing.kind in ("rule group", "policy"):
            self._told("PUT", place, wanted)
        elif thing.kind == "contact point":
            base = f"{_ALERTING}/contact-points"
            self._told("PUT" if there else "POST", f"{base}/{quote(wanted['uid'], safe='')}" if there else base, wanted)
        elif there is None:
            self._told("POST", place.rpartition("/uid/")[0] or place.rpartition("/")[0], wanted)
        else:
            self._told("PUT", place, wanted | ({"overwrite": True} if thing.kind == "folder" else {}))

    def _told(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        if self._call(method, path, body) is None:
            raise ConfigError(f"{self._url}{path}: Grafana does not know this; it needs version 10 or newer")

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The decoded answer; None for 404."""
        data = None if body is None else orjson.dumps(body)
        request = urllib.request.Request(f"{self._url}{path}", data, self._headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._tls) as answer:  # noqa: S310
                return orjson.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise self._refusal(error, method, path) from None
        except (OSError, orjson.JSONDecodeError) as error:
            raise SourceUnavailable(f"no Grafana answers at {self._url}: {redacted(str(error))}") from error

    def _refusal(self, error: urllib.error.HTTPError, method: str, path: str) -> ConfigError:
        said = redacted(error.read().decode("utf-8", "replace")[:300])
        if error.code in (401, 403):
            return ConfigError(
                f"{self._url} refuses the token ({error.code}): name the file of a service account's token with "
                "--token-file; boards and rules want the role Editor, data sources and notifications the role Admin"
            )
        return ConfigError(f"{self._url}: {method} {path}: {error.code} {said}")


def _context(ca_file: str) -> ssl.SSLContext:
    try:
        return client_context(ca_file, section="grafana")
    except ConfigError as error:  # an option of the command, no setting
        raise ConfigError(str(error).replace("grafana.ca_file", "--ca-file")) from error


def _place(thing: Thing) -> str:
    """Where it is read."""
    uid = quote(str(thing.wanted.get("uid", "")), safe="")
    if thing.kind == "data source":
        return f"/api/datasources/uid/{uid}"
    if thing.kind == "folder":
        return f"/api/folders/{uid}"
    if thing.kind == "board":
        return f"/api/dashboards/uid/{uid}"
    if thing.kind == "rule group":
        return f"{_ALERTING}/folder/{quote(thing.folder, safe='')}/rule-groups/{quote(thing.name, safe='')}"
    return f"{_ALERTING}/contact-points" if thing.kind == "contact point" else f"{_ALERTING}/policies"


def differences(thing: Thing, there: Mapping[str, Any]) -> list[str]:
    """Paths at which Grafana's differs from what is wanted; what only Grafana has counts in a board alone."""
    wanted, found = dict(thing.wanted), dict(there)
    if thing.kind == "board":
        wanted["folder"] = thing.folder
        for own in ("id", "version"):  # Grafana counts these itself
            wanted.pop(own, None)
            found.pop(own, None)
        return sorted(_apart(wanted, found, "", whole=True))
    return sorted(_apart({key: value for key, value in wanted.items() if key not in _SECRET}, found, "", whole=False))


def _apart(wanted: Any, found: Any, path: str, *, whole: bool) -> list[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        names = set(wanted) | (set(found) if whole else set())
        return [
            line
            for name in names
            for line in (
                _apart(wanted[name], found[name], f"{path}.{name}" if path else name, whole=whole)
                if name in wanted and name in found
                else [f"{path}.{name}" if path else name]
            )
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = enumerate(zip(wanted, found, strict=True))
        return [line for at, (one, other) in pairs for line in _apart(one, other, f"{path}[{at}]", whole=whole)]
    return [] if wanted == found else [path]
