"""`python -m tests.bench.main [--only NAME]... [--quick] [--json FILE]`: measure and print one table.

Everything runs on loopback, is bounded in count and time, and stops by itself. Flows run in rounds, each round all of
them, so that a ratio compares runs of the same minute. A figure that is wanted but not reached fails nothing.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from tests.bench import flow, micro, simulator, table, whole

LIBRARIES = ("numpy", "msgspec", "orjson", "gmqtt", "aiomqtt", "influxdb-client", "aiohttp", "duckdb", "uvloop")
CALM_CORES, CALM_PERCENT, CALM_WAIT_S = 0.25, 10.0, 60.0


def main() -> None:
    """Measure what was asked for."""
    options = _options()
    names = [*micro.MICROS, *simulator.SIMULATORS, *(one.name for one in flow.FLOWS), "up"]
    chosen = [name for name in names if not options.only or any(word in name for word in options.only)]
    if not chosen:
        raise SystemExit(f"bench: nothing is called {', '.join(options.only)}; there are {', '.join(names)}")
    console = Console(width=240, highlight=False)
    machine = _machine(options.seed)
    timings = [
        micro.measure(name, 10 if options.quick else 40, options.seed) for name in chosen if name in micro.MICROS
    ]
    flows = _flows(console, [one for one in flow.FLOWS if one.name in chosen], options)
    up = whole.measure(10, 10 if options.quick else 30) if "up" in chosen else None
    machine["load_after"] = os.getloadavg()
    built = table.build(timings, flows, up)
    for name in (name for name in chosen if name in simulator.SIMULATORS):
        built.add_row(*simulator.row(simulator.measure(name, 10 if options.quick else 40, options.seed)))
    console.print(built)
    console.print(_caption(machine, flows, options))
    if options.json:
        _write(options.json, machine, timings, flows, up)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="only what has NAME in its name; repeatable")
    parser.add_argument("--quick", action="store_true", help="one round, fewer messages: for trying, not for quoting")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single run to FILE")
    parser.add_argument("--rounds", type=int, help="rounds of the flows (3; quick: 1)")
    parser.add_argument(
        "--calm",
        type=int,
        default=0,
        metavar="N",
        help="on a machine that others use: wait a minute for calm before each flow, repeat a disturbed one N times",
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of our ingest")
    return parser.parse_args()


def _flows(
    console: Console, chosen: Sequence[flow.Flow], options: argparse.Namespace
) -> Mapping[str, Sequence[flow.Measured]]:
    runs: dict[str, list[flow.Measured]] = {one.name: [] for one in chosen}
    rounds = options.rounds or (1 if options.quick else 3)
    for number in range(1, rounds + 1):
        for one in chosen:
            samples = flow.samples_of(one, quick=options.quick)
            run = _calm(one, samples, options)
            runs[one.name].append(run)
            console.print(
                f"round {number}/{rounds} {one.name}: {run.samples_per_s:,.0f} pot-samples/s, "
                f"stored {run.samples_stored:,} of {run.samples:,}; other work took {run.foreign_cores:.2f} cores",
                style="dim",
            )
    return runs


def _calm(one: flow.Flow, samples: int, options: argparse.Namespace) -> flow.Measured:
    """Measure, again where other work disturbed it; of these runs the least disturbed counts, whatever its rate."""
    runs: list[flow.Measured] = []
    while not runs or (runs[-1].foreign_cores > CALM_CORES and len(runs) <= options.calm):
        deadline = time.monotonic() + CALM_WAIT_S
        while options.calm and psutil.cpu_percent(2) > CALM_PERCENT and time.monotonic() < deadline:
            pass
        runs.append(flow.measure(one, samples, options.seed, options.set))
    return min(runs, key=lambda run: run.foreign_cores)


def _machine(seed: int) -> dict[str, Any]:
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "cpu": cpus[0].partition(":")[2].strip() if cpus else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "load_before": os.getloadavg(),
    }


def _caption(
    machine: Mapping[str, Any], flows: Mapping[str, Sequence[flow.Measured]], options: argparse.Namespace
) -> str:
    before, after = (f"{machine[when][0]:.1f}" for when in ("load_before", "load_after"))
    foreign = [run.foreign_cores for runs in flows.values() for run in runs]
    shared = f"; other work took {statistics.mean(foreign):.2f} cores while the flows ran" if foreign else ""
    changed = f"; with {', '.join(options.set)}" if options.set else ""
    return (
        f"{machine['date']}, seed {machine['seed']}, {machine['cores']} cores of {machine['cpu']}, "
        f"{machine['memory_gb']} GB, Python {machine['python']}, load {before} before and {after} after{shared}"
        f"{'; --quick: not for quoting' if options.quick else ''}"
        f"{f'; --calm {options.calm}' if options.calm else ''}{changed}"
    )


def _write(path: Path, machine: Mapping[str, Any], timings: Any, flows: Any, up: Any) -> None:
    content = {
        "machine": machine,
        "micro": [asdict(timing) for timing in timings],
        "flow": {name: [asdict(run) for run in runs] for name, runs in flows.items()},
        "up": asdict(up) if up else None,
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
