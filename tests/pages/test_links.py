"""Every link between the pages leads to a file that is there, and to a heading that is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages.commands import PAGES, ROOT, name_of

ALL = [ROOT / "CHANGELOG.md", *PAGES]
LINK = re.compile(r"\]\(<?([^)\s>]*)>?\)")


def prose(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.S | re.M)


def anchors(page: Path) -> set[str]:
    """The anchors that a forge makes of the headings of a page: a heading that comes twice gets a number."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", prose(page), re.M):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        free = (slug, *(f"{slug}-{n}" for n in range(1, 100)))
        found.add(next(one for one in free if one not in found))
    return found


def dead(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    bad = []
    for target in LINK.findall(prose(page)):
        name, _, anchor = target.partition("#")
        if ":" in name:
            continue
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            bad.append(target)
    return bad


@pytest.mark.parametrize("page", ALL, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert dead(page) == []


def test_there_are_links_with_and_without_an_anchor() -> None:
    targets = [target for page in ALL for target in LINK.findall(prose(page))]
    assert len(targets) > 150
    assert sum("#" in target for target in targets) > 10


def test_every_page_is_reached_from_the_readme() -> None:
    """A page that nothing links to is read by nobody."""
    reached, left = {ROOT / "README.md"}, [ROOT / "README.md"]
    while left:
        page = left.pop()
        for target in LINK.findall(prose(page)):
            path = (page.parent / target.partition("#")[0]).resolve()
            pages = [path] if path.suffix == ".md" else sorted(path.glob("*.md")) if path.is_dir() else []
            fresh = {one for one in pages if one in ALL} - reached
            reached |= fresh
            left += fresh
    assert [name_of(page) for page in ALL if page not in reached] == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    other.write_text("# The `lag` grows, twice\n\n## Same\n\n## Same\n\n```\n## Not a heading\n```\n")
    page.write_text(
        "# Here\n[1](other.md) [2](other.md#the-lag-grows-twice) [3](#here) [4](other.md#same-1) [5](https://x.example/#y)\n"
        "[6](none.md) [7](other.md#not-a-heading) [8](#there) [9](other.md#same-2)\n```\n[x](y.md)\n```\n"
    )
    assert dead(page) == ["none.md", "other.md#not-a-heading", "#there", "other.md#same-2"]
