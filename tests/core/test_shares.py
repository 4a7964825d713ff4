"""Which part of the plant a process takes, under which name; and no total by who has only a part."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.plants import NOW_NS, NS, packaged_plan
from twin import plant, shares
from twin.connection import Presence
from twin.engine import Engine
from twin.errors import ConfigError
from twin.frames import Readings, Report
from twin.plan import Grade
from twin.plant import Plant, Roster
from twin.sessions import SessionMark
from twin.settings import Settings, resolve
from twin.signals import by_name

PATHS = ("s/A", "s/B", "t/A", "u/A", "u/B")
TEXT = "".join(
    f'[[sites]]\nid = "{site}"\n'
    + "".join(
        f'[[sites.lines]]\nid = "{path[2:]}"\npots = 2\ndesign = "d"\n' for path in PATHS if path.startswith(f"{site}/")
    )
    for site in "stu"
)


def whole() -> Plant:
    return plant.parse(TEXT + "[designs.d]\n", "test")


def settings(**flags: object) -> Settings:
    return resolve(flags={name.replace("__", "."): str(value) for name, value in flags.items()})


def refused(roles: tuple[str, ...] = ("ingest",), **flags: object) -> str:
    found = settings(**flags)
    with pytest.raises(ConfigError) as caught:
        shares.subscriptions(found, shares.lines_of(found, roles, whole()), stores="ingest" in roles)
    return str(caught.value)


# -- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ()),
        ("s/A", ("s/A",)),
        (" t/A , s/B,", ("s/B", "t/A")),
        ("u", ("u/A", "u/B")),
        ("u,u/A", ("u/A", "u/B")),
        ("s,t,u", ()),
    ],
)
@pytest.mark.parametrize("role", ["ingest", "engine"])
def test_lines_go_by_themselves_or_by_their_site(role: str, text: str, lines: tuple[str, ...]) -> None:
    assert shares.lines_of(settings(**{f"{role}.lines": text}), (role,), whole()) == lines
    assert shares.lines_of(settings(**{f"{role}.lines": text}), ("page",), whole()) == ()


@pytest.mark.parametrize(
    ("roles", "flags", "said"),
    [
        (("ingest",), {"ingest.lines": "s/X"}, ["ingest.lines", "'s/X'", "s/A, s/B"]),
        (("engine",), {"engine.lines": "x"}, ["engine.lines", "'x'"]),
        (("ingest", "engine"), {"ingest.lines": "s/A", "engine.lines": "s/B"}, ["ingest.lines", "engine.lines"]),
        (("ingest", "engine"), {"mqtt.share": "crew"}, ["mqtt.share", "roles = engine", "ingest.lines"]),
        (("ingest",), {"mqtt.share": "a/b"}, ["mqtt.share", "'a/b'"]),
        (("ingest",), {"mqtt.share": "crew", "mqtt.version": "3.1.1"}, ["mqtt.share", "mqtt.version", "ingest.lines"]),
    ],
)
def test_what_does_not_go_together_is_refused(roles: tuple[str, ...], flags: dict[str, str], said: list[str]) -> None:
    message = refused(roles, **flags)
    for part in said:
        assert part in message


def test_in_one_process_the_engine_computes_what_the_ingest_takes() -> None:
    both = ("ingest", "engine")
    for name in ("ingest.lines", "engine.lines"):
        assert shares.lines_of(settings(**{name: "s/B"}), both, whole()) == ("s/B",)
    assert shares.lines_of(settings(**{"ingest.lines": "s", "engine.lines": "s/A,s/B"}), both, whole()) == PATHS[:2]


def test_filters_are_those_of_the_lines_and_shared_by_who_stores() -> None:
    assert shares.subscriptions(settings(), (), stores=True) == ("smelter/#",)
    assert shares.subscriptions(settings(), ("s/A", "t/A"), stores=True) == ("smelter/s/A/#", "smelter/t/A/#")
    crew = settings(mqtt__share="crew", mqtt__root="works")
    assert shares.subscriptions(crew, (), stores=True) == ("$share/crew/works/#",)
    assert shares.subscriptions(crew, ("s/A",), stores=True) == ("$share/crew/works/s/A/#",)
    assert shares.subscriptions(crew, (), stores=False) == ("works/#",), "an engine needs every message"
    mapped = shares.subscriptions(crew, (), ("hall/+/u",), stores=True)
    assert mapped == ("$share/crew/works/#", "$share/crew/hall/+/u"), "topics of a mapping file are shared as well"


@given(st.lists(st.sampled_from(PATHS), min_size=1, unique=True))
def test_ingestors_split_by_line_take_every_message_once(mine: list[str]) -> None:
    """Whatever is split: a topic of the contract matches the filters of exactly one of the two."""
    rest = [path for path in PATHS if path not in mine]
    for path in PATHS:
        takers = 0
        for part in (mine, rest):
            lines = shares.lines_of(settings(ingest__lines=",".join(part)), ("ingest",), whole()) if part else None
            if lines is not None:
                filters = shares.subscriptions(settings(), lines, stores=True)
                takers += sum(f"smelter/{path}/001/telemetry".startswith(f.removesuffix("#")) for f in filters)
        assert takers == 1


# -- names ------------------------------------------------------------------------------------------------------------


def test_client_ids_are_stable_and_those_of_instances_differ() -> None:
    assert shares.client_id(settings()) == "smelter-twin-ingest"
    assert shares.client_id(settings(), "engine") == "smelter-twin-ingest-engine"
    names = {shares.client_id(settings(mqtt__instance=n), why) for n in ("", "1", "2") for why in ("", "engine")}
    assert len(names) == 6
    with pytest.raises(ConfigError, match=r"mqtt\.client_id is empty"):
        shares.client_id(settings(mqtt__client_id="", mqtt__instance="1"))


def test_a_process_hears_another_one_of_its_name_but_not_its_predecessor() -> None:
    first, second = Presence("t"), Presence("t")
    assert first.word != second.word
    second.hear(first.word.encode())
    assert (second.said, second.other) == (False, ""), "retained by one that is gone"
    second.hear(second.word.encode())
    second.hear(second.word.encode())
    assert (second.said, second.other) == (True, "")
    second.hear(first.word.encode())
    assert second.other == first.word


def test_the_presence_is_told_beside_the_state_of_the_twin() -> None:
    assert shares.presence_topic(settings(), "a b/c") == "twin-process/a%20b%2Fc"
    assert shares.presence_topic(settings(mqtt__twin_root=""), "a") == ""


def test_a_session_is_remembered_for_its_broker_and_name_only(tmp_path: Path) -> None:
    mark = SessionMark(tmp_path / "data", "a/b", "mqtt://h")
    assert not mark.known()
    mark.keep()
    assert SessionMark(tmp_path / "data", "a/b", "mqtt://h").known()
    assert not SessionMark(tmp_path / "data", "a/b", "mqtt://other").known()
    assert not SessionMark(tmp_path / "data", "a", "mqtt://h").known()
    blocked = SessionMark(tmp_path / "data" / "session-a%2Fb" / "x", "c", "mqtt://h")
    blocked.keep()
    assert not blocked.known(), "no folder can be there: only the alarm of the next start is lost"


# -- no total of a part ------------------------------------------------------------------------------------------------


def engine_of(lines: tuple[str, ...]) -> Engine:
    part = shares.part_of(whole(), lines)
    return Engine(
        Roster(part), packaged_plan(), cut_sites=shares.cut_sites(whole(), part), all_sites=len(part.sites) == 3
    )


def report_of(engine: Engine) -> Report:
    """Two hours of lines that run evenly, each with another voltage."""
    rows = []
    for second in range(0, 7200, 10):
        for code in engine.roster.line_codes():
            meter = 1e4 + second * (1 + PATHS.index(engine.roster.paths[code]))
            rows += [(second, code, "line_current_ka", 500.0), (second, code, "ac_energy_kwh", meter)]
        for code in engine.roster.pot_codes():
            path = engine.roster.paths[code]
            rows.append((second, code, "voltage_v", 4.0 + PATHS.index(path.rpartition("/")[0]) / 100))
    times, units, names, values = zip(*rows, strict=True)
    readings = Readings.of([NOW_NS + t * NS for t in times], units, [by_name(n) for n in names], values)
    return engine.step(engine.start(), readings)[1]


def told(engine: Engine) -> tuple[dict[tuple[str, str], float], set[str]]:
    """Figures of the open day of every line and site, and the scopes of what is graded."""
    report = report_of(engine)
    today = {engine.roster.paths[int(f.units[0])]: f for f in report.figures if f.open and f.window == "day"}
    figures = {(path, kpi): float(f.kpis[kpi][0]) for path, f in today.items() for kpi in ("metal_t", "ac_energy_kwh")}
    return figures, {grade.rule.scope for grade in report.grades if isinstance(grade, Grade)}


def test_engines_split_by_line_tell_what_one_engine_tells_and_no_total_of_a_part() -> None:
    one, one_scopes = told(engine_of(()))
    assert "portfolio" in one_scopes
    assert {path for path, _ in one} == {*PATHS, "s", "t", "u"}
    split: dict[tuple[str, str], float] = {}
    for lines in (("s/A",), ("s/B", "t/A"), ("u/A", "u/B")):
        mine, scopes = told(engine_of(lines))
        assert not set(mine) & set(split)
        assert "portfolio" not in scopes
        split |= mine
    assert {key for key in one if key not in split} == {("s", "metal_t"), ("s", "ac_energy_kwh")}, (
        "the site that is cut"
    )
    assert split == pytest.approx({key: value for key, value in one.items() if key in split})


def test_what_an_engine_of_a_part_leaves_out_is_told() -> None:
    (text,) = shares.left_out(whole(), shares.part_of(whole(), ("s/B", "t/A")))
    assert text.startswith("computing s/B, t/A only: not told are the figures of s, of which other lines are computed")
    (text,) = shares.left_out(whole(), shares.part_of(whole(), ("t/A",)))
    assert text.startswith("computing t/A only: not told are the grades of the portfolio")
    assert list(shares.left_out(whole(), whole())) == []
