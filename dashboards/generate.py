"""Every generated file as text: boards, provisioning files and what is pushed over the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.board import made
from dashboards.boards import boards
from dashboards.provisioning import files
from dashboards.tables import Source

__all__ = ["generated", "plain_json"]


def plain_json(thing: object) -> Any:
    """What the SDK built, as dicts and lists."""
    return json.loads(json.dumps(thing, cls=JSONEncoder))


def text(thing: object) -> str:
    """JSON as it is checked in."""
    return json.dumps(plain_json(thing), indent=1, ensure_ascii=False) + "\n"


def generated(source: Source) -> Mapping[str, str]:
    """Path below the folder -> content."""
    every = boards(source)
    built = {board.uid: plain_json(made(board, every)) for board in every}
    return {
        **{f"dashboards/{uid}.json": text(board) for uid, board in built.items()},
        **files(source),
    }
