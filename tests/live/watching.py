"""What a live test asks of a running twin's watch port, and the JSON log lines that it wrote."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.live.test_up import Twin

__all__ = ["events", "metric", "not_ready", "ready"]


def _get(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def ready(port: int) -> bool:
    """Whether `/ready` says yes."""
    return _get(port, "/ready")[0] == 200


def not_ready(port: int) -> set[str]:
    """The parts that are not ready; {"nobody"} when no one answers. `/health` is well all the same."""
    status, body = _get(port, "/ready")
    if not status:
        return {"nobody"}
    assert _get(port, "/health")[0] == 200
    return {reason["part"] for reason in json.loads(body)["reasons"]}


def metric(port: int, name: str) -> float:
    """Sum of the samples of this name."""
    status, body = _get(port, "/metrics")
    assert status == 200
    families = text_string_to_metric_families(body.decode())
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def events(twin: Twin, part: str) -> list[dict[str, Any]]:
    """The JSON log lines so far whose event holds `part`; every line must be one."""
    return [line for line in map(json.loads, twin.log().splitlines()) if part in line["event"]]
