"""Quantities of a pot in one minute, from what was gathered, what was said last, and what is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.estimator import OUTPUTS, SAMPLES
from twin.estimator.advance import CHANNELS
from twin.estimator.design import Design
from twin.features.state import RING, RING_MIN, SINCE, TELEMETRY, Remembered
from twin.frames import Estimate, Floats, Ints
from twin.physics.control import BACK_EMF
from twin.physics.faraday import alumina_rate
from twin.signals import SIGNALS, by_name
from twin.units import NS_PER_S
from twin.windows import MINUTE_NS

__all__ = ["Now", "plain", "pot_quantities", "remember"]

SPEAKS_NS = 3 * MINUTE_NS  # so long a reading stands for now
LONGEST = 10_000.0  # min
USUAL_EFFICIENCY = 0.94
FEED_MOST = 10.0  # times the usual feed; more is a broken counter
LEAST_CURRENT = 0.2  # of rated
EFFECT_VOLTS = 8.0
STEP_MOST = 6e-3  # m in a minute: more is no move of the controller
BEAM_AGAIN = 30  # min after work at the pot in which the beam tells nothing
NOISY = tuple(SIGNALS[code].name for code in TELEMETRY.tolist())
# instruments that never say the same for minutes unless they hang
HANGS = np.array([name in {
    "voltage_v", "noise_mv", "metal_wave_mv", "bath_temperature_c", "side_wall_temperature_c",
    "cathode_temperature_c", "duct_temperature_c", "duct_flow_m3_s", "anode_current_max_ka", "anode_current_min_ka",
    "anode_current_spread_pct", "cathode_drop_mv",
} for name in NOISY])  # fmt: skip
ESTIMATED = {
    "alumina": "alumina_wt_pct", "undissolved": "undissolved_kg", "distance": "distance_m",
    "voltage_offset": "voltage_offset_v", "feed_gain": "feed_gain", "dissolution": "dissolution",
    "temperature": "temperature_k", "alf3": "excess_alf3_wt_pct", "heat_offset": "heat_offset_w",
    "liquidus_offset": "liquidus_offset_k", "alf3_loss": "alf3_loss", "thermocouple_offset": "thermocouple_offset_k",
    "wall_offset": "wall_offset_k", "superheat": "superheat_k", "ledge": "ledge_m",
}  # fmt: skip
PLACE = {output.name: n for n, output in enumerate(OUTPUTS)}
CHANNEL = {name: n for n, name in enumerate((*CHANNELS, *(kind.signal for kind in SAMPLES)))}


@dataclass(frozen=True, slots=True)
class Now:
    """One minute of all pots, arrays (pots,) [SI], NaN = not known: voltage mean, sd, low, high and how many messages
    of `expected`; current of the line [A]; `last` of each telemetry signal by name; `held` last samples by name with
    `held_ns`; tapped [kg]; clock [s] ahead of the line; minutes since the last minute."""

    number: int
    minutes: float
    voltage: Floats
    voltage_sd: Floats
    low: Floats
    high: Floats
    covered: Floats
    current: Floats
    last: dict[str, Floats]
    held: dict[str, Floats]
    hand_ns: Ints
    tapped: Floats
    clock: Floats


def _rise(now: Floats, before: Floats) -> Floats:
    rise: Floats = np.where(now - before >= 0.0, now - before, np.nan)
    return rise


def _seen(state: Remembered, now: Now) -> dict[str, Floats]:
    """Counters against what is usual, feed modes, moves of the beam: what needs the minute before."""
    before = dict(zip(NOISY, state.last, strict=True))
    seconds = 60.0 * now.minutes
    usual = np.where(now.current > 0.0, alumina_rate(now.current, USUAL_EFFICIENCY), np.nan)
    fed = _rise(now.last["alumina_feed_kg"], before["alumina_feed_kg"]) / (usual * seconds)
    mode = now.last["feed_mode"]
    known = np.isfinite(mode)
    worked = (state.since >= 0) & (now.number - state.since <= BEAM_AGAIN)
    moved = now.last["beam_position_mm"] - before["beam_position_mm"]
    calm = ~worked.any(axis=0) & (np.abs(moved) < STEP_MOST)
    return {
        "fed": np.where(fed < FEED_MOST, fed - 1.0, np.nan),
        "overfeed": np.where(known, mode == 2.0, np.nan),
        "underfeed": np.where(known, mode == 1.0, np.nan),
        "stopped": np.where(known, mode == 3.0, np.nan),
        "beam": np.where(calm, moved, np.nan) / seconds,
        "alf3_rise": _rise(now.last["alf3_feed_kg"], before["alf3_feed_kg"]) / seconds,
    }


def _believed(estimate: Estimate) -> dict[str, Floats]:
    found = {name: estimate.mean[:, PLACE[output]] for name, output in ESTIMATED.items()}
    onset = PLACE["anode_effect_alumina_wt_pct"]
    alumina = PLACE["alumina_wt_pct"]
    found["margin"] = found["alumina"] - estimate.mean[:, onset]
    found["alumina_sd"] = np.sqrt(np.maximum(estimate.cov[:, alumina, alumina], 0.0))
    for name in ("voltage", "thermocouple", "wall"):
        found[f"surprise_{name}"] = estimate.innovation[:, CHANNEL[name]]
    return found


def _by_hand(state: Remembered, now: Now) -> None:
    """A temperature taken by hand against the thermocouple of that moment; `state.hand_gap` moves on."""
    fresh = np.flatnonzero(now.hand_ns > state.hand_ns)
    if len(fresh):
        number = now.hand_ns[fresh] // MINUTE_NS
        apart = np.abs(number[:, None] - state.ring_at[None, :]) + np.where(state.ring_at < 0, 10**9, 0)
        place = apart.argmin(axis=1)
        near = apart[np.arange(len(fresh)), place] <= 2 * RING_MIN
        gap = now.held["bath_temperature_manual_c"][fresh] - state.ring[place, fresh]
        state.hand_gap[fresh] = np.where(near & np.isfinite(gap), gap, state.hand_gap[fresh])
        state.hand_ns[fresh] = now.hand_ns[fresh]
    place_now = now.number // RING_MIN % RING
    if state.ring_at[place_now] != now.number // RING_MIN * RING_MIN + RING_MIN // 2:
        state.ring_at[place_now] = now.number // RING_MIN * RING_MIN + RING_MIN // 2
        state.ring[place_now] = now.last["bath_temperature_c"]


def pot_quantities(state: Remembered, now: Now, estimate: Estimate, design: Design) -> dict[str, Floats]:
    """Values (pots,) by name: every row of QUANTITIES, and some more that lines are made of."""
    with np.errstate(invalid="ignore", divide="ignore"):
        loaded = np.where(now.current > LEAST_CURRENT * design.rated_current, now.current, np.nan)
        calm = np.where(now.high < EFFECT_VOLTS, 1.0, np.nan)  # an anode effect is no voltage to learn from
        scale = calm * design.rated_current / loaded
        voltage = BACK_EMF + (now.voltage - BACK_EMF) * scale
        each = loaded / design.anodes
        seen = _seen(state, now)
        _by_hand(state, now)
        alf3_usual = design.alf3_rate * loaded / design.rated_current
        return {
            **_believed(estimate),
            **seen,
            "plain_voltage": now.voltage,
            "clock": now.clock,
            "voltage": voltage,
            "voltage_gap": voltage - now.last["voltage_set_v"],
            "voltage_sd": now.voltage_sd * calm,
            "voltage_range": (now.high - now.low) * calm,
            "voltage_set": now.last["voltage_set_v"],
            "slope": now.last["resistance_slope_nohm_min"] * calm,
            "bubble_noise": now.last["noise_mv"] * calm,
            "wave_noise": now.last["metal_wave_mv"] * calm,
            "thermocouple": now.last["bath_temperature_c"],
            "wall": now.last["side_wall_temperature_c"],
            "bar": now.last["cathode_temperature_c"],
            "duct": now.last["duct_temperature_c"],
            "duct_flow": now.last["duct_flow_m3_s"],
            "anode_max": now.last["anode_current_max_ka"] / each,
            "anode_min": now.last["anode_current_min_ka"] / each,
            "anode_spread": now.last["anode_current_spread_pct"],
            "cathode": now.last["cathode_drop_mv"] / loaded,
            "alf3_fed": np.minimum(seen["alf3_rise"] / alf3_usual, FEED_MOST) - 1.0,
            "iron": now.held["iron_ppm"],
            "hand_gap": state.hand_gap,
            "laboratory_alf3": now.held["excess_alf3_pct"],
        }


def remember(state: Remembered, now: Now, done: dict[str, np.ndarray]) -> None:
    """Move on: what instruments said last, when work was done; `done` masks (pots,) by the names of SINCE."""
    for name, row in zip(SINCE, state.since, strict=True):
        seen = done["effect"] if name == "effect" else done[name]
        row[seen] = now.number
    mode = now.last["feed_mode"]
    was = state.last[NOISY.index("feed_mode")]
    state.mode_at = np.where(np.isfinite(mode) & (mode != was), now.number, state.mode_at)
    values = np.array([now.last[name] for name in NOISY])
    state.same = np.where(
        values == state.last, state.same + now.minutes, np.where(np.isfinite(values), 0.0, state.same)
    )
    state.last = np.where(np.isfinite(values), values, state.last)


def _since(state: Remembered, number: int) -> Floats:
    gone = np.minimum((number - state.since).astype(np.float64), LONGEST)
    return np.where(state.since >= 0, gone, np.nan)


def plain(state: Remembered, now: Now, estimate: Estimate) -> dict[str, Floats]:
    """The columns of PLAIN that are the pot's own, by name; after `remember`."""
    since = _since(state, now.number)
    low_known = np.isfinite(since)
    latest = np.where(low_known, since, np.inf).min(axis=0)
    names = ("bath_temperature_manual_c", "superheat_c", "excess_alf3_pct", "alumina_pct")
    short = ("hand", "superheat", "alf3", "alumina")
    found = {f"surprise_{one}": estimate.innovation[:, CHANNEL[name]] for one, name in zip(short, names, strict=True)}
    found |= {f"since_{name}": row for name, row in zip(SINCE, since, strict=True)}
    mode_for = np.where(state.mode_at >= 0, now.number - state.mode_at, np.nan)
    return found | {
        "since_work": np.where(np.isfinite(latest), latest, np.nan),
        "voltage_high": now.high,
        "voltage_low": now.low,
        "covered": now.covered,
        "clock": now.clock,
        "stuck": np.minimum(state.same[HANGS].max(axis=0), LONGEST),
        "mode": now.last["feed_mode"],
        "mode_for": np.minimum(mode_for, LONGEST),
    }


def signal_names() -> tuple[str, ...]:
    """Telemetry in the order of `Remembered.last`."""
    return NOISY


def held_names() -> tuple[str, ...]:
    """Samples of which the last result is held."""
    return ("bath_temperature_manual_c", "excess_alf3_pct", "iron_ppm")


def speaks(value: Floats, said_ns: Ints, end_ns: int) -> Floats:
    """Telemetry (pots, signals) that is recent enough to stand for now, else NaN."""
    return np.where(said_ns >= end_ns - SPEAKS_NS, value, np.nan)


def clock_ahead(said_ns: Ints, line_ns: Ints, line_of: Ints) -> Floats:
    """How far the last message of a pot (pots,) is stamped ahead of its line's [s], NaN before both spoke."""
    line = line_ns[line_of]
    known = (said_ns[:, by_name("voltage_v")] > 0) & (line > 0)
    apart = (said_ns[:, by_name("voltage_v")] - line) / NS_PER_S
    return np.where(known, np.clip(apart, -3600.0, 3600.0), np.nan)
