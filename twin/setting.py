"""One setting: its name, its default, what is allowed, and the value that a text stands for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ENVIRONMENT_PREFIX", "Setting", "Value"]

Value = str | int | float | bool
ENVIRONMENT_PREFIX = "SMELTER_"
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """One row. `low` and `high` bound numbers, `choices` words. A secret is never a value: only its file is named."""

    name: str
    default: Value
    unit: str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def environment(self) -> str:
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()

    @property
    def allowed(self) -> str:
        """What may stand here, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if isinstance(self.default, bool):
            return "true or false"
        kind = {int: "a whole number", float: "a number", str: "text"}[type(self.default)]
        if self.low is None and self.high is None:
            return kind
        if self.high is None:
            return f"{kind}, at least {self.low:g}"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def converted(self, raw: object) -> Value:
        """The value that a text, or a value of TOML, stands for. Raises ValueError, TypeError, OverflowError."""
        value: Value
        if isinstance(self.default, bool):
            value = raw if isinstance(raw, bool) else _WORDS.get(str(raw).lower(), "")
            if not isinstance(value, bool):
                raise ValueError(raw)
            return value
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            raise TypeError(raw)
        value = type(self.default)(raw)
        if isinstance(value, int) and not isinstance(raw, str) and value != raw:
            raise ValueError(raw)
        if isinstance(value, str) and self.choices and value not in self.choices:
            raise ValueError(raw)
        if not isinstance(value, str) and not (-1e300 if self.low is None else self.low) <= value <= (
            1e300 if self.high is None else self.high
        ):
            raise ValueError(raw)
        return value
