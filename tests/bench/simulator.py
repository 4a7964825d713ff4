"""The simulator in this process: how much faster than life on one core, and whether its memory stays flat."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from simulators import scenarios
from simulators.potline import Potline
from simulators.sensors import Sensors
from tests.bench import load
from twin import plant

__all__ = ["SIMULATORS", "Growth", "Pace", "measure", "row"]

DAY = 86400
START_NS = 1_760_000_000 * load.NS
WARM_STEPS = 60  # past the first slow steps, which fill caches
BATCH = 10  # steps from one slow step to the next: every batch does the same work
LEAST_MS = 50.0  # of one timing: shorter ones would measure the clock


@dataclass(frozen=True, slots=True)
class Pace:
    """Median time of one step of a second [ms]; `pace` is simulated seconds a second of processor time."""

    name: str
    title: str
    wall: float
    cpu: float
    wanted: float  # times real time, 0 = nothing

    @property
    def pace(self) -> float:
        return 1e3 / self.cpu


@dataclass(frozen=True, slots=True)
class Growth:
    """Resident memory [MB] after a day of warming up, and by how much it grew in `days` more."""

    name: str
    title: str
    days: int
    rss_mb: float
    grown_mb: float
    cpu_s: float
    wanted_mb: float = 2.0


def _line(pots: int, seed: int, scenario: str) -> Potline:
    whole = plant.parse(load.plant_toml(pots), "bench")
    site, line = next(whole.lines())
    causes = scenarios.schedule(scenarios.load(scenario), line, scenario, seed=seed)
    return Potline.of(whole, line, site.id, seed=seed, start_ns=START_NS, cause_schedule=causes)


def pace(name: str, title: str, repeats: int, seed: int, *, pots: int, sensors: bool, wanted: float) -> Pace:
    """One-second steps of a normal week; with `sensors` every instrument is read after every step."""
    line = _line(pots, seed, "normal-week")
    instruments = Sensors(line, seed)

    def go(steps: int) -> None:
        for _ in range(steps):
            line.step()
            if sensors:
                instruments.observe()

    go(WARM_STEPS)
    start = time.process_time()
    go(BATCH)
    spent = max((time.process_time() - start) * 1e3, 1e-3)
    steps = BATCH * max(1, round(LEAST_MS / spent))
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        go(steps)
        walls.append((time.perf_counter() - wall) / steps * 1e3)
        cpus.append((time.process_time() - cpu) / steps * 1e3)
    return Pace(name, title, statistics.median(walls), statistics.median(cpus), wanted)


def growth(name: str, title: str, seed: int, *, pots: int, days: int) -> Growth:
    """A bad month at 5 s, the sensors read every minute; the first day fills what is then kept."""
    line = _line(pots, seed, "bad-month")
    instruments, process = Sensors(line, seed), psutil.Process()
    start, first = time.process_time(), 0.0
    for step in range((days + 1) * DAY // 5):
        line.step(5.0)
        if step % 12 == 0:
            instruments.observe()
        if step == DAY // 5:
            first = process.memory_info().rss / 1e6
    last = process.memory_info().rss / 1e6
    return Growth(name, title, days, last, last - first, time.process_time() - start)


SIMULATORS: dict[str, Callable[[int, int], Pace | Growth]] = {
    "simulate-300": lambda n, seed: pace(
        "simulate-300", "simulator, 300 pots", n, seed, pots=300, sensors=False, wanted=1000
    ),
    "simulate-300-sensors": lambda n, seed: pace(
        "simulate-300-sensors", "simulator, 300 pots and sensors", n, seed, pots=300, sensors=True, wanted=0
    ),
    "simulate-10000": lambda n, seed: pace(
        "simulate-10000", "simulator, 10,000 pots", n, seed, pots=10_000, sensors=False, wanted=20
    ),
    "simulate-10000-sensors": lambda n, seed: pace(
        "simulate-10000-sensors", "simulator, 10,000 pots and sensors", n, seed, pots=10_000, sensors=True, wanted=0
    ),
    "simulate-memory": lambda n, seed: growth(
        "simulate-memory", "simulator, 10 pots", seed, pots=10, days=29 if n >= 1000 else 5 if n > 10 else 1
    ),
}  # fmt: skip


def measure(name: str, repeats: int, seed: int) -> Pace | Growth:
    """Run one of SIMULATORS; more than 10 repeats watch the memory for five days, 1,000 and more for a month."""
    return SIMULATORS[name](repeats, seed)


def row(one: Pace | Growth) -> tuple[str, str, str, str, str, str]:
    """What a line of the table says, in the columns of `tests.bench.table`."""
    if isinstance(one, Growth):
        reached = "reached" if one.grown_mb < one.wanted_mb else "[bold]not reached[/bold]"
        grown = f"{one.grown_mb:+.1f} MB"
        return (
            f"{one.title}: memory over {one.days} days after the first",
            grown,
            f"{one.cpu_s:.0f} s",
            f"{one.rss_mb:.0f}",
            "",
            f"< {one.wanted_mb:.0f} MB: {reached}",
        )
    reached = "reached" if one.pace >= one.wanted else "[bold]not reached[/bold]"
    wanted = f">= {one.wanted:,.0f}x: {reached}" if one.wanted else ""
    return one.title, f"{one.wall:.2f} ms/step", f"{one.cpu:.2f} ms", "", f"{one.pace:,.0f}x real time", wanted
