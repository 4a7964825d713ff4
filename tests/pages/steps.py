"""A how-to page done step by step: its files written, its commands typed, what it shows compared with what is said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.tools import until_sync
from tests.pages.commands import ROOT

__all__ = ["Reader", "Step", "same", "steps"]

STAYS = re.compile(r"twin (?:run|up)\b")


@dataclass(frozen=True)
class Step:
    """One command with what it shows; `file`: the text is to be written there instead."""

    text: str
    shown: str = ""
    file: str = ""


def steps(page: str) -> list[Step]:
    """The steps of a page in its order. What a `bash` block shows stands in a block without a language behind it."""
    found: list[Step] = []
    for language, text, shown in re.findall(
        r"^```(toml|bash|console)\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", page, re.S | re.M
    ):
        if language == "toml" and (name := re.match(r"# (\S+\.toml)", text)):
            found.append(Step(text, file=name[1]))
        elif language == "console":
            found += [Step(*part.split("\n", 1)) for part in re.split(r"^\$ ", text, flags=re.M)[1:]]
        elif language == "bash":
            *first, last = text.replace("\\\n", "").splitlines()
            found += [*map(Step, first), Step(last, shown)]
    return found


def same(shown: str, said: str) -> bool:
    """Whether a program said what the page shows; `...` there stands for anything."""
    return re.fullmatch(re.escape(shown.strip()).replace(r"\.\.\.", ".*"), said.strip(), re.S) is not None


@dataclass
class Reader:
    """Somebody who follows a page in an empty folder, with their own addresses in place of the page's."""

    folder: Path
    own: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    left_running: list[tuple[subprocess.Popen[bytes], Path]] = field(default_factory=list)

    def words(self, text: str) -> str:
        for page, mine in self.own.items():
            text = text.replace(page, mine)
        return text

    def do(self, step: Step) -> None:
        """Write the file, or type the command and compare; a twin that stays is left running once it says so."""
        text, shown = self.words(step.text), self.words(step.shown)
        if step.file:
            (self.folder / step.file).write_text(text, "utf-8")
        elif STAYS.match(text):
            self._leave(text, shown)
        else:
            done = self.type(text)
            said = done.stdout + done.stderr
            assert done.returncode == 0 or shown.startswith("twin: "), f"{text}\n{said}"
            assert not shown or same(shown, said), f"{text}\nshown:\n{shown}\nsaid:\n{said}"

    def _settings(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SMELTER_")}
        mine = {"PATH": f"{Path(sys.executable).parent}:{clean['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
        return {**clean, **mine, **self.environment}

    def type(self, text: str) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        text = self.words(text)
        return subprocess.run(
            ["bash", "-c", text], cwd=self.folder, env=self._settings(), capture_output=True, text=True, timeout=100,
            check=False,
        )  # fmt: skip

    def _leave(self, text: str, shown: str) -> None:
        log = self.folder / f"log{len(self.left_running)}"
        with log.open("wb") as out:
            words = ["bash", "-c", f"exec {text}"]
            process = subprocess.Popen(words, cwd=self.folder, env=self._settings(), stdout=out, stderr=out)
        self.left_running.append((process, log))
        for line in shown.splitlines():
            until_sync(lambda line=line: line in log.read_text() or process.poll() is not None, line)  # type: ignore[misc]
            assert line in log.read_text(), log.read_text()

    def leave(self) -> None:
        """Ctrl-C in every terminal; each ends with code 0."""
        while self.left_running:
            process, log = self.left_running.pop()
            process.send_signal(2)
            try:
                code = process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
                raise
            assert code == 0, log.read_text()

    def end(self) -> None:
        """Nothing outlives the test, however it went."""
        for process, _ in self.left_running:
            process.kill()
            process.wait(10)
