"""The loss tree of the report: bars from the theoretical minimum to the metered figure, and what changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from twin.frames import Floats
from twin.losses import TERMS, LossTree, change
from twin.report.data import LossTerm, LossView
from twin.units import to_si

__all__ = ["figure_of", "loss_view", "pot_excess"]

METRIC = "ac_liquid_kwh_t"
AUXILIARY = "auxiliary"  # stands beside the tree, which ends at metric a
_IN_TREE = tuple(term for term in TERMS if term.name != AUXILIARY)


def figure_of(term: str) -> str:
    """Name of the figure that holds a term."""
    return f"loss_{term}_kwh_t"


def _tree(figures: Mapping[str, float]) -> LossTree[float] | None:
    """The tree that the store holds [J/kg]; None where a term is missing. Its total is the sum of its terms."""
    values = {term.name: figures.get(figure_of(term.name), math.nan) for term in _IN_TREE}
    if not all(map(math.isfinite, values.values())):
        return None
    terms = {name: to_si(value, "kWh/t") for name, value in values.items()}
    return LossTree("ac_liquid", math.fsum(terms.values()), MappingProxyType(terms))


def loss_view(now: Mapping[str, float], before: Mapping[str, float], baseline: str) -> LossView:
    """The tree of a line's figures, and its change against those of the baseline period."""
    mine, then = _tree(now), _tree(before)
    metered, auxiliary = now.get(METRIC), now.get(figure_of(AUXILIARY))
    if mine is None:
        missing = [term.title for term in _IN_TREE if figure_of(term.name) not in now]
        why = "the store has no loss terms of this period" if len(missing) == len(_IN_TREE) else (
            f"the store lacks {', '.join(missing).lower()}"
        )  # fmt: skip
        return LossView(METRIC, [], None, auxiliary, None, None, None, why, "")
    moved = None if then is None else change(mine, then).in_kwh_t
    terms, level = [], 0.0
    kwh_t, old = mine.in_kwh_t, {} if then is None else then.in_kwh_t
    for term in _IN_TREE:
        after = level + kwh_t[term.name]
        terms.append(
            LossTerm(
                term.name,
                term.title,
                term.group,
                term.help,
                kwh_t[term.name],
                level,
                after,
                old.get(term.name),
                None if moved is None else moved[term.name],
            )
        )
        level = after
    return LossView(
        METRIC,
        terms,
        level,
        auxiliary,
        None if auxiliary is None else level + auxiliary,
        None if moved is None else math.fsum(moved.values()),
        None if metered is None else level - metered,
        "",
        "" if then is not None else f"the store has no complete loss tree of {baseline}",
    )


def pot_excess(of_pots: Mapping[str, Floats], weight: Floats) -> dict[str, Floats]:
    """By title of a term, how far each pot lies above the mean of the pots, weighted by metal [kWh/t] (pots,)."""
    out = {}
    for term in _IN_TREE:
        values = of_pots.get(figure_of(term.name))
        if values is None:
            continue
        known = np.isfinite(values) & (np.nan_to_num(weight) > 0.0)
        if known.any():
            out[term.title] = values - float(values[known] @ weight[known] / weight[known].sum())
    return out
