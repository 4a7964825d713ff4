"""InfluxDB: line protocol to `/api/v2/write`, InfluxQL from `/query`; both shared by InfluxDB 1.8, 2 and 3.

Two outcomes of a write besides success: SinkUnavailable (try the same batch again) and SinkRejected (never will be
taken). The body of an answer decides, not its code alone (F12).
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import numpy as np
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService

from twin import over_time
from twin.catalogue import CATALOGUE, FIELDS, MEASURED
from twin.errors import ConfigError, SinkRejected, SinkUnavailable
from twin.frames import Readings
from twin.lines import LineProtocol
from twin.plant import Roster
from twin.ports import Buckets
from twin.redact import redacted
from twin.refusals import judged
from twin.tls import client_context, why

__all__ = ["InfluxStore", "Target", "target"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where to write: server url, bucket (`database` or `database/retention policy` on 1.x) and organisation."""

    url: str
    bucket: str
    organisation: str


def target(url: str) -> Target:
    """Read `influx://host:port/bucket?org=NAME`. Raises ConfigError."""
    try:
        parts = urlsplit(url)
        port = parts.port or 8086
    except ValueError as error:
        raise ConfigError(f"sink.url = {redacted(url)!r} is not allowed: {redacted(str(error))}") from error
    if parts.username is not None or set(parse_qs(parts.query)) - {"org"}:
        raise ConfigError(f"sink.url = {redacted(url)!r} is not allowed: only ?org=NAME; a token is in sink.token_file")
    bucket = parts.path.strip("/")
    if parts.scheme not in ("influx", "influxs") or not parts.hostname or not bucket:
        raise ConfigError(
            f"sink.url = {redacted(url)!r} is not allowed; it must look like influx://host:8086/bucket?org=NAME"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    server = f"{'https' if parts.scheme == 'influxs' else 'http'}://{host}:{port}"
    return Target(server, bucket, parse_qs(parts.query).get("org", ["-"])[0])


class InfluxStore:
    """Store port on InfluxDB. Open within a running event loop."""

    def __init__(
        self, where: Target, roster: Roster, *, token: str = "", compress: bool = False, ca_file: str = ""
    ) -> None:
        self._where = where
        self._tls = client_context(ca_file, section="sink") if where.url.startswith("https:") else None
        self._roster = roster
        self._token = token
        self._compress = compress
        self._lines = LineProtocol(roster)
        self._client: InfluxDBClientAsync | None = None
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the connections; the server need not be there yet."""
        self._client = InfluxDBClientAsync(
            self._where.url, token=self._token, org=self._where.organisation, timeout=30_000, ssl_context=self._tls
        )
        headers = {"Authorization": f"Token {self._token}"} if self._token else {}
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=60),
            connector=aiohttp.TCPConnector(ssl=self._tls or True),
        )

    async def close(self) -> None:
        """Close the connections; every write that returned is on the server."""
        if self._client is not None:
            await self._client.close()
        if self._session is not None:
            await self._session.close()

    async def write(self, readings: Readings) -> None:
        body = self._lines.encode(readings)
        if body:
            await self.write_lines(body)

    async def write_lines(self, body: bytes) -> None:
        """Send line protocol [ns]; raises SinkUnavailable or SinkRejected."""
        assert self._client is not None
        service = WriteService(self._client.api_client)
        options = {"content_encoding": "gzip"} if self._compress else {}
        try:
            await service.post_write_async(
                self._where.organisation,
                self._where.bucket,
                gzip.compress(body, 1) if self._compress else body,
                precision="ns",
                content_type="text/plain; charset=utf-8",
                **options,
            )
        except ApiException as error:
            raise judged(error.status, _said(error), body) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SinkUnavailable(f"{self._where.url}: {type(error).__name__} {why(error, 'sink')}") from error

    async def read(self, measurement: str, path: str, start_ns: int, end_ns: int) -> Readings:
        fields = FIELDS[measurement]
        tags = zip_longest(("site", "line", "pot"), path.split("/"), fillvalue="")  # of a line no pot's rows
        condition = " AND ".join(f"{tag} = '{level}'" for tag, level in tags)
        answer = await self.query(
            f"SELECT * FROM {measurement} WHERE {condition} AND time >= {start_ns} AND time < {end_ns} ORDER BY time"
        )
        series = answer["results"][0].get("series", [])
        found: list[tuple[int, int, float]] = []
        for one in series:
            code_of = {CATALOGUE[code].db_field: code for code in fields}
            columns = [(place, code_of[name]) for place, name in enumerate(one["columns"]) if name in code_of]
            columns.sort(key=lambda item: item[1])
            found += [(row[0], code, row[p]) for row in one["values"] for p, code in columns if row[p] is not None]
        times, signals, values = zip(*found, strict=True) if found else ((), (), ())
        unit = np.full(len(found), self._roster.code(path) or 0)
        return Readings.of(times, unit, signals, values)

    async def history(
        self, measurement: str, path: str, codes: Sequence[int], start_ns: int, end_ns: int, step_ns: int
    ) -> Buckets:
        answer = await self.query(over_time.influxql(measurement, path, codes, start_ns, end_ns, step_ns))
        return over_time.from_series(answer["results"][0].get("series", []), codes)

    async def probe(self) -> None:
        """Return when the server answers; raises SinkUnavailable. It needs no permission to read."""
        assert self._session is not None
        try:
            async with self._session.get(f"{self._where.url}/ping") as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SinkUnavailable(f"{self._where.url}: {type(error).__name__} {error}") from error
        if status // 100 != 2:
            raise SinkUnavailable(f"{self._where.url}/ping: HTTP {status}")

    async def measured(self, start_ns: int, end_ns: int) -> Readings:
        answer = await self.query(
            "; ".join(
                f"SELECT * FROM {name} WHERE time >= {start_ns} AND time < {end_ns} GROUP BY site, line, pot"
                for name in MEASURED
            )
        )
        parts = [self._rows(series) for result in answer["results"] for series in result.get("series", [])]
        found = Readings.concat([part for part in parts if len(part)])
        return found.take(np.argsort(found.time_ns, kind="stable"))

    def _rows(self, series: dict[str, Any]) -> Readings:
        """One unit's rows of one measurement; none of a unit whose line the plant does not have."""
        unit = _enrolled(self._roster, series["tags"])
        columns = dict(zip(series["columns"], zip(*series["values"], strict=True), strict=True))
        codes = [code for code in MEASURED[series["name"]] if CATALOGUE[code].db_field in columns]
        table = np.array([columns[CATALOGUE[code].db_field] for code in codes], np.float64)
        if unit is None or not codes:
            return Readings.empty()
        column, row = np.nonzero(np.isfinite(table))
        time = np.array(columns["time"], np.int64)
        units = np.full(len(row), unit, np.int32)
        return Readings.of(time[row], units, np.array(codes, np.int16)[column], table[column, row])

    async def query(self, text: str) -> dict[str, Any]:
        """One InfluxQL question, times as epoch ns. Raises SinkUnavailable, SinkRejected."""
        assert self._session is not None
        parameters = {"db": self._where.bucket.split("/")[0], "epoch": "ns", "q": text}
        try:
            async with self._session.post(f"{self._where.url}/query", data=parameters) as answer:
                body: dict[str, Any] = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SinkUnavailable(f"{self._where.url}: {type(error).__name__} {why(error, 'sink')}") from error
        problem = body.get("error") or next((r["error"] for r in body.get("results", []) if "error" in r), None)
        if problem:
            raise SinkRejected(f"{self._where.url}: {problem}")
        return body


def _enrolled(roster: Roster, tags: dict[str, str]) -> int | None:
    """Code of the unit that tags name, enrolling a pot of a known line; None when the line is not known."""
    path = "/".join(tags[tag] for tag in ("site", "line", "pot") if tags[tag])
    line = path.rpartition("/")[0]
    if roster.code(path) is None and (line not in roster.codes or not roster.is_line(roster.codes[line])):
        return None
    return roster.add(path)


def _said(error: ApiException) -> str:
    """The body of an error answer, or the words beside its code."""
    said = error.body or error.reason or ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
