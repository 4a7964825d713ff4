"""Every query of the board of the processes, asked of a VictoriaMetrics that holds what a process exports."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from dashboards.__main__ import OUT
from tests.servers import VictoriaMetricsServer
from twin.metrics import EXPORTED, Meters, Sample

pytestmark = pytest.mark.live

BOARD = json.loads((OUT / "dashboards" / "smelter-metrics.json").read_text("utf-8"))
STEP_S, SCRAPES = 15, 20
HELD = {"smelter_store_up": 1.0, "smelter_spool_bytes": 4096.0}


def scrapes(now_s: int) -> Iterator[bytes]:
    """The exposition of a process, scrape by scrape: counters grow by 3 a second, a step takes 20 ms."""
    meters = Meters()
    grown = {"by": 0.0}

    def samples() -> Iterator[Sample]:
        for row in EXPORTED:
            if row.kind == "counter":
                yield Sample(row.name, grown["by"], tuple("x" for _ in row.labels))
            elif row.kind == "gauge":
                value = float(now_s - 30) if "timestamp" in row.name else HELD.get(row.name, 1.0)
                yield Sample(row.name, value, tuple("x" for _ in row.labels))

    meters.add(samples)
    histograms = [meters.histogram(row.name) for row in EXPORTED if row.kind == "histogram"]
    for number in range(SCRAPES):
        grown["by"] = 3.0 * STEP_S * number
        for histogram in histograms:
            histogram.observe(0.02)
        text = meters.text()[0].decode()
        at_ms = (now_s - STEP_S * (SCRAPES - 1 - number)) * 1000
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        yield "\n".join(f"{line} {at_ms}" for line in lines).encode()


def asked(server: VictoriaMetricsServer, expression: str, now_s: int) -> list[dict[str, Any]]:
    text = expression.replace("$__rate_interval", "1m")
    assert "$" not in text
    words = urlencode({"query": text, "start": now_s - 120, "end": now_s, "step": STEP_S})
    status, body = server.request("GET", f"/api/v1/query_range?{words}")
    answer = json.loads(body)
    assert (status, answer["status"]) == (200, "success"), answer
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def test_every_metric_is_asked_for_and_answers_with_its_value(victoria: VictoriaMetricsServer) -> None:
    # VictoriaMetrics answers at multiples of the step, and of its last half minute only what it thinks is complete
    now_s = int(time.time()) // STEP_S * STEP_S - 10 * STEP_S
    for body in scrapes(now_s):
        status, said = victoria.request("POST", "/api/v1/import/prometheus", body)
        assert status == 204, said
    victoria.flush()
    targets = [target for panel in BOARD["panels"] for target in panel["targets"]]
    assert len(targets) == len(EXPORTED)
    for target in targets:
        assert target["datasource"]["uid"] == "smelter-prometheus"
        found = asked(victoria, target["expr"], now_s)
        assert found, target["expr"]
        value = float(found[0]["values"][-1][1])
        if target["expr"].startswith("rate("):
            assert value == pytest.approx(3.0, rel=0.05), target["expr"]
        elif target["expr"].startswith("histogram_quantile"):
            assert 0.01 < value <= 0.025, target["expr"]
        elif target["expr"].startswith("time()"):
            assert value == pytest.approx(30.0), target["expr"]
        else:
            assert value == HELD.get(target["expr"], 1.0), target["expr"]
