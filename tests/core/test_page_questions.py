"""What the page's server does with a question: it reaches the twin, and a refusal says why."""

from __future__ import annotations

import msgspec
import pytest

from tests.core.pages import Source, get, snapshot
from twin.adapters import page
from twin.web import Problem


@pytest.mark.parametrize(
    ("query", "question", "path", "changes"),
    [
        ("line?path=demo/A", "line", "demo/A", {}),
        ("pot?path=demo%2FA%2FA017", "pot", "demo/A/A017", {}),
        ("whatif?path=demo/A", "whatif", "demo/A", {}),
        ("whatif?path=demo/A&current=5&distance=-1.5", "whatif", "demo/A", {"current": 5.0, "distance": -1.5}),
    ],
)
def test_a_question_reaches_the_twin_and_its_answer_comes_back(
    query: str, question: str, path: str, changes: dict[str, float]
) -> None:
    status, headers, body = get(Source(snapshot(1)), f"/api/{query}")
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == page.POLICY.decode()
    assert msgspec.json.decode(body) == {"question": question, "path": path, "changes": changes}


@pytest.mark.parametrize(
    ("query", "wanted", "detail"),
    [
        ("line?path=unknown", 404, "refused: unknown"),
        ("whatif?path=not_allowed", 400, "refused: not_allowed"),
        ("pot?path=yet", 503, "refused: yet"),
        ("line", 400, "path is missing"),
        ("line?path=demo/A&current=1", 400, "'current' is not known here"),
        ("whatif?path=demo/A&current=much", 400, "current='much' is not a number"),
        ("whatif?path=demo/A&" + "x" * 500 + "=1", 400, "is not known here"),
        ("whatif?path=demo/A&current=" + "9" * 500, 400, "is not a number"),
        ("whatif?path=demo/A&current=31", 400, "current=31 is not allowed: -30 to 30"),
        ("line?path=demo/A&path=demo/B", 400, "path is given twice"),
        ("pot?path=demo/A/A001%27%20OR%20%271", 400, "is not of the form"),
    ],
)
def test_a_question_without_an_answer_says_why(query: str, wanted: int, detail: str) -> None:
    status, headers, body = get(Source(snapshot(1)), f"/api/{query}")
    assert status == wanted
    assert headers["content-type"] == "application/problem+json"
    said = msgspec.json.decode(body, type=Problem)
    assert detail in said.detail
    assert (said.status, said.instance) == (wanted, f"/api/{query.partition('?')[0]}")
    assert said.advice
    assert len(body) < 500
