"""What compose.yaml starts, started without an engine: the real mosquitto and the twin, InfluxDB 1.6 as the store."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.containers import Stack, broker, healthy, twin
from tests.docker.stack import FILES, secrets
from tests.docker.test_image import words
from tests.live.tools import until_sync
from tests.processes import HOST, Server, binary, free_port
from tests.servers import InfluxServer

pytestmark = pytest.mark.live

VARIANTS = (FILES[:1], FILES[:2])
LINE = "smelter/demo/A"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets by the real mosquitto_passwd."""
    made = tmp_path_factory.mktemp("secrets") / "made"
    path = os.pathsep.join((os.environ["PATH"], str(Path(binary("mosquitto_passwd", "mosquitto")).parent)))
    ran = secrets(made, path, "tls")
    assert ran.returncode == 0, ran.stderr
    return made


@pytest.fixture(scope="module", params=VARIANTS, ids=["plain", "tls"])
def running(folder: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Stack, Server, list[str]]]:
    stack = Stack.of(folder, request.param)
    with broker(stack) as (server, check):
        yield stack, server, check


def client(stack: Stack, server: Server, user: str, *more: str, name: str = "mosquitto_pub") -> tuple[int, str]:
    """A client of the broker that brings the word of a user."""
    command = [binary(name, "mosquitto-clients"), "-h", HOST, "-p", str(server.port), "-V", "5", *more]
    if user:
        command += ["-u", user, "-P", (stack.secrets / f"mqtt-{user}").read_text().strip()]
    if encrypted(stack):
        command += ["--cafile", str(stack.secrets / "tls-ca.crt")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return ran.returncode, ran.stdout + ran.stderr


def encrypted(stack: Stack) -> bool:
    return any(secret["source"] == "tls-ca" for secret in stack.service("twin")["secrets"])


def test_the_broker_starts_as_its_user_and_complains_about_no_line(
    running: tuple[Stack, Server, list[str]],
) -> None:
    _, server, _ = running
    if os.getuid() == 0:
        assert os.stat(f"/proc/{server.pid}").st_uid == 1883
    # The lists are mounted from the tree, where everybody may read them: newer versions say so.
    said = [line for line in server.log().splitlines() if "health.acl" not in line and "smelter.acl" not in line]
    assert [line for line in said if re.search(r"error|warning|deprecated|unknown", line, re.I)] == []


def test_the_health_check_passes_and_fails_when_the_broker_hangs(running: tuple[Stack, Server, list[str]]) -> None:
    _, server, check = running
    assert subprocess.run(check, capture_output=True).returncode == 0
    os.kill(server.pid, 19)  # SIGSTOP: the port is open, nobody answers
    try:
        assert subprocess.run(check, capture_output=True).returncode != 0
    finally:
        os.kill(server.pid, 18)


def test_the_port_of_the_health_check_tells_nothing_else(running: tuple[Stack, Server, list[str]]) -> None:
    stack, server, check = running
    assert client(stack, server, "simulator", "-q", "1", "-t", f"{LINE}/x", "-m", "x", "-r")[0] == 0
    asked = [word if word != "$SYS/broker/uptime" else f"{LINE}/#" for word in check]
    heard = subprocess.run(asked, capture_output=True, text=True)
    assert heard.returncode != 0
    assert "x" not in heard.stdout


def test_users_enter_by_their_words_and_do_what_the_access_list_allows(
    running: tuple[Stack, Server, list[str]],
) -> None:
    stack, server, _ = running
    said = ("-q", "1", "-t", f"{LINE}/A001/telemetry", "-m", "x")
    for user in ("sensors-demo-A", "simulator", "replayer"):
        assert client(stack, server, user, *said) == (0, ""), user
    for user in ("operator", "twin", "sensors-demo-B"):
        assert "Not authorized" in client(stack, server, user, *said)[1], user
    assert client(stack, server, "", *said)[0] != 0
    assert client(stack, server, "", "-u", "twin", "-P", "wrong", *said)[0] != 0


def get(port: int, path: str, token: str = "") -> tuple[int, bytes]:
    header = {"Authorization": "Basic " + base64.b64encode(f"x:{token}".encode()).decode()} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://{HOST}:{port}{path}", headers=header)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def check_of(port: int) -> list[str]:
    """The health check of the image, for a page that has this port here."""
    command = [word.replace("8080", str(port)) for word in words("HEALTHCHECK")]
    assert command[0] == "python"
    return [sys.executable, *command[1:]]


def test_twin_and_simulator_run_with_the_settings_of_compose(
    running: tuple[Stack, Server, list[str]], influx: InfluxServer, influx_v2: Server, database: str, tmp_path: Path
) -> None:
    """Every setting but addresses and ports is that of the containers; secrets are the files that were made."""
    stack, server, _ = running
    scheme = "mqtts" if encrypted(stack) else "mqtt"
    store = f"influx://{HOST}:{influx_v2.port}/{database}?org=smelter"
    page, health = free_port(), free_port()
    with twin(
        stack, "twin", tmp_path / "twin",
        mqtt__url=f"{scheme}://twin@{HOST}:{server.port}", sink__url=store, page__port=page,
    ) as container:  # fmt: skip
        healthy(check_of(page), container)
        with twin(
            stack, "simulator", tmp_path / "simulator", mqtt__url=f"{scheme}://simulator@{HOST}:{server.port}",
            metrics__port=health, plant__pots=3, simulate__history_min=2,
        ) as simulator:  # fmt: skip
            healthy(check_of(health), simulator)
            counted = "SELECT count(*) FROM pot"

            def stored() -> bool:
                assert simulator.process.poll() is None, simulator.log()
                return bool(influx.query(counted, database)["results"][0].get("series"))

            until_sync(stored, "readings in the store")
            assert simulator.stop() == 0
        token = (stack.secrets / "page-token").read_text().strip()
        until_sync(lambda: get(page, "/ready")[0] == 200, "a twin that is ready")
        assert get(page, "/")[0] == 401
        assert get(page, "/", token)[0] == 200
        assert container.stop() == 0
        assert token not in container.log()
        said = [json.loads(line) for line in container.log().splitlines()]
        wrong = [line for line in said if line["level"] in ("warning", "error") and "in clear" not in line["event"]]
        # As root the files are closed to others; the page is behind the published port of 127.0.0.1.
        assert os.getuid() != 0 or [line["event"] for line in wrong] == []
    assert subprocess.run(check_of(page), capture_output=True).returncode != 0
