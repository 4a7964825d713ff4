"""Alarms over HTTP and on the command line: what stands, commands with names and roles, the journal; by MQTT too."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from typer.testing import CliRunner

from tests.alarms.rig import Rig
from tests.alarms.telling import transition
from tests.alarms.test_desk import effect, say
from tests.core.pages import Source, ask
from tests.core.plants import NOW_NS
from twin import cli
from twin.access import Access, Person
from twin.adapters import alarm_http, page
from twin.adapters.alarm_book import SqliteBook
from twin.adapters.alarm_http import exported
from twin.adapters.memory import FakeClock
from twin.alarm_desk import AlarmDesk
from twin.alarms.chain import Entry, Selection
from twin.alarms.commands import Answer, Command
from twin.alarms.routing import AlarmFile
from twin.asked import answered, read_command
from twin.errors import ConfigError, PayloadError, SmelterError
from twin.ports import Message

pytestmark = pytest.mark.long

OPEN = Access.of("127.0.0.1", "page", "", "")
PEOPLE = (
    Person("li.wei", "operator", "token-of-li-wei-1"), Person("王芳", "engineer", "token-of-wang-fang"),
    Person("guest", "viewer", "token-of-the-guest"),
)  # fmt: skip
CLOSED = Access(frozenset({"page"}), "the-shared-token-01", PEOPLE)
ME = "X-Alarm-User: li.wei\r\n"


@asynccontextmanager
async def serving(path: Path, access: Access = OPEN) -> AsyncIterator[tuple[int, AlarmDesk, FakeClock]]:
    """Port, desk and clock of a page with alarms; one anode effect stands."""
    rig, clock, book = Rig(), FakeClock(NOW_NS), SqliteBook(path)
    desk = AlarmDesk(rig.roster, AlarmFile(), book, clock, say)
    effect(rig, desk, clock)

    async def entries(chosen: Selection) -> list[Entry]:
        return book.entries(chosen)

    source = Source()
    beside = alarm_http.routes(desk, entries, access)
    app = page.application(source.latest, wait=source.wait, ask=source.ask, beside=beside, access=access)
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(page.serve(app, "127.0.0.1", 0, ready=address.set_result))
    working = asyncio.create_task(desk.run())
    try:
        yield int((await address).rstrip("/").rpartition(":")[2]), desk, clock
    finally:
        for task in (working, server):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        book.close()


def run(test: Callable[[int], Coroutine[Any, Any, None]], path: Path, access: Access = OPEN) -> None:
    async def whole() -> None:
        async with serving(path / "alarms.sqlite", access) as (port, _, _), asyncio.timeout(60):
            await test(port)

    asyncio.run(whole())


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}\r\n"


def test_what_stands_is_listed_in_either_language_and_acknowledged_by_name(tmp_path: Path) -> None:
    async def test(port: int) -> None:
        status, _, body = await ask(port, "/api/alarms?unit=s/L&language=zh")
        (one,) = json.loads(body)["alarms"]
        assert (status, one["state"], one["title"], one["unit"]) == (200, "unacknowledged", "阳极效应", "s/L/001")
        status, _, body = await ask(port, "/api/alarms/ack?unit=s/L/001&why=%E5%B7%B2%E7%9C%8B", "POST", ME)
        assert (status, json.loads(body)["count"]) == (200, 1)
        (one,) = json.loads((await ask(port, "/api/alarms"))[2])["alarms"]
        assert (one["state"], one["who"], one["why"]) == ("acknowledged", "li.wei", "已看")
        rows = json.loads((await ask(port, "/api/alarms/journal?state=acknowledged"))[2])
        assert [(row["who"], row["unit"], row["number"]) for row in rows] == [("li.wei", "s/L/001", 2)]
        figures = json.loads((await ask(port, "/api/alarms/figures?hours=24"))[2])
        assert [one["alarms"] for one in figures] == [1]
        verdicts = {one["figure"]: (one["low"], one["high"], one["met"]) for one in figures[0]["verdicts"]}
        assert verdicts["per_10_min"] == (None, 2.0, True)
        assert verdicts["high_pct"] == (0.0, 10.0, False), "the one alarm is of high priority"

    run(test, tmp_path)


@pytest.mark.parametrize(
    ("target", "method", "header", "status"),
    [
        ("/api/alarms?unit=s/X", "GET", "", 200), ("/api/alarms?pot=1", "GET", "", 400),
        ("/api/alarms?language=fr", "GET", "", 400), ("/api/alarms/journal?format=xml", "GET", "", 400),
        ("/api/alarms/journal?since=yesterday", "GET", "", 400), ("/api/alarms/journal?limit=1e9", "GET", "", 400),
        ("/api/alarms/figures?hours=-1", "GET", "", 400), ("/api/alarms/ack", "GET", "", 405),
        ("/api/alarms/ack", "POST", "", 400), ("/api/alarms/ack?unit=s/X", "POST", ME, 404),
        ("/api/alarms/ack?who=boss", "POST", ME, 400), ("/api/alarms/shelve?unit=s/L/001", "POST", ME, 400),
        ("/api/alarms/shelve?unit=s/L/001&code=fire&why=x&until=2035-01-01T00:00:00Z", "POST", ME, 403),
        ("/api/alarms/explode", "POST", ME, 404), ("/api/alarms/reset?unit=s/L/001", "POST", ME, 200),
        ("/api/alarms/ack", "POST", ME + "Sec-Fetch-Site: cross-site\r\n", 403),
    ],
)  # fmt: skip
def test_what_is_not_allowed_says_what_would_be(
    tmp_path: Path, target: str, method: str, header: str, status: int
) -> None:
    async def test(port: int) -> None:
        found, _, body = await ask(port, target, method, header)
        assert found == status, body
        if status >= 400:
            assert json.loads(body)["detail"] if status != 405 else True

    run(test, tmp_path)


@pytest.mark.parametrize(
    ("header", "action", "status"),
    [
        ("", "ack", 401), (bearer("wrong-token-00000"), "ack", 401),
        (bearer("token-of-li-wei-1"), "ack", 200), (bearer("token-of-the-guest"), "ack", 403),
        (bearer("the-shared-token-01"), "ack", 403),
        (bearer("token-of-li-wei-1"), "remove", 403), (bearer("token-of-wang-fang"), "remove", 403),
    ],
)  # fmt: skip
def test_with_people_every_write_is_somebodys_and_within_the_role(
    tmp_path: Path, header: str, action: str, status: int
) -> None:
    async def test(port: int) -> None:
        target = f"/api/alarms/{action}?unit=s/L/001&code=anode_effect&why=x"
        found, _, body = await ask(port, target, "POST", header + ME)
        assert found == status, body
        if status == 200:
            (one,) = json.loads((await ask(port, "/api/alarms", "GET", header))[2])["alarms"]
            assert one["who"] == "li.wei"

    run(test, tmp_path, CLOSED)


def test_a_browser_that_has_the_token_need_not_say_the_name(tmp_path: Path) -> None:
    async def test(port: int) -> None:
        word = base64.b64encode("王芳:token-of-wang-fang".encode()).decode()
        basic = f"Authorization: Basic {word}\r\nX-Alarm-User: -\r\n"
        status, _, _ = await ask(port, "/api/alarms/remove?unit=s/L/001&code=anode_effect&why=x", "POST", basic)
        assert status == 200
        _, headers, body = await ask(port, "/api/alarms", "GET", basic)
        assert unquote(headers["x-alarm-user"]) == "王芳"
        (one,) = json.loads(body)["alarms"]
        assert (one["state"], one["who"]) == ("out_of_service", "王芳")
        other = base64.b64encode(b"li.wei:token-of-wang-fang").decode()
        assert (await ask(port, "/api/alarms", "GET", f"Authorization: Basic {other}\r\n"))[0] == 401

    run(test, tmp_path, CLOSED)


def test_an_export_holds_every_column_and_no_formula() -> None:
    entry = Entry(7, transition(who='=HYPERLINK("http://x")', why="a, b"), "ab")
    (row,) = csv.DictReader(io.StringIO(exported([entry], "csv").decode()))
    assert (row["number"], row["who"], row["why"], row["value"]) == ("7", '\'=HYPERLINK("http://x")', "a, b", "31.5")
    assert json.loads(exported([entry], "jsonl"))["time"] == "2025-11-24T06:00:00Z"
    assert json.loads(exported([entry, entry], "json"))[1]["hash"] == "ab"


async def called(port: int, *words: str) -> tuple[int, str]:
    """Exit code and output of `twin alarms`."""
    more = [] if words[0] == "verify" else ["--set", f"page.port={port}"]
    done = await asyncio.to_thread(
        CliRunner().invoke, cli.app, ["alarms", *words, *more], env={"COLUMNS": "250"}, catch_exceptions=True
    )
    if isinstance(done.exception, SmelterError):
        return 2 if isinstance(done.exception, ConfigError) else 1, str(done.exception)
    return done.exit_code, done.output


def test_the_command_line_does_all_of_it(tmp_path: Path) -> None:
    async def test(port: int) -> None:
        book = tmp_path / "alarms.sqlite"
        code, text = await called(port, "list")
        assert code == 0
        assert "Anode effect" in text
        assert "1 unacknowledged" in text
        assert await called(port, "ack", "s/L/001", "--user", "li.wei", "--why", "on my way") == (0, "ack: 1 alarm\n")
        code, text = await called(
            port, "shelve", "s/L/001", "--code", "no_data", "--until", "2025-11-24T08:00:00Z", "--why", "new anode",
            "--user", "zhang",
        )  # fmt: skip
        assert (code, text) == (0, "shelve: 1 alarm\n")
        code, text = await called(port, "ack")
        assert (code, "site/line/*" in text) == (2, True)
        code, text = await called(port, "shelve", "s/L/001", "--code", "fire", "--until", "8h", "--why", "x")
        assert code == 1
        code, text = await called(port, "journal", "--since", "2025-11-24T06:00:00Z")
        assert "on my way" in text
        assert "until 2025-11-24T08:00:00Z: new anode" in text
        code, text = await called(port, "export", "--to", str(tmp_path / "out.csv"), "--format", "csv")
        assert "3 rows" in text
        rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
        assert [row["after"] for row in rows] == ["unacknowledged", "acknowledged", "shelved"]
        code, text = await called(port, "figures", "--hours", "24")
        assert "Alarms per 10 min" in text
        code, text = await called(port, "verify", "--file", str(book))
        assert (code, "3 rows, as they were written" in text) == (0, True)

    run(test, tmp_path)


def test_a_journal_that_was_edited_ends_with_code_one(tmp_path: Path) -> None:
    path = tmp_path / "alarms.sqlite"
    book = SqliteBook(path)
    book.commit([transition(n) for n in range(5)], [], b"", NOW_NS)
    book.close()
    with sqlite3.connect(path) as other:
        other.execute("DROP TRIGGER journal_no_update")
        other.execute("UPDATE journal SET time_ns = time_ns + 1 WHERE number = 4")
    other.close()
    code, text = asyncio.run(called(0, "verify", "--file", str(path)))
    assert (code, "row 4 was changed" in text) == (1, True)


ASKED = {"id": "7", "time": "2025-11-24T06:00:00Z", "user": "li.wei", "unit": "s/L/001", "code": "noisy"}


def read(change: dict[str, Any], access: Access = OPEN, *, topic: str = "ack", retained: bool = False) -> Command:
    payload = json.dumps({name: value for name, value in (ASKED | change).items() if value is not None}).encode()
    asked, name = read_command(
        Message(f"twin/command/alarms/{topic}", payload), "twin", access, NOW_NS + 10**9, retained=retained
    )
    assert name == "7"
    return asked


def test_a_command_by_mqtt_is_what_it_says() -> None:
    assert read({}) == Command("ack", "li.wei", "engineer", "s/L/001", "noisy")
    shelve = read({"until": "2025-11-24T08:00:00Z", "why": "x"}, topic="shelve")
    assert (shelve.action, shelve.why, shelve.until_ns) == ("shelve", "x", NOW_NS + 7200 * 10**9)
    assert read({"token": "token-of-li-wei-1"}, CLOSED).role == "operator"
    assert read({"token": "token-of-wang-fang", "user": None}, CLOSED).who == "王芳"
    told = answered("twin", "7", Answer("done", 2))
    assert (told.topic, json.loads(told.payload)) == (
        "twin/answer/alarms", {"id": "7", "status": "done", "count": 2, "detail": ""},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "access", "topic", "retained"),
    [
        ({}, OPEN, "explode", False), ({}, OPEN, "ack", True), ({"time": "2025-11-24T05:50:00Z"}, OPEN, "ack", False),
        ({"time": None}, OPEN, "ack", False), ({"unit": 7}, OPEN, "ack", False),
        ({"role": "engineer"}, OPEN, "ack", False),
        ({}, CLOSED, "ack", False), ({"token": "wrong-token-00000"}, CLOSED, "ack", False),
        ({"token": "token-of-wang-fang"}, CLOSED, "ack", False), ({"until": "soon"}, OPEN, "shelve", False),
    ],
)  # fmt: skip
def test_a_command_that_is_old_retained_unknown_or_nobodys_is_none(
    change: dict[str, Any], access: Access, topic: str, retained: bool
) -> None:
    with pytest.raises(PayloadError):
        read(change, access, topic=topic, retained=retained)
