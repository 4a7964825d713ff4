"""The shell scripts of docker/, with stand-ins for the programs that are only in an image."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.docker.stack import DOCKER, VARIANTS, config, secrets, tools
from twin.files import read_secret

SCRIPTS = sorted(DOCKER.glob("*.sh"))
# mosquitto_passwd -U FILE, and `docker run ... -c COMMAND`: the last word is the command.
HASHING = 'sed -i "s/:.*/:\\$7\\$101\\$c2FsdA==\\$aGFzaA==/" "$2"'
DOCKER_RUN = 'echo "$@" >> "$SMELTER_SECRETS/.docker"; for word; do :; done; exec sh -c "$word"'


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_sound(script: Path) -> None:
    assert subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True).stderr == ""
    if checker := shutil.which("shellcheck"):
        checked = subprocess.run([checker, str(script)], capture_output=True, text=True)
        assert (checked.returncode, checked.stdout) == (0, "")


def initialise(tmp_path: Path, password: str = "a-password-of-grafana", influx: str = "", **more: str) -> list[str]:
    """Run the script of the set-up with a stand-in for `influx`; the calls it made, or its complaint."""
    calls, file = tmp_path / "calls", tmp_path / "word"
    file.write_text(password + "\n")
    path = tools(tmp_path / "bin", ["sh", "head"], influx=f'echo "$*" >> "{calls}"\n{influx}')
    environment = {
        "PATH": path,
        "DOCKER_INFLUXDB_INIT_BUCKET": "smelter",
        "DOCKER_INFLUXDB_INIT_BUCKET_ID": "0123456789abcdef",
        "DOCKER_INFLUXDB_INIT_ORG": "smelter",
        "SMELTER_READER_PASSWORD_FILE": str(file),
        **more,
    }
    ran = subprocess.run([str(DOCKER / "influxdb-init.sh")], capture_output=True, text=True, env=environment)
    made = calls.read_text().splitlines() if calls.exists() else []
    return made if ran.returncode == 0 else [*made, f"failed: {ran.stderr.strip()}"]


def test_the_set_up_maps_a_database_to_the_bucket_and_makes_a_user_that_may_only_read(tmp_path: Path) -> None:
    assert initialise(tmp_path) == [
        "v1 dbrp create --org smelter --db smelter --rp autogen --default --bucket-id 0123456789abcdef",
        "v1 auth create --org smelter --username grafana --password a-password-of-grafana"
        " --read-bucket 0123456789abcdef",
    ]


def test_a_set_up_that_fails_half_way_says_so_to_the_image(tmp_path: Path) -> None:
    """The image then throws away what it has set up, so that the next start tries all of it again."""
    calls = initialise(tmp_path, influx='case "$*" in *dbrp*) echo "no such bucket" >&2; exit 1 ;; esac')
    assert len(calls) == 2
    assert calls[1] == "failed: no such bucket"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"DOCKER_INFLUXDB_INIT_BUCKET_ID": ""}, "the image did not find the bucket it has made"),
        ({"SMELTER_READER_PASSWORD_FILE": ""}, "no file with the password of the reading user"),
        ({"password": "short"}, "holds no password (at least 8 characters)"),
    ],
)
def test_a_set_up_without_what_it_needs_changes_nothing(tmp_path: Path, more: dict[str, str], why: str) -> None:
    (said,) = initialise(tmp_path, **more)
    assert said.startswith("failed: ")
    assert why in said


@pytest.mark.parametrize(
    ("user", "word", "wanted"),
    [("grafana", "abc", "grafana:abc"), ("", "apiv3_abc", "apiv3_abc"), ("grafana", "", "")],
    ids=["InfluxDB 2", "InfluxDB 3", "no word"],
)
def test_grafana_gets_the_token_that_the_store_takes(tmp_path: Path, user: str, word: str, wanted: str) -> None:
    file, path = tmp_path / "word", tools(tmp_path / "bin", ["sh", "cat"], image='echo "$SMELTER_INFLUX_TOKEN"')
    file.write_text(f"{word}\n")
    ran = subprocess.run(
        [str(DOCKER / "grafana-start.sh"), f"{path}/image", str(file)],
        capture_output=True, text=True, env={"PATH": path, "SMELTER_INFLUX_USER": user},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout.strip()) == (0 if wanted else 1, wanted)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Secrets made where mosquitto_passwd is in the image alone, and the PATH they were made with."""
    base = tmp_path_factory.mktemp("secrets")
    # Its own PATH, as the container has: the script finds no mosquitto_passwd, the stand-in for the image does.
    inside = tools(base / "image", ["sh", "cat", "sed"], mosquitto_passwd=HASHING)
    path = tools(base / "bin", docker=f"export PATH={inside}\n{DOCKER_RUN}")
    ran = secrets(base / "made", path, "tls", "broker.plant", "10.0.0.5")
    assert ran.returncode == 0, ran.stderr
    return base / "made", path


