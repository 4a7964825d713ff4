"""Settings: one table, four origins, and messages that say what is allowed."""

from __future__ import annotations

import re

import pytest

from twin.errors import ConfigError
from twin.settings import SETTINGS, Setting, resolve

NAMES = [setting.name for setting in SETTINGS]


def other(setting: Setting) -> str:
    """A value, as text, that the setting allows and that is not its default."""
    if setting.choices:
        return next(choice for choice in setting.choices if choice != setting.default)
    if isinstance(setting.default, bool):
        return "false" if setting.default else "true"
    if isinstance(setting.default, str):
        return "something"
    assert setting.low is not None
    return f"{setting.low:g}" if setting.default != setting.low else f"{setting.high:g}"


def refused(**origins: object) -> str:
    with pytest.raises(ConfigError) as caught:
        resolve(**origins)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
def test_a_row_is_sane(setting: Setting) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z_]+)?", setting.name)
    assert NAMES.count(setting.name) == 1
    assert setting.environment == "SMELTER_" + setting.name.upper().replace(".", "_")
    assert setting.help.endswith((".", "..."))
    if isinstance(setting.default, int | float) and not isinstance(setting.default, bool):
        assert setting.low is not None, "a number has bounds"
        assert setting.high is not None
        assert setting.low <= setting.default <= setting.high
    if setting.choices:
        assert setting.default in setting.choices


def test_environment_names_are_unique() -> None:
    assert len({setting.environment for setting in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
def test_flag_over_environment_over_file_over_default(setting: Setting) -> None:
    section, _, key = setting.name.rpartition(".")
    value = other(setting)
    written = (
        value if re.fullmatch(r"true|false|[\d.e+]+", value) and not isinstance(setting.default, str) else f'"{value}"'
    )
    toml = f"[{section}]\n{key} = {written}" if section else f"{key} = {written}"
    default = str(setting.default).lower() if isinstance(setting.default, bool) else str(setting.default)
    environment, flags = {setting.environment: default}, {setting.name: value}
    kind = type(setting.default)
    expected = value == "true" if kind is bool else kind(value)
    for origins, wanted, origin in (
        ({}, setting.default, "default"),
        ({"toml": toml, "toml_name": "f.toml"}, expected, "f.toml"),
        ({"toml": toml, "environment": environment}, setting.default, f"environment {setting.environment}"),
        ({"toml": toml, "environment": environment, "flags": flags}, expected, "command line"),
    ):
        settings = resolve(**origins)
        assert settings[setting.name] == wanted
        assert type(settings[setting.name]) is kind
        assert settings.origins[setting.name] == origin
        others = {name for name in NAMES if settings.origins[name] != "default"} - {setting.name}
        assert others == set(), "one setting changes no other"


def test_rows_are_in_the_order_of_the_table() -> None:
    rows = list(resolve(flags={"page.port": "81"}).rows())
    assert [setting.name for setting, _, _ in rows] == NAMES
    assert ("page.port", 81, "command line") in [(setting.name, value, origin) for setting, value, origin in rows]


@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
def test_a_wrong_value_is_refused_by_name_with_what_is_allowed(setting: Setting) -> None:
    if isinstance(setting.default, str) and not setting.choices:
        assert setting.allowed == "text"
        return
    message = refused(environment={setting.environment: "rubbish"})
    assert f"environment {setting.environment}: {setting.name} = 'rubbish' is not allowed" in message
    assert setting.allowed in message


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("page.port", "0", "a whole number from 1 to 65535"),
        ("page.port", "65536", "a whole number from 1 to 65535"),
        ("page.port", "80.0", "a whole number"),
        ("page.port", "", "a whole number"),
        ("engine.tick_s", "nan", "a number from 0.1 to 60"),
        ("engine.tick_s", "inf", "a number from 0.1 to 60"),
        ("engine.tick_s", "-1", "a number from 0.1 to 60"),
        ("simulate.seed", "1" * 5000, "a whole number"),
        ("sink.gzip", "maybe", "true or false"),
        ("log.level", "loud", "one of debug, info, warning, error"),
        ("ingest.unknown_pot", "Discover", "one of discover, park"),
    ],
)
def test_bounds_and_choices(name: str, value: str, allowed: str) -> None:
    message = refused(flags={name: value})
    assert message.startswith(f"command line: {name} = ")
    assert allowed in message


