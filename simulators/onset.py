"""What a cause does to the state of one pot, once, when it begins or ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulators.ledger import stocks

if TYPE_CHECKING:
    from simulators.potline import Potline

__all__ = ["drop_anode", "put_back_anode", "restart", "set_new_anode"]


def drop_anode(line: Potline, pot: int, anode: int, values: Mapping[str, float]) -> None:
    """The anode slips down in its clamp."""
    line.state.gap[anode, pot] -= values["drop"]


def put_back_anode(line: Potline, pot: int, anode: int, values: Mapping[str, float]) -> None:
    """The crew sets it level with its neighbours."""
    line.state.gap[anode, pot] = 0.0


def set_new_anode(line: Potline, pot: int, anode: int, values: Mapping[str, float]) -> None:
    """The crew replaces it."""
    line.rounds.change_anode(line.time_s, pot, anode)


def restart(line: Potline, pot: int, anode: int, values: Mapping[str, float]) -> None:
    """The pot becomes one that was started days ago: hot, little AlF3, thin ledge, high target, new cathode."""
    state, ledger = line.state, line.ledger
    before = stocks(line)
    state.temperature[pot] += values["hotter"]
    kept = state.alf3[pot] * (1.0 - values["alf3_part"])
    state.alf3[pot] -= kept
    state.cryolite[pot] += kept
    state.ledge[pot] *= values["ledge_part"]
    state.cathode_age[pot] = 3.0
    line.bath.refresh(state)
    for kind, stock in stocks(line).items():
        ledger.lump(kind, pot, float(stock[pot] - before[kind][pot]))
    # the crew moves the beam to the new target at once
    up = values["voltage"] / float(line.electric.gradient[pot])
    line.control.move(state, np.array([pot]), np.array([-up]), line.time_s)
