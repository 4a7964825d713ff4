"""Every command of every page can be typed: the shell reads it, and what it names of ours is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.pages.commands import PAGES, blocks, commands, name_of, programs, twin_lines, written_in, wrong

pytestmark = pytest.mark.long

# Programs that are not ours. What is done with them is run by the tests of their pages where it can be.
FOREIGN = {"chown", "chmod", "cp", "curl", "mosquitto_passwd", "mosquitto_pub", "openssl", "sed", "umask"}
OWN = {"twin", "./dev", "python -m", "python FILE"}
# Commands within a sentence, such as `twin deadletter show ID`; some name several at once: `twin models fit | score`.
SPAN = re.compile(r"`((?:\.venv/bin/)?twin [a-z][^`]*)`")
WITH_COMMANDS = [page for page in PAGES if commands(page.read_text("utf-8"))]
WITH_SPANS = [page for page in PAGES if SPAN.search(page.read_text("utf-8"))]


def test_there_are_commands_to_look_at() -> None:
    names = {name_of(page) for page in WITH_COMMANDS}
    assert names >= {"README.md", "docs/alarms.md", "docs/replay.md", "docs/sensor-formats.md", "docs/security.md"}
    assert sum(len(commands(page.read_text("utf-8"))) for page in PAGES) > 60


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_every_command_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    assert {line: found for line in twin_lines(text) if (found := wrong(line, written_in(text)))} == {}
    assert set(programs(text)) - OWN - FOREIGN == set()


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_the_shell_reads_every_block(page: Path) -> None:
    for part in blocks(page.read_text("utf-8"), "bash"):
        read = subprocess.run(["bash", "-n", "-c", part], capture_output=True, text=True, check=False)
        assert (read.returncode, read.stderr) == (0, ""), part


@pytest.mark.parametrize("page", WITH_SPANS, ids=name_of)
def test_a_command_within_a_sentence_exists(page: Path) -> None:
    bad = []
    for span in SPAN.findall(page.read_text("utf-8")):
        line = span.removeprefix(".venv/bin/").replace("...", "").split(" | ")[0]
        # a group may be named alone, and a name in capitals is the reader's: only words and options are looked at
        found = [said for said in wrong(line, set()) if said.startswith(("no command", "no option"))]
        bad += [f"{span}: {said}" for said in found if said != "no command ''"]
    assert bad == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("twin simulate --sceanrio one-of-each", ["no option --sceanrio"]),
        ("twin alarms list --urgent", ["no option --urgent"]),
        ("twin alarms hush demo/A/A001", ["no command 'hush'"]),
        ("twin fly", ["no command 'fly'"]),
        ("twin up --set page.prot=8081", ["no setting page.prot"]),
        ("twin up -s simulate.scenario=good-month", ["no file good-month"]),
        ("twin simulate --scenario good-month --pots 6", ["no file good-month"]),
        ("twin trace smelter/demo/A/line", ["1 arguments, it takes 2 to 2"]),
        ("twin status now", ["1 arguments, it takes 0 to 0"]),
        ("twin size", ["no --pots given"]),
        ("twin simulate --scenario one-of-each --pots 6  # a comment", []),
        ("twin up --port 8081 --set simulate.scenario=mine.toml", []),
        ("twin deadletter replay 4 5 6", []),
    ],
)
def test_what_does_not_exist_is_found(line: str, found: list[str]) -> None:
    assert wrong(line, {"mine.toml"}) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("./dev fly", ["no verb 'fly' of ./dev"]),
        ("python -m dashbords --check", ["no module 'dashbords'"]),
        ("python docs/generat.py", ["no file 'docs/generat.py'"]),
        ("umask 077; rm -r / && .venv/bin/twin up | tee x", ["umask", "rm", "twin", "tee"]),
        ("./dev", ["./dev"]),
    ],
)
def test_every_program_of_a_line_is_looked_at(line: str, found: list[str]) -> None:
    assert list(programs(f"```bash\n{line}\n```\n")) == found


def test_console_and_continued_lines_are_read() -> None:
    text = "```bash\n# not this\ntwin up \\\n    --port 1\n```\n\n```console\n$ twin status\nsaid\n```\n"
    assert [line.split() for line in commands(text)] == [["twin", "up", "--port", "1"], ["twin", "status"]]
