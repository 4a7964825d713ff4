"""The report in a real Chromium: it is whole, asks nobody, and reads well in light, dark, on a phone and on paper."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.report.alarming import flooded, october
from tests.report.making import report_of, rows_of
from tests.report.plants import two_lines
from tests.report.story import Story
from twin.report.page import html

pytestmark = pytest.mark.browser

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
HEADINGS = [
    "Summary", "Where the energy goes", "Against the plan", "Daily course", "Energy against the baseline", "Worst pots",
    "Emissions, surcharge, clean energy", "Data quality", "Plant and portfolio", "Alarm system", "Method",
]  # fmt: skip
RUNNING_NS = int(datetime(2026, 10, 20, 4, tzinfo=UTC).timestamp()) * 10**9
# Pairs of texts of one drawing that lie over each other by more than a pixel.
OVERLAPS = """() => [...document.querySelectorAll("svg")].filter((s) => s.getClientRects().length).flatMap((svg) => {
    const texts = [...svg.querySelectorAll("text")].filter((t) => t.textContent)
        .map((t) => [t.textContent, t.getBoundingClientRect()]);
    return texts.flatMap(([a, p], n) => texts.slice(n + 1).filter(([, q]) =>
        p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
        .map(([b]) => `${a} | ${b}`));
})"""
OUTSIDE = """() => [...document.querySelectorAll("svg")].filter((s) => s.getClientRects().length).flatMap((svg) => {
    const b = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text, rect, circle, path")].map((e) => [e, e.getBoundingClientRect()])
        .filter(([, r]) => r.left < b.left - 3 || r.right > b.right + 3 || r.top < b.top - 3 || r.bottom > b.bottom + 3)
        .map(([e]) => e.outerHTML.slice(0, 120));
})"""


@pytest.fixture(scope="module")
def chromium(files: dict[str, Path]) -> Iterator[Browser]:
    """After the files: while Playwright runs, no other event loop can."""
    assert files
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of a month that is over, one that is not, a day, a year, two lines, and a store with next to nothing."""
    folder, plant = tmp_path_factory.mktemp("reports"), two_lines()
    rows = rows_of()
    little = {key: value for key, value in rows.items() if key[3] in ("dc_kwh_t_month", "coverage_pct_month")}
    hours = rows_of(story=Story(hours=(date(2026, 10, 7),)))
    going = rows_of(story=Story(end=date(2026, 10, 20)))
    found = {
        "month": report_of(rows, alarms=october(flooded())),
        "running": report_of(going, clock_ns=RUNNING_NS),
        "day": report_of(hours, words="2026-10-07"),
        "year": report_of(rows, words="2026"),
        "two": report_of(rows_of(plant), plant),
        "little": report_of(little),
    }
    for name, report in found.items():
        (folder / f"{name}.html").write_text(html(report), "utf-8")
    return {name: folder / f"{name}.html" for name in found}


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest, files: dict[str, Path]) -> Iterator[Page]:
    """A page that logs no problem and asks for nothing but its own file."""
    name, width, dark = request.param
    problems: list[str] = []
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
    opened = context.new_page()
    opened.on("console", lambda said: problems.append(said.text))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    wanted = files[name].as_uri()
    opened.on(
        "request", lambda asked: problems.extend([] if asked.url == wanted or asked.url == "data:," else [asked.url])
    )
    opened.goto(wanted)
    yield opened
    context.close()
    assert problems == []


@pytest.mark.parametrize("page", [("month", 1100, False)], indirect=True)
def test_every_section_has_its_heading_and_its_drawing(page: Page) -> None:
    expect(page.locator("h1")).to_contain_text("Potline A")
    expect(page.locator("h1")).to_contain_text("October 2026")
    assert page.locator("h2").all_inner_texts() == HEADINGS
    for heading in (
        "Where the energy goes",
        "Daily course",
        "Energy against the baseline",
        "Worst pots",
        "Data quality",
    ):
        section = page.locator("section", has=page.get_by_role("heading", name=heading))
        expect(section.locator("svg.wide").first).to_be_visible()
    expect(page.locator(".metric .value")).to_have_count(4)
    expect(page.locator("table.rules tbody tr")).to_have_count(10)
    expect(page.locator("table.pots tbody tr")).to_have_count(10)


EVERY = [(name, width, dark) for name in ("month", "running", "day", "year", "two", "little")
         for width, dark in ((1100, False), (700, True), (380, False), (320, True))]  # fmt: skip


@pytest.mark.parametrize("page", EVERY, indirect=True, ids=lambda one: f"{one[0]}-{one[1]}")
def test_nothing_overlaps_runs_out_or_needs_a_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("page", [("month", 1100, True)], indirect=True)
def test_dark_on_the_screen_is_light_on_paper(page: Page) -> None:
    brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, part) => sum + +part, 0)"
    assert page.evaluate(brightness) < 120
    page.emulate_media(media="print")
    assert page.evaluate(brightness) == 765
    assert len(page.pdf(prefer_css_page_size=True)) > 20_000


@pytest.mark.parametrize("page", [("month", 794, False)], indirect=True)
def test_on_paper_the_wide_drawings_stand_and_fit(page: Page) -> None:
    page.emulate_media(media="print")
    expect(page.locator("svg.wide").first).to_be_visible()
    expect(page.locator("svg.narrow").first).to_be_hidden()
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("page", [("little", 1100, False)], indirect=True)
def test_what_is_not_measured_is_said(page: Page) -> None:
    expect(page.locator(".metric", has_text="AC, liquid aluminium")).to_contain_text("not measured")
    expect(page.get_by_text("No rule of the plan can be graded")).to_be_visible()
    expect(page.get_by_text("No loss tree: the store has no loss terms of this period.")).to_be_visible()
    expect(page.get_by_text("The store has no figures of pots of this month.")).to_be_visible()


@pytest.mark.parametrize("page", [("two", 1100, False)], indirect=True)
def test_several_lines_have_a_table_that_leads_to_each(page: Page) -> None:
    expect(page.locator("h1")).to_contain_text("North smelter")
    assert page.locator("h2").all_inner_texts() == [
        "Plant and portfolio", "Potline A", 'Potline <B> & "co"', "Alarm system", "Method",
    ]  # fmt: skip
    page.get_by_role("link", name="Potline A").click()
    expect(page.locator("article h3")).to_have_count(16)
