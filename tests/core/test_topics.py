"""Topics: which unit a topic names, discovery and its cap, and what invented topics cannot do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import roster_of
from twin.errors import PayloadError
from twin.settings import resolve
from twin.shares import subscriptions
from twin.topics import SECTION, Route, Router, section_topic, topic_of

ENROLLED = len(roster_of(3))  # a line, three pots, two sections, a site


def router(*, discover: bool = True, most: int = 1000, root: str = "smelter") -> Router:
    return Router(roster_of(3), root=root, discover=discover, max_discovered=most)


def reason(route: Router, topic: str) -> str:
    with pytest.raises(PayloadError) as caught:
        route.route(topic)
    return caught.value.reason


@pytest.mark.parametrize(
    ("topic", "route"),
    [
        ("smelter/s/L/001/telemetry", Route("telemetry", 1)),
        ("smelter/s/L/003/event", Route("event", 3)),
        ("smelter/s/L/002/sample", Route("sample", 2)),
        ("smelter/s/L/line", Route("line", 0)),
        ("smelter/s/L/section/1/telemetry", Route(SECTION, 0)),
        ("smelter/s/L/section/0017/telemetry", Route(SECTION, 0)),
    ],
)
def test_the_topics_of_the_contract(topic: str, route: Route) -> None:
    found = router()
    assert found.route(topic) == route
    assert found.route(topic) == route, "also when it is known"
    assert found.discovered == []


@pytest.mark.parametrize("kind", ["telemetry", "event", "sample"])
def test_a_topic_leads_back_to_its_unit(kind: str) -> None:
    found = router()
    for code in found.roster.pot_codes():
        assert found.route(topic_of("smelter", found.roster.paths[code], kind)) == Route(kind, code)
    assert found.route(topic_of("smelter", "s/L", "line")) == Route("line", 0)
    assert found.route(section_topic("smelter", "s/L", 2)) == Route(SECTION, 0)


def test_the_root_may_have_levels_of_its_own() -> None:
    found = router(root="works/hall 1")
    assert found.route("works/hall 1/s/L/001/telemetry") == Route("telemetry", 1)
    assert reason(found, "smelter/s/L/001/telemetry") == "bad_topic"
    assert subscriptions(resolve(flags={"mqtt.root": "works/hall 1"}), (), stores=True) == ("works/hall 1/#",)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "smelter",
        "smelter/",
        "smelter/s",
        "smelter/s/L",
        "smelter/s/L/001",
        "smelter/s/L/001/status",
        "smelter/s/L/001/telemetry/x",
        "smelter/s/L/001/Telemetry",
        "smelter/s/L/001/telemetry ",
        "/smelter/s/L/001/telemetry",
        "smelterx/s/L/001/telemetry",
        "other/s/L/001/telemetry",
        "smelter/s/L/line/x",
        "smelter/s/L/section/one/telemetry",
        "smelter/s/L/section//telemetry",
        "smelter/s/L/section/1/event",
        "smelter/s/L/section/-1/telemetry",
        "$SYS/broker/uptime",
    ],
)
def test_other_topics_are_refused(topic: str) -> None:
    assert reason(router(), topic) == "bad_topic"


@pytest.mark.parametrize(
    "topic",
    [
        "smelter/s/M/001/telemetry",
        "smelter/x/L/line",
        "smelter/s/M/section/1/telemetry",
        "smelter/s/L/section:1/telemetry",
        "smelter/s/L/section:1/sample",
        "smelter/s/L/section:7/event",
        "smelter/s/L/\u00e4/telemetry",
        "smelter/s/L//telemetry",
        "smelter/s/L/a b/telemetry",
        "smelter/s/L/a,pot=b/telemetry",
        "smelter/s/L/a=b/telemetry",
        "smelter/s/L/a\\nb/telemetry",
        "smelter/s/L/a\nb/telemetry",
        "smelter/s/L/../telemetry",
        "smelter/s/L/\x00/telemetry",
        f"smelter/s/L/{'x' * 65}/telemetry",
    ],
)
def test_units_that_cannot_be_are_refused_and_not_remembered(topic: str) -> None:
    found = router()
    assert reason(found, topic) == "unknown_unit"
    assert len(found.roster) == ENROLLED
    assert found.discovered == []


def test_an_unknown_pot_of_a_known_line_is_discovered() -> None:
    found = router()
    assert found.route("smelter/s/L/X1/telemetry") == Route("telemetry", ENROLLED)
    assert found.route("smelter/s/L/X1/event") == Route("event", ENROLLED)
    assert found.discovered == ["s/L/X1"]
    assert found.roster.line_of[ENROLLED] == 0


def test_without_discovery_an_unknown_pot_is_parked() -> None:
    found = router(discover=False)
    assert reason(found, "smelter/s/L/X1/telemetry") == "unknown_unit"
    assert len(found.roster) == ENROLLED


def test_discovery_has_a_cap() -> None:
    found = router(most=2)
    assert [found.route(f"smelter/s/L/X{n}/telemetry").unit for n in (1, 2)] == [ENROLLED, ENROLLED + 1]
    assert reason(found, "smelter/s/L/X3/telemetry") == "unknown_unit"
    assert found.route("smelter/s/L/X2/telemetry").unit == ENROLLED + 1, "what is discovered stays"
    assert found.route("smelter/s/L/001/telemetry").unit == 1


def test_a_crowd_of_invented_pots_is_told_at_85_percent_and_when_it_is_full() -> None:
    told: list[str] = []
    found = router(most=20)
    found.on_crowded = told.append
    for number in range(16):
        found.pot(f"s/L/Y{number}")
    assert told == []
    found.pot("s/L/Y16")
    assert len(told) == 1
    assert told[0].startswith("17 of at most 20 pots (ingest.discovered_max) are discovered")
    assert "s/L/Y16" in told[0]
    for number in range(17, 30):
        try:
            found.pot(f"s/L/Y{number}")
        except PayloadError:
            continue
    assert len(told) == 2, "once when it is full, whatever comes then"
    assert told[1].startswith("20 of at most 20")
    assert "s/L/Y20 and others after it are parked" in told[1]
    assert (len(found.discovered), found.turned_away) == (20, 10)


def test_no_room_for_discovered_pots_is_as_good_as_none() -> None:
    found = router(most=0)
    assert reason(found, "smelter/s/L/X1/telemetry") == "unknown_unit"
    assert found.turned_away == 1


@pytest.mark.parametrize(
    "path", ["s/L/001/x", "s/L/", "s/L", "s", "", "s/L/x/y", "x/L/001", "s/L/a b", "s/L/section:1"]
)
def test_a_pot_is_enrolled_below_a_line_only(path: str) -> None:
    found = router()
    with pytest.raises(PayloadError, match="unknown_unit"):
        found.pot(path)
    assert len(found.roster) == ENROLLED


def test_invented_topics_do_not_fill_the_memory() -> None:
    found = router(most=5)
    for number in range(500):
        found.route(f"smelter/s/L/section/{number}/telemetry")
        for topic in (f"smelter/s/L/Y{number}/telemetry", f"smelter/{number}/L/line", f"x/{number}"):
            try:
                found.route(topic)
            except PayloadError:
                continue
    assert len(found.roster) == ENROLLED + 5
    assert len(found._known) <= 3 * len(found.roster) + 1


LEVEL = st.sampled_from(["smelter", "s", "L", "001", "line", "section", "1", "telemetry", "event", "", "new"])


@given(st.one_of(st.lists(LEVEL, max_size=7).map("/".join), st.text(max_size=40)))
def test_any_topic_has_a_route_or_a_reason(topic: str) -> None:
    found = router()
    try:
        route = found.route(topic)
    except PayloadError as error:
        route = Route(error.reason, -1)
    if route.unit < 0:
        assert route.kind in ("bad_topic", "unknown_unit")
    else:
        assert route.unit < len(found.roster)
        assert (route.kind in ("line", SECTION)) == found.roster.is_line(route.unit)