@pytest.mark.parametrize("files", VARIANTS, ids="+".join)
def test_every_secret_of_every_variant_is_made(made: tuple[Path, str], files: tuple[str, ...]) -> None:
    named = config(files, environment={"SMELTER_SECRETS": str(made[0])})["secrets"]
    assert {name for name, secret in named.items() if not Path(secret["file"]).stat().st_size} == set()


def test_words_are_long_differ_and_are_read_by_the_twin(made: tuple[Path, str]) -> None:
    folder, _ = made
    alone = ["mqtt-twin", "mqtt-simulator", "influxdb-admin-password", "influxdb-admin-token", "influxdb-reader"]
    alone += ["twin-influxdb3-token", "grafana-admin-password", "page-token"]
    words = {read_secret(str(folder / name), "x") for name in alone}
    assert len(words) == len(alone)
    assert min(map(len, words)) >= 48
    for one, other in (
        ("influxdb-admin-token", "twin-influxdb-token"),
        ("influxdb-reader", "grafana-influxdb-password"),
    ):
        assert (folder / one).read_text() == (folder / other).read_text()
    token = json.loads((folder / "influxdb3-admin-token.json").read_text())
    assert token == {"token": read_secret(str(folder / "twin-influxdb3-token"), "x"), "name": "_admin"}
    assert token["token"].startswith("apiv3_")


def test_every_user_of_the_access_list_is_in_the_password_file_and_no_word_was_told(made: tuple[Path, str]) -> None:
    folder, _ = made
    users = [line.split()[1] for line in (DOCKER / "mosquitto.acl").read_text().splitlines() if line[:5] == "user "]
    assert len(users) >= 9
    lines = (folder / "mosquitto-passwords").read_text().splitlines()
    assert [line.split(":$7$")[0] for line in lines] == users
    told = (folder / ".docker").read_text()
    assert "eclipse-mosquitto:2.0.22" in told
    assert not [user for user in users if read_secret(str(folder / f"mqtt-{user}"), "x") in told]


def test_nobody_else_can_read_them(made: tuple[Path, str]) -> None:
    folder, _ = made
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    owners = {"mosquitto-passwords": 1883, "mqtt-twin": 10001, "influxdb-admin-token": 1000, "page-token": 10001}
    owners |= {"grafana-admin-password": 472, "influxdb3-admin-token.json": 1500, "tls-server.key": 1883}
    for name, owner in owners.items():
        found = (folder / name).stat()
        wanted = (owner, 0o600) if os.getuid() == 0 else (os.getuid(), 0o644)
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == wanted, name
    kept = [folder / "tls-ca.key", folder / "mqtt-operator"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_a_second_run_replaces_nothing(made: tuple[Path, str]) -> None:
    folder, path = made
    names = [file.name for file in folder.iterdir() if not file.name.startswith(".")]
    before = {name: ((folder / name).read_text(), (folder / name).stat().st_ino) for name in names}
    assert secrets(folder, path, "tls").returncode == 0
    assert {name: ((folder / name).read_text(), (folder / name).stat().st_ino) for name in names} == before


def test_the_certificate_is_for_the_names_that_were_asked_for(made: tuple[Path, str]) -> None:
    folder, _ = made
    command = ["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", str(folder / "tls-server.crt")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in ("DNS:mosquitto", "DNS:localhost", "IP Address:127.0.0.1", "DNS:broker.plant", "IP Address:10.0.0.5"):
        assert name in said
    verified = ["openssl", "verify", "-CAfile", str(folder / "tls-ca.crt"), str(folder / "tls-server.crt")]
    assert subprocess.run(verified, capture_output=True).returncode == 0


def test_a_tool_that_hashes_nothing_is_an_error_and_leaves_no_words_behind(tmp_path: Path) -> None:
    path = tools(tmp_path / "bin", mosquitto_passwd=":")
    ran = secrets(tmp_path / "made", path)
    assert ran.returncode == 1
    assert "made no password file" in ran.stderr
    assert not {".words", ".hashed", "mosquitto-passwords"} & {file.name for file in (tmp_path / "made").iterdir()}


def test_a_word_that_is_not_known_is_refused(made: tuple[Path, str]) -> None:
    ran = secrets(*made, "tsl")
    assert ran.returncode == 2
    assert "Usage" in ran.stderr
