"""The naive bridge, at its fair best: aiomqtt, json, one `Point` a pot, the asynchronous write_api, 2,000 at a time.

It acknowledges before it writes, as aiomqtt does.
`python -m tests.bench.naive COUNT PORT QOS URL BUCKET [loop=asyncio]`
"""

import asyncio
import json
import sys
from collections.abc import Iterator

import aiomqtt
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from tests.bench.gauge import Gauge, loop_factory
from tests.bench.load import ROOT_TOPIC
from tests.processes import HOST

BATCH_POINTS = 2000


def points(topic: str, payload: bytes) -> Iterator[Point]:
    """Return the points of one message, of a pot or of a section."""
    said = json.loads(payload)
    time = said.pop("time")
    _, site, line, last, *_ = topic.split("/")
    if last != "section":
        yield point(site, line, last, time, said)
        return
    for place, pot in enumerate(said.pop("pot")):
        yield point(site, line, pot, time, {name: column[place] for name, column in said.items()})


def point(site: str, line: str, pot: str, time: int, fields: dict[str, float]) -> Point:
    """Return one point."""
    made: Point = Point("pot").tag("site", site).tag("line", line).tag("pot", pot)
    for name, value in fields.items():
        made.field(name, value)
    made.time(time, WritePrecision.NS)
    return made


async def bridge(count: int, port: int, qos: int, url: str, bucket: str) -> Gauge:
    """Carry `count` messages from the broker to the store, or as many as come."""
    gauge = Gauge(count)
    async with (
        InfluxDBClientAsync(url, token="", org="-", timeout=60_000) as store,
        aiomqtt.Client(HOST, port, identifier="bench-naive") as client,
    ):
        await client.subscribe(f"{ROOT_TOPIC}/#", qos=qos)
        gauge.ready()
        work = asyncio.create_task(carry(client, store, bucket, gauge))
        while not gauge.over and not work.done():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        work.cancel()
        await asyncio.wait([work])
        if not work.cancelled():
            work.result()
    return gauge


async def carry(client: aiomqtt.Client, store: InfluxDBClientAsync, bucket: str, gauge: Gauge) -> None:
    """Read, decode, collect, write."""
    api = store.write_api()
    taken, waiting = 0, list[Point]()
    async for message in client.messages:
        gauge.first()
        taken += 1
        waiting.extend(points(message.topic.value, bytes(message.payload)))
        if len(waiting) >= BATCH_POINTS or taken == gauge.wanted:
            await api.write(bucket, record=waiting)
            waiting.clear()
            gauge.seen(taken)
        if taken == gauge.wanted:
            return


def main() -> None:
    """Run and tell."""
    count, port, qos, url, bucket, *words = sys.argv[1:]
    with asyncio.Runner(loop_factory=loop_factory(words)) as runner:
        runner.run(bridge(int(count), int(port), int(qos), url, bucket)).tell()


if __name__ == "__main__":
    main()
