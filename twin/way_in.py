"""Health of the way in as people see it: the ingestor's figures, its source's connection and the clocks it hears."""

from __future__ import annotations

import time

from twin.codec import Codec
from twin.ingest import Ingestor
from twin.rate import Rate
from twin.snapshot import IngestView
from twin.units import NS_PER_S

__all__ = ["NOT_HERE", "ingest_view"]

NOT_HERE = IngestView(False, 0, 0, 0, 0, 0.0, None, "", "this process does not ingest")


def ingest_view(ingestor: Ingestor, problem: str, codec: Codec, rate: Rate, sink: str, missing: int) -> IngestView:
    """`problem` is the source's, "" = connected; `sink` says where messages are stored; `missing` did not come."""
    counts, figures = ingestor.counts, ingestor.figures()
    ahead = codec.skew.furthest()
    return IngestView(
        connected=not problem,
        received=figures.received_messages,
        stored=figures.stored_messages,
        parked=figures.parked_messages,
        rejected_values=counts.problems.total(),
        messages_per_s=rate.of(figures.received_messages),
        lag_s=(time.time_ns() - counts.newest_ns) / NS_PER_S if counts.newest_ns else None,
        sink=sink,
        problem="; ".join(part for part in (problem, ingestor.problem) if part),
        spooled=figures.spooled_messages,
        rejected=figures.rejected_messages,
        carried=figures.carried_messages,
        aside=figures.aside_messages,
        under_way=figures.under_way_messages,
        off=abs(figures.off_messages) + abs(figures.off_readings),
        spool_mib=figures.spool_bytes / 2**20,
        spool_oldest_s=figures.spool_oldest_age_s if figures.spool_batches else None,
        collisions=counts.collisions,
        bad_values=counts.bad_values,
        problems=dict(counts.problems),
        ahead_s=ahead[1] if ahead else None,
        missing=missing,
        ahead_unit=codec.roster.paths[ahead[0]] if ahead else "",
    )
