"""`python -m tests.fuzz [COUNT [SEED]]`: 100,000 hostile messages and half as many of an existing plant, through codec
and ingest, and what came of them.
"""

from __future__ import annotations

import sys

from tests.fuzz.run import fuzz


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:]]
    count, seed = (*numbers, *(100_000, 5)[len(numbers) :])
    found = fuzz(count, seed, trace=False)
    counts = found.counts
    print(f"{counts.received:,} messages in {found.seconds:.0f} s, seed {seed}")
    print(f"received = stored {counts.stored:,} + parked {counts.parked:,}; {counts.readings:,} readings, "
          f"{counts.bad_values:,} without a value, {counts.collisions:,} collisions")  # fmt: skip
    print("parked for: " + ", ".join(f"{reason} {number:,}" for reason, number in counts.problems.most_common()))
    print(f"the store refused {found.refused:,} writes and was away {found.away:,} times")
    print(f"names of unknown fields kept apart: {len(counts.unknown_fields):,}")
    print(f"RSS {found.rss_mib[0]:.1f} MiB after the first tenth, {found.rss_mib[1]:.1f} MiB at the end")
    traced = fuzz(count // 10, seed + 1)
    print(f"with memory traced, {traced.counts.received:,} more: Python's grew by {traced.grown_mib:+.2f} MiB after "
          f"the first tenth, in {traced.seconds:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
