"""The columns: which quantities there are and what is made of each. To add a column, add a letter or a row.

Shapes: `r` the minute itself; `f` the same less 10 min; `n` mean of 10 min; `a` 10 min less 1 h; `b` 1 h less 4 h;
`c` 1 h less 1 d; `d` 4 h less 5 d;
`e` 1 d less 5 d; `l` 1 h less the median of the line; `L` as `d`, less the median of the line; `z` 10 min less 5 d over
what is usual of that.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "FEATURES",
    "LINE_FEATURES",
    "LINE_QUANTITIES",
    "PLAIN",
    "QUANTITIES",
    "SHAPES",
    "VERSION",
    "Feature",
    "Quantity",
]

VERSION = 1  # of the set of columns: a model trained on another is refused

# shape -> (spans of twin.features.memory.SPANS it takes, what it says)
SHAPES: dict[str, str] = {
    "r": "now", "f": "now_10m", "n": "10m", "a": "10m_1h", "b": "1h_4h", "c": "1h_1d", "d": "4h_5d", "e": "1d_5d",
    "l": "line_1h", "L": "line_4h_5d", "z": "sigma",
}  # fmt: skip


class Quantity(NamedTuple):
    """One row: what is followed over time, with the shapes made of it."""

    name: str
    unit: str
    shapes: str
    help: str


class Feature(NamedTuple):
    """One column."""

    name: str
    unit: str
    help: str


QUANTITIES: tuple[Quantity, ...] = (
    Quantity("voltage", "V", "rfnabcdlLz", "Mean voltage of the minute at rated current."),
    Quantity("voltage_gap", "V", "nabcd", "The same over the set point."),
    Quantity("voltage_sd", "V", "fnacL", "Standard deviation of the messages of the minute."),
    Quantity("voltage_range", "V", "rn", "Highest less lowest message of the minute."),
    Quantity("voltage_set", "V", "acdlL", "Set point."),
    Quantity("slope", "ohm/s", "rfnac", "Slope of the pseudo-resistance."),
    Quantity("bubble_noise", "V", "nacLz", "Noise of the bubbles."),
    Quantity("wave_noise", "V", "fnacLz", "Noise of the metal wave."),
    Quantity("thermocouple", "K", "fnabcdlLz", "Bath temperature by the thermocouple."),
    Quantity("wall", "K", "nacdlLz", "Side wall."),
    Quantity("bar", "K", "fnacdelLz", "Collector bar."),
    Quantity("duct", "K", "acdLz", "Off-gas."),
    Quantity("duct_flow", "m3/s", "acL", "Off-gas flow."),
    Quantity("anode_max", "1", "fnacdz", "Largest anode current over the mean one."),
    Quantity("anode_min", "1", "fnacdz", "Smallest anode current over the mean one."),
    Quantity("anode_spread", "1", "fnacdz", "Spread of the anode currents."),
    Quantity("cathode", "ohm", "acdelLz", "Cathode drop over line current."),
    Quantity("fed", "1", "nabcdelL", "Alumina by the counter over what Faraday takes, less 1."),
    Quantity("overfeed", "1", "nabcdL", "Share of time in overfeed."),
    Quantity("underfeed", "1", "nabcdL", "Share of time in underfeed."),
    Quantity("stopped", "1", "ncdL", "Share of time without feed."),
    Quantity("alf3_fed", "1", "cdeL", "AlF3 by the counter over the design's, less 1."),
    Quantity("beam", "m/s", "abcdL", "Net lowering of the beam, work at the pot left out."),
    Quantity("alumina", "wt%", "nac", "Estimate: alumina."),
    Quantity("margin", "wt%", "rfna", "Estimate: alumina above the onset of anode effects."),
    Quantity("alumina_sd", "wt%", "n", "Its uncertainty."),
    Quantity("undissolved", "kg", "nac", "Estimate: alumina that is dissolving."),
    Quantity("distance", "m", "acdlL", "Estimate: anode to metal."),
    Quantity("voltage_offset", "V", "nacdL", "Estimate: voltage beyond the components."),
    Quantity("feed_gain", "1", "nacdL", "Estimate: what a shot brings."),
    Quantity("dissolution", "1", "acdL", "Estimate: how fast alumina dissolves."),
    Quantity("temperature", "K", "nacdL", "Estimate: bath temperature."),
    Quantity("alf3", "wt%", "ncdelL", "Estimate: excess AlF3."),
    Quantity("heat_offset", "W", "cdeL", "Estimate: heat beyond the design's balance."),
    Quantity("liquidus_offset", "K", "cdeL", "Estimate: liquidus beyond Solheim's."),
    Quantity("alf3_loss", "1", "ncdeL", "Estimate: AlF3 lost."),
    Quantity("thermocouple_offset", "K", "nacdL", "Estimate: what the thermocouple shows too much."),
    Quantity("wall_offset", "K", "nacdL", "Estimate: what the side wall shows beyond the model."),
    Quantity("superheat", "K", "ncdL", "Estimate: superheat."),
    Quantity("ledge", "m", "cdL", "Estimate: ledge."),
    Quantity("surprise_voltage", "sigma", "rnac", "Innovation of the voltage."),
    Quantity("surprise_thermocouple", "sigma", "na", "Innovation of the thermocouple."),
    Quantity("surprise_wall", "sigma", "n", "Innovation of the side wall."),
    Quantity("iron", "1e-6", "rdelL", "Iron in the metal, last result."),
    Quantity("hand_gap", "K", "re", "Temperature by hand less the thermocouple of that moment."),
    Quantity("laboratory_alf3", "wt%", "relL", "Excess AlF3, last result of the laboratory."),
)
PLAIN: tuple[Feature, ...] = (
    Feature("surprise_hand", "sigma", "Innovation of the last temperature by hand."),
    Feature("surprise_superheat", "sigma", "Innovation of the last superheat by hand."),
    Feature("surprise_alf3", "sigma", "Innovation of the last excess AlF3."),
    Feature("surprise_alumina", "sigma", "Innovation of the last alumina content."),
    Feature("since_tap", "min", "Minutes since the pot was tapped."),
    Feature("since_anode", "min", "Minutes since an anode was changed."),
    Feature("since_raise", "min", "Minutes since a beam raise was reported."),
    Feature("since_effect", "min", "Minutes since the voltage was that of an anode effect."),
    Feature("since_work", "min", "Minutes since any work at the pot or anode effect."),
    Feature("voltage_high", "V", "Highest message of the minute."),
    Feature("voltage_low", "V", "Lowest message of the minute."),
    Feature("covered", "1", "Share of the expected messages that came."),
    Feature("clock", "s", "Time stamp of the last message less that of the line's."),
    Feature("stuck", "min", "Longest time that a noisy instrument has said the same."),
    Feature("mode", "1", "Feed mode."),
    Feature("mode_for", "min", "Minutes in this feed mode."),
    Feature("line_current", "1", "Line current over rated."),
    Feature("line_current_change", "1", "The same, 10 min less 1 h."),
    Feature("line_voltage_change", "V", "Mean pot voltage of the line, 10 min less 1 h."),
    Feature("line_silent", "1", "Share of the line's pots that are silent."),
    Feature("line_ahead", "1", "Share of the line's pots whose clock is ahead."),
    Feature("line_wave", "V", "Median of the metal wave over the line."),
)
LINE_QUANTITIES: tuple[Quantity, ...] = (
    Quantity("current", "1", "rnabcd", "Line current over rated."),
    Quantity("current_sd", "1", "rn", "Its standard deviation within the minute."),
    Quantity("voltage_mean", "V", "nabcd", "Mean voltage of the pots at rated current."),
    Quantity("voltage_left", "V", "nacd", "Line voltage less the sum of the pots', a pot."),
    Quantity("set_mean", "V", "nabcd", "Mean set point."),
    Quantity("ac_over_dc", "1", "nabcdez", "AC meter over DC meter."),
    Quantity("dc_over_power", "1", "nacdz", "DC meter over voltage times current."),
    Quantity("auxiliary", "1", "cd", "Auxiliaries over DC."),
    Quantity("temperature", "K", "acd", "Median of the thermocouples."),
    Quantity("wave", "V", "nacd", "Median of the metal wave."),
    Quantity("tap_scale", "1", "rncd", "Weighed metal over the beam's fall at taps, against each pot's own."),
    Quantity("silent", "1", "rn", "Share of pots that are silent."),
    Quantity("ahead", "1", "rn", "Share of pots whose clock is ahead."),
)


def columns(quantities: tuple[Quantity, ...]) -> tuple[Feature, ...]:
    """The columns that the shapes of quantities make, in order."""
    return tuple(
        Feature(f"{q.name}_{SHAPES[shape]}", "1" if shape == "z" else q.unit, f"{q.help[:-1]}: {SHAPES[shape]}.")
        for q in quantities
        for shape in q.shapes
    )


FEATURES: tuple[Feature, ...] = (*columns(QUANTITIES), *PLAIN)
LINE_FEATURES: tuple[Feature, ...] = columns(LINE_QUANTITIES)
