"""What the InfluxDB adapter sends, and what it makes of each answer: try again, or never."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.core.plants import NOW_NS, readings_of, roster_of
from twin.adapters.influx import InfluxStore, Target
from twin.errors import SinkRejected, SinkUnavailable

READINGS = readings_of([(0, 1, "voltage_v", 4.0), (0, 2, "voltage_v", 4.1)])
LINES = b"pot,site=s,line=L,pot=001 voltage_v=4.0 %d\npot,site=s,line=L,pot=002 voltage_v=4.1 %d\n" % (NOW_NS, NOW_NS)


@dataclass
class FakeInflux:
    """Answers every request with the same status and body, and keeps what it was asked; status 0 hangs up."""

    status: int = 204
    body: bytes = b""
    port: int = 0
    asked: list[tuple[bytes, dict[bytes, bytes], bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *rest = head[:-4].split(b"\r\n")
                headers = {name.lower(): value for name, value in (line.split(b": ", 1) for line in rest)}
                self.asked.append((first, headers, await reader.readexactly(int(headers.get(b"content-length", b"0")))))
                if not self.status:
                    break
                answer = b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\nContent-Type: application/json\r\n\r\n%s"
                writer.write(answer % (self.status, len(self.body), self.body))
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def store(server: FakeInflux, **options: object) -> AsyncIterator[InfluxStore]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    opened = InfluxStore(Target(f"http://127.0.0.1:{server.port}", "db/rp", "o"), roster_of(3), **options)  # type: ignore[arg-type]
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()
        listening.close()
        await listening.wait_closed()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(limited())


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("token", ["", "secret"])
def test_a_write_is_lines_in_nanoseconds_to_the_path_that_all_versions_share(compress: bool, token: str) -> None:
    async def test() -> None:
        server = FakeInflux()
        async with store(server, compress=compress, token=token) as influx:
            await influx.write(READINGS)
        ((first, headers, body),) = server.asked
        assert first.startswith(b"POST /api/v2/write?")
        query = set(first.split(b"?")[1].split(b" ")[0].split(b"&"))
        assert query in ({b"org=o", b"bucket=db/rp", b"precision=ns"}, {b"org=o", b"bucket=db%2Frp", b"precision=ns"})
        assert (gzip.decompress(body) if compress else body) == LINES
        assert headers.get(b"content-encoding") == (b"gzip" if compress else headers.get(b"content-encoding"))
        assert (headers.get(b"authorization") == b"Token secret") is bool(token)

    run(test)


def test_nothing_to_write_asks_nothing() -> None:
    async def test() -> None:
        server = FakeInflux()
        async with store(server) as influx:
            await influx.write(readings_of([(0, 1, "voltage_v", float("nan"))]))
            await influx.write(readings_of([]))
        assert server.asked == []

    run(test)


CONFLICT = b'field type conflict: input field \\"noise_mv\\" on measurement \\"pot\\" is type float dropped=1'
REASONS = (
    (400, b'{"error":"partial write: %s"}' % CONFLICT, "type_conflict"),
    (
        422,
        b'{"code":"unprocessable entity","message":"failure writing points: partial write: %s"}' % CONFLICT,
        "type_conflict",
    ),
    (
        500,
        b'{"code":"internal error","message":"unexpected error writing points: partial write: %s"}' % CONFLICT,
        "type_conflict",
    ),
    (400, b'{"error":"partial write: points beyond retention policy dropped=2"}', "beyond_retention"),
    (422, b'{"code":"x","message":"partial write: dropped 2 points outside retention policy"}', "beyond_retention"),
    (400, b'{"error":"partial write: max-values-per-tag limit exceeded (1/1) dropped=1"}', "refused"),
    (413, b"", "refused"),
)


@pytest.mark.parametrize(("status", "body", "reason"), REASONS)
def test_the_body_says_why_whatever_the_code(status: int, body: bytes, reason: str) -> None:
    async def test() -> None:
        async with store(FakeInflux(status, body)) as influx:
            with pytest.raises(SinkRejected) as caught:
                await influx.write(READINGS)
        assert caught.value.reason == reason
        assert caught.value.fields == ((("pot", "noise_mv"),) if reason == "type_conflict" else ())
        assert caught.value.whole == (reason == "beyond_retention"), "two lines were sent"

    run(test)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":"partial write of line protocol occurred","data":[{"line_number":2,"original_line":"x"}, 5, {}]}',
        b'{"error":"partial write of line protocol occurred","data":[{"line_number":2},{"line_number":99}]}',
    ],
)
def test_lines_named_by_their_number_are_ours(body: bytes) -> None:
    async def test() -> None:
        async with store(FakeInflux(400, body)) as influx:
            with pytest.raises(SinkRejected) as caught:
                await influx.write(READINGS)
        assert caught.value.lines == (LINES.splitlines()[1],)

    run(test)


FINAL = (
    (400, b'{"error":"partial write: field type conflict: input field \\"a\\" on measurement \\"pot\\" dropped=1"}'),
    (400, b'{"error":"unable to parse \'pot x\': missing fields"}'),
    (400, b'{"error":"partial write: points beyond retention policy dropped=2"}'),
    (422, b'{"code":"unprocessable entity","message":"points beyond retention policy"}'),
    (500, b'{"code":"internal error","message":"unexpected error writing points: partial write: field type conflict"}'),
    (413, b"<html>413 Request Entity Too Large</html>"),
    (413, b""),
)
AGAIN = (
    (400, b'{"error":"database is required"}'),
    (401, b'{"code":"unauthorized","message":"unauthorized access"}'),
    (403, b"forbidden"),
    (404, b'{"error":"database not found: \\"db\\""}'),
    (429, b'{"message":"too many requests"}'),
    (500, b'{"error":"timeout"}'),
    (500, b'{"error":"hinted handoff queue not empty"}'),
    (502, b"<html>Bad Gateway</html>"),
    (503, b""),
    (504, b"\xff\xfe"),
)


@pytest.mark.parametrize(("status", "body"), FINAL)
def test_what_cannot_get_better_is_rejected(status: int, body: bytes) -> None:
    async def test() -> None:
        async with store(FakeInflux(status, body)) as influx:
            with pytest.raises(SinkRejected, match=f"HTTP {status}"):
                await influx.write(READINGS)

    run(test)


@pytest.mark.parametrize(("status", "body"), AGAIN)
def test_what_may_get_better_is_tried_again(status: int, body: bytes) -> None:
    async def test() -> None:
        async with store(FakeInflux(status, body)) as influx:
            with pytest.raises(SinkUnavailable, match=f"HTTP {status}"):
                await influx.write(READINGS)

    run(test)


def test_the_lines_that_were_refused_are_named_when_the_server_names_them() -> None:
    named = LINES.split(b"\n")[1]
    body = b"{\"error\":\"partial write: unable to parse '%s': bad timestamp\\nunable to parse 'alien': no\"}" % named

    async def test() -> None:
        async with store(FakeInflux(400, body.replace(b"\\n", b"\n"))) as influx:
            with pytest.raises(SinkRejected) as caught:
                await influx.write(READINGS)
            assert caught.value.lines == (named,), "and only ours"

    run(test)


def test_a_server_that_hangs_up_is_away() -> None:
    async def test() -> None:
        async with store(FakeInflux(status=0)) as influx:
            with pytest.raises(SinkUnavailable):
                await influx.write(READINGS)
            with pytest.raises(SinkUnavailable):
                await influx.query("SHOW DATABASES")

    run(test)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"no json", SinkUnavailable),
        (200, b'{"results":[{"error":"bad question"}]}', SinkRejected),
        (400, b'{"error":"error parsing query"}', SinkRejected),
    ],
)
def test_answers_to_a_question(status: int, body: bytes, kind: type[Exception]) -> None:
    async def test() -> None:
        async with store(FakeInflux(status, body)) as influx:
            with pytest.raises(kind, match=r"127\.0\.0\.1"):
                await influx.query("SELECT 1")

    run(test)


def test_a_series_that_is_not_there_is_empty() -> None:
    async def test() -> None:
        async with store(FakeInflux(200, b'{"results":[{"statement_id":0}]}')) as influx:
            assert len(await influx.read("pot", "s/L/001", 0, NOW_NS)) == 0

    run(test)
