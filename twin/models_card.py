"""The model card: what the files were made of, how they fare on rows that were left out, and what they cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.saving import Metadata
from twin.curriculum import Truth, class_of
from twin.lessons import Lesson
from twin.scoring import FILES, signal_set

__all__ = ["card"]


def card(about: Mapping[str, Metadata], lessons: Sequence[Lesson]) -> str:
    """Markdown."""
    first = next(iter(about.values()))
    lines = [
        "# Models", "", f"Made by `{first.made}`, on {first.data}.", "",
        f"Set of columns: `{signal_set()}`. Versions: {', '.join(f'{n} {v}' for n, v in first.versions.items())}. "
        f"Seeds: {', '.join(map(str, first.seeds))}.", "",
        "How they fare on seeds, pots and severities that were not used here: `docs/models-scoreboard.md`.", "",
    ]  # fmt: skip
    for name, said in about.items():
        lines += [f"## {FILES[name]}: {said.title}", "", f"Kind `{said.kind}`, {len(said.columns)} columns.", ""]
        lines += [f"- {key}: {value:.3f}" for key, value in said.scores.items()]
        table = dict(said.parameters)
        if table:
            lines += ["- rules: " + ", ".join(f"`{key}` {value}" for key, value in table.items())]
        lines += [""]
    lines += ["## Data", "", "| cause | times at work | severity |", "|---|---|---|"]
    truths: list[Truth] = [truth for lesson in lessons for truth in lesson.truths]
    for cause in sorted({class_of(truth.cause) for truth in truths}):
        mine = [truth for truth in truths if class_of(truth.cause) == cause]
        span = np.array([truth.severity for truth in mine])
        lines += [f"| {cause} | {len(mine)} | {span.min():.2f}-{span.max():.2f} |"]
    effects = sum(len(lesson.effects) for lesson in lessons)
    lines += ["", f"Anode effects: {effects}.", "", "## Limits", "", *(f"- {text}" for text in first.limits)]
    return "\n".join(lines) + "\n"
