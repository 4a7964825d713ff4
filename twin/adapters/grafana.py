"""Grafana's HTTP API, as far as boards, alert rules and what they need go: read, compare, write.

Everything is found again by uids that we set, so a second push changes nothing and never makes a second one.
The client is grafana-client 3 (docs/decisions/0008-grafana-client-3.md), which is not among what this product installs
by itself: `pip install smelter-twin[grafana]`. It is loaded when a Grafana is asked, so no other command waits for it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import SplitResult, quote, urlsplit

from twin.errors import ConfigError, SourceUnavailable
from twin.redact import redacted
from twin.tls import client_context

__all__ = ["Grafana", "Kind", "Thing", "differences"]

Kind = Literal["data source", "folder", "board", "rule group", "contact point", "policy"]
_SECRET = frozenset({"secureJsonData"})  # never told back


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that Grafana is to have; `folder`: uid of the folder of a board or rule group."""

    kind: Kind
    name: str
    wanted: Mapping[str, Any]
    folder: str = ""


class Grafana:
    """One server; `token` of a service account. Raises SourceUnavailable without one, ConfigError when it refuses.

    Neither proxies nor a netrc of the environment are heeded, and no redirect is followed: what we send holds tokens.
    """

    def __init__(self, url: str, token: str, *, ca_file: str = "") -> None:
        parts = _parts(url)
        self._url, self._token = url.rstrip("/"), token
        try:
            from grafana_client import GrafanaApi
        except ImportError as error:
            raise ConfigError("grafana-client is missing: pip install 'smelter-twin[grafana]'") from error
        assert parts.hostname is not None
        prefix = parts.path.strip("/")
        # Not by its from_url: that loses the / after a path, and turns verification off for a ?verify=false.
        self._api: Any = GrafanaApi(
            token or None,
            host=f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname,
            port=parts.port,
            url_path_prefix=f"{prefix}/" if prefix else "",
            protocol=parts.scheme,
            verify=_authorities(ca_file) if parts.scheme == "https" else True,
            timeout=30,
        )
        session = self._api.client.s
        session.trust_env = False
        session.max_redirects = 0
        session.headers["X-Disable-Provenance"] = "true"  # not every call of the library can say it

    def __enter__(self) -> Grafana:
        return self

    def __exit__(self, *_: object) -> None:
        self._api.client.s.close()

    def read(self, thing: Thing) -> Mapping[str, Any] | None:
        """What Grafana has of it; None = nothing."""
        found = self._ask(thing, lambda: _read(self._api, thing))
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
        if self._ask(thing, lambda: _write(self._api, thing, there is None)) is None:
            raise ConfigError(f"{self._at(thing)}: Grafana does not know this; it needs version 10 or newer")

    def _ask(self, thing: Thing, call: Callable[[], Any]) -> Any:
        """The decoded answer; None for 404."""
        from grafana_client.client import GrafanaException
        from requests import RequestException, TooManyRedirects

        try:
            answer = call()
        except GrafanaException as error:
            if error.status_code == 404:
                return None
            raise self._refusal(error.status_code, error.response, thing) from None
        except TooManyRedirects as error:
            raise self._led_away(error.response) from None
        except RequestException as error:
            raise SourceUnavailable(f"no Grafana answers at {self._url}: {self._shown(error)}") from error
        if isinstance(answer, str):  # what is sent as text is handed on as it is
            raise SourceUnavailable(f"no Grafana answers at {self._url}, but: {self._shown(answer)}")
        return {} if answer is None else answer  # None: 204, no content

    def _refusal(self, status: int, answer: Any, thing: Thing) -> ConfigError:
        if status in (401, 403):
            return ConfigError(
                f"{self._url} refuses the token ({status}): name the file of a service account's token with "
                "--token-file; boards and rules want the role Editor, data sources and notifications the role Admin"
            )
        said = answer.get("message") or answer if isinstance(answer, dict) else answer
        return ConfigError(f"{self._at(thing)}: {status} {self._shown(said)}")

    def _led_away(self, answer: Any) -> ConfigError:
        where = self._shown(answer.headers["Location"].partition("?")[0])
        return ConfigError(f"{self._url} redirects to {where}, where no token is sent: give Grafana's own address")

    def _at(self, thing: Thing) -> str:
        return f"{self._url}: {thing.kind} {thing.name!r}"

    def _shown(self, said: object) -> str:
        text = redacted(str(said))
        return (text.replace(self._token, "***") if self._token else text)[:300]


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that there is not, or half a bracket
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(f"{redacted(url)!r} is not the address of a Grafana; it must look like https://host:3000")
    return parts


def _authorities(ca_file: str) -> str | bool:
    """File or folder of whom we trust: named, or the system's, or else those that requests brings along."""
    try:
        client_context(ca_file, section="grafana")  # says what is wrong with the file before anything is sent
    except ConfigError as error:  # an option of the command, no setting
        raise ConfigError(str(error).replace("grafana.ca_file", "--ca-file")) from error
    system = ssl.get_default_verify_paths()
    return ca_file or system.cafile or system.capath or True


def _quoted(text: object) -> str:
    return quote(str(text), safe="")


def _read(api: Any, thing: Thing) -> Any:
    uid = _quoted(thing.wanted.get("uid", ""))
    match thing.kind:
        case "data source":
            return api.datasource.get_datasource_by_uid(uid)
        case "folder":
            return api.folder.get_folder(uid)
        case "board":
            return api.dashboard.get_dashboard(uid)
        case "rule group":
            return api.alertingprovisioning.get_rule_group(_quoted(thing.folder), _quoted(thing.name))
        case "contact point":
            return api.alertingprovisioning.get_contactpoints()
        case "policy":
            return api.alertingprovisioning.get_notification_policy_tree()


def _write(api: Any, thing: Thing, new: bool) -> Any:
    wanted, alerting = dict(thing.wanted), api.alertingprovisioning
    uid = _quoted(wanted.get("uid", ""))
    match thing.kind:
        case "data source" if new:
            return api.datasource.create_datasource(wanted)
        case "data source":
            return api.datasource.update_datasource_by_uid(uid, wanted)
        case "folder" if new:
            return api.folder.create_folder(wanted["title"], wanted["uid"])
        case "folder":
            return api.folder.update_folder(uid, wanted["title"], overwrite=True)
        case "board":
            body = {"dashboard": {**wanted, "id": None}, "folderUid": thing.folder, "overwrite": True}
            return api.dashboard.update_dashboard({**body, "message": "twin grafana push"})
        case "rule group":
            return alerting.update_rule_group(_quoted(thing.folder), _quoted(thing.name), wanted)
        case "contact point" if new:
            return alerting.create_contactpoint(wanted)
        case "contact point":
            return alerting.update_contactpoint(uid, wanted)
        case "policy":
            return alerting.set_notification_policy_tree(wanted)


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
