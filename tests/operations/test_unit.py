"""The systemd unit: systemd itself finds nothing wrong, and what it relies on is what the product does."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from twin.settings import SETTINGS

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "docker" / "smelter-twin.service"
COMMAND = "/opt/smelter-twin/.venv/bin/twin run --config /etc/smelter-twin/twin.toml"
HARDENED = {
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict", "ProtectHome": "yes",
    "PrivateTmp": "yes", "PrivateDevices": "yes", "ProtectKernelTunables": "yes", "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes", "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes", "LockPersonality": "yes", "SystemCallArchitectures": "native",
}  # fmt: skip


def section(name: str) -> dict[str, list[str]]:
    """Keys of a section with all their values: a key may stand more than once, which configparser does not know."""
    found: dict[str, list[str]] = {}
    inside = False
    for line in UNIT.read_text("utf-8").splitlines():
        if line.startswith("["):
            inside = line == f"[{name}]"
        elif inside and line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_it_is_a_unit_file() -> None:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.read(UNIT)
    assert parsed.sections() == ["Unit", "Service", "Install"]


def verified(text: str, folder: Path) -> tuple[int, str]:
    """Exit code of systemd's own check, and what it says."""
    assert COMMAND in text
    copy = folder / UNIT.name
    copy.write_text(text.replace(COMMAND, f"{sys.executable} -m twin run"))  # a command that is there
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this system has no systemd")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    text = UNIT.read_text("utf-8")
    assert verified(text, tmp_path) == (0, "")
    assert "ProtectSystm" in verified(text.replace("ProtectSystem", "ProtectSystm"), tmp_path)[1]


def test_it_is_hardened() -> None:
    service = section("Service")
    assert {key: service.get(key, ["absent"])[0] for key in HARDENED} == HARDENED
    assert service["User"] != ["root"]


def test_it_waits_longer_for_the_end_than_the_product_takes() -> None:
    within = next(setting for setting in SETTINGS if setting.name == "stop.within_s").default
    assert isinstance(within, float)
    assert float(section("Service")["TimeoutStopSec"][0]) >= 2 * within
    assert section("Service")["KillSignal"] == ["SIGTERM"]


def test_it_writes_only_where_it_may() -> None:
    service = section("Service")
    folder = f"/var/lib/{service['StateDirectory'][0]}"
    assert service["WorkingDirectory"] == [folder]
    assert f"SMELTER_DATA_DIR={folder}" in service["Environment"]


def test_its_environment_names_settings() -> None:
    known = {setting.environment for setting in SETTINGS}
    assert {text.partition("=")[0] for text in section("Service")["Environment"]} <= known


def test_a_wrong_setting_does_not_start_it_again_and_again() -> None:
    assert section("Service")["RestartPreventExitStatus"] == ["2"]
