"""`/health`, `/ready` and `/metrics`: alone on a port, and beside the page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.core.pages import Source, ask, serving, snapshot
from tests.operations.test_metrics import operations
from twin.access import Access
from twin.adapters import page
from twin.errors import ConfigError
from twin.operations import Operations


@asynccontextmanager
async def served(ops: Operations, *, with_page: bool, access: Access | None = None) -> AsyncIterator[int]:
    source = Source(snapshot(1))
    app = page.application(source.latest, wait=source.wait, ask=source.ask, beside=ops.routes(), access=access)
    async with serving(app if with_page else ops.application()) as port:
        yield port


@pytest.mark.parametrize("with_page", [False, True])
def test_a_machine_asks_how_it_is(with_page: bool) -> None:
    async def test() -> None:
        ops, wrong = operations(), [""]
        ops.readiness.add("store", lambda: wrong[0])
        async with served(ops, with_page=with_page) as port:
            status, headers, body = await ask(port, "/ready")
            assert (status, json.loads(body)) == (200, {"ready": True, "reasons": []})
            assert headers["cache-control"] == "no-store"
            wrong[0] = "refused"
            status, _, body = await ask(port, "/ready")
            assert status == 503
            assert json.loads(body) == {"ready": False, "reasons": [{"part": "store", "reason": "refused"}]}
            status, _, body = await ask(port, "/health")
            assert (status, json.loads(body)["status"]) == (200, "ok"), "alive, ready or not"
            status, headers, body = await ask(port, "/metrics")
            assert (status, headers["content-type"].split(";")[0]) == (200, "text/plain")
            assert b"\nsmelter_ready 0.0\n" in body
            _, headers, body = await ask(port, "/metrics", header="Accept: application/openmetrics-text\r\n")
            assert headers["content-type"].startswith("application/openmetrics-text")
            assert body.endswith(b"# EOF\n")
            for path in ("/ready", "/metrics"):
                assert (await ask(port, path, "POST"))[0] == 405
            assert (await ask(port, "/"))[0] == (200 if with_page else 404)

    asyncio.run(test())


def test_the_pages_metrics_ask_for_its_token_and_probes_need_none() -> None:
    async def test() -> None:
        async with served(operations(), with_page=True, access=Access(frozenset("*"), "t" * 16)) as port:
            assert (await ask(port, "/metrics"))[0] == 401
            assert (await ask(port, "/metrics", header=f"Authorization: Bearer {'t' * 16}\r\n"))[0] == 200
            for path in ("/health", "/ready"):
                assert (await ask(port, path))[0] == 200

    asyncio.run(test())


def test_a_port_that_is_taken_names_the_setting() -> None:
    async def test() -> None:
        taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = taken.sockets[0].getsockname()[1]
        with pytest.raises(ConfigError, match=rf"metrics\.host, metrics\.port: cannot listen on 127.0.0.1:{port}"):
            await page.serve(
                operations().application(), "127.0.0.1", port, ready=lambda _: None,
                settings="metrics.host, metrics.port",
            )  # fmt: skip
        taken.close()
        await taken.wait_closed()

    asyncio.run(test())
