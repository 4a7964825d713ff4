"""The charts of a pot in a real Chromium: what they show, how they follow the stream, keys, and the table."""

from __future__ import annotations

import msgspec
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.site import PHONE, Open, Site, line, overflow, pot, potline, snapshot
from twin.snapshot import Snapshot

pytestmark = pytest.mark.browser

NAMES = ("voltage", "resistance", "noise", "temperature", "alumina", "risk")


def opened(site: Site, open_page: Open, **how: object) -> Page:
    site.publish(potline())
    page = open_page(**how)
    page.locator('.tile[data-pot="A001"]').click()
    expect(chart(page, "voltage")).to_have_attribute("data-points", "361")
    return page


def chart(page: Page, name: str) -> Locator:
    return page.locator(f'.chart[data-chart="{name}"]')


def ink(page: Page, name: str) -> int:
    """Pixels of the chart's canvas that are not empty."""
    data = "c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
    return int(chart(page, name).locator("canvas").evaluate(f"c => {data}.filter((v, i) => i % 4 === 3 && v).length"))


def live(volts: float, second: int) -> Snapshot:
    pots = [msgspec.structs.replace(pot(1), voltage_v=volts, anode_effect_risk=0.4), *(pot(n) for n in range(2, 61))]
    return snapshot([line(pots)], second=second)


def test_six_charts_of_the_last_hour_with_band_and_events(site: Site, open_page: Open) -> None:
    page = opened(site, open_page)
    expect(page.locator(".chart")).to_have_count(6)
    for name in NAMES:
        assert ink(page, name) > 1000, name
    expect(chart(page, "resistance")).to_contain_text("4.70 µΩ")
    expect(chart(page, "alumina")).to_contain_text("2.50 wt%")
    expect(chart(page, "risk")).to_contain_text("5.0 %")
    chart(page, "alumina").focus()
    page.keyboard.press("End")
    expect(page.locator(".readout")).to_contain_text("Alumina, estimated 2.50 wt%, 2.11 to 2.89")


def test_the_stream_goes_on_where_the_store_ends(site: Site, open_page: Open) -> None:
    page = opened(site, open_page)
    site.publish(live(4.321, 1))
    expect(chart(page, "voltage")).to_contain_text("4.")
    site.publish(live(9.876, 12))
    expect(chart(page, "voltage").locator(".value")).to_have_text("9.876 V")
    expect(chart(page, "risk").locator(".value")).to_have_text("40.0 %")
    chart(page, "voltage").focus()
    page.keyboard.press("End")
    expect(page.locator(".readout")).to_contain_text("01-01 13:00:10 UTC+08:00: Voltage 9.876 V")


def test_a_spike_of_a_second_and_the_event_beside_it_are_found_by_keys(site: Site, open_page: Open) -> None:
    page = opened(site, open_page)
    chart(page, "voltage").focus()
    page.keyboard.press("Home")
    expect(page.locator(".readout")).to_contain_text("12:00:00 UTC+08:00")
    for _ in range(180):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".readout")).to_contain_text("12:30:00 UTC+08:00: Voltage 6.600 V, 4.000 to 30.000")
    expect(page.locator(".readout")).to_contain_text("Anode effect")
    expect(page.get_by_role("dialog").locator("h2")).to_have_text("A001")  # arrows in a chart do not leave the pot


def test_the_range_is_chosen_and_remembered(site: Site, open_page: Open) -> None:
    page = opened(site, open_page)
    with page.expect_request(lambda asked: "/api/history" in asked.url and "hours=24" in asked.url):
        page.get_by_text("24 h", exact=True).click()
    expect(chart(page, "voltage")).to_have_attribute("data-points", "13")
    page.reload()
    page.locator('.tile[data-pot="A001"]').click()
    expect(page.get_by_role("radio", name="24 h")).to_be_checked()
    page.get_by_role("radio", name="24 h").press("ArrowRight")
    expect(page.get_by_role("radio", name="7 d")).to_be_checked()
    expect(page.get_by_role("dialog").locator("h2")).to_have_text("A001")
    expect(chart(page, "voltage")).not_to_have_attribute("data-points", "13")


def test_the_same_is_there_as_a_table(site: Site, open_page: Open) -> None:
    page = opened(site, open_page)
    page.get_by_text("As a table").click()
    rows = page.locator(".curves tbody tr")
    expect(rows).to_have_count(46)
    expect(rows.first).to_contain_text("4.70")
    expect(page.locator(".curves")).to_contain_text("Metal tapped [kg] 3,000")
    expect(page.locator(".curves")).to_contain_text("Anode effect, began")
    heads = page.locator(".curves thead th")
    expect(heads).to_have_count(8)
    assert {head.get_attribute("scope") for head in heads.all()} == {"col"}


def test_another_pot_has_its_own_curves(site: Site, open_page: Open) -> None:
    page = opened(site, open_page)
    page.get_by_role("button", name="Next pot").click()
    expect(page.get_by_role("dialog").locator("h2")).to_have_text("A002")
    expect(chart(page, "resistance").locator(".value")).to_have_text("—")
    page.get_by_role("button", name="Previous pot").click()
    expect(chart(page, "resistance").locator(".value")).to_have_text("4.70 µΩ")


def test_dark_charts_are_drawn_in_light_ink(site: Site, open_page: Open) -> None:
    page = opened(site, open_page, dark=True)
    brightest = chart(page, "temperature").locator("canvas").evaluate(
        "c => Math.max(...c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 0))"
    )  # fmt: skip
    assert brightest > 200


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_charts_fit_on_a_phone(site: Site, open_page: Open, locale: str) -> None:
    page = opened(site, open_page, size=(360, PHONE[1]), locale=locale)
    assert overflow(page) == 0
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("node => node.scrollWidth - node.clientWidth") == 0
    name = "Voltage" if locale == "en-GB" else "槽电压"
    expect(chart(page, "voltage")).to_contain_text(name)


def test_nothing_is_asked_when_the_panel_is_closed(site: Site, open_page: Open) -> None:
    page = opened(site, open_page)
    page.keyboard.press("Escape")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6000)
    assert [url for url in asked if "/api/history" in url or "/api/events" in url] == []
