"""Settings -> parts: roster, codec, engine, store, broker, publisher. The service puts them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from twin import kpis, plan, plant, topics
from twin.access import Access
from twin.adapters.memory import MemorySink
from twin.adapters.spool import DiskSpool
from twin.codec import Codec
from twin.engine import Engine
from twin.engine import Settings as EngineSettings
from twin.errors import ConfigError
from twin.files import read_config, read_secret, read_text, secret_texts
from twin.judge_thread import JudgeThread
from twin.mapping.table import Mapping, mapping
from twin.overflow import Limits
from twin.plant import Line, Plant, Roster
from twin.ports import Store
from twin.redact import redacted
from twin.settings import SECRET_FILES, Settings
from twin.shares import cut_sites, part_of

if TYPE_CHECKING:
    from twin.adapters.influx import InfluxStore, Target

__all__ = [
    "ROLES",
    "MemoryStore",
    "OpenStore",
    "access_of",
    "codec_of",
    "engine_of",
    "influx_of",
    "judge_thread_of",
    "mapping_of",
    "plant_of",
    "roles_of",
    "roster_of",
    "router_of",
    "secrets_of",
    "sink_of",
    "spool_of",
]

ROLES = ("broker", "simulate", "ingest", "engine", "page")


class OpenStore(Store, Protocol):
    """A store that is opened within the event loop and closed at the end."""

    async def open(self) -> None: ...

    async def probe(self) -> None:
        """Return when the store answers; raises SinkUnavailable."""
        ...

    async def close(self) -> None: ...


class MemoryStore(MemorySink):
    """The store that forgets: for trying out and for processes that only compute."""

    async def open(self) -> None:
        """Memory is always open."""

    async def probe(self) -> None:
        """Memory always answers."""

    async def close(self) -> None:
        """Nothing outlives the process."""


def roles_of(text: str) -> tuple[str, ...]:
    """Roles named in a setting. Raises ConfigError."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if unknown := next((name for name in names if name not in ROLES), None):
        raise ConfigError(f"roles = {text!r}: {unknown!r} is not one of {', '.join(ROLES)}")
    if not names:
        raise ConfigError(f"roles is empty; give some of {', '.join(ROLES)}")
    if "page" in names and "engine" not in names:
        raise ConfigError("roles: page needs engine in the same process")
    return names


def plant_of(settings: Settings) -> Plant:
    """The whole plant of the plant file that the settings name."""
    text, where = read_config(settings["plant.file"], "plants", "plant.file")
    return _with_pots(plant.parse(text, where), settings["plant.pots"])


def roster_of(settings: Settings, lines: Sequence[str] = ()) -> Roster:
    """The roster of that plant, or of some of its lines."""
    return Roster(part_of(plant_of(settings), lines))


def _with_pots(found: Plant, pots: int) -> Plant:
    """The plant with that many pots in every line; 0 = as it is."""

    def resized(line: Line) -> Line:
        capacity = line.capacity_t_per_year and line.capacity_t_per_year * pots / line.pots
        return replace(line, pots=pots, capacity_t_per_year=capacity)

    if not pots:
        return found
    return replace(found, sites=[replace(s, lines=[resized(line) for line in s.lines]) for s in found.sites])


def codec_of(settings: Settings, roster: Roster) -> Codec:
    """The codec of the data contract, and of the mapping file beside it, under these settings."""
    router = router_of(settings, roster)
    limits = {"future_s": settings["ingest.future_s"], "max_payload": settings["ingest.max_payload_bytes"]}
    return Codec(router, **limits, beside=mapping_of(settings, router))


def router_of(settings: Settings, roster: Roster) -> topics.Router:
    """Topics and units under these settings."""
    discover, most = settings["ingest.unknown_pot"] == "discover", settings["ingest.discovered_max"]
    return topics.Router(roster, root=settings["mqtt.root"], discover=discover, max_discovered=most)


def mapping_of(settings: Settings, router: topics.Router) -> Mapping | None:
    """The mapping file of an existing plant's topics, None where there is none. Raises ConfigError."""
    if not settings["ingest.map"]:
        return None
    return mapping(
        read_text(settings["ingest.map"], "ingest.map"),
        settings["ingest.map"],
        router,
        max_payload=settings["ingest.max_payload_bytes"],
    )


