"""A real Chromium that opens the page, and afterwards has logged no error and asked nobody but the page's server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.site import WIDE, Open, Site, running

expect.set_options(timeout=20_000)  # of a machine with other work; what is there is found at once
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[Open]:
    """Open the page; afterwards it must have logged no error and asked nobody but its own server."""
    problems: list[str] = []
    contexts = []

    def opened(size: tuple[int, int] = WIDE, *, dark: bool = False, locale: str = "en-GB", strict: bool = True) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", locale=locale
        )
        contexts.append(context)
        page = context.new_page()
        if strict:
            page.on("console", lambda said: problems.extend([said.text] if said.type in ("error", "warning") else []))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda asked: problems.extend([] if asked.url.startswith(site.url) else [asked.url]))
        page.goto(site.url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
