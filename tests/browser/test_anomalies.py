"""The tab of anomalies in a real Chromium: cause, signals, advice and evidence, risks, drift, models, or why none."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.site import PHONE, Open, Site, overflow, potline
from twin.judge_thread import JudgeThread
from twin.opinions import DriftView, Judged, ModelView, Opinion, Reason

pytestmark = pytest.mark.browser

BEGIN_NS, TOLD_NS = 1_767_243_600_000_000_000, 1_767_245_400_000_000_000


def judged(site: Site) -> JudgeThread:
    """One anomaly at the seventh pot, risks that rise with the number of the pot, a drifted column."""
    units = site.engine.roster.pot_codes()
    reasons = [Reason("anode_max_10m", "1", "Largest anode current: 10m.", 1.62, 2.0)]
    opinion = Opinion(units[6], "anode_slip", 0.87, [("anode_spike", 0.09)], reasons, BEGIN_NS, TOLD_NS)
    risk = np.full(max(units) + 1, np.nan)
    risk[units] = np.linspace(0.0, 0.9, len(units))
    beside = JudgeThread(None, "", lambda text: None)
    title, made = "Which cause is at work at a pot", "twin models train --seed 1"
    model = ModelView("pots", title, made, "lessons", {"numpy": "2"})
    beside.latest = Judged(
        TOLD_NS, {"anode_effect_risk": risk}, (), {units[6]: opinion}, frozenset({units[-1]}),
        (DriftView("wall_10m", 0.61, 0.02, 0.01),), 150, 0.61,
        (model,),
    )  # fmt: skip
    return beside


def test_an_anomaly_shows_its_cause_signals_advice_and_evidence(site: Site, open_page: Open) -> None:
    site.judge = judged(site)
    site.publish(potline())
    page = open_page()
    page.get_by_role("tab", name="Anomalies").click()
    row = page.locator(".anomaly-rows > li")
    expect(row).to_have_count(1)
    for text in ("A007", "Anode slipped", "process", "87 % likely", "set the anode that carries most back up",
                 "Spike under an anode 9 %", "Evidence", "anode_max_10m", "1.620"):  # fmt: skip
        expect(row).to_contain_text(text)
    risks = page.locator(".risk-rows > li")
    expect(risks.first).to_contain_text("A060")
    expect(risks.first).to_contain_text("90 %")
    expect(risks.first).to_contain_text("warned")
    expect(page.locator(".drift-list")).to_contain_text("1 of 150 columns")
    expect(page.locator(".drift-list")).to_contain_text("PSI 0.61")
    expect(page.locator(".model-list")).to_contain_text("twin models train --seed 1")
    row.get_by_role("button", name="A007").click()
    expect(page.locator("#detail-title")).to_have_text("A007")


def test_in_chinese_the_cause_and_its_advice_are_chinese(site: Site, open_page: Open) -> None:
    site.judge = judged(site)
    site.publish(potline())
    page = open_page(locale="zh-CN", size=PHONE)
    page.get_by_role("tab", name="异常").click()
    expect(page.locator(".anomaly-rows > li")).to_contain_text("阳极下滑")
    expect(page.locator(".anomaly-rows .advice")).to_contain_text("测量阳极电流")
    assert overflow(page) <= 0


def test_without_models_the_reason_is_shown(site: Site, open_page: Open) -> None:
    site.judge = JudgeThread(None, "the models in x are not used: made for other columns", lambda text: None)
    site.publish(potline())
    page = open_page()
    page.get_by_role("tab", name="Anomalies").click()
    expect(page.locator("#anomalies-missing")).to_contain_text("made for other columns")
    expect(page.locator("#judged")).to_be_hidden()
