"""Reading configuration files: a path, or the name of a file that comes with the package."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from twin.errors import ConfigError

__all__ = ["read_config", "read_secret", "read_text", "secret_texts"]

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)-----END", re.S)


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
        word = Path(name).read_text("utf-8").split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        # Not `from error`: a UnicodeDecodeError carries the content, and a traceback would print it.
        raise ConfigError(f"{setting} = {name!r} cannot be read: {type(error).__name__}") from None
    if not word:
        raise ConfigError(f"{setting} = {name!r} is empty; its first line is the secret")
    if not word.isprintable() or not word.isascii():
        raise ConfigError(f"{setting} = {name!r}: the secret in it has characters that are not printable ASCII")
    return word


def secret_texts(name: str, setting: str) -> list[str]:
    """What nobody may read in the file of a secret, or of a certificate, which may hold its key: of keys each line.

    Raises ConfigError as `read_secret` does. A key that cannot be read is refused where it is used.
    """
    if not setting.endswith(("key_file", "cert_file")):
        return [secret] if (secret := read_secret(name, setting)) else []
    try:
        keys = _PRIVATE_KEY.findall(Path(name).read_text("utf-8")) if name else []
    except (OSError, UnicodeDecodeError):
        return []
    return [line for key in keys for line in key.split()]
