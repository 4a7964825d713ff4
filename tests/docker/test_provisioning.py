"""What Grafana is given in its container is what the files of dashboards/ ask for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.docker.stack import ROOT, VARIANTS, config

PROVISIONING = ROOT / "dashboards" / "generated" / "provisioning"

pytestmark = pytest.mark.skipif(not PROVISIONING.exists(), reason="dashboards/ is not in this tree")


def grafana(files: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = config(files)["services"]["grafana"]
    return found


@pytest.mark.parametrize("files", VARIANTS, ids="+".join)
def test_every_variable_of_the_provisioning_files_is_set(files: tuple[str, ...]) -> None:
    asked = {
        name
        for file in PROVISIONING.rglob("*.yaml")
        for name in re.findall(r"\$\{?(SMELTER_\w+)", file.read_text("utf-8"))
    }
    assert "SMELTER_INFLUX_URL" in asked
    there = {name for name, value in grafana(files)["environment"].items() if value}
    assert asked - there == {"SMELTER_INFLUX_TOKEN"}  # docker/grafana-start.sh reads it from its file


def test_the_boards_are_mounted_where_they_are_looked_for() -> None:
    provider = (PROVISIONING / "dashboards" / "smelter.yaml").read_text("utf-8")
    (path,) = re.findall(r'path: "?([^"\s]+)', provider)
    (mounted,) = (bind["source"] for bind in grafana(VARIANTS[0])["volumes"] if bind["target"] == path)
    assert list((ROOT / mounted).glob("*.json"))
