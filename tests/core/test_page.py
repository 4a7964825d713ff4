"""The page's server: what it answers, how its stream paces, and that it stops when told to."""

import asyncio
import logging
import re
import signal
import socket
import time
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from tests.core.pages import Source, ask, get, served, snapshot
from twin.adapters import page
from twin.errors import ConfigError
from twin.snapshot import Snapshot

pytestmark = pytest.mark.long

PAGE_FILES = {file.name: file for file in files("twin.adapters").joinpath("page_files").iterdir()}


async def listen(port: int, limit: int = 2**20) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    writer.write(b"GET /api/stream HTTP/1.1\r\nHost: page\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def next_snapshot(reader: asyncio.StreamReader) -> Snapshot:
    while not (line := await asyncio.wait_for(reader.readline(), 5)).startswith(b"data: "):
        assert line, "the stream ended"
    return msgspec.json.decode(line[6:], type=Snapshot)


def test_every_response_carries_the_security_headers() -> None:
    async def run() -> None:
        async with served(Source(snapshot(1))) as port:
            for path, method, wanted in [
                ("/", "GET", 200),
                ("/favicon.ico", "GET", 200),
                ("/api/snapshot", "GET", 200),
                ("/api/stream", "GET", 200),
                ("/nowhere", "GET", 404),
                ("/page_files/../page.py", "GET", 404),
                ("/api/snapshot", "DELETE", 405),
            ]:
                status, headers, _ = await ask(port, path, method)
                assert status == wanted, path
                assert headers["content-security-policy"] == page.POLICY.decode(), path
                assert headers["x-content-type-options"] == "nosniff", path
                assert headers["referrer-policy"] == "no-referrer", path

    asyncio.run(run())


def test_an_unexpected_error_is_a_500_with_the_same_headers() -> None:
    class Broken(Source):
        def latest(self) -> Snapshot | None:
            raise RuntimeError("secret")

    status, headers, body = get(Broken(), "/api/snapshot")
    assert status == 500
    assert msgspec.json.decode(body)["detail"] == "internal error"
    assert b"secret" not in body
    assert "content-security-policy" in headers


def test_the_snapshot_is_the_contract_as_json() -> None:
    newest = snapshot(7)
    status, headers, body = get(Source(newest), "/api/snapshot")
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    assert body == msgspec.json.encode(newest)


def test_while_warming_up_there_is_no_snapshot_and_it_says_so() -> None:
    status, headers, body = get(Source(), "/api/snapshot")
    assert status == 503
    assert "warming up" in msgspec.json.decode(body)["detail"]
    assert headers["retry-after"] == "1"
    assert msgspec.json.decode(get(Source(), "/health")[2]) == {"status": "warming up"}
    assert msgspec.json.decode(get(Source(snapshot(1)), "/health")[2]) == {"status": "ok"}


def test_static_files_are_revalidated_by_etag() -> None:
    for name, kind in [("page.js", "text/javascript"), ("page.css", "text/css"), ("icon.svg", "image/svg+xml")]:
        status, headers, body = get(Source(), f"/{name}")
        assert status == 200
        assert headers["content-type"].startswith(kind)
        assert headers["cache-control"] == "no-cache"
        assert body == PAGE_FILES[name].read_bytes()
        status, _, body = get(Source(), f"/{name}", header=f"If-None-Match: {headers['etag']}\r\n")
        assert (status, body) == (304, b"")


def test_the_stream_sends_the_newest_and_then_each_newer_one() -> None:
    async def run() -> None:
        source = Source()
        async with served(source) as port:
            reader, writer = await listen(port)
            source.publish(snapshot(1))
            assert await next_snapshot(reader) == snapshot(1)
            source.publish(snapshot(2))
            source.publish(snapshot(3))
            assert await next_snapshot(reader) == snapshot(3)
            writer.close()

    asyncio.run(run())


def test_a_slow_listener_skips_to_the_newest() -> None:
    async def run() -> list[bytes]:
        source = Source(snapshot(1))
        events = source.feed().events()
        got = [await anext(events), await anext(events)]
        for number in range(2, 50):
            source.publish(snapshot(number))
            await asyncio.sleep(0)
        got.append(await anext(events))
        return got

    assert asyncio.run(run()) == [
        b"retry: 2000\n\n",
        b"event: snapshot\ndata: " + msgspec.json.encode(snapshot(1)) + b"\n\n",
        b"event: snapshot\ndata: " + msgspec.json.encode(snapshot(49)) + b"\n\n",
    ]


def test_a_fast_source_is_thinned_out_to_one_a_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PERIOD_S", 0.2)
    monkeypatch.setattr(page, "SLACK_S", 0.05)

    async def run() -> float:
        source = Source(snapshot(0))

        async def hurry() -> None:
            for number in range(10_000):
                source.publish(snapshot(number))
                await asyncio.sleep(0.001)

        hurrying = asyncio.create_task(hurry())
        events = source.feed().events()
        start = time.perf_counter()
        for _ in range(7):  # retry, then six snapshots: five periods, the first shortened by the slack
            await anext(events)
        hurrying.cancel()
        return time.perf_counter() - start

    assert asyncio.run(run()) > 0.9


def test_a_quiet_stream_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "HEARTBEAT_S", 0.05)

    async def run() -> list[bytes]:
        events = Source().feed().events()
        return [await anext(events) for _ in range(3)]

    assert asyncio.run(run()) == [b"retry: 2000\n\n", b": alive\n\n", b": alive\n\n"]


