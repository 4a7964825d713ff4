"""Addresses of a broker: several of one cluster share scheme, user and files, and no password gets out."""

from __future__ import annotations

import pytest

from twin.broker import addresses
from twin.connections import brokers_of
from twin.errors import ConfigError
from twin.redact import redacted
from twin.settings import Settings, resolve


def settings(**flags: object) -> Settings:
    return resolve(flags={name.replace("__", "."): str(value) for name, value in flags.items()})


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("mqtt://a,b:2, c", [("a", 1883, ""), ("b", 2, ""), ("c", 1883, "")]),
        ("mqtts://me@a,b", [("a", 8883, "me"), ("b", 8883, "me")]),
        ("mqtt://a:1,mqtts://you@b", [("a", 1, ""), ("b", 8883, "you")]),
        ("mqtt://[::1]:5,[::2]:6", [("::1", 5, ""), ("::2", 6, "")]),
    ],
)
def test_several_addresses_share_scheme_and_user(url: str, found: list[tuple[str, int, str]]) -> None:
    assert [(at.host, at.port, at.user) for at in brokers_of(settings(mqtt__url=url))] == found


@pytest.mark.parametrize("url", ["mqtt://a,", "mqtt://a,b:x", "a,b", "mqtt://a,http://b", "mqtt://[,b"])
def test_a_wrong_address_among_several_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"mqtt\.url"):
        brokers_of(settings(mqtt__url=url))


@pytest.mark.parametrize("url", ["mqtt://me:canary@a,b", "mqtt://me@a,you:canary@b", "mqtt://a, you:canary@b:1"])
def test_a_password_in_any_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match=r"put it into a file and name it in mqtt\.password_file") as caught:
        brokers_of(settings(mqtt__url=url))
    assert "canary" not in str(caught.value)
    assert "canary" not in redacted(f"mqtt.url = {url!r} is not allowed")
    assert any("canary" in one for one in addresses(url)), "it was there"


@pytest.mark.parametrize(
    "text", ["mqtt://a:1883,b:1883", "mqtts://me@a, b:1", "see http://a:80/x, or ask me@b.example"]
)
def test_what_holds_no_password_is_shown_whole(text: str) -> None:
    assert redacted(text) == text


def test_files_of_tls_hold_for_every_address_or_none() -> None:
    with pytest.raises(ConfigError, match=r"mqtt\.ca_file: only for mqtts://, and mqtt\.url is 'mqtt://b'"):
        brokers_of(settings(mqtt__url="mqtt://b,mqtts://a", mqtt__ca_file="ca.crt"))
