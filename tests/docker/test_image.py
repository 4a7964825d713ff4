"""The Dockerfile: linted, and its build and commands run here as far as they can be without an engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docker.stack import DOCKER, ROOT, tool
from twin.settings import resolve

DOCKERFILE = (DOCKER / "Dockerfile").read_text("utf-8")
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def words(instruction: str) -> list[str]:
    """The words of an instruction of the last stage in its JSON form."""
    (found,) = re.findall(rf"^{instruction} (?:[^\n]*\\\n\s+CMD )?(\[.*\])$", LAST_STAGE, re.M)
    loaded: list[str] = json.loads(found)
    return loaded


def test_the_linter_finds_nothing_and_would_find_something(tmp_path: Path) -> None:
    def linted(path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([tool("hadolint"), "--no-color", str(path)], capture_output=True, text=True)

    assert (linted(DOCKER / "Dockerfile").returncode, linted(DOCKER / "Dockerfile").stdout) == (0, "")
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM python\nRUN cd /tmp && pip install x\n")
    assert linted(wrong).returncode == 1


def test_the_image_runs_as_a_user_of_its_own_and_ends_in_good_order() -> None:
    assert re.findall(r"^USER (.+)$", LAST_STAGE, re.M) == ["10001:10001"]
    assert "COPY --from=build" in LAST_STAGE
    assert not re.findall(r"^(?:ARG|ENV).*(?:TOKEN|PASSWORD|SECRET|KEY)", DOCKERFILE, re.M)
    assert words("ENTRYPOINT") + words("CMD") == ["twin", "run", "--config", "/etc/smelter-twin/twin.toml"]
    set_here = dict(re.findall(r"(SMELTER_\w+)=(\S+)", LAST_STAGE))
    settings = resolve(environment=set_here)
    assert settings["data.dir"] == "/var/lib/smelter-twin"
    assert words("VOLUME") == ["/var/lib/smelter-twin"]


def test_python_and_version_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (minor,) = re.findall(r"^ARG PYTHON=python:3\.(\d+)-slim-\w+$", DOCKERFILE, re.M)
    assert int(minor) >= int(project["requires-python"].removeprefix(">=3."))
    version = re.findall(r"^ARG VERSION=(.+)$", DOCKERFILE, re.M)
    version += re.findall(r"SMELTER_VERSION:-([\d.]+)", (DOCKER / "compose.yaml").read_text("utf-8"))
    assert set(version) == {project["version"]}


def context(folder: Path) -> Path:
    """What the builder is sent: of an allow list (`*`, then `!name`) without the patterns that follow it."""
    lines = [line for line in (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines() if line[:1] != "#"]
    first = lines.index("*")
    allowed = [line[1:] for line in lines[first:] if line.startswith("!")]
    left_out = [line.removeprefix("**/") for line in lines[first + 1 :] if not line.startswith("!")]
    folder.mkdir()
    for name in allowed:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns(*left_out))
        elif source.exists():
            shutil.copy(source, folder / name)
    return folder


@pytest.mark.long
def test_what_the_builder_gets_is_enough_for_a_twin_that_runs(tmp_path: Path) -> None:
    """The install command of the Dockerfile on the context, then the packaged files are asked for."""
    sent = context(tmp_path / "src")
    assert {path.name for path in sent.iterdir()} >= {"pyproject.toml", "README.md", "requirements.lock", "twin"}
    assert not {".git", "docker", "tests", "twin-data"} & {path.name for path in sent.iterdir()}
    (command,) = re.findall(r"bin/pip (install --no-deps --no-build-isolation \.)", DOCKERFILE)
    installed = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *command.split()]
    made = subprocess.run([*pip, "--target", str(installed)], cwd=sent, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SMELTER_")}
    for line in ("settings", "size --pots 10", "simulate --to parquet:line.parquet --for 1m --pots 2"):
        ran = subprocess.run(
            [sys.executable, "-m", "twin", *line.split()], cwd=tmp_path, capture_output=True, text=True,
            env={**clean, "PYTHONPATH": str(installed)},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
    # The packages of this tree may be installed where the tests run: so no file may be missing from the new ones.
    wanted = {
        path.relative_to(ROOT)
        for package in ("twin", "simulators", "models", "dashboards")
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".toml", ".css", ".js", ".html", ".svg"}
    }
    assert Path("simulators/publish.py") in wanted
    assert {path.as_posix() for path in wanted if not (installed / path).exists()} == set()


def test_the_lock_file_has_every_dependency_and_the_back_end_that_builds() -> None:
    """The image installs that file, then the package without looking for anything more."""
    made = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {
        re.split(r"[^\w-]", text)[0] for text in made["project"]["dependencies"] + made["build-system"]["requires"]
    }
    locked = re.findall(r"^([\w-]+)==[\w.]+(?:\s|$)", (ROOT / "requirements.lock").read_text("utf-8"), re.M)
    assert wanted - set(locked) == set()
    assert "-r requirements.lock" in DOCKERFILE
