"""The model card: what a model is, what it was made from and how far to trust it, as Markdown, from its own file.

After Mitchell et al., Model Cards for Model Reporting, 2019.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from models.saving import Metadata

__all__ = ["card"]


def card(metadata: Metadata) -> str:
    """Markdown, the same text for the same metadata. What is not known is said to be so, not left out."""
    title = metadata.title or metadata.kind
    made = f" Made {metadata.made}." if metadata.made else ""
    parts = [
        f"# {title}\n\nKind `{metadata.kind}`, format {metadata.format}.{made}\n",
        f"## Data\n\n{metadata.data or 'Not described.'}\n\n"
        f"Signal set: {_code(metadata.signal_set) if metadata.signal_set else 'bound to column names only'}. "
        f"Seeds: {', '.join(map(str, metadata.seeds)) or 'none given'}.\n",
        f"## Scores\n\n{_table(('score', 'value'), _numbers(metadata.scores)) or 'Not scored.'}\n",
        f"## Limits\n\n{_list(metadata.limits) or 'None stated: that does not mean that there are none.'}\n",
        f"## Parameters\n\n{_table(('parameter', 'value'), _numbers(metadata.parameters)) or 'None.'}\n",
        f"## Features ({len(metadata.columns)})\n\n{', '.join(map(_code, metadata.columns)) or 'None.'}\n",
        f"## Versions\n\n{_table(('package', 'version'), sorted(metadata.versions.items())) or 'Not known.'}\n",
    ]
    return "\n".join(parts)


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {_cell(left)} | {_cell(right)} |" for left, right in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|---|---|", *lines]) if lines else ""


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {' '.join(sentence.split())}" for sentence in sentences)


def _numbers(values: dict[str, float] | dict[str, float | str]) -> list[tuple[str, str]]:
    return [(name, _number(value)) for name, value in values.items()]


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return "not known" if math.isnan(value) else f"{value:.4g}"
