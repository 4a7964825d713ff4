"""Provisioning files for Grafana, and the same things as its HTTP API wants them (`twin grafana push`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.alerts import Group, groups
from dashboards.board import FOLDER_TITLE, FOLDER_UID
from dashboards.boards.metrics import PROMETHEUS
from dashboards.influxql import INFLUX
from dashboards.tables import Source
from dashboards.yaml_text import dump

__all__ = ["api", "files"]

URGENT, USUAL = "smelter-urgent", "smelter-usual"
DASHBOARDS = "/var/lib/grafana/dashboards/smelter"
PRECIOUS = {"secureJsonData": {"httpHeaderValue1": "Token $SMELTER_INFLUX_TOKEN"}}


def _influx(source: Source) -> dict[str, Any]:
    """InfluxQL speaks to InfluxDB 1.8, 2 (through a DBRP mapping) and 3 with the same token header."""
    return {
        "name": "Smelter",
        "uid": INFLUX.uid,
        "type": INFLUX.type_val,
        "access": "proxy",
        "url": "$SMELTER_INFLUX_URL",
        "isDefault": False,
        "jsonData": {
            "dbName": "$SMELTER_INFLUX_DATABASE",
            "version": "InfluxQL",
            "httpMode": "POST",
            "timeInterval": source.interval,
            "httpHeaderName1": "Authorization",
        },
    }


def _prometheus() -> dict[str, Any]:
    return {
        "name": "Smelter processes",
        "uid": PROMETHEUS.uid,
        "type": PROMETHEUS.type_val,
        "access": "proxy",
        "url": "$SMELTER_PROMETHEUS_URL",
        "isDefault": False,
        "jsonData": {"httpMode": "POST", "timeInterval": "15s"},
    }


def _data_source(row: dict[str, Any], more: Mapping[str, Any]) -> str:
    return dump({"apiVersion": 1, "datasources": [{**row, **more, "orgId": 1, "editable": False}]})


def _rules(group: Group) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(json.dumps(list(group.rules), cls=JSONEncoder))
    return found


def _file_group(group: Group) -> dict[str, Any]:
    """The keys of files differ from those of the API."""
    keys = (
        "uid",
        "title",
        "condition",
        "data",
        "noDataState",
        "execErrState",
        "for",
        "annotations",
        "labels",
        "isPaused",
    )
    rules = [{key: rule[key] for key in keys} for rule in _rules(group)]
    return {"orgId": 1, "name": group.name, "folder": FOLDER_TITLE, "interval": f"{group.interval_s}s", "rules": rules}


def _contacts() -> list[dict[str, Any]]:
    return [
        {"uid": name, "name": name, "type": "email", "settings": {"addresses": f"${variable}", "singleEmail": False},
         "disableResolveMessage": False}
        for name, variable in ((URGENT, "SMELTER_URGENT_EMAIL"), (USUAL, "SMELTER_USUAL_EMAIL"))
    ]  # fmt: skip


def _policy() -> dict[str, Any]:
    """One mail a line and severity, not one a pot: a line that trips makes all its pots cry."""
    mine = {"object_matchers": [["source", "=", "smelter-twin"], ["severity", "=", "high"]], "receiver": URGENT}
    return {
        "receiver": USUAL,
        "group_by": ["grafana_folder", "site", "line", "severity"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "12h",
        "routes": [{**mine, "group_wait": "0s", "group_interval": "1m", "repeat_interval": "4h"}],
    }


def api(source: Source) -> dict[str, Any]:
    """What is pushed beside the boards."""
    made = groups(source)
    return {
        "data_sources": [{**_influx(source), **PRECIOUS}, _prometheus()],
        "folders": [{"uid": FOLDER_UID, "title": FOLDER_TITLE}],
        "rule_groups": [
            {"title": group.name, "folderUid": FOLDER_UID, "interval": group.interval_s, "rules": _rules(group)}
            for group in made
        ],
        "contact_points": _contacts(),
        "policy": _policy(),
    }


def files(source: Source) -> dict[str, str]:
    """Path -> content."""
    provider = {
        "name": "smelter", "orgId": 1, "folder": FOLDER_TITLE, "folderUid": FOLDER_UID, "type": "file",
        "disableDeletion": False, "allowUiUpdates": False, "updateIntervalSeconds": 30, "options": {"path": DASHBOARDS},
    }  # fmt: skip
    contacts = [
        {"orgId": 1, "name": point["name"], "receivers": [{k: v for k, v in point.items() if k != "name"}]}
        for point in _contacts()
    ]
    return {
        "provisioning/datasources/smelter.yaml": _data_source(_influx(source), PRECIOUS),
        "provisioning/datasources/smelter-prometheus.yaml": _data_source(_prometheus(), {}),
        "provisioning/dashboards/smelter.yaml": dump({"apiVersion": 1, "providers": [provider]}),
        "provisioning/alerting/rules.yaml": dump({"apiVersion": 1, "groups": [_file_group(g) for g in groups(source)]}),
        "provisioning/alerting/contact-points.yaml": dump({"apiVersion": 1, "contactPoints": contacts}),
        "provisioning/alerting/policies.yaml": dump({"apiVersion": 1, "policies": [{"orgId": 1, **_policy()}]}),
        "api.json": json.dumps(api(source), indent=1, ensure_ascii=False) + "\n",
    }
