"""The scoreboard of the models as Markdown and plots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.events import EventScore
from twin.curriculum import EXPLAINED, SENSORS
from twin.evaluate_models import Findings, moderate, process_recall, right_first
from twin.frames import Floats
from twin.model_scores import MISSED, Judged

__all__ = ["draw", "markdown", "page", "wanted"]

LEAD_S = 900.0
INK, ALARM, QUIET = "#1f4e79", "#b5442e", "#9a9a9a"


def _number(value: float, digits: int = 2) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def wanted(found: Findings) -> list[tuple[str, float, str, bool, str]]:
    """The figures that are wanted: name, value, what is wanted, whether it is met, how many it rests on."""
    recall, events = process_recall(found.pots)
    line_recall, line_events = process_recall(found.lines)
    false = found.pots.score.false_per_group_day
    right = right_first(found.pots)
    named = sum(said != MISSED for _, said, _ in found.pots.named)
    slow, effects = found.effects.slow, found.effects.all
    ahead = slow.ahead(LEAD_S)
    return [
        ("recall, process faults of pots, moderate severity", recall, ">= 0.9", recall >= 0.9, f"{events} events"),
        ("recall, process faults of the line, moderate severity", line_recall, ">= 0.9", line_recall >= 0.9,
         f"{line_events} events"),
        ("false alarms per pot-day", false, "<= 0.05", false <= 0.05, f"{found.pot_days:.0f} pot-days"),
        ("false alarms per pot-day, lines without causes", found.clean_false, "<= 0.05", found.clean_false <= 0.05,
         ""),
        ("diagnosis right first time, pots", right, ">= 0.85", right >= 0.85, f"{named} events found"),
        ("diagnosis right first time, lines", right_first(found.lines), ">= 0.85",
         right_first(found.lines) >= 0.85, ""),
        ("anode effects that build up slowly, warned 15 min ahead", ahead, ">= 0.8", ahead >= 0.8,
         f"{len(slow.found)} effects"),
        ("precision of these warnings", effects.precision, ">= 0.6", effects.precision >= 0.6,
         f"{effects.alarms} warnings"),
        ("10,000 pots scored, s on one core", found.seconds, "< 2", found.seconds < 2.0, ""),
    ]  # fmt: skip


def _delay(score: EventScore) -> str:
    minutes = score.delay_s() / 60.0
    return "" if math.isnan(minutes) else f"{minutes:.0f}"


def _causes(found: Judged, of: str) -> list[list[str]]:
    rows = []
    for kind in sorted(set(found.score.events.kind.tolist())):
        mine = found.score.of_kind(kind)
        recall, count = moderate(found, kind)
        wrong = [said for true, said, _ in found.named if true == kind and said not in (kind, MISSED)]
        often = max(set(wrong), key=wrong.count) if wrong else ""
        rows.append([
            kind, of, "sensor" if kind in SENSORS else "process", str(len(mine.found)), _number(mine.recall),
            f"{_number(recall)} of {count}", _delay(mine), _number(right_first(found, kind)), often,
        ])  # fmt: skip
    return rows


def _detectors(found: Findings) -> list[str]:
    kinds = sorted(set(found.pots.score.events.kind.tolist()))
    scores = {"models of this product": found.pots.score, **found.detectors}
    head = ["", *scores]
    rows = [
        ["**false alarms per pot-day**", *(_number(one.false_per_group_day, 3) for one in scores.values())],
        ["**precision**", *(_number(one.precision) for one in scores.values())],
        ["**recall**", *(_number(one.recall) for one in scores.values())],
        ["**median delay, min**", *(_delay(one) for one in scores.values())],
    ]
    rows += [[kind, *(_number(one.of_kind(kind).recall) for one in scores.values())] for kind in kinds]
    return _table(head, rows)


def confusion(found: Judged) -> tuple[list[str], list[str], Floats]:
    """True causes, named causes, and counts (true, named)."""
    true = sorted({one for one, _, _ in found.named})
    said = [*true, *sorted({two for _, two, _ in found.named} - set(true))]
    table = np.zeros((len(true), len(said)))
    for one, two, _ in found.named:
        table[true.index(one), said.index(two)] += 1
    return true, said, table


def _confused(found: Judged) -> list[str]:
    true, said, table = confusion(found)
    rows = [[name, *("" if not n else f"{n:.0f}" for n in row)] for name, row in zip(true, table.tolist(), strict=True)]
    return _table(["at work / named first", *said], rows)


def markdown(found: Findings, made: str, notes: Sequence[str]) -> str:
    """The page."""
    lines = [made, "", "## What is wanted", ""]
    rows = [
        [name, _number(value, 3), goal, "yes" if met else "**no**", note]
        for name, value, goal, met, note in wanted(found)
    ]
    lines += _table(["figure", "value", "wanted", "met", "rests on"], rows)
    lines += [
        *notes,
        "",
        "## Every cause",
        "",
        f"Explained causes ({', '.join(sorted(EXPLAINED - {'normal'}))}) do not alarm.",
        "",
    ]
    head = [
        "cause",
        "of",
        "kind",
        "events",
        "recall",
        "recall, moderate",
        "median delay, min",
        "right first time",
        "else named",
    ]
    lines += _table(head, [*_causes(found.pots, "pot"), *_causes(found.lines, "line")])
    lines += [
        "## Detectors beside each other",
        "",
        "Recall by cause, on pots. `always`, `never` and the voltage limit are trivial.",
        "",
    ]
    lines += _detectors(found)
    return "\n".join([*lines, *_rest(found)]).rstrip() + "\n"


def _rest(found: Findings) -> list[str]:
    """Diagnosis, anode effects, reliability."""
    lines = [
        "## Diagnosis: what was named first",
        "",
        "![Confusion](images/models-confusion.svg)",
        "",
        *_confused(found.pots),
    ]
    lines += _confused(found.lines)
    lines += ["## Anode effects", "", "![Leads](images/models-leads.svg)", ""]
    lines += _leads(found)
    lines += ["## Are the probabilities true?", "", "![Reliability](images/models-reliability.svg)", ""]
    for name, counts in found.reliability.items():
        head = [name, "said", "came true", "rows"]
        lines += _table(head, [["", _number(s, 3), _number(t, 3), f"{n:,}"] for s, t, n in counts])
    return lines


def _leads(found: Findings) -> list[str]:
    rows = []
    for name, score in (("all", found.effects.all), ("build up slowly", found.effects.slow)):
        ahead = [_number(score.ahead(60.0 * minutes)) for minutes in (5, 10, 15, 20, 30)]
        rows.append([name, str(len(score.found)), _number(score.recall), *ahead])
    return _table(["anode effects", "number", "warned at all", *(f"{m} min ahead" for m in (5, 10, 15, 20, 30))], rows)


def draw(found: Findings, folder: Path) -> None:
    """Confusion, leads and reliability as SVG files into a folder. Raises ImportError without matplotlib."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    look: Any = {"font.size": 8, "svg.hashsalt": "smelter-twin", "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(look):
        for name, paint, size in (
            ("confusion", _paint_confusion, (8.6, 6.5)), ("leads", _paint_leads, (8.6, 2.8)),
            ("reliability", _paint_reliability, (8.6, 3.2)),
        ):  # fmt: skip
            figure = Figure(figsize=size, layout="constrained")
            paint(figure, found)
            figure.savefig(folder / f"models-{name}.svg", metadata={"Date": None})


