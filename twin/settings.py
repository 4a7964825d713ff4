"""Settings resolved: command line > environment > TOML file > default. The table is `twin.setting_rows`.

The environment name of `mqtt.url` is SMELTER_MQTT_URL. `resolve` is pure: the texts come in as arguments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twin.errors import ConfigError
from twin.redact import redacted
from twin.setting_rows import ENVIRONMENT_PREFIX, SECRET_FILES, SETTINGS, Setting, Value

__all__ = ["ENVIRONMENT_PREFIX", "SECRET_FILES", "SETTINGS", "Setting", "Settings", "resolve"]

_BY_NAME = {setting.name: setting for setting in SETTINGS}
_ENVIRONMENT = {setting.environment for setting in SETTINGS} | {f"{ENVIRONMENT_PREFIX}CONFIG"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Resolved values and where each came from; `settings["mqtt.url"]` gives the value."""

    values: Mapping[str, Value]
    origins: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def rows(self) -> Iterator[tuple[Setting, Value, str]]:
        """Every setting with its value and origin, in table order."""
        for setting in SETTINGS:
            yield setting, self.values[setting.name], self.origins[setting.name]


def resolve(
    *,
    toml: str = "",
    toml_name: str = "",
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
) -> Settings:
    """All settings from a TOML text, an environment and command-line words. Raises ConfigError."""
    given = dict(_from_toml(toml, toml_name))
    for name in environment or ():
        if name.startswith(ENVIRONMENT_PREFIX) and name not in _ENVIRONMENT:
            raise ConfigError(f"environment: there is no setting {name}; see `twin settings` for the names")
    for setting in SETTINGS:
        if environment and setting.environment in environment:
            given[setting.name] = (environment[setting.environment], f"environment {setting.environment}")
    for name, text in (flags or {}).items():
        given[name] = (text, "command line")
    values: dict[str, Value] = {setting.name: setting.default for setting in SETTINGS}
    origins = dict.fromkeys(values, "default")
    for name, (raw, origin) in given.items():
        values[name] = _checked(name, raw, origin)
        origins[name] = origin
    return Settings(values, origins)


def _from_toml(text: str, where: str) -> Iterator[tuple[str, tuple[object, str]]]:
    try:
        loaded = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: {error}") from error
    for section, content in loaded.items():
        if isinstance(content, dict):
            for key, value in content.items():
                yield f"{section}.{key}", (value, where)
        else:
            yield section, (content, where)


def _checked(name: str, raw: object, origin: str) -> Value:
    setting = _BY_NAME.get(name)
    if setting is None:
        near = [known for known in _BY_NAME if known.split(".")[-1] == name.split(".")[-1]] or list(_BY_NAME)
        raise ConfigError(
            f"{origin}: there is no setting {name!r}; did you mean {', '.join(near[:4])}? See `twin settings`."
        )
    try:
        value = _converted(setting, raw)
    except (ValueError, TypeError, OverflowError):
        raise ConfigError(
            f"{origin}: {name} = {redacted(repr(raw))} is not allowed; it must be {setting.allowed}."
        ) from None
    return value


def _converted(setting: Setting, raw: object) -> Value:
    value: Value
    if isinstance(setting.default, bool):
        words = {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }
        value = raw if isinstance(raw, bool) else words.get(str(raw).lower(), "")
        if not isinstance(value, bool):
            raise ValueError(raw)
        return value
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise TypeError(raw)
    value = type(setting.default)(raw)
    if isinstance(value, int) and not isinstance(raw, str) and value != raw:
        raise ValueError(raw)
    if isinstance(value, str) and setting.choices and value not in setting.choices:
        raise ValueError(raw)
    if not isinstance(value, str) and not (-1e300 if setting.low is None else setting.low) <= value <= (
        1e300 if setting.high is None else setting.high
    ):
        raise ValueError(raw)
    return value
