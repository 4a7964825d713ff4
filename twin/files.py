"""Reading configuration files: a path, or the name of a file that comes with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from twin.errors import ConfigError

__all__ = ["read_config", "read_secret", "read_text"]


def read_config(name: str, folder: str, setting: str) -> tuple[str, str]:
    """Text and display name of `name`; a name without a suffix is looked up in `twin/<folder>`. Raises ConfigError."""
    if not name.endswith(".toml"):
        packaged = resources.files("twin") / folder / f"{name}.toml"
        if packaged.is_file():
            return packaged.read_text("utf-8"), f"packaged {folder[:-1]} {name}"
        known = sorted(f.name[:-5] for f in (resources.files("twin") / folder).iterdir() if f.name.endswith(".toml"))
        raise ConfigError(f"{setting} = {name!r}: give a .toml file or one of {', '.join(known)}")
    return read_text(name, setting), name


def read_text(name: str, setting: str) -> str:
    """Text of a file that a setting names. Raises ConfigError."""
    try:
        return Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{setting} = {name!r} cannot be read: {error}") from error


def read_secret(name: str, setting: str) -> str:
    """First line of a secret's file, "" when none is named. Raises ConfigError; never shows the content."""
    if not name:
        return ""
    try:
        return Path(name).read_text("utf-8").split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{setting} = {name!r} cannot be read: {type(error).__name__}") from error
