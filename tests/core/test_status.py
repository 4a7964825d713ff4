"""`twin status` against the real page, and what it says when there is none."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from tests.browser.site import potline
from tests.core.pages import Source
from tests.processes import free_port
from twin.adapters.page import application, serve
from twin.snapshot import Snapshot

pytestmark = pytest.mark.long


def asked(snapshot: Snapshot | None) -> tuple[int, str]:
    """Exit code and output of `twin status` while a page serves this snapshot."""

    async def nothing_newer() -> None:
        await asyncio.Event().wait()

    async def main() -> tuple[int, str]:
        port, up = free_port(), asyncio.Event()
        app = application(lambda: snapshot, wait=nothing_newer, ask=Source().ask)
        page = asyncio.create_task(serve(app, "127.0.0.1", port, ready=lambda _: up.set()))
        await up.wait()
        answer = await asyncio.to_thread(called, port)
        page.cancel()
        await asyncio.wait([page])
        return answer

    return asyncio.run(main())


def called(port: int) -> tuple[int, str]:
    command = [sys.executable, "-m", "twin", "status", "--set", f"page.port={port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"COLUMNS": "200"}, check=False)
    return done.returncode, done.stdout + done.stderr


def test_it_prints_every_verdict_with_its_interval() -> None:
    code, text = asked(potline())
    assert code == 0
    (row,) = [line for line in text.splitlines() if "ac_liquid at most 13000" in line and " hour " in line]
    for cell in ("at most 13,000 kWh/t", "13,021 ± 20", "fail", "100 %"):
        assert cell in row
    assert "insufficient" in text
    assert "1284301 received = 1284298 stored + 3 parked" in text


def test_a_twin_that_warms_up_says_so() -> None:
    code, text = asked(None)
    assert code == 1
    assert "warming up" in text


def test_without_a_twin_it_says_what_to_do() -> None:
    code, text = called(free_port())
    assert code == 1
    assert "twin up" in text
    assert "page.port" in text
