"""A believable line of two months, from a seed: figures as the twin writes them, every sum right.

Terms of the loss tree are made for each pot and day; kWh/t, metal and energy follow from them, for pots and line, days,
months and the year. Pot 17 drifts up (distance above target), 43 has many anode effects, 8 an old cathode.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from twin.losses import TERMS
from twin.plant import Line, Site

__all__ = ["Rows", "Story", "into_duckdb", "line_protocol", "tell"]

Rows = dict[tuple[str, str, int, str], float]  # (measurement, path, time, field) -> value
VOLT = 2980.0  # kWh/t per volt
LEVEL = {
    "theoretical": 6347.0, "reaction_heat": -2771.0, "anode_overvoltage": 0.465 * VOLT,
    "cathode_overvoltage": 0.08 * VOLT, "bath": 1.357 * VOLT,
    "bubbles": 0.15 * VOLT, "above_target": 0.004 * VOLT, "anode_drop": 0.305 * VOLT,
    "cathode_drop": 0.285 * VOLT, "external": 0.17 * VOLT, "effects": 0.006 * VOLT, "instability": 0.005 * VOLT,
    "busbar": 62.0, "rectifier": 196.0, "unexplained": 14.0,
}  # fmt: skip
SPREAD = {"bath": 40.0, "anode_drop": 18.0, "cathode_drop": 30.0, "above_target": 14.0, "instability": 5.0}
U_COMMON, U_POT = 24.0, 52.0


@dataclass(frozen=True)
class Story:
    """From `first` day to before `end`; `gone` days on which nothing came, `half` days of which half was seen.

    `hours`: days that have figures of hours too; `more_kwh_t` in the bath of every pot.
    """

    first: date = date(2026, 9, 1)
    end: date = date(2026, 11, 1)
    seed: int = 7
    gone: tuple[date, ...] = (date(2026, 10, 12),)
    half: tuple[date, ...] = (date(2026, 10, 11), date(2026, 9, 20))
    losses: bool = True
    hours: tuple[date, ...] = ()
    more_kwh_t: float = 0.0


def tell(site: Site, line: Line, story: Story | None = None) -> Rows:
    """Rows of one line."""
    story = story or Story()
    rng = np.random.default_rng(story.seed)
    days = [story.first + timedelta(days=n) for n in range((story.end - story.first).days)]
    terms, efficiency, seen = _terms(rng, line.pots, days, story)
    metal = 0.0080537 * 500.0 * efficiency * seen[:, None] * (1.0 + 0.004 * rng.standard_normal((len(days), 1)))
    path, rows = f"{site.id}/{line.id}", Rows()
    zone = site.zone()
    auxiliary = 332.0 + 6.0 * rng.standard_normal(len(days))
    groups = [("day", [n]) for n in range(len(days)) if seen[n] > 0]
    for kind in ("month", "year"):
        starts = sorted({_first(day, kind) for day in days})
        groups += [(kind, [n for n, day in enumerate(days) if _first(day, kind) == s and seen[n] > 0]) for s in starts]
    for kind, at in groups:
        time = _ns(_first(days[at[0]], kind), zone)
        weight = metal[at]
        line_terms = {name: float((of[at] * weight).sum() / weight.sum()) for name, of in terms.items()}
        pots_terms = {name: (of[at] * weight).sum(axis=0) / weight.sum(axis=0) for name, of in terms.items()}
        mean = (efficiency[at] * weight).sum(axis=0) / weight.sum(axis=0)
        aux = float((auxiliary[at, None] * weight).sum() / weight.sum())
        covered = float(seen[at].mean())
        _write(rows, "twin_line", path, time, kind, _figures(line_terms, float(weight.sum()), aux, covered,
               float((efficiency[at] * weight).sum() / weight.sum()), U_COMMON, story.losses))  # fmt: skip
        for place, pot in enumerate(line.pot_ids()):
            mine = {name: float(of[place]) for name, of in pots_terms.items()}
            _write(rows, "twin_pot", f"{path}/{pot}", time, kind, _figures(mine, float(weight[:, place].sum()), aux,
                   covered, float(mean[place]), U_POT, story.losses))  # fmt: skip
    for day in story.hours:
        _hours(rng, rows, path, line, _ns(day, zone))
    _faults(rng, rows, path, line, days, zone)
    return rows


def _hours(rng: np.random.Generator, rows: Rows, path: str, line: Line, day_ns: int) -> None:
    """Hours about the figures of their day."""
    units = [("twin_line", path), *(("twin_pot", f"{path}/{pot}") for pot in line.pot_ids())]
    for measurement, unit in units:
        for hour in range(24):
            shift = 30.0 * np.sin(hour / 4.0) + 8.0 * rng.standard_normal()
            for name in ("dc_kwh_t", "ac_liquid_kwh_t", "ac_comprehensive_kwh_t", "metal_t", "coverage_pct"):
                value = rows[measurement, unit, day_ns, f"{name}_day"]
                told = value + shift if name.endswith("kwh_t") else value / 24.0 if name == "metal_t" else value
                rows[measurement, unit, day_ns + hour * 3600 * 10**9, f"{name}_hour"] = float(told)
                if (measurement, unit, day_ns, f"{name}_u_day") in rows:
                    u = rows[measurement, unit, day_ns, f"{name}_u_day"]
                    rows[measurement, unit, day_ns + hour * 3600 * 10**9, f"{name}_u_hour"] = float(u)


def _terms(rng: np.random.Generator, pots: int, days: list[date], story: Story) -> tuple[
    dict[str, np.ndarray], np.ndarray, np.ndarray
]:  # fmt: skip
    shape, n = (len(days), pots), np.arange(len(days))[:, None]
    terms = {
        name: level + SPREAD.get(name, 2.0) * rng.standard_normal((1, pots)) + 6.0 * rng.standard_normal(shape)
        for name, level in LEVEL.items()
    }
    terms["theoretical"] = np.full(shape, LEVEL["theoretical"])
    terms["bath"] += 22.0 * np.sin(n / 6.0) - 0.9 * n
    terms["bath"] += story.more_kwh_t
    terms["effects"] = rng.poisson(0.08, shape) * 110.0 * rng.uniform(0.4, 1.6, shape)
    if pots > 42:
        terms["above_target"][:, 16] += 60.0 + 5.0 * n[:, 0]
        terms["effects"][:, 42] += rng.poisson(1.4, len(days)) * 95.0
        terms["cathode_drop"][:, 7] += 190.0
    efficiency = np.clip(
        0.9405 + 0.003 * rng.standard_normal((1, pots)) + 0.001 * rng.standard_normal(shape), 0.9, 0.96
    )
    voltage = 3.96 + (terms["bath"] - LEVEL["bath"]) / VOLT
    terms["efficiency"] = VOLT * voltage * (1.0 / efficiency - 1.0)
    seen = np.array([0.0 if d in story.gone else 0.48 if d in story.half else 1.0 for d in days])
    return terms, efficiency, seen


def _figures(
    terms: dict[str, float], metal: float, aux: float, covered: float, efficiency: float, u: float, losses: bool
) -> dict[str, float]:
    """Figures of a unit over a window, by name without window."""
    ac = sum(terms.values())
    dc = ac - terms["rectifier"]
    day = terms["effects"] / 110.0
    found = {
        "dc_kwh_t": dc, "dc_kwh_t_u": 0.8 * u, "ac_liquid_kwh_t": ac, "ac_liquid_kwh_t_u": u,
        "ac_comprehensive_kwh_t": ac + aux, "ac_comprehensive_kwh_t_u": 1.02 * u,
        "ac_liquid_tapped_kwh_t": ac * 1.004, "ac_liquid_tapped_kwh_t_u": 1.4 * u,
        "metal_t": metal, "metal_t_u": 0.007 * metal, "tapped_t": 0.996 * metal,
        "production_t": 0.999 * metal, "production_t_u": 0.003 * metal,
        "efficiency_pct": 100.0 * efficiency, "efficiency_pct_u": 0.45,
        "coverage_pct": 100.0 * covered, "dc_difference_pct": 0.21 + 0.0004 * (ac - 12900.0),
        "anode_effects_per_day": day, "anode_effect_s_per_day": 110.0 * day, "anode_effect_kwh_t": terms["effects"],
        "ac_energy_kwh": ac * metal, "clean_share_pct": 30.4,
        "cf4_kg": 0.143 * 110.0 * day / 60.0 * metal, "c2f6_kg": 0.0143 * 110.0 * day / 60.0 * metal,
        "anode_co2_t": 1.471 * metal, "direct_co2e_t_t": 1.471 + 0.143 * 110.0 * day / 60.0 * 6.63 + 0.02,
        "surcharge_yuan_t": max(np.ceil((ac + aux - 13300.0) / 20.0), 0.0) * 0.01 * (ac + aux),
    }  # fmt: skip
    if losses:
        found |= {f"loss_{term.name}_kwh_t": terms.get(term.name, aux) for term in TERMS}
    return found


def _write(rows: Rows, measurement: str, path: str, time: int, kind: str, figures: dict[str, float]) -> None:
    for name, value in figures.items():
        rows[measurement, path, time, f"{name}_{kind}"] = float(value)


def _faults(rng: np.random.Generator, rows: Rows, path: str, line: Line, days: list[date], zone: ZoneInfo) -> None:
    for code, each, minutes in (("anode_effect", 0.08, 3.0), ("noisy", 0.03, 150.0), ("bath_hot", 0.01, 400.0)):
        for day in days:
            for pot in line.pot_ids():
                for _ in range(int(rng.poisson(each))):
                    began = _ns(day, zone) + int(rng.uniform(0, 86000)) * 10**9
                    rows["event", f"{path}/{pot}", began, f"fault_{code}"] = 1.0
                    rows["event", f"{path}/{pot}", began + int(rng.uniform(0.4, 1.6) * minutes * 60) * 10**9,
                         f"fault_{code}"] = 0.0  # fmt: skip


def _first(day: date, kind: str) -> date:
    return day if kind == "day" else day.replace(day=1) if kind == "month" else day.replace(month=1, day=1)


def _ns(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 10**9


def _tags(path: str) -> tuple[str, str, str]:
    site, line, pot = (*path.split("/"), "", "")[:3]
    return site, line, pot


def into_duckdb(rows: Rows, file: Path) -> None:
    """Write rows into a new file as the embedded store keeps them."""
    with duckdb.connect(str(file)) as db:
        for measurement in sorted({key[0] for key in rows}):
            fields = sorted({key[3] for key in rows if key[0] == measurement})
            keys = sorted({(path, time) for of, path, time, _ in rows if of == measurement})
            table = {"time_ns": np.array([time for _, time in keys], np.int64)}
            for name, column in zip(
                ("site", "line", "pot"), zip(*(_tags(p) for p, _ in keys), strict=True), strict=True
            ):
                table[name] = np.array(column, object)
            for field in fields:
                table[field] = np.array([rows.get((measurement, p, t, field), np.nan) for p, t in keys])
            db.register("batch", table)
            named = ", ".join(f"nullif({field}, 'nan'::DOUBLE) AS {field}" for field in fields)
            db.execute(
                f"CREATE TABLE {measurement} AS "
                f"SELECT make_timestamp_ns(time_ns) AS time, site, line, pot, {named} FROM batch"
            )


def line_protocol(rows: Rows) -> bytes:
    """Rows as lines for InfluxDB."""
    lines = []
    for (measurement, path, time, field), value in rows.items():
        tags = "".join(f",{t}={v}" for t, v in zip(("site", "line", "pot"), _tags(path), strict=True) if v)
        lines.append(f"{measurement}{tags} {field}={value!r} {time}")
    return "\n".join(lines).encode()
