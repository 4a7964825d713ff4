"""Every view under axe-core in a real Chromium: nothing serious in either scheme, either language, or on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from tests.browser.site import Open, Site, line, pot, snapshot
from twin.snapshot import EventView, Snapshot

pytestmark = pytest.mark.browser

VIEWS = ("pots", "alarms", "anomalies", "energy", "whatif", "ingest", "settings")
GRAVE = {"serious", "critical"}


def troubled() -> Snapshot:
    """Pots in every state, an event, and a sheet with something to tell."""
    pots = [pot(n) for n in range(1, 61)]
    pots[2] = replace(pots[2], voltage_v=24.3, faults=["anode_effect"])
    pots[16] = replace(pots[16], bath_temperature_c=968.4)
    pots[20] = replace(pots[20], voltage_v=None, stale=True)
    pots[43] = replace(pots[43], kwh_per_t=13_240.0, verdict="fail")
    time, advice = "2026-01-01T12:59:30+08:00", "Quench it; check the alumina feed."
    told = snapshot(
        [line(pots)], [EventView(time, "demo/A/A003", "anode_effect", "Anode effect", "high", True, 24.3, advice)]
    )
    return replace(
        told, ingest=replace(told.ingest, spooled=12, problems={"out_of_range": 5}, problem="the store is away")
    )


def grave(page: Page) -> list[str]:
    """What axe-core finds that is serious or worse: rule, where, and why."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}) at {node['target']}: {node['failureSummary'][:300]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"][:4]
    ]


@pytest.mark.parametrize(
    "how", [{}, {"dark": True, "locale": "zh-CN"}, {"size": (360, 780)}], ids=["light", "dark", "phone"]
)
def test_no_view_has_a_serious_violation(site: Site, open_page: Open, how: dict[str, object]) -> None:
    site.publish(troubled())
    site.happens({"anode_effect": ["demo/A/A003"], "bath_hot": ["demo/A/A017"]})
    page = open_page(**how)
    expect(page.locator(".tile")).to_have_count(60)
    found = {}
    for second, view in enumerate(VIEWS, 1):
        site.publish(replace(troubled(), time=f"2026-01-01T13:00:{second:02d}+08:00"))  # what is old is greyed out
        expect(page.locator(".top")).to_contain_text(f"13:00:{second:02d}")
        page.locator(f"#tab-{view}").click()
        page.wait_for_timeout(500)
        found[view] = grave(page)
    site.publish(replace(troubled(), time="2026-01-01T13:00:59+08:00"))
    page.locator("#tab-pots").click()
    page.locator('.tile[data-pot="A001"]').click()
    expect(page.locator('.chart[data-chart="voltage"]')).to_have_attribute("data-points", "361")
    page.locator(".as-table summary").click()
    found["pot"] = grave(page)
    assert {view: list_ for view, list_ in found.items() if list_} == {}


def test_a_violation_would_be_found(site: Site, open_page: Open) -> None:
    site.publish(troubled())
    page = open_page()
    expect(page.locator(".tile")).to_have_count(60)
    page.evaluate(
        "document.querySelector('#language').textContent = ''; document.querySelector('#language').ariaLabel = ''"
    )
    assert [text for text in grave(page) if text.startswith("button-name")] != []
