"""Plots of docs/simulator.md: light SVG files that look the same wherever they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulators.figures import Survey
from twin.frames import Floats
from twin.physics.faraday import alumina_rate
from twin.physics.voltage import pot_voltage
from twin.units import KELVIN_AT_0_C

if TYPE_CHECKING:
    from simulator_report import Recorder

__all__ = ["draw"]

WIDTH = 8.6  # inches: the width of a page
INK, ALARM, QUIET, BAND = "#1f4e79", "#b5442e", "#7a7a7a", "#dfe9d8"
MODES = {0: "nominal", 1: "underfeed", 2: "overfeed", 3: "stopped", 4: "quench"}
MODE_COLOURS = {0: "#bdbdbd", 1: "#9ecae1", 2: "#f2a65a", 3: "#ffffff", 4: "#b5442e"}
LOOK: Any = {  # matplotlib knows its keys as literals
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "lines.linewidth": 1.1,
    "svg.hashsalt": "smelter-twin",  # the same file from the same numbers
    "path.simplify_threshold": 0.3,
}


def draw(folder: Path, survey: Survey, recorder: Recorder) -> None:
    """Write every plot."""
    plots: dict[str, Callable[[], Figure]] = {
        "distributions": lambda: _distributions(survey),
        "day": lambda: _day(survey, recorder),
        "anode-effect": lambda: _anode_effect(recorder),
        "anode-change": lambda: _anode_change(recorder),
        "voltage-curve": lambda: _voltage_curve(survey),
    }
    with mpl.rc_context(LOOK):
        for name, make in plots.items():
            make().savefig(folder / f"simulator-{name}.svg", metadata={"Date": None}, bbox_inches="tight")


def _panels(
    rows: int, columns: int, height: float, *, share: bool = False, ratios: list[float] | None = None
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=share, gridspec_kw={"height_ratios": ratios} if ratios else None)
    return figure, list(np.ravel(np.array(axes)))


def _distributions(survey: Survey) -> Figure:
    """Means of a week, pot by pot, over the published range."""
    mean = {key: np.array(rows).mean(axis=0) for key, rows in survey.rows.items()}
    dc = survey.energy / 3.6e3 / survey.metal
    panels: tuple[tuple[str, Floats, float, float], ...] = (
        ("Pot voltage [V]", mean["pot_voltage_v"], 3.92, 4.00),
        ("Current efficiency [%]", mean["efficiency"] * 100.0, 92.5, 94.5),
        ("DC energy [kWh/t]", dc, 12430.0, 12840.0),
        ("Bath temperature [C]", mean["temperature_k"] - KELVIN_AT_0_C, 945.0, 960.0),
        ("Superheat [C]", mean["superheat_k"], 8.0, 12.0),
        ("Excess AlF3 [wt%]", mean["excess_alf3_wt_pct"], 9.0, 12.0),
        ("Alumina [wt%]", mean["alumina_wt_pct"], 2.0, 4.0),
        ("Ledge [cm]", mean["ledge_m"] * 100.0, 5.0, 10.0),
        ("Cathode drop [mV]", mean["cathode_drop_v"] * 1e3, 250.0, 320.0),
    )
    figure, axes = _panels(3, 3, 6.2)
    for ax, (title, values, low, high) in zip(axes, panels, strict=True):
        reach = max(np.ptp(values) * 0.6, 0.25 * (high - low))
        ax.set_xlim(values.mean() - reach, values.mean() + reach)
        ax.axvspan(low, high, color=BAND, zorder=0)
        ax.hist(values, bins=24, color=INK)
        ax.set_xlabel(title)
        ax.locator_params(axis="x", nbins=5)
    for ax in axes[::3]:
        ax.set_ylabel("Pots")
    return figure


def _pot_of_the_day(survey: Survey, begin_ns: int) -> int:
    """The first pot that is tapped, gets a new anode and has no anode effect on that day."""
    seen: dict[int, set[str]] = {}
    for time_ns, pot, name, _ in survey.events:
        if begin_ns + 3 * 3600 * 10**9 <= time_ns < begin_ns + 21 * 3600 * 10**9:
            seen.setdefault(pot, set()).add(name)
    wanted = (p for p, names in sorted(seen.items()) if {"tapped_metal_kg", "anode_changed"} <= names)
    return next(pot for pot in wanted if "anode_effect_kill" not in seen[pot])


def _day(survey: Survey, recorder: Recorder) -> Figure:
    """Voltage, alumina, temperature and feed mode of one pot through a day, with what was done to it."""
    minutes, line = recorder.minutes, survey.line
    begin = minutes["time_s"][0].item()
    pot = _pot_of_the_day(survey, line.start_ns + round(begin * 1e9))
    hours = (np.array(minutes["time_s"]) - begin) / 3600.0
    of = {name: np.array(minutes[name])[:, pot] for name in ("volts", "alumina", "kelvin", "mode")}
    figure, axes = _panels(4, 1, 6.4, share=True, ratios=[3, 2, 2, 0.45])
    axes[0].plot(hours, of["volts"], color=INK)
    axes[0].set_ylabel("Pot voltage [V]")
    axes[1].plot(hours, of["alumina"], color=INK)
    axes[1].axhline(line.p.alumina_ae[pot], color=ALARM, linestyle="--")
    axes[1].annotate("anode-effect limit", (0.2, line.p.alumina_ae[pot] + 0.03), color=ALARM)
    axes[1].set_ylabel("Alumina [wt%]")
    axes[2].plot(hours, of["kelvin"] - KELVIN_AT_0_C, color=INK)
    axes[2].set_ylabel("Bath [C]")
    _strip(axes[3], hours, of["mode"])
    axes[3].set_xlabel(f"Hours of the second day, pot {line.line.pot_ids()[pot]}")
    words = {"tapped_metal_kg": "tap", "anode_changed": "new anode", "beam_raised": "beam raised"}
    for time_ns, who, name, _ in survey.events:
        hour = ((time_ns - line.start_ns) / 1e9 - begin) / 3600.0
        if who == pot and name in words and 0.0 <= hour < 24.0:
            for ax in axes[:3]:
                ax.axvline(hour, color=QUIET, linestyle=":")
            axes[0].annotate(words[name], (hour, 1.02), xycoords=("data", "axes fraction"), color=QUIET, ha="center")
    axes[0].set_xlim(0.0, 24.0)
    axes[0].set_xticks(range(0, 25, 3))
    return figure


def _strip(ax: Axes, at: Floats, mode: Floats) -> None:
    """Feed modes as a coloured strip with its own legend."""
    edges = [0, *(np.flatnonzero(np.diff(mode)) + 1).tolist(), len(mode) - 1]
    for first, last in pairwise(edges):
        ax.axvspan(at[first], at[last], color=MODE_COLOURS[int(mode[first])])
    ax.set_yticks([])
    ax.set_ylabel("Feed", rotation=0, ha="right", va="center")
    ax.grid(visible=False)
    for n in sorted({int(value) for value in mode}):
        ax.plot([], [], color=MODE_COLOURS[n], linewidth=6, label=MODES[n])
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -1.1), ncols=5, frameon=False)


def _anode_effect(recorder: Recorder) -> Figure:
    """Seconds around the begin of an anode effect."""
    seen = recorder.effect
    minutes = seen["seconds"] / 60.0
    figure, axes = _panels(4, 1, 6.0, share=True, ratios=[3, 2, 2, 0.45])
    axes[0].plot(minutes, seen["volts"], color=ALARM)
    axes[0].axhline(8.0, color=QUIET, linestyle="--")
    axes[0].annotate("8 V: an anode effect once held for 3 s", (minutes[0] + 0.2, 8.6), color=QUIET)
    axes[0].set_ylabel("Pot voltage [V]")
    axes[1].plot(minutes[::5], seen["alumina"][::5], color=INK)
    axes[1].set_ylabel("Alumina [wt%]")
    axes[2].plot(minutes[::5], seen["kelvin"][::5] - KELVIN_AT_0_C, color=INK)
    axes[2].set_ylabel("Bath [C]")
    _strip(axes[3], minutes, seen["mode"])
    axes[3].set_xlabel("Minutes from the begin of the anode effect")
    axes[0].set_xlim(minutes[0], minutes[-1])
    return figure


def _anode_change(recorder: Recorder) -> Figure:
    """Two days of a new anode: its share of the current, the bath, the metal wave."""
    seen = {name: np.array(values)[::4] for name, values in recorder.anode.items()}
    figure, axes = _panels(3, 1, 5.2, share=True)
    axes[0].plot(seen["hours"], seen["share"] * 100.0, color=INK)
    axes[0].axhline(100.0, color=QUIET, linestyle="--")
    axes[0].axvspan(24.0, 36.0, color=BAND, zorder=0)
    axes[0].annotate("published: full current\nafter 24-36 h", (36.5, 15.0), color=QUIET)
    axes[0].set_ylabel("Current of the\nnew anode [% of mean]")
    axes[1].plot(seen["hours"], seen["kelvin"] - KELVIN_AT_0_C, color=INK)
    axes[1].set_ylabel("Bath [C]")
    axes[2].plot(seen["hours"], seen["wave_mv"], color=INK)
    axes[2].set_ylabel("Metal wave,\nsigma [mV]")
    axes[2].set_xlabel("Hours since the anode was set (later steps: further anodes of the same pot)")
    axes[0].set_xlim(0.0, 48.0)
    axes[0].set_xticks(range(0, 49, 6))
    return figure


def _voltage_curve(survey: Survey) -> Figure:
    """Voltage of the mean pot over alumina, and how fast it would rise without feed."""
    line = survey.line
    p = {name: float(np.mean(getattr(line.p, name))) for name in line.p.__dataclass_fields__}
    content = np.arange(p["alumina_ae"] + 0.05, 6.0, 0.02)
    kelvin, distance = float(np.mean(survey.rows["temperature_k"])), float(np.mean(survey.rows["distance_m"]))
    volts = pot_voltage(
        line.current_rated, kelvin, content, p["alf3"], p["caf2"], p["mgf2"], p["lif"], distance,
        anode_area=p["anode_area"], anodes=line.anode_count, cathode_area=p["cathode_area"], r_anode=p["r_anode"],
        r_cathode=p["r_cathode"], r_external=p["r_external"], alumina_ae=p["alumina_ae"], fanning=p["fanning"],
    ).total  # fmt: skip
    fall = float(alumina_rate(line.current_rated, 0.936)) / p["bath_mass"] * 6000.0  # wt% per minute
    figure, axes = _panels(2, 1, 4.8, share=True)
    usual = np.percentile(np.array(survey.rows["alumina_wt_pct"]), (5, 95))
    for ax in axes:
        ax.axvspan(*usual, color=BAND, zorder=0)
        ax.axvline(p["alumina_ae"], color=ALARM, linestyle="--")
    axes[0].plot(content, volts, color=INK)
    least = int(volts.argmin())
    axes[0].plot(content[least], volts[least], "o", color=INK)
    axes[0].annotate(f"minimum at {content[least]:.2f} wt%", (content[least], volts[least] + 0.02), ha="center")
    axes[0].annotate(
        "anode-effect limit", (p["alumina_ae"] - 0.02, volts[least] + 0.16), color=ALARM, rotation=90, ha="right"
    )
    axes[0].annotate("where the pots run (5-95 %)", (usual[1] + 0.05, volts[least] + 0.24), color=QUIET)
    axes[0].set_ylim(volts[least] - 0.02, volts[least] + 0.35)
    axes[0].set_xlim(1.4, 6.0)
    axes[0].set_ylabel("Pot voltage [V]")
    axes[1].plot(content, -np.gradient(volts, content) * fall * 1e3, color=INK)
    axes[1].set_ylim(-2.0, 20.0)
    axes[1].set_ylabel("Rise without feed\n[mV/min]")
    axes[1].set_xlabel("Dissolved alumina [wt%]")
    return figure
