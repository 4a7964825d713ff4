"""The sheets for ingest and settings, and the large type, in a real Chromium."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from tests.browser.site import Open, Site, overflow, potline

pytestmark = pytest.mark.browser


def look(page: Page, view: str) -> None:
    page.get_by_role("tab", name=view, exact=True).click()


def test_the_balance_sheet_and_why_messages_were_parked(site: Site, open_page: Open) -> None:
    usual = potline()
    ingest = replace(
        usual.ingest, carried=21, spooled=4321, problems={"bad_time": 2, "out_of_range": 1234}, ahead_s=3.5,
        ahead_unit="demo/A/A007", spool_mib=12.5, spool_oldest_s=240.0, missing=9,
    )  # fmt: skip
    site.publish(replace(usual, ingest=ingest))
    page = open_page()
    look(page, "Ingest")
    sheet = page.locator("#way-in")
    for place, count in (("received", "1,284,301"), ("carried", "21"), ("stored", "1,284,298"), ("parked", "3")):
        expect(sheet.locator(f'[data-place="{place}"]')).to_contain_text(count)
    expect(sheet.locator('[data-place="spooled"][data-abnormal]')).to_contain_text("4,321")
    expect(sheet).to_contain_text("The two sides are equal.")
    expect(sheet).to_contain_text("mqtt://twin:***@broker:1883")
    expect(sheet).to_contain_text("3.5 s demo/A/A007")
    expect(sheet).to_contain_text("12.5 MiB")
    expect(sheet).to_contain_text("4 min")
    rows = sheet.locator(".reasons-table tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("out_of_range1,234The value is not what this sensor can say")
    expect(rows.last).to_contain_text("bad_time2`time` is epoch ms, epoch ns, or ISO 8601 with a zone.")


def test_a_sheet_that_is_off_says_so_and_is_followed(site: Site, open_page: Open) -> None:
    usual = potline()
    site.publish(usual)
    page = open_page()
    look(page, "Ingest")
    expect(page.locator("#way-in")).to_contain_text("Nothing was parked since the start.")
    site.publish(replace(potline(second=1), ingest=replace(usual.ingest, off=5)))
    expect(page.locator("#way-in .abnormal")).to_contain_text("off by 5", timeout=8000)


def test_settings_say_where_they_come_from_and_no_secret(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    look(page, "Settings")
    row = page.locator("#settings-table tbody tr", has=page.get_by_text("mqtt.url", exact=True))
    expect(row).to_contain_text("mqtt://twin:***@broker:1883")
    expect(row).to_contain_text("environment SMELTER_MQTT_URL")
    assert "hunter2" not in page.content()
    everything = page.locator("#settings-table tbody tr:visible").count()
    assert everything > 50
    page.get_by_label("Only those that are not the default").check()
    expect(page.locator("#settings-table tbody tr:visible")).to_have_count(1)
    page.get_by_label("Only those that are not the default").uncheck()
    page.get_by_role("searchbox", name="Find a setting").fill("spool")
    found = page.locator("#settings-table tbody tr:visible")
    assert 1 < found.count() < everything
    for name in found.all_inner_texts():
        assert "spool" in name.lower()


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("view", ["ingest", "settings", "alarms", "anomalies", "energy", "whatif", "pots"])
def test_every_view_fits_a_phone_of_360(site: Site, open_page: Open, view: str, locale: str) -> None:
    site.publish(replace(potline(), ingest=replace(potline().ingest, problems={"out_of_range": 1})))
    page = open_page((360, 780), locale=locale)
    page.locator(f"#tab-{view}").click()
    expect(page.locator(f"#tab-{view}")).to_have_attribute("aria-selected", "true")
    page.wait_for_timeout(300)
    assert overflow(page) == 0


def test_both_sheets_speak_chinese(site: Site, open_page: Open) -> None:
    site.publish(replace(potline(), ingest=replace(potline().ingest, problems={"out_of_range": 1})))
    page = open_page(locale="zh-CN")
    look(page, "采集")
    expect(page.locator("#way-in")).to_contain_text("收支相等。")
    expect(page.locator("#way-in")).to_contain_text("该值超出传感器可能的范围")
    look(page, "设置")
    expect(page.locator("#settings-table")).to_contain_text("从不显示密码和令牌")
    page.get_by_role("button", name="Switch to English").click()
    expect(page.locator("#settings-table")).to_contain_text("Passwords and tokens are never shown")
    look(page, "Ingest")
    expect(page.locator("#way-in")).to_contain_text("The two sides are equal.")


def test_large_type_is_read_from_three_metres_and_remembered(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page((1920, 1080))
    volt = page.locator('.tile[data-pot="A001"] .volt')

    def height() -> float:
        return float(volt.evaluate("node => parseFloat(getComputedStyle(node).fontSize)"))

    before = height()
    button = page.get_by_role("button", name="Large type")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    # 3 m need capitals of 3 m/200 = 15 mm by the rule of thumb; on a wall screen of 1920 px over 1.2 m these are 24 px
    assert height() >= 34 > before
    assert overflow(page) == 0
    clipped = "nodes => nodes.filter(node => node.scrollWidth > node.clientWidth + 1).length"
    assert page.locator(".tile .volt").evaluate_all(clipped) == 0
    page.reload()
    expect(page.get_by_role("button", name="Large type")).to_have_attribute("aria-pressed", "true")
    assert height() >= 34
