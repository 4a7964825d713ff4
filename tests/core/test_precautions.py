"""What runs, and would be better otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.precautions import precautions
from twin.settings import resolve


def said(*roles: str, **flags: object) -> list[str]:
    given = {name.replace("__", "."): str(value) for name, value in flags.items()}
    return precautions(resolve(flags=given), roles or ("ingest",))


def test_the_defaults_need_none() -> None:
    assert said("broker", "simulate", "ingest", "engine", "page") == []


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        ({"mqtt.receive_maximum": 1999}, ["mqtt.receive_maximum = 1999", "ingest.batch_messages = 2000"]),
        ({"ingest.batch_messages": 4001}, ["mqtt.receive_maximum = 4000", "ingest.batch_messages = 4001"]),
        ({"mqtt.buffer_mib": 5}, ["mqtt.buffer_mib = 5", "4 batches of ingest.batch_kib = 1500"]),
        ({"ingest.batch_kib": 20000}, ["mqtt.buffer_mib = 32", "ingest.batch_kib = 20000"]),
        ({"mqtt.session_expiry_s": 60}, ["mqtt.session_expiry_s = 60"]),
    ],
)
def test_a_window_smaller_than_a_batch_is_told_by_who_hears(flags: dict[str, object], parts: list[str]) -> None:
    for role in ("ingest", "engine"):
        (text,) = said(role, **flags)
        assert all(part in text for part in parts)
    assert said("simulate", **flags) == []


def test_what_does_not_matter_is_not_told() -> None:
    assert said(mqtt__qos=0, mqtt__receive_maximum=10, mqtt__session_expiry_s=1) == []
    assert said(mqtt__version="3.1.1", mqtt__receive_maximum=10) == []


def test_every_address_that_gets_the_password_in_clear_is_told(tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text("x")
    word.chmod(0o600)
    found = said(mqtt__url="mqtt://me@127.0.0.1,far.example,mqtts://safe.example", mqtt__password_file=word)
    assert found == ["mqtt.url sends the secret of mqtt.password_file in clear to far.example: use mqtts://"]
