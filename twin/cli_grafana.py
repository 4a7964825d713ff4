"""`twin grafana push | diff`: the generated boards and alert rules, and a Grafana that is to have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from twin.adapters.grafana import Grafana, Thing, differences
from twin.adapters.influx import target
from twin.cli_options import ConfigOption, SetOption, settings_of
from twin.errors import ConfigError
from twin.files import read_secret, read_text
from twin.settings import Settings

__all__ = ["app", "diff", "push", "things"]

app = typer.Typer(help="Boards and alert rules of a Grafana.", no_args_is_help=True)
PATHS_SHOWN = 8

UrlArgument = Annotated[str, typer.Argument(help="Address of Grafana, like https://grafana.example:3000.")]
TokenOption = Annotated[str, typer.Option("--token-file", help="File of a service account's token.")]
FilesOption = Annotated[
    Path | None, typer.Option("--files", help="Folder that python -m dashboards wrote; default: the packaged one.")
]
PrometheusOption = Annotated[str, typer.Option("--prometheus", help="Address of Prometheus, for the board Processes.")]
UrgentOption = Annotated[str, typer.Option("--urgent", help="Mail address for alerts of high severity.")]
UsualOption = Annotated[str, typer.Option("--usual", help="Mail address for the others.")]
PolicyOption = Annotated[bool, typer.Option("--policy", help="Notification policy too: it replaces the whole tree.")]
CaOption = Annotated[str, typer.Option("--ca-file", help="Authority of Grafana's certificate.")]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says beside the files."""

    prometheus: str = ""
    urgent: str = ""
    usual: str = ""
    policy: bool = False


@app.command()
def push(
    url: UrlArgument,
    token_file: TokenOption = "",
    files: FilesOption = None,
    prometheus: PrometheusOption = "",
    urgent: UrgentOption = "",
    usual: UsualOption = "",
    policy: PolicyOption = False,
    ca_file: CaOption = "",
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """Write what is missing or differs: data source, folder, boards, alert rules, and contact points if named."""
    console = Console(highlight=False, markup=False)
    with Grafana(url, read_secret(token_file, "--token-file"), ca_file=ca_file) as grafana:
        for thing in things(settings_of(config, words), files, Wishes(prometheus, urgent, usual, policy)):
            there = grafana.read(thing)
            done = "made" if there is None else "changed" if differences(thing, there) else "as it was"
            # A token is never told back, so whether it is still the right one cannot be seen.
            if done != "as it was" or "secureJsonData" in thing.wanted:
                grafana.write(thing, there)
            console.print(f"{thing.kind:<14} {thing.name:<28} {done}", soft_wrap=True)


@app.command()
def diff(
    url: UrlArgument,
    token_file: TokenOption = "",
    files: FilesOption = None,
    prometheus: PrometheusOption = "",
    urgent: UrgentOption = "",
    usual: UsualOption = "",
    policy: PolicyOption = False,
    ca_file: CaOption = "",
    config: ConfigOption = None,
    words: SetOption = None,
) -> None:
    """Say what push would change, and change nothing; ends with 1 when there is something."""
    console = Console(highlight=False, markup=False)
    apart = 0
    with Grafana(url, read_secret(token_file, "--token-file"), ca_file=ca_file) as grafana:
        for thing in things(settings_of(config, words), files, Wishes(prometheus, urgent, usual, policy)):
            there = grafana.read(thing)
            paths = [] if there is None else differences(thing, there)
            said = "missing" if there is None else "differs" if paths else "same"
            apart += said != "same"
            more = f": {', '.join(paths[:PATHS_SHOWN])}{' ...' if len(paths) > PATHS_SHOWN else ''}" if paths else ""
            console.print(f"{thing.kind:<14} {thing.name:<28} {said}{more}", soft_wrap=True)
    if apart:
        raise typer.Exit(1)


def things(settings: Settings, files: Path | None, wishes: Wishes) -> Iterator[Thing]:
    """What Grafana is to have, in the order in which it can be made."""
    folder = Path(str(resources.files("dashboards") / "generated")) if files is None else files
    try:
        api: dict[str, Any] = orjson.loads(read_text(str(folder / "api.json"), "--files"))
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"--files {folder}: api.json cannot be read: {error}") from error
    for row in api["data_sources"]:
        yield from _data_source(row, settings, wishes)
    for row in api["folders"]:
        yield Thing("folder", row["title"], row)
    home = api["folders"][0]["uid"]
    for path in sorted((folder / "dashboards").glob("*.json")):
        board = orjson.loads(path.read_bytes())
        yield Thing("board", board["title"], board, home)
    for group in api["rule_groups"]:
        yield Thing("rule group", group["title"], group, group["folderUid"])
    yield from _notifications(api, wishes)


def _data_source(row: dict[str, Any], settings: Settings, wishes: Wishes) -> Iterator[Thing]:
    """Filled in from the settings of the store; left alone when the store is none that Grafana can ask."""
    if row["type"] == "prometheus":
        if wishes.prometheus:
            yield Thing("data source", row["name"], {**row, "url": wishes.prometheus})
        return
    if not settings["sink.url"].startswith("influx"):
        return
    store = target(settings["sink.url"])
    wanted = {**row, "url": store.url, "jsonData": {**row["jsonData"], "dbName": store.bucket.split("/")[0]}}
    token = read_secret(settings["sink.token_file"], "sink.token_file")
    if token:
        wanted["secureJsonData"] = {"httpHeaderValue1": f"Token {token}"}
    else:  # no header at all: InfluxDB 1 refuses an empty token
        wanted.pop("secureJsonData")
        wanted["jsonData"].pop("httpHeaderName1")
    yield Thing("data source", row["name"], wanted)


def _notifications(api: dict[str, Any], wishes: Wishes) -> Iterator[Thing]:
    addresses = {"$SMELTER_URGENT_EMAIL": wishes.urgent, "$SMELTER_USUAL_EMAIL": wishes.usual}
    if bool(wishes.urgent) != bool(wishes.usual):
        raise ConfigError("give --urgent and --usual together, or neither")
    if wishes.policy and not wishes.urgent:
        raise ConfigError("--policy sends alerts to the contact points of --urgent and --usual: give them too")
    if wishes.urgent:
        for point in api["contact_points"]:
            settings = {**point["settings"], "addresses": addresses[point["settings"]["addresses"]]}
            yield Thing("contact point", point["name"], {**point, "settings": settings})
    if wishes.policy:
        yield Thing("policy", "notification policy", api["policy"])
