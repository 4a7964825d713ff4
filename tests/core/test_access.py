"""Who may ask the page: by host name, by token, by kind and size of the request; and clients that waste its time."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.core.pages import Source, serving, snapshot
from twin.access import Access, host_name, is_loopback
from twin.adapters import page
from twin.errors import ConfigError
from twin.hasty import Hasty

TOKEN = "canary-0123456789abcdef"


def access(host: str = "127.0.0.1", hosts: str = "", token: str = "") -> Access:
    return Access.of(host, hosts, token, "token" if token else "")


def status(of: Access, target: str = "/api/snapshot", **headers: str) -> int:
    """0 = let in. Names of headers with _ for -."""
    given = {"host": "127.0.0.1:8080", **headers}
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in given.items()]
    denied = of.denied("GET", target, pairs)
    return 0 if denied is None else denied.status


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("127.0.0.1", 0), ("127.0.0.1:8080", 0), ("localhost:8080", 0), ("LOCALHOST", 0), ("twin.localhost", 0),
        ("[::1]:8080", 0), ("10.1.2.3:80", 0), ("twin.example", 0), ("Twin.Example.:8080", 0),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421),
        ("twin.example.evil.example", 421), ("xlocalhost", 421),
        ("", 400), (":80", 400), ("a b", 421), ("twin.example@evil.example", 421), ("[::1", 400),
        ("twin.example:x", 400),
    ],
)  # fmt: skip
def test_only_names_that_are_known(host: str, wanted: int) -> None:
    assert status(access(hosts="twin.example"), host=host) == wanted


def test_no_host_two_hosts_and_every_host() -> None:
    assert access().denied("GET", "/", []) is not None
    assert access().denied("GET", "/", [(b"host", b"localhost"), (b"Host", b"evil.example")]) is not None
    assert status(access(hosts="*"), host="anything.example") == 0
    assert status(access(host="plant-server"), host="plant-server:8080") == 0


def basic(user: str, word: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (f"Bearer {TOKEN}", 0), (f"bearer  {TOKEN}", 0), (basic("anyone", TOKEN), 0), (basic("", TOKEN), 0),
        ("", 401), ("Bearer", 401), ("Bearer wrong", 401), (f"Bearer {TOKEN}x", 401), (f"Bearer {TOKEN[:-1]}", 401),
        (TOKEN, 401), (f"Token {TOKEN}", 401), (basic(TOKEN, ""), 401), ("Basic !!!", 401), ("Basic /w==", 401),
        ("Bearer \xe9", 401),
    ],
)  # fmt: skip
def test_the_token_is_asked_of_everything_but_probes(header: str, wanted: int) -> None:
    of = access(token=TOKEN)
    for target in ("/", "/page.js", "/api/snapshot", "/api/stream", "/metrics", "/nowhere", "/health/../api/snapshot"):
        assert status(of, target, authorization=header) == wanted
    assert status(of, "/health", authorization=header) == status(of, "/ready?x") == 0
    assert TOKEN not in repr(of)


def test_a_browser_is_asked_for_it() -> None:
    denied = access(token=TOKEN).denied("GET", "/", [(b"host", b"localhost")])
    assert denied is not None
    assert dict(denied.headers)[b"www-authenticate"].startswith(b"Basic realm=")


def test_bodies_long_addresses_and_other_sites_are_refused() -> None:
    of = access()
    assert status(of, "/api/line?path=" + "x" * 5000) == 414
    assert status(of, content_length="5") == status(of, transfer_encoding="chunked") == 413
    assert status(of, content_length="0") == 0
    assert status(of, sec_fetch_site="cross-site") == 403
    assert [status(of, sec_fetch_site=site) for site in ("same-origin", "none", "same-site")] == [0, 0, 0]
    assert status(of, "/", sec_fetch_site="cross-site") == 0, "a link to the page from elsewhere"


@pytest.mark.parametrize(("hosts", "token"), [("a:80", ""), ("a b:c", ""), ("", "short")])
def test_wrong_settings_are_refused(hosts: str, token: str) -> None:
    with pytest.raises(ConfigError, match=r"page\.(hosts|token_file)"):
        Access.of("127.0.0.1", hosts, token, "t" if token else "")


def test_addresses_of_this_machine_alone() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "plant", "")] == [False] * 5
    assert host_name("[2001:DB8::1]:80") == "2001:db8::1"


@asynccontextmanager
async def served(of: Access) -> AsyncIterator[int]:
    source = Source(snapshot(1))
    async with serving(page.application(source.latest, wait=source.wait, ask=source.ask, access=of)) as port:
        yield port


async def said(port: int, *pieces: bytes) -> bytes:
    """Everything that the server answers to these bytes, until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def request(target: str, *headers: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def test_over_the_wire() -> None:
    async def run() -> None:
        async with served(access(token=TOKEN)) as port:
            known = f"Authorization: Bearer {TOKEN}"
            for target, headers, wanted in [
                ("/api/snapshot", ("Host: localhost", known), b"200"),
                ("/", ("Host: localhost", known), b"200"),
                ("/", ("Host: localhost",), b"401"),
                ("/", ("Host: evil.example", known), b"421"),
                ("/health", ("Host: localhost",), b"200"),
                ("/api/snapshot?" + "x" * 5000, ("Host: localhost", known), b"414"),
                ("/api/snapshot", ("Host: localhost", known, "X-Long: " + "x" * 20_000), b"431"),
            ]:
                answer = await said(port, request(target, *headers))
                assert answer.split(b" ")[1] == wanted, (target[:40], headers)
                assert b"content-security-policy" in answer
                assert TOKEN.encode() not in answer
                assert b"server:" not in answer.lower()

    asyncio.run(run())


@pytest.mark.parametrize(
    "target",
    [
        "/../../etc/passwd", "//etc/passwd", "/page_files/../page.py", "/%2e%2e/%2e%2e/etc/passwd", "/..%2fpage.py",
        "/page.js/../../page.py", "/page.js%00.css", "/page.js/", "/PAGE.JS", "/.git/config", "/api//snapshot",
        "/api/%2e%2e/api/snapshot", "/static/page.js", "\\page.js", "http://evil.example/page.js", "*", "/\xff",
        "/api/pot?path=../../etc/passwd%00",
    ],
)  # fmt: skip
def test_no_trick_with_the_path_leads_anywhere(target: str) -> None:
    async def run() -> bytes:
        async with served(access()) as port:
            return await said(port, request(target, "Host: localhost"))

    answer = asyncio.run(run())
    assert answer.split(b" ")[1] in (b"400", b"404", b"307"), answer[:200]
    assert b"root:" not in answer
    assert b"import " not in answer


def test_who_takes_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hasty, "patience_s", 0.2)

    async def run() -> None:
        async with served(access()) as port:
            assert await said(port) == b"", "says nothing"
            assert await said(port, b"GET / HTTP/1.1\r\nHost: loc") == b"", "never ends"
            whole = request("/health", "Host: localhost").replace(b"Connection: close\r\n", b"")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(whole)
            await reader.readuntil(b'"}')
            writer.write(b"GET / HT")
            async with asyncio.timeout(3):
                assert await reader.read() == b"", "the second request of a connection, too"
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request("/api/stream", "Host: localhost"))
            await reader.readuntil(b"event: snapshot")
            await asyncio.sleep(0.4)
            assert not reader.at_eof(), "an open stream is no slow request"
            writer.close()

    asyncio.run(run())


def test_a_crowd_is_told_to_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_CONNECTIONS", 5)

    async def run() -> None:
        async with served(access()) as port:
            idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
            answer = await said(port, request("/health", "Host: localhost"))
            assert answer.startswith(b"HTTP/1.1 503")
            for _, writer in idle:
                writer.close()

    asyncio.run(run())
