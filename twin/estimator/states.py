"""The states of a pot that the twin estimates: one row each, with how fast it may move by itself.

A row's place in `STATES` is its place in every array. What has a `walk` is moved by the model and pushed about by noise
that grows with time. What has a `memory` forgets towards its prior within that time, so that its variance does not
stay above the prior's: offsets, which are what the model cannot know of this pot, and what control keeps near a target.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "ALF3",
    "ALF3_LOSS",
    "ALUMINA",
    "BATH",
    "BATH_AREA",
    "CAVITY",
    "DISSOLUTION",
    "DISTANCE",
    "EFFICIENCY",
    "ELECTRIC",
    "FEED_GAIN",
    "FRESH",
    "HEAT",
    "LEDGE",
    "LIQUIDUS",
    "METAL",
    "METALLIC",
    "ONSET",
    "POOLED",
    "STATES",
    "TEMPERATURE",
    "THERMAL",
    "THERMOCOUPLE",
    "UNDISSOLVED",
    "VOLTAGE",
    "WALL",
    "State",
]

DAY = 86400.0


class State(NamedTuple):
    """One row. `walk` [unit per square root of an hour]; `memory` [s], 0 for what does not fade."""

    name: str
    unit: str
    walk: float
    memory: float
    help: str


STATES: tuple[State, ...] = (
    # electric: what the voltage speaks of
    State("alumina_wt_pct", "wt%", 0.02, 0.0, "Alumina dissolved in the bath."),
    State("undissolved_kg", "kg", 1.0, 0.0, "Alumina on its way into solution; sludge below the metal is not counted."),
    State("distance_m", "m", 0.0, 6 * DAY, "Anode to metal."),
    State("voltage_offset_v", "V", 0.0, 365 * DAY, "Voltage beyond the components, at rated current."),
    State("fresh_anodes_v", "V", 0.0, 0.5 * DAY, "Voltage for new anodes without current, beyond the usual."),
    State("feed_gain", "1", 0.0, 1 * DAY, "Alumina that a shot brings over what the counter says, less 1."),
    State(
        "dissolution", "1", 0.0, 10 * DAY, "How fast slow alumina dissolves: logarithm of the rate over the design's."
    ),
    State("anode_effect_alumina_wt_pct", "wt%", 0.0, 100 * DAY, "Alumina at which this pot goes into an anode effect."),
    # thermal
    State("temperature_k", "K", 0.4, 0.0, "Bath temperature."),
    State("excess_alf3_wt_pct", "wt%", 0.0, 80 * DAY, "Excess AlF3 in the bath."),
    State("ledge_m", "m", 2e-4, 0.0, "Thickness of the frozen ledge."),
    State("bath_kg", "kg", 0.0, 8 * DAY, "Bath in the pot, ledge not counted."),
    State("heat_offset_w", "W", 0.0, 30 * DAY, "Heat that stays in the pot beyond the design's balance."),
    State("liquidus_offset_k", "K", 0.0, 60 * DAY, "Liquidus beyond Solheim's at the design's additives."),
    State("alf3_loss", "1", 0.0, 5 * DAY, "AlF3 lost to soda and vapour over the design's, less 1."),
    State("thermocouple_offset_k", "K", 0.0, 10 * DAY, "What the continuous thermocouple shows too much."),
    State("wall_offset_k", "K", 0.0, 60 * DAY, "What the side-wall thermometer shows beyond the model."),
    State("bath_area", "1", 0.0, 1000 * DAY, "Area of the bath over the design's, less 1."),
    # metal
    State("metal_shown_kg", "kg", 5.0, 0.0, "Metal that the level shows in the design's pad: metal over 1 + cavity."),
    State("efficiency_offset", "1", 0.0, 60 * DAY, "Current efficiency beyond Dewing's."),
    State("cavity", "1", 0.0, 3000 * DAY, "Area of the metal pad over the design's, less 1."),
)

(
    ALUMINA,
    UNDISSOLVED,
    DISTANCE,
    VOLTAGE,
    FRESH,
    FEED_GAIN,
    DISSOLUTION,
    ONSET,
    TEMPERATURE,
    ALF3,
    LEDGE,
    BATH,
    HEAT,
    LIQUIDUS,
    ALF3_LOSS,
    THERMOCOUPLE,
    WALL,
    BATH_AREA,
    METAL,
    EFFICIENCY,
    CAVITY,
) = range(len(STATES))

# A measurement moves only the states of its own group (`gaussian.update`).
ELECTRIC, THERMAL, METALLIC = slice(ALUMINA, TEMPERATURE), slice(TEMPERATURE, METAL), slice(METAL, len(STATES))

POOLED = (EFFICIENCY, CAVITY)  # what the pots of a line have partly in common (`pooling`)