def engine_of(settings: Settings, roster: Roster, whole: Plant | None = None) -> Engine:
    """The twin's engine on the plan file that the settings name; `whole`: the plant of which the roster is a part.

    Raises ConfigError.
    """
    text, where = read_config(settings["plan.file"], "plans", "plan.file")
    constants = EngineSettings(
        tick_s=settings["engine.tick_s"],
        grace=settings["engine.grace_ticks"],
        horizon_h=settings["engine.horizon_h"],
        efficiency=settings["engine.current_efficiency"],
        u_efficiency=settings["engine.current_efficiency_u"],
        estimate=settings["engine.estimate"],
        features=settings["engine.estimate"],
    )
    whole = whole or roster.plant
    return Engine(
        roster, plan.parse(text, where, kpis.METRICS), constants,
        cut_sites=cut_sites(whole, roster.plant), all_sites=len(whole.sites) == len(roster.plant.sites),
    )  # fmt: skip


def judge_thread_of(settings: Settings, engine: Engine, say: Callable[[str], None]) -> JudgeThread:
    """The models beside the engine; where there are none, it is said once and the twin runs on rules alone."""
    from twin.judge import judge_of

    judge, problem = judge_of(settings["models.file"])
    if judge is not None and engine.features is None:
        judge, problem = None, "engine.estimate is off, and models need the estimate: only signals are watched"
    if problem:
        say(problem)
    return JudgeThread(judge, problem, say)


def sink_of(settings: Settings, roster: Roster) -> tuple[OpenStore, str]:
    """The store of `sink.url` and its name for people; one row a scheme."""
    url: str = settings["sink.url"]
    scheme, _, rest = url.partition(":")
    if scheme == "duckdb":
        from twin.adapters.duck import DuckStore

        path = Path(rest) if rest else Path(settings["data.dir"]) / "twin.duckdb"
        return DuckStore(path, roster), f"DuckDB {path}"
    if scheme in ("influx", "influxs"):
        from twin.adapters.influx import target

        if settings["sink.ca_file"] and scheme == "influx":
            raise ConfigError(f"sink.ca_file is only for influxs://, and sink.url is {redacted(url)!r}, without TLS")
        where = target(url)
        return influx_of(where, settings, roster), f"InfluxDB {where.url}/{where.bucket}"
    if scheme == "memory":
        return MemoryStore(roster), "memory"
    raise ConfigError(
        f"sink.url = {redacted(url)!r} is not allowed; it starts with duckdb, influx://, influxs:// or memory"
    )


def influx_of(where: Target, settings: Settings, roster: Roster) -> InfluxStore:
    """InfluxDB at `where`, with the token and the certificate authority of the settings. Raises ConfigError."""
    from twin.adapters.influx import InfluxStore

    return InfluxStore(
        where,
        roster,
        token=read_secret(settings["sink.token_file"], "sink.token_file"),
        compress=settings["sink.gzip"],
        ca_file=settings["sink.ca_file"],
    )


def spool_of(settings: Settings) -> tuple[DiskSpool | None, Limits]:
    """The spool of the settings, not yet open, None where there is to be none; and when it is used."""
    limits = Limits(
        patience_s=settings["spool.patience_s"],
        waiting=settings["spool.waiting"],
        age_s=settings["spool.max_h"] * 3600,
        retry_max_s=settings["sink.retry_max_s"],
        writes=settings["ingest.writes"],
        chunk=settings["ingest.batch_messages"],
    )
    if not settings["spool.max_mib"]:
        return None, limits
    return DiskSpool(Path(settings["data.dir"]) / "spool.sqlite", int(settings["spool.max_mib"] * 2**20)), limits


def secrets_of(settings: Settings) -> list[str]:
    """The texts that no log line may hold: what is in the files of passwords, tokens and private keys that the settings
    name. Raises ConfigError when one cannot be read."""
    return [text for name in (*SECRET_FILES, "mqtt.cert_file") for text in secret_texts(settings[name], name)]


def access_of(settings: Settings) -> Access:
    """Who may ask the page. Raises ConfigError."""
    file = settings["page.token_file"]
    return Access.of(settings["page.host"], settings["page.hosts"], read_secret(file, "page.token_file"), file)