@pytest.mark.parametrize(
    "toml",
    [
        "[page]\nport = 80.5",
        "[page]\nport = true",
        "[page]\nport = inf",
        "[page]\nport = nan",
        "[page]\nport = [80]",
        "[page]\nport = 1979-05-27",
        f"[page]\nport = 1{'0' * 400}",
        f"[engine]\ntick_s = 1{'0' * 400}",
        "[engine]\ntick_s = true",
        "[log]\nlevel = 3",
        "[mqtt]\nroot = true",
        "[mqtt]\nroot = {}",
        "[sink]\ngzip = 2",
    ],
)
def test_a_wrong_type_in_a_file_is_refused(toml: str) -> None:
    message = refused(toml=toml, toml_name="f.toml")
    assert message.startswith("f.toml: ")
    assert "is not allowed; it must be" in message


@pytest.mark.parametrize(
    ("text", "value"),
    [*((t, True) for t in ("true", "TRUE", "1", "yes", "on")), *((t, False) for t in ("false", "0", "No", "off"))],
)
def test_words_for_true_and_false(text: str, value: bool) -> None:
    assert resolve(flags={"sink.gzip": text})["sink.gzip"] is value


def test_numbers_in_a_file_keep_the_type_of_the_row() -> None:
    settings = resolve(toml="[engine]\ntick_s = 2\n[page]\nport = 81.0\n[mqtt]\nclient_id = 7")
    assert (settings["engine.tick_s"], type(settings["engine.tick_s"])) == (2.0, float)
    assert (settings["page.port"], type(settings["page.port"])) == (81, int)
    assert settings["mqtt.client_id"] == "7"


@pytest.mark.parametrize(
    ("origins", "said"),
    [
        ({"flags": {"page.prot": "1"}}, "command line: there is no setting 'page.prot'"),
        (
            {"toml": "[mqtt]\nport = 1", "toml_name": "f"},
            "f: there is no setting 'mqtt.port'; did you mean broker.port, page.port",
        ),
        ({"toml": "port = 1", "toml_name": "f"}, "f: there is no setting 'port'; did you mean broker.port, page.port"),
        ({"toml": "[a.b]\nc = 1", "toml_name": "f"}, "f: there is no setting 'a.b'"),
        ({"toml": "[page\nport = 1", "toml_name": "f"}, "f: Expected"),
    ],
)
def test_what_is_no_setting_is_refused(origins: dict[str, object], said: str) -> None:
    assert refused(**origins).startswith(said)
    assert "twin settings" in refused(**origins) or "Expected" in said


def test_an_environment_of_others_is_left_alone() -> None:
    assert resolve(environment={"PATH": "/", "SMELTER": "x"}).origins["page.port"] == "default"


def test_what_is_allowed_in_words() -> None:
    assert Setting("a", 1, "", "A.").allowed == "a whole number"
    assert Setting("a", 1.0, "", "A.", 0).allowed == "a number, at least 0"
    assert Setting("a", 1.0, "", "A.", 0, 2).allowed == "a number from 0 to 2"
    assert Setting("a", "x", "", "A.", choices=("x", "y")).allowed == "one of x, y"
    assert Setting("a", "x", "", "A.").allowed == "text"
    assert Setting("a", False, "", "A.").allowed == "true or false"


def test_a_misspelt_environment_variable_is_an_error() -> None:
    with pytest.raises(ConfigError, match="SMELTER_PAGE_PROT"):
        resolve(environment={"SMELTER_PAGE_PROT": "1", "SMELTER_CONFIG": "x", "HOME": "y"})
