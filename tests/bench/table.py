"""The results as one table: medians, ratios within the run, and what issue 2 wants, reached or not."""

import statistics
from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

from tests.bench.flow import FLOWS, Flow, Measured
from tests.bench.micro import Timing
from tests.bench.whole import Footprint

__all__ = ["UP_CORES", "UP_MB", "build"]

UP_MB, UP_CORES = 300.0, 0.5
COLUMNS = ("measured", "result", "its CPU (of all processes')", "peak MB", "ratio (lowest-highest)", "wanted")


def build(micros: Sequence[Timing], flows: Mapping[str, Sequence[Measured]], up: Footprint | None) -> Table:
    """Lay out what was measured; `flows` holds the runs of each flow, one a round."""
    table = Table(*COLUMNS, box=box.MARKDOWN)
    for timing in micros:
        table.add_row(*_micro(timing))
    for flow in FLOWS:
        if flow.name in flows:
            table.add_row(*_flow(flow, flows))
    if up is not None:
        table.add_row(*_up(up))
    return table


def _verdict(wanted: str, reached: bool) -> str:
    return f"{wanted}: {'reached' if reached else '[bold]not reached[/bold]'}"


def _micro(timing: Timing) -> tuple[str, ...]:
    ratio = f"{timing.naive / timing.cpu:.1f}x {timing.naive_title} ({timing.naive:.2f})" if timing.naive else ""
    wanted = (
        _verdict(f"< {timing.wanted_below:.0f} ms of a core", timing.cpu < timing.wanted_below)
        if timing.wanted_below
        else ""
    )
    return (
        timing.title,
        f"{timing.wall:.2f} {timing.unit}",
        f"{timing.cpu:.2f} {timing.unit.split('/')[0]}",
        "",
        ratio,
        wanted,
    )


def _flow(flow: Flow, flows: Mapping[str, Sequence[Measured]]) -> tuple[str, ...]:
    runs = flows[flow.name]
    rate = statistics.median(run.samples_per_s for run in runs)
    result = f"{rate / 1e3:.1f}k {'pot-samples' if flow.batched else 'messages'}/s"
    if lost := sum(run.samples - run.samples_stored for run in runs):
        result += f", [bold]{lost} lost[/bold]"
    cpu = statistics.median(run.cpu_s / run.samples for run in runs) * 1e6
    every = statistics.median((run.cpu_s + sum(run.other_cpu_s.values())) / run.samples for run in runs) * 1e6
    ratio = wanted = ""
    if others := flows.get(flow.naive):
        ratios = [mine.samples_per_s / other.samples_per_s for mine, other in zip(runs, others, strict=False)]
        middle = statistics.median(ratios)
        spread = f" ({min(ratios):.1f}-{max(ratios):.1f})" if len(ratios) > 1 else ""
        ratio = f"{middle:.2f}x {flow.naive}{spread}"
        if flow.wanted:
            wanted = _verdict(f">= {flow.wanted:g}x", middle >= flow.wanted)
    peak = max(run.peak_mb for run in runs)
    title = f"{flow.name}: {flow.title}, to {flow.sink}"
    return title, result, f"{cpu:.1f} of {every:.1f} us/pot-sample", f"{peak:.0f}", ratio, wanted


def _up(up: Footprint) -> tuple[str, ...]:
    good = up.rss_mb < UP_MB and up.cores < UP_CORES
    return (
        f"up: 60 pots, broker included, {up.seconds:.0f} s",
        f"{up.messages_per_s:.0f} messages/s",
        f"{up.cores:.3f} cores",
        f"{up.rss_mb:.0f} (PSS {up.pss_mb:.0f})",
        "",
        _verdict(f"< {UP_MB:.0f} MB, < {UP_CORES} cores", good),
    )
