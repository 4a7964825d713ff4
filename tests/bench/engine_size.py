"""What the engine takes of memory and time, a pot, for `twin.sizing`: `python -m tests.bench.engine_size`."""

import argparse
import statistics
import time

import psutil

from tests.bench.load import readings, roster
from tests.core.plants import packaged_plan
from twin import checkpoint
from twin.engine import Engine, Settings
from twin.frames import Readings
from twin.plant import Roster
from twin.signals import by_name

START_NS = 1_763_964_000_000_000_000
MINUTE = 60


def of_lines(units: Roster, second: int) -> Readings:
    """Current and voltage of every line: without them no state is estimated."""
    said = [(by_name("line_current_ka"), 500.0), (by_name("line_voltage_v"), 3.95 * len(units.pot_codes()))]
    rows = [(code, signal, value) for code in units.line_codes() for signal, value in said]
    codes, signals, values = zip(*rows, strict=True)
    return Readings.of([START_NS + second * 1_000_000_000] * len(rows), codes, signals, values)


def main() -> None:
    """Run the engine with estimation over some minutes of 20 signals a pot and print each figure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pots", type=int, default=5000)
    asked.add_argument("--lines", type=int, default=1)
    asked.add_argument("--minutes", type=int, default=4)
    given = asked.parse_args()
    units = roster(given.pots, given.lines)
    before = psutil.Process().memory_info().rss
    engine = Engine(units, packaged_plan(), Settings(estimate=True))
    state = engine.start()
    seconds: list[float] = []
    for second in range(given.minutes * MINUTE):
        batch = Readings.concat([readings(units, START_NS, second, 1, 7), of_lines(units, second)])
        began = time.process_time()
        state, _ = engine.step(state, batch)
        seconds.append(time.process_time() - began)
    grown = psutil.Process().memory_info().rss - before
    # The first minute touches the memory of every array for the first time.
    later = sorted(seconds[MINUTE:])
    minutes = later[-(given.minutes - 1) :]
    usual = statistics.median(later)
    print(f"{given.pots} pots in {given.lines} lines, 20 signals each")
    print(f"step: {usual * 1e6 / given.pots:.2f} us a pot ({usual * 1e3:.1f} ms)")
    print(f"step that ends a minute: {statistics.median(minutes) * 1e6 / given.pots:.0f} us a pot")
    print(f"memory: {grown / 1e3 / given.pots:.0f} kB a pot")
    print(f"kept state: {len(checkpoint.to_bytes(engine, state)) / 1e3 / given.pots:.0f} kB a pot")


if __name__ == "__main__":
    main()
