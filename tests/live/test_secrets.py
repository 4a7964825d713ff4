"""Canaries in every secret, and no trace of one in what the product prints, answers or shows of itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.live.tools import until_sync
from tests.servers import Server, binary, free_port, mosquitto
from twin.adapters.influx import InfluxStore, target
from twin.adapters.publish import MqttPublisher
from twin.connections import brokers_of, publisher_of
from twin.files import read_secret
from twin.parts import access_of, roster_of, sink_of
from twin.precautions import precautions
from twin.settings import SECRET_FILES, resolve

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
CANARIES = {
    name: f"canary-{name.replace('.', '-').replace('_', '-')}-7d1f" for name in SECRET_FILES if "key" not in name
}


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    """A file with a canary for every secret."""
    files = {}
    for name, word in CANARIES.items():
        path = tmp_path / name
        path.write_text(word + "\n")
        path.chmod(0o600)
        files[name] = str(path)
    return files


def clean(text: str | bytes) -> bool:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return "canary" not in shown


def twin(folder: Path, *words: str, code: str = "") -> subprocess.Popen[bytes]:
    """A twin with its output in `folder/log`; `code` runs instead of `python -m twin`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMELTER_")}
    command = [sys.executable, *(["-c", code] if code else ["-m", "twin"]), *words]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**environment, "PYTHONPATH": str(ROOT), "COLUMNS": "1000"}
        )


def asked_of_the_page(port: int) -> list[tuple[int, bytes]]:
    """Status and everything said: without a token, with a wrong one, the right one, and that under a strange name."""
    answers = []
    right = CANARIES["page.token_file"]
    for word, host in (("", ""), ("wrong", ""), (right, ""), (right, "evil.example")):
        header = {"Authorization": f"Bearer {word}"} if word else {}
        header |= {"Host": host} if host else {}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/snapshot", headers=header)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)
        answers.append((caught.value.code, caught.value.read() + str(caught.value.headers).encode()))
        caught.value.close()
    return answers


def options(**named: object) -> list[str]:
    return [word for name, value in named.items() for word in ("--set", f"{name.replace('__', '.')}={value}")]


