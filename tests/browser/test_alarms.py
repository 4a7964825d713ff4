"""The tab of alarms in a real Chromium, with the real desk behind: what is listed, what people do, what is refused."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.site import PHONE, Open, Site, overflow, potline
from tests.browser.test_accessibility import grave
from twin.alarms.figures import TARGETS

pytestmark = pytest.mark.browser

POT, HOT = "demo/A/A003", "demo/A/A017"


def state_of(site: Site, unit: str, code: str) -> str:
    """The state of an alarm in the desk."""
    (found,) = [one for one in site.desk.view("en").alarms if (one.unit, one.code) == (unit, code)]
    return found.state


def look(site: Site, open_page: Open, *, tab: str = "Alarms", name: str = "li.wei", **how: object) -> Page:
    """The tab with an anode effect and a hot pot."""
    site.publish(potline())
    site.happens({"bath_hot": [HOT], "anode_effect": [POT]}, wait_s=1000)
    page = open_page(**how)
    page.get_by_role("tab", name=tab).click()
    expect(page.locator(".standing > .alarm-rows > li")).to_have_count(2)
    if name:
        page.locator("#alarms-who").fill(name)
    return page


def row(page: Page, unit: str, code: str) -> Locator:
    return page.locator(f'#alarm-parts li[data-key="{unit} {code}"]')


def test_the_most_urgent_comes_first_with_cause_advice_and_how_long_it_has_been(site: Site, open_page: Open) -> None:
    page = look(site, open_page)
    rows = page.locator(".standing > .alarm-rows > li")
    for text in ("High", "Anode effect", "A003", "not acknowledged", "since", "17 min", "Likely cause"):
        expect(rows.nth(0)).to_contain_text(text)
    for text in ("Low", "Bath hot", "A017", "Too much superheat", "Check heat balance."):
        expect(rows.nth(1)).to_contain_text(text)
    expect(page.locator("#alarms-tally")).to_have_text("2")
    expect(page.locator(".journal-rows > li")).to_have_count(2)  # they are on disk now, where figures are counted
    page.reload()
    page.get_by_role("tab", name="Alarms").click()
    figures = page.locator("#alarms-figures")
    expect(figures).to_contain_text("demo/A, 30 days")
    expect(figures.locator("table")).to_be_hidden()
    figures.locator("summary").click()
    for target in TARGETS:
        expect(figures.locator("tbody")).to_contain_text(target.words)
    expect(figures.locator("tr", has_text="high priority").locator("[data-abnormal]")).to_have_text("50 %")
    expect(figures.locator("ol")).to_contain_text("A003 Anode effect: 1 (50 %)")
    assert grave(page) == []
    rows.nth(1).locator("button.unit").click()
    expect(page.locator("#detail-title")).to_have_text("A017")


def test_a_position_without_alarms_misses_no_target(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    page.get_by_role("tab", name="Alarms").click()
    page.locator("#alarms-figures summary").click()
    expect(page.locator("#alarms-figures tbody tr")).to_have_count(len(TARGETS))
    expect(page.locator("#alarms-figures [data-abnormal]")).to_have_count(0)


def test_acknowledging_by_keyboard_changes_the_desk_and_then_the_page(site: Site, open_page: Open) -> None:
    page = look(site, open_page, name="王芳")
    row(page, POT, "anode_effect").locator('[data-do="ack"]').focus()
    page.keyboard.press("Enter")
    expect(row(page, POT, "anode_effect")).to_have_attribute("data-state", "acknowledged")
    assert state_of(site, POT, "anode_effect") == "acknowledged"
    expect(row(page, POT, "anode_effect")).to_contain_text("王芳")
    expect(row(page, POT, "anode_effect").locator('[data-do="ack"]')).to_have_count(0)
    expect(row(page, POT, "anode_effect")).to_be_focused()
    expect(page.locator("#alarms-tally")).to_have_text("1")
    expect(page.locator(".journal-rows > li").first).to_contain_text("王芳")
    page.reload()
    expect(page.locator("#alarms-who")).to_have_value("王芳")


def test_shelving_wants_a_reason_moves_out_of_sight_and_can_be_undone(site: Site, open_page: Open) -> None:
    page = look(site, open_page)
    row(page, HOT, "bath_hot").locator('[data-do="shelve"]').click()
    dialog = page.get_by_role("dialog", name="Shelve: Bath hot, A017")
    expect(dialog.get_by_label("Why")).to_be_focused()
    dialog.get_by_role("button", name="Shelve").click()
    assert state_of(site, HOT, "bath_hot") == "unacknowledged", "without a reason nothing is sent"
    assert grave(page) == []
    dialog.get_by_text("4 h", exact=True).click()
    dialog.get_by_label("Why").fill("new anodes")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator(".standing > .alarm-rows > li")).to_have_count(1)
    (shelved,) = [one for one in site.desk.view("en").alarms if one.state == "shelved"]
    assert (shelved.unit, shelved.who, shelved.why) == (HOT, "li.wei", "new anodes")
    assert shelved.until.startswith("2026-01-01T09:16:4"), "four hours of the twin's time"
    page.get_by_text("Out of sight: 1").click()
    expect(row(page, HOT, "bath_hot")).to_contain_text("until 17:16:4")
    expect(row(page, HOT, "bath_hot")).to_contain_text("li.wei: new anodes")
    row(page, HOT, "bath_hot").locator('[data-do="unshelve"]').click()
    expect(page.locator(".standing > .alarm-rows > li")).to_have_count(2)
    assert state_of(site, HOT, "bath_hot") == "unacknowledged"


def test_what_the_twin_refuses_is_shown_in_its_words_and_nothing_moves(site: Site, open_page: Open) -> None:
    page = look(site, open_page, name="", strict=False)
    row(page, POT, "anode_effect").locator('[data-do="ack"]').click()
    expect(page.locator("#alarms-refused")).to_contain_text("say who you are")
    expect(row(page, POT, "anode_effect")).to_have_attribute("data-state", "unacknowledged")
    assert state_of(site, POT, "anode_effect") == "unacknowledged"
    row(page, HOT, "bath_hot").locator('[data-do="shelve"]').click()
    page.get_by_label("Why").fill("x")
    page.keyboard.press("Enter")
    expect(page.locator("#shelve .refused")).to_contain_text("say who you are")
    page.keyboard.press("Escape")
    expect(page.locator("#shelve")).to_be_hidden()


def test_a_root_folds_what_follows_from_it(site: Site, open_page: Open) -> None:
    site.publish(potline())
    site.happens({"no_data": [f"demo/A/A{number:03d}" for number in range(41, 61)]}, wait_s=200)
    page = open_page()
    page.get_by_role("tab", name="Alarms").click()
    root = page.locator(".standing > .alarm-rows > li")
    expect(root).to_have_count(1)
    expect(root).to_contain_text("Gateway silent")
    expect(root.locator("li")).to_have_count(20)
    expect(root.locator("li").first).to_be_hidden()
    root.get_by_text("Stands for 20 more").click()
    expect(root.locator("li").first).to_be_visible()
    site.happens({"anode_effect": [POT]}, wait_s=200)
    expect(root.filter(has_text="Anode effect")).to_have_count(1, timeout=15_000)
    expect(page.locator("summary").first).to_be_visible()
    expect(row(page, "demo/A/A041", "no_data")).to_be_visible()


def test_in_chinese_on_a_phone_in_the_dark(site: Site, open_page: Open) -> None:
    page = look(site, open_page, tab="报警", locale="zh-CN", size=PHONE, dark=True)
    expect(row(page, POT, "anode_effect")).to_contain_text("阳极效应")
    expect(row(page, POT, "anode_effect").locator('[data-do="ack"]')).to_have_text("确认")
    assert overflow(page) <= 0
    assert grave(page) == []
    row(page, POT, "anode_effect").locator('[data-do="ack"]').click()
    expect(row(page, POT, "anode_effect").locator(".state").first).to_have_text("已确认")
    page.get_by_role("button", name="Switch to English").click()
    expect(row(page, POT, "anode_effect")).to_contain_text("Anode effect")