def _paint_confusion(figure: Any, found: Findings) -> None:
    true, said, table = confusion(found.pots)
    axes = figure.subplots()
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_xticks(range(len(said)), said, rotation=60, ha="right")
    axes.set_yticks(range(len(true)), true)
    axes.set(xlabel="named first", ylabel="at work", title="Share of the events of each cause")
    for row, column in zip(*np.nonzero(share >= 0.05), strict=True):
        dark = share[row, column] > 0.6
        axes.text(
            column, row, f"{share[row, column]:.2f}", ha="center", va="center", color="white" if dark else "black"
        )


def _paint_leads(figure: Any, found: Findings) -> None:
    axes = figure.subplots()
    every, slow = found.effects.all, found.effects.slow
    edges = np.arange(0.0, 91.0, 5.0)
    for score, colour, name in ((every, QUIET, "all"), (slow, INK, "build up slowly")):
        axes.hist(
            -score.delay_ns[score.found] / 60e9, edges, color=colour, label=f"{name}: {len(score.found)}", alpha=0.9
        )
    axes.axvline(LEAD_S / 60.0, color=ALARM)
    axes.set(xlabel="minutes between warning and anode effect", ylabel="anode effects", xlim=(0, 90))
    axes.legend(frameon=False)


def _paint_reliability(figure: Any, found: Findings) -> None:
    for axes, (name, rows) in zip(figure.subplots(1, 2), found.reliability.items(), strict=True):
        axes.plot([0, 1], [0, 1], color=QUIET, lw=0.8)
        axes.plot([s for s, _, _ in rows], [t for _, t, _ in rows], "o-", color=INK, ms=4)
        axes.set(xlabel="probability said", ylabel="came true", title=name, xlim=(0, 1), ylim=(0, 1))


BEGIN, END = "<!-- figures: written by twin evaluate models -->", "<!-- end of figures -->"


def page(old: str, figures: str) -> str:
    """A page with the figures in their place; the text around them stays as people wrote it."""
    if BEGIN in old and END in old:
        before, rest = old.split(BEGIN, 1)
        return f"{before}{BEGIN}\n\n{figures}\n{END}{rest.split(END, 1)[1]}"
    return f"# Scoreboard of the models\n\n{BEGIN}\n\n{figures}\n{END}\n"
