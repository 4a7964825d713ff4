"""The compose files as the real Compose reads them, and scripts run with no more tools than a test gives them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["DOCKER", "FILES", "ROOT", "VARIANTS", "compose", "config", "environment_of", "secrets", "tool", "tools"]

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
FILES = ("compose.yaml", "compose.tls.yaml", "compose.influxdb3.yaml")
VARIANTS: tuple[tuple[str, ...], ...] = (FILES[:1], FILES[:2], (FILES[0], FILES[2]), FILES, (FILES[0], *FILES[:0:-1]))
# What docker/secrets.sh needs besides mosquitto_passwd and docker.
PLAIN = ["sh", "od", "tr", "sed", "grep", "wc", "cat", "chmod", "chown", "id", "mkdir", "rm", "dirname", "openssl"]


def tool(name: str) -> str:
    """A program that came with a package of the development group."""
    found = shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    assert found, f"{name} is not there: install the development group"
    return found


def compose(
    files: Iterable[str | Path], *words: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`docker compose` on these files, with no setting of the machine it runs on."""
    named = ["--env-file", os.devnull, *(word for file in files for word in ("-f", str(DOCKER / file)))]
    return subprocess.run(
        [tool("docker-compose"), *named, *words], capture_output=True, text=True, cwd=DOCKER,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(environment or {})},
    )  # fmt: skip


def config(
    files: Iterable[str] = FILES[:1], profiles: Iterable[str] = ("*",), environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What Compose makes of these files."""
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    made = compose(files, *chosen, "config", "--format", "json", environment=environment)
    assert made.returncode == 0, made.stderr
    found: dict[str, Any] = json.loads(made.stdout)
    return found


def environment_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Its settings of the twin."""
    return {name: value for name, value in (service.get("environment") or {}).items() if name.startswith("SMELTER_")}


def tools(folder: Path, names: Iterable[str] = PLAIN, **scripts: str) -> str:
    """A PATH with these programs of the machine, and with scripts of the test."""
    folder.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found, f"{name} is not there"
        (folder / name).symlink_to(found)
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def secrets(folder: Path, path: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run docker/secrets.sh into this folder."""
    return subprocess.run(
        [str(DOCKER / "secrets.sh"), *words],
        capture_output=True, text=True, env={"PATH": path, "SMELTER_SECRETS": str(folder)},
    )  # fmt: skip
