"""There is a tutorial for each user, and its commands are of this release (tests/pages reads them all)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.commands import twin_lines

PAGES = sorted((Path(__file__).parents[2] / "docs" / "tutorials").glob("*.md"))


def test_there_is_a_tutorial_for_each_user() -> None:
    assert [page.stem for page in PAGES] == ["engineer", "maintenance", "operator"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_it_is_something_to_do(page: Path) -> None:
    assert len(twin_lines(page.read_text("utf-8"))) >= 4
