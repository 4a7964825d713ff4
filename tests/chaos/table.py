"""The outcome of a chaos run for people and as JSON."""

from __future__ import annotations

import datetime
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table

from tests.chaos.run import Outcome

__all__ = ["as_json", "machine", "table"]

WORST_SHOWN = 4


def machine() -> dict[str, Any]:
    """Where it ran."""
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cpu": cpus[0].partition(":")[2].strip() if cpus else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }


def table(outcome: Outcome, where: dict[str, Any]) -> Table:
    """One row a question."""
    options, verdict, compared, said = outcome.options, outcome.verdict, outcome.figures, outcome.publisher
    how = "one message a section and second" if options.batched else "one message a pot and second"
    shown = Table(
        title=f"{options.pots} pots x 1 Hz for {options.seconds} s, {how}, store {options.store}, seed {options.seed}",
        caption=f"{where['date']}, {where['cores']} cores of {where['cpu']}, {where['memory_gb']} GB, "
        f"Python {where['python']}, load {where['load'][0]:.1f}",
        show_header=False,
    )
    growth = "no life long enough to tell" if verdict.growth is None else f"{verdict.growth:+.1%}"
    worst = ", ".join(f"{name} {off:.1e}" for name, off in list((compared.worst or {}).items())[:WORST_SHOWN])
    rows = (
        ("readings sent, stored", f"{verdict.sent_points:,}, {verdict.stored_points:,}"),
        ("lost", f"{verdict.lost}"),
        ("duplicated", f"{verdict.doubled}"),
        ("changed", f"{verdict.changed}"),
        ("poison sent, parked", f"{verdict.sent_poison}, {verdict.parked} ({verdict.parked_again} of them again)"),
        ("messages made, sent, sent again", f"{said['made']:,}, {said['sent']:,}, {said['resent']:,}"),
        ("outbox at its deepest", f"{said['deepest']:,} messages, {said['connections']} connections"),
        ("lives of the ingestor", f"{outcome.lives}"),
        ("longest gap of live data", f"{outcome.gap_s:.1f} s, at {outcome.gap_at_s:.0f} s"),
        ("settled after the last message", f"{outcome.settled_s:.1f} s"),
        ("memory after warm-up", f"{growth}, peak {verdict.peak_mb:.0f} MB"),
        ("looks at books that do not balance", f"{verdict.uneven}"),
        ("figures of the twin", f"{compared.figures:,}: {compared.equal:,} equal, {compared.missing} missing"),
        ("figures of books alone that differ", f"{compared.booked_off} of {compared.booked:,}"),
        ("largest relative differences", worst or "none"),
        ("verdict", "passed" if outcome.ok else "FAILED"),
    )
    for name, text in rows:
        shown.add_row(name, text)
    return shown


def as_json(outcome: Outcome, where: dict[str, Any]) -> str:
    """Everything, for a file."""
    return json.dumps({"machine": where, "ok": outcome.ok, **asdict(outcome)}, indent=1) + "\n"
