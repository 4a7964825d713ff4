"""One server process of a test: started and known to be ready, killed or stopped by process id, never left behind."""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import psutil

HOST: Final = "127.0.0.1"
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
PORT_ATTEMPTS: Final = 5
# Debian keeps servers in /usr/sbin, which is not in a user's PATH.
SEARCH_PATH: Final = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


class ServerError(Exception):
    """A server is missing, did not start, or refused a request; the message holds what it printed."""


class PortTakenError(ServerError):
    """Another process took the port between our choosing it and the server's binding it."""


def binary(name: str, package: str) -> str:
    """Return the path of a server or tool, or say which Debian package has it."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise ServerError(f"{name} not found: needs the Debian package {package}; run ./dev test")
    return found


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server. `kill` is a power cut, `stop` a clean end; `start` brings it back on the same port and data."""

    name: str
    host: str = HOST
    port: int
    command: tuple[str, ...]
    directory: Path
    ping_path: str = ""  # answered with 2xx by a server that is ready; empty: listening is enough
    _runs: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    @property
    def url(self) -> str:
        """Return the base address, without a slash at the end."""
        return f"{'http' if self.ping_path else 'mqtt'}://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """Return the process id of the present (or last) run."""
        return self._runs[-1].pid

    @property
    def running(self) -> bool:
        """Say whether the process is alive."""
        return bool(self._runs) and self._runs[-1].poll() is None

    def log(self) -> str:
        """Return what the server printed, over all runs."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start the process and wait until it, and no other, serves the port."""
        # setpriv asks the kernel to kill the server when its parent dies, however a test run may end. To the kernel the
        # parent is the thread that forked: a server started in a worker thread would die with that thread.
        if threading.current_thread() is not threading.main_thread():
            raise ServerError(f"{self.name}: start servers from the main thread")
        if self.running:
            raise ServerError(f"{self.name} is running already, as process {self.pid}")
        before = len(self.log())
        guard = (binary("setpriv", "util-linux"), "--pdeathsig", "KILL", "--")
        with (self.directory / "log").open("ab") as log:
            self._runs.append(
                subprocess.Popen(
                    guard + self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.directory,
                    env={"PATH": SEARCH_PATH, "HOME": str(self.directory), "LC_ALL": "C.UTF-8"},
                )
            )
        try:
            self._await_ready(before)
        except BaseException:
            self.kill()
            raise

    def _await_ready(self, before: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if not self.running:
                log = self.log()[before:]
                error = PortTakenError if "already in use" in log else ServerError
                raise error(f"{self.name} ended with status {self._runs[-1].returncode} at its start:\n{log}")
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{self.name} not ready on port {self.port} in {START_SECONDS:.0f} s:\n{self.log()[before:]}"
                )
            time.sleep(0.01)

    def _ready(self) -> bool:
        # The kernel is asked whose socket it is: a trial connection may reach a stranger, or, on a port of the
        # ephemeral range that nobody listens on, even itself.
        with contextlib.suppress(psutil.Error):
            connections = psutil.Process(self.pid).net_connections("tcp")
            if not any(c.status == psutil.CONN_LISTEN and c.laddr.port == self.port for c in connections):
                return False
            return not self.ping_path or self.request("GET", self.ping_path)[0] // 100 == 2
        return False

    def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send one HTTP request; return the status and the body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body or None)
            response = connection.getresponse()
            return response.status, response.read()

    def kill(self) -> None:
        """End the process with SIGKILL."""
        self._runs[-1].kill()
        self._runs[-1].wait()

    def stop(self) -> None:
        """End the process with SIGTERM; with SIGKILL if it does not obey."""
        self._runs[-1].terminate()
        try:
            self._runs[-1].wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


AnyServer = TypeVar("AnyServer", bound=Server)


@contextlib.contextmanager
def serving(name: str, build: Callable[[int, Path], AnyServer], port: int | None = None) -> Iterator[AnyServer]:
    """Build a server for a port and a temporary directory and run it; on another port where that one was taken."""
    for attempts_left in reversed(range(PORT_ATTEMPTS)):
        with tempfile.TemporaryDirectory(prefix=f"twin-{name}-") as directory:
            server = build(port or free_port(), Path(directory))
            try:
                server.start()
            except PortTakenError:
                if port or not attempts_left:
                    raise
                continue
            try:
                yield server
            finally:
                server.stop()
            return
