"""Where a recording is read from: one row a scheme or kind of file."""

from __future__ import annotations

from pathlib import Path

from twin.column_map import parse_map
from twin.errors import ConfigError
from twin.parts import influx_of, roster_of
from twin.plant import Roster
from twin.ports import Recording
from twin.recording import Selection, Skipped
from twin.redact import redacted
from twin.settings import Settings
from twin.topics import Router

__all__ = ["SOURCES", "recording_of", "router_of"]

SOURCES = "FILE.parquet, FILE.parquet.parts, FILE.csv (with --map), duckdb:FILE, influx://host:port/bucket"
_PARQUET = (".parquet", ".parts")
_CSV = (".csv", ".tsv", ".txt")


def router_of(source: str, settings: Settings) -> Router:
    """The units of a recording: those of the plant that it carries, unless the settings name another one."""
    plant = None
    if Path(source).suffix in _PARQUET and settings.origins["plant.file"] == "default":
        from twin.parquet_files import recorded_plant

        plant = recorded_plant(Path(source))
    roster = Roster(plant) if plant else roster_of(settings)
    return Router(roster, root=settings["mqtt.root"], discover=settings["ingest.unknown_pot"] == "discover")


def recording_of(
    source: str, settings: Settings, router: Router, selection: Selection, skipped: Skipped, map_file: Path | None
) -> Recording:
    """The recording that `source` names. Raises ConfigError."""
    scheme, _, rest = source.partition(":")
    suffix = Path(source).suffix.lower()
    if map_file is not None and suffix not in _CSV:
        raise ConfigError(f"--map {map_file} is for tables in CSV; {source} is none")
    if scheme == "duckdb":
        from twin.adapters.stored import DuckRecording

        path = Path(rest) if rest else Path(settings["data.dir"]) / "twin.duckdb"
        return DuckRecording(path, router, selection, skipped)
    if scheme in ("influx", "influxs"):
        return _influx(source, settings, router, selection, skipped)
    if suffix in _PARQUET:
        from twin.adapters.parquet_recording import ParquetRecording

        return ParquetRecording(Path(source), router, selection, skipped)
    if suffix in _CSV:
        from twin.adapters.csv_table import CsvRecording

        if map_file is None:
            raise ConfigError(f"{source}: a CSV table needs --map FILE.toml, which says what its columns are")
        try:
            text = map_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--map {map_file} cannot be read: {error}") from error
        return CsvRecording(Path(source), parse_map(text, str(map_file)), router, selection, skipped)
    raise ConfigError(f"{redacted(source)!r} is no recording; there are {SOURCES}")


def _influx(source: str, settings: Settings, router: Router, selection: Selection, skipped: Skipped) -> Recording:
    from twin.adapters.influx import target
    from twin.adapters.stored import InfluxRecording

    try:
        where = target(source)
    except ConfigError as error:
        raise ConfigError(str(error).replace("sink.url", "SOURCE")) from error
    store = influx_of(where, settings, router.roster)
    policy = where.bucket.partition("/")[2]
    return InfluxRecording(
        store.query, router, selection, skipped, source, policy=policy, begin=store.open, finish=store.close
    )
