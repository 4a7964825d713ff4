"""The product's own ingest, as `twin ingest` runs it, in a process that knows how many messages will come.

`python -m tests.bench.consumer COUNT NAME=VALUE...`: settings as words; the parts are put together by `twin.service`.
"""

import asyncio
import sys

from tests.bench.gauge import START_S, Gauge, loop_factory
from twin.log import Log
from twin.service import Twin, run
from twin.settings import resolve

LOOK_S = 0.004
SUBSCRIBED_S = 0.3  # gmqtt has sent SUBSCRIBE when it is connected; the broker answers well within this


async def consume(count: int, words: list[str]) -> Gauge:
    """Run the ingest until `count` messages are stored."""
    settings = resolve(flags=dict(word.split("=", 1) for word in words))
    gauge, stop = Gauge(count), asyncio.Event()

    async def watch(twin: Twin) -> None:
        assert twin.source is not None
        assert twin.ingestor is not None
        async with asyncio.timeout(START_S):
            while twin.source.problem:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)
        await asyncio.sleep(SUBSCRIBED_S)
        gauge.ready()
        while not gauge.over:
            if twin.source.received:
                gauge.first()
            gauge.seen(twin.ingestor.counts.stored)
            await asyncio.sleep(LOOK_S)
        stop.set()

    log = Log("console", "info", lambda line: print(line, file=sys.stderr))
    await run(settings, ("ingest",), stop=stop, say=log, watch=watch)
    return gauge


def main() -> None:
    """Run and tell."""
    count, words = int(sys.argv[1]), sys.argv[2:]
    with asyncio.Runner(loop_factory=loop_factory(words)) as runner:
        runner.run(consume(count, words)).tell()


if __name__ == "__main__":
    main()
