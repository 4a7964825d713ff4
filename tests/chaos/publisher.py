"""The sources of a chaos run, a process of its own: `python -m tests.chaos.publisher PORT < plan.json`.

Says what `load.said` says, a second of readings each second, late where it is held back, twice where it is doubled;
prints one line of JSON when the broker has acknowledged the last message.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import sys
import time
from itertools import count

import msgspec

from tests.chaos.load import NS, Plan, end_mark, said
from tests.chaos.outbox import Outbox
from tests.processes import HOST


async def publish(plan: Plan, port: int) -> dict[str, int]:
    """Send the whole plan; returns what became of it."""
    outbox = Outbox(HOST, port, f"chaos-{plan.root}")
    sending = asyncio.create_task(outbox.run())
    later: list[tuple[float, int, str, bytes]] = []
    number, made = count(), 0
    for second in range(plan.seconds):
        await asyncio.sleep(max(0.0, plan.start_ns / NS + second - time.time()))
        for message in said(plan, second):
            made += 1
            for delay in message.delays_s:
                heapq.heappush(later, (second + delay, next(number), message.topic, message.payload))
        while later and later[0][0] < second + 1:
            outbox.put(*heapq.heappop(later)[2:])
    while later:
        outbox.put(*heapq.heappop(later)[2:])
    await outbox.emptied()
    end = end_mark(plan)  # alone, behind everything
    outbox.put(end.topic, end.payload)
    await outbox.emptied()
    sending.cancel()
    await asyncio.wait([sending])
    told = {"made": made, "sent": outbox.sent, "resent": outbox.resent, "deepest": outbox.deepest}
    return told | {"connections": outbox.connections}


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    print(json.dumps(asyncio.run(publish(asked, int(sys.argv[1])))), flush=True)
