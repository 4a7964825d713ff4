"""What is asked of the twin on demand, in a real Chromium: where the energy goes, what if, the state of a pot."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.site import PHONE, Open, Site, overflow, potline, told
from twin.answers import line_answer, what_if_answer
from twin.losses import TERMS

pytestmark = pytest.mark.browser


def look(page: Page, view: str) -> None:
    page.get_by_role("tab", name=view).click()


def lever(page: Page, name: str) -> Locator:
    return page.locator(".lever").filter(has=page.get_by_role("heading", name=name))


def edges(node: Locator) -> tuple[float, float]:
    box = node.bounding_box()
    assert box is not None
    return box["x"], box["x"] + box["width"]


def test_where_the_energy_goes_is_a_waterfall_up_to_the_metered_figure(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    look(page, "Where the energy goes")
    rows = page.locator("#fall tbody tr")
    expect(rows).to_have_count(len(TERMS) + 2)
    assert site.report is not None
    tree = line_answer(site.engine, site.report, "demo/A").trees["day"]
    for name, value in ((term.name, term.kwh_t) for term in tree.terms):
        shown = f"{value or 0:,.0f}".replace("-", "−")
        expect(page.locator(f'[data-term="{name}"] td').first).to_have_text(shown)
    expect(page.locator('[data-term="theoretical"]')).to_contain_text("6,347")
    expect(page.locator('[data-term="above_target"]')).to_contain_text("What the distance beyond its target costs")
    expect(page.locator('[data-term="ac_liquid"] td').first).to_have_text(f"{tree.ac_liquid:,.0f}")
    expect(page.locator('[data-term="ac_comprehensive"] td').first).to_have_text(f"{tree.ac_comprehensive:,.0f}")
    bars = {term.name: edges(page.locator(f'[data-term="{term.name}"] .bar')) for term in tree.terms}
    assert bars["reaction_heat"][1] == pytest.approx(bars["theoretical"][1], abs=1.5), "down from the minimum"
    assert bars["efficiency"][0] == pytest.approx(bars["reaction_heat"][0], abs=1.5), "and up again from there"
    expect(page.locator('[data-term="reaction_heat"] .bar')).to_have_attribute("data-sign", "minus")
    expect(page.locator(".floor")).to_be_hidden()


def test_day_and_month_can_be_chosen_and_are_remembered(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    look(page, "Where the energy goes")
    expect(page.locator("#energy-total")).to_contain_text("for 30.0 t of metal, 80 % of data")
    page.get_by_text("Month", exact=True).click()
    page.reload()
    expect(page.locator("#fall")).to_be_visible()
    expect(page.get_by_role("radio", name="Month")).to_be_checked()


def test_what_is_not_known_yet_is_said_plainly(site: Site, open_page: Open) -> None:
    site.report = told(site.engine, explained=False)
    site.publish(potline())
    page = open_page()
    look(page, "Where the energy goes")
    expect(page.locator("#energy-missing")).to_contain_text(
        "Not known yet: the state of the pots is still being estimated"
    )
    expect(page.locator("#fall tbody tr:visible")).to_have_count(3)


def test_before_the_twin_has_figures_it_says_so(site: Site, open_page: Open) -> None:
    site.report = None
    site.publish(potline())
    page = open_page(strict=False)
    look(page, "What if")
    expect(page.locator("#whatif-missing")).to_contain_text("The twin has no answer: warming up")
    site.report = told(site.engine)
    expect(page.locator(".lever")).to_have_count(8, timeout=8000)


def test_a_lever_moved_by_keys_shows_what_the_twin_predicts(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    look(page, "What if")
    expect(page.locator(".headline")).to_contain_text("above")
    slider = page.get_by_role("slider", name="Pot voltage")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "−20 mV")
    assert site.report is not None
    found = what_if_answer(site.engine, site.report, "demo/A", {"voltage": -20.0})
    expect(page.locator(".headline .margin")).to_contain_text("±118")
    for row, figure in zip(page.locator(".outcomes tbody tr").all(), found.figures, strict=True):
        for cell, value in zip(row.locator("td").all(), (figure.before, figure.after), strict=False):
            expect(cell).to_have_text(f"{value:,.{figure.digits}f}")
    expect(page.locator(".headline .big")).to_have_text(f"{found.figures[1].after:,.0f}")
    expect(slider).to_be_focused()
    page.get_by_role("button", name="Back to now").click()
    expect(page.locator("[data-moved]")).to_have_count(0)
    expect(page.locator(".headline .big")).to_have_text(f"{found.figures[1].before:,.0f}")


def test_the_step_that_closes_the_gap_is_taken_with_one_press(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    look(page, "What if")
    expect(page.locator(".headline .margin")).to_contain_text("−")
    expect(lever(page, "Rectifier efficiency").get_by_role("button", name="not by this alone")).to_be_disabled()
    lever(page, "Pot voltage").get_by_role("button", name="13,000 at").click()
    expect(page.locator(".headline .margin")).to_contain_text("+")
    expect(page.locator(".headline .verdict")).to_contain_text("uncertain")


def test_a_pot_that_would_get_cold_is_warned_of(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    look(page, "What if")
    expect(page.locator(".heat")).to_contain_text("Inside 5 to 15 °C.")
    page.get_by_role("slider", name="Pot voltage").press("Home")
    expect(page.locator(".heat")).to_contain_text("The pots would cool: below 5 °C.")


def test_steppers_move_a_lever_by_its_step_and_say_where_its_value_comes_from(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    look(page, "What if")
    row = lever(page, "Line current")
    expect(row).to_contain_text("500.0 kA, metered")
    expect(lever(page, "Anode distance")).to_contain_text("42.0 mm, plant file")
    expect(lever(page, "Superheat")).to_contain_text("9.0 °C, estimated")
    for _ in range(3):
        row.get_by_role("button", name="Line current: more").click()
    expect(row).to_contain_text("+3 kA")
    expect(row).to_contain_text("→ 503.0 kA")


def test_the_panel_of_a_pot_tells_its_state_with_its_uncertainty(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    page.locator('.tile[data-pot="A003"]').click()
    states = page.locator(".states li")
    expect(states.filter(has_text="Bath temperature")).to_contain_text("957.0 ±2.0 °C")
    expect(states.filter(has_text="Anode distance")).to_contain_text("not known yet")
    expect(states.filter(has_text="Alumina")).to_contain_text("95 %: 2.40 to 2.80 · design 2 to 4")
    facts = states.filter(has_text="Alumina").locator(".facts")
    expect(facts).to_have_css("opacity", "0")
    states.filter(has_text="Alumina").hover()
    expect(facts).to_have_css("opacity", "1")
    expect(page.locator(".believed")).to_contain_text("94.0±0.5 %")
    losses = page.locator(".losses li")
    expect(losses.last).to_contain_text("Unexplained")
    expect(losses.first).to_contain_text("+")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog", name="A004")).to_be_visible()
    expect(states.filter(has_text="Bath temperature")).to_contain_text("957.0 ±2.0 °C")


def test_views_are_tabs_for_the_keyboard_and_stand_in_the_address(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    tab = page.get_by_role("tab", name="Pots")
    tab.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Alarms")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Anomalies")).to_be_focused()
    assert page.url.endswith("#anomalies")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Where the energy goes")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Where the energy goes")).to_be_visible()
    assert page.url.endswith("#energy")
    page.keyboard.press("ArrowRight")
    page.reload()
    expect(page.get_by_role("tabpanel", name="What if")).to_be_visible()


def test_nothing_is_asked_while_nobody_looks(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(f"{site.url}api/")))
    site.publish(potline(second=1))
    expect(page.locator(".top")).to_contain_text("13:00:01")
    page.wait_for_timeout(500)
    assert not [question for question in asked if "path=" in question]
    look(page, "Where the energy goes")
    expect(page.locator("#fall")).to_be_visible()
    assert [question for question in asked if "path=" in question] == ["line?path=demo%2FA"]


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("view", ["energy", "whatif"])
def test_a_phone_needs_no_sideways_scroll(site: Site, open_page: Open, view: str, locale: str) -> None:
    site.publish(potline())
    page = open_page(PHONE, locale=locale, dark=True)
    page.locator(f'[data-view="{view}"]').click()
    expect(page.locator(f"#{view} :is(.lever, tbody tr)").first).to_be_visible()
    assert overflow(page) == 0


def test_in_chinese_everything_is_said_in_chinese(site: Site, open_page: Open) -> None:
    site.publish(potline())
    page = open_page(locale="zh-CN")
    look(page, "电能去向")
    expect(page.locator("#fall tbody tr")).to_have_count(len(TERMS) + 2)
    for heading in page.locator("#fall :is(th, .help)").all():
        text = heading.text_content() or ""
        assert text == "kWh/t" or any("\u4e00" <= letter <= "\u9fff" for letter in text), text
    look(page, "假设分析")
    expect(page.locator(".lever")).to_have_count(8)
    for heading in page.locator(".lever h3").all():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in heading.text_content() or "")
    page.get_by_role("button", name="Switch to English").click()
    expect(page.locator(".lever").first).to_contain_text("Line current")
