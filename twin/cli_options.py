"""What the commands share: options, and words of the command line as numbers. ConfigError says what is allowed."""

from __future__ import annotations

import asyncio
import math
import os
import re
import signal
from collections.abc import Callable, Coroutine, Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from twin.errors import ConfigError, PayloadError
from twin.redact import redacted
from twin.settings import Settings, resolve
from twin.times import parse_time

__all__ = [
    "ConfigOption",
    "SetOption",
    "duration_s",
    "loop_factory",
    "moment_ns",
    "on_stop",
    "product_version",
    "run_process",
    "settings_of",
    "speed_of",
]

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings file (TOML).", envvar="SMELTER_CONFIG")
]
SetOption = Annotated[list[str] | None, typer.Option("--set", "-s", help="NAME=VALUE of any setting; may be repeated.")]
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def settings_of(config: Path | None, words: list[str] | None, **named: object) -> Settings:
    """Settings of this command: file, environment, --set, then the command's own options."""
    flags: dict[str, str] = {}
    for word in words or []:
        name, separator, value = word.partition("=")
        if not separator:
            raise ConfigError(f"--set {redacted(word)!r} is not allowed; it must look like page.port=8081")
        flags[name] = value
    flags |= {name.replace("__", "."): str(value) for name, value in named.items() if value is not None}
    text, where = "", ""
    if config is not None:
        where = str(config)
        try:
            text = config.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--config {where} cannot be read: {error}") from error
    environment: Mapping[str, str] = os.environ
    return resolve(toml=text, toml_name=where, environment=environment, flags=flags)


def loop_factory() -> Any:
    """The event loop's maker; None = the standard one."""
    try:
        import uvloop
    except ImportError:  # not on Windows; the standard loop does the same, slower
        return None
    return uvloop.new_event_loop


def run_process(process: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an asynchronous command to its end."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(process())


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` at Ctrl-C and at the end that a service manager asks for, instead of breaking off."""
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop)


def product_version() -> str:
    """Version of the product, as installed."""
    try:
        return metadata.version("smelter-twin")
    except metadata.PackageNotFoundError:  # run from a source tree
        return "source"


def duration_s(text: str, option: str) -> float:
    """Seconds of 90, 90s, 10m, 24h or 7d.

    >>> duration_s("10m", "--for")
    600.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    if found is None or found[2] not in _SECONDS or not float(found[1]):
        raise ConfigError(f"{option} {text!r} is not allowed; it must look like 90s, 10m, 24h or 7d")
    return float(found[1]) * _SECONDS[found[2]]


def moment_ns(text: str, option: str) -> int:
    """A moment in ns: ISO 8601 with a zone, or epoch ms or ns."""
    try:
        return parse_time(int(text) if text.isdecimal() else text)
    except PayloadError as error:
        raise ConfigError(f"{option} {error.detail}") from error


def speed_of(text: str, option: str = "--speed") -> float:
    """Source seconds a second; `max` is infinite.

    >>> speed_of("60")
    60.0
    """
    if text == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1e6:
        raise ConfigError(f"{option} {text!r} is not allowed; it is a number from 0.01 to 1000000, or max")
    return speed
