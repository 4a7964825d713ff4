"""The foot of the page shows the balance sheet: places that hold something, and an alarm when it is off."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from tests.browser.site import Open, Site, potline

pytestmark = pytest.mark.browser


def test_places_of_the_sheet_are_shown_while_they_hold_something(site: Site, open_page: Open) -> None:
    usual = potline()
    site.publish(usual)
    page = open_page()
    foot = page.locator("#ingest-figures")
    expect(foot.get_by_text("= Stored")).to_be_visible()
    for word in ("+ spooled", "+ from before", "+ set aside", "+ under way", "Off by"):
        expect(foot.get_by_text(word)).to_be_hidden()
    problem = "the store is away; 4,321 messages wait in the spool"
    ingest = replace(usual.ingest, spooled=4321, carried=21, off=2, problem=problem)
    site.publish(replace(potline(second=1), ingest=ingest))
    expect(foot.locator("[data-abnormal=yes]", has_text="+ spooled")).to_contain_text("4,321")
    expect(foot.locator("[data-abnormal=yes]", has_text="Off by")).to_contain_text("2")
    expect(foot.get_by_text("+ from before")).to_be_visible()
    expect(page.locator("#problem")).to_have_text(problem)
    site.publish(potline(second=2))
    expect(foot.get_by_text("+ spooled")).to_be_hidden()
