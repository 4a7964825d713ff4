"""schemathesis against the real server of the page: every answer is as the OpenAPI document says, whatever is asked."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from tests.browser.site import Site, potline, running
from tests.core.desks import PATH
from twin.access import LONGEST_TARGET
from twin.endpoints import ENDPOINTS, openapi
from twin.web import Problem

pytestmark = pytest.mark.long

STREAM = "/api/stream"  # never ends
schema = schemathesis.openapi.from_dict(openapi("1")).exclude(path=STREAM)
GOOD = {
    "/api/pots": "path=demo/A", "/api/line": "path=demo/A", "/api/pot": f"path={PATH}",
    "/api/whatif": "path=demo/A&voltage=-20", "/api/anomalies": "path=demo/A", "/api/fields": "path=demo/A/section:1",
    "/api/history": f"path={PATH}&fields=pot.voltage_v,twin_state.alumina_pct&hours=0.5&points=100",
    "/api/events": f"path={PATH}&limit=3",
}  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running() as site:
        site.publish(potline())
        yield site


@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_asked_the_answer_is_as_documented(case: schemathesis.Case[Any], site: Site) -> None:
    case.call_and_validate(base_url=site.url.rstrip("/"), timeout=10)


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_of_units_that_there_are_too(case: schemathesis.Case[Any], site: Site) -> None:
    good: dict[str, str] = dict(pair.split("=") for pair in GOOD.get(case.path, "").split("&") if pair)
    known: dict[str, Any] = {name: good[name] for name in ("path", "fields") if name in good}
    asked: dict[str, Any] = {**dict(case.query or {}), **known}
    answer = case.call(base_url=site.url.rstrip("/"), params=asked, timeout=10)
    too_long = len(answer.request.path_url) > LONGEST_TARGET
    wanted = (414,) if too_long else (200, 400) if case.method == "GET" else (405,)
    assert answer.status_code in wanted, answer.text
    if case.method == "GET":
        case.operation.validate_response(answer)


@pytest.mark.parametrize("path", [one.path for one in ENDPOINTS if one.path != STREAM])
def test_a_good_address_has_an_answer_of_its_type(site: Site, path: str) -> None:
    row = next(one for one in ENDPOINTS if one.path == path)
    with urllib.request.urlopen(f"{site.url.rstrip('/')}{path}?{GOOD.get(path, '')}", timeout=10) as answer:
        assert answer.status == 200
        msgspec.json.decode(answer.read(), type=row.answer)


def test_the_document_is_what_the_server_sends(site: Site) -> None:
    with urllib.request.urlopen(f"{site.url}api/openapi.json", timeout=10) as answer:
        assert msgspec.json.decode(answer.read()) == openapi("")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_changed(site: Site, method: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{site.url}api/settings", method=method), timeout=10)
    with refused.value as answer:
        assert answer.code == 405
        assert msgspec.json.decode(answer.read(), type=Problem).advice == "Ask with GET."