def test_a_run_in_which_everything_refuses_shows_no_secret(secrets: dict[str, str], tmp_path: Path) -> None:
    """The broker refuses the password, the database the token, the page is asked without and with its token."""
    words = tmp_path / "passwords"
    subprocess.run(
        [binary("mosquitto_passwd", "mosquitto"), "-b", "-c", str(words), "twin", "other"],
        check=True,
        capture_output=True,
    )
    port = free_port()
    with mosquitto(f"allow_anonymous false\npassword_file {words}\n") as server:
        given = [word for name, file in secrets.items() for word in ("--set", f"{name}={file}")]
        given += options(
            mqtt__url=f"mqtt://twin@127.0.0.1:{server.port}", sink__url=f"influx://127.0.0.1:{server.port}/db",
            page__port=port, log__level="debug", roles="ingest,engine,page",
        )  # fmt: skip
        process = twin(tmp_path, "run", *given)
        log = tmp_path / "log"
        try:
            until_sync(lambda: b"refuses this user" in log.read_bytes() or process.poll() is not None)
            until_sync(lambda: b"page: http" in log.read_bytes() or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            assert clean(Path(f"/proc/{process.pid}/cmdline").read_bytes()), "the list of processes"
            answers = asked_of_the_page(port)
            assert [code for code, _ in answers] == [401, 401, 503, 421]
            assert all(clean(said) for _, said in answers)
            process.send_signal(signal.SIGINT)
            process.wait(15)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    said = log.read_text()
    for precaution in ("chmod", "in clear", "page.host"):
        assert precaution not in said, "the files are 0600 and everything is on loopback"
    assert clean(said)
    for file in (path for path in tmp_path.rglob("*") if path.is_file() and str(path) not in secrets.values()):
        assert clean(file.read_bytes()), f"{file} holds a secret"


def test_settings_show_names_of_files_and_never_a_password(secrets: dict[str, str], tmp_path: Path) -> None:
    given = [word for name, file in secrets.items() for word in ("--set", f"{name}={file}")]
    process = twin(tmp_path, "settings", *given, *options(mqtt__url="mqtt://twin:canary-in-url@host"))
    assert process.wait(30) == 0
    said = (tmp_path / "log").read_text()
    assert "***" in said
    assert clean(said.replace(str(tmp_path), ""))


@pytest.mark.parametrize(
    "words",
    [
        ("run", *options(mqtt__url="mqtt://twin:canary@host")),
        ("run", *options(mqtt__url="mqtt://twin:canary@host:99999")),
        ("run", *options(mqtt__url="http://twin:canary@host")),
        ("run", *options(sink__url="influx://u:canary@h/b")),
        ("run", *options(sink__url="influx://h/b?token=canary")),
        ("run", *options(sink__url="postgres://u:canary@h/b")),
        ("run", *options(mqtt__password="canary")),
        ("run", "--set", "token=canary", "--set", "page.port=x"),
        ("run", *options(page__token_file="nowhere")),
    ],
)
def test_a_mistake_with_a_secret_is_refused_without_it(tmp_path: Path, words: tuple[str, ...]) -> None:
    process = twin(tmp_path, *words)
    assert process.wait(30) == 2, "a wrong setting"
    said = (tmp_path / "log").read_text()
    assert said.startswith("twin: ")
    assert clean(said)


def test_a_crash_shows_where_and_no_secret(secrets: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import twin.service as s, twin.cli\n"
        "def broken(self): raise RuntimeError('a bug')\n"
        "s.MqttSource.run = broken\n"
        "twin.cli.main()\n"
    )
    given = [word for name, file in secrets.items() for word in ("--set", f"{name}={file}")]
    given += options(
        mqtt__url=f"mqtt://twin@127.0.0.1:{free_port()}", sink__url="influx://127.0.0.1:1/db", roles="ingest"
    )
    process = twin(tmp_path, "run", *given, code=code)
    assert process.wait(30) == 1
    said = (tmp_path / "log").read_text()
    assert "RuntimeError: a bug" in said
    assert clean(said)


def test_no_object_tells_its_secret(secrets: dict[str, str]) -> None:
    flags = dict(secrets) | {"mqtt.url": "mqtt://twin@h", "sink.url": "influx://h/b"}
    settings = resolve(flags=flags)
    store, name = sink_of(settings, roster_of(settings))
    parts: list[object] = [
        settings,
        brokers_of(settings)[0],
        access_of(settings),
        store,
        name,
        publisher_of(settings, "x"),
    ]
    assert isinstance(store, InfluxStore)
    assert isinstance(parts[-1], MqttPublisher)
    assert all(clean(f"{part!r} {part!s}") for part in parts)
    assert target("influx://h/b").url == "http://h:8086"


def test_a_secret_that_others_can_read_is_warned_of(secrets: dict[str, str], tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("x")
    files = {**secrets, "mqtt.key_file": str(key)}
    assert set(files) == set(SECRET_FILES)
    for name, file in files.items():
        for mode, count in ((0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o644, 1)):
            Path(file).chmod(mode)
            said = precautions(resolve(flags={name: file}), ("ingest",))
            assert len(said) == count
            assert all(
                f"{name} = " in one and f"chmod 600 {file}" in one and clean(one.replace(file, "")) for one in said
            )
        Path(file).chmod(0o600)


def test_secrets_in_clear_and_an_open_page_are_warned_of(secrets: dict[str, str]) -> None:
    def said(*roles: str, **named: object) -> list[str]:
        flags = {name.replace("__", "."): str(value) for name, value in named.items()}
        return [text.partition(":")[0] for text in precautions(resolve(flags=flags), roles)]

    word, token = secrets["mqtt.password_file"], secrets["sink.token_file"]
    assert said(mqtt__url="mqtt://u@far.example", mqtt__password_file=word) == [
        "mqtt.url sends the secret of mqtt.password_file in clear to far.example"
    ]
    assert said(mqtt__url="mqtts://u@far.example", mqtt__password_file=word) == []
    assert said(mqtt__url="mqtt://u@127.0.0.1", mqtt__password_file=word) == []
    assert said(sink__url="influx://10.0.0.1/b", sink__token_file=token) == [
        "sink.url sends the secret of sink.token_file in clear to 10.0.0.1"
    ]
    assert said("page", page__host="0.0.0.0") == ["page.host = '0.0.0.0'"]
    assert said("ingest", page__host="0.0.0.0") == []
    assert said("page", page__host="::1") == []
    assert said("ingest", metrics__host="0.0.0.0", metrics__port=9100) == ["metrics.host = '0.0.0.0'"]
    assert said("ingest", metrics__host="0.0.0.0") == []
    assert said("ingest", metrics__port=9100) == []


@pytest.mark.parametrize("content", [b"", b"\nsecond line\n", b"canary\x00", "cänary".encode(), b"\xff\xfe"])
def test_a_file_that_holds_no_usable_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "word"
    file.write_bytes(content)
    with pytest.raises(Exception, match=r"page\.token_file = ") as caught:
        read_secret(str(file), "page.token_file")
    assert clean(str(caught.value))
    assert caught.value.__cause__ is None


def test_the_status_command_knows_the_token(secrets: dict[str, str], broker: Server, tmp_path: Path) -> None:
    port = free_port()
    given = options(
        mqtt__url=f"mqtt://127.0.0.1:{broker.port}", mqtt__root=f"r{port}", sink__url="memory", page__port=port,
        mqtt__client_id=f"c{port}", roles="ingest,engine,page", page__token_file=secrets["page.token_file"],
    )  # fmt: skip
    process = twin(tmp_path, "run", *given)
    try:
        until_sync(lambda: b"page: http" in (tmp_path / "log").read_bytes() or process.poll() is not None)
        folder = tmp_path / "status"
        folder.mkdir()
        asked = twin(folder, "status", *given)
        assert asked.wait(30) == 1
        assert "warming up" in (folder / "log").read_text(), "let in, and there is nothing yet"
        assert twin(folder, "status", *options(page__port=port)).wait(30) == 1
        assert "send the token of page.token_file" in json.dumps((folder / "log").read_text())
        assert clean((folder / "log").read_text())
    finally:
        process.terminate()
        process.wait(15)