def test_open_streams_do_not_hold_up_the_stop() -> None:
    """`served` asserts the two seconds; one of the listeners never reads what it is sent."""

    async def run() -> None:
        source = Source(snapshot(1, plant="x" * 8_000_000))
        async with served(source) as port:
            stuck = await listen(port, limit=1024)
            listeners = [await listen(port, limit=2**24) for _ in range(5)]
            for reader, _ in listeners:
                await next_snapshot(reader)
        for reader, writer in listeners:
            assert (await asyncio.wait_for(reader.read(), 2)).endswith(b"0\r\n\r\n"), "the stream was cut, not ended"
            writer.close()
        stuck[1].close()

    asyncio.run(run())


def test_a_taken_port_is_a_configuration_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        serving = page.serve(
            page.application(lambda: None, wait=Source().wait, ask=Source().ask), "127.0.0.1", port, ready=print
        )
        with pytest.raises(ConfigError, match=rf"page\.port: cannot listen on 127\.0\.0\.1:{port}: .*in use"):
            asyncio.run(serving)


def test_an_unknown_host_is_a_configuration_error() -> None:
    serving = page.serve(
        page.application(lambda: None, wait=Source().wait, ask=Source().ask), "no.such.invalid", 0, ready=print
    )
    with pytest.raises(ConfigError, match=r"page\.host.*no\.such\.invalid"):
        asyncio.run(serving)


def test_signals_and_logging_stay_as_they_are() -> None:
    def state() -> list[Any]:
        loggers = [logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.error")]
        return [
            *(signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)),
            *((logger.level, logger.handlers[:], logger.propagate) for logger in loggers),
        ]

    async def run() -> None:
        before = state()  # asyncio.run has set its own handler of SIGINT by now
        async with served(Source()) as port:
            await ask(port, "/health")
            assert state() == before

    asyncio.run(run())


def test_the_page_needs_nothing_its_policy_forbids() -> None:
    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            names = dict(attrs)
            assert tag != "style"
            assert "style" not in names
            assert not [name for name in names if name.startswith("on")]
            assert tag != "script" or names.get("src")
            for target in (names.get("src"), names.get("href")):
                assert target is None or target.strip("/") in PAGE_FILES

    Checker().feed(PAGE_FILES["index.html"].read_text())
    for name, file in PAGE_FILES.items():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        text = text.removeprefix("/*! https://github.com/leeoniya/uPlot (v1.6.32) */")  # whose code it is
        assert not re.search(r"https?://|@import|url\(", text), name


def test_script_modules_are_short_and_import_only_each_other() -> None:
    scripts = {name: file.read_text() for name, file in PAGE_FILES.items() if name.endswith(".js")}
    for name, text in scripts.items():
        assert len(text.splitlines()) <= 300, name
        for imported in re.findall(r'from "\./(.+?)"', text):
            assert imported in scripts, f"{name} imports {imported}"
