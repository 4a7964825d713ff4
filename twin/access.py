"""Who may ask the page for what: names of the host, a token, size and kind of the request. Pure; the page asks it.

A page that listens on a loopback address is still within reach of every web site that a browser on this machine has
open: by a name that the site makes point to 127.0.0.1 (DNS rebinding). So a request must come under a name that is
known. An address in digits is always known: no site can own it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NamedTuple

from twin.errors import ConfigError

__all__ = ["LONGEST_TARGET", "Access", "Denied", "Person", "host_name", "is_loopback"]

OPEN = frozenset({"/health", "/ready"})  # for probes, which have no token; they tell nothing of the plant
LONGEST_TARGET = 4096  # bytes of path and query
_MOST_HEADER_BYTES = 16384
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::\d{1,5})?")
_CHALLENGE = (b"www-authenticate", b'Basic realm="smelter-twin", charset="UTF-8"')
Headers = Iterable[tuple[bytes, bytes]]


class Denied(NamedTuple):
    """Why a request is not answered: status, words for people, headers of the answer."""

    status: int
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True)
class Person:
    """Somebody with a token of their own; `role` as the alarms have it: viewer, operator, engineer."""

    name: str
    role: str
    token: str = field(repr=False)


def host_name(header: str) -> str:
    """The name in a Host header, in lower case, without port and brackets; "" when it is none."""
    found = _HOST.fullmatch(header.strip())
    return found[1].strip("[]").lower().rstrip(".") if found else ""


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is this machine's alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Access:
    """What the settings allow. `hosts`: names besides localhost and addresses, `*` = all; `token`: "" = none asked.

    `people`: who has a token of their own; with any of them nobody is let in without one.
    """

    hosts: frozenset[str] = frozenset()
    token: str = field(default="", repr=False)
    people: tuple[Person, ...] = ()

    @classmethod
    def of(cls, host: str, hosts: str, token: str, token_file: str) -> Access:
        """From page.host, page.hosts, and the token with the setting it came from. Raises ConfigError."""
        names = {name.strip().lower() for name in hosts.split(",") if name.strip()}
        wrong = next((name for name in sorted(names) if name != "*" and host_name(name) != name), None)
        if wrong:
            raise ConfigError(f"page.hosts: {wrong!r} is not a name; give names without port: twin.example,twin")
        if token_file and len(token) < 16:
            raise ConfigError(
                f"page.token_file = {token_file!r} holds {len(token)} characters; a token has at least 16"
            )
        return cls(frozenset(names | {host.lower()}), token)

    def denied(self, method: str, target: str, headers: Headers) -> Denied | None:
        """Why this request is not answered; None when it is. `target`: path and query as they were sent."""
        said: dict[bytes, list[str]] = {}
        size = 0
        for name, value in headers:
            size += len(name) + len(value)
            said.setdefault(name.lower(), []).append(value.decode("latin-1"))
        if denied := self._by_host(said.get(b"host", [])):
            return denied
        if len(target) > LONGEST_TARGET:
            return Denied(414, f"the address is longer than {LONGEST_TARGET} characters")
        if size > _MOST_HEADER_BYTES:
            return Denied(431, f"the headers are longer than {_MOST_HEADER_BYTES} bytes")
        if said.get(b"content-length", ["0"]) != ["0"] or b"transfer-encoding" in said:
            return Denied(413, "requests have no body here")
        path = target.partition("?")[0]
        if path.startswith("/api/") and said.get(b"sec-fetch-site") == ["cross-site"]:
            return Denied(403, "another web site may not ask this")
        asks = self.token or self.people
        if asks and path not in OPEN and self._who(said.get(b"authorization", [])) is None:
            return Denied(401, "send the token of page.token_file: Bearer, or as password of any user", (_CHALLENGE,))
        return None

    def _by_host(self, hosts: list[str]) -> Denied | None:
        name = host_name(hosts[0]) if len(hosts) == 1 else ""
        if not name:
            return Denied(400, "exactly one Host header with a name is wanted")
        known = name == "localhost" or name.endswith(".localhost") or _is_address(name)
        if known or name in self.hosts or "*" in self.hosts:
            return None
        return Denied(421, f"this page is not known as {name[:100]!r}; add the name to page.hosts")

    def who(self, headers: Headers) -> Person | None:
        """Who brings a token that is known; None for nobody. The shared token has no name; alone it may do everything,
        beside people with tokens of their own it may look."""
        return self._who([value.decode("latin-1") for name, value in headers if name.lower() == b"authorization"])

    def _who(self, given: list[str]) -> Person | None:
        """Compared in a time that says nothing of the token."""
        if len(given) != 1:
            return None
        scheme, _, word = given[0].partition(" ")
        user, word = "", word.strip()
        if scheme.lower() == "basic":
            try:
                user, _, word = base64.b64decode(word, validate=True).decode("utf-8").partition(":")
            except (binascii.Error, ValueError):
                return None
        elif scheme.lower() != "bearer":
            return None
        shared = (Person("", "viewer" if self.people else "engineer", self.token),) if self.token else ()
        found = None
        for person in (*self.people, *shared):
            same = hmac.compare_digest(word.encode("utf-8", "replace"), person.token.encode())
            if same and (not person.name or scheme.lower() == "bearer" or user == person.name):
                found = found or person
        return found
