"""Broker and twin as compose.yaml starts them, as processes: its entry point, files, secrets, settings and user.

What an engine would mount is put into a folder of the test, with the owner and mode that docker/secrets.sh gave it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.docker.stack import ROOT, config, environment_of
from tests.live.tools import until_sync
from tests.processes import HOST, Server, binary, free_port, serving

__all__ = ["Container", "Stack", "broker", "twin"]

MOUNTED = "/etc/mosquitto/"
LISTENERS = {"listener 8883\n": 8883, "listener 1883\n": 1883}


@dataclass(frozen=True)
class Stack:
    """A variant of the compose files with secrets that were made for it."""

    made: Mapping[str, Any]
    secrets: Path

    @classmethod
    def of(cls, secrets: Path, files: tuple[str, ...]) -> Stack:
        return cls(config(files, environment={"SMELTER_SECRETS": str(secrets)}), secrets)

    def service(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.made["services"][name]
        return found

    def mounts(self, name: str) -> dict[str, Path]:
        """Path in the container -> file or folder here."""
        service = self.service(name)
        found = {bind["target"]: Path(bind["source"]) for bind in service["volumes"] if bind["type"] == "bind"}
        for secret in service["secrets"]:
            target = os.path.join("/run/secrets", secret.get("target") or secret["source"])
            found[target] = Path(self.made["secrets"][secret["source"]]["file"])
        return found


def as_user(user: str) -> tuple[str, ...]:
    """Words before a command that run it as the container's user, where this process may do so."""
    if os.getuid() != 0:
        return ()
    number = user.split(":")[0]
    return (binary("setpriv", "util-linux"), "--reuid", number, "--regid", number, "--clear-groups", "--")


def mount(source: Path, target: Path) -> None:
    """A copy with mode and owner, instead of a bind mount."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    if os.getuid() == 0:
        found = source.stat()
        os.chown(target, found.st_uid, found.st_gid)


@contextmanager
def broker(stack: Stack) -> Iterator[tuple[Server, list[str]]]:
    """mosquitto by its start script; and the health check of compose.yaml, for the port that it has here."""
    service = stack.service("mosquitto")
    health = free_port()

    def build(port: int, directory: Path) -> Server:
        directory.chmod(0o755)
        etc, data = directory / "etc", directory / "data"
        for target, source in stack.mounts("mosquitto").items():
            assert target.startswith(MOUNTED)
            mount(source, etc / target.removeprefix(MOUNTED))
        for name in ("listener.conf", "health.conf"):
            text = (etc / name).read_text("utf-8").replace(MOUNTED, f"{etc}/")
            for line in LISTENERS:
                text = text.replace(line, f"listener {port} {HOST}\n")
            (etc / name).write_text(text.replace("listener 1880 ", f"listener {health} "))
        data.mkdir()
        if os.getuid() == 0:
            os.chown(data, 1883, 1883)
        (entry,) = service["entrypoint"]
        start = etc / entry.removeprefix(MOUNTED)
        # The broker must make its file where it may: the folder of its data, which is /tmp in the container.
        command = (*as_user(service["user"]), str(start), str(etc), f"{data}/", str(data / "made.conf"))
        return Server(name="mosquitto", port=port, command=command, directory=directory)

    check = [word.replace("1880", str(health)).replace("$$", "$") for word in service["healthcheck"]["test"][1:]]
    with serving("mosquitto", build) as server:
        yield server, check


class Container:
    """A twin with the settings of a service; what it said, and how it ended."""

    def __init__(self, folder: Path, command: list[str], environment: Mapping[str, str]) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SMELTER_")}
        self._log = (folder / "log").open("ab+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "twin", *command], cwd=folder, stdout=self._log, stderr=self._log,
            env={**clean, "PYTHONPATH": str(ROOT), **environment},
        )  # fmt: skip

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def stop(self) -> int:
        """SIGTERM, as `docker stop` sends it."""
        self.process.terminate()
        return self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()


@contextmanager
def twin(stack: Stack, name: str, folder: Path, **here: object) -> Iterator[Container]:
    """A service of the twin's image; `here`: settings that must differ here (addresses, ports)."""
    folder.mkdir()
    environment = {"SMELTER_LOG_FORMAT": "json", **environment_of(stack.service(name))}
    mounted = stack.mounts(name)
    text = (mounted["/etc/smelter-twin"] / "twin.toml").read_text("utf-8")
    for target, source in mounted.items():
        text = text.replace(f'"{target}"', f'"{source}"')
        environment = {key: str(source) if value == target else value for key, value in environment.items()}
    (folder / "twin.toml").write_text(text)
    here = {"data__dir": folder / "data", **here}
    environment |= {f"SMELTER_{setting.replace('__', '_').upper()}": str(value) for setting, value in here.items()}
    assert stack.service(name)["command"] is None  # that of the image
    container = Container(folder, ["run", "--config", "twin.toml"], environment)
    try:
        yield container
    finally:
        container.close()


def healthy(check: list[str], container: Container) -> None:
    """Wait until the health check says so."""

    def passes() -> bool:
        assert container.process.poll() is None, container.log()
        return subprocess.run(check, capture_output=True).returncode == 0

    until_sync(passes, "a healthy container")
